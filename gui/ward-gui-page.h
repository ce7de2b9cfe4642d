/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <adwaita.h>

#include "ward-gui-chip.h"

#define WARD_GUI_TYPE_PAGE (ward_gui_page_get_type ())

/* A page of the window. Its vfuncs are called only while it is seen, so that a page which nobody looks at costs
 * nothing.
 *
 * Properties:
 * "chip" (WardGuiChip): the TPM that it shows; NULL while there is none.
 * "header-widget" (GtkWidget): what the page has in the window's header bar while it is seen, or NULL. */
G_DECLARE_DERIVABLE_TYPE (WardGuiPage, ward_gui_page, WARD_GUI, PAGE, AdwBin)

struct _WardGuiPageClass
{
  AdwBinClass parent_class;

  /* Properties of the chip have changed, or it is seen for the first time, or again: shows what the properties say. The
   * chip is there. NULL for nothing. */
  void (*update) (WardGuiPage *page);

  /* The chip is another one (perhaps NULL): what was shown and loaded of the old one is stale. NULL for nothing. */
  void (*reset) (WardGuiPage *page);

  /* The page comes to be seen with a chip, or the person wants it to be read again (is_refresh): loads what is no
   * property. NULL for nothing. */
  void (*load) (WardGuiPage *page, gboolean is_refresh);
};

WardGuiChip *ward_gui_page_get_chip (WardGuiPage *page);
GtkWidget *ward_gui_page_get_header_widget (WardGuiPage *page);

/* Has it read again what it shows. */
void ward_gui_page_refresh (WardGuiPage *page);

/* For the page itself, after a call that changed what update() shows. Does nothing while it is not seen. */
void ward_gui_page_update (WardGuiPage *page);
