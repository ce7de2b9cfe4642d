/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli.h"

#include <string.h>

#include "ward-cli-term.h"
#include "ward-cli-text.h"
#include "ward-config.h"

#define N_COMMON_OPTIONS 5

static void
fill_common_options (WardCli *cli, GOptionEntry options[N_COMMON_OPTIONS])
{
  const GOptionEntry entries[N_COMMON_OPTIONS] = {
    { "tpm", 't', 0, G_OPTION_ARG_STRING, &cli->tpm_name, "The TPM to use, such as tpm0, instead of the first",
      "NAME" },
    { "json", 0, 0, G_OPTION_ARG_NONE, &cli->json, "Print JSON, for scripts", NULL },
    { "help", 'h', 0, G_OPTION_ARG_NONE, &cli->help, "Print help, with a verb that verb's, and exit", NULL },
    { "version", 0, 0, G_OPTION_ARG_NONE, &cli->version, "Print the version and exit", NULL },
    { 0 },
  };

  for (guint i = 0; i < N_COMMON_OPTIONS; i++)
    options[i] = entries[i];
}

static void
add_names (GPtrArray *names, const GOptionEntry *options)
{
  for (guint i = 0; options != NULL && options[i].long_name != NULL; i++)
    g_ptr_array_add (names, (gpointer)options[i].long_name);
}

/* GOption says "Unknown option --jsn"; the option that was meant is worth more. */
static WardCliStatus
fail_option (WardCli *cli, const GError *error, const GOptionEntry *options, const GOptionEntry *common)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  g_autofree char *suggestion = NULL;
  const char *dashes = strstr (error->message, "--");
  g_autofree char *given = dashes != NULL ? g_strndup (dashes + 2, strcspn (dashes + 2, "=")) : NULL;
  const char *meant = NULL;

  add_names (names, options);
  add_names (names, common);
  g_ptr_array_add (names, NULL);
  if (g_error_matches (error, G_OPTION_ERROR, G_OPTION_ERROR_UNKNOWN_OPTION) && given != NULL)
    meant = ward_cli_text_suggest (given, (const char *const *)names->pdata);
  if (meant != NULL)
    suggestion = g_strconcat ("--", meant, NULL);
  return ward_cli_fail_usage (cli, suggestion, "%s.", error->message);
}

static void
print_options (const char *title, const GOptionEntry *options)
{
  g_autoptr (WardCliTable) table = ward_cli_table_new (2);

  if (options == NULL)
    return;
  for (; options->long_name != NULL; options++)
    {
      g_autofree char *letter = options->short_name != 0 ? g_strdup_printf ("-%c, ", options->short_name)
                                                         : g_strdup ("    ");
      gboolean has_value = options->arg_description != NULL;
      g_autofree char *name = g_strdup_printf ("  %s--%s%s%s", letter, options->long_name, has_value ? "=" : "",
                                               has_value ? options->arg_description : "");

      ward_cli_table_add (table, (const char *const[]){ name, options->description }, NULL);
    }
  ward_cli_print ("\n%s:\n", title);
  ward_cli_table_print (table);
}

void
ward_cli_print_common_options (WardCli *cli)
{
  GOptionEntry common[N_COMMON_OPTIONS];

  fill_common_options (cli, common);
  print_options ("Options of every verb", common);
}

static void
print_help (WardCli *cli, const GOptionEntry *options)
{
  const char *arguments = cli->verb->arguments;

  ward_cli_print ("Usage:\n  tpmward %s [OPTION…]%s%s\n\n", cli->verb->name, arguments != NULL ? " " : "",
                  arguments != NULL ? arguments : "");
  ward_cli_print_paragraph (0, WARD_CLI_STYLE_PLAIN, cli->verb->description);
  print_options ("Options", options);
  ward_cli_print_common_options (cli);
}

/* As GOption wants it: with the program's name first. */
static GStrv
prepend_program (GStrv args)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  g_strv_builder_add (builder, "tpmward");
  g_strv_builder_addv (builder, (const char **)args);
  return g_strv_builder_end (builder);
}

static GStrv
drop_program (GStrv args)
{
  /* With strict POSIX rules GOption leaves the "--" that ends the options. */
  guint first = args[1] != NULL && g_str_equal (args[1], "--") ? 2 : 1;

  return g_strdupv (args + first);
}

static gboolean
parse (WardCli *cli, GOptionContext *context, GStrv *args, const GOptionEntry *options)
{
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) with_program = prepend_program (*args);
  GOptionEntry common[N_COMMON_OPTIONS];

  fill_common_options (cli, common);
  if (options != NULL)
    g_option_context_add_main_entries (context, options, NULL);
  g_option_context_add_main_entries (context, common, NULL);
  g_option_context_set_help_enabled (context, FALSE);

  if (!g_option_context_parse_strv (context, &with_program, &error))
    {
      cli->status = fail_option (cli, error, options, common);
      return FALSE;
    }
  g_strfreev (*args);
  *args = drop_program (with_program);
  return TRUE;
}

gboolean
ward_cli_parse_common (WardCli *cli, GStrv *args)
{
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);

  g_option_context_set_strict_posix (context, TRUE);
  return parse (cli, context, args, NULL);
}

static gboolean
check_count (WardCli *cli, GStrv args, guint min_arguments, guint max_arguments)
{
  guint n = g_strv_length (args);

  if (n < min_arguments)
    cli->status = ward_cli_fail_usage (cli, NULL, "%s needs an argument: %s.", cli->verb->name, cli->verb->arguments);
  else if (n > max_arguments)
    cli->status = ward_cli_fail_usage (cli, NULL, "%s does not take the argument “%s”.", cli->verb->name,
                                       args[max_arguments]);
  return n >= min_arguments && n <= max_arguments;
}

gboolean
ward_cli_parse (WardCli *cli, GStrv *args, const GOptionEntry *options, guint min_arguments, guint max_arguments)
{
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);

  if (!parse (cli, context, args, options))
    return FALSE;

  if (cli->help)
    {
      print_help (cli, options);
      cli->status = WARD_CLI_OK;
      return FALSE;
    }
  if (cli->version)
    {
      ward_cli_print ("tpmward %s\n", WARD_VERSION);
      cli->status = WARD_CLI_OK;
      return FALSE;
    }
  return check_count (cli, *args, min_arguments, max_arguments);
}

WardCliStatus
ward_cli_fail_usage (WardCli *cli, const char *suggestion, const char *format, ...)
{
  g_autofree char *message = NULL;
  const char *verb = cli->verb != NULL ? cli->verb->name : "";
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);

  if (suggestion != NULL)
    ward_cli_print_error ("tpmward: %s Did you mean “%s”?", message, suggestion);
  else
    ward_cli_print_error ("tpmward: %s", message);
  ward_cli_print_error ("Try “tpmward %s%s--help”.", verb, *verb != '\0' ? " " : "");
  return WARD_CLI_USAGE;
}

static WardCliStatus
status_for (const GError *error)
{
  if (error->domain != WARD_CLIENT_ERROR)
    return WARD_CLI_FAILURE;

  switch (error->code)
    {
    case WARD_CLIENT_ERROR_NO_TPM:
      return WARD_CLI_NO_TPM;
    case WARD_CLIENT_ERROR_NOT_AUTHORIZED:
    case WARD_CLIENT_ERROR_CANCELLED:
      return WARD_CLI_NOT_AUTHORIZED;
    case WARD_CLIENT_ERROR_UNREACHABLE:
    case WARD_CLIENT_ERROR_DISABLED:
      return WARD_CLI_UNREACHABLE;
    case WARD_CLIENT_ERROR_AUTHENTICATION_FAILED:
      return WARD_CLI_AUTH_FAILED;
    case WARD_CLIENT_ERROR_LOCKED_OUT:
      return WARD_CLI_LOCKED_OUT;
    case WARD_CLIENT_ERROR_NO_BUS:
    case WARD_CLIENT_ERROR_NO_SERVICE:
    case WARD_CLIENT_ERROR_SERVICE_FAILED:
    case WARD_CLIENT_ERROR_BUS_DENIED:
      return WARD_CLI_NO_SERVICE;
    default:
      return WARD_CLI_FAILURE;
    }
}

WardCliStatus
ward_cli_fail (const GError *error)
{
  ward_cli_print_error ("tpmward: %s", error->message);
  return status_for (error);
}

WardCliStatus
ward_cli_fail_interface (const char *interface)
{
  ward_cli_print_error ("tpmward: The TPM Ward service that runs does not offer %s for this TPM; it may be older than "
                        "this program.\n",
                        interface);
  return WARD_CLI_FAILURE;
}

gboolean
ward_cli_connect (WardCli *cli)
{
  g_autoptr (GError) error = NULL;

  cli->client = ward_client_new_sync (NULL, &error);
  if (cli->client == NULL)
    cli->status = ward_cli_fail (error);
  return cli->client != NULL;
}

GPtrArray *
ward_cli_choose_tpms (WardCli *cli, GError **error)
{
  g_autoptr (WardDbusObject) object = ward_client_find_tpm (cli->client, cli->tpm_name, error);
  g_autoptr (GPtrArray) chosen = NULL;

  if (object == NULL)
    return NULL;
  if (cli->tpm_name == NULL)
    return ward_client_dup_tpms (cli->client);
  chosen = g_ptr_array_new_with_free_func (g_object_unref);
  g_ptr_array_add (chosen, g_steal_pointer (&object));
  return g_steal_pointer (&chosen);
}

WardDbusObject *
ward_cli_open_tpm (WardCli *cli)
{
  g_autoptr (GError) error = NULL;
  WardDbusObject *tpm;

  if (!ward_cli_connect (cli))
    return NULL;

  tpm = ward_client_find_tpm (cli->client, cli->tpm_name, &error);
  if (tpm == NULL)
    cli->status = ward_cli_fail (error);
  return tpm;
}

gboolean
ward_cli_is_tpm12 (WardDbusObject *object)
{
  return g_strcmp0 (ward_dbus_tpm_get_family (ward_dbus_object_peek_tpm (object)), "1.2") == 0;
}

typedef struct
{
  GMainLoop *loop;
  GVariant *reply;
  GError **error;
} Wait;

static void
on_reply (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Wait *wait = user_data;

  wait->reply = ward_client_call_finish (source, result, wait->error);
  g_main_loop_quit (wait->loop);
}

static GVariant *
call_once (gpointer proxy, const char *method, GVariant *parameters, GUnixFDList *fds, WardClientCallFlags flags,
           GError **error)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  Wait wait = { .loop = loop, .error = error };

  ward_client_call_async (proxy, method, parameters, fds, flags, NULL, on_reply, &wait);
  g_main_loop_run (loop);
  return wait.reply;
}

GVariant *
ward_cli_call (WardCli *cli, gpointer proxy, const char *method, GVariant *parameters, GError **error)
{
  return ward_cli_call_with_fds (cli, proxy, method, parameters, NULL, error);
}

GVariant *
ward_cli_call_with_fds (WardCli *cli, gpointer proxy, const char *method, GVariant *parameters, GUnixFDList *fds,
                        GError **error)
{
  g_autoptr (GVariant) sunk = parameters != NULL ? g_variant_ref_sink (parameters) : NULL;
  g_autoptr (GError) refusal = NULL;
  GVariant *reply;

  if (cli->agent != NULL || !ward_cli_agent_is_useful ())
    return call_once (proxy, method, sunk, fds, WARD_CLIENT_CALL_INTERACTIVE, error);

  /* Most calls need no password: the agent, which takes longer to start than they take, is for those that turn out to.
   */
  reply = call_once (proxy, method, sunk, fds, WARD_CLIENT_CALL_NONE, &refusal);
  if (!g_error_matches (refusal, WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_NOT_AUTHORIZED))
    {
      if (refusal != NULL)
        g_propagate_error (error, g_steal_pointer (&refusal));
      return reply;
    }

  /* the agent prompts where the line is */
  g_clear_pointer (&cli->spinner, ward_cli_spinner_free);
  /* Without pkttyagent a desktop's agent may still ask, so the call is made either way. */
  cli->agent = ward_cli_agent_start (g_dbus_proxy_get_connection (G_DBUS_PROXY (proxy)), NULL);
  return call_once (proxy, method, sunk, fds, WARD_CLIENT_CALL_INTERACTIVE, error);
}

GVariant *
ward_cli_call_slow (WardCli *cli, const char *text, gpointer proxy, const char *method, GVariant *parameters,
                    GUnixFDList *fds, GError **error)
{
  GVariant *reply;

  /* an agent that runs may ask at any moment */
  if (cli->agent == NULL)
    cli->spinner = ward_cli_spinner_new (text, NULL, NULL);
  reply = ward_cli_call_with_fds (cli, proxy, method, parameters, fds, error);
  g_clear_pointer (&cli->spinner, ward_cli_spinner_free);
  return reply;
}
