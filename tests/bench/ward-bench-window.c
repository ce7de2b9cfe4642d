/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ward-bench-window manager|minimal: starts the application, or the least one of libadwaita's, and says when its first
 * frame was painted: milliseconds on the clock since the machine's start. It goes on running. */
#include <string.h>

#include "ward-gui-application.h"

static gulong after_paint;

static void
on_after_paint (GdkFrameClock *clock, gpointer user_data)
{
  g_signal_handler_disconnect (clock, after_paint);
  g_print ("%.1f\n", (double)g_get_monotonic_time () / 1000);
}

static void
on_realize (GtkWidget *window, gpointer user_data)
{
  after_paint = g_signal_connect (gtk_widget_get_frame_clock (window), "after-paint", G_CALLBACK (on_after_paint),
                                  NULL);
}

static void
on_window_added (GtkApplication *application, GtkWindow *window, gpointer user_data)
{
  if (gtk_widget_get_realized (GTK_WIDGET (window)))
    on_realize (GTK_WIDGET (window), NULL);
  else
    g_signal_connect (window, "realize", G_CALLBACK (on_realize), NULL);
}

static void
on_activate_minimal (GtkApplication *application, gpointer user_data)
{
  GtkWidget *window = adw_application_window_new (application);
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0);
  GtkWidget *status = adw_status_page_new ();

  adw_status_page_set_title (ADW_STATUS_PAGE (status), "Minimal");
  gtk_box_append (GTK_BOX (box), adw_header_bar_new ());
  gtk_box_append (GTK_BOX (box), status);
  adw_application_window_set_content (ADW_APPLICATION_WINDOW (window), box);
  gtk_window_set_default_size (GTK_WINDOW (window), 960, 680);
  gtk_window_present (GTK_WINDOW (window));
}

int
main (int argc, char **argv)
{
  g_autoptr (GApplication) application = NULL;
  const char *which = argc == 2 ? argv[1] : "";

  if (strcmp (which, "manager") == 0)
    application = G_APPLICATION (ward_gui_application_new ());
  else if (strcmp (which, "minimal") == 0)
    application = G_APPLICATION (adw_application_new ("org.tpmward.Minimal", G_APPLICATION_DEFAULT_FLAGS));
  else
    return 2;
  if (strcmp (which, "minimal") == 0)
    g_signal_connect (application, "activate", G_CALLBACK (on_activate_minimal), NULL);
  g_signal_connect (application, "window-added", G_CALLBACK (on_window_added), NULL);
  return g_application_run (application, 1, argv);
}
