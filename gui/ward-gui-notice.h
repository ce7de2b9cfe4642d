/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <adwaita.h>

/* What is told to a person, or asked of one, from anywhere in the program. widget is where the occasion is; its window
 * is the one that counts. */

/* A short note that goes by itself. text is no markup. */
void ward_gui_notice_toast (GtkWidget *widget, const char *text);

/* The same with a button, such as “Undo”, which calls callback with user_data if it is pressed; closed, which may be
 * NULL, is called in any case, when the note has gone. Both only if data still lives. */
void ward_gui_notice_toast_with_button (GtkWidget *widget, const char *text, const char *button, GCallback callback,
                                        GCallback closed, GObject *data);

/* Tells of an error after which something did not happen, in a dialog: title in the person's words (“The key was not
 * made”), the error's sentence, and a button that copies the details. A withdrawn call or a dialog that was closed is
 * no error and shows nothing. */
void ward_gui_notice_error (GtkWidget *widget, const char *title, const GError *error);

/* A headline for the kind of error, translated, such as “The password is wrong”; never NULL. */
const char *ward_gui_notice_headline (const GError *error);

/* Whether the person has gone back: nothing to be told. */
gboolean ward_gui_notice_is_cancelled (const GError *error);

/* Asks whether to go on. accept is the button's label, with a mnemonic. A destructive one looks so, and is never the
 * default. */
void ward_gui_notice_ask_async (GtkWidget *widget, const char *title, const char *body, const char *accept,
                                gboolean is_destructive, GAsyncReadyCallback callback, gpointer user_data);
gboolean ward_gui_notice_ask_finish (GAsyncResult *result);

/* Puts text into the clipboard, and says so in a note, or nothing for NULL. */
void ward_gui_notice_copy (GtkWidget *widget, const char *text, const char *note);
