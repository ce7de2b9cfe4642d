/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-dependent.h"

WardDependent *
ward_dependent_new (const char *kind, const char *subject, guint32 uid)
{
  WardDependent *dependent = g_new0 (WardDependent, 1);

  dependent->kind = kind;
  dependent->subject = ward_text_printable (subject);
  dependent->uid = uid;
  dependent->recoverable = "unknown";
  dependent->confidence = "sure";
  return dependent;
}

void
ward_dependent_free (WardDependent *dependent)
{
  g_free (dependent->subject);
  g_free (dependent->owner);
  g_free (dependent->detail);
  g_free (dependent->reason);
  g_free (dependent);
}

static const char *
text_or_empty (const char *text)
{
  return text != NULL ? text : "";
}

static void
add_to_variant (GVariantBuilder *builder, const WardDependent *dependent)
{
  g_variant_builder_open (builder, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add (builder, "{sv}", "kind", g_variant_new_string (dependent->kind));
  g_variant_builder_add (builder, "{sv}", "subject", g_variant_new_string (dependent->subject));
  g_variant_builder_add (builder, "{sv}", "owner", g_variant_new_string (text_or_empty (dependent->owner)));
  g_variant_builder_add (builder, "{sv}", "uid", g_variant_new_uint32 (dependent->uid));
  g_variant_builder_add (builder, "{sv}", "detail", g_variant_new_string (text_or_empty (dependent->detail)));
  g_variant_builder_add (builder, "{sv}", "recoverable", g_variant_new_string (dependent->recoverable));
  g_variant_builder_add (builder, "{sv}", "reason", g_variant_new_string (text_or_empty (dependent->reason)));
  g_variant_builder_add (builder, "{sv}", "uses-owner-empty-auth",
                         g_variant_new_boolean (dependent->uses_owner_empty_auth));
  g_variant_builder_add (builder, "{sv}", "uses-endorsement-empty-auth",
                         g_variant_new_boolean (dependent->uses_endorsement_empty_auth));
  g_variant_builder_add (builder, "{sv}", "uses-pin", g_variant_new_boolean (dependent->uses_pin));
  g_variant_builder_add (builder, "{sv}", "confidence", g_variant_new_string (dependent->confidence));
  g_variant_builder_close (builder);
}

GVariant *
ward_dependents_to_variant (GPtrArray *dependents)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("aa{sv}"));
  for (guint i = 0; i < dependents->len; i++)
    add_to_variant (&builder, g_ptr_array_index (dependents, i));
  return g_variant_builder_end (&builder);
}

/* Those that turn the direction of what follows make a name read as another. */
static gboolean
is_printable (gunichar character)
{
  GUnicodeType type = g_unichar_type (character);

  return type != G_UNICODE_CONTROL && type != G_UNICODE_FORMAT && type != G_UNICODE_LINE_SEPARATOR
         && type != G_UNICODE_PARAGRAPH_SEPARATOR;
}

char *
ward_text_printable (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  GString *printable = g_string_new (NULL);

  for (const char *at = valid; *at != '\0'; at = g_utf8_next_char (at))
    {
      gunichar character = g_utf8_get_char (at);

      g_string_append_unichar (printable, is_printable (character) ? character : 0xfffd);
    }
  return g_string_free (printable, FALSE);
}
