/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tpm2.h"

const WardBackend ward_tpm2_backend = {
  .family = "2.0",
};
