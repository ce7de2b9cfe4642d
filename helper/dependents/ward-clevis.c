/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-clevis.h"

#include <string.h>

#include "ward-json.h"

#define MAX_HEADER (256 * 1024)
#define MAX_DEPTH 3 /* of sss pins within sss pins */

static WardClevis *read_jwe (const char *jwe, guint depth);

/* RFC 7515, section 2: "-" and "_" for "+" and "/", and no padding. */
static char *
decode_base64url (const char *text, gsize length, gsize *size)
{
  g_autoptr (GString) base64 = g_string_new_len (text, (gssize)length);

  g_string_replace (base64, "-", "+", 0);
  g_string_replace (base64, "_", "/", 0);
  while (base64->len % 4 != 0)
    g_string_append_c (base64, '=');
  return (char *)g_base64_decode (base64->str, size);
}

static WardClevis *
read_sss (JsonObject *sss, guint depth)
{
  g_autoptr (WardClevis) clevis = g_new0 (WardClevis, 1);
  g_autoptr (GString) pins = g_string_new (NULL);
  gint64 threshold = ward_json_int (sss, "t", 1);
  JsonArray *shares = ward_json_array (sss, "jwe");
  guint n = shares != NULL ? json_array_get_length (shares) : 0;
  gint64 others = 0;

  for (guint i = 0; i < n; i++)
    {
      JsonNode *node = json_array_get_element (shares, i);
      gboolean is_text = JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING;
      g_autoptr (WardClevis) share = is_text ? read_jwe (json_node_get_string (node), depth + 1) : NULL;

      if (share == NULL)
        continue;
      g_string_append_printf (pins, "%s%s", pins->len > 0 ? ", " : "", share->pins);
      clevis->uses_tpm = clevis->uses_tpm || share->uses_tpm;
      others += !share->needs_tpm;
    }
  clevis->needs_tpm = clevis->uses_tpm && others < threshold;
  clevis->pins = g_strdup_printf ("sss (%" G_GINT64_FORMAT " of: %s)", threshold, pins->str);
  return g_steal_pointer (&clevis);
}

static WardClevis *
read_pin (const char *pin)
{
  WardClevis *clevis = g_new0 (WardClevis, 1);

  clevis->uses_tpm = clevis->needs_tpm = strcmp (pin, "tpm2") == 0;
  clevis->pins = g_strndup (pin, 32);
  return clevis;
}

static WardClevis *
read_jwe (const char *jwe, guint depth)
{
  gsize length = strcspn (jwe, ".");
  gsize size;
  g_autofree char *text = NULL;
  g_autoptr (JsonObject) header = NULL;
  JsonObject *settings, *sss;
  const char *pin;

  if (depth > MAX_DEPTH || length > MAX_HEADER)
    return NULL;
  text = decode_base64url (jwe, length, &size);
  header = ward_json_parse (text, size);
  settings = header != NULL ? ward_json_object (header, "clevis") : NULL;
  pin = settings != NULL ? ward_json_string (settings, "pin") : NULL;
  if (pin == NULL)
    return NULL;
  sss = strcmp (pin, "sss") == 0 ? ward_json_object (settings, "sss") : NULL;
  return sss != NULL ? read_sss (sss, depth) : read_pin (pin);
}

WardClevis *
ward_clevis_new (const char *jwe)
{
  return read_jwe (jwe, 0);
}

void
ward_clevis_free (WardClevis *clevis)
{
  g_free (clevis->pins);
  g_free (clevis);
}
