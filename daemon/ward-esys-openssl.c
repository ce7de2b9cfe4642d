/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-esys-openssl.h"

#include <dlfcn.h>
#include <link.h>
#include <openssl/crypto.h>
#include <tss2/tss2_esys.h>

/* ESYS makes a new OpenSSL library context for each hash, HMAC and random number, and frees it after that: 2 ms for
 * each command in a session, where the TPM takes a fraction of it. It wants one that is not the process's own, in which
 * somebody's OpenSSL configuration may have loaded the TPM's provider, which would call ESYS in turn. One that is made
 * once and kept for ESYS alone is just as apart.
 *
 * So the two functions are defined here again. Linked into the program itself they come before OpenSSL's, and whoever
 * is not ESYS is passed on to those. From tpm2-tss 4.0 on Esys_SetCryptoCallbacks () exists, by which all of ESYS's
 * cryptography would be ours to write: that is not worth it, and this works there, too. */

static OSSL_LIB_CTX *(*real_new) (void);
static void (*real_free) (OSSL_LIB_CTX *);
static OSSL_LIB_CTX *kept;
static guint count;

/* Where ESYS lies in memory. */
static guintptr first, end;

static int
find_esys (struct dl_phdr_info *object, size_t size, void *address)
{
  for (guint i = 0; i < object->dlpi_phnum; i++)
    {
      guintptr start = object->dlpi_addr + object->dlpi_phdr[i].p_vaddr;

      if (object->dlpi_phdr[i].p_type == PT_LOAD && (object->dlpi_phdr[i].p_flags & PF_X) != 0
          && (guintptr)address - start < object->dlpi_phdr[i].p_memsz)
        {
          first = start;
          end = start + object->dlpi_phdr[i].p_memsz;
          return 1;
        }
    }
  return 0;
}

static gpointer
set_up (gpointer data)
{
  *(void **)&real_new = dlsym (RTLD_NEXT, "OSSL_LIB_CTX_new");
  *(void **)&real_free = dlsym (RTLD_NEXT, "OSSL_LIB_CTX_free");
  dl_iterate_phdr (find_esys, dlsym (RTLD_DEFAULT, "Esys_Initialize"));
  kept = real_new ();
  return NULL;
}

static void
ensure_set_up (void)
{
  static GOnce once = G_ONCE_INIT;

  g_once (&once, set_up, NULL);
}

__attribute__ ((visibility ("default"))) OSSL_LIB_CTX *
OSSL_LIB_CTX_new (void)
{
  guintptr caller = (guintptr)__builtin_return_address (0);

  ensure_set_up ();
  if (kept == NULL || caller < first || caller >= end)
    return real_new ();
  g_atomic_int_inc (&count);
  return kept;
}

__attribute__ ((visibility ("default"))) void
OSSL_LIB_CTX_free (OSSL_LIB_CTX *context)
{
  ensure_set_up ();
  if (context != kept || kept == NULL)
    real_free (context);
}

guint
ward_esys_openssl_get_count (void)
{
  return g_atomic_int_get (&count);
}
