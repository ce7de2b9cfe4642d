/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-about.h"

#include <glib/gi18n.h>

#include "ward-config.h"
#include "ward-gui-application.h"

/* These lines are for developers, in English. */

static void
add_chip (GString *text, WardGuiChip *chip)
{
  WardDbusTpm *tpm = ward_gui_chip_get_tpm (chip);
  g_autofree char *model = ward_gui_chip_dup_model (chip);

  g_string_append_printf (text, "\n%s: %s\n", ward_gui_chip_get_name (chip), model);
  g_string_append_printf (text, "- Family: TPM %s, revision %s\n", ward_dbus_tpm_get_family (tpm),
                          ward_dbus_tpm_get_spec_revision (tpm));
  g_string_append_printf (text, "- Manufacturer: %s\n", ward_dbus_tpm_get_manufacturer (tpm));
  g_string_append_printf (text, "- Firmware: %s\n", ward_dbus_tpm_get_firmware_version (tpm));
  g_string_append_printf (text, "- Emulated: %s\n", ward_dbus_tpm_get_emulated (tpm) ? "yes" : "no");
  g_string_append_printf (text, "- Driver: %s\n", ward_dbus_tpm_get_driver (tpm));
  g_string_append_printf (text, "- Transport: %s\n", ward_dbus_tpm_get_transport (tpm));
  g_string_append_printf (text, "- State: %s\n", ward_dbus_tpm_get_state (tpm));
  g_string_append_printf (text, "- Self-test: %s\n",
                          ward_dbus_self_test_get_state (ward_gui_chip_get_self_test (chip)));
}

static void
add_service (GString *text, WardGuiMachine *machine)
{
  WardClient *client = ward_gui_machine_get_client (machine);
  const GError *error = ward_gui_machine_get_error (machine);
  const char *version = client != NULL ? ward_dbus_manager_get_version (ward_client_get_manager (client)) : NULL;

  g_string_append_printf (text, "TPM Ward service: %s\n", version != NULL ? version : "does not run");
  if (error != NULL)
    g_string_append_printf (text, "Trouble: %s\n", error->message);
}

static char *
make_debug_info (WardGuiMachine *machine)
{
  g_autoptr (GString) text = g_string_new (NULL);
  GListModel *chips = ward_gui_machine_get_chips (machine);
  guint n = g_list_model_get_n_items (chips);
  g_autofree char *os = g_get_os_info (G_OS_INFO_KEY_PRETTY_NAME);

  g_string_append_printf (text, "TPM Manager: %s\n", WARD_VERSION);
  add_service (text, machine);
  g_string_append_printf (text, "GTK: %u.%u.%u\n", gtk_get_major_version (), gtk_get_minor_version (),
                          gtk_get_micro_version ());
  g_string_append_printf (text, "libadwaita: %u.%u.%u\n", adw_get_major_version (), adw_get_minor_version (),
                          adw_get_micro_version ());
  g_string_append_printf (text, "GLib: %u.%u.%u\n", glib_major_version, glib_minor_version, glib_micro_version);
  g_string_append_printf (text, "Display: %s\n", G_OBJECT_TYPE_NAME (gdk_display_get_default ()));
  g_string_append_printf (text, "System: %s\n", os != NULL ? os : "unknown");
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (WardGuiChip) chip = g_list_model_get_item (chips, i);

      add_chip (text, chip);
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

void
ward_gui_about_present (GtkWindow *parent, WardGuiMachine *machine)
{
  static const char *const developers[] = { "The TPM Ward developers", NULL };
  g_autofree char *debug_info = make_debug_info (machine);

  adw_show_about_window (
      parent, "application-name", _ ("TPM Manager"), "application-icon", WARD_GUI_ICON_NAME, "version", WARD_VERSION,
      "developer-name", _ ("The TPM Ward developers"), "developers", developers, "copyright",
      _ ("© 2026 The TPM Ward developers"), "license-type", GTK_LICENSE_LGPL_2_1, "comments",
      _ ("Shows whether this computer’s TPM, its security chip, is there and healthy, and does with it what it is good "
         "for: keys that cannot be stolen, secrets bound to this computer."),
      /* Translators: put your names here, one on each line */
      "translator-credits", _ ("translator-credits"), "debug-info", debug_info, "debug-info-filename",
      "tpm-manager-details.txt", NULL);
}
