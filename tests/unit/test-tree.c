/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-tree.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

void
test_tree_add (const char *root, const char *file)
{
  gsize path_length = strcspn (file, "=>");
  g_autofree char *relative = g_strndup (file, path_length);
  g_autofree char *path = g_strconcat (root, relative, NULL);
  g_autofree char *folder = g_str_has_suffix (path, "/") ? g_strdup (path) : g_path_get_dirname (path);
  g_autofree char *text = g_strdup (file[path_length] == '=' ? file + path_length + 1 : "");
  gsize length = strlen (text);

  g_assert_cmpint (g_mkdir_with_parents (folder, 0700), ==, 0);
  if (file[path_length] == '>')
    {
      g_assert_cmpint (symlink (file + path_length + 1, path), ==, 0);
      return;
    }
  if (g_str_has_suffix (path, "/"))
    return;
  g_strdelimit (text, "\1", '\0');
  g_assert_true (g_file_set_contents (path, text, length, NULL));
}

void
test_tree_remove (const char *path)
{
  g_autoptr (GDir) dir = g_file_test (path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open (path, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *child = g_build_filename (path, name, NULL);

      test_tree_remove (child);
    }
  g_assert_cmpint (g_remove (path), ==, 0);
}
