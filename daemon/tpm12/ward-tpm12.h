/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-backend.h"

/* TPM 1.2, by way of tcsd. A transport is “tcsd” or “tcsd:port=NUMBER”. */
extern const WardBackend ward_tpm12_backend;
