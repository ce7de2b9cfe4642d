/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <adwaita.h>

#include "ward-gui-call.h"

#define WARD_GUI_TYPE_DIALOG (ward_gui_dialog_get_type ())

/* A window over another one, for what is more than a question: Cancel and the button that does it in the header bar,
 * the content below, an error bar and an activity bar. Escape closes it; Enter does it.
 *
 * Properties, for the templates of subclasses (title is the window's own):
 * "content-child" (GtkWidget): the content, which scrolls.
 * "apply-label" (string, with a mnemonic): the button's; NULL for a dialog that only shows something, with one Close.
 * "can-apply" (boolean): whether the button can be pressed now.
 * "destructive" (boolean): the button looks so, and Enter does not press it.
 * "busy" (boolean): it is being done: nothing can be changed meanwhile.
 *
 * Signal "apply": the button was pressed. */
G_DECLARE_DERIVABLE_TYPE (WardGuiDialog, ward_gui_dialog, WARD_GUI, DIALOG, AdwWindow)

struct _WardGuiDialogClass
{
  AdwWindowClass parent_class;

  void (*apply) (WardGuiDialog *dialog);
};

/* Shows it over the window that widget is in. */
void ward_gui_dialog_present (WardGuiDialog *dialog, GtkWidget *widget);

/* Makes it as tall as what it shows by now, within bounds; never less tall than it is. */
void ward_gui_dialog_fit (WardGuiDialog *dialog);

/* What a subclass's field lacks, as a sentence beneath the content; NULL when it lacks nothing. */
void ward_gui_dialog_set_hint (WardGuiDialog *dialog, const char *hint);

/* Shows an error, with its details to copy, until something is done; NULL takes it away. What the person has cancelled
 * is no error. */
void ward_gui_dialog_set_error (WardGuiDialog *dialog, const GError *error);

gboolean ward_gui_dialog_is_busy (WardGuiDialog *dialog);
void ward_gui_dialog_set_busy (WardGuiDialog *dialog, gboolean busy);
void ward_gui_dialog_set_can_apply (WardGuiDialog *dialog, gboolean can_apply);
