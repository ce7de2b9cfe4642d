/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include <trousers/tss.h>

#include "ward-tpm12-message.h"

/* A context at tcsd, for one act: each takes one of the threads that tcsd has for its clients, which are few. */
typedef struct
{
  TSS_HCONTEXT context;
  TSS_HTPM tpm;
} WardTspi;

/* Does what was asked for. request: its body has the type that belongs to the act. secret: to be set where the answer
 * is one. Returns the answer, floating, or NULL with a WARD_ERROR. */
typedef GVariant *(*WardTspiFunc) (WardTspi *tspi, const WardTpm12Message *request, WardSecret **secret,
                                   GError **error);

WardTspi *ward_tspi_open (GError **error);
void ward_tspi_close (WardTspi *tspi);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardTspi, ward_tspi_close)

/* what: what has failed, the beginning of a sentence: "The TPM's owner could not be …". */
void ward_tspi_set_error (GError **error, TSS_RESULT result, const char *what);
/* TRUE if result is none of an error; else sets error. */
gboolean ward_tspi_check (TSS_RESULT result, const char *what, GError **error);
/* Whether it is that code of the TPM's own (TPM Main, Part 2, 16), and not one of the layers above it. */
/* The same of loading a key: what was changed in one, the chip finds where it happens to look, and calls it by other
 * names. WARD_ERROR_CORRUPT. */
gboolean ward_tspi_check_key (TSS_RESULT result, const char *what, GError **error);

gboolean ward_tspi_is_tpm_code (TSS_RESULT result, UINT32 code);

/* secret: NULL or empty for the well-known one, 20 zero bytes; any other is hashed, as tpm-tools do. */
TSS_RESULT ward_tspi_set_secret (TSS_HPOLICY policy, WardSecret *secret);
/* Gives an object's usage policy the secret. */
TSS_RESULT ward_tspi_authorize (TSS_HOBJECT object, WardSecret *secret);
/* A new policy of that kind with the secret. */
TSS_RESULT ward_tspi_new_policy (WardTspi *tspi, TSS_FLAG kind, WardSecret *secret, TSS_HPOLICY *policy);

/* A property of the TPM, one of TSS_TPMCAP_PROP_…. */
TSS_RESULT ward_tspi_get_number (WardTspi *tspi, UINT32 property, UINT32 *number);

/* The storage root key, by tcsd's record of it, with that secret. */
TSS_RESULT ward_tspi_load_srk (WardTspi *tspi, WardSecret *secret, TSS_HKEY *srk);

/* Gives an object a policy of its own: that which it comes with is the context's, and so the storage root key's. */
TSS_RESULT ward_tspi_assign_secret (WardTspi *tspi, TSS_HOBJECT object, WardSecret *secret);

/* The bytes of a variant of type ay. */
BYTE *ward_tspi_get_bytes (GVariant *variant, UINT32 *size);
GVariant *ward_tspi_new_bytes (const BYTE *bytes, UINT32 size);
/* What libtspi has answered, which is wiped there. */
WardSecret *ward_tspi_take_secret (BYTE *bytes, UINT32 size);

/* The acts. What they are given and answer: */
GVariant *ward_tspi_identify (WardTspi *tspi, const WardTpm12Message *request, WardSecret **secret,
                              GError **error); /* () → (sssstsu) */
GVariant *ward_tspi_probe (WardTspi *tspi, const WardTpm12Message *request, WardSecret **secret,
                           GError **error); /* () → () */
GVariant *ward_tspi_get_properties (WardTspi *tspi, const WardTpm12Message *request, WardSecret **secret,
                                    GError **error); /* () → a{sv} */
GVariant *ward_tspi_get_random (WardTspi *tspi, const WardTpm12Message *request, WardSecret **secret,
                                GError **error); /* u → (), and the bytes as a secret */
GVariant *ward_tspi_self_test (WardTspi *tspi, const WardTpm12Message *request, WardSecret **secret,
                               GError **error); /* () → (uay) */
GVariant *ward_tspi_get_test_result (WardTspi *tspi, const WardTpm12Message *request, WardSecret **secret,
                                     GError **error); /* () → (uay) */
GVariant *ward_tspi_read_pcrs (WardTspi *tspi, const WardTpm12Message *request, WardSecret **secret,
                               GError **error); /* u: mask → aay, of those, in their order */
GVariant *ward_tspi_read_ownership (WardTspi *tspi, const WardTpm12Message *request, WardSecret **secret,
                                    GError **error); /* () → (bu): whether it has an owner; as by identify */
GVariant *ward_tspi_take_ownership (WardTspi *tspi, const WardTpm12Message *request, WardSecret **secret,
                                    GError **error); /* (), secrets: owner's, SRK's → ay: the SRK's modulus */
GVariant *ward_tspi_change_auth (WardTspi *tspi, const WardTpm12Message *request, WardSecret **secret,
                                 GError **error); /* b: of the SRK; secrets: the owner's, the new one → () */
GVariant *ward_tspi_reset_lockout (WardTspi *tspi, const WardTpm12Message *request, WardSecret **secret,
                                   GError **error); /* (), secret: the owner's → () */
GVariant *ward_tspi_clear (WardTspi *tspi, const WardTpm12Message *request, WardSecret **secret,
                           GError **error); /* (), secret: the owner's → () */
GVariant *ward_tspi_set_flag (WardTspi *tspi, const WardTpm12Message *request, WardSecret **secret,
                              GError **error); /* (ub): a TSS_TPMSTATUS and its value; secret: the owner's → () */
GVariant *ward_tspi_create_key (WardTspi *tspi, const WardTpm12Message *request, WardSecret **secret,
                                GError **error); /* u: a TSS_KEY_TYPE; secrets: the key's, the SRK's → ay */
GVariant *ward_tspi_import_key (WardTspi *tspi, const WardTpm12Message *request, WardSecret **secret,
                                GError **error); /* (uayay): as of create_key, the key's modulus, the SRK's or nothing;
                                                    secrets: the key's, the SRK's, a prime, the owner's → ay */
GVariant *ward_tspi_load_key (WardTspi *tspi, const WardTpm12Message *request, WardSecret **secret,
                              GError **error); /* ay; secrets: likewise → () */
GVariant *ward_tspi_sign (WardTspi *tspi, const WardTpm12Message *request, WardSecret **secret,
                          GError **error); /* (ayay); secrets: likewise → ay */
GVariant *ward_tspi_decrypt (WardTspi *tspi, const WardTpm12Message *request, WardSecret **secret,
                             GError **error); /* (ayay); secrets: likewise → (), and what was encrypted as a secret */
GVariant *ward_tspi_change_key_auth (WardTspi *tspi, const WardTpm12Message *request, WardSecret **secret,
                                     GError **error); /* ay; secrets: the key's, the SRK's, the new one → ay */
GVariant *ward_tspi_seal (WardTspi *tspi, const WardTpm12Message *request, WardSecret **secret,
                          GError **error); /* a(uay): PCRs and values; secrets: its own, the SRK's, the data → ay */
GVariant *ward_tspi_seal_for_tpm_tools (WardTspi *tspi, const WardTpm12Message *request, WardSecret **secret,
                                        GError **error); /* the same → (ayay): a storage key, and what it sealed */
GVariant *ward_tspi_unseal (WardTspi *tspi, const WardTpm12Message *request, WardSecret **secret,
                            GError **error); /* (ayay): that, of our own sealing without the key; secrets: its own, the
                                                SRK's → (), and the data as a secret */
GVariant *ward_tspi_list_nv (WardTspi *tspi, const WardTpm12Message *request, WardSecret **secret,
                             GError **error); /* () → a(uuubb): number, size, attributes, locked to read, to write */
GVariant *
ward_tspi_define_nv (WardTspi *tspi, const WardTpm12Message *request, WardSecret **secret,
                     GError **error); /* (uuu): number, size, attributes; secrets: the owner's, its own → () */
GVariant *ward_tspi_undefine_nv (WardTspi *tspi, const WardTpm12Message *request, WardSecret **secret,
                                 GError **error); /* u; secret: the owner's → () */
GVariant *
ward_tspi_read_nv (WardTspi *tspi, const WardTpm12Message *request, WardSecret **secret,
                   GError **error); /* (uuub): number, offset, size, whether by a secret, that → () and data */
GVariant *ward_tspi_write_nv (WardTspi *tspi, const WardTpm12Message *request, WardSecret **secret,
                              GError **error); /* (uub): number, offset, whether by a secret; that, the data → () */
