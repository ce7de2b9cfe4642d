/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-preview.h"

#include "ward-error.h"
#include "ward-helper-client.h"

typedef struct
{
  GDBusConnection *connection;
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
open_entry (GVariantBuilder *builder, const char *kind, const char *subject, const char *detail,
            const char *recoverable, const char *reason)
{
  g_variant_builder_open (builder, G_VARIANT_TYPE_VARDICT);
  add_string (builder, "kind", kind);
  add_string (builder, "subject", subject);
  add_string (builder, "owner", "root");
  g_variant_builder_add (builder, "{sv}", "uid", g_variant_new_uint32 (0));
  add_string (builder, "detail", detail);
  add_string (builder, "recoverable", recoverable);
  add_string (builder, "reason", reason);
  add_string (builder, "confidence", "sure");
  g_variant_builder_add (builder, "{sv}", "uses-owner-empty-auth", g_variant_new_boolean (FALSE));
  g_variant_builder_add (builder, "{sv}", "uses-endorsement-empty-auth", g_variant_new_boolean (FALSE));
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

void
ward_preview_clear_async (WardTpm *tpm, const WardTicket *ticket, GDBusConnection *connection,
                          GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (tpm, NULL, callback, user_data);
  Search *search = g_new0 (Search, 1);

  search->connection = g_object_ref (connection);
  g_variant_builder_init (&search->found, G_VARIANT_TYPE ("aa{sv}"));
  g_task_set_task_data (task, search, search_free);
  ward_tpm_list_items_async (tpm, ticket, on_items, task);
}

GVariant *
ward_preview_clear_finish (WardTpm *tpm, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}
