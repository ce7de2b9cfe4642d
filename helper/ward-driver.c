/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-driver.h"

#include <string.h>

#include "ward-absence.h"
#include "ward-error.h"
#include "ward-journal.h"
#include "ward-systemd.h"

/* How long a driver has to find its TPM; a chip that was just switched on tests itself first. */
#define PATIENCE_USEC (5 * G_USEC_PER_SEC)
#define LOOK_AGAIN_MS 50

/* How many of the kernel's lines an error quotes. */
#define QUOTED 3

/* The kernel's name of a TPM that it drives, or NULL. */
static char *
find_tpm (const char *root)
{
  g_autofree char *path = g_strconcat (root, "/sys/class/tpm", NULL);
  g_autoptr (GDir) folder = g_dir_open (path, 0, NULL);

  return folder ? g_strdup (g_dir_read_name (folder)) : NULL;
}

static gboolean
is_loaded (const char *root, const char *module)
{
  g_autofree char *path = g_strconcat (root, "/sys/module/", module, NULL);

  return g_file_test (path, G_FILE_TEST_IS_DIR);
}

/* Waits for a TPM. The kernel tells of new ones by a socket that the helper's unit keeps from it, so sysfs is looked at
 * now and then. */
static char *
await_tpm (const char *root)
{
  gint64 deadline = g_get_monotonic_time () + PATIENCE_USEC;
  char *name;

  while (!(name = find_tpm (root)) && g_get_monotonic_time () < deadline)
    g_poll (NULL, 0, LOOK_AGAIN_MS);
  return name;
}

/* The name of the TPM that came of it; NULL if none did: *is_missing says whether the kernel has no such module. */
static char *
try_module (const char *root, WardSystemd *systemd, const char *module, gboolean *is_missing, GError **error)
{
  g_autofree char *unit = g_strdup_printf ("modprobe@%s.service", module);

  if (!ward_systemd_start (systemd, unit, error))
    return NULL;
  /* the unit succeeds whatever modprobe does */
  *is_missing = !is_loaded (root, module);
  return *is_missing ? find_tpm (root) : await_tpm (root);
}

static void
fail_without_tpm (const char *root, const char *const *modules, const char *const *loaded, GError **error)
{
  g_autofree char *tried = g_strjoinv (", ", (char **)modules);
  g_autofree char *stay = g_strjoinv (", ", (char **)loaded);
  g_auto (GStrv) lines = ward_journal_read_kernel (root, QUOTED);
  g_autofree char *said = g_strjoinv (" | ", lines);

  if (!loaded[0])
    g_set_error (error, WARD_ERROR, WARD_ERROR_FAILED,
                 "This kernel has no driver for the TPM, or cannot load it here: %s. Install the distribution's full "
                 "kernel with all its modules, and restart.",
                 tried);
  else
    g_set_error (error, WARD_ERROR, WARD_ERROR_FAILED,
                 "The driver was loaded and stays so (%s), but no TPM has come of it: the chip does not answer, or is "
                 "switched off in the firmware's setup.%s%s",
                 stay, lines[0] ? " The kernel says: " : "", said);
}

static GStrv
load (const char *root, GDBusConnection *connection, const char *const *modules, GError **error)
{
  g_autoptr (WardSystemd) systemd = ward_systemd_new (connection, error);
  g_autoptr (GPtrArray) loaded = g_ptr_array_new ();
  g_autoptr (GStrvBuilder) lines = g_strv_builder_new ();
  g_autofree char *tpm = NULL;

  if (!systemd)
    return NULL;
  for (guint i = 0; modules[i] && !tpm; i++)
    {
      gboolean is_missing = FALSE;
      g_autoptr (GError) local_error = NULL;
      g_autofree char *line = g_strdup_printf ("load the module %s", modules[i]);

      tpm = try_module (root, systemd, modules[i], &is_missing, &local_error);
      if (local_error)
        {
          g_propagate_error (error, g_steal_pointer (&local_error));
          return NULL;
        }
      if (is_missing)
        continue;
      g_message ("Driver: %s", line);
      g_strv_builder_add (lines, line);
      g_ptr_array_add (loaded, (gpointer)modules[i]);
    }
  if (tpm)
    return g_strv_builder_end (lines);
  g_ptr_array_add (loaded, NULL);
  fail_without_tpm (root, modules, (const char *const *)loaded->pdata, error);
  return NULL;
}

GStrv
ward_driver_load (const char *root, GDBusConnection *connection, gboolean dry_run, GError **error)
{
  g_auto (GStrv) modules = ward_absence_missing_modules (root);
  g_autoptr (GStrvBuilder) lines = g_strv_builder_new ();

  if (modules[0] && !dry_run)
    return load (root, connection, (const char *const *)modules, error);
  for (guint i = 0; modules[i]; i++)
    {
      g_autofree char *line = g_strdup_printf (
          i == 0 ? "load the module %s" : "load the module %s, if no TPM comes of that", modules[i]);

      g_strv_builder_add (lines, line);
    }
  return g_strv_builder_end (lines);
}
