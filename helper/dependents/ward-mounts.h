/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Which file systems lie where. A server that is gone, or a user's own file system program, can keep whoever touches
 * its files waiting for ever; so they are known before they are touched. */
typedef struct _WardMounts WardMounts;

/* mountinfo: text as of /proc/self/mountinfo; NULL when unknown, then nothing is remote. */
WardMounts *ward_mounts_new (const char *mountinfo);
void ward_mounts_free (WardMounts *mounts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardMounts, ward_mounts_free)

/* Whether the absolute path lies on a file system that some program or machine must answer for. */
gboolean ward_mounts_is_remote (const WardMounts *mounts, const char *path);
