/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-ledger.h"

#include "ward-helper-client.h"

/* How many a message names. */
#define N_NAMED 3

typedef struct
{
  gboolean owner;
  gboolean endorsement;
} Wanted;

static gboolean
breaks (GVariant *dependent, const Wanted *wanted)
{
  gboolean uses_owner = FALSE, uses_endorsement = FALSE;
  const char *kind = "";

  /* a place that could not be searched may hold anything */
  if (g_variant_lookup (dependent, "kind", "&s", &kind) && g_str_equal (kind, "unscanned"))
    return TRUE;
  g_variant_lookup (dependent, "uses-owner-empty-auth", "b", &uses_owner);
  g_variant_lookup (dependent, "uses-endorsement-empty-auth", "b", &uses_endorsement);
  return (wanted->owner && uses_owner) || (wanted->endorsement && uses_endorsement);
}

static void
on_scanned (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GVariant) all = NULL;
  GVariantBuilder found;
  GVariantIter iter;
  GVariant *dependent;
  GError *error = NULL;

  all = ward_helper_client_scan_dependents_finish (G_DBUS_CONNECTION (source), result, &error);
  if (!all)
    {
      g_task_return_error (task, error);
      return;
    }

  g_variant_builder_init (&found, G_VARIANT_TYPE ("aa{sv}"));
  g_variant_iter_init (&iter, all);
  while ((dependent = g_variant_iter_next_value (&iter)))
    {
      if (breaks (dependent, g_task_get_task_data (task)))
        g_variant_builder_add_value (&found, dependent);
      g_variant_unref (dependent);
    }
  g_task_return_pointer (task, g_variant_ref_sink (g_variant_builder_end (&found)), (GDestroyNotify)g_variant_unref);
}

void
ward_ledger_find_breaking_async (GDBusConnection *connection, gboolean owner, gboolean endorsement,
                                 GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (connection, NULL, callback, user_data);
  Wanted *wanted = g_new0 (Wanted, 1);

  wanted->owner = owner;
  wanted->endorsement = endorsement;
  g_task_set_task_data (task, wanted, g_free);
  ward_helper_client_scan_dependents_async (connection, NULL, on_scanned, task);
}

GVariant *
ward_ledger_find_breaking_finish (GDBusConnection *connection, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
add_count (GVariantBuilder *builder, guint n_others)
{
  g_autofree char *detail = g_strdup_printf (
      "%u more belong to other users of this machine. An administrator can have them named.", n_others);

  g_variant_builder_open (builder, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add (builder, "{sv}", "kind", g_variant_new_string ("other-users"));
  g_variant_builder_add (builder, "{sv}", "subject", g_variant_new_string (""));
  g_variant_builder_add (builder, "{sv}", "owner", g_variant_new_string (""));
  g_variant_builder_add (builder, "{sv}", "detail", g_variant_new_string (detail));
  g_variant_builder_add (builder, "{sv}", "recoverable", g_variant_new_string ("unknown"));
  g_variant_builder_add (builder, "{sv}", "count", g_variant_new_uint32 (n_others));
  g_variant_builder_close (builder);
}

GVariant *
ward_ledger_for_user (GVariant *dependents, guint uid)
{
  GVariantBuilder builder;
  GVariantIter iter;
  GVariant *dependent;
  guint n_others = 0;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("aa{sv}"));
  g_variant_iter_init (&iter, dependents);
  while ((dependent = g_variant_iter_next_value (&iter)))
    {
      guint32 owner = G_MAXUINT32, count = 1;

      g_variant_lookup (dependent, "uid", "u", &owner);
      g_variant_lookup (dependent, "count", "u", &count);
      if (owner == 0 || owner == uid)
        g_variant_builder_add_value (&builder, dependent);
      else
        n_others += count;
      g_variant_unref (dependent);
    }
  if (n_others > 0)
    add_count (&builder, n_others);
  return g_variant_builder_end (&builder);
}

char *
ward_ledger_summarize (GVariant *dependents)
{
  g_autoptr (GString) text = g_string_new (NULL);
  gsize n = g_variant_n_children (dependents);

  for (gsize i = 0; i < MIN (n, N_NAMED); i++)
    {
      g_autoptr (GVariant) dependent = g_variant_get_child_value (dependents, i);
      const char *subject = "";

      g_variant_lookup (dependent, "subject", "&s", &subject);
      g_string_append_printf (text, "%s%s", i > 0 ? ", " : "", *subject ? subject : "what belongs to other users");
    }
  if (n > N_NAMED)
    g_string_append_printf (text, " and %" G_GSIZE_FORMAT " others", n - N_NAMED);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static guint
get_rank (GVariant *dependent)
{
  static const char *const order[] = { "no", "unknown", "yes" };
  const char *recoverable = "unknown";
  guint rank = 0;

  g_variant_lookup (dependent, "recoverable", "&s", &recoverable);
  while (rank < G_N_ELEMENTS (order) && !g_str_equal (order[rank], recoverable))
    rank++;
  return rank;
}

GVariant *
ward_ledger_sort (GVariant *dependents)
{
  gsize n = g_variant_n_children (dependents);
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("aa{sv}"));
  for (guint rank = 0; rank <= 3; rank++)
    for (gsize i = 0; i < n; i++)
      {
        g_autoptr (GVariant) dependent = g_variant_get_child_value (dependents, i);

        if (get_rank (dependent) == rank)
          g_variant_builder_add_value (&builder, dependent);
      }
  return g_variant_builder_end (&builder);
}
