/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib-object.h>

#include "ward-device.h"

/* Finds the TPMs that the kernel drives and follows them as they come and go, through udev. Signals, all in the main
 * context that was the thread's default when the finder was made:
 *
 *   device-added (WardDevice *device): a TPM can be reached. The device belongs to the finder: copy what is kept.
 *   device-removed (const char *name): it is gone, or a part of it without which it cannot be reached.
 *   device-changed (const char *name): something about an added device was changed, such as the owner of its node: what
 * failed before may work now.
 *
 * A name is added once before it is removed. A device that is replaced by another of the same name is removed first. */
#define WARD_TYPE_FINDER (ward_finder_get_type ())
G_DECLARE_FINAL_TYPE (WardFinder, ward_finder, WARD, FINDER, GObject)

WardFinder *ward_finder_new (void);
void ward_finder_start (WardFinder *self);
