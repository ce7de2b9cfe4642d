/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-cli-guard.h"

typedef enum
{
  WARD_CLI_AUTH_ENDORSEMENT,
  WARD_CLI_AUTH_OWNER,
  WARD_CLI_AUTH_LOCKOUT, /* the last one: with it there is a way back from the others */
  WARD_CLI_N_AUTHS,
} WardCliAuth;

/* What there is to know of each of a TPM's auth values. */
typedef struct
{
  const char *name;      /* as ChangeAuth takes it */
  const char *what;      /* in a sentence */
  const char *option;    /* as TakeOwnership takes it */
  const char *fd_option; /* as scripts give it */
  const char *protects;  /* sentences */
} WardCliAuthInfo;

const WardCliAuthInfo *ward_cli_auth_info (WardCliAuth auth);

/* The TPM whose ownership a verb is about. */
typedef struct
{
  WardDbusObject *object;
  WardDbusOwnership *ownership; /* the object's */
  char *tpm_name;
  gsize max_auth_size; /* bytes; 0 when not known */
  WardCliGuard guard;
} WardCliOwnership;

void ward_cli_ownership_clear (WardCliOwnership *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (WardCliOwnership, ward_cli_ownership_clear)

/* Connects, finds the TPM that the user means and has the service look at it, as other programs change it too. The
 * guard's what and option are the caller's to set. FALSE with cli->status set after printing why. */
gboolean ward_cli_ownership_open (WardCli *cli, WardCliOwnership *self);

gboolean ward_cli_ownership_is_set (const WardCliOwnership *self, WardCliAuth auth);

/* Finds out what would stop working by an owner or endorsement auth, shows it and asks whether to go on, which sets
 * force. FALSE with cli->status set after printing why not. */
gboolean ward_cli_ownership_check_breaking (WardCli *cli, const WardCliOwnership *self, gboolean owner,
                                            gboolean endorsement, gboolean *force);

/* Makes auth values for those of secrets, by WardCliAuth, that are wanted and NULL, and shows them on a sheet before
 * they are set, so that nothing that happens then can lose them: as JSON if --json is given. On a terminal a person is
 * asked whether they are written down; elsewhere nothing is printed without --print or --json. FALSE with cli->status
 * set after printing why. */
gboolean ward_cli_ownership_generate (WardCli *cli, const WardCliOwnership *self, const gboolean *wanted,
                                      gboolean print, WardSecret **secrets);
/* To be asked before anything else: FALSE with cli->status set where the sheet may not be printed. */
gboolean ward_cli_ownership_may_print (WardCli *cli, gboolean print);

/* Tells what values that were shown are good for, after the call that was to set them failed. */
void ward_cli_ownership_tell_of_sheet (const GError *error);

/* Prints the interface's properties and the TPM's name as one JSON object. */
void ward_cli_ownership_print_json (const WardCliOwnership *self);
