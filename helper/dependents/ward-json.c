/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-json.h"

/* How many objects and arrays a text may begin. What is read here needs some hundred at most. */
#define MAX_BRACKETS 2048

/* Counted in strings too, as what json-glib takes for a comment could make one seem to begin. */
static gboolean
is_shallow (const char *text, gsize length)
{
  guint n = 0;

  for (gsize i = 0; i < length; i++)
    n += text[i] == '[' || text[i] == '{';
  return n <= MAX_BRACKETS;
}

JsonObject *
ward_json_parse (const char *text, gsize length)
{
  g_autoptr (JsonParser) parser = json_parser_new_immutable ();
  JsonNode *node;

  if (length == 0 || !is_shallow (text, length) || !g_utf8_validate (text, (gssize)length, NULL)
      || !json_parser_load_from_data (parser, text, (gssize)length, NULL))
    return NULL;
  node = json_parser_get_root (parser);
  return node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_object_ref (json_node_get_object (node)) : NULL;
}

JsonObject *
ward_json_object (JsonObject *object, const char *member)
{
  JsonNode *node = json_object_get_member (object, member);

  return node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
}

JsonArray *
ward_json_array (JsonObject *object, const char *member)
{
  JsonNode *node = json_object_get_member (object, member);

  return node != NULL && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
}

static JsonNode *
value (JsonObject *object, const char *member, GType type)
{
  JsonNode *node = json_object_get_member (object, member);

  return node != NULL && JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == type ? node : NULL;
}

const char *
ward_json_string (JsonObject *object, const char *member)
{
  JsonNode *node = value (object, member, G_TYPE_STRING);

  return node != NULL ? json_node_get_string (node) : NULL;
}

gint64
ward_json_int (JsonObject *object, const char *member, gint64 missing)
{
  JsonNode *node = value (object, member, G_TYPE_INT64);

  return node != NULL ? json_node_get_int (node) : missing;
}

gboolean
ward_json_boolean (JsonObject *object, const char *member)
{
  JsonNode *node = value (object, member, G_TYPE_BOOLEAN);

  return node != NULL && json_node_get_boolean (node);
}
