/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <libcryptsetup.h>

#include "ward-luks-slots.h"

/* Takes in what clevis has stored in a LUKS1 volume, which has no tokens, by luksmeta(8): behind the last key slot.
 * fd: of the header that device was loaded from. */
void ward_luksmeta_read (int fd, struct crypt_device *device, WardLuksSlots *slots);
