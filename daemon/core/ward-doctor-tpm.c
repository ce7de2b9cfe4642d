/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "ward-advisories.h"
#include "ward-doctor-private.h"

/* How many a finding names of what a change of the TPM has broken. */
#define N_LOSSES 5

/* So that the reader is not sent to the chip for what a lower rung has found. */
static gboolean
has_lower_cause (const WardDoctor *doctor)
{
  for (guint i = 0; i < doctor->findings->len; i++)
    {
      const WardFinding *finding = g_ptr_array_index (doctor->findings, i);

      if (finding->severity == WARD_SEVERITY_ERROR && !strchr (finding->id, '@'))
        return TRUE;
    }
  return FALSE;
}

/* What there is to be done about it. A TPM 1.2 that is off says that itself. */
static const char *
advise (const WardDoctor *doctor, const WardDoctorTpm *tpm)
{
  if (has_lower_cause (doctor))
    return " Other findings say what may be the cause: see to them first.";
  if (tpm->state != WARD_TPM_DISABLED)
    return " It is used again as soon as it answers; there is nothing that a repair could do.";
  return ward_doctor_is_tpm12 (tpm) ? "" : " It is switched on in the firmware's setup, where no program reaches.";
}

static void
climb_state (WardDoctor *doctor, const WardDoctorTpm *tpm)
{
  gboolean is_off = tpm->state == WARD_TPM_DISABLED;
  WardFinding *finding;

  if (tpm->state != WARD_TPM_DISABLED && tpm->state != WARD_TPM_UNREACHABLE)
    return;
  finding = ward_doctor_say (doctor, is_off ? "tpm-disabled" : "tpm-unreachable", tpm, WARD_SEVERITY_ERROR,
                             is_off ? "The TPM is switched off" : "The TPM does not answer");
  ward_doctor_set (&finding->detail, "%s%s", tpm->state_detail, advise (doctor, tpm));
  if (!is_off)
    ward_doctor_quote_journal (doctor, finding, NULL);
}

static void
climb_self_test (WardDoctor *doctor, const WardDoctorTpm *tpm)
{
  gboolean failed = tpm->state == WARD_TPM_FAILED || tpm->self_test == WARD_SELF_TEST_FAILED;
  WardFinding *finding;

  if (tpm->state != WARD_TPM_READY && tpm->state != WARD_TPM_FAILED)
    return;
  if (failed)
    {
      const char *text = tpm->state == WARD_TPM_FAILED ? tpm->state_detail : tpm->self_test_text;

      finding = ward_doctor_say (doctor, "self-test-failed", tpm, WARD_SEVERITY_ERROR, "The TPM's self-test failed");
      ward_doctor_set (&finding->detail,
                       "%s A restart with the power off for a moment cures many such faults. If it fails again, save "
                       "what depends on this TPM while it still answers, and have the chip or the mainboard replaced.",
                       text);
    }
  else if (tpm->self_test == WARD_SELF_TEST_NEVER_RUN)
    {
      finding = ward_doctor_say (doctor, "self-test-never-run", tpm, WARD_SEVERITY_INFO,
                                 "The TPM was never told to test itself");
      ward_doctor_set (&finding->detail, "It answers, but whether all of its functions work is known only after a full "
                                         "self-test. That takes a moment, and nothing is changed by it.");
    }
  else
    return;
  ward_doctor_set (&finding->repair, "Has %s run a full self-test, and tells its result.", tpm->name);
}

/* What may have been lost by it; NULL: nothing that is known of. */
static char *
name_losses (WardDoctor *doctor)
{
  g_autoptr (GString) text = g_string_new (NULL);
  gsize n = doctor->facts->dependents ? g_variant_n_children (doctor->facts->dependents) : 0;
  guint n_named = 0, n_others = 0;

  for (gsize i = 0; i < n; i++)
    {
      g_autoptr (GVariant) dependent = g_variant_get_child_value (doctor->facts->dependents, i);
      const char *subject = "", *kind = "";

      g_variant_lookup (dependent, "subject", "&s", &subject);
      g_variant_lookup (dependent, "kind", "&s", &kind);
      if (g_str_equal (kind, "unscanned"))
        continue;
      if (n_named < N_LOSSES && ward_doctor_may_name (doctor, dependent))
        g_string_append_printf (text, "%s%s", n_named++ > 0 ? ", " : "", subject);
      else
        n_others++;
    }
  if (n_others > 0)
    g_string_append_printf (text, "%s%u more", n_named > 0 ? " and " : "", n_others);
  return text->len > 0 ? g_string_free (g_steal_pointer (&text), FALSE) : NULL;
}

static void
climb_change (WardDoctor *doctor, const WardDoctorTpm *tpm)
{
  static const struct
  {
    const char *base;
    const char *title;
    WardSeverity severity;
  } changes[] = {
    [WARD_CHANGE_CLEARED] = { "tpm-cleared", "The TPM was cleared", WARD_SEVERITY_WARNING },
    [WARD_CHANGE_REPLACED] = { "tpm-replaced", "The TPM is another one than before", WARD_SEVERITY_WARNING },
    [WARD_CHANGE_UPDATED] = { "tpm-updated", "The TPM's firmware was changed", WARD_SEVERITY_INFO },
  };
  g_autofree char *time = NULL;
  g_autofree char *losses = NULL;
  g_autoptr (GString) broke = g_string_new (NULL);
  WardFinding *finding;

  if (tpm->change == WARD_CHANGE_NONE)
    return;
  time = ward_doctor_describe_time (tpm->change_noticed_at);
  if (tpm->change != WARD_CHANGE_UPDATED)
    losses = name_losses (doctor);
  if (losses)
    g_string_printf (broke,
                     " What depended on the TPM as it was no longer works; on this machine that may be %s. Disks are "
                     "opened by their passphrase or recovery key, and enrolled again.",
                     losses);
  finding = ward_doctor_say (doctor, changes[tpm->change].base, tpm, changes[tpm->change].severity,
                             changes[tpm->change].title);
  ward_doctor_set (&finding->detail, "%s This was noticed at %s.%s", tpm->change_text, time, broke->str);
  ward_doctor_set (&finding->repair, "Takes it as known, so that it is not said again; what was lost stays lost.");
}

static void
climb_presence (WardDoctor *doctor, const WardDoctorTpm *tpm)
{
  WardFinding *finding;

  if (tpm->clear_pending)
    {
      finding = ward_doctor_say (doctor, "clear-pending", tpm, WARD_SEVERITY_WARNING,
                                 "The TPM will be cleared at the next restart");
      ward_doctor_set (&finding->detail,
                       "The firmware was asked to clear it. At the restart it may want that confirmed "
                       "by a key; then all keys in the TPM are gone. If nobody wants that, withdraw "
                       "the request before the restart.");
      ward_doctor_set (&finding->repair, "Withdraws the request to clear %s.", tpm->name);
    }
  if (tpm->presence_response)
    {
      finding = ward_doctor_say (doctor, "physical-presence-response", tpm,
                                 tpm->presence_failed ? WARD_SEVERITY_WARNING : WARD_SEVERITY_INFO,
                                 tpm->presence_failed ? "The firmware did not do what it was asked for"
                                                      : "The firmware has done what it was asked for");
      ward_doctor_set (&finding->detail, "%s%s", tpm->presence_response,
                       tpm->presence_failed ? " Ask it again, be at the machine when it restarts, and confirm what it "
                                              "asks; there is nothing to repair."
                                            : " It says so until it is asked for something else.");
    }
}

static void
climb_advisories (WardDoctor *doctor, const WardDoctorTpm *tpm)
{
  for (guint i = 0; tpm->advisories && i < tpm->advisories->len; i++)
    {
      const WardAdvisory *advisory = g_ptr_array_index (tpm->advisories, i);
      g_autofree char *base = g_strconcat ("advisory-", advisory->id, NULL);
      WardSeverity severity = WARD_SEVERITY_INFO;
      WardFinding *finding;

      if (g_str_equal (advisory->severity, "error"))
        severity = WARD_SEVERITY_ERROR;
      else if (g_str_equal (advisory->severity, "warning"))
        severity = WARD_SEVERITY_WARNING;
      finding = ward_doctor_say (doctor, base, tpm, severity, advisory->title);
      ward_doctor_set (&finding->detail, "%s Published at %s.", advisory->detail, advisory->source);
    }
}

void
ward_doctor_climb_tpm (WardDoctor *doctor, const WardDoctorTpm *tpm)
{
  climb_state (doctor, tpm);
  climb_self_test (doctor, tpm);
  climb_change (doctor, tpm);
  climb_presence (doctor, tpm);
  climb_advisories (doctor, tpm);
}
