/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-gui-page.h"

#define WARD_GUI_TYPE_BOOT_PAGE (ward_gui_boot_page_get_type ())

/* The PCRs: what the computer has started with. */
G_DECLARE_FINAL_TYPE (WardGuiBootPage, ward_gui_boot_page, WARD_GUI, BOOT_PAGE, WardGuiPage)

/* Writes the values that are shown to the file, and says so. Does nothing while none are known. */
void ward_gui_boot_page_save (WardGuiBootPage *page, GFile *file);

/* Compares them with those that the file keeps. */
void ward_gui_boot_page_compare (WardGuiBootPage *page, GFile *file);
