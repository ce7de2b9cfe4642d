/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tpm2-private.h"

#include <tss2/tss2_sys.h>

#include "ward-error.h"

/* ESYS only flushes what it has loaded itself, and asks the TPM for the public part of what it has not, which a session
 * lacks: so its own system context sends the command. */
static TSS2_RC
flush (WardConnection *connection, TPM2_HANDLE handle)
{
  TSS2_SYS_CONTEXT *sys = NULL;
  WardTpm2Wait wait = { 0 };
  TSS2_RC rc = Esys_GetSysContext (connection->esys, &sys);

  if (rc != TSS2_RC_SUCCESS)
    return rc;
  do
    rc = Tss2_Sys_FlushContext (sys, handle);
  while (ward_tpm2_wait_again (connection, &wait, rc));
  return rc;
}

static gboolean
flush_range (WardConnection *connection, TPM2_HANDLE first, GError **error)
{
  g_autoptr (GError) local_error = NULL;
  g_autoptr (GArray) handles = ward_tpm2_read_handles (connection, first, &local_error);
  TSS2_RC rc;

  if (handles == NULL)
    {
      /* A TPM in failure mode lists nothing, and holds nothing that matters: it is worth connecting to all the same. */
      if (!g_error_matches (local_error, WARD_ERROR, WARD_ERROR_UNREACHABLE))
        return TRUE;
      g_propagate_error (error, g_steal_pointer (&local_error));
      return FALSE;
    }
  for (guint i = 0; i < handles->len; i++)
    {
      rc = flush (connection, g_array_index (handles, TPM2_HANDLE, i));
      if (rc != TSS2_RC_SUCCESS && !ward_tpm2_rc_is_from_tpm (rc))
        {
          ward_tpm2_set_error (error, connection, rc,
                               "The TPM could not be freed of what an earlier program left in it");
          return FALSE;
        }
      if (rc != TSS2_RC_SUCCESS)
        g_debug ("The TPM keeps the handle 0x%08x", g_array_index (handles, TPM2_HANDLE, i));
    }
  return TRUE;
}

/* Flushes all transient objects and loaded sessions: a killed service leaves them in a chip that has room for three of
 * each. Only for a connection that nobody shares. Fails only with WARD_ERROR_UNREACHABLE. */
gboolean
ward_tpm2_flush_stale (WardConnection *connection, GError **error)
{
  return flush_range (connection, WARD_TPM2_TRANSIENT_FIRST, error)
         && flush_range (connection, TPM2_LOADED_SESSION_FIRST, error);
}
