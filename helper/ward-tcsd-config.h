/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-account.h"

/* What in tcsd's configuration (tcsd.conf(5)) is looked at. */
typedef enum
{
  WARD_TCSD_CONFIG_START,  /* what tcsd refuses to start with: owner and mode of the file, a port or number of threads
                              that is none */
  WARD_TCSD_CONFIG_REMOTE, /* what has it listen to other machines: remote_ops */
} WardTcsdConfigPart;

/* No file of a sane administrator's is larger, in bytes. */
#define WARD_TCSD_CONFIG_MAX_SIZE 65536

/* Puts that right in /etc/tcsd.conf; lines are commented out, so that tcsd's own value holds, and nothing else of the
 * file changes. With dry_run only tells what it would do. Returns a line for each action, the caller's; none if there
 * is nothing to do, or no such file, without which tcsd takes its own values. What cannot be repaired is a line that
 * begins with WARD_ACCESS_LEFT_ALONE. root: "", or what stands for "/" in tests. */
GStrv ward_tcsd_config_repair (const char *root, WardTcsdConfigPart part, gboolean dry_run, GError **error);

/* The same with another owner than root:tss, so that a test needs to be nobody else. */
GStrv ward_tcsd_config_repair_for (const char *root, const WardAccount *owner, WardTcsdConfigPart part,
                                   gboolean dry_run);
