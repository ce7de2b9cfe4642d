/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-gui-auth.h"
#include "ward-gui-nv-item.h"

/* By whose right an NV index is read or written. */
typedef enum
{
  WARD_GUI_NV_BY_ITSELF,  /* as the service finds it, and then by the index's own password */
  WARD_GUI_NV_BY_NOTHING, /* the index has no password; the TPM would count it if that were wrong */
  WARD_GUI_NV_BY_OWNER,   /* by the owner's auth */
} WardGuiNvAccess;

/* Has the call, of Read or Write, go by that right, and makes it; what it lacks is asked for. The callback has the call
 * as its source. */
void ward_gui_nv_access_call_async (WardGuiCall *call, WardGuiChip *chip, WardGuiNvItem *item, WardGuiNvUse use,
                                    WardGuiNvAccess access, GAsyncReadyCallback callback, gpointer user_data);

/* Those that the index allows, as a new list model of strings and what each of them is. */
GtkStringList *ward_gui_nv_access_list (WardGuiNvItem *item, GArray *kinds);

/* Makes a call of Define or Undefine, which takes the owner auth if there is one. */
void ward_gui_nv_owner_call_async (WardGuiCall *call, WardGuiChip *chip, GAsyncReadyCallback callback,
                                   gpointer user_data);
