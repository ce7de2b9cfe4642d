/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli-key-handle.h"

/* TPM 2.0 Library, Part 2, 7.5: those of the owner. */
#define FIRST_HANDLE 0x81000000u
#define LAST_HANDLE 0x817fffffu

gboolean
ward_cli_key_parse_handle (WardCli *cli, const char *text, guint32 *handle)
{
  gboolean is_hex = g_ascii_strncasecmp (text, "0x", 2) == 0;
  guint64 number;

  if (g_ascii_string_to_unsigned (is_hex ? text + 2 : text, is_hex ? 16 : 10, FIRST_HANDLE, LAST_HANDLE, &number, NULL))
    {
      *handle = (guint32)number;
      return TRUE;
    }
  cli->status = ward_cli_fail_usage (cli, NULL, "HANDLE is from 0x%08x to 0x%08x, such as 0x81020001, not “%s”.",
                                     FIRST_HANDLE, LAST_HANDLE, text);
  return FALSE;
}

GVariant *
ward_cli_key_call_by_owner (WardCli *cli, WardCliKey *self, WardCliAuthCall *call)
{
  call->proxy = self->target.proxy;
  call->auth = "owner-auth";
  call->what = "owner auth";
  call->option = "--owner-fd";
  call->secret = g_steal_pointer (&self->owner_auth);
  call->by_owner = TRUE;
  return ward_cli_auth_call (cli, call);
}
