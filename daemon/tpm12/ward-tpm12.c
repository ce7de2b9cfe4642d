/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tpm12.h"

#include "ward-tpm12-private.h"

/* The companion says how tcsd is only when it is asked for something. */
static WardConnection *
tpm12_open (const char *transport, GError **error)
{
  g_autoptr (WardConnection) connection = ward_tpm12_start (transport, error);

  return connection && ward_tpm12_probe (connection, error) ? g_steal_pointer (&connection) : NULL;
}

const WardBackend ward_tpm12_backend = {
  .family = "1.2",
  .hides_srk = TRUE,
  .patience = WARD_TPM12_CONNECT_PATIENCE + WARD_TPM12_READ_PATIENCE,
  .long_patience = WARD_TPM12_CONNECT_PATIENCE + WARD_TPM12_LONG_PATIENCE,
  .open = tpm12_open,
  .close = ward_tpm12_stop,
  .identify = ward_tpm12_identify,
  .probe = ward_tpm12_probe,
  .get_properties = ward_tpm12_get_properties,
  .get_random = ward_tpm12_get_random,
  .self_test = ward_tpm12_self_test,
  .get_test_result = ward_tpm12_get_test_result,
  .read_pcrs = ward_tpm12_read_pcrs,
  .read_ownership = ward_tpm12_read_ownership,
  .take_ownership = ward_tpm12_take_ownership,
  .change_auth = ward_tpm12_change_auth,
  .reset_lockout = ward_tpm12_reset_lockout,
  .clear = ward_tpm12_clear,
  .set_enabled = ward_tpm12_set_enabled,
  .set_active = ward_tpm12_set_active,
  .disable_clear = ward_tpm12_disable_clear,
  .create_key = ward_tpm12_create_key,
  .import_key = ward_tpm12_import_key,
  .describe_key = ward_tpm12_describe_key,
  .get_public_key = ward_tpm12_get_public_key,
  .check_key = ward_tpm12_check_key,
  .sign = ward_tpm12_sign,
  .decrypt = ward_tpm12_decrypt,
  .change_key_auth = ward_tpm12_change_key_auth,
  .seal = ward_tpm12_seal,
  .seal_for_tpm_tools = ward_tpm12_seal_for_tpm_tools,
  .check_sealed = ward_tpm12_check_sealed,
  .unseal = ward_tpm12_unseal,
  .list_items = ward_tpm12_list_items,
  .list_nv = ward_tpm12_list_nv,
  .check_nv_index = ward_tpm12_check_nv_index,
  .check_nv_template = ward_tpm12_check_nv_template,
  .define_nv = ward_tpm12_define_nv,
  .undefine_nv = ward_tpm12_undefine_nv,
  .prepare_nv = ward_tpm12_prepare_nv,
  .read_nv = ward_tpm12_read_nv,
  .write_nv = ward_tpm12_write_nv,
};
