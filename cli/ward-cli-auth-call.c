/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli-auth-call.h"

#include <unistd.h>

#include "ward-client-output.h"
#include "ward-cli-term.h"

/* How often a secret may be typed. */
#define N_TRIES 3

void
ward_cli_auth_call_clear (WardCliAuthCall *self)
{
  g_clear_pointer (&self->secret, ward_secret_unref);
  g_clear_pointer (&self->result, ward_secret_unref);
}

static GVariant *
call_with_output (WardCli *cli, WardCliAuthCall *self, int output, GError **error)
{
  g_auto (GVariantDict) options = G_VARIANT_DICT_INIT (NULL);
  g_autoptr (GUnixFDList) fds = g_unix_fd_list_new ();
  g_autoptr (GVariant) reply = NULL;
  GVariant *parameters;

  if (!ward_cli_secret_pack (self->secret, self->auth, &options, fds, error))
    return NULL;
  if (output >= 0 && !ward_client_output_add (output, &options, fds, error))
    return NULL;
  parameters = self->pack (self->user_data, &options, fds, error);
  if (parameters == NULL)
    return NULL;
  reply = ward_cli_call_slow (cli, self->text, self->proxy, self->method, parameters, fds, error);
  if (reply == NULL || output < 0)
    return g_steal_pointer (&reply);
  self->result = ward_client_output_read (output, error);
  return self->result != NULL ? g_steal_pointer (&reply) : NULL;
}

static GVariant *
call_once (WardCli *cli, WardCliAuthCall *self, GError **error)
{
  GVariant *reply;
  int output;

  if (!self->takes_output)
    return call_with_output (cli, self, -1, error);
  output = ward_client_output_new (error);
  if (output < 0)
    return NULL;
  reply = call_with_output (cli, self, output, error);
  close (output);
  return reply;
}

static gboolean
is_refusal (const WardCliAuthCall *self, const GError *error)
{
  return g_error_matches (error, WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_AUTHENTICATION_FAILED)
         || (self->by_owner && g_error_matches (error, WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_NOT_OWNED));
}

/* Whether there is somebody to ask once more: a script's secret stays wrong. */
static gboolean
may_ask (WardCli *cli, const WardCliAuthCall *self, const GError *error, gboolean is_given, guint n_asked)
{
  return is_refusal (self, error) && !is_given && n_asked < N_TRIES
         && (self->may_ask == NULL || self->may_ask (cli, self->may_ask_data));
}

static void
give_hint (WardCli *cli, const WardCliAuthCall *self)
{
  if (cli->status == WARD_CLI_AUTH_FAILED && self->hint != NULL)
    ward_cli_print_error ("%s", self->hint);
}

GVariant *
ward_cli_auth_call (WardCli *cli, WardCliAuthCall *self)
{
  gboolean is_given = self->secret != NULL;

  for (guint n_asked = 0;; n_asked++)
    {
      g_autoptr (GError) error = NULL;
      GVariant *reply = call_once (cli, self, &error);

      if (reply != NULL)
        return reply;
      if (!may_ask (cli, self, error, is_given, n_asked))
        {
          cli->status = ward_cli_fail (error);
          give_hint (cli, self);
          return NULL;
        }
      if (n_asked > 0)
        ward_cli_print_error ("%s", error->message);
      g_clear_pointer (&self->secret, ward_secret_unref);
      self->secret = ward_cli_secret_ask (cli, self->what, self->option);
      if (self->secret == NULL)
        {
          give_hint (cli, self);
          return NULL;
        }
    }
}
