/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-error.h"
#include "ward-tpm-private.h"

/* Adds to an error about a counted auth how it stands now, as far as the chip tells that: a TPM 1.2 does not. */
static void
tell_standing (const WardBackend *backend, WardConnection *connection, const WardCharge *charge, GError **error)
{
  g_autofree WardOwnership *now = backend->read_ownership (connection, NULL);
  g_autofree char *message = NULL;
  guint left;

  if (!now || now->max_failures == 0)
    return;
  left = ward_budget_get_left (charge->budget, charge->uid, now);
  if (g_error_matches (*error, WARD_ERROR, WARD_ERROR_AUTHENTICATION_FAILED))
    message = g_strdup_printf ("%s You have %u more tries now, and the TPM has %u for all users together before it "
                               "locks itself; it forgives one every %u seconds.",
                               (*error)->message, left, now->max_failures - MIN (now->max_failures, now->failures),
                               now->recovery_seconds);
  else if (g_error_matches (*error, WARD_ERROR, WARD_ERROR_LOCKED_OUT))
    message = g_strdup_printf ("%s It has counted %u failures, and forgives one every %u seconds.", (*error)->message,
                               now->failures, now->recovery_seconds);
  if (message)
    {
      g_free ((*error)->message);
      (*error)->message = g_steal_pointer (&message);
    }
}

/* What the chip says of itself, where it must be known as it is now. */
static WardOwnership *
read_ownership (WardWorker *worker, WardConnection *connection, const WardCharge *charge, GError **error)
{
  g_autofree WardOwnership *ownership = ward_tpm_begin_change (worker, connection, FALSE, error);

  if (!ownership || !charge->begun || !ward_budget_has_counted (charge->budget, ownership))
    return g_steal_pointer (&ownership);
  return ward_tpm_begin_change (worker, connection, TRUE, error);
}

gpointer
ward_tpm_run_charged (WardWorker *worker, WardConnection *connection, WardCharge *charge, WardUseFunc func,
                      gpointer data, GError **error)
{
  const WardBackend *backend = ward_worker_get_backend (worker);
  const WardOwnership *recalled = charge->begun ? NULL : ward_budget_recall (charge->budget);
  g_autofree WardOwnership *read = recalled ? NULL : read_ownership (worker, connection, charge, error);
  const WardOwnership *ownership = recalled ? recalled : read;
  g_autoptr (GError) outcome = NULL;
  gpointer result;

  if (!ownership || !ward_budget_charge (charge->budget, charge->uid, ownership, error))
    return NULL;

  charge->begun = TRUE;
  result = func (backend, connection, data, &outcome);
  ward_budget_settle (charge->budget, charge->uid, outcome);
  if (result)
    return result;

  tell_standing (backend, connection, charge, &outcome);
  ward_worker_look (worker, connection, NULL);
  g_propagate_error (error, g_steal_pointer (&outcome));
  return NULL;
}
