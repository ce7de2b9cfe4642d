/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* How often ESYS was given the one OpenSSL library context instead of a new one. */
guint ward_esys_openssl_get_count (void);
