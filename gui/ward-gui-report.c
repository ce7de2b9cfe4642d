/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-config.h"

#include "ward-gui-report.h"

#include <gtk/gtk.h>

#include "ward-client-findings.h"

static void
add (GString *text, const char *name, const char *value)
{
  if (value != NULL && *value != '\0')
    g_string_append_printf (text, "%s: %s\n", name, value);
}

static void
add_chip (GString *text, WardDbusTpm *tpm)
{
  const char *const *algorithms = ward_dbus_tpm_get_key_algorithms (tpm);
  g_autofree char *joined = algorithms != NULL ? g_strjoinv (", ", (GStrv)algorithms) : NULL;

  add (text, "TPM", ward_dbus_tpm_get_name (tpm));
  add (text, "Family", ward_dbus_tpm_get_family (tpm));
  add (text, "Manufacturer", ward_dbus_tpm_get_manufacturer_name (tpm));
  add (text, "Model", ward_dbus_tpm_get_vendor_string (tpm));
  add (text, "Firmware", ward_dbus_tpm_get_firmware_version (tpm));
  add (text, "Specification", ward_dbus_tpm_get_spec_revision (tpm));
  add (text, "Emulated", ward_dbus_tpm_get_emulated (tpm) ? "yes" : "no");
  add (text, "Device", ward_dbus_tpm_get_device_path (tpm));
  add (text, "Driver", ward_dbus_tpm_get_driver (tpm));
  add (text, "Transport", ward_dbus_tpm_get_transport (tpm));
  add (text, "Key algorithms", joined);
  add (text, "State", ward_dbus_tpm_get_state (tpm));
  add (text, "State in words", ward_dbus_tpm_get_state_detail (tpm));
}

static void
add_state (GString *text, WardGuiChip *chip)
{
  WardDbusSelfTest *test = ward_gui_chip_get_self_test (chip);
  WardDbusOwnership *ownership = ward_gui_chip_get_ownership (chip);
  WardDbusLockout *lockout = ward_gui_chip_get_lockout (chip);

  g_string_append_printf (text, "Self-test: %s, code 0x%x\n", ward_dbus_self_test_get_state (test),
                          ward_dbus_self_test_get_code (test));
  add (text, "Owned", ward_dbus_ownership_get_owned (ownership) ? "yes" : "no");
  add (text, "Storage root key", ward_dbus_ownership_get_srk_present (ownership) ? "there" : "not there");
  g_string_append_printf (text, "Lockout: %s, %u of %u failures\n",
                          ward_dbus_lockout_get_locked_out (lockout) ? "locked" : "not locked",
                          ward_dbus_lockout_get_failures (lockout), ward_dbus_lockout_get_max_failures (lockout));
}

static void
add_findings (GString *text, GVariant *findings)
{
  g_string_append (text, "\nFindings:\n");
  for (gsize i = 0; i < g_variant_n_children (findings); i++)
    {
      g_autoptr (GVariant) finding = g_variant_get_child_value (findings, i);

      g_string_append_printf (text, "- %s (%s): %s\n", ward_client_finding_get (finding, "severity"),
                              ward_client_finding_get (finding, "id"), ward_client_finding_get (finding, "title"));
      g_string_append_printf (text, "  %s\n", ward_client_finding_get (finding, "detail"));
      add (text, "  About", ward_client_finding_get (finding, "subject"));
      add (text, "  Repair", ward_client_finding_get (finding, "repair"));
    }
}

char *
ward_gui_report_make (WardGuiChip *chip, GVariant *findings)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *os = g_get_os_info (G_OS_INFO_KEY_PRETTY_NAME);
  WardDbusManager *manager = ward_client_get_manager (ward_gui_chip_get_client (chip));

  g_string_append_printf (text, "TPM Manager %s, GTK %u.%u.%u\n", WARD_VERSION, gtk_get_major_version (),
                          gtk_get_minor_version (), gtk_get_micro_version ());
  add (text, "Service", ward_dbus_manager_get_version (manager));
  add (text, "System", os);
  g_string_append_c (text, '\n');
  add_chip (text, ward_gui_chip_get_tpm (chip));
  add_state (text, chip);
  add_findings (text, findings);
  return g_string_free (g_steal_pointer (&text), FALSE);
}
