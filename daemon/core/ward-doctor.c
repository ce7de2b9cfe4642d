/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "ward-advisories.h"
#include "ward-doctor-private.h"

/* How many of something a finding names. */
#define N_NAMED 5
#define N_JOURNAL_LINES 10

void
ward_unit_clear (WardUnit *unit)
{
  g_clear_pointer (&unit->load, g_free);
  g_clear_pointer (&unit->active, g_free);
  g_clear_pointer (&unit->result, g_free);
  g_clear_pointer (&unit->enabled, g_free);
}

gboolean
ward_unit_is_active (const WardUnit *unit)
{
  static const char *const states[] = { "active", "activating", "reloading", NULL };

  return unit->active && g_strv_contains (states, unit->active);
}

gboolean
ward_unit_has_failed (const WardUnit *unit)
{
  return g_strcmp0 (unit->active, "failed") == 0;
}

gboolean
ward_unit_is_enabled (const WardUnit *unit)
{
  static const char *const states[] = { "enabled", "enabled-runtime", "generated", NULL };

  return unit->enabled && g_strv_contains (states, unit->enabled);
}

WardDoctorFacts *
ward_doctor_facts_new (void)
{
  WardDoctorFacts *facts = g_atomic_rc_box_new0 (WardDoctorFacts);

  facts->items = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
  facts->damages = g_ptr_array_new_with_free_func ((GDestroyNotify)ward_damage_free);
  return facts;
}

WardDoctorFacts *
ward_doctor_facts_ref (WardDoctorFacts *facts)
{
  return g_atomic_rc_box_acquire (facts);
}

static void
facts_clear (gpointer data)
{
  WardDoctorFacts *facts = data;

  g_clear_pointer (&facts->machine, ward_machine_free);
  g_strfreev (facts->access);
  g_clear_error (&facts->access_error);
  g_clear_pointer (&facts->dependents, g_variant_unref);
  g_clear_error (&facts->dependents_error);
  g_clear_pointer (&facts->holders, g_variant_unref);
  g_clear_error (&facts->holders_error);
  g_strfreev (facts->journal);
  g_strfreev (facts->tcsd_config);
  g_strfreev (facts->tcsd_remote);
  g_hash_table_unref (facts->items);
  g_ptr_array_unref (facts->damages);
  g_clear_error (&facts->store_error);
  ward_unit_clear (&facts->tcsd);
  ward_unit_clear (&facts->abrmd);
}

void
ward_doctor_facts_unref (WardDoctorFacts *facts)
{
  g_atomic_rc_box_release_full (facts, facts_clear);
}

WardDoctorTpm *
ward_doctor_tpm_new (WardTpm *tpm)
{
  WardDoctorTpm *copy = g_new0 (WardDoctorTpm, 1);
  const WardSelfTest *test = ward_tpm_get_self_test (tpm);
  const WardOwnership *ownership = ward_tpm_get_ownership (tpm);
  const WardPresenceState *presence = ward_tpm_get_presence (tpm);
  const char *change_text = NULL;

  copy->name = g_strdup (ward_tpm_get_name (tpm));
  copy->family = g_strdup (ward_tpm_get_family (tpm));
  copy->transport = g_strdup (ward_tpm_get_transport (tpm));
  copy->device_path = g_strdup (ward_tpm_get_device_path (tpm));
  copy->kernel_name = g_strdup (ward_tpm_get_kernel_name (tpm));
  copy->state = ward_tpm_get_state (tpm);
  copy->state_detail = g_strdup (ward_tpm_get_state_detail (tpm));
  copy->advisories = ward_advisories_find (ward_tpm_get_identity (tpm));
  copy->self_test = test->state;
  copy->self_test_text = g_strdup (test->text);

  copy->ownership = ownership ? g_memdup2 (ownership, sizeof (*ownership)) : NULL;
  copy->next_recovery = ward_tpm_get_next_recovery (tpm);
  copy->barred_until = ward_tpm_get_barred_until (tpm);
  copy->guard_damaged = ward_tpm_is_guard_damaged (tpm);

  copy->change = ward_tpm_get_change (tpm, &copy->change_noticed_at, &change_text);
  copy->change_text = copy->change != WARD_CHANGE_NONE ? g_strdup (change_text) : NULL;
  copy->clear_pending = presence && presence->clear_pending;
  copy->presence_response = presence ? g_strdup (presence->response) : NULL;
  copy->presence_failed = presence && presence->response_is_failure;
  return copy;
}

void
ward_doctor_tpm_free (WardDoctorTpm *tpm)
{
  g_free (tpm->name);
  g_free (tpm->family);
  g_free (tpm->transport);
  g_free (tpm->device_path);
  g_free (tpm->kernel_name);
  g_free (tpm->state_detail);
  g_clear_pointer (&tpm->advisories, g_ptr_array_unref);
  g_free (tpm->self_test_text);
  g_free (tpm->ownership);
  g_free (tpm->change_text);
  g_free (tpm->presence_response);
  g_free (tpm);
}

WardFinding *
ward_doctor_say (WardDoctor *doctor, const char *base, const WardDoctorTpm *tpm, WardSeverity severity,
                 const char *title)
{
  WardFinding *finding = ward_finding_new (base, tpm ? tpm->name : NULL, severity, title);

  if (tpm)
    ward_doctor_set (&finding->subject, "%s", *tpm->device_path ? tpm->device_path : tpm->name);
  g_ptr_array_add (doctor->findings, finding);
  return finding;
}

void
ward_doctor_set (char **text, const char *format, ...)
{
  va_list args;

  g_free (*text);
  va_start (args, format);
  *text = g_strdup_vprintf (format, args);
  va_end (args);
}

static gboolean
line_fits (const char *line, const char *word)
{
  g_autofree char *small = g_ascii_strdown (line, -1);

  if (word)
    return strstr (small, word) != NULL;
  return !strstr (small, "tcsd") && !strstr (small, "abrmd");
}

gboolean
ward_doctor_journal_has (const WardDoctor *doctor, const char *text)
{
  for (char **line = doctor->facts->journal; line && *line; line++)
    if (strstr (*line, text))
      return TRUE;
  return FALSE;
}

void
ward_doctor_quote_journal (WardDoctor *doctor, WardFinding *finding, const char *word)
{
  g_autoptr (GPtrArray) lines = g_ptr_array_new ();
  g_autofree char *joined = NULL;
  g_autofree char *valid = NULL;
  g_autofree char *before = NULL;

  if (!doctor->viewer->sees_all)
    return;
  for (char **line = doctor->facts->journal; line && *line; line++)
    if (line_fits (*line, word))
      g_ptr_array_add (lines, *line);
  if (lines->len == 0)
    return;

  if (lines->len > N_JOURNAL_LINES)
    g_ptr_array_remove_range (lines, 0, lines->len - N_JOURNAL_LINES);
  g_ptr_array_add (lines, NULL);
  joined = g_strjoinv ("\n", (char **)lines->pdata);
  valid = g_utf8_make_valid (joined, -1);
  before = g_steal_pointer (&finding->detail);
  finding->detail = g_strconcat (before, "\nThe journal says:\n", valid, NULL);
}

gboolean
ward_doctor_may_name (const WardDoctor *doctor, GVariant *dependent)
{
  guint32 owner = G_MAXUINT32;

  g_variant_lookup (dependent, "uid", "u", &owner);
  return doctor->viewer->sees_all || owner == 0 || owner == doctor->viewer->uid;
}

char *
ward_doctor_name_dependents (WardDoctor *doctor, const char *key)
{
  g_autoptr (GString) text = g_string_new (NULL);
  gsize n = doctor->facts->dependents ? g_variant_n_children (doctor->facts->dependents) : 0;
  guint n_named = 0, n_unnamed = 0;

  for (gsize i = 0; i < n; i++)
    {
      g_autoptr (GVariant) dependent = g_variant_get_child_value (doctor->facts->dependents, i);
      const char *subject = "";
      gboolean fits = FALSE;

      g_variant_lookup (dependent, key, "b", &fits);
      if (!fits)
        continue;
      g_variant_lookup (dependent, "subject", "&s", &subject);
      if (n_named < N_NAMED && ward_doctor_may_name (doctor, dependent))
        g_string_append_printf (text, "%s%s", n_named++ > 0 ? ", " : "", subject);
      else
        n_unnamed++;
    }
  if (n_unnamed > 0)
    g_string_append_printf (text, "%s%u %s", n_named > 0 ? " and " : "", n_unnamed,
                            n_named > 0 ? "others" : "that belong to other users");
  return text->len > 0 ? g_string_free (g_steal_pointer (&text), FALSE) : NULL;
}

char *
ward_doctor_describe_time (guint64 time)
{
  g_autoptr (GDateTime) local = g_date_time_new_from_unix_local ((gint64)(time / G_USEC_PER_SEC));

  return local ? g_date_time_format (local, "%F %H:%M:%S") : g_strdup ("a time far away");
}

gboolean
ward_doctor_is_tpm12 (const WardDoctorTpm *tpm)
{
  return g_str_equal (tpm->family, "1.2");
}

gboolean
ward_doctor_has_only_tpm2 (const WardDoctor *doctor)
{
  GPtrArray *devices = doctor->facts->machine->devices;
  guint n_tpm2 = 0;

  for (guint i = 0; i < devices->len; i++)
    {
      if (((const WardMachineDevice *)g_ptr_array_index (devices, i))->is_tpm12)
        return FALSE;
      n_tpm2++;
    }
  for (guint i = 0; i < doctor->tpms->len; i++)
    {
      if (ward_doctor_is_tpm12 (g_ptr_array_index (doctor->tpms, i)))
        return FALSE;
      n_tpm2++;
    }
  return n_tpm2 > 0;
}

static void
say_all_well (WardDoctor *doctor)
{
  g_autoptr (GString) names = g_string_new (NULL);
  WardFinding *finding;

  for (guint i = 0; i < doctor->findings->len; i++)
    if (((const WardFinding *)g_ptr_array_index (doctor->findings, i))->severity > WARD_SEVERITY_INFO)
      return;
  for (guint i = 0; i < doctor->tpms->len; i++)
    g_string_append_printf (names, "%s%s", i > 0 ? ", " : "",
                            ((const WardDoctorTpm *)g_ptr_array_index (doctor->tpms, i))->name);
  finding = ward_doctor_say (doctor, "all-well", NULL, WARD_SEVERITY_OK, "All is well");
  ward_doctor_set (&finding->detail,
                   "The service reaches %s, and found nothing from the firmware to the room in the chip that needs "
                   "anybody's attention.",
                   names->str);
}

GPtrArray *
ward_doctor_examine (const WardDoctorFacts *facts, GPtrArray *tpms, const WardDoctorViewer *viewer)
{
  GPtrArray *findings = g_ptr_array_new_with_free_func ((GDestroyNotify)ward_finding_free);
  WardDoctor doctor = { .facts = facts, .tpms = tpms, .viewer = viewer, .findings = findings };

  ward_doctor_climb_machine (&doctor);
  ward_doctor_climb_services (&doctor);
  ward_doctor_climb_tcsd (&doctor);
  ward_doctor_climb_store (&doctor);
  for (guint i = 0; i < tpms->len; i++)
    {
      const WardDoctorTpm *tpm = g_ptr_array_index (tpms, i);

      ward_doctor_climb_tpm (&doctor, tpm);
      if (tpm->ownership && tpm->state == WARD_TPM_READY)
        {
          ward_doctor_climb_ownership (&doctor, tpm);
          if (!ward_doctor_is_tpm12 (tpm))
            ward_doctor_climb_room (&doctor, tpm);
        }
    }
  say_all_well (&doctor);
  g_ptr_array_sort (findings, ward_finding_compare);
  return findings;
}

const WardFinding *
ward_doctor_find (GPtrArray *findings, const char *id)
{
  for (guint i = 0; i < findings->len; i++)
    {
      const WardFinding *finding = g_ptr_array_index (findings, i);

      if (g_str_equal (finding->id, id))
        return finding;
    }
  return NULL;
}
