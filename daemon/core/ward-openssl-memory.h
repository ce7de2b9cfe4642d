/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Has OpenSSL wipe whatever memory it gives back: its parsers of PEM and DER leave copies of private keys behind, and
 * the library of the TPM's protocol, which computes with it, copies of auth values. Called before anything else of
 * OpenSSL's, and on one thread. FALSE when it is too late.
 *
 * At the process's end OpenSSL is then left as it is, not torn down: a thread may be ending at that moment. */
gboolean ward_openssl_wipe_memory (void);
