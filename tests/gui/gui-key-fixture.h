/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gui-fixture.h"

#define GUI_KEYS "org.tpmward1.Keys"

/* The path of that name in the test's own folder. */
char *gui_in_folder (const char *name);
void gui_write_file (const char *path, const char *data, gssize size);

/* interface: the users' keys or the machine's. options: a{sv} in GVariant's text format. */
void gui_create_key (GuiFixture *fixture, const char *interface, const char *label, const char *algorithm,
                     const char *options);
/* The details of the only key. */
GtkWidget *gui_open_key (GuiFixture *fixture, const char *label);

/* In the chooser that opens. */
void gui_choose_file (const char *path, gboolean to_write);
/* To the dialog with that title. */
void gui_answer (const char *title, const char *password);
