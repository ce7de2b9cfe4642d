/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli-verbs.h"

#include <string.h>

#include "ward-cli-term.h"
#include "ward-cli-text.h"

/* "sign" of "key sign". */
static const char *
last_word (const char *name)
{
  const char *space = strrchr (name, ' ');

  return space != NULL ? space + 1 : name;
}

static void
print_help (WardCli *cli, const WardCliVerbs *self)
{
  g_autoptr (WardCliTable) table = ward_cli_table_new (2);
  const char *name = cli->verb != NULL ? cli->verb->name : "";
  const char *space = *name != '\0' ? " " : "";
  g_autofree char *hint = g_strdup_printf ("“tpmward %s%sVERB --help” tells a verb's own options; tpmward(1) tells "
                                           "everything.",
                                           name, space);

  for (gsize i = 0; i < self->n_verbs; i++)
    {
      g_autofree char *usage = g_strjoin (" ", " ", last_word (self->verbs[i].name), self->verbs[i].arguments, NULL);

      ward_cli_table_add (table, (const char *const[]){ usage, self->verbs[i].summary }, NULL);
    }
  ward_cli_print ("Usage:\n  tpmward %s%s[OPTION…] [VERB] [ARGUMENT…]\n\n", name, space);
  ward_cli_print_paragraph (0, WARD_CLI_STYLE_PLAIN,
                            cli->verb != NULL
                                ? cli->verb->description
                                : "Shows, tests and uses the machine's TPM through the TPM Ward service.");
  ward_cli_print ("\nVerbs:\n");
  ward_cli_table_print (table);
  ward_cli_print_common_options (cli);
  ward_cli_print ("\n");
  ward_cli_print_paragraph (0, WARD_CLI_STYLE_PLAIN, hint);
}

static const WardCliVerb *
find (const WardCliVerbs *self, const char *name)
{
  for (gsize i = 0; i < self->n_verbs; i++)
    if (g_str_equal (last_word (self->verbs[i].name), name))
      return &self->verbs[i];
  return NULL;
}

static WardCliStatus
fail_verb (WardCli *cli, const WardCliVerbs *self, const char *name)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  const char *suggestion;

  for (gsize i = 0; i < self->n_verbs; i++)
    g_ptr_array_add (names, (gpointer)last_word (self->verbs[i].name));
  g_ptr_array_add (names, NULL);
  suggestion = ward_cli_text_suggest (name, (const char *const *)names->pdata);
  if (cli->verb != NULL)
    return ward_cli_fail_usage (cli, suggestion, "%s has no verb “%s”.", cli->verb->name, name);
  return ward_cli_fail_usage (cli, suggestion, "There is no verb “%s”.", name);
}

/* Removes the first of args and returns it; fallback if there is none. */
static char *
take_first (GStrv *args, const char *fallback)
{
  GStrv all = *args;
  char *first;

  if (all[0] == NULL)
    return g_strdup (fallback);
  first = g_strdup (all[0]);
  *args = g_strdupv (all + 1);
  g_strfreev (all);
  return first;
}

WardCliStatus
ward_cli_verbs_run (WardCli *cli, const WardCliVerbs *self, GStrv *args)
{
  g_autofree char *name = NULL;
  const WardCliVerb *verb;

  if (!ward_cli_parse_common (cli, args))
    return cli->status;
  name = take_first (args, cli->help ? "help" : self->fallback);
  if (g_str_equal (name, "help"))
    {
      cli->help = TRUE;
      g_free (name);
      name = take_first (args, "help");
    }
  if (g_str_equal (name, "help"))
    {
      print_help (cli, self);
      return WARD_CLI_OK;
    }

  verb = find (self, name);
  if (verb == NULL)
    return fail_verb (cli, self, name);
  cli->verb = verb;
  return verb->run (cli, args);
}
