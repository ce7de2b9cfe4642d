/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "test-store-fixture.h"
#include "ward-keyring.h"

/* A keyring without a TPM, with keys of Alice, Bob and the system. */

#define BOB 1001
#define TPM "tpm0"

/* Who has Alice's uid; NULL: that cannot be found out. */
extern const char *test_name_of_alice;
char *test_get_user_name (guint32 uid, GError **error);

typedef struct
{
  char *state_dir;
  WardKeyring *keyring;
  guint changes; /* heard of */
} TestKeyring;

void test_keyring_set_up (TestKeyring *fixture, gconstpointer data);
void test_keyring_tear_down (TestKeyring *fixture, gconstpointer data);
/* Until it has let go of its store. */
void test_keyring_let_go (WardKeyring **keyring);
/* As when the service is started anew; ready for all three. */
void test_keyring_restart (TestKeyring *fixture);
gboolean test_keyring_prepare (TestKeyring *fixture, guint32 uid, GError **error);

/* A GAsyncReadyCallback that keeps the result in the GAsyncResult * to which user_data points. */
void test_keyring_keep (GObject *source, GAsyncResult *result, gpointer user_data);
/* Until that has been called. */
void test_keyring_wait (GAsyncResult **result);
/* What came of a change. The result is let go of, as it holds the keyring. */
WardKey *test_keyring_finish (TestKeyring *fixture, GAsyncResult **result, GError **error);

/* A key whose private half is its label. */
WardKey *test_keyring_add_key (TestKeyring *fixture, const char *tpm, guint32 uid, const char *label, WardKey *key,
                               GError **error);
/* A new one beneath PARENT, in TPM. */
WardKey *test_keyring_add (TestKeyring *fixture, guint32 uid, const char *label);
GBytes *test_keyring_read (TestKeyring *fixture, WardKey *key, GError **error);

/* expected: in their order, joined by commas. */
void test_keyring_assert_labels (TestKeyring *fixture, guint32 uid, const char *expected);
void test_keyring_assert_found (TestKeyring *fixture, guint32 uid, const char *id_or_label, const WardKey *expected);
void test_keyring_assert_not_found (TestKeyring *fixture, const char *tpm, guint32 uid, const char *id_or_label);
void test_keyring_assert_refused (TestKeyring *fixture, guint32 uid, const char *label, int code);

/* code: of the error that says why the key cannot be used, in which part is; TEST_USABLE: it can. */
#define TEST_USABLE (-1)
void test_keyring_assert_usable (TestKeyring *fixture, const WardKey *key, int code, const char *part);
