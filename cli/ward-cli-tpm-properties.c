/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli-tpm-properties.h"

#include <string.h>

typedef enum
{
  KIND_NUMBER, /* with a unit */
  KIND_TEXT,   /* four characters, the first one in the highest byte */
  KIND_REVISION,
  KIND_FIRMWARE, /* each vendor has its own way to write it, which the service knows */
  KIND_FLAGS,
  KIND_ALGORITHM,
  KIND_PLATFORM,
} Kind;

typedef struct
{
  guint32 mask;
  const char *name;
} Flag;

/* TPM 2.0 Library, Part 2, 8.6 to 8.9: TPMA_PERMANENT, TPMA_STARTUP_CLEAR, TPMA_MEMORY and TPMA_MODES. */
static const Flag permanent_flags[] = {
  { 1u << 0, "ownerAuthSet" },
  { 1u << 1, "endorsementAuthSet" },
  { 1u << 2, "lockoutAuthSet" },
  { 1u << 8, "disableClear" },
  { 1u << 9, "inLockout" },
  { 1u << 10, "tpmGeneratedEPS" },
  { 0, NULL },
};
static const Flag startup_clear_flags[] = {
  { 1u << 0, "phEnable" },
  { 1u << 1, "shEnable" },
  { 1u << 2, "ehEnable" },
  { 1u << 3, "phEnableNV" },
  { 1u << 4, "readOnly" },
  { 1u << 31, "orderly" },
  { 0, NULL },
};
static const Flag memory_flags[] = {
  { 1u << 0, "sharedRAM" },
  { 1u << 1, "sharedNV" },
  { 1u << 2, "objectCopiedToRam" },
  { 0, NULL },
};
static const Flag modes_flags[] = { { 1u << 0, "FIPS_140_2" }, { 1u << 1, "FIPS_140_3" }, { 0, NULL } };

typedef struct
{
  const char *name; /* without TPM_PT_ */
  Kind kind;
  const char *unit; /* of KIND_NUMBER, NULL for a bare count */
  const Flag *flags;
} Property;

/* TPM 2.0 Library, Part 2, 6.13 (TPM_PT), in its order. */
static const Property properties[] = {
  { "FAMILY_INDICATOR", KIND_TEXT, NULL, NULL },
  { "LEVEL", KIND_NUMBER, NULL, NULL },
  { "REVISION", KIND_REVISION, NULL, NULL },
  { "DAY_OF_YEAR", KIND_NUMBER, NULL, NULL },
  { "YEAR", KIND_NUMBER, NULL, NULL },
  { "MANUFACTURER", KIND_TEXT, NULL, NULL },
  { "VENDOR_STRING_1", KIND_TEXT, NULL, NULL },
  { "VENDOR_STRING_2", KIND_TEXT, NULL, NULL },
  { "VENDOR_STRING_3", KIND_TEXT, NULL, NULL },
  { "VENDOR_STRING_4", KIND_TEXT, NULL, NULL },
  { "VENDOR_TPM_TYPE", KIND_NUMBER, NULL, NULL },
  { "FIRMWARE_VERSION_1", KIND_FIRMWARE, NULL, NULL },
  { "FIRMWARE_VERSION_2", KIND_FIRMWARE, NULL, NULL },
  { "INPUT_BUFFER", KIND_NUMBER, "bytes", NULL },
  { "HR_TRANSIENT_MIN", KIND_NUMBER, "objects", NULL },
  { "HR_PERSISTENT_MIN", KIND_NUMBER, "objects", NULL },
  { "HR_LOADED_MIN", KIND_NUMBER, "sessions", NULL },
  { "ACTIVE_SESSIONS_MAX", KIND_NUMBER, "sessions", NULL },
  { "PCR_COUNT", KIND_NUMBER, "registers", NULL },
  { "PCR_SELECT_MIN", KIND_NUMBER, "bytes", NULL },
  { "CONTEXT_GAP_MAX", KIND_NUMBER, NULL, NULL },
  { "NV_COUNTERS_MAX", KIND_NUMBER, "counters", NULL },
  { "NV_INDEX_MAX", KIND_NUMBER, "bytes", NULL },
  { "MEMORY", KIND_FLAGS, NULL, memory_flags },
  { "CLOCK_UPDATE", KIND_NUMBER, "ms", NULL },
  { "CONTEXT_HASH", KIND_ALGORITHM, NULL, NULL },
  { "CONTEXT_SYM", KIND_ALGORITHM, NULL, NULL },
  { "CONTEXT_SYM_SIZE", KIND_NUMBER, "bits", NULL },
  { "ORDERLY_COUNT", KIND_NUMBER, NULL, NULL },
  { "MAX_COMMAND_SIZE", KIND_NUMBER, "bytes", NULL },
  { "MAX_RESPONSE_SIZE", KIND_NUMBER, "bytes", NULL },
  { "MAX_DIGEST", KIND_NUMBER, "bytes", NULL },
  { "MAX_OBJECT_CONTEXT", KIND_NUMBER, "bytes", NULL },
  { "MAX_SESSION_CONTEXT", KIND_NUMBER, "bytes", NULL },
  { "PS_FAMILY_INDICATOR", KIND_PLATFORM, NULL, NULL },
  { "PS_LEVEL", KIND_NUMBER, NULL, NULL },
  { "PS_REVISION", KIND_REVISION, NULL, NULL },
  { "PS_DAY_OF_YEAR", KIND_NUMBER, NULL, NULL },
  { "PS_YEAR", KIND_NUMBER, NULL, NULL },
  { "SPLIT_MAX", KIND_NUMBER, NULL, NULL },
  { "TOTAL_COMMANDS", KIND_NUMBER, "commands", NULL },
  { "LIBRARY_COMMANDS", KIND_NUMBER, "commands", NULL },
  { "VENDOR_COMMANDS", KIND_NUMBER, "commands", NULL },
  { "NV_BUFFER_MAX", KIND_NUMBER, "bytes", NULL },
  { "MODES", KIND_FLAGS, NULL, modes_flags },
  { "MAX_CAP_BUFFER", KIND_NUMBER, "bytes", NULL },
  { "FIRMWARE_SVN", KIND_NUMBER, NULL, NULL },
  { "FIRMWARE_MAX_SVN", KIND_NUMBER, NULL, NULL },
  { "PERMANENT", KIND_FLAGS, NULL, permanent_flags },
  { "STARTUP_CLEAR", KIND_FLAGS, NULL, startup_clear_flags },
  { "HR_NV_INDEX", KIND_NUMBER, "NV indices", NULL },
  { "HR_LOADED", KIND_NUMBER, "sessions", NULL },
  { "HR_LOADED_AVAIL", KIND_NUMBER, "sessions", NULL },
  { "HR_ACTIVE", KIND_NUMBER, "sessions", NULL },
  { "HR_ACTIVE_AVAIL", KIND_NUMBER, "sessions", NULL },
  { "HR_TRANSIENT_AVAIL", KIND_NUMBER, "objects", NULL },
  { "HR_PERSISTENT", KIND_NUMBER, "objects", NULL },
  { "HR_PERSISTENT_AVAIL", KIND_NUMBER, "objects", NULL },
  { "NV_COUNTERS", KIND_NUMBER, "counters", NULL },
  { "NV_COUNTERS_AVAIL", KIND_NUMBER, "counters", NULL },
  { "ALGORITHM_SET", KIND_NUMBER, NULL, NULL },
  { "LOADED_CURVES", KIND_NUMBER, "curves", NULL },
  { "LOCKOUT_COUNTER", KIND_NUMBER, "failures", NULL },
  { "MAX_AUTH_FAIL", KIND_NUMBER, "failures", NULL },
  { "LOCKOUT_INTERVAL", KIND_NUMBER, "s", NULL },
  { "LOCKOUT_RECOVERY", KIND_NUMBER, "s", NULL },
  { "NV_WRITE_RECOVERY", KIND_NUMBER, "ms", NULL },
  { "AUDIT_COUNTER_0", KIND_NUMBER, NULL, NULL },
  { "AUDIT_COUNTER_1", KIND_NUMBER, NULL, NULL },
};

static const Property *
find (const char *name)
{
  if (!g_str_has_prefix (name, "TPM_PT_"))
    return NULL;
  name += strlen ("TPM_PT_");
  for (gsize i = 0; i < G_N_ELEMENTS (properties); i++)
    if (g_str_equal (properties[i].name, name))
      return &properties[i];
  return NULL;
}

static char *
describe_text (guint32 value)
{
  GString *text = g_string_new (NULL);

  for (int shift = 24; shift >= 0; shift -= 8)
    {
      char c = (char)(value >> shift & 0xff);

      if (c == '\0')
        continue;
      g_string_append_c (text, g_ascii_isprint (c) ? c : '?');
    }
  g_string_prepend_c (text, '"');
  g_string_append_c (text, '"');
  return g_string_free (text, FALSE);
}

static char *
describe_flags (const Flag *flags, guint32 value)
{
  GString *text = g_string_new (NULL);
  guint32 rest = value;

  for (; flags->name != NULL; flags++)
    {
      if ((value & flags->mask) == 0)
        continue;
      g_string_append_printf (text, "%s%s", text->len > 0 ? ", " : "", flags->name);
      rest &= ~flags->mask;
    }
  if (rest != 0)
    g_string_append_printf (text, "%sunknown bits 0x%x", text->len > 0 ? ", " : "", rest);
  if (text->len == 0)
    g_string_append (text, "none");
  return g_string_free (text, FALSE);
}

/* TPM 2.0 Library, Part 2, 6.3 (TPM_ALG_ID): those that protect saved contexts. */
static char *
describe_algorithm (guint32 value)
{
  switch (value)
    {
    case 0x0004:
      return g_strdup ("sha1");
    case 0x0006:
      return g_strdup ("aes");
    case 0x000b:
      return g_strdup ("sha256");
    case 0x000c:
      return g_strdup ("sha384");
    case 0x000d:
      return g_strdup ("sha512");
    case 0x0012:
      return g_strdup ("sm3-256");
    case 0x0013:
      return g_strdup ("sm4");
    case 0x0026:
      return g_strdup ("camellia");
    default:
      return g_strdup ("");
    }
}

/* TPM 2.0 Library, Part 2, 6.14 (TPM_PS). Software TPMs have four characters here, as in TPM_PT_FAMILY_INDICATOR. */
static char *
describe_platform (guint32 value)
{
  static const char *const platforms[] = { "none",
                                           "PC client",
                                           "PDA",
                                           "cell phone",
                                           "server",
                                           "peripheral",
                                           "TSS",
                                           "storage",
                                           "authentication",
                                           "embedded",
                                           "hard copy",
                                           "infrastructure",
                                           "virtualization",
                                           "trusted network connect",
                                           "multi-tenant",
                                           "TCG" };

  return value < G_N_ELEMENTS (platforms) ? g_strdup (platforms[value]) : describe_text (value);
}

static char *
describe_number (const char *unit, guint32 value)
{
  return unit != NULL ? g_strdup_printf ("%u %s", value, unit) : g_strdup_printf ("%u", value);
}

guint
ward_cli_tpm_property_order (const char *name)
{
  const Property *property = find (name);

  return property != NULL ? (guint)(property - properties) : G_N_ELEMENTS (properties);
}

char *
ward_cli_tpm_property_describe (const char *name, guint32 value)
{
  const Property *property = find (name);

  switch (property != NULL ? property->kind : KIND_NUMBER)
    {
    case KIND_TEXT:
      return describe_text (value);
    case KIND_REVISION:
      return g_strdup_printf ("%u.%02u", value / 100, value % 100);
    case KIND_FIRMWARE:
      return g_strdup ("see Firmware in the status");
    case KIND_FLAGS:
      return describe_flags (property->flags, value);
    case KIND_ALGORITHM:
      return describe_algorithm (value);
    case KIND_PLATFORM:
      return describe_platform (value);
    case KIND_NUMBER:
    default:
      return describe_number (property != NULL ? property->unit : NULL, value);
    }
}
