/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* nv read and nv write. */
#include "ward-cli-nv.h"

#include "ward-cli-input.h"
#include "ward-cli-output.h"

/* What no index exceeds. */
#define MAX_SIZE 65535

typedef struct
{
  WardCliNv nv;
  gboolean by_owner, no_password, force;
  char *offset_text, *size_text; /* the options' values, or NULL */
  guint32 offset, size;
  WardSecret *data; /* to write */
  WardCliOutput output;
  const char *auth_right, *owner_right; /* the attributes that tell who may */
  WardCliAuthCall call;
} Access;

static void
access_clear (Access *self)
{
  ward_cli_nv_clear (&self->nv);
  g_free (self->offset_text);
  g_free (self->size_text);
  g_clear_pointer (&self->data, ward_secret_unref);
  ward_cli_output_clear (&self->output);
  ward_cli_auth_call_clear (&self->call);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Access, access_clear)

#define ACCESS_ENTRIES(self)                                                                                               \
  { "offset", 0, 0, G_OPTION_ARG_STRING, &(self)->offset_text, "The first byte; by default 0", "N" },                      \
      { "password-file",                                                                                                   \
        0,                                                                                                                 \
        0,                                                                                                                 \
        G_OPTION_ARG_FILENAME,                                                                                             \
        &(self)->nv.password_file,                                                                                         \
        "Read the index's password from this file, instead of asking for it",                                              \
        "FILE" },                                                                                                          \
      { "no-password",                                                                                                     \
        0,                                                                                                                 \
        0,                                                                                                                 \
        G_OPTION_ARG_NONE,                                                                                                 \
        &(self)->no_password,                                                                                              \
        "The index has no password: try none, although the TPM would count it if it were wrong",                           \
        NULL },                                                                                                            \
      { "owner", 0, 0, G_OPTION_ARG_NONE, &(self)->by_owner, "By the owner auth, instead of the index's password", NULL }, \
      WARD_CLI_NV_OWNER_ENTRY (&(self)->nv)

static gboolean
check_options (WardCli *cli, Access *self, const char *index)
{
  gboolean by_index = self->nv.password_file != NULL || self->no_password;

  if (self->nv.owner_fd != NULL || self->nv.well_known)
    self->by_owner = TRUE;
  if (by_index && self->by_owner)
    cli->status = ward_cli_fail_usage (
        cli, NULL,
        "--owner, --owner-fd and --well-known mean the owner auth, --password-file and --no-password the index's own. "
        "Only one of them can be given.");
  else if (self->nv.password_file != NULL && self->no_password)
    cli->status = ward_cli_fail_usage (cli, NULL, "Only one of --password-file and --no-password can be given.");
  else
    return ward_cli_nv_parse_index (cli, index, &self->nv.index)
           && ward_cli_nv_parse_number (cli, "--offset", self->offset_text, 0, MAX_SIZE, &self->offset)
           && ward_cli_nv_parse_number (cli, "--size", self->size_text, 1, MAX_SIZE, &self->size);
  return FALSE;
}

static GVariant *
pack (gpointer user_data, GVariantDict *options, GUnixFDList *fds, GError **error)
{
  const Access *self = user_data;
  g_autoptr (GVariant) empty = g_variant_ref_sink (g_variant_new_array (G_VARIANT_TYPE_BYTE, NULL, 0));

  if (self->offset > 0)
    g_variant_dict_insert (options, "offset", "u", self->offset);
  if (self->size > 0)
    g_variant_dict_insert (options, "size", "u", self->size);
  if (self->by_owner)
    g_variant_dict_insert (options, "owner", "b", TRUE);
  if (self->no_password)
    g_variant_dict_insert_value (options, "auth", empty);
  if (self->force)
    g_variant_dict_insert (options, "force", "b", TRUE);
  if (self->data == NULL)
    return g_variant_new ("(u@a{sv})", self->nv.index, g_variant_dict_end (options));
  if (!ward_client_secret_add (self->data, "data", options, fds, error))
    return NULL;
  return g_variant_new ("(u@ay@a{sv})", self->nv.index, empty, g_variant_dict_end (options));
}

static void
mean_owner_auth (Access *self)
{
  self->call.auth = "owner-auth";
  self->call.what = ward_cli_nv_name_owner_auth (&self->nv);
  self->call.option = "--owner-fd";
}

/* Which of the two secrets the service misses, the index tells. */
static gboolean
may_ask (WardCli *cli, gpointer user_data)
{
  Access *self = user_data;
  g_autoptr (GVariant) index = NULL;

  if (self->no_password)
    return FALSE;
  if (self->by_owner)
    return TRUE;
  index = ward_cli_nv_describe (cli, &self->nv);
  if (index == NULL)
    return FALSE;
  if (ward_cli_nv_has_attribute (index, self->owner_right) && !ward_cli_nv_has_attribute (index, self->auth_right))
    mean_owner_auth (self);
  return TRUE;
}

static GVariant *
call (WardCli *cli, Access *self, const char *method, const char *text)
{
  self->call.proxy = self->nv.target.proxy;
  self->call.method = method;
  self->call.text = text;
  self->call.auth = "auth";
  self->call.what = "password of the NV index";
  self->call.option = "--password-file";
  if (self->by_owner && !ward_cli_nv_prepare_owner_auth (cli, &self->nv))
    return NULL;
  if (self->by_owner)
    mean_owner_auth (self);
  self->call.secret = self->by_owner ? g_steal_pointer (&self->nv.owner_auth) : g_steal_pointer (&self->nv.password);
  self->call.pack = pack;
  self->call.user_data = self;
  self->call.may_ask = may_ask;
  self->call.may_ask_data = self;
  return ward_cli_auth_call (cli, &self->call);
}

WardCliStatus
ward_cli_nv_read (WardCli *cli, GStrv *args)
{
  g_auto (Access) self = { .auth_right = "authread", .owner_right = "ownerread", .call.takes_output = TRUE };
  const GOptionEntry entries[] = {
    ACCESS_ENTRIES (&self),
    { "size", 0, 0, G_OPTION_ARG_STRING, &self.size_text, "How many bytes; by default all from there on", "N" },
    WARD_CLI_OUTPUT_ENTRIES (&self.output),
    { 0 },
  };
  g_autoptr (GVariant) reply = NULL;

  if (!ward_cli_parse (cli, args, entries, 1, 1) || !ward_cli_output_check (cli, &self.output)
      || !check_options (cli, &self, (*args)[0]) || !ward_cli_nv_open (cli, &self.nv))
    return cli->status;
  reply = call (cli, &self, "Read", "The TPM reads");
  if (reply == NULL || !ward_cli_output_write (cli, &self.output, WARD_CLI_OUTPUT_SECRET, self.call.result))
    return cli->status;
  return WARD_CLI_OK;
}

WardCliStatus
ward_cli_nv_write (WardCli *cli, GStrv *args)
{
  g_auto (Access) self = { .auth_right = "authwrite", .owner_right = "ownerwrite" };
  const GOptionEntry entries[] = {
    ACCESS_ENTRIES (&self),
    { "force", 0, 0, G_OPTION_ARG_NONE, &self.force, "Also over what is written where numbers are reserved", NULL },
    { 0 },
  };
  g_autoptr (GVariant) reply = NULL;

  if (!ward_cli_parse (cli, args, entries, 1, 2) || !check_options (cli, &self, (*args)[0])
      || !ward_cli_secret_check_stdin (cli, self.nv.password_file, (*args)[1]) || !ward_cli_nv_open (cli, &self.nv))
    return cli->status;
  self.data = ward_cli_input_read (cli, (*args)[1], MAX_SIZE, "data to be written");
  if (self.data == NULL)
    return cli->status;
  reply = call (cli, &self, "Write", "The TPM writes");
  if (reply == NULL)
    return cli->status;
  return ward_cli_nv_tell (cli, &self.nv, "%" G_GSIZE_FORMAT " bytes were written to the NV index 0x%08x.",
                           ward_secret_get_size (self.data), self.nv.index);
}
