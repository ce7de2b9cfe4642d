/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli-nv.h"

#include "ward-cli-json.h"
#include "ward-cli-term.h"
#include "ward-cli-verbs.h"

/* TPM 2.0 Library, Part 2, 7.2; a TPM 1.2 has others. */
#define FIRST_INDEX 0x01000000u
#define LAST_INDEX 0x01ffffffu

#define INDEX_OF_ARGUMENT                                                                                              \
  " INDEX is its number, such as 0x01800001, as “tpmward nv list” shows them. Its password or the owner auth is "  \
  "asked "                                                                                                             \
  "for where the TPM needs it."

static const WardCliVerb verbs[] = {
  { "nv list", ward_cli_nv_list, NULL, "The TPM's NV indices, one a line; the default",
    "Lists what the TPM keeps in its NV indices: how large it is, whether anything was written, by what right it is "
    "read and written, and what is kept at such a number by convention." },
  { "nv read", ward_cli_nv_read, "INDEX", "Read what an NV index has",
    "Reads the data of an NV index, or a part of it." INDEX_OF_ARGUMENT },
  { "nv write", ward_cli_nv_write, "INDEX [FILE]", "Write to an NV index",
    "Writes a file, or what standard input gives, to an NV index. Bytes behind it stay as they "
    "are." INDEX_OF_ARGUMENT },
  { "nv define", ward_cli_nv_define, "INDEX SIZE", "Make room for data in the TPM",
    "Defines an NV index of SIZE bytes. With a password nothing but it gives access, and wrong ones are counted; "
    "without one the owner auth does, if there is one. INDEX is its number: from 0x01800000 to 0x01bfffff, as others "
    "are reserved; of a TPM 1.2 any that is free, such as 0x00011101." },
  { "nv undefine", ward_cli_nv_undefine, "INDEX", "Destroy an NV index and its data",
    "Destroys an NV index and its data for good, after telling what is lost and asking. INDEX is its number, as "
    "“tpmward nv list” shows them." },
};

WardCliStatus
ward_cli_nv (WardCli *cli, GStrv *args)
{
  const WardCliVerbs all = { verbs, G_N_ELEMENTS (verbs), "list" };

  return ward_cli_verbs_run (cli, &all, args);
}

void
ward_cli_nv_clear (WardCliNv *self)
{
  g_clear_pointer (&self->password_file, g_free);
  g_clear_pointer (&self->owner_fd, g_free);
  g_clear_pointer (&self->password, ward_secret_unref);
  g_clear_pointer (&self->owner_auth, ward_secret_unref);
  ward_cli_target_clear (&self->target);
}

gboolean
ward_cli_nv_parse_number (WardCli *cli, const char *name, const char *text, guint32 min, guint32 max, guint32 *number)
{
  gboolean is_hex = text != NULL && g_ascii_strncasecmp (text, "0x", 2) == 0;
  guint64 value;

  if (text == NULL)
    return TRUE;
  if (g_ascii_string_to_unsigned (is_hex ? text + 2 : text, is_hex ? 16 : 10, min, max, &value, NULL))
    {
      *number = (guint32)value;
      return TRUE;
    }
  cli->status = ward_cli_fail_usage (cli, NULL, "%s is a number from %u to %u, not “%s”.", name, min, max, text);
  return FALSE;
}

gboolean
ward_cli_nv_parse_index (WardCli *cli, const char *text, guint32 *index)
{
  gboolean is_hex = g_ascii_strncasecmp (text, "0x", 2) == 0;
  guint64 value;

  if (g_ascii_string_to_unsigned (is_hex ? text + 2 : text, is_hex ? 16 : 10, 1, G_MAXUINT32, &value, NULL))
    {
      *index = (guint32)value;
      return TRUE;
    }
  cli->status = ward_cli_fail_usage (cli, NULL, "INDEX is a number, such as 0x01800001, not “%s”.", text);
  return FALSE;
}

static gboolean
check_index (WardCli *cli, const WardCliNv *self)
{
  if (self->index == 0 || self->target.is_tpm12 || (self->index >= FIRST_INDEX && self->index <= LAST_INDEX))
    return TRUE;
  cli->status = ward_cli_fail_usage (cli, NULL, "INDEX is from 0x%08x to 0x%08x, such as 0x01800001, not 0x%08x.",
                                     FIRST_INDEX, LAST_INDEX, self->index);
  return FALSE;
}

gboolean
ward_cli_nv_open (WardCli *cli, WardCliNv *self)
{
  /* before there are other descriptors than those that we were started with */
  if (self->owner_fd != NULL)
    {
      self->owner_auth = ward_cli_secret_read (cli, "--owner-fd", self->owner_fd);
      if (self->owner_auth == NULL)
        return FALSE;
    }
  if (self->password_file != NULL)
    {
      self->password = ward_cli_secret_read_file (cli, "--password-file", self->password_file);
      if (self->password == NULL)
        return FALSE;
      if (ward_secret_get_size (self->password) == 0)
        {
          ward_cli_print_error ("tpmward: --password-file gave an empty password. Leave it out where there is none.");
          cli->status = WARD_CLI_AUTH_FAILED;
          return FALSE;
        }
    }
  return ward_cli_target_open (cli, &self->target, "Nv") && check_index (cli, self);
}

GVariant *
ward_cli_nv_list_all (WardCli *cli, WardCliNv *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = ward_cli_call (cli, self->target.proxy, "List", NULL, &error);

  if (reply != NULL)
    return g_variant_get_child_value (reply, 0);
  cli->status = ward_cli_fail (error);
  return NULL;
}

GVariant *
ward_cli_nv_describe (WardCli *cli, WardCliNv *self)
{
  g_autoptr (GVariant) indices = ward_cli_nv_list_all (cli, self);

  if (indices == NULL)
    return NULL;
  for (gsize i = 0; i < g_variant_n_children (indices); i++)
    {
      g_autoptr (GVariant) index = g_variant_get_child_value (indices, i);
      guint32 number = 0;

      g_variant_lookup (index, "index", "u", &number);
      if (number == self->index)
        return g_steal_pointer (&index);
    }
  return g_variant_ref_sink (g_variant_new ("a{sv}", NULL));
}

char *
ward_cli_nv_get_attributes (GVariant *index)
{
  g_autoptr (GVariant) names = g_variant_lookup_value (index, "attributes", G_VARIANT_TYPE_STRING_ARRAY);
  g_autoptr (GString) list = g_string_new (NULL);

  for (gsize i = 0; names != NULL && i < g_variant_n_children (names); i++)
    {
      const char *name;

      g_variant_get_child (names, i, "&s", &name);
      if (!g_str_equal (name, "written"))
        g_string_append_printf (list, "%s%s", list->len > 0 ? ", " : "", name);
    }
  return g_string_free (g_steal_pointer (&list), FALSE);
}

gboolean
ward_cli_nv_has_attribute (GVariant *index, const char *name)
{
  g_autofree const char **names = NULL;

  return g_variant_lookup (index, "attributes", "^a&s", &names) && g_strv_contains (names, name);
}

WardCliStatus
ward_cli_nv_tell (WardCli *cli, WardCliNv *self, const char *format, ...)
{
  g_autofree char *mark = ward_cli_styled (WARD_CLI_STYLE_GOOD, "✓");
  g_autofree char *text = NULL;
  va_list args;

  if (cli->json)
    {
      g_autoptr (GVariant) index = ward_cli_nv_describe (cli, self);
      g_autoptr (JsonBuilder) builder = json_builder_new ();

      if (index == NULL)
        return cli->status;
      ward_cli_json_add_dictionary (builder, index);
      ward_cli_json_print (builder, TRUE);
      return WARD_CLI_OK;
    }
  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  ward_cli_print ("%s %s\n", mark, text);
  return WARD_CLI_OK;
}

const char *
ward_cli_nv_name_owner_auth (const WardCliNv *self)
{
  return self->target.is_tpm12 ? "owner's secret" : "owner auth";
}

gboolean
ward_cli_nv_prepare_owner_auth (WardCli *cli, WardCliNv *self)
{
  if (!self->target.is_tpm12)
    return ward_cli_guard_check_well_known (cli, self->well_known);
  return ward_cli_guard_obtain_owners (cli, self->well_known, ward_cli_nv_name_owner_auth (self), "--owner-fd",
                                       &self->owner_auth);
}

GVariant *
ward_cli_nv_call_by_owner (WardCli *cli, WardCliNv *self, WardCliAuthCall *call)
{
  if (!ward_cli_nv_prepare_owner_auth (cli, self))
    return NULL;
  call->proxy = self->target.proxy;
  call->auth = "owner-auth";
  call->what = ward_cli_nv_name_owner_auth (self);
  call->option = "--owner-fd";
  call->secret = g_steal_pointer (&self->owner_auth);
  return ward_cli_auth_call (cli, call);
}
