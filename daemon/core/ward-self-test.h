/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-backend.h"

typedef enum
{
  WARD_SELF_TEST_NEVER_RUN,
  WARD_SELF_TEST_RUNNING,
  WARD_SELF_TEST_PASSED,
  WARD_SELF_TEST_FAILED,
} WardSelfTestState;

const char *ward_self_test_state_to_string (WardSelfTestState state);

/* What came of the last self-test that this service was asked for. */
typedef struct
{
  WardSelfTestState state;
  WardSelfTestMode mode;
  guint64 last_run; /* CLOCK_REALTIME, in microseconds; 0: none has run */
  guint64 duration; /* in microseconds */
  guint32 code;     /* the TPM's response code for the test */
  char *text;       /* what it means, never NULL */
} WardSelfTest;

WardSelfTest *ward_self_test_new (void);
WardSelfTest *ward_self_test_copy (const WardSelfTest *test);
void ward_self_test_free (WardSelfTest *test);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardSelfTest, ward_self_test_free)

/* The record of the last self-test outlives the service, in one key file for each TPM. It names the chip and its
 * firmware, so that a record of another chip's test is never shown as this one's. */

/* What a record is bound to: freed by the caller. */
char *ward_self_test_chip (const WardIdentity *identity);

/* Writes the record, replacing the old one as a whole. Waits for the disk. Errors: of G_FILE_ERROR. */
gboolean ward_self_test_save (const WardSelfTest *test, const char *path, const char *chip, GError **error);

/* The record of this chip's last test; NULL without error when there is none, or it is another chip's. Errors: of
 * G_FILE_ERROR, and WARD_ERROR_CORRUPT for a file that does not parse. */
WardSelfTest *ward_self_test_load (const char *path, const WardIdentity *identity, GError **error);
