/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "ward-error.h"
#include "ward-tpm2-private.h"

/* A software TPM of the test's own, on a socket in a folder of its own. */
typedef struct
{
  char *folder;
  char *transport;
  GSubprocess *process;
} Swtpm;

/* NULL, and the test skipped, on a machine without swtpm. started: whether TPM2_Startup has been done. */
Swtpm *swtpm_new (gboolean started);
void swtpm_kill (Swtpm *swtpm);
/* As if the machine were switched off and on: TPM2_Startup has yet to be done. */
void swtpm_reset (Swtpm *swtpm);
void swtpm_free (Swtpm *swtpm);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Swtpm, swtpm_free)
WardConnection *swtpm_connect (Swtpm *swtpm);

/* What a TPM sends, being put together. */
typedef GByteArray Reply;

Reply *reply_new (TPM2_RC rc);
void reply_u8 (Reply *reply, guint8 value);
void reply_u16 (Reply *reply, guint16 value);
void reply_u32 (Reply *reply, guint32 value);
void reply_bytes (Reply *reply, const void *bytes, gsize size);

/* A number in a command or reply, big-endian. */
guint32 read_u16 (const guint8 *bytes);
guint32 read_u32 (const guint8 *bytes);

typedef struct _Middleman Middleman;

/* What a middleman answers to a command in the TPM's place; NULL to pass it on. */
typedef Reply *(*AnswerFunc) (Middleman *middleman, guint32 command, const guint8 *bytes, gsize size);
/* What it makes of the TPM's own answer. */
typedef void (*ChangeFunc) (Middleman *middleman, guint32 command, GByteArray *reply);

/* A TCTI that sits between ESYS and a TPM, or in a TPM's place. */
struct _Middleman
{
  TSS2_TCTI_CONTEXT_COMMON_V2 common; /* first, as ESYS sees it */
  TSS2_TCTI_CONTEXT *tpm;             /* NULL when there is none behind */
  AnswerFunc answer;
  ChangeFunc change;
  gboolean broken; /* from now on the transport fails */
  guint seen;      /* for the functions' own use */
  guint limit;
  GByteArray *pending;
  guint32 command;
};

/* transport: of the TPM behind, or NULL for none. */
Middleman *middleman_new (const char *transport);
void middleman_free (Middleman *middleman);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Middleman, middleman_free)

/* A connection through it: to what is taken for a resource manager, or for what that transport says. */
WardConnection *middleman_connect (Middleman *middleman);
WardConnection *middleman_connect_as (Middleman *middleman, const char *transport);

/* No transient object and no session is in the TPM but those that the connection keeps. */
void assert_nothing_left (WardConnection *connection);

#define assert_message_contains(error, part) g_assert_nonnull (strstr ((error)->message, part))
