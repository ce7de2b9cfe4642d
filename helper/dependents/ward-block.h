/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-scan.h"

/* device: open for reading; path: as /dev/sda1; size: bytes. */
typedef void (*WardBlockFunc) (WardScan *scan, int device, const char *path, guint64 size, gpointer user_data);

/* Calls func for the block devices of /sys/class/block that have a medium, without waking those that are slow to say so
 * (floppy and optical drives). Under another root than "/" regular files in its /dev stand for devices. */
void ward_block_each (WardScan *scan, WardBlockFunc func, gpointer user_data);
