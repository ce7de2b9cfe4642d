/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-hex.h"
#include "ward-tpm2-private.h"

#include <tss2/tss2_sys.h>

/* The public area of an object that is in the chip (TPM 2.0 Library, Part 3, 12.4), by its handle alone. */
TSS2_RC
ward_tpm2_read_public (WardConnection *connection, TPM2_HANDLE handle, TPM2B_PUBLIC *public, TPM2B_NAME *name)
{
  TPM2B_NAME qualified = { 0 };
  TSS2_SYS_CONTEXT *sys = NULL;
  WardTpm2Wait wait = { 0 };
  TSS2_RC rc = Esys_GetSysContext (connection->esys, &sys);

  if (rc == TSS2_RC_SUCCESS)
    do
      rc = Tss2_Sys_ReadPublic (sys, handle, NULL, public, name, &qualified, NULL);
    while (ward_tpm2_wait_again (connection, &wait, rc));
  return rc;
}

/* The public area of an NV index (TPM 2.0 Library, Part 3, 31.6). */
TSS2_RC
ward_tpm2_nv_read_public (WardConnection *connection, TPM2_HANDLE index, TPM2B_NV_PUBLIC *public, TPM2B_NAME *name)
{
  TSS2_SYS_CONTEXT *sys = NULL;
  WardTpm2Wait wait = { 0 };
  TSS2_RC rc = Esys_GetSysContext (connection->esys, &sys);

  if (rc == TSS2_RC_SUCCESS)
    do
      rc = Tss2_Sys_NV_ReadPublic (sys, index, NULL, public, name, NULL);
    while (ward_tpm2_wait_again (connection, &wait, rc));
  return rc;
}

char *
ward_tpm2_name_to_string (const TPM2B_NAME *name)
{
  return ward_hex (name->name, MIN (name->size, sizeof name->name), 0);
}

static char *
curve_to_string (TPM2_ECC_CURVE curve)
{
  switch (curve)
    {
    case TPM2_ECC_NIST_P192:
      return g_strdup ("ecc-p192");
    case TPM2_ECC_NIST_P224:
      return g_strdup ("ecc-p224");
    case TPM2_ECC_NIST_P256:
      return g_strdup ("ecc-p256");
    case TPM2_ECC_NIST_P384:
      return g_strdup ("ecc-p384");
    case TPM2_ECC_NIST_P521:
      return g_strdup ("ecc-p521");
    default:
      return g_strdup_printf ("ecc-0x%04x", curve);
    }
}

/* "ecc-p256", "rsa2048"; of what is no key pair its type's name in the TCG Algorithm Registry, as "keyedhash". */
char *
ward_tpm2_public_to_string (const TPMT_PUBLIC *public)
{
  switch (public->type)
    {
    case TPM2_ALG_RSA:
      return g_strdup_printf ("rsa%u", public->parameters.rsaDetail.keyBits);
    case TPM2_ALG_ECC:
      return curve_to_string (public->parameters.eccDetail.curveID);
    default:
      return ward_tpm2_algorithm_to_string (public->type);
    }
}
