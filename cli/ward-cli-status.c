/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli.h"

#include "ward-cli-json.h"
#include "ward-cli-lockout-panel.h"
#include "ward-cli-term.h"
#include "ward-cli-text.h"
#include "ward-client-text.h"

typedef struct
{
  const char *state; /* Tpm.State */
  const char *words; /* after the TPM's name */
  WardCliStyle style;
  WardCliStatus status;
} StateWords;

static const StateWords *
words_for (WardDbusTpm *tpm)
{
  static const StateWords states[] = {
    { "ready", "is ready", WARD_CLI_STYLE_GOOD, WARD_CLI_OK },
    { "disabled", "is switched off", WARD_CLI_STYLE_WARNING, WARD_CLI_UNREACHABLE },
    { "failed", "has failed", WARD_CLI_STYLE_BAD, WARD_CLI_TEST_FAILED },
    { "unreachable", "does not answer", WARD_CLI_STYLE_BAD, WARD_CLI_UNREACHABLE },
  };
  static const StateWords unknown = { NULL, "is in a state that this program does not know", WARD_CLI_STYLE_WARNING,
                                      WARD_CLI_FAILURE };

  for (gsize i = 0; i < G_N_ELEMENTS (states); i++)
    if (g_strcmp0 (states[i].state, ward_dbus_tpm_get_state (tpm)) == 0)
      return &states[i];
  return &unknown;
}

static gboolean
is_empty (const char *text)
{
  return text == NULL || *text == '\0';
}

static void
print_value (const char *label, const char *value)
{
  if (is_empty (value))
    ward_cli_print_field (label, WARD_CLI_STYLE_DIM, "not reported");
  else
    ward_cli_print_field (label, WARD_CLI_STYLE_PLAIN, value);
}

static void
print_list (const char *label, const char *const *values)
{
  g_autofree char *joined = values != NULL ? g_strjoinv (", ", (GStrv)values) : g_strdup ("");

  print_value (label, joined);
}

static void
print_headline (WardDbusTpm *tpm)
{
  const StateWords *words = words_for (tpm);
  const char *detail = ward_dbus_tpm_get_state_detail (tpm);
  g_autofree char *dot = ward_cli_styled (words->style, "●");
  g_autofree char *clean = ward_cli_text_clean (ward_dbus_tpm_get_name (tpm));
  g_autofree char *name = ward_cli_styled (WARD_CLI_STYLE_BOLD, clean);
  g_autofree char *state = ward_cli_styled (words->style, words->words);

  ward_cli_print ("%s %s %s\n", dot, name, state);
  if (!is_empty (detail))
    ward_cli_print_paragraph (2, WARD_CLI_STYLE_PLAIN, detail);
  ward_cli_print ("\n");
}

static void
print_maker (WardDbusTpm *tpm)
{
  const char *id = ward_dbus_tpm_get_manufacturer (tpm);
  const char *name = ward_dbus_tpm_get_manufacturer_name (tpm);
  g_autofree char *both = NULL;

  if (!is_empty (id) && !is_empty (name))
    both = g_strdup_printf ("%s (%s)", name, id);
  print_value ("Maker", both != NULL ? both : id);
}

static void
print_specification (WardDbusTpm *tpm)
{
  const char *revision = ward_dbus_tpm_get_spec_revision (tpm);
  const char *date = ward_dbus_tpm_get_spec_date (tpm);
  g_autoptr (GString) text = g_string_new (NULL);

  g_string_append_printf (text, "TPM %s", ward_dbus_tpm_get_family (tpm));
  if (!is_empty (revision))
    g_string_append_printf (text, ", revision %s", revision);
  if (!is_empty (date))
    g_string_append_printf (text, " of %s", date);
  print_value ("Specification", text->str);
}

static void
print_self_test (WardDbusSelfTest *test)
{
  const char *state = ward_dbus_self_test_get_state (test);
  const char *mode = ward_dbus_self_test_get_mode (test);
  gint64 then = (gint64)ward_dbus_self_test_get_last_run (test);
  gboolean failed = g_strcmp0 (state, "failed") == 0;
  g_autofree char *text = NULL;
  g_autofree char *ago = ward_client_text_ago (then, g_get_real_time ());
  g_autofree char *took = ward_client_text_duration (ward_dbus_self_test_get_duration (test));

  if (g_strcmp0 (state, "never-run") == 0)
    {
      ward_cli_print_field ("Self-test", WARD_CLI_STYLE_DIM, "none asked for yet (“tpmward selftest” runs one)");
      return;
    }
  if (g_strcmp0 (state, "running") == 0)
    {
      text = g_strdup_printf ("a %s test is running", mode);
      ward_cli_print_field ("Self-test", WARD_CLI_STYLE_WARNING, text);
      return;
    }

  text = g_strdup_printf ("%s %s · %s test %s, took %s", failed ? "✗" : "✓", state, mode, ago, took);
  ward_cli_print_field ("Self-test", failed ? WARD_CLI_STYLE_BAD : WARD_CLI_STYLE_GOOD, text);
  if (failed && !is_empty (ward_dbus_self_test_get_text (test)))
    ward_cli_print_field ("", WARD_CLI_STYLE_PLAIN, ward_dbus_self_test_get_text (test));
}

static void
print_lockout (WardDbusLockout *lockout)
{
  g_autofree char *summary = ward_cli_lockout_summary (lockout, g_get_real_time ());

  if (summary != NULL)
    ward_cli_print_field (
        "Lockout", ward_dbus_lockout_get_locked_out (lockout) ? WARD_CLI_STYLE_BAD : WARD_CLI_STYLE_WARNING, summary);
}

/* The auth values that are set; a new string. */
static char *
describe_auths (WardDbusOwnership *ownership)
{
  const struct
  {
    gboolean is_set;
    const char *name;
  } auths[] = {
    { ward_dbus_ownership_get_lockout_auth_set (ownership), "lockout" },
    { ward_dbus_ownership_get_owner_auth_set (ownership), "owner" },
    { ward_dbus_ownership_get_endorsement_auth_set (ownership), "endorsement" },
  };
  g_autoptr (GString) text = g_string_new (NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (auths); i++)
    if (auths[i].is_set)
      g_string_append_printf (text, "%s%s auth set", text->len > 0 ? " · " : "", auths[i].name);
  if (text->len == 0)
    g_string_append (text, "no auth value is set (“tpmward own” sets one)");
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* A TPM 1.2 has an owner, and a storage root key with it. */
static void
print_ownership_of_tpm12 (WardDbusOwnership *ownership)
{
  gboolean is_enabled = ward_dbus_ownership_get_enabled (ownership);
  gboolean is_active = ward_dbus_ownership_get_active (ownership);
  gboolean is_owned = ward_dbus_ownership_get_owned (ownership);

  if (is_owned)
    ward_cli_print_field ("Ownership", WARD_CLI_STYLE_PLAIN, "it has an owner, and a storage root key");
  else
    ward_cli_print_field ("Ownership", WARD_CLI_STYLE_DIM, "it has no owner (“tpmward own” makes you that)");
  if (!is_enabled || !is_active)
    ward_cli_print_field ("Switched on", WARD_CLI_STYLE_BAD,
                          is_enabled ? "enabled, but not active (“tpmward activate”, or the firmware's setup)"
                          : is_owned ? "no: disabled (“tpmward enable”, or the firmware's setup)"
                                     : "no: disabled (without an owner the firmware's setup enables it)");
}

static void
print_clear (WardDbusOwnership *ownership)
{
  if (ward_dbus_ownership_get_clear_pending (ownership))
    ward_cli_print_field ("Clear", WARD_CLI_STYLE_WARNING,
                          "asked of the firmware, for the next restart (“tpmward clear --cancel” withdraws it)");
}

static void
print_ownership (WardDbusOwnership *ownership)
{
  g_autofree char *auths = describe_auths (ownership);
  g_autofree char *handle = g_strdup_printf ("0x%08x", ward_dbus_ownership_get_srk_handle (ownership));

  ward_cli_print_field ("Ownership", WARD_CLI_STYLE_PLAIN, auths);
  if (ward_dbus_ownership_get_srk_present (ownership))
    ward_cli_print_field ("Storage key", WARD_CLI_STYLE_PLAIN, handle);
  else
    ward_cli_print_field ("Storage key", WARD_CLI_STYLE_DIM, "none (“tpmward own --srk-only” makes one)");
}

static void
print_advisory (const char *label, GVariant *advisory)
{
  const char *id = "", *severity = "", *title = "", *source = "", *detail = "";
  WardCliStyle style = WARD_CLI_STYLE_BOLD;
  g_autofree char *headline = NULL;

  g_variant_lookup (advisory, "id", "&s", &id);
  g_variant_lookup (advisory, "severity", "&s", &severity);
  g_variant_lookup (advisory, "title", "&s", &title);
  g_variant_lookup (advisory, "source", "&s", &source);
  g_variant_lookup (advisory, "detail", "&s", &detail);

  if (g_str_equal (severity, "error"))
    style = WARD_CLI_STYLE_BAD;
  else if (g_str_equal (severity, "warning"))
    style = WARD_CLI_STYLE_WARNING;
  headline = g_strdup_printf ("%s: %s (%s)", severity, title, id);
  ward_cli_print_field (label, style, headline);
  if (*detail != '\0')
    ward_cli_print_field ("", WARD_CLI_STYLE_PLAIN, detail);
  if (*source != '\0')
    ward_cli_print_field ("", WARD_CLI_STYLE_DIM, source);
}

static void
print_advisories (WardDbusTpm *tpm)
{
  GVariant *advisories = ward_dbus_tpm_get_advisories (tpm);
  gsize n = advisories != NULL ? g_variant_n_children (advisories) : 0;

  if (n == 0)
    ward_cli_print_field ("Advisories", WARD_CLI_STYLE_PLAIN, "none known for this maker and firmware");
  for (gsize i = 0; i < n; i++)
    {
      g_autoptr (GVariant) advisory = g_variant_get_child_value (advisories, i);

      print_advisory (i == 0 ? "Advisories" : "", advisory);
    }
}

static void
print_device (WardDbusTpm *tpm)
{
  const char *path = ward_dbus_tpm_get_device_path (tpm);
  const char *driver = ward_dbus_tpm_get_driver (tpm);
  g_autofree char *text = NULL;

  if (is_empty (path))
    {
      ward_cli_print_field ("Device", WARD_CLI_STYLE_DIM, "no device node");
      return;
    }
  text = is_empty (driver) ? g_strdup (path) : g_strdup_printf ("%s (driver %s)", path, driver);
  print_value ("Device", text);
}

static void
print_panel (WardCli *cli, WardDbusObject *object)
{
  WardDbusTpm *tpm = ward_dbus_object_peek_tpm (object);
  WardDbusSelfTest *test = ward_dbus_object_peek_self_test (object);
  WardDbusLockout *lockout = ward_dbus_object_peek_lockout (object);
  WardDbusOwnership *ownership = ward_dbus_object_peek_ownership (object);
  WardDbusPcrs *pcrs = ward_dbus_object_peek_pcrs (object);
  g_autofree char *service = g_strdup_printf ("TPM Ward %s",
                                              ward_dbus_manager_get_version (ward_client_get_manager (cli->client)));

  print_headline (tpm);
  print_maker (tpm);
  print_value ("Model", ward_dbus_tpm_get_vendor_string (tpm));
  print_value ("Firmware", ward_dbus_tpm_get_firmware_version (tpm));
  print_specification (tpm);
  print_value ("Kind", ward_dbus_tpm_get_emulated (tpm) ? "software, as virtual machines have"
                                                        : "hardware or firmware of this machine");
  ward_cli_print ("\n");
  if (test != NULL)
    print_self_test (test);
  if (lockout != NULL)
    print_lockout (lockout);
  if (ownership != NULL)
    {
      if (ward_cli_is_tpm12 (object))
        print_ownership_of_tpm12 (ownership);
      else
        print_ownership (ownership);
      print_clear (ownership);
    }
  if (pcrs != NULL)
    print_list ("PCR banks", ward_dbus_pcrs_get_banks (pcrs));
  print_list ("Key algorithms", ward_dbus_tpm_get_key_algorithms (tpm));
  print_advisories (tpm);
  ward_cli_print ("\n");
  print_device (tpm);
  print_value ("Reached by", ward_dbus_tpm_get_transport (tpm));
  print_value ("Service", service);
}

/* Adds a member with all properties of an interface that the TPM may lack. */
static void
add_interface_json (JsonBuilder *builder, const char *name, gpointer proxy)
{
  if (proxy == NULL)
    return;
  json_builder_set_member_name (builder, name);
  json_builder_begin_object (builder);
  ward_cli_json_add_properties (builder, G_DBUS_PROXY (proxy));
  json_builder_end_object (builder);
}

static void
add_tpm_json (JsonBuilder *builder, WardDbusObject *object)
{
  json_builder_begin_object (builder);
  ward_cli_json_add_properties (builder, G_DBUS_PROXY (ward_dbus_object_peek_tpm (object)));
  ward_cli_json_add_string (builder, "path", g_dbus_object_get_object_path (G_DBUS_OBJECT (object)));
  add_interface_json (builder, "self_test", ward_dbus_object_peek_self_test (object));
  add_interface_json (builder, "lockout", ward_dbus_object_peek_lockout (object));
  add_interface_json (builder, "ownership", ward_dbus_object_peek_ownership (object));
  add_interface_json (builder, "pcrs", ward_dbus_object_peek_pcrs (object));
  json_builder_end_object (builder);
}

static void
print_json (WardCli *cli, GPtrArray *tpms)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  ward_cli_json_add_properties (builder, G_DBUS_PROXY (ward_client_get_manager (cli->client)));
  json_builder_set_member_name (builder, "tpms");
  json_builder_begin_array (builder);
  for (guint i = 0; tpms != NULL && i < tpms->len; i++)
    add_tpm_json (builder, tpms->pdata[i]);
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  ward_cli_json_print (builder, TRUE);
}

static WardCliStatus
show (WardCli *cli, GPtrArray *tpms)
{
  WardCliStatus worst = WARD_CLI_OK;

  if (cli->json)
    print_json (cli, tpms);
  for (guint i = 0; i < tpms->len; i++)
    {
      WardCliStatus status = words_for (ward_dbus_object_peek_tpm (tpms->pdata[i]))->status;

      worst = MAX (worst, status);
      if (cli->json)
        continue;
      if (i > 0)
        ward_cli_print ("\n");
      print_panel (cli, tpms->pdata[i]);
    }
  return worst;
}

WardCliStatus
ward_cli_status (WardCli *cli, GStrv *args)
{
  g_autoptr (GPtrArray) tpms = NULL;
  g_autoptr (GError) error = NULL;

  if (!ward_cli_parse (cli, args, NULL, 0, 0) || !ward_cli_connect (cli))
    return cli->status;

  tpms = ward_cli_choose_tpms (cli, &error);
  if (tpms != NULL)
    return show (cli, tpms);
  if (cli->json)
    print_json (cli, NULL);
  return ward_cli_fail (error);
}
