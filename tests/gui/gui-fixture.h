/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-gui-window.h"

/* Tests of the application's widgets, in the process that has them, beside the service of a sandbox, as root. A program
 * has its cases run by Python (cases.py), each in a process of its own with a fresh TPM. */

typedef struct
{
  WardGuiMachine *machine;
  WardGuiWindow *window; /* shown, with the first chip */
} GuiFixture;

void gui_add_test (const char *path, void (*test) (GuiFixture *fixture));
int gui_main (int argc, char **argv, void (*add) (void));

/* Shows a page of the window and waits until it is seen. */
void gui_show_page (GuiFixture *fixture, const char *name);

/* What is found in root, which is NULL for all windows, must be shown; NULL if there is none. */

/* By its label, without the mnemonic's underscore, or its tooltip; also a check button or an item of an open menu. */
GtkWidget *gui_find_button (GtkWidget *root, const char *label);

/* A row of a list by its title. */
GtkWidget *gui_find_row (GtkWidget *root, const char *title);

/* A label that contains part. */
GtkWidget *gui_find_text (GtkWidget *root, const char *part);

/* A window other than the main one, by a part of its title or heading; NULL for any. */
GtkWindow *gui_find_dialog (const char *title_part);

/* The same, and waits for it; fails when it does not come. */
GtkWidget *gui_wait_for_button (GtkWidget *root, const char *label);
GtkWidget *gui_wait_for_row (GtkWidget *root, const char *title);
GtkWidget *gui_wait_for_text (GtkWidget *root, const char *part);
GtkWindow *gui_wait_for_dialog (const char *title_part);

/* Presses a button, or activates a row, switch or other widget, which must be shown and sensitive. */
void gui_click (GtkWidget *widget);

/* Enters text in the place of what is in an entry, or in the first entry of a row. */
void gui_type (GtkWidget *widget, const char *text);

/* Presses a key, such as GDK_KEY_Escape, in a window: what the keys are bound to, as GTK 4 cannot play a real one. TRUE
 * if something was bound to it. */
gboolean gui_press_key (GtkWidget *window, guint key, GdkModifierType modifiers);

/* Calls a method of the service's, such as "org.tpmward1.Keys", on the window's chip (of the manager: on it), and
 * waits; fails on an error. parameters is consumed if floating; NULL for none. The reply's tuple. */
GVariant *gui_call (GuiFixture *fixture, const char *interface, const char *method, GVariant *parameters);

/* A GAsyncReadyCallback that puts a reference to the result into the GAsyncResult * that user_data points to. */
void gui_on_result (GObject *source, GAsyncResult *result, gpointer user_data);

/* Sends a signal to a part of the sandbox: "swtpm" (SIGSTOP and SIGCONT make it slow for as long as a test wants),
 * "daemon" or "polkitd". Python repairs all after the test. */
void gui_signal_part (const char *part, int number);

/* Until the chip has answered what it was asked before, as it answers one after another. */
void gui_wait_for_chip (GuiFixture *fixture);

/* What is in the clipboard, as text; a new string, or NULL while there is none. */
char *gui_dup_clipboard (GuiFixture *fixture);

/* Waits until condition holds, while the program lives; fails, and tells what the windows show, if it comes not. */
#define gui_wait_until(condition)                                                                                      \
  G_STMT_START                                                                                                         \
  {                                                                                                                    \
    gint64 gui_deadline_ = gui_get_deadline ();                                                                        \
    while (!(condition))                                                                                               \
      gui_iterate (gui_deadline_, __FILE__, __LINE__, G_STRFUNC, #condition);                                          \
  }                                                                                                                    \
  G_STMT_END

/* For the macro. */
gint64 gui_get_deadline (void);
void gui_iterate (gint64 deadline, const char *file, int line, const char *function, const char *condition);
