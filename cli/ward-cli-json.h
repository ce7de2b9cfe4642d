/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>
#include <json-glib/json-glib.h>

/* Bytes become a string of hexadecimal digits, numbers of type t are G_MAXINT64 at most; everything else what json-glib
 * makes of it. */
void ward_cli_json_add_variant (JsonBuilder *builder, GVariant *value);

/* Adds one member for each property of the proxy's interface, named like "key_algorithms". The builder is inside an
 * object. */
void ward_cli_json_add_properties (JsonBuilder *builder, GDBusProxy *proxy);

/* Adds one object of a dictionary's entries, a{sv}, named like "uses_pin" for "uses-pin". */
void ward_cli_json_add_dictionary (JsonBuilder *builder, GVariant *dictionary);

/* Adds an array of such objects for aa{sv}. */
void ward_cli_json_add_dictionaries (JsonBuilder *builder, GVariant *dictionaries);

/* Adds a member of type string. */
void ward_cli_json_add_string (JsonBuilder *builder, const char *name, const char *value);

/* Prints what was built on standard output: over several lines if pretty, else on one. */
void ward_cli_json_print (JsonBuilder *builder, gboolean pretty);
