/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-config.h"

#include <glib/gi18n.h>
#include <locale.h>

#include "ward-gui-application.h"

int
main (int argc, char **argv)
{
  g_autoptr (WardGuiApplication) application = NULL;
  /* For one that is not installed. */
  const char *locale_dir = g_getenv ("TPMWARD_LOCALE_DIR");

  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, locale_dir != NULL ? locale_dir : WARD_LOCALE_DIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);

  application = ward_gui_application_new ();
  return g_application_run (G_APPLICATION (application), argc, argv);
}
