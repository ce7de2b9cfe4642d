/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-config-file.h"

#include <glib/gstdio.h>
#include <string.h>

#include "ward-error.h"

/* Loads a configuration file with that text. */
static WardConfig *
load (const char *text, GError **error)
{
  g_autofree char *folder = g_dir_make_tmp ("ward-config-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "tpmward.conf", NULL);
  WardConfig *config;

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  config = ward_config_load (path, error);
  g_unlink (path);
  g_rmdir (folder);
  return config;
}

static void
assert_tpm (const WardConfig *config, guint index, const char *name, const char *transport)
{
  const WardConfigTpm *tpm;

  g_assert_cmpuint (config->tpms->len, >, index);
  tpm = g_ptr_array_index (config->tpms, index);
  g_assert_cmpstr (tpm->name, ==, name);
  g_assert_cmpstr (tpm->transport, ==, transport);
}

static void
test_missing (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WardConfig) config = ward_config_load ("/nonexistent/tpmward.conf", &error);

  g_assert_no_error (error);
  g_assert_true (config->discover);
  g_assert_cmpuint (config->tpms->len, ==, 0);
}

static void
test_unreadable (void)
{
  g_autoptr (GError) error = NULL;
  WardConfig *config = ward_config_load ("/dev/null/tpmward.conf", &error);

  g_assert_null (config);
  g_assert_error (error, WARD_ERROR, WARD_ERROR_FAILED);
}

static void
test_full (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WardConfig) config = load ("# comment\n[Service]\nDiscover=false\n"
                                        "[TPM sim]\nTransport=swtpm:path=/run/a b.sock\n"
                                        "[TPM _2]\nTransport = device:/dev/tpmrm1\n",
                                        &error);

  g_assert_no_error (error);
  g_assert_false (config->discover);
  g_assert_cmpuint (config->tpms->len, ==, 2);
  assert_tpm (config, 0, "sim", "swtpm:path=/run/a b.sock");
  assert_tpm (config, 1, "_2", "device:/dev/tpmrm1");
}

static void
test_empty (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WardConfig) config = load ("\n# nothing\n[Service]\n", &error);

  g_assert_no_error (error);
  g_assert_true (config->discover);
  g_assert_cmpuint (config->tpms->len, ==, 0);
}

/* Each with the words that its message must hold, to lead to the mistake. */
static const struct
{
  const char *name;
  const char *text;
  const char *words[3];
} mistakes[] = {
  { "unknown-group", "[Servce]\nDiscover=false\n", { "tpmward.conf", "[Servce]" } },
  { "unknown-key", "[Service]\nDiscovery=false\n", { "tpmward.conf", "[Service]", "Discovery" } },
  { "unknown-tpm-key", "[TPM a]\nTransport=mssim\nTCTI=x\n", { "tpmward.conf", "[TPM a]", "TCTI" } },
  { "translated-key", "[Service]\nDiscover[de]=false\n", { "tpmward.conf", "[Service]", "Discover[de]" } },
  { "no-boolean", "[Service]\nDiscover=maybe\n", { "tpmward.conf", "[Service]", "Discover" } },
  { "no-transport", "[TPM a]\n", { "tpmward.conf", "[TPM a]" } },
  { "empty-transport", "[TPM a]\nTransport=\n", { "tpmward.conf", "[TPM a]" } },
  { "bad-name", "[TPM 0a]\nTransport=mssim\n", { "tpmward.conf", "0a", "[TPM 0a]" } },
  { "no-name", "[TPM ]\nTransport=mssim\n", { "tpmward.conf", "[TPM ]" } },
  { "group-without-name", "[TPM]\nTransport=mssim\n", { "tpmward.conf", "[TPM]" } },
  { "not-utf-8", "[TPM a]\nTransport=\xff\n", { "tpmward.conf", "[TPM a]", "Transport" } },
  { "no-group", "Discover=false\n", { "tpmward.conf" } },
  { "no-key-file", "hello\n", { "tpmward.conf" } },
};

static void
test_mistake (gconstpointer data)
{
  guint index = GPOINTER_TO_UINT (data);
  g_autoptr (GError) error = NULL;
  g_autoptr (WardConfig) config = load (mistakes[index].text, &error);

  g_assert_null (config);
  g_assert_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT);
  for (guint i = 0; i < G_N_ELEMENTS (mistakes[index].words) && mistakes[index].words[i] != NULL; i++)
    if (strstr (error->message, mistakes[index].words[i]) == NULL)
      g_error ("“%s” does not say “%s”", error->message, mistakes[index].words[i]);
}

static void
test_names (void)
{
  g_assert_true (ward_config_tpm_name_is_valid ("tpm0"));
  g_assert_true (ward_config_tpm_name_is_valid ("_"));
  g_assert_true (ward_config_tpm_name_is_valid ("A2345678901234567890123456789012"));
  g_assert_false (ward_config_tpm_name_is_valid ("A23456789012345678901234567890123"));
  g_assert_false (ward_config_tpm_name_is_valid (""));
  g_assert_false (ward_config_tpm_name_is_valid ("0"));
  g_assert_false (ward_config_tpm_name_is_valid ("a-b"));
  g_assert_false (ward_config_tpm_name_is_valid ("a/b"));
  g_assert_false (ward_config_tpm_name_is_valid ("tpmö"));
  g_assert_false (ward_config_tpm_name_is_valid ("a\n"));
}

static void
test_command_line (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WardConfig) config = ward_config_new ();

  g_assert_true (ward_config_add_tpm (config, "a=swtpm:path=/run/x=y", &error));
  g_assert_no_error (error);
  assert_tpm (config, 0, "a", "swtpm:path=/run/x=y");
}

static void
test_command_line_over_file (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WardConfig) config = load ("[TPM a]\nTransport=mssim\n", &error);

  g_assert_no_error (error);
  g_assert_true (ward_config_add_tpm (config, "a=swtpm", &error));
  g_assert_cmpuint (config->tpms->len, ==, 1);
  assert_tpm (config, 0, "a", "swtpm");
}

static void
test_command_line_mistakes (void)
{
  static const char *const assignments[] = { "", "a", "a=", "a= ", "=swtpm", "a b=swtpm", "1=swtpm" };
  g_autoptr (WardConfig) config = ward_config_new ();

  for (guint i = 0; i < G_N_ELEMENTS (assignments); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_false (ward_config_add_tpm (config, assignments[i], &error));
      g_assert_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT);
    }
  g_assert_cmpuint (config->tpms->len, ==, 0);
}

static void
test_command_line_twice (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WardConfig) config = ward_config_new ();

  g_assert_true (ward_config_add_tpm (config, "a=swtpm", NULL));
  g_assert_false (ward_config_add_tpm (config, "a=mssim", &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT);
  g_assert_cmpuint (config->tpms->len, ==, 1);
  assert_tpm (config, 0, "a", "swtpm");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/config/missing", test_missing);
  g_test_add_func ("/config/unreadable", test_unreadable);
  g_test_add_func ("/config/full", test_full);
  g_test_add_func ("/config/empty", test_empty);
  g_test_add_func ("/config/names", test_names);
  g_test_add_func ("/config/command-line", test_command_line);
  g_test_add_func ("/config/command-line/over-file", test_command_line_over_file);
  g_test_add_func ("/config/command-line/mistakes", test_command_line_mistakes);
  g_test_add_func ("/config/command-line/twice", test_command_line_twice);
  for (guint i = 0; i < G_N_ELEMENTS (mistakes); i++)
    {
      g_autofree char *path = g_strconcat ("/config/mistake/", mistakes[i].name, NULL);

      g_test_add_data_func (path, GUINT_TO_POINTER (i), test_mistake);
    }
  return g_test_run ();
}
