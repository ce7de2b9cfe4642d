/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli.h"

#include "ward-cli-json.h"
#include "ward-cli-spinner.h"
#include "ward-cli-term.h"
#include "ward-cli-text.h"
#include "ward-client-text.h"
#include "ward-hex.h"

/* What Run and GetResult answer. */
typedef struct
{
  gboolean passed;
  guint32 code;
  const char *text;
  GVariant *data;
  const char *mode; /* NULL: not known, for the last test */
  gint64 elapsed;   /* microseconds, 0 when not known */
} Result;

/* Until the test runs polkit may be asking for a password on the same line. */
static gboolean
is_running (gpointer user_data)
{
  return g_strcmp0 (ward_dbus_self_test_get_state (user_data), "running") == 0;
}

static GVariant *
run_test (WardCli *cli, WardDbusSelfTest *test, const char *mode, gint64 *elapsed, GError **error)
{
  gint64 start = g_get_monotonic_time ();
  WardCliSpinner *spinner = ward_cli_spinner_new ("The TPM tests itself", is_running, test);
  GVariant *reply = ward_cli_call (cli, test, "Run", g_variant_new ("(s)", mode), error);

  ward_cli_spinner_free (spinner);
  *elapsed = g_get_monotonic_time () - start;
  return reply;
}

static void
print_json (const char *tpm_name, const Result *result)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  ward_cli_json_add_string (builder, "tpm", tpm_name);
  if (result->mode != NULL)
    ward_cli_json_add_string (builder, "mode", result->mode);
  json_builder_set_member_name (builder, "passed");
  json_builder_add_boolean_value (builder, result->passed);
  json_builder_set_member_name (builder, "code");
  json_builder_add_int_value (builder, result->code);
  ward_cli_json_add_string (builder, "text", result->text);
  json_builder_set_member_name (builder, "data");
  ward_cli_json_add_variant (builder, result->data);
  json_builder_end_object (builder);
  ward_cli_json_print (builder, TRUE);
}

static void
print_bytes (GVariant *data)
{
  gsize size;
  const guint8 *bytes = g_variant_get_fixed_array (data, &size, 1);
  g_autofree char *hex = ward_hex (bytes, size, 1);
  g_autofree char *title = g_strdup_printf ("The TPM's own result, %" G_GSIZE_FORMAT " bytes:", size);

  if (size == 0)
    {
      ward_cli_print_paragraph (2, WARD_CLI_STYLE_PLAIN, "The TPM gives no result bytes of its own.");
      return;
    }
  ward_cli_print_paragraph (2, WARD_CLI_STYLE_PLAIN, title);
  ward_cli_print_paragraph (4, WARD_CLI_STYLE_PLAIN, hex);
}

static void
print_result (const char *tpm_name, const Result *result, gboolean with_bytes)
{
  g_autofree char *name = ward_cli_text_clean (tpm_name);
  g_autofree char *took = ward_client_text_duration ((guint64)result->elapsed);
  g_autofree char *mark = ward_cli_styled (result->passed ? WARD_CLI_STYLE_GOOD : WARD_CLI_STYLE_BAD,
                                           result->passed ? "✓" : "✗");

  ward_cli_print ("%s %s %s its %s self-test", mark, name, result->passed ? "passed" : "failed",
                  result->mode != NULL ? result->mode : "last");
  if (!result->passed)
    ward_cli_print (" with code 0x%08x", result->code);
  if (result->elapsed > 0)
    ward_cli_print (", in %s", took);
  ward_cli_print (".\n");
  if (*result->text != '\0')
    ward_cli_print_paragraph (2, WARD_CLI_STYLE_PLAIN, result->text);
  if (with_bytes)
    print_bytes (result->data);
}

typedef struct
{
  gboolean full, incremental, last, bytes;
} Options;

static gboolean
parse_options (WardCli *cli, GStrv *args, Options *options)
{
  const GOptionEntry entries[] = {
    { "full", 'f', 0, G_OPTION_ARG_NONE, &options->full, "Test all functions, also tested ones (the default)", NULL },
    { "incremental", 'i', 0, G_OPTION_ARG_NONE, &options->incremental, "Test what was not tested since the start",
      NULL },
    { "last", 'l', 0, G_OPTION_ARG_NONE, &options->last, "Show the last test's result, without a new test", NULL },
    { "bytes", 'b', 0, G_OPTION_ARG_NONE, &options->bytes, "Show the TPM's own result bytes too", NULL },
    { 0 },
  };

  if (!ward_cli_parse (cli, args, entries, 0, 0))
    return FALSE;
  if (options->full + options->incremental + options->last <= 1)
    return TRUE;
  cli->status = ward_cli_fail_usage (cli, NULL, "Only one of --full, --incremental and --last can be given.");
  return FALSE;
}

WardCliStatus
ward_cli_selftest (WardCli *cli, GStrv *args)
{
  Options options = { 0 };
  Result result = { 0 };
  g_autoptr (WardDbusObject) object = NULL;
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariant) data = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *name = NULL;
  WardDbusSelfTest *test;

  if (!parse_options (cli, args, &options))
    return cli->status;
  object = ward_cli_open_tpm (cli);
  if (object == NULL)
    return cli->status;
  test = ward_dbus_object_peek_self_test (object);
  if (test == NULL)
    return ward_cli_fail_interface ("SelfTest");

  if (!options.last)
    result.mode = options.incremental ? "incremental" : "full";
  reply = options.last ? ward_cli_call (cli, test, "GetResult", NULL, &error)
                       : run_test (cli, test, result.mode, &result.elapsed, &error);
  if (reply == NULL)
    return ward_cli_fail (error);

  g_variant_get (reply, "(bu&s@ay)", &result.passed, &result.code, &result.text, &data);
  result.data = data;
  name = ward_dbus_tpm_dup_name (ward_dbus_object_peek_tpm (object));
  if (cli->json)
    print_json (name, &result);
  else
    print_result (name, &result, options.bytes);
  return result.passed ? WARD_CLI_OK : WARD_CLI_TEST_FAILED;
}
