/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-key-pair.h"

#define WARD_KEY_OPENSSH_LABEL "OPENSSH PRIVATE KEY"

/* A private key in OpenSSH's own format (its PROTOCOL.key), which OpenSSL does not read: the inside of its PEM. Fails
 * with WARD_ERROR_INVALID_ARGUMENT when it is damaged, and WARD_ERROR_NOT_SUPPORTED when it is encrypted, or of a kind
 * that TPMs do not take. */
WardKeyPair *ward_key_openssh_parse (WardSecret *data, GError **error);
