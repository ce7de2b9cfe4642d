/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tpm2-private.h"

typedef struct
{
  TPM2_HANDLE first;
  TPM2_HANDLE last;
  const char *purpose;
} Range;

/* Who keeps what where: TCG Registry of Reserved TPM 2.0 Handles and Localities; TCG EK Credential Profile for TPM 2.0,
 * 2.2.1.4; TPM 2.0 Keys for Device Identity and Attestation, 7. A range follows those that are within it. */
static const Range ranges[] = {
  { 0x01c00002, 0x01c00002, "the certificate of the endorsement key (RSA)" },
  { 0x01c00003, 0x01c00003, "the nonce of the endorsement key's template (RSA)" },
  { 0x01c00004, 0x01c00004, "the endorsement key's template (RSA)" },
  { 0x01c0000a, 0x01c0000a, "the certificate of the endorsement key (ECC)" },
  { 0x01c0000b, 0x01c0000b, "the nonce of the endorsement key's template (ECC)" },
  { 0x01c0000c, 0x01c0000c, "the endorsement key's template (ECC)" },
  { 0x01c00012, 0x01c0007f, "a certificate or template of an endorsement key" },
  { 0x01c00100, 0x01c001ff, "a certificate of the endorsement key's issuer" },
  { 0x01c00000, 0x01c07fff, "the TPM maker's certificates" },
  { 0x01c08000, 0x01c0ffff, "the certificate of the platform" },
  { 0x01c10000, 0x01c1ffff, "data of a component of the platform" },
  { 0x01c90000, 0x01c9ffff, "a certificate of the device's identity (IDevID or IAK)" },
  { 0x01c00000, 0x01ffffff, "data in a range that the TCG reserves" },
  { 0x01000000, 0x013fffff, "data of the TPM's maker" },
  { 0x01400000, 0x017fffff, "data of the platform's maker" },
  { 0x81000001, 0x81000001, "the storage root key" },
  { 0x81010001, 0x81010002, "the endorsement key" },
  { 0x81010000, 0x8101ffff, "a key of the endorsement hierarchy" },
  { 0x81020000, 0x8102ffff, "a key of the device's identity (IDevID or IAK)" },
  { 0x81800000, 0x81ffffff, "a key of the platform's maker" },
};

/* What is kept at the handle by convention, as the end of a sentence: "the storage root key"; "" where any program may
 * keep what it likes. Nothing keeps others from using such a handle. */
const char *
ward_tpm2_handle_get_purpose (TPM2_HANDLE handle)
{
  for (guint i = 0; i < G_N_ELEMENTS (ranges); i++)
    if (handle >= ranges[i].first && handle <= ranges[i].last)
      return ranges[i].purpose;
  return "";
}
