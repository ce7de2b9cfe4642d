/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli-ownership.h"

#include <unistd.h>

#include "ward-cli-json.h"
#include "ward-cli-ledger.h"
#include "ward-cli-sheet.h"
#include "ward-cli-term.h"
#include "ward-cli-text.h"
#include "ward-client-generate.h"

const int ward_cli_auths[WARD_CLIENT_N_AUTHS] = { WARD_CLIENT_AUTH_LOCKOUT, WARD_CLIENT_AUTH_OWNER,
                                                  WARD_CLIENT_AUTH_ENDORSEMENT, WARD_CLIENT_AUTH_SRK };

const char *
ward_cli_auth_fd_option (int auth)
{
  static const char *const options[] = {
    [WARD_CLIENT_AUTH_ENDORSEMENT] = "--endorsement-fd",
    [WARD_CLIENT_AUTH_OWNER] = "--owner-fd",
    [WARD_CLIENT_AUTH_LOCKOUT] = "--lockout-fd",
    [WARD_CLIENT_AUTH_SRK] = "--srk-fd",
  };

  return options[auth];
}

WardClientAuthInfo
ward_cli_ownership_info (const WardCliOwnership *self, int auth)
{
  return ward_client_auth_info ((WardClientAuth)auth, self->is_tpm12);
}

gboolean
ward_cli_ownership_is_set (const WardCliOwnership *self, int auth)
{
  return ward_client_auth_is_set (self->ownership, (WardClientAuth)auth);
}

gboolean
ward_cli_ownership_check_family (WardCli *cli, const WardCliOwnership *self, int auth)
{
  const char *what = ward_cli_ownership_info (self, auth).what;

  if (ward_client_auth_exists ((WardClientAuth)auth, self->is_tpm12))
    return TRUE;
  ward_cli_print_error (self->is_tpm12
                            ? "tpmward: %s is a TPM 1.2, which has no %s: its owner has a secret, and so has "
                              "its storage root key."
                            : "tpmward: %s is a TPM 2.0, which has no %s: that is of a TPM 1.2.",
                        self->tpm_name, what);
  cli->status = WARD_CLI_FAILURE;
  return FALSE;
}

void
ward_cli_ownership_clear (WardCliOwnership *self)
{
  g_free (self->tpm_name);
  g_clear_pointer (&self->guard.secret, ward_secret_unref);
  g_clear_object (&self->object);
}

static gboolean
look (WardCli *cli, WardCliOwnership *self, GError **error)
{
  WardDbusTpm *tpm = ward_dbus_object_peek_tpm (self->object);
  g_autoptr (GVariant) refreshed = ward_cli_call (cli, tpm, "Refresh", NULL, error);
  g_autoptr (GVariant) reply = refreshed != NULL ? ward_cli_call (cli, tpm, "GetProperties", NULL, error) : NULL;
  g_autoptr (GVariant) properties = NULL;

  if (reply == NULL)
    return FALSE;
  properties = g_variant_get_child_value (reply, 0);
  self->max_auth_size = self->is_tpm12 ? WARD_CLI_MAX_PASSWORD_SIZE : ward_client_auth_max_size (properties);
  ward_cli_guard_look (&self->guard, self->object,
                       ward_dbus_ownership_get_lockout_auth_set (self->ownership) ? WARD_CLI_LOCKOUT_AUTH_SET
                                                                                  : WARD_CLI_LOCKOUT_AUTH_NONE);
  return TRUE;
}

gboolean
ward_cli_ownership_open (WardCli *cli, WardCliOwnership *self)
{
  g_autoptr (GError) error = NULL;

  self->object = ward_cli_open_tpm (cli);
  if (self->object == NULL)
    return FALSE;
  self->ownership = ward_dbus_object_peek_ownership (self->object);
  self->guard.lockout = ward_dbus_object_peek_lockout (self->object);
  self->tpm_name = ward_dbus_tpm_dup_name (ward_dbus_object_peek_tpm (self->object));
  self->is_tpm12 = ward_cli_is_tpm12 (self->object);
  if (self->ownership == NULL || self->guard.lockout == NULL)
    cli->status = ward_cli_fail_interface (self->ownership == NULL ? "Ownership" : "Lockout");
  else if (!look (cli, self, &error))
    cli->status = ward_cli_fail (error);
  else
    return TRUE;
  return FALSE;
}

#define FORCE_HINT "To do it all the same takes --force."

static gboolean
show_breaking (WardCli *cli, const WardCliOwnership *self, GVariant *breaking)
{
  g_autofree char *names = ward_client_ledger_names (breaking);

  if (cli->json)
    {
      ward_cli_print_error ("tpmward: These use the TPM with an empty auth and may stop working: %s. Nothing was "
                            "changed. " FORCE_HINT,
                            names);
      return FALSE;
    }
  ward_cli_print_paragraph (0, WARD_CLI_STYLE_WARNING,
                            "These use the TPM with an empty auth, or may do so, and would stop working:");
  ward_cli_ledger_print (breaking);
  ward_cli_print ("\n");
  if (ward_cli_confirm ("Set the auth all the same?"))
    return TRUE;
  ward_cli_print_error ("tpmward: What is listed would stop working, so nothing was changed on %s. " FORCE_HINT,
                        self->tpm_name);
  return FALSE;
}

/* The service would refuse too, where nobody can look. */
static gboolean
is_unable_to_look (const GError *error)
{
  return g_error_matches (error, WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_NOT_SUPPORTED)
         || g_error_matches (error, WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_UNREACHABLE);
}

/* What PreviewOwnership failed with. FALSE with cli->status set. */
static gboolean
insist_unseen (WardCli *cli, const GError *error)
{
  WardCliStatus status = ward_cli_fail (error);

  if (is_unable_to_look (error))
    {
      ward_cli_print_error ("So it is not known what would stop working. " FORCE_HINT);
      if (!cli->json && ward_cli_confirm ("Set the auth all the same?"))
        return TRUE;
      ward_cli_print_error ("Nothing was changed.");
      status = WARD_CLI_FAILURE;
    }
  cli->status = status;
  return FALSE;
}

gboolean
ward_cli_ownership_check_breaking (WardCli *cli, const WardCliOwnership *self, gboolean owner, gboolean endorsement,
                                   gboolean *force)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariant) all = NULL;
  g_autoptr (GVariant) breaking = NULL;

  if (*force || self->is_tpm12 || (!owner && !endorsement))
    return TRUE;
  reply = ward_cli_call_slow (cli, "Looking for what would stop working", self->ownership, "PreviewOwnership", NULL,
                              NULL, &error);
  if (reply == NULL)
    {
      *force = insist_unseen (cli, error);
      return *force;
    }

  all = g_variant_get_child_value (reply, 0);
  breaking = ward_client_ledger_select_breaking (all, owner, endorsement);
  if (g_variant_n_children (breaking) == 0)
    return TRUE;
  *force = show_breaking (cli, self, breaking);
  if (!*force)
    cli->status = WARD_CLI_FAILURE;
  return *force;
}

gboolean
ward_cli_ownership_may_print (WardCli *cli, gboolean print)
{
  gboolean is_terminal = isatty (STDOUT_FILENO);

  if (print || cli->json || (is_terminal && isatty (STDIN_FILENO)))
    return TRUE;
  cli->status = ward_cli_fail_usage (cli, NULL,
                                     "The recovery sheet with the secrets is shown to a person at a terminal. For a "
                                     "printer use --print, for a script --json.");
  return FALSE;
}

static char *
describe_model (WardDbusTpm *tpm)
{
  return g_strdup_printf ("%s %s, firmware %s", ward_dbus_tpm_get_manufacturer (tpm),
                          ward_dbus_tpm_get_vendor_string (tpm), ward_dbus_tpm_get_firmware_version (tpm));
}

static gboolean
print_sheet (WardCli *cli, const WardCliOwnership *self, const WardClientSheetEntry *entries, guint n_entries,
             GError **error)
{
  g_autofree char *model = describe_model (ward_dbus_object_peek_tpm (self->object));
  const WardClientSheet sheet = {
    .tpm_name = self->tpm_name,
    .tpm_model = model,
    .machine = g_get_host_name (),
    .made = g_get_real_time (),
  };

  return cli->json ? ward_cli_sheet_print_json (&sheet, entries, n_entries, error)
                   : ward_cli_sheet_print (&sheet, entries, n_entries, error);
}

static gboolean
confirm_sheet (WardCli *cli, gboolean print)
{
  if (cli->json || print || ward_cli_confirm ("Is it written down?"))
    return TRUE;
  ward_cli_print_error ("tpmward: Nothing was set, and the values above are of no use.");
  cli->status = WARD_CLI_FAILURE;
  return FALSE;
}

static gboolean
fits (WardCli *cli, const WardCliOwnership *self)
{
  if (self->max_auth_size == 0 || self->max_auth_size >= WARD_CLIENT_GENERATE_SIZE)
    return TRUE;
  ward_cli_print_error ("tpmward: This TPM takes auth values of at most %" G_GSIZE_FORMAT
                        " bytes, too few for one that "
                        "is made here and easily written down. Choose one yourself, without --generate.",
                        self->max_auth_size);
  cli->status = WARD_CLI_FAILURE;
  return FALSE;
}

gboolean
ward_cli_ownership_generate (WardCli *cli, const WardCliOwnership *self, const gboolean *wanted, gboolean print,
                             WardSecret **secrets)
{
  WardClientSheetEntry entries[WARD_CLIENT_N_AUTHS];
  g_autoptr (GError) error = NULL;
  guint n_entries = 0;

  if (!fits (cli, self))
    return FALSE;
  for (int i = 0; i < WARD_CLIENT_N_AUTHS; i++)
    {
      int auth = ward_cli_auths[i];
      const WardClientAuthInfo info = ward_cli_ownership_info (self, auth);

      if (!wanted[auth] || secrets[auth] != NULL)
        continue;
      secrets[auth] = ward_client_generate (&error);
      if (secrets[auth] == NULL)
        {
          cli->status = ward_cli_fail (error);
          return FALSE;
        }
      entries[n_entries++] = (WardClientSheetEntry){ info.name, info.title, info.protects, secrets[auth] };
    }

  if (n_entries == 0)
    return TRUE;
  if (print_sheet (cli, self, entries, n_entries, &error))
    return confirm_sheet (cli, print);
  cli->status = ward_cli_fail (error);
  return FALSE;
}

/* What broke down on the way may have been done, or in part. */
static gboolean
is_doubtful (const GError *error)
{
  static const int codes[] = { WARD_CLIENT_ERROR_FAILED, WARD_CLIENT_ERROR_UNREACHABLE, WARD_CLIENT_ERROR_NO_BUS,
                               WARD_CLIENT_ERROR_SERVICE_FAILED };

  for (gsize i = 0; i < G_N_ELEMENTS (codes); i++)
    if (g_error_matches (error, WARD_CLIENT_ERROR, codes[i]))
      return TRUE;
  return error->domain != WARD_CLIENT_ERROR;
}

void
ward_cli_ownership_tell_of_sheet (const GError *error)
{
  if (is_doubtful (error))
    ward_cli_print_error ("Keep what the sheet shows until you know that it was not set.");
  else
    ward_cli_print_error ("What the sheet shows was not set, and is of no use.");
}

void
ward_cli_ownership_print_json (const WardCliOwnership *self)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  ward_cli_json_add_string (builder, "tpm", self->tpm_name);
  ward_cli_json_add_properties (builder, G_DBUS_PROXY (self->ownership));
  json_builder_end_object (builder);
  ward_cli_json_print (builder, TRUE);
}
