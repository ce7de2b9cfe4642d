/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli-json.h"

#include <stdio.h>

#include "ward-cli-text.h"
#include "ward-hex.h"

void
ward_cli_json_add_variant (JsonBuilder *builder, GVariant *value)
{
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_BYTESTRING))
    {
      gsize size;
      const guint8 *bytes = g_variant_get_fixed_array (value, &size, 1);
      g_autofree char *hex = ward_hex (bytes, size, 0);

      json_builder_add_string_value (builder, hex);
      return;
    }
  /* "the largest value" stays that: numbers have a sign here */
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_UINT64))
    {
      json_builder_add_int_value (builder, (gint64)MIN (g_variant_get_uint64 (value), G_MAXINT64));
      return;
    }
  json_builder_add_value (builder, json_gvariant_serialize (value));
}

void
ward_cli_json_add_properties (JsonBuilder *builder, GDBusProxy *proxy)
{
  GDBusInterfaceInfo *info = g_dbus_proxy_get_interface_info (proxy);

  for (guint i = 0; info->properties != NULL && info->properties[i] != NULL; i++)
    {
      const char *name = info->properties[i]->name;
      g_autoptr (GVariant) value = g_dbus_proxy_get_cached_property (proxy, name);
      g_autofree char *member = ward_cli_text_from_camel (name, '_');

      json_builder_set_member_name (builder, member);
      if (value != NULL)
        ward_cli_json_add_variant (builder, value);
      else
        json_builder_add_null_value (builder);
    }
}

void
ward_cli_json_add_dictionary (JsonBuilder *builder, GVariant *dictionary)
{
  GVariantIter iter;
  const char *key;
  GVariant *value;

  json_builder_begin_object (builder);
  g_variant_iter_init (&iter, dictionary);
  while (g_variant_iter_next (&iter, "{&sv}", &key, &value))
    {
      g_autoptr (GVariant) owned = value;
      g_autofree char *member = g_strdelimit (g_strdup (key), "-", '_');

      json_builder_set_member_name (builder, member);
      ward_cli_json_add_variant (builder, value);
    }
  json_builder_end_object (builder);
}

void
ward_cli_json_add_dictionaries (JsonBuilder *builder, GVariant *dictionaries)
{
  json_builder_begin_array (builder);
  for (gsize i = 0; i < g_variant_n_children (dictionaries); i++)
    {
      g_autoptr (GVariant) dictionary = g_variant_get_child_value (dictionaries, i);

      ward_cli_json_add_dictionary (builder, dictionary);
    }
  json_builder_end_array (builder);
}

void
ward_cli_json_add_string (JsonBuilder *builder, const char *name, const char *value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_string_value (builder, value);
}

void
ward_cli_json_print (JsonBuilder *builder, gboolean pretty)
{
  g_autoptr (JsonNode) root = json_builder_get_root (builder);
  g_autofree char *text = json_to_string (root, pretty);

  puts (text);
}
