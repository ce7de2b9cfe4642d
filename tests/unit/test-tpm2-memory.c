/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is left of secrets in the process's memory when they have been given up. */
#include "test-tpm2-owner.h"

#include <stdio.h>
#include <string.h>

#define MARK_SIZE 31

/* How often the bytes are in this process's heap. */
static guint
count_in_heap (const guint8 *bytes, gsize size)
{
  g_autofree char *maps = NULL;
  guint64 first = 0, end = 0;
  const char *line;
  guint count = 0;

  g_assert_true (g_file_get_contents ("/proc/self/maps", &maps, NULL, NULL));
  for (line = maps; line != NULL && *line != '\0'; line = strchr (line, '\n') ? strchr (line, '\n') + 1 : NULL)
    if (strstr (line, "[heap]") != NULL && strcspn (line, "\n") > (gsize)(strstr (line, "[heap]") - line))
      g_assert_cmpint (sscanf (line, "%" G_GINT64_MODIFIER "x-%" G_GINT64_MODIFIER "x", &first, &end), ==, 2);
  for (const guint8 *at = (const guint8 *)(gsize)first; at < (const guint8 *)(gsize)end;)
    {
      at = memmem (at, (const guint8 *)(gsize)end - at, bytes, size);
      if (at == NULL)
        break;
      count++;
      at += size;
    }
  return count;
}

static void
fill (guint8 *mark, guint8 first)
{
  for (guint i = 0; i < MARK_SIZE; i++)
    mark[i] = (guint8)(first + i * 3);
}

/* Whether a copy is found while it is there; else the test is skipped. */
static gboolean
can_be_found (const guint8 *mark)
{
  guint8 *control = g_memdup2 (mark, MARK_SIZE);
  gboolean found = count_in_heap (mark, MARK_SIZE) == 1;

  explicit_bzero (control, MARK_SIZE);
  g_free (control);
  if (!found)
    g_test_skip ("memory comes from elsewhere than the heap here, as with a sanitizer");
  return found;
}

static void
test_sealed_data (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (WardConnection) connection = NULL;
  guint8 data_mark[MARK_SIZE], auth_mark[MARK_SIZE];

  fill (data_mark, 0x81);
  fill (auth_mark, 0x92);
  if (swtpm == NULL || !can_be_found (data_mark))
    return;
  connection = swtpm_connect (swtpm);
  /* with an auth value, and without: then fewer commands follow that write over what is left */
  for (guint round = 0; round < 2; round++)
    {
      g_autoptr (WardSecret) data = ward_secret_new (WARD_MAX_SEALED_SIZE);
      g_autoptr (WardSecret) auth = ward_secret_new_from (auth_mark, sizeof (auth_mark));
      g_autoptr (WardSealed) sealed = NULL;
      g_autoptr (WardSecret) back = NULL;

      memset (ward_secret_get_data (data), 'x', WARD_MAX_SEALED_SIZE - MARK_SIZE);
      memcpy (ward_secret_get_data (data) + WARD_MAX_SEALED_SIZE - MARK_SIZE, data_mark, MARK_SIZE);
      sealed = ward_tpm2_backend.seal (connection, data, round == 0 ? auth : NULL, NULL, FALSE, NULL);
      back = ward_tpm2_backend.unseal (connection, sealed, round == 0 ? auth : NULL, NULL);
      g_assert_nonnull (back);
    }
  g_assert_cmpuint (count_in_heap (data_mark, MARK_SIZE), ==, 0);
  g_assert_cmpuint (count_in_heap (auth_mark, MARK_SIZE), ==, 0);
}

static void
test_hierarchy_auth (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (WardConnection) connection = NULL;
  g_autoptr (WardSecret) auth = NULL;
  guint8 mark[MARK_SIZE];

  fill (mark, 0x83);
  if (swtpm == NULL || !can_be_found (mark))
    return;
  connection = swtpm_connect (swtpm);
  auth = ward_secret_new_from (mark, sizeof (mark));
  g_assert_true (ward_tpm2_backend.change_auth (connection, WARD_HIERARCHY_LOCKOUT, NULL, auth, NULL));
  g_assert_true (ward_tpm2_backend.reset_lockout (connection, auth, NULL));
  g_assert_cmpuint (count_in_heap (mark, MARK_SIZE), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tpm2/memory/sealed-data", test_sealed_data);
  g_test_add_func ("/tpm2/memory/hierarchy-auth", test_hierarchy_auth);
  return g_test_run ();
}
