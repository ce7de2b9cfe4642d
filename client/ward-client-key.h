/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* A key's members, a{sv} as by Describe, in words. A member that is missing counts as empty. */
const char *ward_client_key_get_string (GVariant *key, const char *name);
gboolean ward_client_key_get_boolean (GVariant *key, const char *name);
guint64 ward_client_key_get_number (GVariant *key, const char *name);

/* New strings. */
char *ward_client_key_get_usage (GVariant *key);      /* "sign, decrypt" */
char *ward_client_key_get_pcrs (GVariant *key);       /* "sha256:7,11", or empty */
char *ward_client_key_get_protection (GVariant *key); /* "password, PCRs", "none" */
char *ward_client_key_get_owner (GVariant *key);      /* a user's name, or "system" */
char *ward_client_key_get_last_use (GVariant *key);   /* "3 minutes ago", "never" */

/* What lies at a persistent handle, an entry as by ListPersistent; a new string, empty when nobody knows. */
char *ward_client_key_get_object (GVariant *object);
