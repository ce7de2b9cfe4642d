/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-inventory.h"
#include "ward-keyring.h"

/* From now on the keyring knows what lies in each of the TPMs, and thereby which keys can be used: after each look at
 * one, before the bus hears of that. What is seen of a TPM that cannot be reached for a while stays true. Once for a
 * keyring. */
void ward_keyring_follow (WardKeyring *keyring, WardInventory *inventory);
