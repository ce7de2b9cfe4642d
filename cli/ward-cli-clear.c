/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli.h"

#include <unistd.h>

#include "ward-cli-json.h"
#include "ward-cli-ledger.h"
#include "ward-cli-ownership.h"
#include "ward-cli-term.h"
#include "ward-cli-text.h"

typedef struct
{
  char *auth_fd, *confirm; /* the options' values, or NULL */
  gboolean physical_presence, cancel, all;
  GVariant *dependents; /* NULL where nobody could look */
  char *outcome;

  WardCliOwnership tpm;
} Clear;

static void
clear_clear (Clear *self)
{
  g_free (self->auth_fd);
  g_free (self->confirm);
  g_free (self->outcome);
  g_clear_pointer (&self->dependents, g_variant_unref);
  ward_cli_ownership_clear (&self->tpm);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Clear, clear_clear)

/* A new aa{sv}. */
static GVariant *
preview (WardCli *cli, WardDbusOwnership *ownership, gboolean all, GError **error)
{
  g_autoptr (GVariant) reply = ward_cli_call_slow (cli, "Looking for what depends on the TPM", ownership,
                                                   all ? "PreviewClearAll" : "PreviewClear", NULL, NULL, error);

  return reply != NULL ? g_variant_get_child_value (reply, 0) : NULL;
}

static void
print_ledger (const char *tpm_name, GVariant *dependents)
{
  g_autofree char *name = ward_cli_text_clean (tpm_name);
  g_autofree char *summary = ward_client_ledger_summary (dependents);
  g_autofree char *title = g_strdup_printf ("If %s is cleared: %s.", name, summary);

  ward_cli_print_paragraph (0, WARD_CLI_STYLE_BOLD, title);
  if (g_variant_n_children (dependents) > 0)
    ward_cli_print ("\n");
  ward_cli_ledger_print_groups (dependents);
}

static void
print_ledger_json (const char *tpm_name, GVariant *dependents, const char *outcome)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  ward_cli_json_add_string (builder, "tpm", tpm_name);
  if (outcome != NULL)
    ward_cli_json_add_string (builder, "outcome", outcome);
  json_builder_set_member_name (builder, "dependents");
  if (dependents != NULL)
    ward_cli_json_add_dictionaries (builder, dependents);
  else
    json_builder_add_null_value (builder);
  json_builder_end_object (builder);
  ward_cli_json_print (builder, TRUE);
}

WardCliStatus
ward_cli_preview_clear (WardCli *cli, GStrv *args)
{
  gboolean all = FALSE;
  const GOptionEntry entries[] = {
    { "all", 'a', 0, G_OPTION_ARG_NONE, &all, "Name other users' things too, as an administrator", NULL },
    { 0 },
  };
  g_autoptr (WardDbusObject) object = NULL;
  g_autoptr (GVariant) dependents = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *name = NULL;

  if (!ward_cli_parse (cli, args, entries, 0, 0))
    return cli->status;
  object = ward_cli_open_tpm (cli);
  if (object == NULL)
    return cli->status;
  if (ward_dbus_object_peek_ownership (object) == NULL)
    return ward_cli_fail_interface ("Ownership");

  name = ward_dbus_tpm_dup_name (ward_dbus_object_peek_tpm (object));
  dependents = preview (cli, ward_dbus_object_peek_ownership (object), all, &error);
  if (dependents == NULL)
    return ward_cli_fail (error);
  if (cli->json)
    print_ledger_json (name, dependents, NULL);
  else
    print_ledger (name, dependents);
  return WARD_CLI_OK;
}

/* Nothing is destroyed by default: either a person types the name, or a script gives it. */
static gboolean
check_options (WardCli *cli, const Clear *self)
{
  gboolean has_secret = self->auth_fd != NULL || self->tpm.guard.well_known;

  if (self->cancel && (has_secret || self->confirm != NULL || self->physical_presence || self->tpm.guard.force))
    cli->status = ward_cli_fail_usage (cli, NULL, "--cancel withdraws a clear and takes no other option.");
  else if (self->physical_presence && (has_secret || self->tpm.guard.force))
    cli->status = ward_cli_fail_usage (cli, NULL,
                                       "--physical-presence needs no secret: it takes neither --auth-fd, --well-known "
                                       "nor --force.");
  else if (!self->cancel && self->confirm == NULL && (cli->json || !isatty (STDIN_FILENO)))
    cli->status = ward_cli_fail_usage (cli, NULL,
                                       "Nobody can be asked here. In a script the name of the TPM that is to be "
                                       "cleared is given by --confirm.");
  else
    return TRUE;
  return FALSE;
}

static gboolean
parse (WardCli *cli, GStrv *args, Clear *self)
{
  const GOptionEntry entries[] = {
    { "confirm", 0, 0, G_OPTION_ARG_STRING, &self->confirm, "The TPM's name, instead of typing it", "NAME" },
    { "auth-fd", 0, 0, G_OPTION_ARG_STRING, &self->auth_fd,
      "Read the lockout auth, or the owner's secret of a TPM 1.2, from this file descriptor", "N" },
    WARD_CLI_GUARD_WELL_KNOWN_ENTRY (&self->tpm.guard),
    { "physical-presence", 'p', 0, G_OPTION_ARG_NONE, &self->physical_presence,
      "Have the firmware do it at the next restart, without a secret", NULL },
    { "cancel", 0, 0, G_OPTION_ARG_NONE, &self->cancel, "Withdraw what was asked of the firmware", NULL },
    { "all", 'a', 0, G_OPTION_ARG_NONE, &self->all, "Name other users' things too", NULL },
    { "force", 0, 0, G_OPTION_ARG_NONE, &self->tpm.guard.force, "Try although a wrong lockout auth is on record",
      NULL },
    { 0 },
  };

  return ward_cli_parse (cli, args, entries, 0, 0) && check_options (cli, self);
}

static gboolean
refuse (WardCli *cli, WardClientErrorCode code, const char *message)
{
  g_autoptr (GError) error = g_error_new_literal (WARD_CLIENT_ERROR, (int)code, message);

  cli->status = ward_cli_fail (error);
  return FALSE;
}

/* What is known without asking the TPM, before a person has typed anything. */
static gboolean
check_possible (WardCli *cli, const Clear *self)
{
  const char *presence = ward_dbus_ownership_get_physical_presence (self->tpm.ownership);

  if (self->confirm != NULL && !g_str_equal (self->confirm, self->tpm.tpm_name))
    {
      ward_cli_print_error ("tpmward: --confirm names “%s”, but the TPM is %s. Nothing was done.", self->confirm,
                            self->tpm.tpm_name);
      cli->status = WARD_CLI_USAGE;
      return FALSE;
    }
  if (self->physical_presence && g_strcmp0 (presence, "prompt") != 0 && g_strcmp0 (presence, "immediate") != 0)
    return refuse (
        cli, WARD_CLIENT_ERROR_NOT_SUPPORTED,
        self->tpm.is_tpm12
            ? "This machine's firmware takes no request to clear the TPM from the operating system. Clear it "
              "by its owner's secret, or in the firmware's own menu."
            : "This machine's firmware takes no request to clear the TPM from the operating system. Clear it "
              "by its lockout auth, or in the firmware's own menu.");
  if (!self->physical_presence && ward_dbus_ownership_get_clear_disabled (self->tpm.ownership))
    return refuse (cli, WARD_CLIENT_ERROR_DISABLED,
                   "This TPM was told to refuse to be cleared by its lockout auth. What remains is the firmware: "
                   "“tpmward clear --physical-presence”, or its own menu.");
  return TRUE;
}

static gboolean
show_losses (WardCli *cli, Clear *self)
{
  g_autoptr (GError) error = NULL;

  self->dependents = preview (cli, self->tpm.ownership, self->all, &error);
  if (self->dependents == NULL
      && (g_error_matches (error, WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_NOT_AUTHORIZED)
          || g_error_matches (error, WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_CANCELLED)))
    {
      cli->status = ward_cli_fail (error);
      return FALSE;
    }
  if (self->dependents == NULL)
    ward_cli_print_error ("Careful: it cannot be told what would be lost. %s", error->message);
  else if (!cli->json)
    print_ledger (self->tpm.tpm_name, self->dependents);
  return TRUE;
}

static void
print_warning (const Clear *self)
{
  const char *presence = ward_dbus_ownership_get_physical_presence (self->tpm.ownership);

  ward_cli_print ("\n");
  ward_cli_print_paragraph (
      0, WARD_CLI_STYLE_BAD,
      self->tpm.is_tpm12
          ? "Clearing takes away for good all keys and sealed data of this TPM and its owner. It cannot be undone."
          : "Clearing takes away for good all keys and sealed data of this TPM and all its auth values. "
            "It cannot be undone.");
  if (!self->physical_presence)
    return;
  if (g_str_equal (presence, "prompt"))
    ward_cli_print_paragraph (
        0, WARD_CLI_STYLE_PLAIN,
        "It is done at the next restart: the firmware then asks on the screen, and someone at the "
        "machine has to press the key that it names. Until the restart “tpmward clear --cancel” "
        "withdraws it.");
  else
    ward_cli_print_paragraph (0, WARD_CLI_STYLE_PLAIN,
                              "It is done at the next restart, and the firmware of this machine does not ask again. "
                              "Until then “tpmward clear --cancel” withdraws it.");
}

static gboolean
confirm (WardCli *cli, const Clear *self)
{
  g_autofree char *name = ward_cli_text_clean (self->tpm.tpm_name);
  g_autofree char *question = g_strdup_printf ("To clear it, type the TPM's name, %s: ", name);

  if (self->confirm != NULL || ward_cli_confirm_by (question, self->tpm.tpm_name))
    return TRUE;
  ward_cli_print_error ("tpmward: That is not its name, so nothing was done.");
  cli->status = WARD_CLI_FAILURE;
  return FALSE;
}

static gboolean
call (WardCli *cli, gpointer user_data, GError **error)
{
  Clear *self = user_data;
  g_auto (GVariantDict) options = G_VARIANT_DICT_INIT (NULL);
  g_autoptr (GUnixFDList) fds = g_unix_fd_list_new ();
  g_autoptr (GVariant) reply = NULL;

  g_variant_dict_insert (&options, "confirm", "s", self->tpm.tpm_name);
  if (!ward_cli_secret_pack (self->tpm.guard.secret, "auth", &options, fds, error))
    return FALSE;
  if (self->physical_presence)
    g_variant_dict_insert (&options, "physical-presence", "b", TRUE);
  if (self->tpm.guard.force)
    g_variant_dict_insert (&options, "force", "b", TRUE);
  reply = ward_cli_call_slow (cli, self->physical_presence ? "The firmware is asked" : "The TPM is cleared",
                              self->tpm.ownership, "Clear", g_variant_new ("(@a{sv})", g_variant_dict_end (&options)),
                              fds, error);
  if (reply == NULL)
    return FALSE;
  g_variant_get (reply, "(s)", &self->outcome);
  return TRUE;
}

static void
print_success (const Clear *self)
{
  g_autofree char *name = ward_cli_text_clean (self->tpm.tpm_name);
  g_autofree char *text = NULL;

  if (!g_str_equal (self->outcome, "cleared"))
    text = g_strdup_printf ("%s will be cleared at the next restart: restart the machine.", name);
  else if (self->tpm.is_tpm12)
    text = g_strdup_printf ("%s was cleared, and is switched off by that: restart the machine, and enable and activate "
                            "it in the firmware's setup. Then “tpmward own” gives it an owner again.",
                            name);
  else
    text = g_strdup_printf ("%s was cleared. “tpmward own” takes it into ownership again.", name);
  ward_cli_print_success (text);
}

static WardCliStatus
cancel (WardCli *cli, const Clear *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = ward_cli_call (cli, self->tpm.ownership, "CancelClear", NULL, &error);

  if (reply == NULL)
    return ward_cli_fail (error);
  if (cli->json)
    ward_cli_ownership_print_json (&self->tpm);
  else
    ward_cli_print ("The request to clear %s was withdrawn. A restart leaves it as it is.\n", self->tpm.tpm_name);
  return WARD_CLI_OK;
}

static WardCliStatus
do_clear (WardCli *cli, Clear *self)
{
  WardCliGuard *guard = &self->tpm.guard;
  g_autoptr (GError) error = NULL;

  if (!check_possible (cli, self) || (!self->physical_presence && !ward_cli_guard_pass (cli, guard))
      || !show_losses (cli, self))
    return cli->status;
  if (!cli->json)
    print_warning (self);
  if (!confirm (cli, self) || (!self->physical_presence && !ward_cli_guard_obtain_secret (cli, guard)))
    return cli->status;
  if (!ward_cli_guard_call (cli, guard, call, self, &error))
    return ward_cli_guard_fail (guard, error);

  if (cli->json)
    print_ledger_json (self->tpm.tpm_name, self->dependents, self->outcome);
  else
    print_success (self);
  return WARD_CLI_OK;
}

WardCliStatus
ward_cli_clear (WardCli *cli, GStrv *args)
{
  g_auto (Clear) self = { .tpm.guard = { .what = "lockout auth", .option = "--auth-fd" } };

  if (!parse (cli, args, &self))
    return cli->status;
  /* before there are other descriptors than those that we were started with */
  if (self.auth_fd != NULL)
    {
      self.tpm.guard.secret = ward_cli_secret_read (cli, "--auth-fd", self.auth_fd);
      if (self.tpm.guard.secret == NULL)
        return cli->status;
    }
  if (!ward_cli_ownership_open (cli, &self.tpm))
    return cli->status;
  return self.cancel ? cancel (cli, &self) : do_clear (cli, &self);
}
