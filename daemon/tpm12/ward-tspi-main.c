/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The companion of the service for one TPM 1.2, and the only one that speaks to tcsd. libtspi waits for tcsd without
 * limit, cannot be interrupted, and trusts what it is told: so that is done in a process that can be ended. It is
 * started by the service, with a socket to it as standard input, and ends with it. */
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "ward-error.h"
#include "ward-tspi.h"

typedef struct
{
  const char *type; /* of the request's body */
  WardTspiFunc func;
} Act;

static const Act acts[WARD_TPM12_N_ACTS] = {
  [WARD_TPM12_IDENTIFY] = { "()", ward_tspi_identify },
  [WARD_TPM12_PROBE] = { "()", ward_tspi_probe },
  [WARD_TPM12_GET_PROPERTIES] = { "()", ward_tspi_get_properties },
  [WARD_TPM12_GET_RANDOM] = { "u", ward_tspi_get_random },
  [WARD_TPM12_SELF_TEST] = { "()", ward_tspi_self_test },
  [WARD_TPM12_GET_TEST_RESULT] = { "()", ward_tspi_get_test_result },
  [WARD_TPM12_READ_PCRS] = { "u", ward_tspi_read_pcrs },
  [WARD_TPM12_READ_OWNERSHIP] = { "()", ward_tspi_read_ownership },
  [WARD_TPM12_TAKE_OWNERSHIP] = { "()", ward_tspi_take_ownership },
  [WARD_TPM12_CHANGE_AUTH] = { "b", ward_tspi_change_auth },
  [WARD_TPM12_RESET_LOCKOUT] = { "()", ward_tspi_reset_lockout },
  [WARD_TPM12_CLEAR] = { "()", ward_tspi_clear },
  [WARD_TPM12_SET_FLAG] = { "(ub)", ward_tspi_set_flag },
  [WARD_TPM12_CREATE_KEY] = { "u", ward_tspi_create_key },
  [WARD_TPM12_IMPORT_KEY] = { "(uayay)", ward_tspi_import_key },
  [WARD_TPM12_LOAD_KEY] = { "ay", ward_tspi_load_key },
  [WARD_TPM12_SIGN] = { "(ayay)", ward_tspi_sign },
  [WARD_TPM12_DECRYPT] = { "(ayay)", ward_tspi_decrypt },
  [WARD_TPM12_CHANGE_KEY_AUTH] = { "ay", ward_tspi_change_key_auth },
  [WARD_TPM12_SEAL] = { "a(uay)", ward_tspi_seal },
  [WARD_TPM12_SEAL_FOR_TPM_TOOLS] = { "a(uay)", ward_tspi_seal_for_tpm_tools },
  [WARD_TPM12_UNSEAL] = { "(ayay)", ward_tspi_unseal },
  [WARD_TPM12_LIST_NV] = { "()", ward_tspi_list_nv },
  [WARD_TPM12_DEFINE_NV] = { "(uuu)", ward_tspi_define_nv },
  [WARD_TPM12_UNDEFINE_NV] = { "u", ward_tspi_undefine_nv },
  [WARD_TPM12_READ_NV] = { "(uuub)", ward_tspi_read_nv },
  [WARD_TPM12_WRITE_NV] = { "(uub)", ward_tspi_write_nv },
};

static gboolean
answer (WardTpm12Answer kind, GVariant *body, WardSecret *secret, GError **error)
{
  g_autoptr (WardTpm12Message) message = ward_tpm12_message_new (kind, body);

  message->secrets[0] = secret;
  return ward_tpm12_message_send (message, STDIN_FILENO, error);
}

static GVariant *
perform (const WardTpm12Message *request, WardSecret **secret, GError **error)
{
  g_autoptr (WardTspi) tspi = ward_tspi_open (error);

  if (!tspi || !answer (WARD_TPM12_CONNECTED, g_variant_new_tuple (NULL, 0), NULL, error))
    return NULL;
  return acts[request->kind].func (tspi, request, secret, error);
}

/* Does what comes next, and answers. */
static gboolean
serve (GError **error)
{
  g_autoptr (WardTpm12Message) request = ward_tpm12_message_receive (STDIN_FILENO, -1, error);
  g_autoptr (GError) refusal = NULL;
  WardSecret *secret = NULL;
  GVariant *body;

  if (!request)
    return FALSE;
  if (request->kind >= WARD_TPM12_N_ACTS
      || !g_variant_is_of_type (request->body, G_VARIANT_TYPE (acts[request->kind].type)))
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "There is no act %u with a body of type %s",
                   request->kind, g_variant_get_type_string (request->body));
      return FALSE;
    }

  body = perform (request, &secret, &refusal);
  if (body)
    return answer (WARD_TPM12_DONE, body, secret, error);
  if (refusal->domain == WARD_ERROR)
    return answer (WARD_TPM12_REFUSED, g_variant_new ("(us)", (guint32)refusal->code, refusal->message), NULL, error);
  g_propagate_error (error, g_steal_pointer (&refusal));
  return FALSE;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;

  /* no secret leaves it by a core dump, and it does not outlive the thread that has started it */
  prctl (PR_SET_DUMPABLE, 0);
  prctl (PR_SET_PDEATHSIG, SIGKILL);
  /* libtspi writes to tcsd's connection also once that is closed */
  signal (SIGPIPE, SIG_IGN);

  while (serve (&error))
    ;
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CLOSED))
    return 0;
  g_printerr ("tpmward-tspi: %s\n", error->message);
  return 1;
}
