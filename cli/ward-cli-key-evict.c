/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli-key-handle.h"

#include <unistd.h>

#include "ward-cli-json.h"
#include "ward-cli-term.h"
#include "ward-client-key.h"

typedef struct
{
  WardCliKey key;
  guint32 handle;
} Evict;

static void
evict_clear (Evict *self)
{
  ward_cli_key_clear (&self->key);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Evict, evict_clear)

/* What is at the handle, as by ListPersistent; NULL when nothing is. */
static GVariant *
find_object (GVariant *objects, guint32 wanted)
{
  for (gsize i = 0; i < g_variant_n_children (objects); i++)
    {
      g_autoptr (GVariant) object = g_variant_get_child_value (objects, i);
      guint32 handle = 0;

      g_variant_lookup (object, "handle", "u", &handle);
      if (handle == wanted)
        return g_steal_pointer (&object);
    }
  return NULL;
}

static gboolean
refuse (WardCli *cli, const char *message)
{
  ward_cli_print_error ("tpmward: %s", message);
  cli->status = WARD_CLI_FAILURE;
  return FALSE;
}

static gboolean
confirm (WardCli *cli, Evict *self)
{
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariant) objects = NULL;
  g_autoptr (GVariant) object = NULL;
  g_autofree char *what = NULL;

  if (cli->json || !isatty (STDIN_FILENO))
    return refuse (cli, "Nothing was taken out, as there is nobody to ask. A script tells that it means it by --yes.");
  reply = ward_cli_key_call (cli, &self->key, "ListPersistent", NULL);
  if (reply == NULL)
    return FALSE;
  objects = g_variant_get_child_value (reply, 0);
  object = find_object (objects, self->handle);
  /* the service says that nothing is there */
  if (object == NULL)
    return TRUE;
  what = ward_client_key_get_object (object);
  ward_cli_print_error ("At 0x%08x is an object, %s: %s. If nobody has kept it otherwise, it is lost.", self->handle,
                        ward_client_key_get_string (object, "algorithm"),
                        *what != '\0' ? what : "nobody knows who has put it there");
  return ward_cli_confirm ("Take it out of the TPM?") || refuse (cli, "Nothing was taken out.");
}

static GVariant *
pack (gpointer user_data, GVariantDict *options, GUnixFDList *fds, GError **error)
{
  const Evict *self = user_data;

  return g_variant_new ("(u@a{sv})", self->handle, g_variant_dict_end (options));
}

static void
print_json (const Evict *self)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "handle");
  json_builder_add_int_value (builder, self->handle);
  json_builder_end_object (builder);
  ward_cli_json_print (builder, TRUE);
}

WardCliStatus
ward_cli_key_evict (WardCli *cli, GStrv *args)
{
  g_auto (Evict) self = { .key.system = TRUE };
  gboolean yes = FALSE;
  const GOptionEntry entries[] = {
    { "yes", 'y', 0, G_OPTION_ARG_NONE, &yes, "Do it without asking", NULL },
    WARD_CLI_KEY_OWNER_ENTRY (&self.key),
    { 0 },
  };
  g_auto (WardCliAuthCall) call = {
    .method = "Evict", .text = "The TPM forgets the object", .pack = pack, .user_data = &self
  };
  g_autoptr (GVariant) reply = NULL;

  if (!ward_cli_parse (cli, args, entries, 1, 1) || !ward_cli_key_parse_handle (cli, (*args)[0], &self.handle)
      || !ward_cli_key_open (cli, &self.key, NULL) || (!yes && !confirm (cli, &self)))
    return cli->status;
  reply = ward_cli_key_call_by_owner (cli, &self.key, &call);
  if (reply == NULL)
    return cli->status;
  if (!cli->json)
    return ward_cli_key_tell (cli, &self.key, "The TPM keeps nothing at 0x%08x any more.", self.handle);
  print_json (&self);
  return WARD_CLI_OK;
}
