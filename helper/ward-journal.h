/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Bounds of what is looked at and told; a line's is in bytes. */
#define WARD_JOURNAL_MAX_LINES 100
#define WARD_JOURNAL_MAX_LINE 500
#define WARD_JOURNAL_MAX_ENTRIES 100000
#define WARD_JOURNAL_MAX_SECONDS 3

/* The last lines in the journal, since the start of the machine, of tcsd and tpm2-abrmd, of systemd about these, and of
 * the kernel about TPMs; in order, such as "2026-01-31T12:00:00Z kernel: tpm_crb MSFT0101:00: …". Printable; none where
 * there is no journal. The caller's, of which g_strfreev() is to dispose. root: "", or what stands for "/" in tests.
 * Takes up to some seconds. */
GStrv ward_journal_read (const char *root);

/* The last of these lines that are the kernel's, at most max. */
GStrv ward_journal_read_kernel (const char *root, guint max);
