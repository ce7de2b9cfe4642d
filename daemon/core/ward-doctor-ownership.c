/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-doctor-private.h"
#include "ward-guard.h"

static void
climb_owner (WardDoctor *doctor, const WardDoctorTpm *tpm)
{
  const WardOwnership *is = tpm->ownership;
  g_autofree char *breaking = ward_doctor_name_dependents (doctor, "uses-owner-empty-auth");
  g_autofree char *guarded = ward_doctor_name_dependents (doctor, "uses-pin");
  WardFinding *finding;

  if (!is->owner_auth_set && !is->lockout_auth_set)
    {
      finding = ward_doctor_say (doctor, "not-owned", tpm, WARD_SEVERITY_INFO, "Nobody has taken ownership of the TPM");
      ward_doctor_set (&finding->detail,
                       "It works all the same, but every program that may use it can reset its protection against "
                       "guessing, and clear it. Recommended is to set the lockout auth alone, by “tpmward own”; an "
                       "owner auth keeps other programs from unlocking disks. A secret must be chosen and kept by a "
                       "person, so there is no repair for this.");
    }
  if (is->owner_auth_set && breaking)
    {
      finding = ward_doctor_say (doctor, "owner-auth-set", tpm, WARD_SEVERITY_WARNING,
                                 "The owner auth keeps other programs from using the TPM");
      ward_doctor_set (&finding->detail,
                       "These expect it to be empty, and cannot open what they keep: %s. Remove the owner auth by "
                       "“tpmward change-auth owner”, for which its value is needed; the lockout auth may stay.",
                       breaking);
    }
  if (!is->lockout_auth_set && guarded)
    {
      finding = ward_doctor_say (doctor, "lockout-auth-missing", tpm, WARD_SEVERITY_WARNING,
                                 "The PIN of a disk can be guessed, as there is no lockout auth");
      ward_doctor_set (&finding->detail,
                       "The TPM bars whoever guesses a PIN after some tries, but without a lockout auth every program "
                       "that may use the TPM can lift that bar, and go on guessing. It concerns: %s. Set a lockout "
                       "auth by “tpmward own”. A secret must be chosen and kept by a person, so there is no repair "
                       "for this.",
                       guarded);
    }
}

/* In front of the last tries, which are one in eight and at least one, or when half are used up. */
static gboolean
is_near (const WardOwnership *is)
{
  guint32 left = is->max_failures - MIN (is->failures, is->max_failures);

  return is->failures > 0 && (left <= MAX (1, is->max_failures / 8) || is->failures >= left);
}

static void
offer_reset (WardFinding *finding, const WardDoctorTpm *tpm)
{
  if (!tpm->ownership->lockout_auth_set)
    ward_doctor_set (&finding->repair, "Forgives all failures of %s, with the empty lockout auth.", tpm->name);
}

static char *
describe_end (const WardDoctorTpm *tpm)
{
  g_autofree char *time = NULL;

  if (tpm->next_recovery == 0)
    return g_strdup ("The TPM forgives no failure by itself");
  time = ward_doctor_describe_time (tpm->next_recovery);
  return g_strdup_printf ("The TPM forgives the next failure at %s at the latest, and one more every %u s", time,
                          tpm->ownership->recovery_seconds);
}

/* A TPM 1.2 does not tell how many there were. */
static void
say_locked (WardDoctor *doctor, const WardDoctorTpm *tpm)
{
  WardFinding *finding = ward_doctor_say (doctor, "lockout-reached", tpm, WARD_SEVERITY_ERROR,
                                          "The TPM is locked after too many wrong secrets");

  ward_doctor_set (
      &finding->detail,
      "When a secret was given last, it refused to look at it. It does so for a while, the longer the more "
      "wrong ones there were, and then takes the right ones again. Who has the owner's secret can end that "
      "now, by “tpmward lockout reset”; a repair has not got it.");
}

static void
climb_lockout (WardDoctor *doctor, const WardDoctorTpm *tpm)
{
  const WardOwnership *is = tpm->ownership;
  g_autofree char *end = describe_end (tpm);
  const char *how = is->lockout_auth_set ? " Who has the lockout auth can forgive them all now, by “tpmward lockout "
                                           "reset”; a repair has not got it."
                                         : "";
  WardFinding *finding;

  if (is->locked_out)
    {
      finding = ward_doctor_say (doctor, "lockout-reached", tpm, WARD_SEVERITY_ERROR,
                                 "The TPM is locked after too many wrong secrets");
      ward_doctor_set (&finding->detail,
                       "After %u wrong PINs or passphrases (%u are allowed) it refuses even the right ones, those of "
                       "disks among them. %s.%s",
                       is->failures, is->max_failures, end, how);
      offer_reset (finding, tpm);
    }
  else if (is_near (is))
    {
      finding = ward_doctor_say (doctor, "lockout-near", tpm, WARD_SEVERITY_WARNING,
                                 "The TPM will soon lock itself after wrong secrets");
      ward_doctor_set (&finding->detail,
                       "%u of %u wrong PINs or passphrases are used up. Unless somebody has mistyped, a program may be "
                       "trying an old one, or somebody is guessing. %s.%s",
                       is->failures, is->max_failures, end, how);
      offer_reset (finding, tpm);
    }
}

static void
climb_guard (WardDoctor *doctor, const WardDoctorTpm *tpm)
{
  g_autofree char *until = NULL;
  WardFinding *finding;

  if (tpm->guard_damaged)
    {
      finding = ward_doctor_say (doctor, "guard-damaged", tpm, WARD_SEVERITY_WARNING,
                                 "The record of wrong lockout auths cannot be read");
      ward_doctor_set (&finding->detail,
                       "It counts as a wrong try, so that no second one is spent by accident, and every use of the "
                       "lockout auth is refused.%s",
                       tpm->ownership->lockout_auth_set
                           ? " If you are sure of the lockout auth, use it once with the option “force”: that writes "
                             "the record anew. A repair has not got it."
                           : "");
      if (!tpm->ownership->lockout_auth_set)
        ward_doctor_set (&finding->repair, "Uses the empty lockout auth of %s, by which the record is written anew.",
                         tpm->name);
      return;
    }
  if (tpm->barred_until == 0)
    return;
  finding = ward_doctor_say (doctor, "lockout-auth-barred", tpm, WARD_SEVERITY_WARNING,
                             "The lockout auth is barred after a wrong one");
  until = tpm->barred_until == WARD_BARRED_UNTIL_RESET ? g_strdup ("its next reset, at a restart of the machine")
                                                       : ward_doctor_describe_time (tpm->barred_until);
  ward_doctor_set (&finding->detail,
                   "Until %s the TPM refuses even the right one: meanwhile a lockout cannot be lifted, nor the TPM be "
                   "cleared by it. All else works. Nothing can shorten that.",
                   until);
}

static void
climb_srk (WardDoctor *doctor, const WardDoctorTpm *tpm)
{
  const WardOwnership *is = tpm->ownership;
  WardFinding *finding;

  if (is->srk_handle != 0 || !is->owner_enabled)
    return;
  finding = ward_doctor_say (doctor, "srk-missing", tpm, WARD_SEVERITY_WARNING, "The TPM has no storage root key");
  ward_doctor_set (&finding->detail,
                   "Keys of this machine are wrapped by a storage root key at 0x81000001. Without it each program "
                   "makes its own each time, which is slow, and impossible once there is an owner auth.%s",
                   is->owner_auth_set ? " To make one, the owner auth is needed, which a repair has not got: use the "
                                        "method ProvisionSrk, or “tpmward own”."
                                      : "");
  if (!is->owner_auth_set)
    ward_doctor_set (&finding->repair, "Makes a storage root key in %s and keeps it at 0x81000001.", tpm->name);
}

static void
climb_owner_of_tpm12 (WardDoctor *doctor, const WardDoctorTpm *tpm)
{
  WardFinding *finding;

  if (tpm->ownership->owner_auth_set)
    return;
  finding = ward_doctor_say (doctor, "not-owned", tpm, WARD_SEVERITY_INFO, "Nobody has taken ownership of the TPM");
  ward_doctor_set (&finding->detail,
                   "A TPM 1.2 without an owner has no storage root key, and so can keep no keys and seal nothing. Take "
                   "ownership by “tpmward own”. A secret must be chosen and kept by a person, so there is no repair "
                   "for this.");
}

void
ward_doctor_climb_ownership (WardDoctor *doctor, const WardDoctorTpm *tpm)
{
  if (ward_doctor_is_tpm12 (tpm))
    {
      climb_owner_of_tpm12 (doctor, tpm);
      if (tpm->ownership->locked_out)
        say_locked (doctor, tpm);
      return;
    }
  climb_owner (doctor, tpm);
  climb_lockout (doctor, tpm);
  climb_guard (doctor, tpm);
  climb_srk (doctor, tpm);
}
