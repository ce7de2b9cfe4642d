/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-nv-access.h"

#include <glib/gi18n.h>

static gboolean
is_by_password (WardGuiNvItem *item, WardGuiNvUse use)
{
  return ward_gui_nv_item_has (item, use == WARD_GUI_NV_READ ? "authread" : "authwrite");
}

static gboolean
is_by_owner (WardGuiNvItem *item)
{
  return ward_gui_nv_item_has (item, "ownerread") || ward_gui_nv_item_has (item, "ownerwrite");
}

void
ward_gui_nv_owner_call_async (WardGuiCall *call, WardGuiChip *chip, GAsyncReadyCallback callback, gpointer user_data)
{
  const WardGuiAuth auth = {
    .option = "owner-auth",
    .title = _ ("The Owner’s Password"),
    .body = _ ("The TPM’s memory is the owner’s, and the owner has a password."),
    .ask_first = ward_dbus_ownership_get_owner_auth_set (ward_gui_chip_get_ownership (chip)),
    .by_owner = TRUE,
  };

  ward_gui_auth_call_async (call, chip, &auth, callback, user_data);
}

void
ward_gui_nv_access_call_async (WardGuiCall *call, WardGuiChip *chip, WardGuiNvItem *item, WardGuiNvUse use,
                               WardGuiNvAccess access, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autofree char *title = g_strdup_printf (_ ("Password of NV Index 0x%08x"), ward_gui_nv_item_get_index (item));
  const WardGuiAuth own = {
    .option = "auth",
    .title = title,
    .body = _ ("The password that the index was defined with."),
  };

  ward_gui_call_set_has_options (call);
  if (access == WARD_GUI_NV_BY_OWNER)
    ward_gui_call_set_option (call, "owner", g_variant_new_boolean (TRUE));
  if (access == WARD_GUI_NV_BY_NOTHING)
    {
      g_autoptr (WardSecret) nothing = ward_secret_new (0);

      ward_gui_call_set_secret (call, "auth", nothing);
    }
  if (access == WARD_GUI_NV_BY_OWNER || !is_by_password (item, use))
    ward_gui_nv_owner_call_async (call, chip, callback, user_data);
  else
    ward_gui_auth_call_async (call, chip, &own, callback, user_data);
}

static void
add (GtkStringList *titles, GArray *kinds, WardGuiNvAccess kind, const char *title)
{
  g_array_append_val (kinds, kind);
  gtk_string_list_append (titles, title);
}

GtkStringList *
ward_gui_nv_access_list (WardGuiNvItem *item, GArray *kinds)
{
  GtkStringList *titles = gtk_string_list_new (NULL);
  gboolean by_password = is_by_password (item, WARD_GUI_NV_READ) || is_by_password (item, WARD_GUI_NV_WRITE);
  gboolean by_owner = is_by_owner (item);

  if (by_password)
    add (titles, kinds, WARD_GUI_NV_BY_ITSELF, _ ("Its Own Password"));
  if (by_owner)
    add (titles, kinds, WARD_GUI_NV_BY_OWNER, _ ("The Owner’s Password"));
  /* where wrong ones are not counted the service tries that by itself */
  if (by_password && !ward_gui_nv_item_has (item, "no_da"))
    add (titles, kinds, WARD_GUI_NV_BY_NOTHING, _ ("No Password: It Has None"));
  return titles;
}
