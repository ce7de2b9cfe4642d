/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is noticed of a chip between two starts of the service, and what is not. */
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "ward-record.h"

#define HOUR ((guint64)60 * 60 * 1000)

typedef struct
{
  char *folder;
  char *path;
  char *aside;
  WardRecord *record;
  WardIdentity *identity; /* of the chip now, likewise: */
  WardOwnership ownership;
  gboolean clear_pending;
} Fixture;

static void
set_string (char **member, const char *value)
{
  g_free (*member);
  *member = g_strdup (value);
}

static void
set_srk (Fixture *fixture, const char *name)
{
  g_strlcpy (fixture->ownership.srk_name, name, sizeof fixture->ownership.srk_name);
}

/* As when the service is started anew. */
static void
restart (Fixture *fixture)
{
  g_clear_pointer (&fixture->record, ward_record_unref);
  fixture->record = ward_record_new (fixture->path);
}

static WardChange
look (Fixture *fixture)
{
  return ward_record_look (fixture->record, fixture->identity, &fixture->ownership, fixture->clear_pending);
}

static WardChange
look_after_restart (Fixture *fixture)
{
  restart (fixture);
  return look (fixture);
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->folder = g_dir_make_tmp ("tpmward-test-XXXXXX", NULL);
  fixture->path = g_build_filename (fixture->folder, "tpm7.chip", NULL);
  fixture->aside = g_strconcat (fixture->path, ".damaged", NULL);
  fixture->identity = ward_identity_new ();
  set_string (&fixture->identity->manufacturer, "TEST");
  set_string (&fixture->identity->vendor_string, "Model 1");
  set_string (&fixture->identity->firmware_version, "1.2");
  set_string (&fixture->identity->endorsement, "0x01c00002 aaaa");
  fixture->ownership.reset_count = 20;
  fixture->ownership.clock = 100 * HOUR;
  set_srk (fixture, "000b11");
  restart (fixture);
  g_assert_cmpint (look (fixture), ==, WARD_CHANGE_NONE);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  ward_record_unref (fixture->record);
  ward_identity_free (fixture->identity);
  g_unlink (fixture->path);
  g_unlink (fixture->aside);
  g_assert_cmpint (g_rmdir (fixture->folder), ==, 0);
  g_free (fixture->folder);
  g_free (fixture->path);
  g_free (fixture->aside);
}

static void
assert_text (Fixture *fixture, WardChange change, const char *part)
{
  g_autofree char *text = NULL;
  guint64 noticed_at = 0;

  g_assert_cmpint (ward_record_get_change (fixture->record, &noticed_at, &text), ==, change);
  g_assert_cmpuint (noticed_at, >, 0);
  g_assert_nonnull (strstr (text, part));
}

static void
assert_nothing (Fixture *fixture)
{
  g_assert_cmpint (ward_record_get_change (fixture->record, NULL, NULL), ==, WARD_CHANGE_NONE);
}

/* Whatever happens to a TPM in everyday life is no news. */
static void
test_everyday (Fixture *fixture, gconstpointer data)
{
  g_assert_cmpint (look_after_restart (fixture), ==, WARD_CHANGE_NONE);
  /* the machine was started again; the clock lost half an hour by an unclean end */
  fixture->ownership.reset_count++;
  fixture->ownership.clock -= HOUR / 2;
  g_assert_cmpint (look_after_restart (fixture), ==, WARD_CHANGE_NONE);
  /* the storage root key was evicted, and the same one provisioned */
  set_srk (fixture, "");
  g_assert_cmpint (look_after_restart (fixture), ==, WARD_CHANGE_NONE);
  set_srk (fixture, "000b11");
  g_assert_cmpint (look_after_restart (fixture), ==, WARD_CHANGE_NONE);
  /* the EK's certificate cannot be read for once */
  set_string (&fixture->identity->endorsement, "");
  g_assert_cmpint (look_after_restart (fixture), ==, WARD_CHANGE_NONE);
  /* or another one is found, which says nothing of the first */
  set_string (&fixture->identity->endorsement, "0x81010001 rsa2048 bbbb");
  g_assert_cmpint (look_after_restart (fixture), ==, WARD_CHANGE_NONE);
  assert_nothing (fixture);
}

/* A storage root key that there was none before: made by us, systemd or Windows. */
static void
test_first_srk (Fixture *fixture, gconstpointer data)
{
  g_unlink (fixture->path);
  set_srk (fixture, "");
  g_assert_cmpint (look_after_restart (fixture), ==, WARD_CHANGE_NONE);
  set_srk (fixture, "000b22");
  g_assert_cmpint (look_after_restart (fixture), ==, WARD_CHANGE_NONE);
}

static void
test_cleared (Fixture *fixture, gconstpointer data)
{
  set_srk (fixture, "");
  fixture->ownership.reset_count = 0;
  fixture->ownership.clock = 5;
  g_assert_cmpint (look_after_restart (fixture), ==, WARD_CHANGE_CLEARED);
  assert_text (fixture, WARD_CHANGE_CLEARED, "was cleared after 20");

  /* it stays, also over a restart, until it is acknowledged */
  g_assert_cmpint (look_after_restart (fixture), ==, WARD_CHANGE_NONE);
  assert_text (fixture, WARD_CHANGE_CLEARED, "was cleared after 20");
  ward_record_acknowledge (fixture->record);
  assert_nothing (fixture);
  g_assert_cmpint (look_after_restart (fixture), ==, WARD_CHANGE_NONE);
  assert_nothing (fixture);
}

/* The machine was started so often since that the counter has caught up. */
static void
test_cleared_long_ago (Fixture *fixture, gconstpointer data)
{
  set_srk (fixture, "");
  fixture->ownership.reset_count = 25;
  fixture->ownership.clock = 50 * HOUR;
  g_assert_cmpint (look_after_restart (fixture), ==, WARD_CHANGE_CLEARED);
}

/* Twice since the last reset: then the clock goes on without a loss. */
static void
test_cleared_again (Fixture *fixture, gconstpointer data)
{
  fixture->ownership.clock--;
  set_srk (fixture, "");
  g_assert_cmpint (look_after_restart (fixture), ==, WARD_CHANGE_CLEARED);
}

static void
test_other_srk (Fixture *fixture, gconstpointer data)
{
  set_srk (fixture, "");
  g_assert_cmpint (look_after_restart (fixture), ==, WARD_CHANGE_NONE);
  set_srk (fixture, "000b22");
  g_assert_cmpint (look_after_restart (fixture), ==, WARD_CHANGE_CLEARED);
  assert_text (fixture, WARD_CHANGE_CLEARED, "another key in that one's place");
}

static void
test_replaced (Fixture *fixture, gconstpointer data)
{
  set_string (&fixture->identity->endorsement, "0x01c00002 cccc");
  set_srk (fixture, "000b33");
  fixture->ownership.reset_count = 500;
  g_assert_cmpint (look_after_restart (fixture), ==, WARD_CHANGE_REPLACED);
  assert_text (fixture, WARD_CHANGE_REPLACED, "endorsement key");

  /* nothing of the former chip is left to compare with */
  set_srk (fixture, "");
  g_assert_cmpint (look_after_restart (fixture), ==, WARD_CHANGE_NONE);
}

static void
test_other_maker (Fixture *fixture, gconstpointer data)
{
  set_string (&fixture->identity->endorsement, "");
  set_string (&fixture->identity->manufacturer, "ELSE");
  set_srk (fixture, "");
  g_assert_cmpint (look_after_restart (fixture), ==, WARD_CHANGE_REPLACED);
  assert_text (fixture, WARD_CHANGE_REPLACED, "was of TEST (Model 1); this one is of ELSE");
}

/* Its maker has issued another certificate; the storage root key proves that it is the same chip. */
static void
test_other_certificate (Fixture *fixture, gconstpointer data)
{
  set_string (&fixture->identity->endorsement, "0x01c00002 cccc");
  g_assert_cmpint (look_after_restart (fixture), ==, WARD_CHANGE_NONE);
}

static void
test_updated (Fixture *fixture, gconstpointer data)
{
  set_string (&fixture->identity->firmware_version, "1.3");
  g_assert_cmpint (look_after_restart (fixture), ==, WARD_CHANGE_UPDATED);
  assert_text (fixture, WARD_CHANGE_UPDATED, "is 1.3 now");
}

/* An update after a clear does not hide the clear; a replacement does. */
static void
test_graver_stands (Fixture *fixture, gconstpointer data)
{
  fixture->ownership.reset_count = 0;
  set_srk (fixture, "");
  g_assert_cmpint (look (fixture), ==, WARD_CHANGE_CLEARED);
  set_string (&fixture->identity->firmware_version, "1.3");
  g_assert_cmpint (look (fixture), ==, WARD_CHANGE_UPDATED);
  assert_text (fixture, WARD_CHANGE_CLEARED, "was cleared");
  g_assert_cmpint (look_after_restart (fixture), ==, WARD_CHANGE_NONE);
  set_string (&fixture->identity->endorsement, "0x01c00002 cccc");
  g_assert_cmpint (look (fixture), ==, WARD_CHANGE_REPLACED);
  assert_text (fixture, WARD_CHANGE_REPLACED, "endorsement key");
}

static void
test_own_clear (Fixture *fixture, gconstpointer data)
{
  set_string (&fixture->identity->firmware_version, "1.3");
  g_assert_cmpint (look (fixture), ==, WARD_CHANGE_UPDATED);
  ward_record_expect_clear (fixture->record);
  set_srk (fixture, "");
  fixture->ownership.reset_count = 0;
  fixture->ownership.clock = 0;
  g_assert_cmpint (look (fixture), ==, WARD_CHANGE_NONE);
  assert_nothing (fixture);

  /* the key that is made after it is expected as little as before */
  set_srk (fixture, "000b44");
  g_assert_cmpint (look_after_restart (fixture), ==, WARD_CHANGE_NONE);
  assert_nothing (fixture);
}

/* The service asked the firmware: that it has done so is logged, and settles what was noticed before. */
static void
test_granted_request (Fixture *fixture, gconstpointer data)
{
  set_string (&fixture->identity->firmware_version, "1.3");
  g_assert_cmpint (look (fixture), ==, WARD_CHANGE_UPDATED);
  ward_record_expect_firmware_clear (fixture->record);
  fixture->clear_pending = TRUE;
  g_assert_cmpint (look (fixture), ==, WARD_CHANGE_NONE);
  g_assert_cmpint (look_after_restart (fixture), ==, WARD_CHANGE_NONE);
  assert_text (fixture, WARD_CHANGE_UPDATED, "is 1.3 now");

  fixture->clear_pending = FALSE;
  set_srk (fixture, "");
  fixture->ownership.reset_count = 0;
  fixture->ownership.clock = 5;
  restart (fixture);
  g_test_expect_message ("tpmward", G_LOG_LEVEL_MESSAGE, "*firmware has cleared this TPM, as it was asked on 20*");
  g_assert_cmpint (look (fixture), ==, WARD_CHANGE_CLEARED);
  g_test_assert_expected_messages ();
  assert_nothing (fixture);

  /* the next one was not asked for */
  fixture->ownership.clock = 1;
  g_assert_cmpint (look_after_restart (fixture), ==, WARD_CHANGE_CLEARED);
  assert_text (fixture, WARD_CHANGE_CLEARED, "not by this service");
}

/* Who was at the machine said no: nothing is claimed then, nor of a clear later. */
static void
test_declined_request (Fixture *fixture, gconstpointer data)
{
  ward_record_expect_firmware_clear (fixture->record);
  fixture->clear_pending = TRUE;
  look (fixture);
  fixture->clear_pending = FALSE;
  fixture->ownership.reset_count++;
  g_assert_cmpint (look_after_restart (fixture), ==, WARD_CHANGE_NONE);
  assert_nothing (fixture);

  fixture->ownership.reset_count = 0;
  set_srk (fixture, "");
  g_assert_cmpint (look_after_restart (fixture), ==, WARD_CHANGE_CLEARED);
  assert_text (fixture, WARD_CHANGE_CLEARED, "not by this service");
}

/* Another program cleared it while the request still waits. */
static void
test_cleared_before_the_restart (Fixture *fixture, gconstpointer data)
{
  ward_record_expect_firmware_clear (fixture->record);
  fixture->clear_pending = TRUE;
  fixture->ownership.reset_count = 0;
  fixture->ownership.clock = 5;
  set_srk (fixture, "");
  g_assert_cmpint (look (fixture), ==, WARD_CHANGE_CLEARED);
  assert_text (fixture, WARD_CHANGE_CLEARED, "not by this service");

  /* and then the firmware did, which settles that too */
  fixture->clear_pending = FALSE;
  fixture->ownership.clock = 2;
  g_assert_cmpint (look_after_restart (fixture), ==, WARD_CHANGE_CLEARED);
  assert_nothing (fixture);
}

/* Another chip is no matter of the request. */
static void
test_replaced_in_spite_of_a_request (Fixture *fixture, gconstpointer data)
{
  ward_record_expect_firmware_clear (fixture->record);
  set_string (&fixture->identity->endorsement, "0x01c00002 cccc");
  set_srk (fixture, "");
  fixture->ownership.reset_count = 0;
  g_assert_cmpint (look_after_restart (fixture), ==, WARD_CHANGE_REPLACED);
  assert_text (fixture, WARD_CHANGE_REPLACED, "endorsement key");
}

/* The request of a TPM that was never seen is not put on a record that is none yet. */
static void
test_request_before_the_first_look (Fixture *fixture, gconstpointer data)
{
  g_unlink (fixture->path);
  restart (fixture);
  ward_record_expect_firmware_clear (fixture->record);
  g_assert_false (g_file_test (fixture->path, G_FILE_TEST_EXISTS));
  g_assert_cmpint (look (fixture), ==, WARD_CHANGE_NONE);
}

static void
test_own_provisioning (Fixture *fixture, gconstpointer data)
{
  ward_record_expect_change (fixture->record);
  set_srk (fixture, "000b44");
  g_assert_cmpint (look (fixture), ==, WARD_CHANGE_NONE);
  /* but only once */
  set_srk (fixture, "000b55");
  g_assert_cmpint (look (fixture), ==, WARD_CHANGE_CLEARED);
}

static void
test_damaged (Fixture *fixture, gconstpointer data)
{
  const char *contents = data;
  g_autofree char *kept = NULL;

  g_assert_true (g_file_set_contents (fixture->path, contents, -1, NULL));
  g_test_expect_message ("tpmward", G_LOG_LEVEL_WARNING, "*tpm7.chip is damaged*");
  restart (fixture);
  g_test_assert_expected_messages ();

  g_assert_true (g_file_get_contents (fixture->aside, &kept, NULL, NULL));
  g_assert_cmpstr (kept, ==, contents);
  g_assert_cmpint (look (fixture), ==, WARD_CHANGE_NONE);
  assert_nothing (fixture);
  /* and the new one serves */
  fixture->ownership.reset_count = 0;
  set_srk (fixture, "");
  g_assert_cmpint (look_after_restart (fixture), ==, WARD_CHANGE_CLEARED);
}

static ino_t
get_inode (Fixture *fixture)
{
  struct stat status;

  g_assert_cmpint (stat (fixture->path, &status), ==, 0);
  g_assert_cmpint (status.st_mode & 0777, ==, 0600);
  return status.st_ino;
}

/* The clock goes on all the time; the disk is left alone. */
static void
test_written_when_changed (Fixture *fixture, gconstpointer data)
{
  ino_t before = get_inode (fixture);

  fixture->ownership.clock += HOUR;
  look (fixture);
  g_assert_cmpuint (get_inode (fixture), ==, before);
  fixture->ownership.reset_count++;
  look (fixture);
  g_assert_cmpuint (get_inode (fixture), !=, before);
}

static void
test_unwritable (void)
{
  g_autoptr (WardRecord) record = ward_record_new ("/nonexistent/tpm7.chip");
  g_autoptr (WardIdentity) identity = ward_identity_new ();
  WardOwnership ownership = { .reset_count = 1 };

  g_test_expect_message ("tpmward", G_LOG_LEVEL_WARNING, "*not on record*");
  g_assert_cmpint (ward_record_look (record, identity, &ownership, FALSE), ==, WARD_CHANGE_NONE);
  g_test_assert_expected_messages ();
}

#define MARKS                                                                                                          \
  "[Chip]\nManufacturer=TEST\nVendorString=\nFirmware=\nEndorsement=\nStorageRootKey=\nResetCount=1\nClock=1\nSeenAt=" \
  "1\n"

#define ADD(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)
#define ADD_DAMAGED(path, contents) g_test_add (path, Fixture, contents, set_up, test_damaged, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/record/everyday", test_everyday);
  ADD ("/record/first-srk", test_first_srk);
  ADD ("/record/cleared", test_cleared);
  ADD ("/record/cleared-long-ago", test_cleared_long_ago);
  ADD ("/record/cleared-again", test_cleared_again);
  ADD ("/record/other-srk", test_other_srk);
  ADD ("/record/replaced", test_replaced);
  ADD ("/record/other-maker", test_other_maker);
  ADD ("/record/other-certificate", test_other_certificate);
  ADD ("/record/updated", test_updated);
  ADD ("/record/graver-stands", test_graver_stands);
  ADD ("/record/own-clear", test_own_clear);
  ADD ("/record/granted-request", test_granted_request);
  ADD ("/record/declined-request", test_declined_request);
  ADD ("/record/cleared-before-the-restart", test_cleared_before_the_restart);
  ADD ("/record/replaced-in-spite-of-a-request", test_replaced_in_spite_of_a_request);
  ADD ("/record/request-before-the-first-look", test_request_before_the_first_look);
  ADD ("/record/own-provisioning", test_own_provisioning);
  ADD_DAMAGED ("/record/damaged/empty", "");
  ADD_DAMAGED ("/record/damaged/garbage", "\x01\xff garbage");
  ADD_DAMAGED ("/record/damaged/lacks-a-member", "[Chip]\nManufacturer=TEST\n");
  ADD_DAMAGED ("/record/damaged/no-number",
               "[Chip]\nManufacturer=\nVendorString=\nFirmware=\nEndorsement=\nStorageRootKey=\nResetCount=x\n");
  ADD_DAMAGED ("/record/damaged/unknown-change", MARKS "[Change]\nKind=none\nText=x\nNoticedAt=1\n");
  ADD_DAMAGED ("/record/damaged/change-without-text", MARKS "[Change]\nKind=cleared\n");
  ADD_DAMAGED ("/record/damaged/request", MARKS "[Request]\nAskedAt=soon\n");
  ADD ("/record/written-when-changed", test_written_when_changed);
  g_test_add_func ("/record/unwritable", test_unwritable);
  return g_test_run ();
}
