/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-key.h"

#include <string.h>

#include "ward-client-key.h"

struct _WardGuiKey
{
  GObject parent;

  GVariant *description;
};

G_DEFINE_FINAL_TYPE (WardGuiKey, ward_gui_key, G_TYPE_OBJECT)

static void
ward_gui_key_finalize (GObject *object)
{
  g_variant_unref (WARD_GUI_KEY (object)->description);
  G_OBJECT_CLASS (ward_gui_key_parent_class)->finalize (object);
}

static void
ward_gui_key_class_init (WardGuiKeyClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = ward_gui_key_finalize;
}

static void
ward_gui_key_init (WardGuiKey *self)
{
}

WardGuiKey *
ward_gui_key_new (GVariant *description)
{
  WardGuiKey *self = g_object_new (WARD_GUI_TYPE_KEY, NULL);

  self->description = g_variant_ref_sink (description);
  return self;
}

GVariant *
ward_gui_key_get_description (WardGuiKey *key)
{
  return key->description;
}

const char *
ward_gui_key_get_id (WardGuiKey *key)
{
  return ward_client_key_get_string (key->description, "id");
}

const char *
ward_gui_key_get_label (WardGuiKey *key)
{
  return ward_client_key_get_string (key->description, "label");
}

const char *
ward_gui_key_get_algorithm (WardGuiKey *key)
{
  return ward_client_key_get_string (key->description, "algorithm");
}

gboolean
ward_gui_key_is_system (WardGuiKey *key)
{
  return g_str_equal (ward_client_key_get_string (key->description, "scope"), "system");
}

gboolean
ward_gui_key_is_usable (WardGuiKey *key)
{
  return ward_client_key_get_boolean (key->description, "usable");
}

gboolean
ward_gui_key_has_auth (WardGuiKey *key)
{
  return ward_client_key_get_boolean (key->description, "has-auth");
}

gboolean
ward_gui_key_is_rsa (WardGuiKey *key)
{
  return g_str_has_prefix (ward_gui_key_get_algorithm (key), "rsa");
}

gboolean
ward_gui_key_has_usage (WardGuiKey *key, const char *usage)
{
  g_autofree const char **usages = NULL;

  return g_variant_lookup (key->description, "usage", "^a&s", &usages) && g_strv_contains (usages, usage);
}

gboolean
ward_gui_key_equal (WardGuiKey *a, WardGuiKey *b)
{
  return g_variant_equal (a->description, b->description);
}

gboolean
ward_gui_key_matches (WardGuiKey *key, const char *words)
{
  static const char *const members[] = { "label", "comment", "algorithm", "fingerprint", "id" };
  g_autofree char *folded_words = g_utf8_casefold (words, -1);

  for (gsize i = 0; i < G_N_ELEMENTS (members); i++)
    {
      g_autofree char *folded = g_utf8_casefold (ward_client_key_get_string (key->description, members[i]), -1);

      if (strstr (folded, folded_words) != NULL)
        return TRUE;
    }
  return FALSE;
}

gpointer
ward_gui_key_get_proxy (WardGuiKey *key, WardGuiChip *chip)
{
  return ward_gui_key_is_system (key) ? (gpointer)ward_gui_chip_get_system_keys (chip)
                                      : (gpointer)ward_gui_chip_get_keys (chip);
}
