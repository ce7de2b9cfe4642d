/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-handle-item.h"

#include <glib/gi18n.h>
#include <pwd.h>
#include <unistd.h>

#include "ward-gui-text.h"

#define SRK_HANDLE 0x81000001u
/* TPM 2.0 Library, Part 2, 7.5: the last one of the owner. */
#define LAST_OWNER_HANDLE 0x817fffffu

/* TPM 2.0 Library, Part 2, 8.3 (TPMA_OBJECT). */
#define RESTRICTED (1u << 16)
#define DECRYPT (1u << 17)
#define SIGN (1u << 18)

static const struct
{
  guint32 mask;
  const char *name;
} attribute_names[] = {
  { 1u << 1, "fixedTPM" },
  { 1u << 2, "stClear" },
  { 1u << 4, "fixedParent" },
  { 1u << 5, "sensitiveDataOrigin" },
  { 1u << 6, "userWithAuth" },
  { 1u << 7, "adminWithPolicy" },
  { 1u << 10, "noDA" },
  { 1u << 11, "encryptedDuplication" },
  { RESTRICTED, "restricted" },
  { DECRYPT, "decrypt" },
  { SIGN, "sign" },
};

struct _WardGuiHandleItem
{
  GObject parent;

  guint32 handle, attributes;
  char *name, *algorithm, *purpose;
  char *label; /* of a key of the service's, or NULL */
  char *user;  /* whose key it is, by name; NULL for the machine's */
};

G_DEFINE_FINAL_TYPE (WardGuiHandleItem, ward_gui_handle_item, G_TYPE_OBJECT)

static void
ward_gui_handle_item_finalize (GObject *object)
{
  WardGuiHandleItem *self = WARD_GUI_HANDLE_ITEM (object);

  g_free (self->name);
  g_free (self->algorithm);
  g_free (self->purpose);
  g_free (self->label);
  g_free (self->user);
  G_OBJECT_CLASS (ward_gui_handle_item_parent_class)->finalize (object);
}

static void
ward_gui_handle_item_class_init (WardGuiHandleItemClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = ward_gui_handle_item_finalize;
}

static void
ward_gui_handle_item_init (WardGuiHandleItem *self)
{
}

static char *
lookup_string (GVariant *description, const char *name)
{
  char *text;

  return g_variant_lookup (description, name, "s", &text) ? text : g_strdup ("");
}

/* By name, or by number where nobody has that any more. */
static char *
find_user (guint32 uid)
{
  struct passwd entry;
  struct passwd *found = NULL;
  char buffer[4096];

  if (getpwuid_r (uid, &entry, buffer, sizeof buffer, &found) == 0 && found != NULL)
    return g_strdup (found->pw_name);
  return g_strdup_printf ("%u", uid);
}

WardGuiHandleItem *
ward_gui_handle_item_new (GVariant *description)
{
  WardGuiHandleItem *self = g_object_new (WARD_GUI_TYPE_HANDLE_ITEM, NULL);
  g_autofree char *scope = lookup_string (description, "scope");
  guint32 uid;

  g_variant_lookup (description, "handle", "u", &self->handle);
  g_variant_lookup (description, "attributes", "u", &self->attributes);
  self->name = lookup_string (description, "name");
  self->algorithm = lookup_string (description, "algorithm");
  self->purpose = lookup_string (description, "description");
  g_variant_lookup (description, "label", "s", &self->label);
  if (g_str_equal (scope, "user") && g_variant_lookup (description, "uid", "u", &uid))
    self->user = find_user (uid);
  return self;
}

guint32
ward_gui_handle_item_get_handle (WardGuiHandleItem *item)
{
  return item->handle;
}

const char *
ward_gui_handle_item_get_name (WardGuiHandleItem *item)
{
  return item->name;
}

char *
ward_gui_handle_item_dup_title (WardGuiHandleItem *item)
{
  if (item->label != NULL)
    return g_strdup_printf (_ ("Key “%s”"), item->label);
  return *item->purpose != '\0' ? ward_gui_text_capitalize (item->purpose) : g_strdup (_ ("Object of a Program"));
}

char *
ward_gui_handle_item_dup_summary (WardGuiHandleItem *item)
{
  return g_strdup_printf ("0x%08x, %s", item->handle, item->algorithm);
}

char *
ward_gui_handle_item_dup_maker (WardGuiHandleItem *item)
{
  if (item->label != NULL && item->user != NULL)
    return g_strdup_printf (_ ("A key of user %s’s, which TPM Ward keeps."), item->user);
  if (item->label != NULL)
    return g_strdup (_ ("A key of the machine’s, which TPM Ward keeps."));
  if (*item->purpose != '\0')
    return g_strdup_printf (_ ("By convention it is %s."), item->purpose);
  return g_strdup (_ ("Another program has put it there. The TPM does not tell which one."));
}

const char *
ward_gui_handle_item_get_use (WardGuiHandleItem *item)
{
  guint32 use = item->attributes & (RESTRICTED | DECRYPT | SIGN);

  switch (use)
    {
    case RESTRICTED | DECRYPT:
      return _ ("A storage key: it protects the keys that lie beneath it.");
    case RESTRICTED | SIGN:
      return _ ("An attestation key: it signs only what the TPM says of itself.");
    case DECRYPT | SIGN:
      return _ ("It signs and decrypts.");
    case SIGN:
      return _ ("It signs.");
    case DECRYPT:
      return _ ("It decrypts, or agrees on keys.");
    default:
      return _ ("It is data, and no key that does something.");
    }
}

char *
ward_gui_handle_item_dup_attributes (WardGuiHandleItem *item)
{
  GString *text = g_string_new (NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (attribute_names); i++)
    if (item->attributes & attribute_names[i].mask)
      g_string_append_printf (text, "%s%s", text->len > 0 ? ", " : "", attribute_names[i].name);
  return g_string_free (text, FALSE);
}

char *
ward_gui_handle_item_dup_loss (WardGuiHandleItem *item)
{
  if (item->label != NULL)
    return g_strdup_printf (_ ("The key “%s” stays, as TPM Ward keeps it too. Programs that use it by the handle "
                               "0x%08x do not find it any more."),
                            item->label, item->handle);
  if (*item->purpose != '\0')
    return g_strdup_printf (_ ("By convention it is %s. Programs that look for it at the handle 0x%08x do not find it "
                               "any more. If nobody has kept it otherwise, it is lost for good."),
                            item->purpose, item->handle);
  return g_strdup_printf (_ ("Another program has put it at the handle 0x%08x. If nobody has kept it otherwise, it is "
                             "lost for good, and what only it can open is lost with it."),
                          item->handle);
}

const char *
ward_gui_handle_item_why_kept (WardGuiHandleItem *item)
{
  if (item->handle == SRK_HANDLE)
    return _ ("It cannot be evicted: all other keys lie beneath it.");
  if (item->handle > LAST_OWNER_HANDLE)
    return _ ("It is the computer maker’s, and only the firmware can evict it.");
  return NULL;
}
