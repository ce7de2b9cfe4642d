/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-backend.h"

/* TPM 2.0 through tpm2-tss's ESYS and any TCTI. */
extern const WardBackend ward_tpm2_backend;
