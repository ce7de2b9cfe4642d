/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-backend.h"

#include "ward-error.h"

static const char *const self_test_modes[] = {
  [WARD_SELF_TEST_FULL] = "full",
  [WARD_SELF_TEST_INCREMENTAL] = "incremental",
};

/* By the names that API.md and tpm2-tools use (TCG Algorithm Registry). */
static const char *const known_banks[] = { "sha1",     "sha256",   "sha384",   "sha512", "sm3_256",
                                           "sha3_256", "sha3_384", "sha3_512", NULL };

static const char *const hierarchy_names[] = {
  [WARD_HIERARCHY_OWNER] = "owner",
  [WARD_HIERARCHY_ENDORSEMENT] = "endorsement",
  [WARD_HIERARCHY_LOCKOUT] = "lockout",
  [WARD_HIERARCHY_SRK] = "srk",
};

/* An identity of which nothing is known yet: all strings empty. */
WardIdentity *
ward_identity_new (void)
{
  WardIdentity *identity = g_new0 (WardIdentity, 1);

  identity->manufacturer = g_strdup ("");
  identity->manufacturer_name = g_strdup ("");
  identity->vendor_string = g_strdup ("");
  identity->firmware_version = g_strdup ("");
  identity->spec_revision = g_strdup ("");
  identity->spec_date = g_strdup ("");
  identity->key_algorithms = g_new0 (char *, 1);
  identity->banks = g_new0 (char *, 1);
  identity->endorsement = g_strdup ("");
  identity->failure = g_strdup ("");
  identity->disablement = g_strdup ("");
  return identity;
}

void
ward_identity_free (WardIdentity *identity)
{
  g_free (identity->manufacturer);
  g_free (identity->manufacturer_name);
  g_free (identity->vendor_string);
  g_free (identity->firmware_version);
  g_free (identity->spec_revision);
  g_free (identity->spec_date);
  g_strfreev (identity->key_algorithms);
  g_strfreev (identity->banks);
  g_free (identity->endorsement);
  g_free (identity->failure);
  g_free (identity->disablement);
  g_free (identity);
}

void
ward_chip_item_free (WardChipItem *item)
{
  g_free (item->name);
  g_free (item->algorithm);
  g_free (item->key_id);
  g_free (item->purpose);
  g_free (item);
}

void
ward_nv_index_free (WardNvIndex *index)
{
  g_strfreev (index->attributes);
  g_free (index->purpose);
  g_free (index);
}

void
ward_test_result_free (WardTestResult *result)
{
  g_free (result->text);
  g_clear_pointer (&result->data, g_bytes_unref);
  g_free (result);
}

const char *
ward_self_test_mode_to_string (WardSelfTestMode mode)
{
  return self_test_modes[mode];
}

gboolean
ward_self_test_mode_from_string (const char *name, WardSelfTestMode *mode)
{
  for (guint i = 0; i < G_N_ELEMENTS (self_test_modes); i++)
    if (g_str_equal (name, self_test_modes[i]))
      {
        *mode = i;
        return TRUE;
      }
  return FALSE;
}

gboolean
ward_bank_is_known (const char *name)
{
  return g_strv_contains (known_banks, name);
}

const char *
ward_hierarchy_to_string (WardHierarchy hierarchy)
{
  return hierarchy_names[hierarchy];
}

gboolean
ward_hierarchy_from_string (const char *name, WardHierarchy *hierarchy)
{
  for (guint i = 0; i < G_N_ELEMENTS (hierarchy_names); i++)
    if (g_str_equal (name, hierarchy_names[i]))
      {
        *hierarchy = i;
        return TRUE;
      }
  return FALSE;
}

WardPcrBank *
ward_pcr_bank_new (const char *bank)
{
  WardPcrBank *pcr_bank = g_new0 (WardPcrBank, 1);

  pcr_bank->bank = g_strdup (bank);
  return pcr_bank;
}

void
ward_pcr_bank_free (WardPcrBank *bank)
{
  g_free (bank->bank);
  g_free (bank);
}

static void
add_changed (GString *changed, const WardPcrBank *was, const WardPcrBank *is)
{
  for (guint i = 0; i < WARD_N_PCRS; i++)
    if ((was->values.mask & (1u << i))
        && memcmp (was->values.values[i], is->values.values[i], was->values.digest_size) != 0)
      g_string_append_printf (changed, "%s%s:%u", changed->len > 0 ? ", " : "", was->bank, i);
}

gboolean
ward_pcr_banks_compare (GPtrArray *then, GPtrArray *now, GError **error)
{
  g_autoptr (GString) changed = g_string_new (NULL);

  for (guint i = 0; i < then->len; i++)
    add_changed (changed, g_ptr_array_index (then, i), g_ptr_array_index (now, i));
  if (changed->len == 0)
    return TRUE;
  g_set_error (
      error, WARD_ERROR, WARD_ERROR_POLICY_MISMATCH,
      "These PCRs do not have the values any more that this is bound to: %s. They tell what the machine has started "
      "with: start it as it was then, or seal the data or make the key anew.",
      changed->str);
  return FALSE;
}

/* All but the areas, which are to be set. */
WardSealed *
ward_sealed_new (void)
{
  WardSealed *sealed = g_new0 (WardSealed, 1);

  sealed->pcrs = g_ptr_array_new_with_free_func ((GDestroyNotify)ward_pcr_bank_free);
  return sealed;
}

void
ward_sealed_free (WardSealed *sealed)
{
  g_clear_pointer (&sealed->public_area, g_bytes_unref);
  g_clear_pointer (&sealed->private_area, g_bytes_unref);
  g_ptr_array_unref (sealed->pcrs);
  g_free (sealed->parent_name);
  g_free (sealed);
}

WardSealed *
ward_sealed_copy (const WardSealed *sealed)
{
  WardSealed *copy = g_new0 (WardSealed, 1);

  copy->parent = sealed->parent;
  copy->parent_name = g_strdup (sealed->parent_name);
  copy->has_auth = sealed->has_auth;
  copy->public_area = g_bytes_ref (sealed->public_area);
  copy->private_area = g_bytes_ref (sealed->private_area);
  copy->pcrs = g_ptr_array_ref (sealed->pcrs);
  return copy;
}
