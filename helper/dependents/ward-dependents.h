/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-dependent.h"

/* What on this machine depends on its TPM, apart from what is in the chip and in the service's own store: an array of
 * WardDependent (to be freed with g_ptr_array_unref), in the order of kind, owner and subject. It changes nothing, and
 * ends after at most some seconds. To be called as root, else what cannot be read is left out. root: "/", or the top of
 * a tree that stands for it. Fails with G_IO_ERROR when that is no folder. */
GPtrArray *ward_dependents_scan (const char *root, GError **error);
