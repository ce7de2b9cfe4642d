/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Data sealed by a TPM 1.2: its TPM_STORED_DATA, as the private half; in the public one is nothing or, for tpm-tools,
 * the storage key that it lies beneath. */
#include "ward-tpm12-private.h"

#include <tss/platform.h>
#include <tss/tpm.h>

#include "ward-error.h"
#include "ward-tpm12-blob.h"

/* Fills now with the values of all banks of pcrs, which are NULL or of WardPcrBank. */
static gboolean
read_banks (WardConnection *connection, GPtrArray *pcrs, GPtrArray *now, GError **error)
{
  for (guint i = 0; pcrs && i < pcrs->len; i++)
    {
      const WardPcrBank *asked = g_ptr_array_index (pcrs, i);
      WardPcrBank *bank = ward_pcr_bank_new (asked->bank);

      g_ptr_array_add (now, bank);
      if (!ward_tpm12_read_pcrs (connection, asked->bank, asked->values.mask, &bank->values, error))
        return FALSE;
    }
  return TRUE;
}

/* a(uay), floating. There is one bank at most. */
static GVariant *
pcrs_to_variant (GPtrArray *pcrs)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(uay)"));
  for (guint i = 0; i < pcrs->len; i++)
    {
      const WardPcrValues *values = &((WardPcrBank *)g_ptr_array_index (pcrs, i))->values;

      for (guint j = 0; j < WARD_N_PCRS; j++)
        if (values->mask & 1u << j)
          g_variant_builder_add (
              &builder, "(u@ay)", j,
              g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, values->values[j], values->digest_size, 1));
    }
  return g_variant_builder_end (&builder);
}

/* Answers what the TPM has sealed, with the values of pcrs in sealed. */
static WardTpm12Message *
seal (WardConnection *connection, WardTpm12Act act, WardSecret *data, const WardKeyAuths *auths, GPtrArray *pcrs,
      WardSealed *sealed, const char *type, GError **error)
{
  WardSecret *const secrets[] = { auths->auth, auths->srk_auth, data };

  sealed->parent = WARD_TPM12_SRK_HANDLE;
  sealed->has_auth = auths->auth != NULL;
  if (!read_banks (connection, pcrs, sealed->pcrs, error))
    return NULL;
  return ward_tpm12_call (connection, act, pcrs_to_variant (sealed->pcrs), secrets, G_N_ELEMENTS (secrets), type,
                          WARD_TPM12_LONG_PATIENCE, error);
}

WardSealed *
ward_tpm12_seal (WardConnection *connection, WardSecret *data, const WardKeyAuths *auths, GPtrArray *pcrs,
                 gboolean no_da, GError **error)
{
  g_autoptr (WardSealed) sealed = ward_sealed_new ();
  g_autoptr (WardTpm12Message) answer = NULL;

  if (!ward_tpm12_check_no_da (no_da, auths, error)
      || !(answer = seal (connection, WARD_TPM12_SEAL, data, auths, pcrs, sealed, "ay", error)))
    return NULL;
  sealed->public_area = g_bytes_new (NULL, 0);
  sealed->private_area = g_variant_get_data_as_bytes (answer->body);
  return g_steal_pointer (&sealed);
}

static GBytes *
get_bytes (GVariant *tuple, gsize index)
{
  g_autoptr (GVariant) value = g_variant_get_child_value (tuple, index);

  return g_variant_get_data_as_bytes (value);
}

WardSealed *
ward_tpm12_seal_for_tpm_tools (WardConnection *connection, WardSecret *key, const WardKeyAuths *auths, GPtrArray *pcrs,
                               GError **error)
{
  g_autoptr (WardSealed) sealed = ward_sealed_new ();
  g_autoptr (WardTpm12Message) answer = seal (connection, WARD_TPM12_SEAL_FOR_TPM_TOOLS, key, auths, pcrs, sealed,
                                              "(ayay)", error);

  if (!answer)
    return NULL;
  sealed->public_area = get_bytes (answer->body, 0);
  sealed->private_area = get_bytes (answer->body, 1);
  return g_steal_pointer (&sealed);
}

static gboolean
is_for_tpm_tools (const WardSealed *sealed)
{
  return g_bytes_get_size (sealed->public_area) > 0;
}

/* What tpm-tools sealed does not tell its PCRs. */
static gboolean
is_sealed (const WardSealed *sealed)
{
  WardTpm12Blob key;

  if (!is_for_tpm_tools (sealed))
    return ward_tpm12_blob_is_sealed_to (sealed->private_area, sealed->pcrs);
  return ward_tpm12_blob_is_sealed (sealed->private_area) && ward_tpm12_blob_parse (sealed->public_area, &key)
         && key.usage == TPM_KEY_STORAGE && sealed->pcrs->len == 0;
}

gboolean
ward_tpm12_check_sealed (const WardSealed *sealed, gboolean *counts, GError **error)
{
  if (sealed->parent != WARD_TPM12_SRK_HANDLE)
    g_set_error_literal (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED,
                         "This was sealed by a TPM 2.0, and a TPM 1.2 cannot unseal it. Unseal it on the machine that "
                         "has sealed it.");
  else if (!is_sealed (sealed))
    g_set_error_literal (error, WARD_ERROR, WARD_ERROR_CORRUPT,
                         "The sealed data is damaged: what it says a TPM has sealed is not that. Use another copy of "
                         "it, if you have one.");
  else
    {
      *counts = sealed->has_auth;
      return TRUE;
    }
  return FALSE;
}

WardSecret *
ward_tpm12_unseal (WardConnection *connection, const WardSealed *sealed, const WardKeyAuths *auths, GError **error)
{
  g_autoptr (GPtrArray) now = g_ptr_array_new_with_free_func ((GDestroyNotify)ward_pcr_bank_free);

  if (!read_banks (connection, sealed->pcrs, now, error) || !ward_pcr_banks_compare (sealed->pcrs, now, error))
    return NULL;
  return ward_tpm12_reveal (
      connection, WARD_TPM12_UNSEAL,
      g_variant_new ("(@ay@ay)", g_variant_new_from_bytes (G_VARIANT_TYPE_BYTESTRING, sealed->public_area, TRUE),
                     g_variant_new_from_bytes (G_VARIANT_TYPE_BYTESTRING, sealed->private_area, TRUE)),
      auths->auth, auths->srk_auth, error);
}
