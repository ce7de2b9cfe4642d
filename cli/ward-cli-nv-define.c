/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* nv define and nv undefine. */
#include "ward-cli-nv.h"

#include <unistd.h>

#include "ward-cli-json.h"
#include "ward-cli-term.h"

#define MAX_SIZE 65535

typedef struct
{
  WardCliNv nv;
  guint32 size;
  GStrv attributes; /* as given, or NULL */
  gboolean ask_password, yes, force;
} Definition;

static void
definition_clear (Definition *self)
{
  ward_cli_nv_clear (&self->nv);
  g_clear_pointer (&self->attributes, g_strfreev);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Definition, definition_clear)

/* The options' values may name several, as tpm2-tools write them: "ownerread|ownerwrite". */
static GVariant *
get_attributes (const Definition *self)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE_STRING_ARRAY);
  for (gsize i = 0; self->attributes != NULL && self->attributes[i] != NULL; i++)
    {
      g_auto (GStrv) names = g_strsplit_set (self->attributes[i], "|,", -1);

      for (gsize j = 0; names[j] != NULL; j++)
        g_variant_builder_add (&builder, "s", names[j]);
    }
  return g_variant_builder_end (&builder);
}

static GVariant *
pack_define (gpointer user_data, GVariantDict *options, GUnixFDList *fds, GError **error)
{
  const Definition *self = user_data;

  if (!ward_cli_secret_pack (self->nv.password, "auth", options, fds, error))
    return NULL;
  if (self->force)
    g_variant_dict_insert (options, "force", "b", TRUE);
  return g_variant_new ("(uu@as@a{sv})", self->nv.index, self->size, get_attributes (self),
                        g_variant_dict_end (options));
}

static gboolean
check_password (WardCli *cli, const Definition *self)
{
  if (!self->ask_password || self->nv.password_file == NULL)
    return TRUE;
  cli->status = ward_cli_fail_usage (cli, NULL, "Only one of --password and --password-file can be given.");
  return FALSE;
}

static gboolean
obtain_password (WardCli *cli, Definition *self)
{
  if (self->ask_password)
    self->nv.password = ward_cli_secret_ask_new (cli, "password", "--password-file", WARD_CLI_MAX_PASSWORD_SIZE);
  return !self->ask_password || self->nv.password != NULL;
}

WardCliStatus
ward_cli_nv_define (WardCli *cli, GStrv *args)
{
  g_auto (Definition) self = { 0 };
  const GOptionEntry entries[] = {
    { "attributes", 'a', 0, G_OPTION_ARG_STRING_ARRAY, &self.attributes,
      "Who may read and write, by tpm2-tools' names, such as ownerread|authwrite", "NAMES" },
    { "password", 'p', 0, G_OPTION_ARG_NONE, &self.ask_password, "Give it a password, which is asked for twice", NULL },
    { "password-file", 0, 0, G_OPTION_ARG_FILENAME, &self.nv.password_file, "Give it the password that is in this file",
      "FILE" },
    WARD_CLI_NV_OWNER_ENTRY (&self.nv),
    { "force", 0, 0, G_OPTION_ARG_NONE, &self.force, "Also where numbers are reserved", NULL },
    { 0 },
  };
  g_auto (WardCliAuthCall) call = {
    .method = "Define", .text = "The TPM makes room", .pack = pack_define, .user_data = &self
  };
  g_autoptr (GVariant) reply = NULL;

  if (!ward_cli_parse (cli, args, entries, 2, 2) || !ward_cli_nv_parse_index (cli, (*args)[0], &self.nv.index)
      || !ward_cli_nv_parse_number (cli, "SIZE", (*args)[1], 1, MAX_SIZE, &self.size) || !check_password (cli, &self)
      || !ward_cli_nv_open (cli, &self.nv) || !obtain_password (cli, &self))
    return cli->status;
  reply = ward_cli_nv_call_by_owner (cli, &self.nv, &call);
  if (reply == NULL)
    return cli->status;
  return ward_cli_nv_tell (cli, &self.nv, "The NV index 0x%08x of %u bytes was defined.", self.nv.index, self.size);
}

static gboolean
refuse (WardCli *cli, const char *message)
{
  ward_cli_print_error ("tpmward: %s", message);
  cli->status = WARD_CLI_FAILURE;
  return FALSE;
}

/* On standard error, as the question that follows is on the terminal too. */
static void
tell_what_is_lost (const Definition *self, GVariant *index, const char *purpose)
{
  g_autofree char *attributes = ward_cli_nv_get_attributes (index);
  gboolean written = FALSE;
  guint32 size = 0;

  g_variant_lookup (index, "size", "u", &size);
  g_variant_lookup (index, "written", "b", &written);
  ward_cli_print_error ("The NV index 0x%08x has %u bytes, %s (%s).", self->nv.index, size,
                        written ? "which are lost then" : "to which nothing was written", attributes);
  if (*purpose != '\0')
    ward_cli_print_error ("By convention it is %s. Programs that need it cannot work without it, and nothing brings it "
                          "back.",
                          purpose);
}

/* Who has read what it is and goes on means it, also where numbers are reserved. */
static gboolean
confirm (WardCli *cli, Definition *self)
{
  g_autoptr (GVariant) index = NULL;
  g_autofree char *number = g_strdup_printf ("0x%08x", self->nv.index);
  g_autofree char *question = g_strdup_printf ("Destroy it for good? Type its number, %s, to go on: ", number);
  const char *purpose = "";
  gboolean confirmed;

  if (cli->json || !isatty (STDIN_FILENO))
    return refuse (cli, "Nothing was undefined, as there is nobody to ask. A script tells that it means it by --yes.");
  index = ward_cli_nv_describe (cli, &self->nv);
  if (index == NULL)
    return FALSE;
  /* the service says that nothing is there */
  if (g_variant_n_children (index) == 0)
    return TRUE;
  g_variant_lookup (index, "description", "&s", &purpose);
  tell_what_is_lost (self, index, purpose);
  confirmed = *purpose != '\0' ? ward_cli_confirm_by (question, number) : ward_cli_confirm ("Destroy it for good?");
  if (!confirmed)
    return refuse (cli, "Nothing was undefined.");
  self->force = TRUE;
  return TRUE;
}

static GVariant *
pack_undefine (gpointer user_data, GVariantDict *options, GUnixFDList *fds, GError **error)
{
  const Definition *self = user_data;

  if (self->force)
    g_variant_dict_insert (options, "force", "b", TRUE);
  return g_variant_new ("(u@a{sv})", self->nv.index, g_variant_dict_end (options));
}

static void
print_json (const Definition *self)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "index");
  json_builder_add_int_value (builder, self->nv.index);
  json_builder_end_object (builder);
  ward_cli_json_print (builder, TRUE);
}

WardCliStatus
ward_cli_nv_undefine (WardCli *cli, GStrv *args)
{
  g_auto (Definition) self = { 0 };
  const GOptionEntry entries[] = {
    { "yes", 'y', 0, G_OPTION_ARG_NONE, &self.yes, "Do it without asking", NULL },
    WARD_CLI_NV_OWNER_ENTRY (&self.nv),
    { "force", 0, 0, G_OPTION_ARG_NONE, &self.force, "With --yes: also where numbers are reserved", NULL },
    { 0 },
  };
  g_auto (WardCliAuthCall) call = {
    .method = "Undefine", .text = "The TPM destroys it", .pack = pack_undefine, .user_data = &self
  };
  g_autoptr (GVariant) reply = NULL;

  if (!ward_cli_parse (cli, args, entries, 1, 1) || !ward_cli_nv_parse_index (cli, (*args)[0], &self.nv.index)
      || !ward_cli_nv_open (cli, &self.nv) || (!self.yes && !confirm (cli, &self)))
    return cli->status;
  reply = ward_cli_nv_call_by_owner (cli, &self.nv, &call);
  if (reply == NULL)
    return cli->status;
  if (!cli->json)
    return ward_cli_nv_tell (cli, &self.nv, "The NV index 0x%08x is no more.", self.nv.index);
  print_json (&self);
  return WARD_CLI_OK;
}
