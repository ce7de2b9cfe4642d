/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli-pcr-selection.h"

#include <string.h>

#include "ward-client-pcr.h"

/* The only one. */
#define BANK_OF_1_2 "sha1"

GVariant *
ward_cli_pcrs_parse (WardCli *cli, const char *text, gboolean is_tpm12)
{
  gboolean names_none = *text != '\0' && strpbrk (text, ":+") == NULL;
  g_autofree char *of_1_2 = is_tpm12 && names_none ? g_strconcat (BANK_OF_1_2 ":", text, NULL) : NULL;
  g_autoptr (GError) error = NULL;
  GVariant *pcrs = ward_client_pcrs_parse (of_1_2 != NULL ? of_1_2 : text, &error);

  if (pcrs == NULL)
    cli->status = ward_cli_fail_usage (cli, NULL, "%s", error->message);
  return pcrs;
}
