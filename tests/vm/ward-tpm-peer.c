/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Another program at the same chip, which keeps a key and a session of its own there: ward-tpm-peer TCTI. It says
 * “ready” when it has both, and signs for each line on standard input, with the key, authorized through the session:
 * “signed”, or the code that it got. At the end of its input it gives both back. */
#include <stdio.h>
#include <stdlib.h>
#include <tss2/tss2_esys.h>
#include <tss2/tss2_tctildr.h>

#define DIGEST_SIZE 32

typedef struct
{
  ESYS_CONTEXT *esys;
  ESYS_TR key;
  ESYS_TR session;
} Peer;

static void
check (const char *what, TSS2_RC code)
{
  if (code == TSS2_RC_SUCCESS)
    return;
  fprintf (stderr, "%s: 0x%x\n", what, code);
  exit (1);
}

static void
make_key (Peer *peer)
{
  static const TPM2B_SENSITIVE_CREATE sensitive = { .sensitive = {
                                                        .userAuth = { .size = 4, .buffer = { 'p', 'e', 'e', 'r' } } } };
  static const TPM2B_PUBLIC public = { .publicArea = {
                                           .type = TPM2_ALG_ECC,
                                           .nameAlg = TPM2_ALG_SHA256,
                                           .objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT
                                                               | TPMA_OBJECT_NODA | TPMA_OBJECT_SENSITIVEDATAORIGIN
                                                               | TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_SIGN_ENCRYPT,
                                           .parameters.eccDetail = { .symmetric.algorithm = TPM2_ALG_NULL,
                                                                     .scheme.scheme = TPM2_ALG_NULL,
                                                                     .curveID = TPM2_ECC_NIST_P256,
                                                                     .kdf.scheme = TPM2_ALG_NULL } } };
  static const TPM2B_DATA no_data = { 0 };
  static const TPML_PCR_SELECTION no_pcrs = { 0 };

  check ("the key", Esys_CreatePrimary (peer->esys, ESYS_TR_RH_NULL, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                                        &sensitive, &public, &no_data, &no_pcrs, &peer->key, NULL, NULL, NULL, NULL));
}

static void
start_session (Peer *peer)
{
  static const TPMT_SYM_DEF symmetric = { .algorithm = TPM2_ALG_NULL };

  check ("the session",
         Esys_StartAuthSession (peer->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, NULL,
                                TPM2_SE_HMAC, &symmetric, TPM2_ALG_SHA256, &peer->session));
  check ("the session", Esys_TRSess_SetAttributes (peer->esys, peer->session, TPMA_SESSION_CONTINUESESSION, 0xff));
}

static TSS2_RC
sign (const Peer *peer)
{
  static const TPM2B_DIGEST digest = { .size = DIGEST_SIZE };
  static const TPMT_SIG_SCHEME scheme = { .scheme = TPM2_ALG_ECDSA, .details.ecdsa.hashAlg = TPM2_ALG_SHA256 };
  static const TPMT_TK_HASHCHECK unrestricted = { .tag = TPM2_ST_HASHCHECK, .hierarchy = TPM2_RH_NULL };
  TPMT_SIGNATURE *signature = NULL;
  TSS2_RC code = Esys_Sign (peer->esys, peer->key, peer->session, ESYS_TR_NONE, ESYS_TR_NONE, &digest, &scheme,
                            &unrestricted, &signature);

  Esys_Free (signature);
  return code;
}

int
main (int argc, char **argv)
{
  TSS2_TCTI_CONTEXT *tcti = NULL;
  Peer peer = { 0 };
  TSS2_RC code;
  int byte;

  check ("the TPM", Tss2_TctiLdr_Initialize (argc > 1 ? argv[1] : NULL, &tcti));
  check ("the TPM", Esys_Initialize (&peer.esys, tcti, NULL));
  make_key (&peer);
  start_session (&peer);
  setvbuf (stdout, NULL, _IOLBF, 0);
  puts ("ready");

  while ((byte = getchar ()) != EOF)
    {
      if (byte != '\n')
        continue;
      code = sign (&peer);
      if (code == TSS2_RC_SUCCESS)
        puts ("signed");
      else
        printf ("0x%x\n", code);
    }

  check ("the key's end", Esys_FlushContext (peer.esys, peer.key));
  check ("the session's end", Esys_FlushContext (peer.esys, peer.session));
  Esys_Finalize (&peer.esys);
  Tss2_TctiLdr_Finalize (&tcti);
  return 0;
}
