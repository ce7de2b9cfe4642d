/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "test-doctor-fixture.h"
#include "ward-advisories.h"
#include "ward-guard.h"

/* The ladder from a TPM that answers to the room in it: each rung broken alone. */

static void
test_unreachable (TestDoctor *doctor, gconstpointer data)
{
  const WardFinding *finding;

  doctor->tpm->state = WARD_TPM_UNREACHABLE;
  test_doctor_set (&doctor->tpm->state_detail, "The line is dead.");
  finding = test_doctor_finds (doctor, "tpm-unreachable@tpm0", WARD_SEVERITY_ERROR, FALSE);
  test_doctor_says (finding, "The line is dead.");
  g_assert_cmpstr (finding->subject, ==, "/dev/tpm0");
}

/* What a TPM said before it was lost is no finding. */
static void
test_unreachable_says_no_more (TestDoctor *doctor, gconstpointer data)
{
  doctor->tpm->state = WARD_TPM_UNREACHABLE;
  test_doctor_set (&doctor->tpm->state_detail, "The line is dead.");
  doctor->tpm->ownership->locked_out = TRUE;
  doctor->tpm->ownership->srk_handle = 0;
  doctor->tpm->self_test = WARD_SELF_TEST_NEVER_RUN;
  test_doctor_finds (doctor, "tpm-unreachable@tpm0", WARD_SEVERITY_ERROR, FALSE);
}

static void
test_disabled (TestDoctor *doctor, gconstpointer data)
{
  doctor->tpm->state = WARD_TPM_DISABLED;
  test_doctor_set (&doctor->tpm->state_detail, "It is off.");
  test_doctor_finds (doctor, "tpm-disabled@tpm0", WARD_SEVERITY_ERROR, FALSE);
}

/* It lacks what a TPM 2.0 has, and that is no finding. */
static void
test_tpm12 (TestDoctor *doctor, gconstpointer data)
{
  const WardFinding *finding;

  test_doctor_set (&doctor->tpm->family, "1.2");
  *doctor->tpm->ownership = (WardOwnership){ .owner_auth_set = TRUE, .has_srk = TRUE };
  test_doctor_finds (doctor, NULL, WARD_SEVERITY_OK, FALSE);

  doctor->tpm->ownership->owner_auth_set = FALSE;
  finding = test_doctor_finds (doctor, "not-owned@tpm0", WARD_SEVERITY_INFO, FALSE);
  test_doctor_says (finding, "TPM 1.2");

  doctor->tpm->state = WARD_TPM_DISABLED;
  test_doctor_set (&doctor->tpm->state_detail, "Its owner can enable it.");
  finding = test_doctor_finds (doctor, "tpm-disabled@tpm0", WARD_SEVERITY_ERROR, FALSE);
  g_assert_cmpstr (finding->detail, ==, "Its owner can enable it.");
}

static void
test_self_test_failed (TestDoctor *doctor, gconstpointer data)
{
  const WardFinding *finding;

  doctor->tpm->self_test = WARD_SELF_TEST_FAILED;
  test_doctor_set (&doctor->tpm->self_test_text, "SHA-1 is broken.");
  finding = test_doctor_finds (doctor, "self-test-failed@tpm0", WARD_SEVERITY_ERROR, TRUE);
  test_doctor_says (finding, "SHA-1 is broken.");

  doctor->tpm->self_test = WARD_SELF_TEST_PASSED;
  doctor->tpm->state = WARD_TPM_FAILED;
  test_doctor_set (&doctor->tpm->state_detail, "AES is broken.");
  finding = test_doctor_finds (doctor, "self-test-failed@tpm0", WARD_SEVERITY_ERROR, TRUE);
  test_doctor_says (finding, "AES is broken.");
}

static void
test_self_test_never_run (TestDoctor *doctor, gconstpointer data)
{
  doctor->tpm->self_test = WARD_SELF_TEST_NEVER_RUN;
  test_doctor_finds (doctor, "self-test-never-run@tpm0", WARD_SEVERITY_INFO, TRUE);
  doctor->tpm->self_test = WARD_SELF_TEST_RUNNING;
  test_doctor_finds (doctor, NULL, WARD_SEVERITY_OK, FALSE);
}

static void
set_change (TestDoctor *doctor, WardChange change)
{
  doctor->tpm->change = change;
  doctor->tpm->change_noticed_at = 1700000000 * (guint64)G_USEC_PER_SEC;
  test_doctor_set (&doctor->tpm->change_text, "Somebody did it.");
}

/* With what broke by it, without naming what is others'. */
static void
test_changes (TestDoctor *doctor, gconstpointer data)
{
  const WardFinding *finding;

  test_doctor_add_dependent (doctor, "/dev/sda3", 0, "uses-pin");
  test_doctor_add_dependent (doctor, "alices.pem", 1000, "uses-nothing");
  test_doctor_add_dependent (doctor, "bobs.pem", 1001, "uses-nothing");
  set_change (doctor, WARD_CHANGE_CLEARED);
  finding = test_doctor_finds (doctor, "tpm-cleared@tpm0", WARD_SEVERITY_WARNING, TRUE);
  test_doctor_says (finding, "Somebody did it. This was noticed at 2023-11-1");
  test_doctor_says (finding, "/dev/sda3, alices.pem and 1 more");
  test_doctor_hides (finding, "bobs.pem");

  doctor->viewer.sees_all = TRUE;
  set_change (doctor, WARD_CHANGE_REPLACED);
  finding = test_doctor_finds (doctor, "tpm-replaced@tpm0", WARD_SEVERITY_WARNING, TRUE);
  test_doctor_says (finding, "bobs.pem");

  set_change (doctor, WARD_CHANGE_UPDATED);
  finding = test_doctor_finds (doctor, "tpm-updated@tpm0", WARD_SEVERITY_INFO, TRUE);
  test_doctor_hides (finding, "/dev/sda3");
}

static void
test_clear_pending (TestDoctor *doctor, gconstpointer data)
{
  doctor->tpm->clear_pending = TRUE;
  test_doctor_finds (doctor, "clear-pending@tpm0", WARD_SEVERITY_WARNING, TRUE);
}

static void
test_presence_response (TestDoctor *doctor, gconstpointer data)
{
  const WardFinding *finding;

  test_doctor_set (&doctor->tpm->presence_response, "The firmware says: 5 was done.");
  finding = test_doctor_finds (doctor, "physical-presence-response@tpm0", WARD_SEVERITY_INFO, FALSE);
  test_doctor_says (finding, "5 was done");
  doctor->tpm->presence_failed = TRUE;
  test_doctor_finds (doctor, "physical-presence-response@tpm0", WARD_SEVERITY_WARNING, FALSE);
}

static void
test_advisories (TestDoctor *doctor, gconstpointer data)
{
  g_autoptr (WardIdentity) identity = ward_identity_new ();
  const WardFinding *finding;

  g_free (identity->manufacturer);
  identity->manufacturer = g_strdup ("IFX");
  identity->firmware_raw = (guint64)7 << 48 | (guint64)40 << 32;
  g_ptr_array_unref (doctor->tpm->advisories);
  doctor->tpm->advisories = ward_advisories_find (identity);
  finding = test_doctor_finds (doctor, "advisory-CVE-2017-15361@tpm0", WARD_SEVERITY_ERROR, FALSE);
  test_doctor_says (finding, "https://nvd.nist.gov/vuln/detail/CVE-2017-15361");
}

static void
test_not_owned (TestDoctor *doctor, gconstpointer data)
{
  const WardFinding *finding;

  doctor->tpm->ownership->lockout_auth_set = FALSE;
  finding = test_doctor_finds (doctor, "not-owned@tpm0", WARD_SEVERITY_INFO, FALSE);
  test_doctor_says (finding, "lockout auth alone");
}

static void
test_owner_auth_set (TestDoctor *doctor, gconstpointer data)
{
  const WardFinding *finding;

  doctor->tpm->ownership->owner_auth_set = TRUE;
  test_doctor_finds (doctor, NULL, WARD_SEVERITY_OK, FALSE);
  test_doctor_add_dependent (doctor, "/dev/sda3", 0, "uses-owner-empty-auth");
  finding = test_doctor_finds (doctor, "owner-auth-set@tpm0", WARD_SEVERITY_WARNING, FALSE);
  test_doctor_says (finding, "/dev/sda3");
}

static void
test_lockout_auth_missing (TestDoctor *doctor, gconstpointer data)
{
  const WardFinding *finding;

  test_doctor_add_dependent (doctor, "/dev/sda3", 0, "uses-pin");
  test_doctor_finds (doctor, NULL, WARD_SEVERITY_OK, FALSE);
  doctor->tpm->ownership->lockout_auth_set = FALSE;
  doctor->tpm->ownership->owner_auth_set = TRUE;
  finding = test_doctor_finds (doctor, "lockout-auth-missing@tpm0", WARD_SEVERITY_WARNING, FALSE);
  test_doctor_says (finding, "/dev/sda3");
}

/* Names are bounded, and others' are only counted. */
static void
test_names_are_bounded (TestDoctor *doctor, gconstpointer data)
{
  const WardFinding *finding;

  for (guint i = 0; i < 8; i++)
    {
      g_autofree char *disk = g_strdup_printf ("/dev/disk%u", i);

      test_doctor_add_dependent (doctor, disk, 0, "uses-owner-empty-auth");
    }
  doctor->tpm->ownership->owner_auth_set = TRUE;
  finding = test_doctor_finds (doctor, "owner-auth-set@tpm0", WARD_SEVERITY_WARNING, FALSE);
  test_doctor_says (finding, "/dev/disk4 and 3 others");
  test_doctor_hides (finding, "/dev/disk5");
}

static void
test_names_of_others (TestDoctor *doctor, gconstpointer data)
{
  const WardFinding *finding;

  test_doctor_add_dependent (doctor, "bobs.pem", 1001, "uses-owner-empty-auth");
  doctor->tpm->ownership->owner_auth_set = TRUE;
  finding = test_doctor_finds (doctor, "owner-auth-set@tpm0", WARD_SEVERITY_WARNING, FALSE);
  test_doctor_says (finding, "1 that belong to other users");
  test_doctor_hides (finding, "bobs.pem");
  doctor->viewer.uid = 1001;
  finding = test_doctor_finds (doctor, "owner-auth-set@tpm0", WARD_SEVERITY_WARNING, FALSE);
  test_doctor_says (finding, "bobs.pem");
}

static void
test_lockout_reached (TestDoctor *doctor, gconstpointer data)
{
  const WardFinding *finding;

  doctor->tpm->ownership->locked_out = TRUE;
  doctor->tpm->ownership->failures = 32;
  doctor->tpm->next_recovery = 1700000000 * (guint64)G_USEC_PER_SEC;
  finding = test_doctor_finds (doctor, "lockout-reached@tpm0", WARD_SEVERITY_ERROR, FALSE);
  test_doctor_says (finding, "at 2023-11-1");
  test_doctor_says (finding, "tpmward lockout reset");
}

/* Without a lockout auth the empty one is right. */
static void
test_lockout_that_can_be_reset (TestDoctor *doctor, gconstpointer data)
{
  doctor->tpm->ownership->lockout_auth_set = FALSE;
  doctor->tpm->ownership->owner_auth_set = TRUE;
  doctor->tpm->ownership->locked_out = TRUE;
  test_doctor_finds (doctor, "lockout-reached@tpm0", WARD_SEVERITY_ERROR, TRUE);
  doctor->tpm->ownership->locked_out = FALSE;
  doctor->tpm->ownership->failures = 31;
  test_doctor_finds (doctor, "lockout-near@tpm0", WARD_SEVERITY_WARNING, TRUE);
}

/* From half of the tries on, or in front of the last ones. */
static void
test_lockout_near (TestDoctor *doctor, gconstpointer data)
{
  static const struct
  {
    guint32 max;
    guint32 failures;
    gboolean is_near;
  } cases[] = { { 32, 0, FALSE }, { 32, 15, FALSE }, { 32, 16, TRUE }, { 32, 31, TRUE }, { 3, 1, FALSE },
                { 3, 2, TRUE },   { 2, 1, TRUE },    { 1, 0, FALSE },  { 10, 40, TRUE }, { 31, 15, FALSE } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      doctor->tpm->ownership->max_failures = cases[i].max;
      doctor->tpm->ownership->failures = cases[i].failures;
      if (cases[i].is_near)
        test_doctor_finds (doctor, "lockout-near@tpm0", WARD_SEVERITY_WARNING, FALSE);
      else
        test_doctor_finds (doctor, NULL, WARD_SEVERITY_OK, FALSE);
    }
}

static void
test_lockout_auth_barred (TestDoctor *doctor, gconstpointer data)
{
  const WardFinding *finding;

  doctor->tpm->barred_until = 1700000000 * (guint64)G_USEC_PER_SEC;
  finding = test_doctor_finds (doctor, "lockout-auth-barred@tpm0", WARD_SEVERITY_WARNING, FALSE);
  test_doctor_says (finding, "Until 2023-11-1");
  doctor->tpm->barred_until = WARD_BARRED_UNTIL_RESET;
  finding = test_doctor_finds (doctor, "lockout-auth-barred@tpm0", WARD_SEVERITY_WARNING, FALSE);
  test_doctor_says (finding, "its next reset");
}

static void
test_guard_damaged (TestDoctor *doctor, gconstpointer data)
{
  const WardFinding *finding;

  doctor->tpm->barred_until = WARD_BARRED_UNTIL_RESET;
  doctor->tpm->guard_damaged = TRUE;
  finding = test_doctor_finds (doctor, "guard-damaged@tpm0", WARD_SEVERITY_WARNING, FALSE);
  test_doctor_says (finding, "force");
  doctor->tpm->ownership->lockout_auth_set = FALSE;
  doctor->tpm->ownership->owner_auth_set = TRUE;
  test_doctor_finds (doctor, "guard-damaged@tpm0", WARD_SEVERITY_WARNING, TRUE);
}

static void
test_srk_missing (TestDoctor *doctor, gconstpointer data)
{
  const WardFinding *finding;

  doctor->tpm->ownership->srk_handle = 0;
  test_doctor_finds (doctor, "srk-missing@tpm0", WARD_SEVERITY_WARNING, TRUE);
  doctor->tpm->ownership->owner_auth_set = TRUE;
  finding = test_doctor_finds (doctor, "srk-missing@tpm0", WARD_SEVERITY_WARNING, FALSE);
  test_doctor_says (finding, "ProvisionSrk");
}

static WardChipItem *
chip_item (guint32 handle, const char *purpose, guint32 size)
{
  WardChipItem *item = g_new0 (WardChipItem, 1);

  item->handle = handle;
  item->kind = size > 0 ? WARD_CHIP_NV_INDEX : WARD_CHIP_PERSISTENT;
  item->name = g_strdup ("");
  item->algorithm = g_strdup (size > 0 ? "" : "rsa2048");
  item->purpose = g_strdup (purpose);
  item->size = size;
  return item;
}

static void
test_no_room_persistent (TestDoctor *doctor, gconstpointer data)
{
  GPtrArray *items = g_ptr_array_new_with_free_func ((GDestroyNotify)ward_chip_item_free);
  const WardFinding *finding;

  doctor->tpm->ownership->room.persistent_available = 0;
  test_doctor_finds (doctor, "no-room-persistent@tpm0", WARD_SEVERITY_WARNING, FALSE);

  g_ptr_array_add (items, chip_item (WARD_SRK_HANDLE, "the storage root key", 0));
  g_ptr_array_add (items, chip_item (0x81000055, "", 0));
  g_ptr_array_add (items, chip_item (0x01500016, "", 64));
  g_hash_table_insert (doctor->facts->items, g_strdup ("tpm0"), items);
  finding = test_doctor_finds (doctor, "no-room-persistent@tpm0", WARD_SEVERITY_WARNING, FALSE);
  test_doctor_says (finding,
                    "It holds 0x81000001 (the storage root key), 0x81000055 (rsa2048), 0x01500016 (an NV index "
                    "of 64 bytes).");

  for (guint i = 0; i < 20; i++)
    g_ptr_array_add (items, chip_item (0x81001000 + i, "", 0));
  finding = test_doctor_finds (doctor, "no-room-persistent@tpm0", WARD_SEVERITY_WARNING, FALSE);
  test_doctor_says (finding, " and 11 more.");
}

static void
test_no_room_objects (TestDoctor *doctor, gconstpointer data)
{
  const WardFinding *finding;

  doctor->tpm->ownership->room.transient_available = 0;
  finding = test_doctor_finds (doctor, "no-room-objects@tpm0", WARD_SEVERITY_WARNING, FALSE);
  test_doctor_says (finding, "/dev/tpm0");
  test_doctor_set (&doctor->tpm->transport, "swtpm:path=/x");
  finding = test_doctor_finds (doctor, "no-room-objects@tpm0", WARD_SEVERITY_WARNING, FALSE);
  test_doctor_hides (finding, "/dev/tpm0");
}

static void
test_leaked_sessions (TestDoctor *doctor, gconstpointer data)
{
  const WardFinding *finding;

  doctor->tpm->ownership->room.sessions_active = 47;
  test_doctor_finds (doctor, NULL, WARD_SEVERITY_OK, FALSE);
  doctor->tpm->ownership->room.sessions_active = 48;
  finding = test_doctor_finds (doctor, "leaked-sessions@tpm0", WARD_SEVERITY_WARNING, FALSE);
  test_doctor_says (finding, "48 sessions are active of the 64");
  test_doctor_says (finding, "would break these");
  test_doctor_set (&doctor->tpm->transport, "device:/dev/tpm0");
  finding = test_doctor_finds (doctor, "leaked-sessions@tpm0", WARD_SEVERITY_WARNING, FALSE);
  test_doctor_hides (finding, "resource manager");
}

/* What a TPM does not tell is not taken for a fault. */
static void
test_room_unknown (TestDoctor *doctor, gconstpointer data)
{
  WardRoom *room = &doctor->tpm->ownership->room;

  room->persistent_available = room->transient_available = WARD_ROOM_UNKNOWN;
  room->sessions_active = room->sessions_active_max = WARD_ROOM_UNKNOWN;
  test_doctor_finds (doctor, NULL, WARD_SEVERITY_OK, FALSE);
  g_clear_pointer (&doctor->tpm->ownership, g_free);
  test_doctor_finds (doctor, NULL, WARD_SEVERITY_OK, FALSE);
}

#define ADD(path, func) g_test_add (path, TestDoctor, NULL, test_doctor_set_up, func, test_doctor_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/doctor/unreachable", test_unreachable);
  ADD ("/doctor-tpm/tpm-1.2", test_tpm12);
  ADD ("/doctor/unreachable-says-no-more", test_unreachable_says_no_more);
  ADD ("/doctor/disabled", test_disabled);
  ADD ("/doctor/self-test-failed", test_self_test_failed);
  ADD ("/doctor/self-test-never-run", test_self_test_never_run);
  ADD ("/doctor/changes", test_changes);
  ADD ("/doctor/clear-pending", test_clear_pending);
  ADD ("/doctor/presence-response", test_presence_response);
  ADD ("/doctor/advisories", test_advisories);
  ADD ("/doctor/not-owned", test_not_owned);
  ADD ("/doctor/owner-auth-set", test_owner_auth_set);
  ADD ("/doctor/lockout-auth-missing", test_lockout_auth_missing);
  ADD ("/doctor/names-are-bounded", test_names_are_bounded);
  ADD ("/doctor/names-of-others", test_names_of_others);
  ADD ("/doctor/lockout-reached", test_lockout_reached);
  ADD ("/doctor/lockout-that-can-be-reset", test_lockout_that_can_be_reset);
  ADD ("/doctor/lockout-near", test_lockout_near);
  ADD ("/doctor/lockout-auth-barred", test_lockout_auth_barred);
  ADD ("/doctor/guard-damaged", test_guard_damaged);
  ADD ("/doctor/srk-missing", test_srk_missing);
  ADD ("/doctor/no-room-persistent", test_no_room_persistent);
  ADD ("/doctor/no-room-objects", test_no_room_objects);
  ADD ("/doctor/leaked-sessions", test_leaked_sessions);
  ADD ("/doctor/room-unknown", test_room_unknown);
  return g_test_run ();
}
