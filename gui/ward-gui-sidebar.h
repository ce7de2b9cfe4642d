/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <adwaita.h>

#include "ward-gui-chip.h"

/* One of the window's pages. */
typedef struct
{
  const char *name;
  const char *title; /* to be translated */
  const char *icon_name;
  GType (*get_type) (void); /* of a WardGuiPage */
} WardGuiPageKind;

/* NULL if there is none of that name. */
const WardGuiPageKind *ward_gui_page_kind_find (const char *name);

#define WARD_GUI_TYPE_SIDEBAR (ward_gui_sidebar_get_type ())

/* The list of the pages, each with a dot where the chip needs attention.
 *
 * Signal "chosen" (string): the name of a page that the person wants to see. */
G_DECLARE_FINAL_TYPE (WardGuiSidebar, ward_gui_sidebar, WARD_GUI, SIDEBAR, AdwBin)

/* Marks the page that is shown. */
void ward_gui_sidebar_select (WardGuiSidebar *sidebar, const char *name);

/* The one that the dots are about; NULL for none. */
void ward_gui_sidebar_set_chip (WardGuiSidebar *sidebar, WardGuiChip *chip);
