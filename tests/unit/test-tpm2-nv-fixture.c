/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-tpm2-nv-fixture.h"

#include <string.h>

static WardSecret *
secret_new (const char *text)
{
  return text ? ward_secret_new_from (text, strlen (text)) : NULL;
}

WardSecret *
nv_data_new (gsize size)
{
  WardSecret *data = ward_secret_new (size);

  for (gsize i = 0; i < size; i++)
    ward_secret_get_data (data)[i] = (guint8)(i * 11 + i / 256 + size);
  return data;
}

gboolean
nv_define (WardConnection *connection, WardNvTemplate template, const char *auth, const char *owner_auth,
           GError **error)
{
  g_autoptr (WardSecret) owner = secret_new (owner_auth);
  gboolean defined;

  template.auth = secret_new (auth);
  defined = ward_tpm2_backend.define_nv (connection, &template, owner, error);
  g_clear_pointer (&template.auth, ward_secret_unref);
  assert_nothing_left (connection);
  return defined;
}

gboolean
nv_undefine (WardConnection *connection, guint32 index, const char *owner_auth, gboolean force, GError **error)
{
  g_autoptr (WardSecret) owner = secret_new (owner_auth);
  gboolean undefined = ward_tpm2_backend.undefine_nv (connection, index, owner, force, error);

  assert_nothing_left (connection);
  return undefined;
}

/* As its caller does: after it was prepared. */
WardSecret *
nv_read (WardConnection *connection, WardNvAccess access, const char *auth, GError **error)
{
  g_autofree WardNvAccess *settled = g_memdup2 (&access, sizeof (access));
  g_autoptr (WardSecret) data = NULL;
  gboolean counts;

  settled->auth = secret_new (auth);
  if (ward_tpm2_backend.prepare_nv (connection, settled, FALSE, &counts, error))
    data = ward_tpm2_backend.read_nv (connection, settled, error);
  g_clear_pointer (&settled->auth, ward_secret_unref);
  assert_nothing_left (connection);
  return g_steal_pointer (&data);
}

gboolean
nv_write (WardConnection *connection, WardNvAccess access, WardSecret *data, const char *auth, GError **error)
{
  gboolean written, counts;

  access.auth = secret_new (auth);
  access.size = ward_secret_get_size (data);
  written = ward_tpm2_backend.prepare_nv (connection, &access, TRUE, &counts, error)
            && ward_tpm2_backend.write_nv (connection, &access, data, error);
  g_clear_pointer (&access.auth, ward_secret_unref);
  assert_nothing_left (connection);
  return written;
}

void
nv_assert_reads (WardConnection *connection, WardNvAccess access, const char *auth, WardSecret *expected, gsize offset)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WardSecret) data = nv_read (connection, access, auth, &error);
  gsize size = access.size > 0 ? access.size : ward_secret_get_size (expected) - offset;

  g_assert_no_error (error);
  g_assert_cmpmem (ward_secret_get_data (data), ward_secret_get_size (data), ward_secret_get_data (expected) + offset,
                   size);
}

void
nv_assert_refuses_read (WardConnection *connection, WardNvAccess access, const char *auth, int code, const char *word)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (nv_read (connection, access, auth, &error));
  g_assert_error (error, WARD_ERROR, code);
  assert_message_contains (error, word);
}

void
nv_assert_refuses_write (WardConnection *connection, WardNvAccess access, WardSecret *data, int code, const char *word)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (nv_write (connection, access, data, NULL, &error));
  g_assert_error (error, WARD_ERROR, code);
  assert_message_contains (error, word);
}

WardNvIndex *
nv_find (WardConnection *connection, guint32 number)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) indices = ward_tpm2_backend.list_nv (connection, &error);

  g_assert_no_error (error);
  for (guint i = 0; i < indices->len; i++)
    if (((WardNvIndex *)indices->pdata[i])->index == number)
      return g_ptr_array_steal_index (indices, i);
  return NULL;
}
