/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* What a secret that clevis has encrypted (clevis-encrypt-tang(1), -tpm2(1), -sss(1)) is opened with. */
typedef struct
{
  gboolean uses_tpm;
  gboolean needs_tpm; /* without it there are too few other pins */
  char *pins;         /* for a person: "tpm2", "sss (1 of: tang, tpm2)" */
} WardClevis;

/* jwe: the protected header of a JWE in base64url, or a whole JWE in compact form, which begins with it. NULL when it
 * is not of clevis. */
WardClevis *ward_clevis_new (const char *jwe);
void ward_clevis_free (WardClevis *clevis);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardClevis, ward_clevis_free)
