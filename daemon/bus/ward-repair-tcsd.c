/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-repair-tcsd.h"

#include "ward-error.h"
#include "ward-helper-client.h"

typedef struct
{
  WardTcsd *tcsd;
  WardTpm *tpm; /* or NULL */
  gboolean dry_run;
  GStrvBuilder *lines;
} Repair;

static void
repair_free (gpointer data)
{
  Repair *repair = data;

  g_object_unref (repair->tcsd);
  g_clear_object (&repair->tpm);
  g_strv_builder_unref (repair->lines);
  g_free (repair);
}

/* error: taken. Who reads it is to know what was done before. */
static void
fail (GTask *task, GError *error)
{
  const Repair *repair = g_task_get_task_data (task);
  g_auto (GStrv) done = g_strv_builder_end (repair->lines);
  g_autofree char *joined = g_strjoinv ("; ", done);

  if (done[0] && !repair->dry_run)
    g_prefix_error (&error, "Done before it failed: %s. ", joined);
  g_task_return_error (task, error);
}

static void
succeed (GTask *task)
{
  Repair *repair = g_task_get_task_data (task);

  g_strv_builder_add (repair->lines, "start tcsd.service");
  g_task_return_pointer (task, g_strv_builder_end (repair->lines), (GDestroyNotify)g_strfreev);
}

static void
on_started (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  const Repair *repair = g_task_get_task_data (task);
  GError *error = NULL;

  if (!ward_tcsd_start_finish (WARD_TCSD (source), result, &error))
    fail (task, error);
  else if (repair->tpm && ward_tpm_get_state (repair->tpm) == WARD_TPM_UNREACHABLE)
    fail (task, g_error_new (WARD_ERROR, WARD_ERROR_FAILED,
                             "tcsd.service was started, but the TPM is not reached all the same: %s “journalctl -u "
                             "tcsd” has what tcsd says.",
                             ward_tpm_get_state_detail (repair->tpm)));
  else
    succeed (task);
}

/* FALSE, with the task ended, if there is an error, which is taken. lines: taken. */
static gboolean
take_lines (GTask *task, char **lines, GError *error)
{
  Repair *repair = g_task_get_task_data (task);
  g_auto (GStrv) owned = lines;

  if (owned)
    g_strv_builder_addv (repair->lines, (const char **)owned);
  else
    fail (task, error);
  return owned != NULL;
}

static void
on_config_repaired (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  const Repair *repair = g_task_get_task_data (task);
  GError *error = NULL;
  char **lines = ward_helper_client_tcsd_config_finish (G_DBUS_CONNECTION (source), result, &error);

  if (!take_lines (task, lines, error))
    return;
  if (repair->dry_run)
    succeed (task);
  else
    ward_tcsd_start_async (repair->tcsd, repair->tpm, TRUE, on_started, g_steal_pointer (&task));
}

static void
on_access_repaired (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  const Repair *repair = g_task_get_task_data (task);
  GDBusConnection *connection = G_DBUS_CONNECTION (source);
  GError *error = NULL;
  char **lines = ward_helper_client_repair_access_finish (connection, result, &error);

  if (take_lines (task, lines, error))
    ward_helper_client_repair_tcsd_config_async (connection, repair->dry_run, on_config_repaired,
                                                 g_steal_pointer (&task));
}

void
ward_repair_tcsd_async (GDBusConnection *connection, WardTcsd *tcsd, WardTpm *tpm, gboolean dry_run,
                        GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (NULL, NULL, callback, user_data);
  Repair *repair = g_new0 (Repair, 1);

  repair->tcsd = g_object_ref (tcsd);
  repair->tpm = tpm ? g_object_ref (tpm) : NULL;
  repair->dry_run = dry_run;
  repair->lines = g_strv_builder_new ();
  g_task_set_task_data (task, repair, repair_free);
  ward_helper_client_repair_access_async (connection, dry_run, NULL, on_access_repaired, task);
}

char **
ward_repair_tcsd_finish (GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}
