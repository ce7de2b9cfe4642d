/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-config.h"

#include "ward-client-key.h"

#include <glib/gi18n-lib.h>
#include <pwd.h>

#include "ward-client-pcr.h"
#include "ward-client-text.h"

const char *
ward_client_key_get_string (GVariant *key, const char *name)
{
  const char *text = "";

  g_variant_lookup (key, name, "&s", &text);
  return text;
}

gboolean
ward_client_key_get_boolean (GVariant *key, const char *name)
{
  gboolean value = FALSE;

  g_variant_lookup (key, name, "b", &value);
  return value;
}

guint64
ward_client_key_get_number (GVariant *key, const char *name)
{
  guint64 value = 0;

  g_variant_lookup (key, name, "t", &value);
  return value;
}

char *
ward_client_key_get_usage (GVariant *key)
{
  g_autofree const char **usage = NULL;

  if (!g_variant_lookup (key, "usage", "^a&s", &usage))
    return g_strdup ("");
  return g_strjoinv (", ", (GStrv)usage);
}

char *
ward_client_key_get_pcrs (GVariant *key)
{
  g_autoptr (GVariant) pcrs = g_variant_lookup_value (key, "pcrs", G_VARIANT_TYPE ("a{sau}"));

  return pcrs != NULL ? ward_client_pcrs_format (pcrs) : g_strdup ("");
}

char *
ward_client_key_get_protection (GVariant *key)
{
  g_autofree char *pcrs = ward_client_key_get_pcrs (key);
  gboolean has_auth = ward_client_key_get_boolean (key, "has-auth");

  if (!has_auth && *pcrs == '\0')
    return g_strdup (_ ("none"));
  if (has_auth)
    return g_strdup (*pcrs != '\0' ? _ ("password, PCRs") : _ ("password"));
  return g_strdup (_ ("PCRs"));
}

char *
ward_client_key_get_owner (GVariant *key)
{
  guint32 uid = 0;
  const struct passwd *user;

  if (g_str_equal (ward_client_key_get_string (key, "scope"), "system"))
    return g_strdup (_ ("system"));
  g_variant_lookup (key, "uid", "u", &uid);
  user = getpwuid (uid);
  return user != NULL ? g_strdup (user->pw_name) : g_strdup_printf ("%u", uid);
}

char *
ward_client_key_get_last_use (GVariant *key)
{
  guint64 last = ward_client_key_get_number (key, "last-used");

  return last == 0 ? g_strdup (_ ("never")) : ward_client_text_ago ((gint64)MIN (last, G_MAXINT64), g_get_real_time ());
}

char *
ward_client_key_get_object (GVariant *object)
{
  const char *label = ward_client_key_get_string (object, "label");
  g_autofree char *owner = NULL;

  if (*ward_client_key_get_string (object, "key") == '\0')
    return g_strdup (ward_client_key_get_string (object, "description"));
  if (g_str_equal (ward_client_key_get_string (object, "scope"), "system"))
    return g_strdup_printf (_ ("the machine's key “%s”"), label);
  owner = ward_client_key_get_owner (object);
  return g_strdup_printf (_ ("the key “%s” of %s"), label, owner);
}
