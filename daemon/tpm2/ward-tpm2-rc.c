/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tpm2-private.h"

#include <tss2/tss2_rc.h>

#include "ward-error.h"

#define LAYER_OF(rc) ((rc)&TSS2_RC_LAYER_MASK)
#define WITHOUT_LAYER(rc) ((rc)&0xffff)
/* What is left of a format-one code without the number of the handle, session or parameter (TPM 2.0 Library, Part
 * 2, 6.6.2). */
#define FORMAT_ONE_MASK (TPM2_RC_FMT1 | 0x3f)

/* The first pause before a TPM is asked again, and the longest, in microseconds. */
#define FIRST_PAUSE 1000
#define LONGEST_PAUSE (250 * 1000)

typedef struct
{
  TSS2_RC meaning;
  WardErrorCode code;
  const char *why; /* why and what next, in a sentence or more */
} Meaning;

/* Response codes of the TPM (TPM 2.0 Library, Part 2, 6.6.3), stripped by ward_tpm2_rc_get_meaning. Others are
 * WARD_ERROR_FAILED. */
static const Meaning meanings[] = {
  { TPM2_RC_AUTH_FAIL, WARD_ERROR_AUTHENTICATION_FAILED,
    "The authorization value is wrong, and the TPM has counted a failed try." },
  { TPM2_RC_BAD_AUTH, WARD_ERROR_AUTHENTICATION_FAILED,
    "The authorization value is wrong. The TPM does not count tries for this one." },
  { TPM2_RC_AUTH_UNAVAILABLE, WARD_ERROR_AUTHENTICATION_FAILED,
    "What was asked for cannot be authorized in this way." },
  { TPM2_RC_AUTH_MISSING, WARD_ERROR_AUTHENTICATION_FAILED, "It needs an authorization value." },
  { TPM2_RC_NV_AUTHORIZATION, WARD_ERROR_AUTHENTICATION_FAILED, "This authorization does not reach that NV index." },
  { TPM2_RC_LOCKOUT, WARD_ERROR_LOCKED_OUT,
    "After too many failed tries the TPM's protection against dictionary attacks refuses all authorization values for "
    "a "
    "while. Wait, or reset the lockout with the lockout authorization." },
  { TPM2_RC_DISABLED, WARD_ERROR_DISABLED,
    "The command is switched off. See whether the firmware setup of the machine disables the TPM." },
  { TPM2_RC_HIERARCHY, WARD_ERROR_DISABLED,
    "The hierarchy is switched off until the machine starts anew. See whether its firmware setup disables the TPM." },
  { TPM2_RC_POLICY_FAIL, WARD_ERROR_POLICY_MISMATCH,
    "The object's policy is not met: the PCRs, or what else it demands, are not what they were when it was made." },
  { TPM2_RC_PCR_CHANGED, WARD_ERROR_POLICY_MISMATCH, "The PCRs changed in the meantime. Try again." },
  { TPM2_RC_INTEGRITY, WARD_ERROR_CORRUPT,
    "What it was given is damaged, or was made by another TPM or before a clear." },
  { TPM2_RC_HANDLE, WARD_ERROR_NOT_FOUND, "There is nothing at that handle." },
  { TPM2_RC_NV_DEFINED, WARD_ERROR_EXISTS, "That NV index or persistent handle is taken." },
  { TPM2_RC_NV_SPACE, WARD_ERROR_NO_SPACE,
    "Its permanent memory is full. Undefine an NV index or evict a persistent key that is no longer needed." },
  { TPM2_RC_OBJECT_MEMORY, WARD_ERROR_NO_SPACE, "It has no room for another object. Try again once others are done." },
  { TPM2_RC_SESSION_MEMORY, WARD_ERROR_NO_SPACE,
    "It has no room for another session. Try again once others are done." },
  { TPM2_RC_MEMORY, WARD_ERROR_NO_SPACE, "It is out of memory. Try again once others are done." },
  { TPM2_RC_OBJECT_HANDLES, WARD_ERROR_NO_SPACE, "It has no handle left for another object." },
  { TPM2_RC_SESSION_HANDLES, WARD_ERROR_NO_SPACE, "It has no handle left for another session. Try again later." },
  { TPM2_RC_COMMAND_CODE, WARD_ERROR_NOT_SUPPORTED, "This TPM does not have that command." },
  { TPM2_RC_INITIALIZE, WARD_ERROR_UNREACHABLE,
    "It was reset and has not been started up since. The service does that when it next connects." },
  { TPM2_RC_FAILURE, WARD_ERROR_FAILED,
    "This can be a single command that failed, such as the decryption of damaged data, or the TPM as a whole: its test "
    "result tells which." },
  { TPM2_RC_NEEDS_TEST, WARD_ERROR_FAILED, "It wants to test this function first. Run a full self-test." },
  { TPM2_RC_TESTING, WARD_ERROR_FAILED, "It is still testing itself. Try again later." },
  { TPM2_RC_YIELDED, WARD_ERROR_FAILED, "It put the command off. Try again." },
  { TPM2_RC_RETRY, WARD_ERROR_FAILED, "It is busy. Try again." },
  { TPM2_RC_CANCELED, WARD_ERROR_FAILED, "The command was cancelled. Try again." },
  { TPM2_RC_NV_RATE, WARD_ERROR_FAILED, "It spares its permanent memory from wear. Try again later." },
  { TPM2_RC_NV_UNAVAILABLE, WARD_ERROR_FAILED,
    "Its permanent memory cannot be written at the moment. Try again later." },
  { TPM2_RC_UPGRADE, WARD_ERROR_FAILED, "An update of its firmware has not been finished. Finish it." },
  { TPM2_RC_REBOOT, WARD_ERROR_FAILED, "It must be reset. Restart the machine." },
};

/* Whether the TPM itself said so, or a resource manager in the TPM's own codes, rather than the way to it. The kernel's
 * resource manager says so in layer 11, where tpm2-abrmd has the TSS's codes, which are all below those of a TPM. */
gboolean
ward_tpm2_rc_is_from_tpm (TSS2_RC rc)
{
  TSS2_RC layer = LAYER_OF (rc);

  return layer == TSS2_TPM_RC_LAYER || layer == TSS2_RESMGR_TPM_RC_LAYER
         || (layer == TSS2_RESMGR_RC_LAYER && WITHOUT_LAYER (rc) >= TPM2_RC_FMT1);
}

/* The TPM2_RC_ constant of a code that comes from the TPM, whichever handle, session or parameter it is about; others
 * unchanged. */
TSS2_RC
ward_tpm2_rc_get_meaning (TSS2_RC rc)
{
  if (!ward_tpm2_rc_is_from_tpm (rc))
    return rc;
  rc = WITHOUT_LAYER (rc);
  return rc & TPM2_RC_FMT1 ? rc & FORMAT_ONE_MASK : rc;
}

/* Whether a key or a session that the command names is not in the TPM any more: the TPM looks for them first of all,
 * and has done nothing (TPM 2.0 Library, Part 3, 5.4). */
gboolean
ward_tpm2_rc_is_lost (TSS2_RC rc)
{
  TSS2_RC meaning = ward_tpm2_rc_get_meaning (rc);

  return ward_tpm2_rc_is_from_tpm (rc)
         && (meaning == TPM2_RC_HANDLE || (meaning >= TPM2_RC_REFERENCE_H0 && meaning <= TPM2_RC_REFERENCE_H6)
             || (meaning >= TPM2_RC_REFERENCE_S0 && meaning <= TPM2_RC_REFERENCE_S6));
}

/* The code in hex and in words: "0x00000101, tpm:error(2.0): …". */
char *
ward_tpm2_rc_to_string (TSS2_RC rc)
{
  return g_strdup_printf ("0x%x, %s", rc, Tss2_RC_Decode (rc));
}

/* After these the other end is gone, or what it sends no longer fits what it was asked: only a new connection helps. */
static gboolean
is_broken_connection (TSS2_RC rc)
{
  if (ward_tpm2_rc_is_from_tpm (rc))
    return FALSE;
  if (LAYER_OF (rc) == TSS2_TCTI_RC_LAYER)
    return TRUE;
  switch (WITHOUT_LAYER (rc))
    {
    case TSS2_BASE_RC_NO_CONNECTION:
    case TSS2_BASE_RC_TRY_AGAIN:
    case TSS2_BASE_RC_IO_ERROR:
    case TSS2_BASE_RC_NO_TPM:
    case TSS2_BASE_RC_BAD_SEQUENCE:
    case TSS2_BASE_RC_MALFORMED_RESPONSE:
    case TSS2_BASE_RC_INSUFFICIENT_RESPONSE:
    case TSS2_BASE_RC_RSP_AUTH_FAILED:
      return TRUE;
    default:
      return FALSE;
    }
}

/* Sets an error of WARD_ERROR for a response code other than success, from whichever layer below. what: what failed, as
 * the beginning of a sentence: "The TPM could not …". */
void
ward_tpm2_set_error (GError **error, WardConnection *connection, TSS2_RC rc, const char *what)
{
  g_autofree char *words = ward_tpm2_rc_to_string (rc);
  TSS2_RC meaning = ward_tpm2_rc_get_meaning (rc);

  if (is_broken_connection (rc))
    {
      g_autofree char *why = ward_tpm2_transport_explain (connection->transport);

      g_set_error (error, WARD_ERROR, WARD_ERROR_UNREACHABLE, "%s (%s). %s", what, words, why);
      return;
    }
  if (ward_tpm2_rc_is_from_tpm (rc))
    for (guint i = 0; i < G_N_ELEMENTS (meanings); i++)
      if (meanings[i].meaning == meaning)
        {
          g_set_error (error, WARD_ERROR, meanings[i].code, "%s (%s). %s", what, words, meanings[i].why);
          return;
        }
  g_set_error (error, WARD_ERROR, WARD_ERROR_FAILED, "%s (%s).", what, words);
}

/* Whether the TPM lacks room for what the command loads or makes, or can save no more sessions before an old one goes
 * (TPM 2.0 Library, Part 1, 30.5). */
static gboolean
is_shortage (TSS2_RC meaning)
{
  return meaning == TPM2_RC_OBJECT_MEMORY || meaning == TPM2_RC_SESSION_MEMORY || meaning == TPM2_RC_CONTEXT_GAP
         || meaning == TPM2_RC_OBJECT_HANDLES || meaning == TPM2_RC_SESSION_HANDLES || meaning == TPM2_RC_MEMORY;
}

/* Whether the command is to be sent once more: the TPM lacked room and has got some, as what was kept in it has gone;
 * or it is testing itself or busy, and a pause has passed when this returns. ESYS sends such a command five times
 * without any pause, which is too hasty for a chip (TPM 2.0 Library, Part 1, 39.4). */
gboolean
ward_tpm2_wait_again (WardConnection *connection, WardTpm2Wait *wait, TSS2_RC rc)
{
  TSS2_RC meaning = ward_tpm2_rc_get_meaning (rc);
  gint64 now = g_get_monotonic_time ();

  if (rc == TSS2_RC_SUCCESS)
    return FALSE;
  if (is_shortage (meaning))
    return connection->cache != NULL && ward_tpm2_cache_yield (connection->cache);
  if (meaning != TPM2_RC_TESTING && meaning != TPM2_RC_RETRY && meaning != TPM2_RC_YIELDED)
    return FALSE;
  if (wait->deadline == 0)
    {
      wait->deadline = now + connection->patience;
      wait->pause = FIRST_PAUSE;
    }
  if (now >= wait->deadline)
    return FALSE;
  g_usleep (wait->pause);
  wait->pause = MIN (wait->pause * 2, LONGEST_PAUSE);
  return TRUE;
}
