/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "ward-cli-term.h"
#include "ward-cli-text.h"
#include "ward-cli.h"

static const WardCliVerb verbs[] = {
  { "status", ward_cli_status, NULL, "What the TPM is and how it is; the default",
    "Shows what each TPM is, and how it is. The exit status tells the state: 0 for ready, 3 for no TPM, 5 for one that "
    "does not answer or is switched off, 6 for one that has failed." },
  { "list", ward_cli_list, NULL, "The machine's TPMs, one a line", "Lists the machine's TPMs, one a line." },
  { "selftest", ward_cli_selftest, NULL, "Have the TPM test itself",
    "Has the TPM test itself: all of its functions, unless told otherwise. The exit status is 6 when the test "
    "failed." },
  { "pcrs", ward_cli_pcrs, "[BANK]", "The values of the platform configuration registers",
    "Shows the platform configuration registers (PCRs) of a bank: BANK, such as sha256, or else the TPM's sha256 bank, "
    "or else its first." },
  { "random", ward_cli_random, "N", "Random bytes from the TPM's generator",
    "Prints N random bytes, at most 1048576, from the TPM's generator: as they are, or as hexadecimal digits on a "
    "terminal." },
  { "properties", ward_cli_properties, NULL, "Everything that the TPM reports of itself",
    "Shows every property that the TPM reports, by its name in the TCG's specification, with its value and what the "
    "value means." },
  { "lockout", ward_cli_lockout, "[reset|set]", "The protection against guessing, and its reset",
    "A TPM counts wrong secrets, and after too many refuses all of them, also right ones, for a while. Shows how that "
    "stands; the exit status is 9 while the TPM is locked out. “reset” forgives all failures and ends a lockout. “set” "
    "changes how many failures lock it and for how long; what is not given stays. Both need the lockout auth if one is "
    "set, and ask for it on the terminal. A wrong one bars both for a while, even against the right one: a second try "
    "after that needs --force." },
  { "own", ward_cli_own, NULL, "Take ownership: set the lockout auth",
    "Sets auth values of hierarchies that have none, and makes the storage root key if there is none. What is "
    "recommended, and the default, is the lockout auth alone: other programs expect the owner auth to be empty. Each "
    "is asked for twice on the terminal, or made here with --generate and shown once, before it is set, on a sheet to "
    "be written down. It is stored nowhere." },
  { "change-auth", ward_cli_change_auth, "WHICH", "Change or remove an auth value",
    "Changes the auth value that WHICH names: owner, endorsement or lockout. Asks for the present one, if one is set, "
    "and "
    "twice for the new one." },
  { "release", ward_cli_release, NULL, "Give up ownership: remove all auth values",
    "Removes all auth values that are set, the lockout auth last, and asks for each. Nothing is destroyed: keys and "
    "what is sealed stay." },
  { "preview-clear", ward_cli_preview_clear, NULL, "What clearing the TPM would destroy",
    "Shows what depends on the TPM, on its chip and on this machine's disks and in its homes, and what becomes of it "
    "when the TPM is cleared. Other users' things are counted." },
  { "clear", ward_cli_clear, NULL, "Clear the TPM: destroy all its keys",
    "Takes away for good all keys and sealed data of the TPM and all its auth values. First shows what is lost, and "
    "has the TPM's name typed. It needs the lockout auth, if one is set, or with --physical-presence someone at the "
    "machine when it restarts." },
  { "doctor", ward_cli_doctor, NULL, "What keeps the TPM from working, and why",
    "Looks from the firmware upwards for what keeps TPMs from working, or soon may, and changes nothing. The exit "
    "status is 10 when there are errors or warnings." },
  { "repair", ward_cli_repair, "[ID]", "Repair what the doctor has found",
    "Repairs the finding of that ID. Without one shows all that can be repaired, and on a terminal asks for each "
    "whether to do it." },
  { "monitor", ward_cli_monitor, NULL, "What happens to the TPMs, as it happens",
    "Prints a line whenever a TPM comes or goes or something about it changes, until it is interrupted." },
};

static void
print_help (WardCli *cli)
{
  g_autoptr (WardCliTable) table = ward_cli_table_new (2);

  for (gsize i = 0; i < G_N_ELEMENTS (verbs); i++)
    {
      g_autofree char *usage = g_strjoin (" ", " ", verbs[i].name, verbs[i].arguments, NULL);

      ward_cli_table_add (table, (const char *const[]){ usage, verbs[i].summary }, NULL);
    }
  ward_cli_print ("Usage:\n  tpmward [OPTION…] [VERB] [ARGUMENT…]\n\n");
  ward_cli_print_paragraph (0, WARD_CLI_STYLE_PLAIN,
                            "Shows, tests and uses the machine's TPM through the TPM Ward service.");
  ward_cli_print ("\nVerbs:\n");
  ward_cli_table_print (table);
  ward_cli_print_common_options (cli);
  ward_cli_print ("\n");
  ward_cli_print_paragraph (0, WARD_CLI_STYLE_PLAIN,
                            "“tpmward VERB --help” tells a verb's own options; tpmward(1) tells everything.");
}

static const WardCliVerb *
find_verb (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (verbs); i++)
    if (g_str_equal (verbs[i].name, name))
      return &verbs[i];
  return NULL;
}

static WardCliStatus
fail_verb (WardCli *cli, const char *name)
{
  const char *names[G_N_ELEMENTS (verbs) + 1] = { NULL };

  for (gsize i = 0; i < G_N_ELEMENTS (verbs); i++)
    names[i] = verbs[i].name;
  return ward_cli_fail_usage (cli, ward_cli_text_suggest (name, names), "There is no verb “%s”.", name);
}

/* Removes the first of args and returns it; fallback if there is none. */
static char *
take_verb (GStrv *args, const char *fallback)
{
  GStrv all = *args;
  char *verb;

  if (all[0] == NULL)
    return g_strdup (fallback);
  verb = g_strdup (all[0]);
  *args = g_strdupv (all + 1);
  g_strfreev (all);
  return verb;
}

static WardCliStatus
run (WardCli *cli, GStrv arguments)
{
  g_auto (GStrv) args = g_strdupv (arguments);
  g_autofree char *verb_name = NULL;

  if (!ward_cli_parse_common (cli, &args))
    return cli->status;
  verb_name = take_verb (&args, cli->help ? "help" : "status");
  if (g_str_equal (verb_name, "help"))
    {
      cli->help = TRUE;
      g_free (verb_name);
      verb_name = take_verb (&args, "help");
    }
  if (g_str_equal (verb_name, "help"))
    {
      print_help (cli);
      return WARD_CLI_OK;
    }

  cli->verb = find_verb (verb_name);
  if (cli->verb == NULL)
    return fail_verb (cli, verb_name);
  return cli->verb->run (cli, &args);
}

/* A full disk is mostly noticed only now, when the buffer is written. */
static WardCliStatus
flush_output (WardCliStatus status)
{
  if (fflush (stdout) != 0)
    ward_cli_print_error ("tpmward: Cannot write to standard output: %s.", g_strerror (errno));
  else if (ferror (stdout))
    ward_cli_print_error ("tpmward: Cannot write to standard output.");
  else
    return status;
  return status != WARD_CLI_OK ? status : WARD_CLI_FAILURE;
}

int
main (int argc, char **argv)
{
  WardCli cli = { 0 };
  WardCliStatus status;

  setlocale (LC_ALL, "");
  g_set_prgname ("tpmward");
  /* Sockets ignore SIGPIPE for the whole process when the first is made; a reader that leaves must still end us,
   * quietly, as it ends every other command. GDBus itself asks for no signal on each write. */
  g_type_ensure (G_TYPE_SOCKET);
  g_type_class_unref (g_type_class_ref (G_TYPE_SOCKET));
  signal (SIGPIPE, SIG_DFL);

  status = run (&cli, argv + 1);
  status = flush_output (status);

  g_clear_pointer (&cli.agent, ward_cli_agent_free);
  g_clear_object (&cli.client);
  g_free (cli.tpm_name);
  return status;
}
