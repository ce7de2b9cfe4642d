/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tpm2-private.h"

#include <string.h>
#include <tss2/tss2_mu.h>

#include "ward-error.h"

/* The policy of what is bound to PCRs: TPM2_PolicyPCR, then TPM2_PolicyAuthValue if there is an auth value (TPM 2.0
 * Library, Part 3, 23.7 and 23.17). */

/* How often values of several banks are read until they fit together. */
#define MAX_TRIES 20

typedef GChecksum Checksum;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Checksum, g_checksum_free)

static gboolean
read_banks (WardConnection *connection, GPtrArray *wanted, GPtrArray *pcrs, GError **error)
{
  g_ptr_array_set_size (pcrs, 0);
  for (guint i = 0; i < wanted->len; i++)
    {
      const WardPcrBank *bank = g_ptr_array_index (wanted, i);
      g_autoptr (WardPcrBank) read = ward_pcr_bank_new (bank->bank);

      if (!ward_tpm2_read_pcrs (connection, bank->bank, bank->values.mask, &read->values, error))
        return FALSE;
      g_ptr_array_add (pcrs, g_steal_pointer (&read));
    }
  return TRUE;
}

static void
get_pcr_digest (GPtrArray *pcrs, guint8 *digest)
{
  g_autoptr (Checksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  gsize size = TPM2_SHA256_DIGEST_SIZE;

  for (guint i = 0; i < pcrs->len; i++)
    {
      const WardPcrValues *values = &((WardPcrBank *)g_ptr_array_index (pcrs, i))->values;

      for (guint j = 0; j < WARD_N_PCRS; j++)
        if (values->mask & (1u << j))
          g_checksum_update (checksum, values->values[j], values->digest_size);
    }
  g_checksum_get_digest (checksum, digest, &size);
}

static gboolean
are_same (GPtrArray *one, GPtrArray *other)
{
  guint8 one_digest[TPM2_SHA256_DIGEST_SIZE], other_digest[TPM2_SHA256_DIGEST_SIZE];

  get_pcr_digest (one, one_digest);
  get_pcr_digest (other, other_digest);
  return memcmp (one_digest, other_digest, sizeof (one_digest)) == 0;
}

/* Fills pcrs with the PCRs that wanted names and their values, all of one moment. */
gboolean
ward_tpm2_policy_read_pcrs (WardConnection *connection, GPtrArray *wanted, GPtrArray *pcrs, GError **error)
{
  g_autoptr (GPtrArray) again = g_ptr_array_new_with_free_func ((GDestroyNotify)ward_pcr_bank_free);

  for (guint i = 0; i < MAX_TRIES; i++)
    {
      if (!read_banks (connection, wanted, pcrs, error))
        return FALSE;
      if (wanted->len < 2)
        return TRUE;
      if (!read_banks (connection, wanted, again, error))
        return FALSE;
      if (are_same (pcrs, again))
        return TRUE;
    }
  g_set_error_literal (
      error, WARD_ERROR, WARD_ERROR_FAILED,
      "The TPM's PCRs changed each time that they were read. Try again once what extends them has come "
      "to rest.");
  return FALSE;
}

static void
fill_selection (TPML_PCR_SELECTION *selection, GPtrArray *pcrs)
{
  *selection = (TPML_PCR_SELECTION){ .count = MIN (pcrs->len, G_N_ELEMENTS (selection->pcrSelections)) };
  for (guint i = 0; i < selection->count; i++)
    {
      const WardPcrBank *bank = g_ptr_array_index (pcrs, i);
      TPMS_PCR_SELECTION *selected = &selection->pcrSelections[i];

      selected->hash = ward_tpm2_bank_from_string (bank->bank);
      selected->sizeofSelect = WARD_N_PCRS / 8;
      for (guint j = 0; j < selected->sizeofSelect; j++)
        selected->pcrSelect[j] = (bank->values.mask >> (8 * j)) & 0xff;
    }
}

/* digest becomes the hash of itself, the command and its parameters. */
static void
extend (TPM2B_DIGEST *digest, TPM2_CC command, const guint8 *parameters, gsize size)
{
  g_autoptr (Checksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  guint32 code = GUINT32_TO_BE (command);
  gsize digest_size = TPM2_SHA256_DIGEST_SIZE;

  g_checksum_update (checksum, digest->buffer, TPM2_SHA256_DIGEST_SIZE);
  g_checksum_update (checksum, (const guint8 *)&code, sizeof (code));
  if (size > 0)
    g_checksum_update (checksum, parameters, size);
  g_checksum_get_digest (checksum, digest->buffer, &digest_size);
  digest->size = digest_size;
}

/* The authPolicy of an object whose names are made by SHA-256; of zero length without PCRs. */
void
ward_tpm2_policy_get_digest (GPtrArray *pcrs, gboolean has_auth, TPM2B_DIGEST *digest)
{
  guint8 parameters[sizeof (TPML_PCR_SELECTION) + TPM2_SHA256_DIGEST_SIZE];
  TPML_PCR_SELECTION selection;
  size_t size = 0;

  *digest = (TPM2B_DIGEST){ 0 };
  if (pcrs->len == 0)
    return;
  fill_selection (&selection, pcrs);
  Tss2_MU_TPML_PCR_SELECTION_Marshal (&selection, parameters, sizeof (selection), &size);
  get_pcr_digest (pcrs, parameters + size);
  extend (digest, TPM2_CC_PolicyPCR, parameters, size + TPM2_SHA256_DIGEST_SIZE);
  if (has_auth)
    extend (digest, TPM2_CC_PolicyAuthValue, NULL, 0);
}

/* Whether the PCRs have the values that pcrs tells; else WARD_ERROR_POLICY_MISMATCH. */
gboolean
ward_tpm2_policy_check_pcrs (WardConnection *connection, GPtrArray *pcrs, GError **error)
{
  g_autoptr (GPtrArray) now = g_ptr_array_new_with_free_func ((GDestroyNotify)ward_pcr_bank_free);

  return read_banks (connection, pcrs, now, error) && ward_pcr_banks_compare (pcrs, now, error);
}

/* Makes session, a policy session, fulfil the policy as of now. */
gboolean
ward_tpm2_policy_satisfy (WardConnection *connection, ESYS_TR session, GPtrArray *pcrs, gboolean has_auth,
                          GError **error)
{
  static const TPM2B_DIGEST as_it_is = { 0 };
  TPML_PCR_SELECTION selection;
  WardTpm2Wait wait = { 0 };
  TSS2_RC rc;

  fill_selection (&selection, pcrs);
  do
    rc = Esys_PolicyPCR (connection->esys, session, WARD_TPM2_NO_SESSIONS, &as_it_is, &selection);
  while (ward_tpm2_wait_again (connection, &wait, rc));
  if (rc == TSS2_RC_SUCCESS && has_auth)
    do
      rc = Esys_PolicyAuthValue (connection->esys, session, WARD_TPM2_NO_SESSIONS);
    while (ward_tpm2_wait_again (connection, &wait, rc));
  if (rc == TSS2_RC_SUCCESS)
    return TRUE;
  ward_tpm2_set_error (error, connection, rc, "The TPM could not look at its PCRs");
  return FALSE;
}
