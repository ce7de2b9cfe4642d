/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-cli-agent.h"
#include "ward-cli-spinner.h"
#include "ward-client.h"

/* The exit statuses of tpmward, as its manual page tells them. */
typedef enum
{
  WARD_CLI_OK = 0,
  WARD_CLI_FAILURE = 1,        /* what no other status tells */
  WARD_CLI_USAGE = 2,          /* an unknown verb, option or argument */
  WARD_CLI_NO_TPM = 3,         /* no TPM, or none of that name */
  WARD_CLI_NOT_AUTHORIZED = 4, /* polkit said no, or nobody gave the password */
  WARD_CLI_UNREACHABLE = 5,    /* the TPM does not answer, or is switched off */
  WARD_CLI_TEST_FAILED = 6,    /* the TPM says that its self-test failed */
  WARD_CLI_NO_SERVICE = 7,     /* the service or the system bus cannot be reached */
  WARD_CLI_AUTH_FAILED = 8,    /* the TPM refused an auth value, or none was given */
  WARD_CLI_LOCKED_OUT = 9, /* the protection against dictionary attacks refuses, or the guard before the lockout auth */
  WARD_CLI_PROBLEMS = 10,  /* the doctor has found errors or warnings */
} WardCliStatus;

typedef struct _WardCliVerb WardCliVerb;

/* What one run of the command knows. */
typedef struct
{
  const WardCliVerb *verb;
  char *tpm_name; /* --tpm, or NULL */
  gboolean json;
  gboolean help;
  gboolean version;

  WardClient *client;      /* once connected */
  WardCliAgent *agent;     /* once it was needed */
  WardCliSpinner *spinner; /* of the call under way, or NULL */
  WardCliStatus status;    /* set by what returns FALSE or NULL for the verb to end with */
} WardCli;

/* args are the arguments after the verb, for ward_cli_parse(). */
typedef WardCliStatus (*WardCliRun) (WardCli *cli, GStrv *args);

struct _WardCliVerb
{
  const char *name;
  WardCliRun run;
  const char *arguments; /* as in the usage line */
  const char *summary;   /* one line, no full stop */
  const char *description;
};

WardCliStatus ward_cli_status (WardCli *cli, GStrv *args);
WardCliStatus ward_cli_list (WardCli *cli, GStrv *args);
WardCliStatus ward_cli_selftest (WardCli *cli, GStrv *args);
WardCliStatus ward_cli_pcrs (WardCli *cli, GStrv *args);
WardCliStatus ward_cli_random (WardCli *cli, GStrv *args);
WardCliStatus ward_cli_properties (WardCli *cli, GStrv *args);
WardCliStatus ward_cli_lockout (WardCli *cli, GStrv *args);
WardCliStatus ward_cli_own (WardCli *cli, GStrv *args);
WardCliStatus ward_cli_release (WardCli *cli, GStrv *args);
WardCliStatus ward_cli_change_auth (WardCli *cli, GStrv *args);
WardCliStatus ward_cli_preview_clear (WardCli *cli, GStrv *args);
WardCliStatus ward_cli_clear (WardCli *cli, GStrv *args);
WardCliStatus ward_cli_enable (WardCli *cli, GStrv *args);
WardCliStatus ward_cli_disable (WardCli *cli, GStrv *args);
WardCliStatus ward_cli_activate (WardCli *cli, GStrv *args);
WardCliStatus ward_cli_deactivate (WardCli *cli, GStrv *args);
WardCliStatus ward_cli_doctor (WardCli *cli, GStrv *args);
WardCliStatus ward_cli_repair (WardCli *cli, GStrv *args);
WardCliStatus ward_cli_monitor (WardCli *cli, GStrv *args);
WardCliStatus ward_cli_key (WardCli *cli, GStrv *args);
WardCliStatus ward_cli_nv (WardCli *cli, GStrv *args);
WardCliStatus ward_cli_seal (WardCli *cli, GStrv *args);
WardCliStatus ward_cli_unseal (WardCli *cli, GStrv *args);

/* Parses a verb's options, and those of every verb, out of args and leaves its other arguments, of which there must be
 * from min_arguments to max_arguments. Returns FALSE, with cli->status set, when --help was printed or the usage is
 * wrong. */
gboolean ward_cli_parse (WardCli *cli, GStrv *args, const GOptionEntry *options, guint min_arguments,
                         guint max_arguments);

/* Parses the options before the verb; else as ward_cli_parse(), but --help is left to the caller. */
gboolean ward_cli_parse_common (WardCli *cli, GStrv *args);

/* Prints what every verb's help and the general one share. */
void ward_cli_print_common_options (WardCli *cli);

/* Print a sentence on standard error and return the status for it. suggestion is what the user may have meant, or NULL.
 */
WardCliStatus ward_cli_fail_usage (WardCli *cli, const char *suggestion, const char *format, ...) G_GNUC_PRINTF (3, 4);
WardCliStatus ward_cli_fail (const GError *error);
/* For a service that lacks an interface of the contract's. */
WardCliStatus ward_cli_fail_interface (const char *interface);

/* Connects to the service. Returns FALSE with cli->status set after printing why. */
gboolean ward_cli_connect (WardCli *cli);

/* The TPMs that the user means, at least one: that of --tpm, else all. A new array of referenced WardDbusObject. */
GPtrArray *ward_cli_choose_tpms (WardCli *cli, GError **error);

/* Connects and finds the TPM that the user means; NULL with cli->status set after printing why there is none. A new
 * reference. */
WardDbusObject *ward_cli_open_tpm (WardCli *cli);

/* Whether it is a TPM 1.2: it has an owner or none, and no hierarchies. */
gboolean ward_cli_is_tpm12 (WardDbusObject *object);

/* Calls a method and waits, while the main loop turns, for as long as it takes. A person at a terminal without a
 * desktop is asked for the password if it needs one. */
GVariant *ward_cli_call (WardCli *cli, gpointer proxy, const char *method, GVariant *parameters, GError **error);
/* The same, with the descriptors that the parameters' values of type h count. */
GVariant *ward_cli_call_with_fds (WardCli *cli, gpointer proxy, const char *method, GVariant *parameters,
                                  GUnixFDList *fds, GError **error);
/* The same for a call that may take long, with a line on standard error that says so: text is what happens. fds may be
 * NULL. */
GVariant *ward_cli_call_slow (WardCli *cli, const char *text, gpointer proxy, const char *method, GVariant *parameters,
                              GUnixFDList *fds, GError **error);
