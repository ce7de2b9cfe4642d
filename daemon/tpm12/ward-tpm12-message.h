/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "ward-secret.h"

/* What the service and tpmward-tspi, its companion that alone speaks to tcsd, say to each other: one packet each of a
 * socket of type SOCK_SEQPACKET. */

/* What the companion is asked for, each with the types of what it is given and of what it answers (see
 * ward-tspi.h). */
typedef enum
{
  WARD_TPM12_IDENTIFY,
  WARD_TPM12_PROBE,
  WARD_TPM12_GET_PROPERTIES,
  WARD_TPM12_GET_RANDOM,
  WARD_TPM12_SELF_TEST,
  WARD_TPM12_GET_TEST_RESULT,
  WARD_TPM12_READ_PCRS,
  WARD_TPM12_READ_OWNERSHIP,
  WARD_TPM12_TAKE_OWNERSHIP,
  WARD_TPM12_CHANGE_AUTH,
  WARD_TPM12_RESET_LOCKOUT,
  WARD_TPM12_CLEAR,
  WARD_TPM12_SET_FLAG,
  WARD_TPM12_CREATE_KEY,
  WARD_TPM12_IMPORT_KEY,
  WARD_TPM12_LOAD_KEY,
  WARD_TPM12_SIGN,
  WARD_TPM12_DECRYPT,
  WARD_TPM12_CHANGE_KEY_AUTH,
  WARD_TPM12_SEAL,
  WARD_TPM12_SEAL_FOR_TPM_TOOLS,
  WARD_TPM12_UNSEAL,
  WARD_TPM12_LIST_NV,
  WARD_TPM12_DEFINE_NV,
  WARD_TPM12_UNDEFINE_NV,
  WARD_TPM12_READ_NV,
  WARD_TPM12_WRITE_NV,
  WARD_TPM12_N_ACTS,
} WardTpm12Act;

/* What the companion answers. */
typedef enum
{
  WARD_TPM12_CONNECTED, /* tcsd answers; the answer proper follows */
  WARD_TPM12_DONE,
  WARD_TPM12_REFUSED, /* (us): a WardErrorCode and its message */
} WardTpm12Answer;

#define WARD_TPM12_MAX_SECRETS 4
/* Bytes of a body, and of all secrets of a message. */
#define WARD_TPM12_MAX_SIZE (64 * 1024)
/* Bytes of NV that go to the chip at once: tcsd's memory for a command ends at 2048, and a longer read kills it. */
#define WARD_TPM12_NV_PART 1024u

typedef struct
{
  guint32 kind;                                /* a WardTpm12Act or WardTpm12Answer */
  GVariant *body;                              /* never NULL */
  WardSecret *secrets[WARD_TPM12_MAX_SECRETS]; /* or NULL; never part of the body */
} WardTpm12Message;

/* body: sunk. */
WardTpm12Message *ward_tpm12_message_new (guint32 kind, GVariant *body);
void ward_tpm12_message_free (WardTpm12Message *message);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardTpm12Message, ward_tpm12_message_free)

/* Fails with a GIOError; G_IO_ERROR_CLOSED when the other side is gone. */
gboolean ward_tpm12_message_send (const WardTpm12Message *message, int socket, GError **error);
/* patience: microseconds, or -1 to wait without limit. Likewise; G_IO_ERROR_TIMED_OUT, and G_IO_ERROR_INVALID_DATA for
 * what is no message. */
WardTpm12Message *ward_tpm12_message_receive (int socket, gint64 patience, GError **error);
