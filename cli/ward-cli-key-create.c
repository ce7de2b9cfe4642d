/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli-key-make.h"

typedef struct
{
  WardCliKeyMake make;
  char *algorithm;
} Create;

static void
create_clear (Create *self)
{
  ward_cli_key_make_clear (&self->make);
  g_free (self->algorithm);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Create, create_clear)

/* The first that the TPM has and that can do what is wanted. */
static const char *
choose_algorithm (const Create *self)
{
  static const char *const preferred[] = { "ecc-p256", "ecc-p384", "rsa2048", "rsa3072" };
  const char *const *algorithms = (const char *const *)self->make.key.target.algorithms;
  g_auto (GStrv) usage = g_strsplit (self->make.usage != NULL ? self->make.usage : "", ",", -1);
  gboolean needs_rsa = g_strv_contains ((const char *const *)usage, "decrypt");

  if (self->algorithm != NULL)
    return self->algorithm;
  for (gsize i = 0; i < G_N_ELEMENTS (preferred) && algorithms != NULL; i++)
    if (g_strv_contains (algorithms, preferred[i]) && (!needs_rsa || g_str_has_prefix (preferred[i], "rsa")))
      return preferred[i];
  /* the service says what is wrong with it */
  return needs_rsa ? "rsa2048" : preferred[0];
}

WardCliStatus
ward_cli_key_create (WardCli *cli, GStrv *args)
{
  g_auto (Create) self = { 0 };
  const GOptionEntry entries[] = {
    { "algorithm", 'a', 0, G_OPTION_ARG_STRING, &self.algorithm,
      "ecc-p256 (the default), ecc-p384, rsa2048 or rsa3072, as far as the TPM has them", "NAME" },
    WARD_CLI_KEY_MAKE_ENTRIES (&self.make),
    { 0 },
  };
  g_auto (GVariantDict) options = G_VARIANT_DICT_INIT (NULL);
  g_autoptr (GUnixFDList) fds = g_unix_fd_list_new ();
  GVariant *parameters;

  if (!ward_cli_parse (cli, args, entries, 1, 1) || !ward_cli_key_make_open (cli, &self.make, (*args)[0])
      || !ward_cli_key_make_pack (cli, &self.make, &options, fds))
    return cli->status;
  parameters = g_variant_new ("(ss@a{sv})", (*args)[0], choose_algorithm (&self), g_variant_dict_end (&options));
  return ward_cli_key_make (cli, &self.make, "The TPM makes the key", "Create", parameters, fds, "was made");
}
