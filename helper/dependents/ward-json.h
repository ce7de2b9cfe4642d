/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <json-glib/json-glib.h>

/* The object that a text of length bytes stands for; NULL when it is none, or nests so deep that it would fill the
 * stack of json-glib's parser, which knows no limit. */
JsonObject *ward_json_parse (const char *text, gsize length);

/* A member's value; NULL, 0, FALSE when there is none of that type. Strings are the object's. */
JsonObject *ward_json_object (JsonObject *object, const char *member);
JsonArray *ward_json_array (JsonObject *object, const char *member);
const char *ward_json_string (JsonObject *object, const char *member);
gint64 ward_json_int (JsonObject *object, const char *member, gint64 missing);
gboolean ward_json_boolean (JsonObject *object, const char *member);
