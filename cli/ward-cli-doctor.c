/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli.h"

#include <unistd.h>

#include "ward-cli-findings.h"
#include "ward-cli-json.h"
#include "ward-cli-secret.h"
#include "ward-cli-term.h"
#include "ward-cli-text.h"
#include "ward-client-findings.h"

/* Without a name there need be none: where there is no TPM that is the finding. */
static gboolean
check_tpm (WardCli *cli, GError **error)
{
  g_autoptr (WardDbusObject) object = NULL;

  if (cli->tpm_name == NULL)
    return TRUE;
  object = ward_client_find_tpm (cli->client, cli->tpm_name, error);
  return object != NULL;
}

/* Connects and asks for the findings about the TPM that the user means, or all; a new aa{sv}, or NULL with cli->status
 * set after printing why. */
static GVariant *
diagnose (WardCli *cli, gboolean all, gboolean repairable)
{
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariant) findings = NULL;
  g_autoptr (GError) error = NULL;

  if (!ward_cli_connect (cli))
    return NULL;
  if (check_tpm (cli, &error))
    reply = ward_cli_call_slow (cli, "Looking for what is wrong", ward_client_get_manager (cli->client),
                                all ? "DiagnoseAll" : "Diagnose", NULL, NULL, &error);
  if (reply == NULL)
    {
      cli->status = ward_cli_fail (error);
      return NULL;
    }
  findings = g_variant_get_child_value (reply, 0);
  return ward_client_findings_select (findings, cli->tpm_name, repairable);
}

static void
print_findings (GVariant *findings)
{
  g_autofree char *summary = ward_client_findings_summary (findings);

  for (gsize i = 0; i < g_variant_n_children (findings); i++)
    {
      g_autoptr (GVariant) finding = g_variant_get_child_value (findings, i);

      if (i > 0)
        ward_cli_print ("\n");
      ward_cli_finding_print (finding);
    }
  if (summary != NULL)
    ward_cli_print ("\n%s.\n", summary);
}

WardCliStatus
ward_cli_doctor (WardCli *cli, GStrv *args)
{
  gboolean all = FALSE;
  const GOptionEntry entries[] = {
    { "all", 'a', 0, G_OPTION_ARG_NONE, &all, "Name processes and other users too, as an administrator", NULL },
    { 0 },
  };
  g_autoptr (GVariant) findings = NULL;

  if (!ward_cli_parse (cli, args, entries, 0, 0))
    return cli->status;
  findings = diagnose (cli, all, FALSE);
  if (findings == NULL)
    return cli->status;

  if (cli->json)
    {
      g_autoptr (JsonBuilder) builder = json_builder_new ();

      ward_cli_json_add_dictionaries (builder, findings);
      ward_cli_json_print (builder, TRUE);
    }
  else
    print_findings (findings);
  return ward_client_findings_count (findings, "error") + ward_client_findings_count (findings, "warning") > 0
             ? WARD_CLI_PROBLEMS
             : WARD_CLI_OK;
}

typedef struct
{
  gboolean dry_run, all;
  JsonBuilder *builder; /* NULL without --json */
} Repair;

/* Prints what was done; as the members of an object that is open, if it is JSON. */
static void
print_actions (const Repair *self, GVariant *actions)
{
  g_autofree const char **lines = g_variant_get_strv (actions, NULL);
  g_autofree char *mark = ward_cli_styled (self->dry_run ? WARD_CLI_STYLE_PLAIN : WARD_CLI_STYLE_GOOD,
                                           self->dry_run ? "·" : "✓");

  if (self->builder != NULL)
    {
      json_builder_set_member_name (self->builder, "actions");
      ward_cli_json_add_variant (self->builder, actions);
      return;
    }
  for (guint i = 0; lines[i] != NULL; i++)
    {
      g_autofree char *line = ward_cli_text_clean (lines[i]);

      ward_cli_print ("%s %s\n", mark, line);
    }
  if (lines[0] == NULL)
    ward_cli_print ("%s\n", self->dry_run ? "There is nothing that would be done." : "There was nothing to do.");
}

static WardCliStatus
repair_one (WardCli *cli, const Repair *self, const char *id)
{
  g_auto (GVariantDict) options = G_VARIANT_DICT_INIT (NULL);
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariant) actions = NULL;
  g_autoptr (GError) error = NULL;
  WardCliStatus status = WARD_CLI_OK;

  if (self->dry_run)
    g_variant_dict_insert (&options, "dry-run", "b", TRUE);
  reply = ward_cli_call_slow (cli, "Repairing", ward_client_get_manager (cli->client), "Repair",
                              g_variant_new ("(s@a{sv})", id, g_variant_dict_end (&options)), NULL, &error);
  if (reply != NULL)
    actions = g_variant_get_child_value (reply, 0);
  else
    status = ward_cli_fail (error);

  if (self->builder != NULL)
    {
      json_builder_begin_object (self->builder);
      ward_cli_json_add_string (self->builder, "id", id);
      ward_cli_json_add_string (self->builder, "error", error != NULL ? error->message : "");
    }
  if (actions != NULL)
    print_actions (self, actions);
  if (self->builder != NULL)
    json_builder_end_object (self->builder);
  return status;
}

/* What is not repaired is listed. */
static void
list_one (const Repair *self, GVariant *finding)
{
  if (self->builder == NULL)
    ward_cli_finding_print (finding);
  else if (!self->all && !self->dry_run)
    ward_cli_json_add_dictionary (self->builder, finding);
}

static gboolean
can_ask (const Repair *self)
{
  return self->builder == NULL && isatty (STDIN_FILENO) && isatty (STDOUT_FILENO);
}

/* The worst status of all; one that fails keeps no other from being repaired. */
static WardCliStatus
repair_each (WardCli *cli, const Repair *self, GVariant *findings)
{
  WardCliStatus worst = WARD_CLI_OK;

  for (gsize i = 0; i < g_variant_n_children (findings); i++)
    {
      g_autoptr (GVariant) finding = g_variant_get_child_value (findings, i);
      gboolean do_it = self->all || self->dry_run;

      if (i > 0 && self->builder == NULL)
        ward_cli_print ("\n");
      list_one (self, finding);
      if (!do_it && can_ask (self))
        do_it = ward_cli_confirm ("Repair this?");
      if (do_it)
        {
          WardCliStatus status = repair_one (cli, self, ward_client_finding_get (finding, "id"));

          worst = MAX (worst, status);
        }
    }
  return worst;
}

static WardCliStatus
repair_all (WardCli *cli, const Repair *self)
{
  g_autoptr (GVariant) findings = diagnose (cli, FALSE, TRUE);
  gboolean none;
  WardCliStatus status;

  if (findings == NULL)
    return cli->status;
  none = g_variant_n_children (findings) == 0;
  if (none && self->builder == NULL)
    ward_cli_print ("Nothing was found that could be repaired. “tpmward doctor” tells all that was found.\n");

  status = repair_each (cli, self, findings);
  if (!none && self->builder == NULL && !self->all && !self->dry_run && !can_ask (self))
    ward_cli_print ("\nNothing was repaired: that takes an ID, or --all.\n");
  return status;
}

WardCliStatus
ward_cli_repair (WardCli *cli, GStrv *args)
{
  Repair self = { 0 };
  const GOptionEntry entries[] = {
    { "dry-run", 'n', 0, G_OPTION_ARG_NONE, &self.dry_run, "Only tell what would be done", NULL },
    { "all", 'a', 0, G_OPTION_ARG_NONE, &self.all, "Repair all that can be, without asking", NULL },
    { 0 },
  };
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  const char *id;
  WardCliStatus status;

  if (!ward_cli_parse (cli, args, entries, 0, 1))
    return cli->status;
  id = (*args)[0];
  if (id != NULL && self.all)
    return ward_cli_fail_usage (cli, NULL, "--all and an ID cannot be given together.");
  if (id != NULL && !ward_cli_connect (cli))
    return cli->status;

  if (cli->json)
    self.builder = json_builder_begin_array (builder);
  status = id != NULL ? repair_one (cli, &self, id) : repair_all (cli, &self);
  /* the array is there even if it stayed empty; nothing is, where the service could not be asked */
  if (cli->json && cli->client != NULL)
    ward_cli_json_print (json_builder_end_array (builder), TRUE);
  return status;
}
