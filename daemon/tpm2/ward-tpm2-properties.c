/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tpm2-private.h"

typedef struct
{
  guint32 tag;
  const char *name;
} PropertyName;

#define NAME(name)                                                                                                     \
  {                                                                                                                    \
    TPM2_PT_##name, "TPM_PT_" #name                                                                                    \
  }

/* TPM 2.0 Library, Part 2, 6.13. The last ones of each group are younger than tpm2-tss 3.2. */
static const PropertyName property_names[] = {
  NAME (FAMILY_INDICATOR),
  NAME (LEVEL),
  NAME (REVISION),
  NAME (DAY_OF_YEAR),
  NAME (YEAR),
  NAME (MANUFACTURER),
  NAME (VENDOR_STRING_1),
  NAME (VENDOR_STRING_2),
  NAME (VENDOR_STRING_3),
  NAME (VENDOR_STRING_4),
  NAME (VENDOR_TPM_TYPE),
  NAME (FIRMWARE_VERSION_1),
  NAME (FIRMWARE_VERSION_2),
  NAME (INPUT_BUFFER),
  NAME (HR_TRANSIENT_MIN),
  NAME (HR_PERSISTENT_MIN),
  NAME (HR_LOADED_MIN),
  NAME (ACTIVE_SESSIONS_MAX),
  NAME (PCR_COUNT),
  NAME (PCR_SELECT_MIN),
  NAME (CONTEXT_GAP_MAX),
  NAME (NV_COUNTERS_MAX),
  NAME (NV_INDEX_MAX),
  NAME (MEMORY),
  NAME (CLOCK_UPDATE),
  NAME (CONTEXT_HASH),
  NAME (CONTEXT_SYM),
  NAME (CONTEXT_SYM_SIZE),
  NAME (ORDERLY_COUNT),
  NAME (MAX_COMMAND_SIZE),
  NAME (MAX_RESPONSE_SIZE),
  NAME (MAX_DIGEST),
  NAME (MAX_OBJECT_CONTEXT),
  NAME (MAX_SESSION_CONTEXT),
  NAME (PS_FAMILY_INDICATOR),
  NAME (PS_LEVEL),
  NAME (PS_REVISION),
  NAME (PS_DAY_OF_YEAR),
  NAME (PS_YEAR),
  NAME (SPLIT_MAX),
  NAME (TOTAL_COMMANDS),
  NAME (LIBRARY_COMMANDS),
  NAME (VENDOR_COMMANDS),
  NAME (NV_BUFFER_MAX),
  NAME (MODES),
  NAME (MAX_CAP_BUFFER),
  { TPM2_PT_FIXED + 47, "TPM_PT_FIRMWARE_SVN" },
  { TPM2_PT_FIXED + 48, "TPM_PT_FIRMWARE_MAX_SVN" },
  NAME (PERMANENT),
  NAME (STARTUP_CLEAR),
  NAME (HR_NV_INDEX),
  NAME (HR_LOADED),
  NAME (HR_LOADED_AVAIL),
  NAME (HR_ACTIVE),
  NAME (HR_ACTIVE_AVAIL),
  NAME (HR_TRANSIENT_AVAIL),
  NAME (HR_PERSISTENT),
  NAME (HR_PERSISTENT_AVAIL),
  NAME (NV_COUNTERS),
  NAME (NV_COUNTERS_AVAIL),
  NAME (ALGORITHM_SET),
  NAME (LOADED_CURVES),
  NAME (LOCKOUT_COUNTER),
  NAME (MAX_AUTH_FAIL),
  NAME (LOCKOUT_INTERVAL),
  NAME (LOCKOUT_RECOVERY),
  NAME (NV_WRITE_RECOVERY),
  NAME (AUDIT_COUNTER_0),
  NAME (AUDIT_COUNTER_1),
};

/* The property's name in the specification; NULL when it has none there. */
const char *
ward_tpm2_property_get_name (guint32 tag)
{
  for (guint i = 0; i < G_N_ELEMENTS (property_names); i++)
    if (property_names[i].tag == tag)
      return property_names[i].name;
  return NULL;
}

static void
add_group (GVariantBuilder *builder, GArray *properties)
{
  for (guint i = 0; i < properties->len; i++)
    {
      const TPMS_TAGGED_PROPERTY *property = &g_array_index (properties, TPMS_TAGGED_PROPERTY, i);
      const char *name = ward_tpm2_property_get_name (property->property);
      g_autofree char *number = g_strdup_printf ("TPM_PT_0x%08X", property->property);

      g_variant_builder_add (builder, "{sv}", name != NULL ? name : number, g_variant_new_uint32 (property->value));
    }
}

/* See WardBackend. */
GVariant *
ward_tpm2_get_properties (WardConnection *connection, GError **error)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);
  g_autoptr (GArray) fixed = NULL;
  g_autoptr (GArray) variable = NULL;
  guint32 family;

  fixed = ward_tpm2_read_properties (connection, TPM2_PT_FIXED, TPM2_PT_VAR - 1, error);
  if (fixed == NULL)
    return NULL;
  add_group (&builder, fixed);

  /* In failure mode there are no variable properties, but the reference code answers with another's value. */
  if (!ward_tpm2_properties_lookup (fixed, TPM2_PT_FAMILY_INDICATOR, &family))
    return g_variant_builder_end (&builder);

  variable = ward_tpm2_read_properties (connection, TPM2_PT_VAR, TPM2_PT_VAR + TPM2_PT_GROUP - 1, error);
  if (variable == NULL)
    return NULL;
  add_group (&builder, variable);
  return g_variant_builder_end (&builder);
}
