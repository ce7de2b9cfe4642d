/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-nv-item.h"

#include <glib/gi18n.h>

#include "ward-gui-text.h"

struct _WardGuiNvItem
{
  GObject parent;

  GVariant *description;
  guint32 index, size;
  gboolean is_written;
  char *purpose;
  GStrv attributes;
};

G_DEFINE_FINAL_TYPE (WardGuiNvItem, ward_gui_nv_item, G_TYPE_OBJECT)

static void
ward_gui_nv_item_finalize (GObject *object)
{
  WardGuiNvItem *self = WARD_GUI_NV_ITEM (object);

  g_variant_unref (self->description);
  g_free (self->purpose);
  g_strfreev (self->attributes);
  G_OBJECT_CLASS (ward_gui_nv_item_parent_class)->finalize (object);
}

static void
ward_gui_nv_item_class_init (WardGuiNvItemClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = ward_gui_nv_item_finalize;
}

static void
ward_gui_nv_item_init (WardGuiNvItem *self)
{
}

WardGuiNvItem *
ward_gui_nv_item_new (GVariant *description)
{
  WardGuiNvItem *self = g_object_new (WARD_GUI_TYPE_NV_ITEM, NULL);

  self->description = g_variant_ref_sink (description);
  g_variant_lookup (description, "index", "u", &self->index);
  g_variant_lookup (description, "size", "u", &self->size);
  g_variant_lookup (description, "written", "b", &self->is_written);
  if (!g_variant_lookup (description, "description", "s", &self->purpose))
    self->purpose = g_strdup ("");
  if (!g_variant_lookup (description, "attributes", "^as", &self->attributes))
    self->attributes = g_new0 (char *, 1);
  return self;
}

gboolean
ward_gui_nv_item_equal (WardGuiNvItem *a, WardGuiNvItem *b)
{
  return g_variant_equal (a->description, b->description);
}

guint32
ward_gui_nv_item_get_index (WardGuiNvItem *item)
{
  return item->index;
}

guint32
ward_gui_nv_item_get_size (WardGuiNvItem *item)
{
  return item->size;
}

gboolean
ward_gui_nv_item_is_written (WardGuiNvItem *item)
{
  return item->is_written;
}

const char *
ward_gui_nv_item_get_purpose (WardGuiNvItem *item)
{
  return item->purpose;
}

const char *const *
ward_gui_nv_item_get_attributes (WardGuiNvItem *item)
{
  return (const char *const *)item->attributes;
}

gboolean
ward_gui_nv_item_has (WardGuiNvItem *item, const char *attribute)
{
  return g_strv_contains ((const char *const *)item->attributes, attribute);
}

char *
ward_gui_nv_item_dup_number (WardGuiNvItem *item)
{
  return g_strdup_printf ("0x%08x", item->index);
}

char *
ward_gui_nv_item_dup_title (WardGuiNvItem *item)
{
  return *item->purpose != '\0' ? ward_gui_text_capitalize (item->purpose) : g_strdup (_ ("Data of a Program"));
}

char *
ward_gui_nv_item_dup_summary (WardGuiNvItem *item)
{
  if (item->is_written)
    return g_strdup_printf (ngettext ("0x%08x, %u byte", "0x%08x, %u bytes", item->size), item->index, item->size);
  return g_strdup_printf (
      ngettext ("0x%08x, %u byte, nothing written yet", "0x%08x, %u bytes, nothing written yet", item->size),
      item->index, item->size);
}

/* Counters, bit fields and the like. */
static gboolean
is_ordinary (WardGuiNvItem *self)
{
  for (guint i = 0; self->attributes[i] != NULL; i++)
    if (g_str_has_prefix (self->attributes[i], "nt="))
      return FALSE;
  return TRUE;
}

typedef struct
{
  const char *attribute;
  const char *who;
} Right;

static const Right read_rights[] = {
  { "authread", N_ ("who knows its password") },
  { "ownerread", N_ ("the TPM’s owner") },
  { "ppread", N_ ("the firmware") },
  { "policyread", N_ ("who fulfills its policy") },
};

static const Right write_rights[] = {
  { "authwrite", N_ ("who knows its password") },
  { "ownerwrite", N_ ("the TPM’s owner") },
  { "ppwrite", N_ ("the firmware") },
  { "policywrite", N_ ("who fulfills its policy") },
};

char *
ward_gui_nv_item_dup_rights (WardGuiNvItem *item, WardGuiNvUse use)
{
  const Right *rights = use == WARD_GUI_NV_READ ? read_rights : write_rights;
  g_autoptr (GString) list = g_string_new (NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (read_rights); i++)
    if (ward_gui_nv_item_has (item, rights[i].attribute))
      g_string_append_printf (list, "%s%s", list->len > 0 ? ", " : "", _ (rights[i].who));
  return list->len > 0 ? ward_gui_text_capitalize (list->str) : g_strdup (_ ("Nobody"));
}

static const char *
why_not_read (WardGuiNvItem *self)
{
  if (ward_gui_nv_item_has (self, "readlocked"))
    return _ ("It is locked against reading until the computer starts anew.");
  if (!self->is_written)
    return _ ("Nothing was written to it yet.");
  if (!ward_gui_nv_item_has (self, "authread") && !ward_gui_nv_item_has (self, "ownerread"))
    return _ ("Only the firmware, or a program that fulfills its policy, can read it.");
  return NULL;
}

static const char *
why_not_written (WardGuiNvItem *self)
{
  if (ward_gui_nv_item_has (self, "writelocked"))
    return _ ("It is locked against writing.");
  if (!is_ordinary (self))
    return _ ("It is a counter, a bit field or the like, which only the program that it is of can change.");
  if (!ward_gui_nv_item_has (self, "authwrite") && !ward_gui_nv_item_has (self, "ownerwrite"))
    return _ ("Only the firmware, or a program that fulfills its policy, can write to it.");
  return NULL;
}

const char *
ward_gui_nv_item_why_not (WardGuiNvItem *item, WardGuiNvUse use)
{
  return use == WARD_GUI_NV_READ ? why_not_read (item) : why_not_written (item);
}

const char *
ward_gui_nv_item_why_kept (WardGuiNvItem *item)
{
  if (ward_gui_nv_item_has (item, "platformcreate"))
    return _ ("The firmware has defined it, and only the firmware can undefine it.");
  if (ward_gui_nv_item_has (item, "policydelete"))
    return _ ("Only a program that fulfills its policy can undefine it.");
  return NULL;
}
