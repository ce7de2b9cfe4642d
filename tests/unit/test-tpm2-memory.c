/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is left of secrets in the process's memory when they have been given up. */
#include "test-tpm2-owner.h"

#include <stdio.h>
#include <string.h>

#include "ward-key-import.h"
#include "ward-key-use.h"

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
      sealed = ward_tpm2_backend.seal (connection, data, &(WardKeyAuths){ .auth = round == 0 ? auth : NULL }, NULL,
                                       FALSE, NULL);
      g_assert_cmpuint (count_in_heap (data_mark, MARK_SIZE), ==, 0);
      g_assert_cmpuint (count_in_heap (auth_mark, MARK_SIZE), ==, 0);
      back = ward_tpm2_backend.unseal (connection, sealed, &(WardKeyAuths){ .auth = round == 0 ? auth : NULL }, NULL);
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

/* What is written to an NV index and read from it, and its auth value. */
static void
test_nv (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (WardConnection) connection = NULL;
  guint8 data_mark[MARK_SIZE], auth_mark[MARK_SIZE];

  fill (data_mark, 0x86);
  fill (auth_mark, 0x97);
  if (swtpm == NULL || !can_be_found (data_mark))
    return;
  connection = swtpm_connect (swtpm);
  /* at the end of what a TPM takes at once, and behind it */
  for (gsize size = 1000; size <= 1100; size += 4)
    {
      g_autoptr (WardSecret) data = ward_secret_new (size);
      g_autoptr (WardSecret) auth = ward_secret_new_from (auth_mark, sizeof (auth_mark));
      g_autoptr (WardSecret) back = NULL;
      const WardNvTemplate template = { .index = 0x01800001, .size = size, .auth = auth };
      const WardNvAccess access = { .index = 0x01800001, .size = size, .right = WARD_NV_BY_INDEX, .auth = auth };

      memset (ward_secret_get_data (data), 'x', size - MARK_SIZE);
      memcpy (ward_secret_get_data (data) + size - MARK_SIZE, data_mark, MARK_SIZE);
      g_assert_true (ward_tpm2_backend.define_nv (connection, &template, NULL, NULL));
      g_assert_cmpuint (count_in_heap (auth_mark, MARK_SIZE), ==, 0);
      g_assert_true (ward_tpm2_backend.write_nv (connection, &access, data, NULL));
      g_assert_cmpuint (count_in_heap (data_mark, MARK_SIZE), ==, 0);
      back = ward_tpm2_backend.read_nv (connection, &access, NULL);
      g_assert_nonnull (back);
      g_assert_cmpuint (count_in_heap (data_mark, MARK_SIZE), ==, 0);
      g_assert_cmpuint (count_in_heap (auth_mark, MARK_SIZE), ==, 0);
      g_assert_true (ward_tpm2_backend.undefine_nv (connection, 0x01800001, NULL, FALSE, NULL));
    }
}

/* What stands in front of the private number of a P-256 key in SEC 1 and in PKCS #8. */
static const guint8 sec1[] = { 0x30, 0x31, 0x02, 0x01, 0x01, 0x04, 0x20 };
static const guint8 sec1_end[] = { 0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07 };
static const guint8 pkcs8[] = { 0x30, 0x41, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03,
                                0x01, 0x07, 0x04, 0x27, 0x30, 0x25, 0x02, 0x01, 0x01, 0x04, 0x20 };

/* A key whose private number is 1 and the mark, in DER. */
static WardSecret *
make_key (gboolean is_pkcs8, const guint8 *mark)
{
  gsize front = is_pkcs8 ? sizeof (pkcs8) : sizeof (sec1);
  gsize end = is_pkcs8 ? 0 : sizeof (sec1_end);
  WardSecret *secret = ward_secret_new (front + 1 + MARK_SIZE + end);
  guint8 *at = ward_secret_get_data (secret);

  memcpy (at, is_pkcs8 ? pkcs8 : sec1, front);
  at[front] = 1;
  memcpy (at + front + 1, mark, MARK_SIZE);
  memcpy (at + front + 1 + MARK_SIZE, sec1_end, end);
  return secret;
}

static WardSecret *
make_pem (WardSecret *der, const char *label)
{
  g_autofree char *base64 = g_base64_encode (ward_secret_get_data (der), ward_secret_get_size (der));
  g_autofree char *text = g_strdup_printf ("-----BEGIN %s-----\n%.64s\n%s\n-----END %s-----\n", label, base64,
                                           base64 + 64, label);

  return ward_secret_new_from (text, strlen (text));
}

/* Nor backwards, as OpenSSL's numbers lie in memory. */
static void
assert_forgotten (const guint8 *mark)
{
  guint8 backwards[MARK_SIZE];

  for (guint i = 0; i < MARK_SIZE; i++)
    backwards[i] = mark[MARK_SIZE - 1 - i];
  g_assert_cmpuint (count_in_heap (mark, MARK_SIZE), ==, 0);
  g_assert_cmpuint (count_in_heap (backwards, MARK_SIZE), ==, 0);
}

static void
import_key (WardConnection *connection, WardSecret *data, const guint8 *auth_mark)
{
  g_autoptr (WardSecret) auth = ward_secret_new_from (auth_mark, MARK_SIZE);
  g_autoptr (WardSecret) new_auth = ward_secret_new_from ("new", 3);
  WardKeyAuths auths = { .auth = auth };
  WardKeyTemplate template = { .usage = WARD_KEY_SIGN, .no_da = FALSE };
  g_autoptr (WardKeyImport) import = ward_key_import_parse (data, NULL, NULL);
  g_autoptr (WardWrappedKey) key = NULL;
  g_autoptr (WardWrappedKey) changed = NULL;

  g_assert_nonnull (import);
  key = ward_tpm2_backend.import_key (connection, import->pair, &template, &auths, NULL);
  g_assert_nonnull (key);
  changed = ward_tpm2_backend.change_key_auth (connection, key, &auths, new_auth, NULL);
  g_assert_nonnull (changed);
}

/* A private key on its way into the chip, with an auth value. */
static void
test_imported_key (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (WardConnection) connection = NULL;
  guint8 mark[MARK_SIZE], auth_mark[MARK_SIZE];

  fill (mark, 0x84);
  fill (auth_mark, 0x95);
  if (swtpm == NULL || !can_be_found (mark))
    return;
  connection = swtpm_connect (swtpm);
  for (guint form = 0; form < 4; form++)
    {
      g_autoptr (WardSecret) der = make_key (form % 2, mark);
      g_autoptr (WardSecret) pem = make_pem (der, form % 2 ? "PRIVATE KEY" : "EC PRIVATE KEY");

      import_key (connection, form < 2 ? der : pem, auth_mark);
      assert_forgotten (mark);
      assert_forgotten (auth_mark);
    }
}

static void
sign_with (WardConnection *connection, const WardWrappedKey *key, const guint8 *auth_mark)
{
  g_autoptr (WardSecret) auth = ward_secret_new_from (auth_mark, MARK_SIZE);
  WardKeyAuths auths = { .auth = auth };
  g_autofree WardKeyFacts *facts = ward_tpm2_backend.describe_key (key, NULL);
  g_autoptr (GBytes) digest = g_bytes_new_static ("0123456789abcdef0123456789abcdef", 32);
  g_autoptr (WardSigning) signing = ward_signing_new (facts, NULL, "sha256", digest, NULL);
  g_autoptr (GBytes) signature = ward_tpm2_backend.sign (connection, key, &auths, signing, NULL);

  g_assert_nonnull (signature);
}

/* The auth value of a key is gone while the key, and the session, wait in the TPM for their next use. */
static void
test_kept_key (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (WardConnection) connection = NULL;
  WardKeyTemplate template = { .algorithm = "ecc-p256", .usage = WARD_KEY_SIGN, .no_da = FALSE };
  guint8 mark[MARK_SIZE];

  fill (mark, 0x86);
  if (swtpm == NULL || !can_be_found (mark))
    return;
  connection = swtpm_connect (swtpm);
  for (guint is_managed = 0; is_managed < 2; is_managed++)
    {
      g_autoptr (WardSecret) auth = ward_secret_new_from (mark, MARK_SIZE);
      WardKeyAuths auths = { .auth = auth };
      g_autoptr (WardWrappedKey) key = ward_tpm2_backend.create_key (connection, &template, &auths, NULL);

      if (is_managed)
        ward_tpm2_cache_set_managed (connection->cache);
      for (guint i = 0; i < 2; i++)
        {
          sign_with (connection, key, mark);
          g_assert_cmpuint (count_in_heap (mark, MARK_SIZE), ==, 0);
        }
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tpm2/memory/sealed-data", test_sealed_data);
  g_test_add_func ("/tpm2/memory/hierarchy-auth", test_hierarchy_auth);
  g_test_add_func ("/tpm2/memory/nv", test_nv);
  g_test_add_func ("/tpm2/memory/imported-key", test_imported_key);
  g_test_add_func ("/tpm2/memory/kept-key", test_kept_key);
  return g_test_run ();
}
