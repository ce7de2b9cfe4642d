/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Another program at a TPM 1.2, by libtspi: ward-tspi-peer [OPTION…] make|sign|decrypt FILE. FILE is a key as
 * create_tpm_key of openssl_tpm_engine writes it and the engine reads it. “make” makes one; “sign” signs the DigestInfo
 * on standard input, and “decrypt” decrypts what is there, to standard output. */
#include <glib.h>
#include <openssl/asn1.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <trousers/tss.h>

#include <trousers/trousers.h>

#define LABEL "TSS KEY BLOB"
#define MAX_RSA_SIZE 512

typedef struct
{
  TSS_HCONTEXT context;
  TSS_HKEY srk;
  TSS_HKEY key;
} Peer;

static char *key_auth, *migration_auth, *wrapped;
static gboolean oaep, sha1;

static const GOptionEntry options[] = {
  { "auth", 0, 0, G_OPTION_ARG_STRING, &key_auth, "The key's secret", "SECRET" },
  { "migration-auth", 0, 0, G_OPTION_ARG_STRING, &migration_auth, "What lets a key that is wrapped migrate", "SECRET" },
  { "oaep", 0, 0, G_OPTION_ARG_NONE, &oaep, "A key that decrypts by OAEP", NULL },
  { "sha1", 0, 0, G_OPTION_ARG_NONE, &sha1, "A key that signs digests of SHA-1 alone", NULL },
  { "wrap", 0, 0, G_OPTION_ARG_FILENAME, &wrapped, "A private key to wrap instead of making one", "PEM" },
  { NULL },
};

static void
check (const char *what, TSS_RESULT result)
{
  if (result == TSS_SUCCESS)
    return;
  g_printerr ("%s: 0x%x (%s)\n", what, result, Trspi_Error_String (result));
  exit (1);
}

static void
require (const char *what, gboolean holds)
{
  if (holds)
    return;
  g_printerr ("%s\n", what);
  exit (1);
}

static void
set_secret (TSS_HPOLICY policy, const char *secret)
{
  check ("a secret", Tspi_Policy_SetSecret (policy, TSS_SECRET_MODE_PLAIN, (UINT32)strlen (secret), (BYTE *)secret));
}

/* kind: TSS_POLICY_USAGE or TSS_POLICY_MIGRATION. secret: NULL for none. */
static void
assign_policy (Peer *peer, TSS_FLAG kind, const char *secret)
{
  TSS_HPOLICY policy;

  check ("a policy", Tspi_Context_CreateObject (peer->context, TSS_OBJECT_TYPE_POLICY, kind, &policy));
  if (secret)
    set_secret (policy, secret);
  check ("a policy", Tspi_Policy_AssignToObject (policy, peer->key));
}

static void
connect_to_tcsd (Peer *peer)
{
  TSS_UUID uuid = TSS_UUID_SRK;
  BYTE well_known[] = TSS_WELL_KNOWN_SECRET;
  TSS_HPOLICY policy;

  check ("the context", Tspi_Context_Create (&peer->context));
  check ("tcsd", Tspi_Context_Connect (peer->context, NULL));
  check ("the storage root key", Tspi_Context_LoadKeyByUUID (peer->context, TSS_PS_TYPE_SYSTEM, uuid, &peer->srk));
  check ("the storage root key", Tspi_GetPolicyObject (peer->srk, TSS_POLICY_USAGE, &policy));
  check ("the storage root key", Tspi_Policy_SetSecret (policy, TSS_SECRET_MODE_SHA1, sizeof well_known, well_known));
}

/* name: of one of the numbers that an RSA key consists of. */
static void
set_number (Peer *peer, EVP_PKEY *pkey, const char *name, TSS_FLAG flag, TSS_FLAG subflag)
{
  BIGNUM *number = NULL;
  BYTE bytes[MAX_RSA_SIZE];
  int size;

  require ("The private key has not what it takes.", EVP_PKEY_get_bn_param (pkey, name, &number) == 1);
  size = BN_bn2bin (number, bytes);
  check ("the private key", Tspi_SetAttribData (peer->key, flag, subflag, (UINT32)size, bytes));
  BN_clear_free (number);
}

static void
wrap (Peer *peer)
{
  FILE *file = fopen (wrapped, "r");
  EVP_PKEY *pkey = file ? PEM_read_PrivateKey (file, NULL, NULL, NULL) : NULL;
  UINT32 size;
  BYTE *bytes;

  require ("The private key cannot be read.", pkey != NULL);
  assign_policy (peer, TSS_POLICY_MIGRATION, migration_auth);
  /* has libtspi know it */
  check ("the storage root key's public half", Tspi_Key_GetPubKey (peer->srk, &size, &bytes));
  set_number (peer, pkey, OSSL_PKEY_PARAM_RSA_N, TSS_TSPATTRIB_RSAKEY_INFO, TSS_TSPATTRIB_KEYINFO_RSA_MODULUS);
  set_number (peer, pkey, OSSL_PKEY_PARAM_RSA_FACTOR1, TSS_TSPATTRIB_KEY_BLOB, TSS_TSPATTRIB_KEYBLOB_PRIVATE_KEY);
  check ("the wrapping", Tspi_Key_WrapKey (peer->key, peer->srk, 0));
  EVP_PKEY_free (pkey);
  fclose (file);
}

static void
write_key (Peer *peer, const char *path)
{
  ASN1_OCTET_STRING *string = ASN1_OCTET_STRING_new ();
  FILE *file = fopen (path, "w");
  unsigned char *der = NULL;
  UINT32 size;
  BYTE *blob;
  int der_size;

  check ("the key's blob",
         Tspi_GetAttribData (peer->key, TSS_TSPATTRIB_KEY_BLOB, TSS_TSPATTRIB_KEYBLOB_BLOB, &size, &blob));
  ASN1_STRING_set (string, blob, (int)size);
  der_size = i2d_ASN1_OCTET_STRING (string, &der);
  require ("The file cannot be written.", file && PEM_write (file, LABEL, "", der, der_size) > 0);
  fclose (file);
  OPENSSL_free (der);
  ASN1_OCTET_STRING_free (string);
}

static void
make (Peer *peer, const char *path)
{
  TSS_FLAG flags = TSS_KEY_TYPE_LEGACY | TSS_KEY_VOLATILE | TSS_KEY_SIZE_2048;

  flags |= key_auth ? TSS_KEY_AUTHORIZATION : 0;
  flags |= wrapped ? TSS_KEY_MIGRATABLE : 0;
  check ("the key", Tspi_Context_CreateObject (peer->context, TSS_OBJECT_TYPE_RSAKEY, flags, &peer->key));
  check ("the scheme", Tspi_SetAttribUint32 (peer->key, TSS_TSPATTRIB_KEY_INFO, TSS_TSPATTRIB_KEYINFO_SIGSCHEME,
                                             sha1 ? TSS_SS_RSASSAPKCS1V15_SHA1 : TSS_SS_RSASSAPKCS1V15_DER));
  check ("the scheme", Tspi_SetAttribUint32 (peer->key, TSS_TSPATTRIB_KEY_INFO, TSS_TSPATTRIB_KEYINFO_ENCSCHEME,
                                             oaep ? TSS_ES_RSAESOAEP_SHA1_MGF1 : TSS_ES_RSAESPKCSV15));
  if (key_auth)
    assign_policy (peer, TSS_POLICY_USAGE, key_auth);
  if (wrapped)
    wrap (peer);
  else
    check ("the key", Tspi_Key_CreateKey (peer->key, peer->srk, 0));
  write_key (peer, path);
}

static void
load (Peer *peer, const char *path)
{
  FILE *file = fopen (path, "r");
  char *name = NULL, *header = NULL;
  unsigned char *der = NULL;
  const unsigned char *next;
  ASN1_OCTET_STRING *string;
  UINT32 needs_auth;
  long size = 0;

  require ("The file cannot be read.", file && PEM_read (file, &name, &header, &der, &size) == 1);
  require ("The file is of another kind.", strcmp (name, LABEL) == 0);
  next = der;
  string = d2i_ASN1_OCTET_STRING (NULL, &next, size);
  require ("The file is damaged.", string != NULL && next == der + size);
  check ("the key", Tspi_Context_LoadKeyByBlob (peer->context, peer->srk, (UINT32)ASN1_STRING_length (string),
                                                (BYTE *)ASN1_STRING_get0_data (string), &peer->key));
  check ("the key",
         Tspi_GetAttribUint32 (peer->key, TSS_TSPATTRIB_KEY_INFO, TSS_TSPATTRIB_KEYINFO_AUTHUSAGE, &needs_auth));
  require (needs_auth ? "The key wants a secret." : "The key wants no secret.", !needs_auth == !key_auth);
  if (key_auth)
    assign_policy (peer, TSS_POLICY_USAGE, key_auth);
  ASN1_OCTET_STRING_free (string);
  OPENSSL_free (name);
  OPENSSL_free (header);
  OPENSSL_free (der);
  fclose (file);
}

static void
use (Peer *peer, gboolean signs)
{
  BYTE input[MAX_RSA_SIZE], *output;
  UINT32 size = (UINT32)fread (input, 1, sizeof input, stdin);
  TSS_HOBJECT object;

  if (signs)
    {
      check ("the hash", Tspi_Context_CreateObject (peer->context, TSS_OBJECT_TYPE_HASH, TSS_HASH_OTHER, &object));
      check ("the hash", Tspi_Hash_SetHashValue (object, size, input));
      check ("the signature", Tspi_Hash_Sign (object, peer->key, &size, &output));
    }
  else
    {
      check ("the data", Tspi_Context_CreateObject (peer->context, TSS_OBJECT_TYPE_ENCDATA, TSS_ENCDATA_BIND, &object));
      check ("the data",
             Tspi_SetAttribData (object, TSS_TSPATTRIB_ENCDATA_BLOB, TSS_TSPATTRIB_ENCDATABLOB_BLOB, size, input));
      check ("the decryption", Tspi_Data_Unbind (object, peer->key, &size, &output));
    }
  require ("It cannot be written.", fwrite (output, 1, size, stdout) == size && fflush (stdout) == 0);
}

int
main (int argc, char **argv)
{
  GOptionContext *context = g_option_context_new ("make|sign|decrypt FILE");
  Peer peer = { 0 };

  g_option_context_add_main_entries (context, options, NULL);
  require ("These options are none.", g_option_context_parse (context, &argc, &argv, NULL));
  require ("An act and a file are wanted.", argc == 3);
  connect_to_tcsd (&peer);
  if (strcmp (argv[1], "make") == 0)
    make (&peer, argv[2]);
  else
    {
      require ("There is no such act.", strcmp (argv[1], "sign") == 0 || strcmp (argv[1], "decrypt") == 0);
      load (&peer, argv[2]);
      use (&peer, strcmp (argv[1], "sign") == 0);
    }
  check ("the end", Tspi_Context_Close (peer.context));
  g_option_context_free (context);
  return 0;
}
