/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* The handles that a wrapped key's parent may be (TPM 2.0 Library, Part 2, 7.4), beside persistent ones. */
#define WARD_PARENT_OWNER 0x40000001u
#define WARD_PARENT_NULL 0x40000007u
#define WARD_PARENT_ENDORSEMENT 0x4000000bu
#define WARD_PARENT_PLATFORM 0x4000000cu

typedef enum
{
  WARD_PEM_OTHER,     /* nothing that a TPM has wrapped */
  WARD_PEM_TSS2,      /* a TSS2 PRIVATE KEY, or the TSS2 KEY BLOB of earlier tools */
  WARD_PEM_TSS2_DATA, /* sealed data in the same form */
  WARD_PEM_TSS1,      /* a TSS KEY BLOB, of TPM 1.2 */
} WardPem;

/* What the first such block in a text of length bytes is. parent: of the first two the parent's handle, 0 when the
 * block cannot be read so far. */
WardPem ward_tss2_pem_read (const char *text, gsize length, guint32 *parent);
