/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli-key.h"

#include <string.h>

#include "ward-cli-input.h"
#include "ward-cli-output.h"

#define MAX_PEER_SIZE (16 * 1024)

#define PEM_BEGIN "-----BEGIN PUBLIC KEY-----"
#define PEM_END "-----END PUBLIC KEY-----"

typedef struct
{
  WardCliKey key;
  WardCliOutput output;
  GBytes *peer; /* DER */
} Agree;

static void
agree_clear (Agree *self)
{
  ward_cli_key_clear (&self->key);
  ward_cli_output_clear (&self->output);
  g_clear_pointer (&self->peer, g_bytes_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Agree, agree_clear)

/* The DER inside of PEM (RFC 7468, 13); what is no PEM is DER, and the service sees whether it is a key. */
static GBytes *
to_der (WardSecret *data)
{
  const char *text = (const char *)ward_secret_get_data (data);
  gsize size = ward_secret_get_size (data), n = 0;
  const char *begin = g_strstr_len (text, (gssize)size, PEM_BEGIN);
  const char *end = begin != NULL ? g_strstr_len (begin, text + size - begin, PEM_END) : NULL;
  g_autofree char *base64 = NULL;
  guchar *der;

  if (end == NULL)
    return g_bytes_new (text, size);
  begin += strlen (PEM_BEGIN);
  base64 = g_strndup (begin, (gsize)(end - begin));
  der = g_base64_decode (base64, &n);
  return g_bytes_new_take (der, n);
}

static gboolean
read_peer (WardCli *cli, Agree *self, const char *path)
{
  g_autoptr (WardSecret) data = ward_cli_input_read (cli, path, MAX_PEER_SIZE, "other side's public key");

  if (data == NULL)
    return FALSE;
  self->peer = to_der (data);
  return TRUE;
}

static GVariant *
pack (gpointer user_data, GVariantDict *options, GUnixFDList *fds, GError **error)
{
  Agree *self = user_data;

  if (!ward_cli_key_pack (&self->key, options, fds, error))
    return NULL;
  return g_variant_new ("(s@ay@a{sv})", self->key.key,
                        g_variant_new_from_bytes (G_VARIANT_TYPE_BYTESTRING, self->peer, TRUE),
                        g_variant_dict_end (options));
}

static WardCliStatus
agree (WardCli *cli, Agree *self)
{
  g_autofree char *what = NULL;
  g_auto (WardCliAuthCall) call = {
    .method = "Agree", .text = "The TPM computes", .pack = pack, .user_data = self, .takes_output = TRUE
  };
  g_autoptr (GVariant) reply = NULL;

  ward_cli_key_prepare (&self->key, &call, &what);
  reply = ward_cli_auth_call (cli, &call);
  if (reply == NULL || !ward_cli_output_write (cli, &self->output, WARD_CLI_OUTPUT_SECRET, call.result))
    return cli->status;
  return WARD_CLI_OK;
}

WardCliStatus
ward_cli_key_agree (WardCli *cli, GStrv *args)
{
  g_auto (Agree) self = { 0 };
  const GOptionEntry entries[] = {
    WARD_CLI_OUTPUT_ENTRIES (&self.output),
    WARD_CLI_KEY_SYSTEM_ENTRY (&self.key),
    WARD_CLI_KEY_PASSWORD_ENTRY (&self.key),
    WARD_CLI_KEY_PARENT_ENTRIES (&self.key),
    { 0 },
  };

  if (!ward_cli_parse (cli, args, entries, 2, 2) || !ward_cli_output_check (cli, &self.output)
      || !ward_cli_secret_check_stdin (cli, self.key.password_file, (*args)[1])
      || !ward_cli_key_open (cli, &self.key, (*args)[0]) || !read_peer (cli, &self, (*args)[1]))
    return cli->status;
  return agree (cli, &self);
}
