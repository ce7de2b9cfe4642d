/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys that go to tpm2-openssl and come from there. */
#include "test-tpm2-key-fixture.h"

#include <glib/gstdio.h>
#include <string.h>

#include "ward-key-import.h"
#include "ward-key-pem.h"

/* Runs openssl on the TPM, which nobody else is connected to then, in its folder. errors: what it said. */
static gboolean
run (Swtpm *swtpm, const char *arguments, char **errors)
{
  g_autofree char *line = g_strconcat ("openssl ", arguments, NULL);
  g_auto (GStrv) argv = NULL;
  g_auto (GStrv) environment = g_environ_setenv (g_get_environ (), "TPM2OPENSSL_TCTI", swtpm->transport, TRUE);
  g_autoptr (GError) error = NULL;
  int status;

  g_assert_true (g_shell_parse_argv (line, NULL, &argv, NULL));
  g_spawn_sync (swtpm->folder, argv, environment, G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL,
                errors, &status, &error);
  g_assert_no_error (error);
  return g_spawn_check_wait_status (status, NULL);
}

/* NULL, and the test skipped, where the other program is not. */
static Swtpm *
swtpm_for_both (void)
{
  g_autofree char *errors = NULL;
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);

  if (!swtpm || run (swtpm, "list -providers -provider tpm2", &errors))
    return g_steal_pointer (&swtpm);
  g_test_skip ("tpm2-openssl is not installed");
  return NULL;
}

static void
openssl (Swtpm *swtpm, const char *arguments)
{
  g_autofree char *errors = NULL;

  if (!run (swtpm, arguments, &errors))
    g_error ("openssl %s: %s", arguments, errors);
}

static void
write_file (Swtpm *swtpm, const char *name, const char *contents, gssize size)
{
  g_autofree char *path = g_build_filename (swtpm->folder, name, NULL);

  g_assert_true (g_file_set_contents (path, contents, size, NULL));
}

static char *
read_file (Swtpm *swtpm, const char *name, gsize *size)
{
  g_autofree char *path = g_build_filename (swtpm->folder, name, NULL);
  char *contents;

  g_assert_true (g_file_get_contents (path, &contents, size, NULL));
  return contents;
}

#define PROVIDERS "-provider tpm2 -provider default -propquery ?provider=tpm2 "

/* A key of ours signs there. */
static void
assert_signs_there (Swtpm *swtpm, const WardWrappedKey *key, const char *auth)
{
  g_autofree char *text = ward_key_pem_print (key);
  g_autofree char *pass = auth ? g_strdup_printf ("-passin pass:%s ", auth) : g_strdup ("");
  g_autofree char *line = g_strconcat ("pkeyutl " PROVIDERS "-sign -inkey key.pem -in digest -out signature "
                                       "-pkeyopt digest:sha256 ",
                                       pass, NULL);
  g_autoptr (GBytes) digest = digest_of ("sha256", "sign me");
  g_autoptr (GBytes) public_key = key_get_public (key);
  g_autoptr (GBytes) signature = NULL;
  gsize size;
  char *bytes;

  write_file (swtpm, "key.pem", text, -1);
  write_file (swtpm, "digest", g_bytes_get_data (digest, NULL), (gssize)g_bytes_get_size (digest));
  openssl (swtpm, line);
  bytes = read_file (swtpm, "signature", &size);
  signature = g_bytes_new_take (bytes, size);
  g_assert_true (pkey_verify (public_key, "sha256", FALSE, digest, signature));
}

static void
test_exported (void)
{
  static const char *const algorithms[] = { "rsa2048", "ecc-p256", "ecc-p384" };
  g_autoptr (Swtpm) swtpm = NULL;

  swtpm = swtpm_for_both ();
  if (!swtpm)
    return;
  for (guint i = 0; i < 2 * G_N_ELEMENTS (algorithms) + 1; i++)
    {
      const char *auth = i % 2 ? "right" : NULL;
      g_autoptr (WardWrappedKey) key = NULL;
      WardConnection *connection = swtpm_connect (swtpm);

      if (i == G_N_ELEMENTS (algorithms))
        g_assert_true (owner_provision (connection, NULL, NULL));
      key = key_create (connection, algorithms[i % G_N_ELEMENTS (algorithms)], WARD_KEY_SIGN, auth);
      ward_tpm2_backend.close (connection);
      assert_signs_there (swtpm, key, auth);
    }
}

static void
test_imported_and_exported (void)
{
  g_autoptr (Swtpm) swtpm = NULL;
  g_autoptr (Pkey) pkey = pkey_new_rsa (2048);
  g_autoptr (WardWrappedKey) key = NULL;
  WardConnection *connection;

  swtpm = swtpm_for_both ();
  if (!swtpm)
    return;
  connection = swtpm_connect (swtpm);
  key = key_import (connection, pkey, WARD_KEY_SIGN, "right", FALSE);
  ward_tpm2_backend.close (connection);
  assert_signs_there (swtpm, key, "right");
}

static WardWrappedKey *
read_key (Swtpm *swtpm)
{
  gsize size;
  g_autofree char *text = read_file (swtpm, "made.pem", &size);
  g_autoptr (WardSecret) data = ward_secret_new_from (text, size);
  g_autoptr (GError) error = NULL;
  g_autoptr (WardKeyImport) import = ward_key_import_parse (data, NULL, &error);

  g_assert_no_error (error);
  g_assert_true (ward_key_import_is_wrapped (data));
  return g_steal_pointer (&import->wrapped);
}

/* Keys made there sign here. */
static void
test_generated_there (void)
{
  static const struct
  {
    const char *options;
    const char *auth;
  } cases[] = {
    { "-algorithm RSA -pkeyopt bits:2048", NULL },
    { "-algorithm RSA -pkeyopt bits:2048 -pkeyopt user-auth:right", "right" },
    { "-algorithm EC -pkeyopt group:P-256", NULL },
    { "-algorithm EC -pkeyopt group:P-384 -pkeyopt user-auth:right", "right" },
  };
  g_autoptr (Swtpm) swtpm = NULL;

  swtpm = swtpm_for_both ();
  if (!swtpm)
    return;
  for (guint i = 0; i < 2 * G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *line = g_strconcat ("genpkey " PROVIDERS "-out made.pem ", cases[i % 4].options, NULL);
      g_autoptr (WardWrappedKey) key = NULL;
      WardConnection *connection;

      openssl (swtpm, line);
      key = read_key (swtpm);
      g_assert_cmpint (key->has_auth, ==, cases[i % 4].auth != NULL);
      connection = swtpm_connect (swtpm);
      /* in the second round beneath the persistent key */
      if (i == G_N_ELEMENTS (cases))
        g_assert_true (owner_provision (connection, NULL, NULL));
      assert_signs (connection, key, cases[i % 4].auth);
      ward_tpm2_backend.close (connection);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tpm2/key-peers/exported", test_exported);
  g_test_add_func ("/tpm2/key-peers/imported-and-exported", test_imported_and_exported);
  g_test_add_func ("/tpm2/key-peers/generated-there", test_generated_there);
  return g_test_run ();
}
