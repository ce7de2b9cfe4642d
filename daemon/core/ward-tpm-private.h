/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-guard.h"
#include "ward-tpm.h"

/* What the files that make up a WardTpm share. */

struct _WardTpm
{
  GObject parent_instance;

  char *name;
  char *family;
  char *transport;
  char *device_path;
  char *driver;
  char *self_test_path;
  WardWorker *worker; /* NULL when the family is not supported, or the TPM has gone */

  gboolean gone; /* it was stopped */
  gboolean seen;
  WardTpmState state;
  char *state_detail;
  WardIdentity *identity;
  WardSelfTest *self_test;

  WardOwnership *ownership; /* NULL until it is known */
  WardGuard *guard;
  guint64 next_recovery;
  guint recovery_timeout; /* source */
};

/* Queues the operation that func does with data, if this family can do it: member is the offset of its entry in the
 * backend's table. */
void ward_tpm_run_async (WardTpm *tpm, const WardTicket *ticket, gsize member, WardJobFunc func, gpointer data,
                         GDestroyNotify data_free, GDestroyNotify result_free, GAsyncReadyCallback callback,
                         gpointer user_data);

/* Finishes what ward_tpm_run_async () began. */
gpointer ward_tpm_run_finish (WardTpm *tpm, GAsyncResult *result, GError **error);
