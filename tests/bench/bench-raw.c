/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench.h"

#include <tss2/tss2_rc.h>
#include <tss2/tss2_tctildr.h>

gboolean
bench_check (TSS2_RC code, GError **error)
{
  if (code == TSS2_RC_SUCCESS)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "the TPM answered 0x%x: %s", code, Tss2_RC_Decode (code));
  return FALSE;
}

gboolean
bench_tpm_open (BenchTpm *tpm, const char *tcti_conf, GError **error)
{
  TSS2_RC code;

  *tpm = (BenchTpm){ NULL };
  if (!bench_check (Tss2_TctiLdr_Initialize (tcti_conf, &tpm->tcti), error)
      || !bench_check (Esys_Initialize (&tpm->esys, tpm->tcti, NULL), error))
    return FALSE;
  code = Esys_Startup (tpm->esys, TPM2_SU_CLEAR);
  return bench_check (code == TPM2_RC_INITIALIZE ? TSS2_RC_SUCCESS : code, error);
}

void
bench_tpm_close (BenchTpm *tpm)
{
  if (tpm->esys != NULL)
    Esys_Finalize (&tpm->esys);
  if (tpm->tcti != NULL)
    Tss2_TctiLdr_Finalize (&tpm->tcti);
}

static gboolean
draw_random (gpointer context, GError **error)
{
  TPM2B_DIGEST *bytes = NULL;
  TSS2_RC code = Esys_GetRandom (context, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, BENCH_SIZE, &bytes);

  Esys_Free (bytes);
  return bench_check (code, error);
}

static gboolean
read_pcrs (ESYS_CONTEXT *esys, guint byte, guint8 mask, GError **error)
{
  TPML_PCR_SELECTION wanted = { .count = 1, .pcrSelections[0] = { .hash = TPM2_ALG_SHA256, .sizeofSelect = 3 } };
  TPML_PCR_SELECTION *read = NULL;
  TPML_DIGEST *values = NULL;
  UINT32 counter;
  TSS2_RC code;

  wanted.pcrSelections[0].pcrSelect[byte] = mask;
  code = Esys_PCR_Read (esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &wanted, &counter, &read, &values);
  Esys_Free (read);
  Esys_Free (values);
  return bench_check (code, error);
}

static gboolean
read_pcr (gpointer context, GError **error)
{
  return read_pcrs (context, 0, 1, error);
}

/* A command returns eight values at most. */
static gboolean
read_all_pcrs (gpointer context, GError **error)
{
  for (guint byte = 0; byte < 3; byte++)
    if (!read_pcrs (context, byte, 0xff, error))
      return FALSE;
  return TRUE;
}

static gboolean
sign_in_turn (gpointer context, GError **error)
{
  BenchKey *key = context;
  gboolean ok;

  g_mutex_lock (&key->turn);
  ok = bench_key_sign (key, error);
  g_mutex_unlock (&key->turn);
  return ok;
}

/* One key after the other, as a TPM may have room for three objects. */
static gboolean
measure_key (BenchTpm *tpm, const char *name, guint count, gboolean is_rsa, gboolean has_auth, GError **error)
{
  BenchKey key;
  gboolean ok = bench_key_make (&key, tpm, is_rsa, has_auth, error)
                && bench_measure (name, count, bench_key_sign, &key, error);

  bench_key_clear (&key);
  return ok;
}

static gboolean
measure_threads (BenchTpm *tpm, guint count, GError **error)
{
  gpointer contexts[BENCH_CALLERS];
  BenchKey key;
  gboolean ok;

  for (guint i = 0; i < BENCH_CALLERS; i++)
    contexts[i] = &key;
  ok = bench_key_make (&key, tpm, FALSE, FALSE, error)
       && bench_measure_callers ("raw-callers", count, sign_in_turn, contexts, error);
  bench_key_clear (&key);
  return ok;
}

gboolean
bench_run_raw (const char *tcti_conf, guint count, GError **error)
{
  BenchTpm tpm;
  gboolean ok;

  ok = bench_tpm_open (&tpm, tcti_conf, error) && bench_measure ("raw-random", count, draw_random, tpm.esys, error)
       && bench_measure ("raw-pcr", count, read_pcr, tpm.esys, error)
       && bench_measure ("raw-all-pcrs", count, read_all_pcrs, tpm.esys, error)
       && measure_key (&tpm, "raw-sign", count, FALSE, FALSE, error)
       && measure_key (&tpm, "raw-sign-auth", count, FALSE, TRUE, error)
       && measure_key (&tpm, "raw-sign-rsa", count / 3 + 1, TRUE, FALSE, error)
       && measure_threads (&tpm, count / 4 + 1, error);
  bench_tpm_close (&tpm);
  return ok;
}
