/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/* The platform configuration registers of a PC, and what is measured into each: TCG PC Client Platform Firmware
 * Profile, 3.3.4; from 8 to 15 as GRUB, shim, Linux and systemd use them. */
#define WARD_CLIENT_N_PCRS 24

/* The bank that is meant where none is named. */
#define WARD_CLIENT_PCR_BANK "sha256"

/* A few words for a narrow column, in English; "" for a register that a PC does not have. */
const char *ward_client_pcr_get_name (guint32 index);

/* The following are translated; "" for a register that a PC does not have. */

/* As a title: “Firmware”. */
const char *ward_client_pcr_get_title (guint32 index);

/* What is measured into it, in a sentence. */
const char *ward_client_pcr_get_content (guint32 index);

/* What probably has happened when its value is another one, in a sentence. */
const char *ward_client_pcr_get_cause (guint32 index);

typedef enum
{
  WARD_CLIENT_PCR_MEASURED, /* something was measured into it */
  WARD_CLIENT_PCR_ZEROS,    /* only 00: nothing was, since the start */
  WARD_CLIENT_PCR_ONES,     /* only ff: there was no dynamic launch, which alone uses it */
} WardClientPcrState;

WardClientPcrState ward_client_pcr_get_state (const guint8 *value, gsize size);

/* PCRs as a person writes them: “sha256:7,11”, several banks joined by “+”, the bank sha256 where none is named.
 * Returns them as the service takes them, a{sau}: a new floating one, or NULL with WARD_CLIENT_ERROR_INVALID_ARGUMENT.
 */
GVariant *ward_client_pcrs_parse (const char *text, GError **error);

/* The other way round; a new string, empty for none. */
char *ward_client_pcrs_format (GVariant *pcrs);
