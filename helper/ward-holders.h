/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Bounds of what the processes of a machine can make a look at them cost. */
#define WARD_HOLDERS_MAX 100
#define WARD_HOLDERS_MAX_DESCRIPTORS 2000000
#define WARD_HOLDERS_MAX_SECONDS 5

/* The processes that have a TPM's device node open, by number: aa{sv}, floating, with device s (such as "/dev/tpm0"),
 * pid u, uid u (the real one), command s (the program's name, printable), each pair of device and process once. To be
 * called as root, else only what processes of the own user hold is found. root: "", or what stands for "/" in tests.
 * Takes up to some seconds. */
GVariant *ward_holders_find (const char *root);
