/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli-key.h"

#include <string.h>

#include "ward-cli-json.h"
#include "ward-cli-term.h"
#include "ward-cli-text.h"
#include "ward-cli-verbs.h"
#include "ward-client-key.h"

#define MAX_QUOTED 32

#define KEY_OF_ARGUMENT " KEY is a key's label or id, as “tpmward key list” shows them."

static const WardCliVerb verbs[] = {
  { "key create", ward_cli_key_create, "LABEL", "Make a key in the TPM",
    "Makes a key in the TPM, of which the private half never leaves it, and prints its id. LABEL is what to call it: "
    "at "
    "most 128 characters." },
  { "key import", ward_cli_key_import, "LABEL FILE", "Put a key that was made elsewhere into the TPM",
    "Puts a private key into the TPM: PKCS #8, PKCS #1 or SEC 1 in PEM or DER, or OpenSSH's own format; “-” reads it "
    "from standard input. A passphrase is asked for where the file says that it has one. A TSS2 PRIVATE KEY, or for a "
    "TPM 1.2 a TSS KEY BLOB, such as “tpmward key export” writes, brings its own properties. Whoever has the plain key "
    "can still use it without the "
    "TPM, so remove it where it came from." },
  { "key list", ward_cli_key_list, NULL, "Your keys, one a line; the default",
    "Lists your keys, or with --system the machine's: also those that cannot be used." },
  { "key show", ward_cli_key_show, "KEY", "What is known of a key",
    "Shows all that is known of a key: what it is for, how it is protected, when it was last used, and whether it can "
    "be used." KEY_OF_ARGUMENT },
  { "key public", ward_cli_key_public, "KEY", "The public key, for others or for ssh",
    "Prints the public key: as PEM, or with --ssh as a line for authorized_keys." KEY_OF_ARGUMENT },
  { "key sign", ward_cli_key_sign, "KEY", "Sign a file",
    "Signs a file of any size, or what standard input gives: it is hashed here, and the TPM signs the hash. The "
    "signature is written as it is, or as base64 on a terminal; OpenSSL verifies it." KEY_OF_ARGUMENT },
  { "key decrypt", ward_cli_key_decrypt, "KEY", "Decrypt what was encrypted to an RSA key",
    "Decrypts a file, or what standard input gives, of as many bytes as the RSA key's modulus "
    "has." KEY_OF_ARGUMENT },
  { "key agree", ward_cli_key_agree, "KEY PEER", "Agree on a secret with another key, by ECDH",
    "Computes the secret that the owner of the public key in the file PEER, PEM or DER, computes from yours: the x "
    "coordinate of the shared point. It is no key yet; derive one from it." KEY_OF_ARGUMENT },
  { "key rename", ward_cli_key_rename, "KEY LABEL", "Give a key another label",
    "Gives a key another label." KEY_OF_ARGUMENT },
  { "key comment", ward_cli_key_comment, "KEY TEXT", "Write a comment to a key",
    "Writes a comment to a key, in place of the one that it has; an empty one removes it." KEY_OF_ARGUMENT },
  { "key passwd", ward_cli_key_passwd, "KEY", "Change or remove a key's password",
    "Changes a key's password: asks for the present one, if there is one, and twice for the new one. What was exported "
    "before keeps the old one." KEY_OF_ARGUMENT },
  { "key export", ward_cli_key_export, "KEY", "The wrapped key, for other programs on this TPM",
    "Prints the private key as the TPM has wrapped it, a TSS2 PRIVATE KEY in PEM. It is of no use without this TPM; "
    "with it, tpm2-openssl and ssh-tpm-agent use it. Of a TPM 1.2 it is a TSS KEY BLOB, which openssl_tpm_engine "
    "uses." KEY_OF_ARGUMENT },
  { "key delete", ward_cli_key_delete, "KEY", "Delete a key for good",
    "Deletes a key, after telling what is lost and asking." KEY_OF_ARGUMENT },
  { "key persist", ward_cli_key_persist, "KEY HANDLE", "Keep a system key in the TPM itself",
    "Keeps one of the machine's keys in the TPM's own memory, where every program finds it by HANDLE, from 0x81000000 "
    "to 0x817fffff." KEY_OF_ARGUMENT },
  { "key evict", ward_cli_key_evict, "HANDLE", "Take an object from the TPM's own memory",
    "Takes the object at HANDLE from the TPM's own memory, whoever has put it there, after telling what it is and "
    "asking. If nobody has kept it otherwise, it is lost." },
};

WardCliStatus
ward_cli_key (WardCli *cli, GStrv *args)
{
  const WardCliVerbs all = { verbs, G_N_ELEMENTS (verbs), "list" };

  return ward_cli_verbs_run (cli, &all, args);
}

void
ward_cli_key_clear (WardCliKey *self)
{
  g_clear_pointer (&self->password_file, g_free);
  g_clear_pointer (&self->owner_fd, g_free);
  g_clear_pointer (&self->key, g_free);
  g_clear_pointer (&self->password, ward_secret_unref);
  g_clear_pointer (&self->owner_auth, ward_secret_unref);
  ward_cli_srk_clear (&self->srk);
  ward_cli_target_clear (&self->target);
}

gboolean
ward_cli_key_open (WardCli *cli, WardCliKey *self, const char *key)
{
  self->key = g_strdup (key);
  /* before there are other descriptors than those that we were started with */
  if (self->owner_fd != NULL)
    {
      self->owner_auth = ward_cli_secret_read (cli, "--owner-fd", self->owner_fd);
      if (self->owner_auth == NULL)
        return FALSE;
    }
  if (!ward_cli_srk_obtain (cli, &self->srk))
    return FALSE;
  if (self->password_file != NULL)
    {
      self->password = ward_cli_secret_read_file (cli, "--password-file", self->password_file);
      if (self->password == NULL)
        return FALSE;
    }
  return ward_cli_target_open (cli, &self->target, self->system ? "SystemKeys" : "Keys");
}

GVariant *
ward_cli_key_call (WardCli *cli, WardCliKey *self, const char *method, GVariant *parameters)
{
  g_autoptr (GError) error = NULL;
  GVariant *reply = ward_cli_call (cli, self->target.proxy, method, parameters, &error);

  if (reply == NULL)
    cli->status = ward_cli_fail (error);
  return reply;
}

GVariant *
ward_cli_key_describe (WardCli *cli, WardCliKey *self)
{
  g_autoptr (GVariant) reply = ward_cli_key_call (cli, self, "Describe", g_variant_new ("(s)", self->key));

  return reply != NULL ? g_variant_get_child_value (reply, 0) : NULL;
}

void
ward_cli_key_print_json (GVariant *key)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  ward_cli_json_add_dictionary (builder, key);
  ward_cli_json_print (builder, TRUE);
}

WardCliStatus
ward_cli_key_tell (WardCli *cli, WardCliKey *self, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list args;

  if (cli->json)
    {
      g_autoptr (GVariant) key = ward_cli_key_describe (cli, self);

      if (key == NULL)
        return cli->status;
      ward_cli_key_print_json (key);
      return WARD_CLI_OK;
    }
  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  ward_cli_print_success (text);
  return WARD_CLI_OK;
}

/* Not the owner auth, nor a password where the key has none. */
static gboolean
misses_password (WardCli *cli, gpointer user_data)
{
  WardCliKey *self = user_data;
  g_autoptr (GVariant) reply = ward_cli_call (cli, self->target.proxy, "Describe", g_variant_new ("(s)", self->key),
                                              NULL);
  g_autoptr (GVariant) key = reply != NULL ? g_variant_get_child_value (reply, 0) : NULL;
  gboolean has_auth = FALSE;

  return key != NULL && g_variant_lookup (key, "has-auth", "b", &has_auth) && has_auth;
}

void
ward_cli_key_prepare (WardCliKey *self, WardCliAuthCall *call, char **what)
{
  *what = g_strdup_printf ("password of the key “%s”", self->key);
  call->proxy = self->target.proxy;
  call->auth = "auth";
  call->what = *what;
  call->option = "--password-file";
  call->secret = g_steal_pointer (&self->password);
  call->may_ask = misses_password;
  call->may_ask_data = self;
  call->hint = ward_cli_srk_hint (&self->srk, self->target.is_tpm12);
}

gboolean
ward_cli_key_pack (WardCliKey *self, GVariantDict *options, GUnixFDList *fds, GError **error)
{
  return ward_cli_secret_pack (self->owner_auth, "owner-auth", options, fds, error)
         && ward_cli_srk_pack (&self->srk, options, fds, error);
}

const char *
ward_cli_key_system_option (const WardCliKey *self)
{
  return self->system ? " --system" : "";
}

/* What a shell takes as it is stays readable. The id stands for what would be taken for an option, and for what is too
 * long to be typed. */
char *
ward_cli_key_quote (GVariant *key)
{
  g_autofree char *clean = ward_cli_text_clean (ward_client_key_get_string (key, "label"));

  if (*clean == '-' || g_utf8_strlen (clean, -1) > MAX_QUOTED)
    return g_strdup (ward_client_key_get_string (key, "id"));
  for (const char *p = clean; *p != '\0'; p++)
    if (!g_ascii_isalnum (*p) && strchr ("@%+=:,./_-", *p) == NULL && (guchar)*p < 0x80)
      return g_shell_quote (clean);
  return g_steal_pointer (&clean);
}
