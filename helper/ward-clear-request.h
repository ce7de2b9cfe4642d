/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Asks the firmware to clear a TPM at the next restart, and sees to it that it will. tpm: the kernel's name of it.
 * root:
 * "", or what stands for "/" in tests. Returns the operation of the Physical Presence Interface that was asked for (5;
 * on a TPM 1.2 22, else 14), 0 on error. Fails with WARD_ERROR_INVALID_ARGUMENT for what is no such name, NOT_FOUND if
 * there is no such TPM, NOT_SUPPORTED if its firmware takes no such request, BUSY if it has been asked for something
 * else that waits for the restart, or the TPM has appeared after the helper was started, FAILED if it does not take
 * this one. */
guint32 ward_clear_request_make (const char *root, const char *tpm, GError **error);

/* Withdraws a request that waits for the restart, if it is one to clear. Fails as above, and with NOT_FOUND if none
 * waits. */
gboolean ward_clear_request_withdraw (const char *root, const char *tpm, GError **error);
