/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-preview.h"

#include "ward-error.h"
#include "ward-helper-client.h"

/* The most keys that are named, as the bus does not carry more than 32 MiB at once. */
#define MAX_KEYS 10000

typedef struct
{
  GDBusConnection *connection;
  const WardTicket *ticket;
  gboolean names_others;
  GVariantBuilder found;
} Search;

static void
search_free (gpointer data)
{
  Search *search = data;

  g_object_unref (search->connection);
  g_variant_builder_clear (&search->found);
  g_free (search);
}

static void
add_string (GVariantBuilder *builder, const char *key, const char *value)
{
  g_variant_builder_add (builder, "{sv}", key, g_variant_new_string (value));
}

/* What all entries have; the entry is left open. */
static void
open_entry_of (GVariantBuilder *builder, const char *kind, const char *subject, const char *owner, guint32 uid,
               const char *detail, const char *recoverable, const char *reason)
{
  g_variant_builder_open (builder, G_VARIANT_TYPE_VARDICT);
  add_string (builder, "kind", kind);
  add_string (builder, "subject", subject);
  add_string (builder, "owner", owner);
  g_variant_builder_add (builder, "{sv}", "uid", g_variant_new_uint32 (uid));
  add_string (builder, "detail", detail);
  add_string (builder, "recoverable", recoverable);
  add_string (builder, "reason", reason);
  add_string (builder, "confidence", "sure");
  g_variant_builder_add (builder, "{sv}", "uses-owner-empty-auth", g_variant_new_boolean (FALSE));
  g_variant_builder_add (builder, "{sv}", "uses-endorsement-empty-auth", g_variant_new_boolean (FALSE));
}

static void
open_entry (GVariantBuilder *builder, const char *kind, const char *subject, const char *detail,
            const char *recoverable, const char *reason)
{
  open_entry_of (builder, kind, subject, "root", 0, detail, recoverable, reason);
}

static void
add_unscanned (GVariantBuilder *builder, const char *subject, const char *what, const GError *error)
{
  g_autofree char *detail = g_strdup_printf ("%s could not be searched, so that this list may lack what is there: %s",
                                             what, error->message);

  open_entry (builder, "unscanned", subject, detail, "unknown", "What is there is not known.");
  g_variant_builder_close (builder);
}

static gboolean
is_index (const WardChipItem *item)
{
  return g_str_equal (item->kind, WARD_CHIP_NV_INDEX);
}

static char *
describe (const WardChipItem *item)
{
  const char *belongs = *item->purpose ? ", the place of " : "";
  const char *sort = "A key";

  if (is_index (item))
    return g_strdup_printf ("%u bytes at the TPM's NV index 0x%08x%s%s%s.", item->size, item->handle, belongs,
                            item->purpose, item->written ? "" : "; never written");
  if (g_str_equal (item->algorithm, "keyedhash"))
    sort = "Sealed data or an HMAC key";
  return g_strdup_printf ("%s (%s) at the TPM's persistent handle 0x%08x%s%s.", sort, item->algorithm, item->handle,
                          belongs, item->purpose);
}

static const char *
get_reason (const WardChipItem *item, const char **recoverable)
{
  *recoverable = "no";
  if (is_index (item) && item->written)
    return "Its content is lost, unless whoever wrote it has a copy.";
  if (!is_index (item) && item->handle == WARD_SRK_HANDLE)
    return "The TPM gets a new seed: a storage root key is made again when it is needed, but it is another key. What "
           "was "
           "made under this one can never be used again.";
  if (!is_index (item) && !item->is_remade)
    return "A clear destroys it for good, and with it what was made under it.";

  *recoverable = "yes";
  if (is_index (item))
    return "It has never been written: nothing is lost but the index, which can be defined again.";
  return "It is made from the endorsement seed, which a clear leaves: the same key can be made again.";
}

static void
add_item (GVariantBuilder *builder, const WardChipItem *item)
{
  g_autofree char *subject = g_strdup_printf ("0x%08x", item->handle);
  g_autofree char *detail = describe (item);
  const char *recoverable;
  const char *reason = get_reason (item, &recoverable);

  open_entry (builder, item->kind, subject, detail, recoverable, reason);
  g_variant_builder_add (builder, "{sv}", "handle", g_variant_new_uint32 (item->handle));
  add_string (builder, "name", item->name);
  g_variant_builder_add (builder, "{sv}", "attributes", g_variant_new_uint32 (item->attributes));
  if (is_index (item))
    g_variant_builder_add (builder, "{sv}", "size", g_variant_new_uint32 (item->size));
  else
    add_string (builder, "algorithm", item->algorithm);
  g_variant_builder_close (builder);
}

static void
add_key (GVariantBuilder *builder, const WardKey *key)
{
  gboolean is_system = key->uid == WARD_UID_SYSTEM;
  g_autofree char *detail = g_strdup_printf ("%s key (%s) with the id %s, kept by this service.",
                                             is_system ? "A system" : "A user's", key->algorithm, key->id);

  open_entry_of (builder, "key", key->label, is_system ? "root" : key->user_name, is_system ? 0 : key->uid, detail,
                 key->imported ? "unknown" : "no",
                 key->imported ? "It was imported, and can be imported again if the original was kept."
                               : "It was made in the TPM, and there is no copy of it.");
  add_string (builder, "id", key->id);
  add_string (builder, "algorithm", key->algorithm);
  g_variant_builder_close (builder);
}

/* Of other users, or too many to be named. uid: whose they are, among others. */
static void
add_unnamed_keys (GVariantBuilder *builder, guint n_keys, guint32 uid)
{
  g_autofree char *detail = g_strdup_printf ("%u more keys that are kept by this service.", n_keys);

  if (n_keys == 0)
    return;
  open_entry_of (builder, "key", "", "", uid, detail, "unknown", "They are not looked at one by one.");
  g_variant_builder_add (builder, "{sv}", "count", g_variant_new_uint32 (n_keys));
  g_variant_builder_close (builder);
}

static void
add_keys (Search *search, WardTpm *tpm, WardKeyring *keyring, const GPtrArray *keys)
{
  guint n_named = 0, n_unnamed = 0, n_others = 0;

  for (guint i = 0; i < keys->len; i++)
    {
      const WardKey *key = keys->pdata[i];
      gboolean is_others = key->uid != WARD_UID_SYSTEM && key->uid != search->ticket->uid;

      /* what a clear took away before is not taken away again */
      if (!ward_keyring_is_in_tpm (keyring, key))
        continue;
      if (is_others && !search->names_others)
        n_others++;
      else if (n_named == MAX_KEYS)
        n_unnamed++;
      else
        {
          n_named++;
          add_key (&search->found, key);
        }
    }
  add_unnamed_keys (&search->found, n_unnamed, search->ticket->uid);
  add_unnamed_keys (&search->found, n_others, WARD_UID_SYSTEM);
}

static void
on_scanned (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Search *search = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) dependents = ward_helper_client_scan_dependents_finish (G_DBUS_CONNECTION (source), result,
                                                                               &error);
  GVariantIter iter;
  GVariant *dependent;

  if (!dependents)
    add_unscanned (&search->found, "tpmward-helper", "What is on this machine's disks and in its homes", error);
  else
    {
      g_variant_iter_init (&iter, dependents);
      while ((dependent = g_variant_iter_next_value (&iter)))
        {
          g_variant_builder_add_value (&search->found, dependent);
          g_variant_unref (dependent);
        }
    }
  g_task_return_pointer (task, g_variant_ref_sink (g_variant_builder_end (&search->found)),
                         (GDestroyNotify)g_variant_unref);
}

static void
on_items (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Search *search = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) items = ward_tpm_list_items_finish (WARD_TPM (source), result, &error);

  if (g_error_matches (error, WARD_ERROR, WARD_ERROR_CANCELLED))
    {
      g_task_return_error (task, g_steal_pointer (&error));
      return;
    }
  if (error)
    add_unscanned (&search->found, ward_tpm_get_name (WARD_TPM (source)), "What the TPM itself keeps", error);
  for (guint i = 0; items && i < items->len; i++)
    {
      const WardChipItem *item = g_ptr_array_index (items, i);

      if (item->is_cleared)
        add_item (&search->found, item);
    }
  ward_helper_client_scan_dependents_async (search->connection, NULL, on_scanned, g_steal_pointer (&task));
}

static void
on_keys_loaded (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  WardTpm *tpm = g_task_get_source_object (task);
  Search *search = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) keys = NULL;

  if (ward_keyring_prepare_finish (WARD_KEYRING (source), result, &error))
    keys = ward_keyring_list_all (WARD_KEYRING (source), ward_tpm_get_name (tpm), &error);
  if (keys)
    add_keys (search, tpm, WARD_KEYRING (source), keys);
  else
    add_unscanned (&search->found, "keys", "What keys this service keeps", error);
  ward_tpm_list_items_async (tpm, search->ticket, on_items, g_steal_pointer (&task));
}

void
ward_preview_clear_async (WardTpm *tpm, const WardTicket *ticket, WardKeyring *keyring, gboolean names_others,
                          GDBusConnection *connection, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (tpm, NULL, callback, user_data);
  Search *search = g_new0 (Search, 1);

  search->connection = g_object_ref (connection);
  search->ticket = ticket;
  search->names_others = names_others;
  g_variant_builder_init (&search->found, G_VARIANT_TYPE ("aa{sv}"));
  g_task_set_task_data (task, search, search_free);
  ward_keyring_prepare_async (keyring, WARD_UID_SYSTEM, on_keys_loaded, task);
}

GVariant *
ward_preview_clear_finish (WardTpm *tpm, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}
