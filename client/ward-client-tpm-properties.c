/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-config.h"

#include "ward-client-tpm-properties.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "ward-hex.h"

typedef enum
{
  KIND_NUMBER,
  KIND_BITS,
  KIND_BYTES,
  KIND_MILLISECONDS,
  KIND_SECONDS,
  KIND_TEXT, /* four characters, the first one in the highest byte */
  KIND_REVISION,
  KIND_FIRMWARE, /* each vendor has its own way to write it, which the service knows */
  KIND_FLAGS,
  KIND_ALGORITHM,
  KIND_PLATFORM,
  KIND_HANDLE, /* all ones for none */
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
  const char *name; /* without TPM_PT_ or TPM_CAP_PROP_ */
  Kind kind;
  const Flag *flags;
} Property;

/* TPM 2.0 Library, Part 2, 6.13 (TPM_PT), in its order. */
static const Property known_properties[] = {
  { "FAMILY_INDICATOR", KIND_TEXT, NULL },
  { "LEVEL", KIND_NUMBER, NULL },
  { "REVISION", KIND_REVISION, NULL },
  { "DAY_OF_YEAR", KIND_NUMBER, NULL },
  { "YEAR", KIND_NUMBER, NULL },
  { "MANUFACTURER", KIND_TEXT, NULL },
  { "VENDOR_STRING_1", KIND_TEXT, NULL },
  { "VENDOR_STRING_2", KIND_TEXT, NULL },
  { "VENDOR_STRING_3", KIND_TEXT, NULL },
  { "VENDOR_STRING_4", KIND_TEXT, NULL },
  { "VENDOR_TPM_TYPE", KIND_NUMBER, NULL },
  { "FIRMWARE_VERSION_1", KIND_FIRMWARE, NULL },
  { "FIRMWARE_VERSION_2", KIND_FIRMWARE, NULL },
  { "INPUT_BUFFER", KIND_BYTES, NULL },
  { "HR_TRANSIENT_MIN", KIND_NUMBER, NULL },
  { "HR_PERSISTENT_MIN", KIND_NUMBER, NULL },
  { "HR_LOADED_MIN", KIND_NUMBER, NULL },
  { "ACTIVE_SESSIONS_MAX", KIND_NUMBER, NULL },
  { "PCR_COUNT", KIND_NUMBER, NULL },
  { "PCR_SELECT_MIN", KIND_BYTES, NULL },
  { "CONTEXT_GAP_MAX", KIND_NUMBER, NULL },
  { "NV_COUNTERS_MAX", KIND_NUMBER, NULL },
  { "NV_INDEX_MAX", KIND_BYTES, NULL },
  { "MEMORY", KIND_FLAGS, memory_flags },
  { "CLOCK_UPDATE", KIND_MILLISECONDS, NULL },
  { "CONTEXT_HASH", KIND_ALGORITHM, NULL },
  { "CONTEXT_SYM", KIND_ALGORITHM, NULL },
  { "CONTEXT_SYM_SIZE", KIND_BITS, NULL },
  { "ORDERLY_COUNT", KIND_NUMBER, NULL },
  { "MAX_COMMAND_SIZE", KIND_BYTES, NULL },
  { "MAX_RESPONSE_SIZE", KIND_BYTES, NULL },
  { "MAX_DIGEST", KIND_BYTES, NULL },
  { "MAX_OBJECT_CONTEXT", KIND_BYTES, NULL },
  { "MAX_SESSION_CONTEXT", KIND_BYTES, NULL },
  { "PS_FAMILY_INDICATOR", KIND_PLATFORM, NULL },
  { "PS_LEVEL", KIND_NUMBER, NULL },
  { "PS_REVISION", KIND_REVISION, NULL },
  { "PS_DAY_OF_YEAR", KIND_NUMBER, NULL },
  { "PS_YEAR", KIND_NUMBER, NULL },
  { "SPLIT_MAX", KIND_NUMBER, NULL },
  { "TOTAL_COMMANDS", KIND_NUMBER, NULL },
  { "LIBRARY_COMMANDS", KIND_NUMBER, NULL },
  { "VENDOR_COMMANDS", KIND_NUMBER, NULL },
  { "NV_BUFFER_MAX", KIND_BYTES, NULL },
  { "MODES", KIND_FLAGS, modes_flags },
  { "MAX_CAP_BUFFER", KIND_BYTES, NULL },
  { "FIRMWARE_SVN", KIND_NUMBER, NULL },
  { "FIRMWARE_MAX_SVN", KIND_NUMBER, NULL },
  { "PERMANENT", KIND_FLAGS, permanent_flags },
  { "STARTUP_CLEAR", KIND_FLAGS, startup_clear_flags },
  { "HR_NV_INDEX", KIND_NUMBER, NULL },
  { "HR_LOADED", KIND_NUMBER, NULL },
  { "HR_LOADED_AVAIL", KIND_NUMBER, NULL },
  { "HR_ACTIVE", KIND_NUMBER, NULL },
  { "HR_ACTIVE_AVAIL", KIND_NUMBER, NULL },
  { "HR_TRANSIENT_AVAIL", KIND_NUMBER, NULL },
  { "HR_PERSISTENT", KIND_NUMBER, NULL },
  { "HR_PERSISTENT_AVAIL", KIND_NUMBER, NULL },
  { "NV_COUNTERS", KIND_NUMBER, NULL },
  { "NV_COUNTERS_AVAIL", KIND_NUMBER, NULL },
  { "ALGORITHM_SET", KIND_NUMBER, NULL },
  { "LOADED_CURVES", KIND_NUMBER, NULL },
  { "LOCKOUT_COUNTER", KIND_NUMBER, NULL },
  { "MAX_AUTH_FAIL", KIND_NUMBER, NULL },
  { "LOCKOUT_INTERVAL", KIND_SECONDS, NULL },
  { "LOCKOUT_RECOVERY", KIND_SECONDS, NULL },
  { "NV_WRITE_RECOVERY", KIND_MILLISECONDS, NULL },
  { "AUDIT_COUNTER_0", KIND_NUMBER, NULL },
  { "AUDIT_COUNTER_1", KIND_NUMBER, NULL },
};

/* TPM Main, Part 2, 21.2 (TPM_CAP_PROPERTY), in its order. */
static const Property known_properties_of_1_2[] = {
  { "PCR", KIND_NUMBER, NULL },
  { "DIR", KIND_NUMBER, NULL },
  { "MANUFACTURER", KIND_TEXT, NULL },
  { "KEYS", KIND_NUMBER, NULL },
  { "MIN_COUNTER", KIND_NUMBER, NULL },
  { "AUTHSESS", KIND_NUMBER, NULL },
  { "TRANSESS", KIND_NUMBER, NULL },
  { "COUNTERS", KIND_NUMBER, NULL },
  { "MAX_AUTHSESS", KIND_NUMBER, NULL },
  { "MAX_TRANSESS", KIND_NUMBER, NULL },
  { "MAX_COUNTERS", KIND_NUMBER, NULL },
  { "MAX_KEYS", KIND_NUMBER, NULL },
  { "OWNER", KIND_NUMBER, NULL },
  { "CONTEXT", KIND_NUMBER, NULL },
  { "MAX_CONTEXT", KIND_NUMBER, NULL },
  { "FAMILYROWS", KIND_NUMBER, NULL },
  { "STARTUP_EFFECT", KIND_NUMBER, NULL },
  { "DELEGATE_ROW", KIND_NUMBER, NULL },
  { "MAX_DAASESS", KIND_NUMBER, NULL },
  { "DAASESS", KIND_NUMBER, NULL },
  { "CONTEXT_DIST", KIND_NUMBER, NULL },
  { "SESSIONS", KIND_NUMBER, NULL },
  { "MAX_SESSIONS", KIND_NUMBER, NULL },
  { "CMK_RESTRICTION", KIND_NUMBER, NULL },
  { "ACTIVE_COUNTER", KIND_HANDLE, NULL },
  { "MAX_NV_AVAILABLE", KIND_BYTES, NULL },
  { "INPUT_BUFFER", KIND_BYTES, NULL },
};

/* order: where it stands in its specification, last of all for one that is in none. */
static const Property *
find (const char *name, guint *order)
{
  const struct
  {
    const char *prefix;
    const Property *properties;
    guint n;
  } tables[] = { { "TPM_PT_", known_properties, G_N_ELEMENTS (known_properties) },
                 { "TPM_CAP_PROP_", known_properties_of_1_2, G_N_ELEMENTS (known_properties_of_1_2) } };

  for (gsize i = 0; i < G_N_ELEMENTS (tables); i++)
    for (guint n = 0; g_str_has_prefix (name, tables[i].prefix) && n < tables[i].n; n++)
      if (g_str_equal (tables[i].properties[n].name, name + strlen (tables[i].prefix)))
        {
          *order = n;
          return &tables[i].properties[n];
        }
  *order = G_MAXUINT;
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
    {
      g_string_append (text, text->len > 0 ? ", " : "");
      g_string_append_printf (text, _ ("unknown bits 0x%x"), rest);
    }
  if (text->len == 0)
    g_string_append (text, _ ("none set"));
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
  static const char *const platforms[] = { N_ ("not specific to a platform"),
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

  return value < G_N_ELEMENTS (platforms) ? g_strdup (_ (platforms[value])) : describe_text (value);
}

guint
ward_client_tpm_property_order (const char *name)
{
  guint order;

  find (name, &order);
  return order;
}

char *
ward_client_tpm_property_describe (const char *name, guint32 value)
{
  guint order;
  const Property *property = find (name, &order);

  switch (property != NULL ? property->kind : KIND_NUMBER)
    {
    case KIND_TEXT:
      return describe_text (value);
    case KIND_REVISION:
      return g_strdup_printf ("%u.%02u", value / 100, value % 100);
    case KIND_FIRMWARE:
      return g_strdup (_ ("part of the firmware version"));
    case KIND_FLAGS:
      return describe_flags (property->flags, value);
    case KIND_ALGORITHM:
      return describe_algorithm (value);
    case KIND_PLATFORM:
      return describe_platform (value);
    case KIND_BITS:
      return g_strdup_printf (ngettext ("%u bit", "%u bits", value), value);
    case KIND_BYTES:
      return g_strdup_printf (ngettext ("%u byte", "%u bytes", value), value);
    case KIND_MILLISECONDS:
      return g_strdup_printf ("%u ms", value);
    case KIND_SECONDS:
      return g_strdup_printf ("%u s", value);
    case KIND_HANDLE:
      return value == G_MAXUINT32 ? g_strdup (_ ("none set")) : g_strdup_printf ("0x%08x", value);
    case KIND_NUMBER:
    default:
      return g_strdup_printf ("%u", value);
    }
}

static int
compare_by_specification (gconstpointer a, gconstpointer b)
{
  const char *name_a = *(const char *const *)a;
  const char *name_b = *(const char *const *)b;
  guint order_a = ward_client_tpm_property_order (name_a);
  guint order_b = ward_client_tpm_property_order (name_b);

  if (order_a != order_b)
    return order_a < order_b ? -1 : 1;
  return g_strcmp0 (name_a, name_b);
}

GPtrArray *
ward_client_tpm_properties_sort (GVariant *properties)
{
  GPtrArray *names = g_ptr_array_new ();
  GVariantIter iter;
  const char *name;

  g_variant_iter_init (&iter, properties);
  while (g_variant_iter_next (&iter, "{&sv}", &name, NULL))
    g_ptr_array_add (names, (gpointer)name);
  g_ptr_array_sort (names, compare_by_specification);
  return names;
}

static char *
print_bytes (GVariant *value)
{
  gsize size;
  const guint8 *bytes = g_variant_get_fixed_array (value, &size, 1);

  return ward_hex (bytes, size, 0);
}

/* What is neither a u nor bytes is shown as the GVariant that it is, such as whether a TPM 1.2 has an owner. */
void
ward_client_tpm_properties_format (GVariant *properties, const char *name, char **hex, char **text)
{
  g_autoptr (GVariant) value = g_variant_lookup_value (properties, name, NULL);

  if (!g_variant_is_of_type (value, G_VARIANT_TYPE_UINT32))
    {
      *hex = g_strdup ("");
      *text = g_variant_is_of_type (value, G_VARIANT_TYPE_BYTESTRING) ? print_bytes (value)
                                                                      : g_variant_print (value, FALSE);
      return;
    }
  *hex = g_strdup_printf ("0x%08x", g_variant_get_uint32 (value));
  *text = ward_client_tpm_property_describe (name, g_variant_get_uint32 (value));
}
