/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* What opens the key slots of one LUKS volume. Sets of slots are bit masks. */
typedef struct
{
  guint32 active;        /* those that open the volume */
  guint32 tpm;           /* of those: which the TPM opens, */
  guint32 tpm_only;      /* and which nothing but it does */
  gboolean uses_owner;   /* by a primary key or policy made under an empty owner auth */
  gboolean uses_pin;     /* which the TPM guards against guessing: with a PIN for one of its slots */
  GString *detail;       /* a sentence for each of the TPM's */
  const char *other[32]; /* what opens a slot instead, where that is known; constant strings */
} WardLuksSlots;

WardLuksSlots *ward_luks_slots_new (guint32 active);
void ward_luks_slots_free (WardLuksSlots *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardLuksSlots, ward_luks_slots_free)

/* Takes in a LUKS2 token of that type, for those slots. */
void ward_luks_slots_add_token (WardLuksSlots *self, guint32 slots, const char *type, const char *json);
/* Takes in a secret of clevis's, as ward_clevis_new() reads them. */
void ward_luks_slots_add_clevis (WardLuksSlots *self, guint32 slots, const char *jwe);

/* The slots that open the volume without the TPM, with how, for a person: "key slot 0 (a passphrase or key file)"; NULL
 * when there is none. */
char *ward_luks_slots_describe_others (const WardLuksSlots *self);
