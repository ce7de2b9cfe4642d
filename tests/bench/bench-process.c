/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench.h"

static gboolean
run_once (gpointer context, GError **error)
{
  g_autofree char *said = NULL;
  int status;

  return g_spawn_sync (NULL, context, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_CLOEXEC_PIPES,
                       NULL, NULL, NULL, &said, &status, error)
         && (g_spawn_check_wait_status (status, error) || (g_prefix_error (error, "%s", said), FALSE));
}

gboolean
bench_run_process (const char *name, guint count, char **command, GError **error)
{
  return bench_measure (name, count, run_once, command, error);
}
