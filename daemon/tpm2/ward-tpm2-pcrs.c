/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tpm2-private.h"

#include <string.h>

#include "ward-error.h"

#define SELECT_SIZE (WARD_N_PCRS / 8)

/* How often a reading is begun anew because a PCR changed during it. */
#define MAX_TRIES 20

typedef enum
{
  READ_OK,
  READ_CHANGED,
  READ_UNALLOCATED,
  READ_FAILED,
} ReadState;

static void
fill_selection (TPML_PCR_SELECTION *selection, TPM2_ALG_ID hash, guint32 mask)
{
  *selection = (TPML_PCR_SELECTION){ .count = 1 };
  selection->pcrSelections[0].hash = hash;
  selection->pcrSelections[0].sizeofSelect = SELECT_SIZE;
  for (guint i = 0; i < SELECT_SIZE; i++)
    selection->pcrSelections[0].pcrSelect[i] = (mask >> (8 * i)) & 0xff;
}

static guint32
get_mask (const TPML_PCR_SELECTION *selection, TPM2_ALG_ID hash)
{
  guint32 mask = 0;

  if (selection->count == 0 || selection->pcrSelections[0].hash != hash)
    return 0;
  for (guint i = 0; i < selection->pcrSelections[0].sizeofSelect && i < SELECT_SIZE; i++)
    mask |= (guint32)selection->pcrSelections[0].pcrSelect[i] << (8 * i);
  return mask;
}

/* Takes over the digests of the PCRs in mask, the lowest first; FALSE when the answer contradicts itself. */
static gboolean
take_digests (WardPcrValues *values, guint32 mask, const TPML_DIGEST *digests)
{
  guint next = 0;

  for (guint i = 0; i < WARD_N_PCRS; i++)
    {
      const TPM2B_DIGEST *digest = &digests->digests[next];

      if (!(mask & (1u << i)))
        continue;
      if (next >= digests->count || next >= G_N_ELEMENTS (digests->digests) || digest->size == 0
          || digest->size > WARD_MAX_DIGEST_SIZE || (values->digest_size != 0 && digest->size != values->digest_size))
        return FALSE;
      values->digest_size = digest->size;
      memcpy (values->values[i], digest->buffer, digest->size);
      next++;
    }
  return next == digests->count;
}

static TSS2_RC
read_some (WardConnection *connection, TPM2_ALG_ID hash, guint32 mask, WardPcrValues *values, guint32 *counter,
           guint32 *got)
{
  WARD_ESYS_AUTOFREE TPML_PCR_SELECTION *selection_out = NULL;
  WARD_ESYS_AUTOFREE TPML_DIGEST *digests = NULL;
  TPML_PCR_SELECTION selection;
  WardTpm2Wait wait = { 0 };
  TSS2_RC rc;

  fill_selection (&selection, hash, mask);
  do
    rc = Esys_PCR_Read (connection->esys, WARD_TPM2_NO_SESSIONS, &selection, counter, &selection_out, &digests);
  while (ward_tpm2_wait_again (connection, &wait, rc));
  if (rc != TSS2_RC_SUCCESS)
    return rc;
  *got = get_mask (selection_out, hash) & mask;
  return take_digests (values, *got, digests) ? TSS2_RC_SUCCESS : TSS2_ESYS_RC_MALFORMED_RESPONSE;
}

/* Reads as many times as it takes, as a command returns at most eight digests. The update counter tells whether a PCR
 * changed between the commands (TPM 2.0 Library, Part 3, 22.4); the platform exempts some PCRs from it, those of the
 * debugger and of applications. */
static ReadState
read_once (WardConnection *connection, TPM2_ALG_ID hash, guint32 mask, WardPcrValues *values, TSS2_RC *rc)
{
  guint32 first_counter = 0;

  memset (values, 0, sizeof (*values));
  while (values->mask != mask)
    {
      guint32 counter, got;

      *rc = read_some (connection, hash, mask & ~values->mask, values, &counter, &got);
      if (*rc != TSS2_RC_SUCCESS)
        return READ_FAILED;
      if (values->mask != 0 && counter != first_counter)
        return READ_CHANGED;
      if (got == 0)
        return READ_UNALLOCATED;
      first_counter = counter;
      values->mask |= got;
    }
  return READ_OK;
}

static void
set_unallocated_error (WardConnection *connection, const char *bank, guint32 missing, GError **error)
{
  g_auto (GStrv) banks = ward_tpm2_read_banks (connection, error);
  g_autofree char *names = NULL;

  if (banks == NULL)
    return;
  if (g_strv_contains ((const char *const *)banks, bank))
    {
      g_set_error (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED,
                   "The TPM's bank “%s” does not have PCR %d. Ask for others only.", bank, g_bit_nth_lsf (missing, -1));
      return;
    }
  names = g_strjoinv (", ", banks);
  g_set_error (
      error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED,
      "The TPM has not allocated the PCR bank “%s”. It has: %s. Banks are chosen in the machine's firmware setup.",
      bank, *names != '\0' ? names : "none");
}

/* See WardBackend. */
gboolean
ward_tpm2_read_pcrs (WardConnection *connection, const char *bank, guint32 mask, WardPcrValues *values, GError **error)
{
  TPM2_ALG_ID hash = ward_tpm2_bank_from_string (bank);
  g_autofree WardPcrValues *read = g_new0 (WardPcrValues, 1);
  ReadState state = READ_CHANGED;
  TSS2_RC rc = TSS2_RC_SUCCESS;

  for (guint i = 0; i < MAX_TRIES && state == READ_CHANGED; i++)
    state = hash == TPM2_ALG_ERROR ? READ_UNALLOCATED : read_once (connection, hash, mask, read, &rc);

  /* A hash that it does not know at all is a bad value to a TPM. */
  if (state == READ_FAILED && ward_tpm2_rc_get_meaning (rc) == TPM2_RC_HASH)
    state = READ_UNALLOCATED;
  switch (state)
    {
    case READ_OK:
      *values = *read;
      return TRUE;
    case READ_UNALLOCATED:
      set_unallocated_error (connection, bank, mask & ~read->mask, error);
      return FALSE;
    case READ_CHANGED:
      g_set_error (
          error, WARD_ERROR, WARD_ERROR_FAILED,
          "The TPM's PCRs could not be read as of one moment: they changed at each of %d tries. Try again once "
          "what extends them has come to rest.",
          MAX_TRIES);
      return FALSE;
    case READ_FAILED:
    default:
      ward_tpm2_set_error (error, connection, rc, "The TPM could not read its PCRs");
      return FALSE;
    }
}
