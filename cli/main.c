/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "ward-cli-term.h"
#include "ward-cli-verbs.h"

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
    "after that needs --force. Of a TPM 1.2 “reset” alone is there, and takes its owner's secret." },
  { "own", ward_cli_own, NULL, "Take ownership: set the lockout auth",
    "Sets auth values of hierarchies that have none, and makes the storage root key if there is none. What is "
    "recommended, and the default, is the lockout auth alone: other programs expect the owner auth to be empty. Each "
    "is asked for twice on the terminal, or made here with --generate and shown once, before it is set, on a sheet to "
    "be written down. It is stored nowhere. A TPM 1.2 gets an owner with a secret, and a storage root key." },
  { "change-auth", ward_cli_change_auth, "WHICH", "Change or remove an auth value",
    "Changes the auth value that WHICH names: owner, endorsement or lockout; of a TPM 1.2 owner, or srk, that of its "
    "storage root key. Asks for the present one, if one is set, for srk for the owner's, and twice for the new one." },
  { "release", ward_cli_release, NULL, "Give up ownership: remove all auth values",
    "Removes all auth values that are set, the lockout auth last, and asks for each. Nothing is destroyed: keys and "
    "what is sealed stay. A TPM 1.2 has its owner until it is cleared." },
  { "preview-clear", ward_cli_preview_clear, NULL, "What clearing the TPM would destroy",
    "Shows what depends on the TPM, on its chip and on this machine's disks and in its homes, and what becomes of it "
    "when the TPM is cleared. Other users' things are counted." },
  { "clear", ward_cli_clear, NULL, "Clear the TPM: destroy all its keys",
    "Takes away for good all keys and sealed data of the TPM and all its auth values. First shows what is lost, and "
    "has the TPM's name typed. It needs the lockout auth, if one is set, of a TPM 1.2 its owner's secret, or with "
    "--physical-presence someone at the machine when it restarts." },
  { "enable", ward_cli_enable, NULL, "Switch a TPM 1.2 on that its owner has disabled",
    "Enables a TPM 1.2, by its owner's secret. One without an owner, such as after a clear, is enabled in the setup of "
    "the machine's firmware alone. A TPM 2.0 is switched on and off only there." },
  { "disable", ward_cli_disable, NULL, "Switch a TPM 1.2 off, by its owner",
    "Disables a TPM 1.2, by its owner's secret, after asking: it then does next to nothing, and keeps what it has, "
    "until it is enabled." },
  { "activate", ward_cli_activate, NULL, "Make a TPM 1.2 active from the next start on",
    "Activates a TPM 1.2 from the next start of the machine on. It takes no secret, but somebody at the machine, whom "
    "few firmwares let the operating system vouch for: otherwise it is done in the firmware's setup." },
  { "deactivate", ward_cli_deactivate, NULL, "Make a TPM 1.2 inactive from the next start on",
    "Deactivates a TPM 1.2 from the next start of the machine on, after asking; as “activate” it takes somebody at the "
    "machine." },
  { "key", ward_cli_key, "[VERB]", "Keys that cannot leave the TPM: make and use them",
    "Makes, uses and manages keys whose private half never leaves the TPM. They are your own: nobody else sees them. "
    "With --system they are the machine's, and for administrators." },
  { "seal", ward_cli_seal, "[FILE]", "Encrypt data so that only this TPM gives it back",
    "Seals a file, or what standard input gives, up to 1 MiB: only this TPM gives it back, until it is cleared; and "
    "only with the password, and while the PCRs have the values, that it was sealed with. Prints the sealed data, "
    "which is text." },
  { "unseal", ward_cli_unseal, "[FILE]", "Get sealed data back",
    "Gives back what “tpmward seal” has sealed in FILE, or in what standard input gives. A password is asked for where "
    "there is one." },
  { "nv", ward_cli_nv, "[VERB]", "Data that is kept in the TPM itself",
    "Reads, writes, defines and undefines NV indices: small data that the TPM keeps in its own memory, each under a "
    "number. Without a verb lists them. All but that is for administrators." },
  { "doctor", ward_cli_doctor, NULL, "What keeps the TPM from working, and why",
    "Looks from the firmware upwards for what keeps TPMs from working, or soon may, and changes nothing. The exit "
    "status is 10 when there are errors or warnings." },
  { "repair", ward_cli_repair, "[ID]", "Repair what the doctor has found",
    "Repairs the finding of that ID. Without one shows all that can be repaired, and on a terminal asks for each "
    "whether to do it." },
  { "monitor", ward_cli_monitor, NULL, "What happens to the TPMs, as it happens",
    "Prints a line whenever a TPM comes or goes or something about it changes, until it is interrupted." },
};

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
  const WardCliVerbs all = { verbs, G_N_ELEMENTS (verbs), "status" };
  g_auto (GStrv) args = g_strdupv (argv + 1);
  WardCli cli = { 0 };
  WardCliStatus status;

  setlocale (LC_ALL, "");
  /* The command speaks English, also where the library that it shares with the application has translations. */
  setlocale (LC_MESSAGES, "C");
  g_set_prgname ("tpmward");
  /* Sockets ignore SIGPIPE for the whole process when the first is made; a reader that leaves must still end us,
   * quietly, as it ends every other command. GDBus itself asks for no signal on each write. */
  g_type_ensure (G_TYPE_SOCKET);
  g_type_class_unref (g_type_class_ref (G_TYPE_SOCKET));
  signal (SIGPIPE, SIG_DFL);

  status = ward_cli_verbs_run (&cli, &all, &args);
  status = flush_output (status);

  g_clear_pointer (&cli.agent, ward_cli_agent_free);
  g_clear_object (&cli.client);
  g_free (cli.tpm_name);
  return status;
}
