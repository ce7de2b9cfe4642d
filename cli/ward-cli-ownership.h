/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-cli-guard.h"
#include "ward-client-auth.h"

/* All of them, the one that is recommended first. */
extern const int ward_cli_auths[WARD_CLIENT_N_AUTHS];

/* The option by which a script gives one. */
const char *ward_cli_auth_fd_option (int auth);

/* The TPM whose ownership a verb is about. */
typedef struct
{
  WardDbusObject *object;
  WardDbusOwnership *ownership; /* the object's */
  char *tpm_name;
  gboolean is_tpm12;   /* it has an owner or none, and no hierarchies */
  gsize max_auth_size; /* bytes; 0 when not known */
  WardCliGuard guard;
} WardCliOwnership;

/* What there is to know of an auth value on that TPM. */
WardClientAuthInfo ward_cli_ownership_info (const WardCliOwnership *self, int auth);
gboolean ward_cli_ownership_is_set (const WardCliOwnership *self, int auth);
/* Whether TPMs of its family have such an auth value. FALSE with cli->status set after printing what they have. */
gboolean ward_cli_ownership_check_family (WardCli *cli, const WardCliOwnership *self, int auth);

void ward_cli_ownership_clear (WardCliOwnership *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (WardCliOwnership, ward_cli_ownership_clear)

/* Connects, finds the TPM that the user means and has the service look at it, as other programs change it too. The
 * guard's what and option are the caller's to set. FALSE with cli->status set after printing why. */
gboolean ward_cli_ownership_open (WardCli *cli, WardCliOwnership *self);

/* Finds out what would stop working by an owner or endorsement auth, shows it and asks whether to go on, which sets
 * force. FALSE with cli->status set after printing why not. */
gboolean ward_cli_ownership_check_breaking (WardCli *cli, const WardCliOwnership *self, gboolean owner,
                                            gboolean endorsement, gboolean *force);

/* Makes auth values for those of secrets that are wanted and NULL, and shows them on a sheet before
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
