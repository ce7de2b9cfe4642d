/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-cli-key.h"

/* Parses a persistent handle, such as 0x81020001. FALSE with cli->status set after printing why. */
gboolean ward_cli_key_parse_handle (WardCli *cli, const char *text, guint32 *handle);

/* Calls Persist or Evict, whose secret is the owner auth, and asks for that if it is needed. NULL with cli->status set
 * after printing why. */
GVariant *ward_cli_key_call_by_owner (WardCli *cli, WardCliKey *self, WardCliAuthCall *call);
