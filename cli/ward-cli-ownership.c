/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli-ownership.h"

#include <unistd.h>

#include "ward-cli-generate.h"
#include "ward-cli-json.h"
#include "ward-cli-ledger.h"
#include "ward-cli-term.h"
#include "ward-cli-text.h"

const WardCliAuthInfo *
ward_cli_auth_info (WardCliAuth auth)
{
  static const WardCliAuthInfo infos[] = {
    [WARD_CLI_AUTH_ENDORSEMENT]
    = { "endorsement", "endorsement auth", "endorsement-auth", "--endorsement-fd",
        "It protects the endorsement hierarchy: the keys by which this TPM proves to others that it is genuine. Most "
        "programs expect it to be empty." },
    [WARD_CLI_AUTH_OWNER]
    = { "owner", "owner auth", "owner-auth", "--owner-fd",
        "It protects the storage hierarchy: making primary keys, persistent handles and NV indices. Other programs "
        "expect it to be empty: with one, systemd before version 256 and clevis can no longer unlock disks." },
    [WARD_CLI_AUTH_LOCKOUT]
    = { "lockout", "lockout auth", "lockout-auth", "--lockout-fd",
        "Who knows it may lift a lockout and clear the TPM. No program needs it in daily use, and disks that the TPM "
        "unlocks with a PIN are safe from guessing only if there is one." },
  };

  return &infos[auth];
}

void
ward_cli_ownership_clear (WardCliOwnership *self)
{
  g_free (self->tpm_name);
  g_clear_pointer (&self->guard.secret, ward_secret_unref);
  g_clear_object (&self->object);
}

/* TPM 2.0 Library, Part 1, 19.4.4.1: a hierarchy's auth value is as long as the hash that protects contexts. */
static gsize
get_digest_size (guint32 hash)
{
  static const struct
  {
    guint32 hash; /* TPM_ALG_ID */
    gsize size;
  } digests[] = { { 0x0004, 20 }, { 0x000b, 32 }, { 0x000c, 48 }, { 0x000d, 64 }, { 0x0012, 32 } };

  for (gsize i = 0; i < G_N_ELEMENTS (digests); i++)
    if (digests[i].hash == hash)
      return digests[i].size;
  return 0;
}

static gboolean
look (WardCli *cli, WardCliOwnership *self, GError **error)
{
  WardDbusTpm *tpm = ward_dbus_object_peek_tpm (self->object);
  g_autoptr (GVariant) refreshed = ward_cli_call (cli, tpm, "Refresh", NULL, error);
  g_autoptr (GVariant) reply = refreshed != NULL ? ward_cli_call (cli, tpm, "GetProperties", NULL, error) : NULL;
  g_autoptr (GVariant) properties = NULL;
  guint32 hash;

  if (reply == NULL)
    return FALSE;
  properties = g_variant_get_child_value (reply, 0);
  if (g_variant_lookup (properties, "TPM_PT_CONTEXT_HASH", "u", &hash))
    self->max_auth_size = get_digest_size (hash);
  self->guard.auth = ward_dbus_ownership_get_lockout_auth_set (self->ownership) ? WARD_CLI_LOCKOUT_AUTH_SET
                                                                                : WARD_CLI_LOCKOUT_AUTH_NONE;
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
  if (self->ownership == NULL || self->guard.lockout == NULL)
    cli->status = ward_cli_fail_interface (self->ownership == NULL ? "Ownership" : "Lockout");
  else if (!look (cli, self, &error))
    cli->status = ward_cli_fail (error);
  else
    return TRUE;
  return FALSE;
}

gboolean
ward_cli_ownership_is_set (const WardCliOwnership *self, WardCliAuth auth)
{
  switch (auth)
    {
    case WARD_CLI_AUTH_ENDORSEMENT:
      return ward_dbus_ownership_get_endorsement_auth_set (self->ownership);
    case WARD_CLI_AUTH_OWNER:
      return ward_dbus_ownership_get_owner_auth_set (self->ownership);
    case WARD_CLI_AUTH_LOCKOUT:
    case WARD_CLI_N_AUTHS:
    default:
      return ward_dbus_ownership_get_lockout_auth_set (self->ownership);
    }
}

/* Of what PreviewOwnership lists, what an auth of these hierarchies stops, or may stop; a new aa{sv}. */
static GVariant *
select_breaking (GVariant *all, gboolean owner, gboolean endorsement)
{
  GVariantBuilder chosen;

  g_variant_builder_init (&chosen, G_VARIANT_TYPE ("aa{sv}"));
  for (gsize i = 0; i < g_variant_n_children (all); i++)
    {
      g_autoptr (GVariant) dependent = g_variant_get_child_value (all, i);
      gboolean uses_owner = FALSE, uses_endorsement = FALSE;

      g_variant_lookup (dependent, "uses-owner-empty-auth", "b", &uses_owner);
      g_variant_lookup (dependent, "uses-endorsement-empty-auth", "b", &uses_endorsement);
      /* neither: a place that could not be searched, or other users' things, which are only counted */
      if ((!uses_owner && !uses_endorsement) || (owner && uses_owner) || (endorsement && uses_endorsement))
        g_variant_builder_add_value (&chosen, dependent);
    }
  return g_variant_ref_sink (g_variant_builder_end (&chosen));
}

#define FORCE_HINT "To do it all the same takes --force."

static gboolean
show_breaking (WardCli *cli, const WardCliOwnership *self, GVariant *breaking)
{
  g_autofree char *names = ward_cli_ledger_names (breaking);

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

  if (*force || (!owner && !endorsement))
    return TRUE;
  reply = ward_cli_call_slow (cli, "Looking for what would stop working", self->ownership, "PreviewOwnership", NULL,
                              NULL, &error);
  if (reply == NULL)
    {
      *force = insist_unseen (cli, error);
      return *force;
    }

  all = g_variant_get_child_value (reply, 0);
  breaking = select_breaking (all, owner, endorsement);
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
print_sheet (WardCli *cli, const WardCliOwnership *self, const WardCliSheetEntry *entries, guint n_entries,
             GError **error)
{
  g_autofree char *model = describe_model (ward_dbus_object_peek_tpm (self->object));
  const WardCliSheet sheet = {
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
  if (self->max_auth_size == 0 || self->max_auth_size >= WARD_CLI_GENERATE_SIZE)
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
  WardCliSheetEntry entries[WARD_CLI_N_AUTHS];
  g_autoptr (GError) error = NULL;
  guint n_entries = 0;

  if (!fits (cli, self))
    return FALSE;
  /* the one that is recommended comes first */
  for (int i = WARD_CLI_N_AUTHS - 1; i >= 0; i--)
    {
      const WardCliAuthInfo *info = ward_cli_auth_info ((WardCliAuth)i);

      if (!wanted[i] || secrets[i] != NULL)
        continue;
      secrets[i] = ward_cli_generate (&error);
      if (secrets[i] == NULL)
        {
          cli->status = ward_cli_fail (error);
          return FALSE;
        }
      entries[n_entries++] = (WardCliSheetEntry){ info->name, info->protects, secrets[i] };
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
