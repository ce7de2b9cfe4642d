/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tspi.h"

#include <trousers/trousers.h>

#include "ward-error.h"

/* A code is of the layer that its bits 12 and 13 name (TSS 1.2, 2.4). */
#define LAYER_OF(result) ((result)&0x3000)
#define CODE_OF(result) ((result)&0xfff)

typedef struct
{
  TSS_RESULT result; /* with its layer */
  WardErrorCode code;
  const char *why; /* why and what next, in sentences */
} Meaning;

#define OF_TPM(code) (TSS_LAYER_TPM | CODE_OF (code))
#define OF_TCS(code) (TSS_LAYER_TCS | CODE_OF (code))
#define OF_TSP(code) (TSS_LAYER_TSP | CODE_OF (code))

/* Others are WARD_ERROR_FAILED (TPM Main, Part 2, 16; TSS 1.2, 2.4). */
static const Meaning meanings[] = {
  { OF_TPM (TPM_E_AUTHFAIL), WARD_ERROR_AUTHENTICATION_FAILED,
    "The secret is wrong. After some wrong ones a TPM 1.2 refuses all for a while." },
  { OF_TPM (TPM_E_AUTH2FAIL), WARD_ERROR_AUTHENTICATION_FAILED,
    "The second secret is wrong. After some wrong ones a TPM 1.2 refuses all for a while." },
  { OF_TPM (TPM_E_DEFEND_LOCK_RUNNING), WARD_ERROR_LOCKED_OUT,
    "After too many wrong secrets the TPM's protection against dictionary attacks refuses all for a while, the longer "
    "the more there were. Wait, or reset the lockout with the owner's secret." },
  { OF_TPM (TPM_E_DEACTIVATED), WARD_ERROR_DISABLED,
    "The TPM is deactivated. Activate it in the setup of the machine's firmware; it then needs a restart." },
  { OF_TPM (TPM_E_DISABLED), WARD_ERROR_DISABLED,
    "The TPM is disabled. Enable it by its owner, or in the setup of the machine's firmware." },
  { OF_TPM (TPM_E_DISABLED_CMD), WARD_ERROR_DISABLED, "The command is switched off in this TPM." },
  { OF_TPM (TPM_E_CLEAR_DISABLED), WARD_ERROR_DISABLED,
    "Clearing by the owner is switched off. Have the machine's firmware clear the TPM, in its setup." },
  { OF_TPM (TPM_E_OWNER_SET), WARD_ERROR_ALREADY_OWNED, "This TPM has an owner already." },
  { OF_TPM (TPM_E_NOSRK), WARD_ERROR_NOT_OWNED, "This TPM has no owner, and so no storage root key. Take ownership." },
  { OF_TPM (TPM_E_INSTALL_DISABLED), WARD_ERROR_DISABLED,
    "Taking ownership is switched off. Look for it in the setup of the machine's firmware." },
  { OF_TPM (TPM_E_NO_ENDORSEMENT), WARD_ERROR_NOT_SUPPORTED,
    "This TPM has no endorsement key, without which it can have no owner. Its maker should have made one; "
    "tpm_createek of tpm-tools makes one." },
  { OF_TPM (TPM_E_BAD_PRESENCE), WARD_ERROR_NOT_SUPPORTED,
    "The TPM wants somebody to be present for that, which only the machine's firmware can tell it: look in its "
    "setup." },
  { OF_TPM (TPM_E_NOSPACE), WARD_ERROR_NO_SPACE,
    "The TPM has no room for that. Try again once others are done, or make room." },
  { OF_TPM (TPM_E_RESOURCES), WARD_ERROR_NO_SPACE, "The TPM is out of resources. Try again once others are done." },
  { OF_TPM (TPM_E_SIZE), WARD_ERROR_NO_SPACE, "The TPM has no room for that." },
  { OF_TPM (TPM_E_WRONGPCRVAL), WARD_ERROR_POLICY_MISMATCH, "The PCRs are not what they were when it was made." },
  { OF_TPM (TPM_E_DECRYPT_ERROR), WARD_ERROR_CORRUPT,
    "What it was given is damaged, or was made by another TPM or before a clear." },
  { OF_TPM (TPM_E_INVALID_STRUCTURE), WARD_ERROR_CORRUPT,
    "What it was given is damaged, or was made by another TPM or before a clear." },
  { OF_TPM (TPM_E_NOTSEALED_BLOB), WARD_ERROR_CORRUPT,
    "What it was given is damaged, or was made by another TPM or before a clear." },
  { OF_TPM (TPM_E_FAILEDSELFTEST), WARD_ERROR_FAILED, "The TPM has failed its self-test, and does nothing any more." },
  { OF_TPM (TPM_E_INVALID_POSTINIT), WARD_ERROR_UNREACHABLE,
    "It was reset and has not been started up since. Restart the machine." },
  { OF_TPM (TPM_E_AREA_LOCKED), WARD_ERROR_DISABLED, "It is locked, at least until the machine is restarted." },
  { OF_TPM (TPM_E_AUTH_CONFLICT), WARD_ERROR_NOT_SUPPORTED, "It takes another auth value than that." },
  { OF_TSP (TSS_E_NV_AREA_EXIST), WARD_ERROR_EXISTS, "There is one of that number already. Choose another number." },
  { OF_TSP (TSS_E_NV_AREA_NOT_EXIST), WARD_ERROR_NOT_FOUND, "There is none of that number." },
  { OF_TCS (TSS_E_PS_KEY_NOTFOUND), WARD_ERROR_NOT_FOUND,
    "tcsd has no record of the key (/var/lib/tpm/system.data). The record is made when ownership is taken through "
    "it." },
  { OF_TSP (TSS_E_COMM_FAILURE), WARD_ERROR_UNREACHABLE,
    "tcsd, the daemon through which a TPM 1.2 is used, does not answer at 127.0.0.1. See whether it runs, with "
    "“systemctl status tcsd”." },
  { OF_TSP (TSS_E_CONNECTION_FAILED), WARD_ERROR_UNREACHABLE,
    "tcsd, the daemon through which a TPM 1.2 is used, takes no connection at 127.0.0.1. See whether it runs, with "
    "“systemctl status tcsd”." },
  { OF_TSP (TSS_E_CONNECTION_BROKEN), WARD_ERROR_UNREACHABLE, "tcsd has ended in the middle." },
};

static const Meaning *
find_meaning (TSS_RESULT result)
{
  static const Meaning unreachable = {
    .code = WARD_ERROR_UNREACHABLE,
    .why = "tcsd has no answer from the device. See what it says, with “journalctl -u tcsd”.",
  };

  if (LAYER_OF (result) == TSS_LAYER_TDDL)
    return &unreachable;
  for (guint i = 0; i < G_N_ELEMENTS (meanings); i++)
    if (meanings[i].result == (LAYER_OF (result) | CODE_OF (result)))
      return &meanings[i];
  return NULL;
}

void
ward_tspi_set_error (GError **error, TSS_RESULT result, const char *what)
{
  const Meaning *meaning = find_meaning (result);

  g_set_error (error, WARD_ERROR, meaning ? meaning->code : WARD_ERROR_FAILED, "%s (0x%x, %s: %s).%s%s", what, result,
               Trspi_Error_Layer (result), Trspi_Error_String (result), meaning ? " " : "",
               meaning ? meaning->why : "");
}

gboolean
ward_tspi_check (TSS_RESULT result, const char *what, GError **error)
{
  if (result == TSS_SUCCESS)
    return TRUE;
  ward_tspi_set_error (error, result, what);
  return FALSE;
}

gboolean
ward_tspi_check_key (TSS_RESULT result, const char *what, GError **error)
{
  static const UINT32 codes[] = { TPM_E_BAD_PARAMETER, TPM_E_BAD_KEY_PROPERTY, TPM_E_BAD_VERSION };

  for (guint i = 0; i < G_N_ELEMENTS (codes); i++)
    if (ward_tspi_is_tpm_code (result, codes[i]))
      {
        g_set_error (error, WARD_ERROR, WARD_ERROR_CORRUPT,
                     "%s (0x%x, %s: %s): it is damaged. Use another copy of it, if you have one.", what, result,
                     Trspi_Error_Layer (result), Trspi_Error_String (result));
        return FALSE;
      }
  return ward_tspi_check (result, what, error);
}

gboolean
ward_tspi_is_tpm_code (TSS_RESULT result, UINT32 code)
{
  return (LAYER_OF (result) | CODE_OF (result)) == OF_TPM (code);
}
