/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Signs by a PKCS #11 module, in one session. A program of its own, which changes nothing of how the module's ESYS uses
 * OpenSSL: that is the peer as its users have it. */
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define MAX_COUNT 1000000
#define MAX_SLOTS 16

typedef struct
{
  CK_FUNCTION_LIST_PTR module;
  CK_SESSION_HANDLE session;
  CK_OBJECT_HANDLE key;
  CK_MECHANISM_TYPE mechanism;
} Token;

static gboolean
check (CK_RV code, const char *function, GError **error)
{
  if (code == CKR_OK)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s failed: 0x%lx", function, code);
  return FALSE;
}

static gboolean
load (Token *token, const char *path, GError **error)
{
  void *library = dlopen (path, RTLD_NOW);
  CK_C_GetFunctionList get = NULL;

  if (library != NULL)
    *(void **)&get = dlsym (library, "C_GetFunctionList");
  if (get == NULL)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "%s: %s", path, dlerror ());
      return FALSE;
    }
  return check (get (&token->module), "C_GetFunctionList", error)
         && check (token->module->C_Initialize (NULL), "C_Initialize", error);
}

static gboolean
find_slot (const Token *token, CK_SLOT_ID *slot, GError **error)
{
  CK_SLOT_ID slots[MAX_SLOTS];
  CK_ULONG count = MAX_SLOTS;

  if (!check (token->module->C_GetSlotList (CK_TRUE, slots, &count), "C_GetSlotList", error))
    return FALSE;
  for (CK_ULONG i = 0; i < count; i++)
    {
      CK_TOKEN_INFO info;

      if (token->module->C_GetTokenInfo (slots[i], &info) == CKR_OK && (info.flags & CKF_TOKEN_INITIALIZED) != 0)
        {
          *slot = slots[i];
          return TRUE;
        }
    }
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "the module has no token");
  return FALSE;
}

static gboolean
log_in (Token *token, char *pin, GError **error)
{
  CK_SLOT_ID slot;

  return find_slot (token, &slot, error)
         && check (token->module->C_OpenSession (slot, CKF_SERIAL_SESSION, NULL, NULL, &token->session),
                   "C_OpenSession", error)
         && check (token->module->C_Login (token->session, CKU_USER, (CK_UTF8CHAR_PTR)pin, strlen (pin)), "C_Login",
                   error);
}

static gboolean
find_key (Token *token, char *label, GError **error)
{
  CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
  CK_ATTRIBUTE wanted[] = { { CKA_CLASS, &class, sizeof class }, { CKA_LABEL, label, strlen (label) } };
  CK_ULONG count = 0;

  if (!check (token->module->C_FindObjectsInit (token->session, wanted, G_N_ELEMENTS (wanted)), "C_FindObjectsInit",
              error)
      || !check (token->module->C_FindObjects (token->session, &token->key, 1, &count), "C_FindObjects", error)
      || !check (token->module->C_FindObjectsFinal (token->session), "C_FindObjectsFinal", error))
    return FALSE;
  if (count == 1)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "the token has no key “%s”", label);
  return FALSE;
}

/* PKCS #1, 9.2: what is signed for a SHA-256 digest by RSA. */
static const CK_BYTE digest_info[] = { 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                       0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20 };

static gboolean
sign (gpointer context, GError **error)
{
  Token *token = context;
  CK_MECHANISM mechanism = { token->mechanism, NULL, 0 };
  CK_BYTE input[sizeof digest_info + BENCH_SIZE] = { 0 };
  CK_BYTE signature[512];
  CK_ULONG size = BENCH_SIZE, signature_size = sizeof signature;

  if (token->mechanism == CKM_RSA_PKCS)
    {
      memcpy (input, digest_info, sizeof digest_info);
      size = sizeof input;
    }
  return check (token->module->C_SignInit (token->session, &mechanism, token->key), "C_SignInit", error)
         && check (token->module->C_Sign (token->session, input, size, signature, &signature_size), "C_Sign", error);
}

static gboolean
measure (Token *token, char **arguments, guint count, GError **error)
{
  gboolean is_rsa = g_str_has_suffix (arguments[4], "rsa");

  token->mechanism = is_rsa ? CKM_RSA_PKCS : CKM_ECDSA;
  return log_in (token, arguments[2], error) && find_key (token, arguments[3], error)
         && bench_measure (arguments[4], count, sign, token, error);
}

/* One key in a process: the module keeps each that was used in the TPM, which may have room for no other. */
static gboolean
run (int argc, char **argv, GError **error)
{
  Token token = { NULL };
  guint64 count;
  gboolean ok;

  if (argc != 6)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                   "usage: ward-bench-pkcs11 MODULE PIN LABEL pkcs11|pkcs11-rsa COUNT");
      return FALSE;
    }
  if (!g_ascii_string_to_unsigned (argv[5], 10, 1, MAX_COUNT, &count, error) || !load (&token, argv[1], error))
    return FALSE;
  ok = measure (&token, argv, count, error);
  return check (token.module->C_Finalize (NULL), "C_Finalize", ok ? error : NULL) && ok;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;

  if (run (argc, argv, &error))
    return EXIT_SUCCESS;
  g_printerr ("ward-bench-pkcs11: %s\n", error->message);
  return EXIT_FAILURE;
}
