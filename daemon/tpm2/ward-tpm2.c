/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tpm2-private.h"

#include <string.h>
#include <tss2/tss2_tctildr.h>

/* Linux gives a TPM 2.0 two seconds for commands that only read, two minutes for those that it does not know, and five
 * for making a key, which an RSA key may take in earnest; then it gives up by itself. A job has many commands: to read,
 * up to some hundred, each of a fraction of a second. One that uses a secret makes a key for its session's salt where
 * there is no storage root key, and a minute more is for all else. Nobody bounds a software TPM. */
#define READ_PATIENCE (30 * G_USEC_PER_SEC)
#define KEY_PATIENCE (6 * 60 * G_USEC_PER_SEC)

/* One of the few commands that a TPM in failure mode answers (TPM 2.0 Library, Part 3, 30.2), and one that changes
 * nothing. */
static TSS2_RC
read_manufacturer (WardConnection *connection)
{
  WARD_ESYS_AUTOFREE TPMS_CAPABILITY_DATA *data = NULL;
  WardTpm2Wait wait = { 0 };
  TPMI_YES_NO more;
  guint32 id;
  TSS2_RC rc;

  do
    rc = Esys_GetCapability (connection->esys, WARD_TPM2_NO_SESSIONS, TPM2_CAP_TPM_PROPERTIES, TPM2_PT_MANUFACTURER, 1,
                             &more, &data);
  while (ward_tpm2_wait_again (connection, &wait, rc));

  if (rc == TSS2_RC_SUCCESS && data->data.tpmProperties.count > 0
      && data->data.tpmProperties.tpmProperty[0].property == TPM2_PT_MANUFACTURER)
    {
      id = GUINT32_TO_BE (data->data.tpmProperties.tpmProperty[0].value);
      memcpy (connection->manufacturer, &id, sizeof (id));
      g_strchomp (connection->manufacturer);
    }
  return rc;
}

static gboolean
start_up (WardConnection *connection, GError **error)
{
  TSS2_RC rc = read_manufacturer (connection);

  if (ward_tpm2_rc_get_meaning (rc) == TPM2_RC_INITIALIZE)
    {
      rc = Esys_Startup (connection->esys, TPM2_SU_CLEAR);
      if (rc == TSS2_RC_SUCCESS)
        rc = read_manufacturer (connection);
    }
  /* A TPM that answers with a refusal is there, and the caller will want to know what is wrong with it. */
  if (rc != TSS2_RC_SUCCESS && !ward_tpm2_rc_is_from_tpm (rc))
    {
      ward_tpm2_set_error (error, connection, rc, "The TPM cannot be reached");
      return FALSE;
    }
  return TRUE;
}

/* A connection over a TCTI context that stays the caller's and outlives it. transport: as for open; decides whether
 * stale objects are flushed. Fails with WARD_ERROR_UNREACHABLE when the TPM does not answer. */
WardConnection *
ward_tpm2_connection_new_for_tcti (TSS2_TCTI_CONTEXT *tcti, const char *transport, GError **error)
{
  g_autoptr (WardConnection) connection = g_new0 (WardConnection, 1);
  TSS2_RC rc;

  connection->transport = g_strdup (transport);
  connection->patience = WARD_TPM2_PATIENCE;
  rc = Esys_Initialize (&connection->esys, tcti, NULL);
  if (rc != TSS2_RC_SUCCESS)
    {
      ward_tpm2_set_error (error, connection, rc, "The TPM cannot be reached");
      return NULL;
    }
  if (!start_up (connection, error))
    return NULL;
  connection->cache = ward_tpm2_cache_new (connection);
  if (ward_tpm2_transport_is_unshared (transport) && !ward_tpm2_flush_stale (connection, error))
    return NULL;
  return g_steal_pointer (&connection);
}

/* Another connection to the same TPM, by the same resource manager; NULL when none can be had. */
WardConnection *
ward_tpm2_connection_open_beside (WardConnection *connection)
{
  g_autoptr (WardConnection) beside = g_new0 (WardConnection, 1);
  TSS2_RC rc = Tss2_TctiLdr_Initialize (connection->transport, &beside->tcti);

  if (rc == TSS2_RC_SUCCESS)
    rc = Esys_Initialize (&beside->esys, beside->tcti, NULL);
  if (rc != TSS2_RC_SUCCESS)
    {
      g_debug ("There is no second connection to the TPM (0x%x)", rc);
      return NULL;
    }
  beside->transport = g_strdup (connection->transport);
  memcpy (beside->manufacturer, connection->manufacturer, sizeof (beside->manufacturer));
  beside->patience = connection->patience;
  beside->cache = connection->cache;
  return g_steal_pointer (&beside);
}

static WardConnection *
tpm2_open (const char *transport, GError **error)
{
  TSS2_TCTI_CONTEXT *tcti = NULL;
  WardConnection *connection;
  TSS2_RC rc;

  rc = Tss2_TctiLdr_Initialize (*transport != '\0' ? transport : NULL, &tcti);
  if (rc != TSS2_RC_SUCCESS)
    {
      WardConnection unopened = { .transport = (char *)transport };

      ward_tpm2_set_error (error, &unopened, rc, "The TPM cannot be reached");
      return NULL;
    }
  connection = ward_tpm2_connection_new_for_tcti (tcti, transport, error);
  if (connection == NULL)
    {
      Tss2_TctiLdr_Finalize (&tcti);
      return NULL;
    }
  connection->tcti = tcti;
  return connection;
}

void
ward_tpm2_connection_free (WardConnection *connection)
{
  if (connection->cache != NULL && ward_tpm2_cache_serves (connection->cache, connection))
    ward_tpm2_cache_free (connection->cache);
  if (connection->esys != NULL)
    Esys_Finalize (&connection->esys);
  if (connection->tcti != NULL)
    Tss2_TctiLdr_Finalize (&connection->tcti);
  g_free (connection->transport);
  g_free (connection->endorsement);
  g_free (connection);
}

/* Any answer will do, also a refusal: it is a TPM that answers. One that was reset behind our back is not, as it must
 * be started up. */
static gboolean
tpm2_probe (WardConnection *connection, GError **error)
{
  TSS2_RC rc = read_manufacturer (connection);

  if (rc != TSS2_RC_SUCCESS && (!ward_tpm2_rc_is_from_tpm (rc) || ward_tpm2_rc_get_meaning (rc) == TPM2_RC_INITIALIZE))
    {
      ward_tpm2_set_error (error, connection, rc, "The TPM cannot be reached");
      return FALSE;
    }
  return TRUE;
}

const WardBackend ward_tpm2_backend = {
  .family = "2.0",
  .patience = READ_PATIENCE,
  .long_patience = KEY_PATIENCE,
  .guards_lockout = TRUE,
  .open = tpm2_open,
  .close = ward_tpm2_connection_free,
  .rest = ward_tpm2_cache_rest,
  .identify = ward_tpm2_identify,
  .probe = tpm2_probe,
  .get_properties = ward_tpm2_get_properties,
  .get_random = ward_tpm2_get_random,
  .self_test = ward_tpm2_self_test,
  .get_test_result = ward_tpm2_get_test_result,
  .read_pcrs = ward_tpm2_read_pcrs,
  .read_ownership = ward_tpm2_read_ownership,
  .list_items = ward_tpm2_list_items,
  .change_auth = ward_tpm2_change_auth,
  .provision_srk = ward_tpm2_provision_srk,
  .reset_lockout = ward_tpm2_reset_lockout,
  .set_lockout_parameters = ward_tpm2_set_lockout_parameters,
  .clear = ward_tpm2_clear,
  .disable_clear = ward_tpm2_disable_clear,
  .seal = ward_tpm2_seal,
  .check_sealed = ward_tpm2_check_sealed,
  .unseal = ward_tpm2_unseal,
  .create_key = ward_tpm2_create_key,
  .import_key = ward_tpm2_import_key,
  .describe_key = ward_tpm2_describe_key,
  .get_public_key = ward_tpm2_get_public_key,
  .find_parents = ward_tpm2_find_parents,
  .check_key = ward_tpm2_check_key,
  .sign = ward_tpm2_sign,
  .decrypt = ward_tpm2_decrypt,
  .agree = ward_tpm2_agree,
  .change_key_auth = ward_tpm2_change_key_auth,
  .persist_key = ward_tpm2_persist_key,
  .evict = ward_tpm2_evict,
  .list_nv = ward_tpm2_list_nv,
  .check_nv_index = ward_tpm2_check_nv_index,
  .check_nv_template = ward_tpm2_check_nv_template,
  .define_nv = ward_tpm2_define_nv,
  .undefine_nv = ward_tpm2_undefine_nv,
  .prepare_nv = ward_tpm2_prepare_nv,
  .read_nv = ward_tpm2_read_nv,
  .write_nv = ward_tpm2_write_nv,
};
