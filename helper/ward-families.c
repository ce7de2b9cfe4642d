/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-families.h"

#include <string.h>

/* n: how many TPMs there are. */
static char *
find (const char *root, guint *n)
{
  g_autofree char *path = g_strconcat (root, "/sys/class/tpm", NULL);
  g_autoptr (GDir) folder = g_dir_open (path, 0, NULL);
  const char *name;

  *n = 0;
  while (folder && (name = g_dir_read_name (folder)))
    {
      g_autofree char *file = g_build_filename (path, name, "tpm_version_major", NULL);
      g_autofree char *major = NULL;

      (*n)++;
      if (g_file_get_contents (file, &major, NULL, NULL) && strcmp (major, "1\n") == 0)
        return g_strdup (name);
    }
  return NULL;
}

char *
ward_families_find_tpm12 (const char *root)
{
  guint n;

  return find (root, &n);
}

gboolean
ward_families_are_only_tpm2 (const char *root)
{
  guint n;
  g_autofree char *tpm12 = find (root, &n);

  return n > 0 && !tpm12;
}
