/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* The TCG's Physical Presence Interface (TCG PC Client Platform Physical Presence Interface Specification 1.30), by
 * which an operating system asks the firmware for an operation at the next restart. Linux shows it in
 * /sys/class/tpm/NAME/ppi (Documentation/ABI/testing/sysfs-driver-ppi). Reading may run methods of the firmware, so it
 * is not for a main thread. */

/* What the firmware would do at the restart with a request. */
typedef enum
{
  WARD_PRESENCE_NONE,      /* it takes none */
  WARD_PRESENCE_PROMPT,    /* ask who is at the machine */
  WARD_PRESENCE_IMMEDIATE, /* do it without asking */
} WardPresence;

typedef struct
{
  WardPresence clear;      /* what would be done with a request to clear */
  guint32 clear_operation; /* by which to ask: 5; on a TPM 1.2 22, else 14; 0 if there is none */
  gboolean clear_pending;  /* an operation that clears waits for the restart */
  char *response; /* what the firmware says of the last request after the restart, in sentences; NULL if there was none
                   */
  gboolean response_is_failure;
} WardPresenceState;

/* "none", "prompt" or "immediate". */
const char *ward_presence_to_string (WardPresence presence);

/* Whether it is a name that Linux gives to a TPM: "tpm" and up to four digits. */
gboolean ward_presence_is_tpm_name (const char *name);

/* Opens a file of the interface of a TPM, such as "request". A descriptor of the caller's; -1 with errno set if it
 * cannot be opened: EINVAL for what is no name of a TPM, ENOENT where there is no interface. root: "", or what stands
 * for "/" in tests. */
int ward_presence_open (const char *root, const char *tpm, const char *file, int flags);

/* The operation that waits for the restart, 0 if none does or it cannot be told. */
guint32 ward_presence_read_pending (const char *root, const char *tpm);

/* Whether the operation clears the TPM: 5, 14, 21 and 22 (23 and 24 do other things beside). */
gboolean ward_presence_operation_clears (guint32 operation);

/* All of it. Where there is no such TPM or its firmware has no such interface, nothing is offered or pending. Never
 * NULL; the caller's. */
WardPresenceState *ward_presence_read (const char *root, const char *tpm);
void ward_presence_state_free (WardPresenceState *state);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardPresenceState, ward_presence_state_free)
