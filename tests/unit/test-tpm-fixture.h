/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-tpm.h"

/* A TPM over a backend whose chip is played in memory, and waiting for what comes of its operations. */

/* The chip: what it does next, and what was done to it. What a test changes while the worker may be at work goes
 * through test_chip_set (); the rest it changes and reads while the worker has nothing to do. */
typedef struct
{
  gboolean gone;       /* it cannot be opened, and an open connection breaks at the next command */
  gboolean held;       /* it ends no command until released */
  gboolean busy;       /* it is at a command */
  gboolean in_failure; /* its own test result says that it has failed: "It is broken." */
  gboolean refuses;    /* it answers with a response code */
  guint n_open;        /* how often it was opened */
  GString *order;      /* the byte count of each random command, as a letter: 'b' for 1 */
  WardOwnership ownership;
} TestChip;

extern TestChip test_chip;

void test_chip_set (gboolean *flag, gboolean value);
void test_chip_await_busy (void);

/* Members of a WardBackend, of which a test takes those that its family is to have. The manufacturer is "TEST". */
WardConnection *test_chip_open (const char *transport, GError **error);
void test_chip_close (WardConnection *connection);
WardIdentity *test_chip_identify (WardConnection *connection, GError **error);
gboolean test_chip_probe (WardConnection *connection, GError **error);
gboolean test_chip_get_random (WardConnection *connection, guint8 *bytes, gsize count, GError **error);
WardTestResult *test_chip_self_test (WardConnection *connection, WardSelfTestMode mode, GError **error);
WardOwnership *test_chip_read_ownership (WardConnection *connection, GError **error);

typedef struct
{
  WardTpm *tpm;
  char *state_dir;
} TestTpm;

/* Makes the chip as new, and a folder. */
void test_tpm_make (TestTpm *fixture);

/* Makes the folder's "tpm7" and waits until it is ready. transport: of a socket is probed each second, of a device is
 * not. What it returns is the fixture's. */
WardTpm *test_tpm_start (TestTpm *fixture, const WardBackend *backend, const char *transport);

/* As when the service ends. */
void test_tpm_let_go (TestTpm *fixture);

/* Lets go and removes the folder, in which there may be the files of these names, up to NULL, and no others. */
void test_tpm_remove (TestTpm *fixture, const char *const *names);

void test_tpm_await_state (WardTpm *tpm, WardTpmState state);

/* A GAsyncReadyCallback that keeps the result in the GAsyncResult * to which user_data points. */
void test_keep_result (GObject *source, GAsyncResult *result, gpointer user_data);
/* Waits for it; it stays the caller's. */
GAsyncResult *test_await_result (GAsyncResult **slot);

GBytes *test_tpm_get_random (WardTpm *tpm, gsize count, GError **error);
