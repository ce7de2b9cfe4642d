/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <sys/types.h>

#include "ward-access.h"

/* Stands for tss: a user that no machine has, so that lines show its number. */
#define TSS_UID 64321
#define TSS "64321:64321"

/* A machine of the test's own: below root an empty /dev, /sys and /var/lib/tpm, which is as it should be. */
typedef struct
{
  char *root;
  GPtrArray *actions; /* of the last repair */
} Machine;

/* Adds a test with a machine; skipped where the tests do not run as root. */
void machine_add_test (const char *path, void (*run) (Machine *machine));

char *machine_path (Machine *machine, const char *path);

/* What is made bears this owner and mode. */
void machine_make_file (Machine *machine, const char *path, uid_t uid, gid_t gid, mode_t mode);
void machine_make_folder (Machine *machine, const char *path, uid_t uid, gid_t gid, mode_t mode);
void machine_make_symlink (Machine *machine, const char *path, const char *target);
void machine_write (Machine *machine, const char *path, const char *text);

/* Owner and mode, as "0:64321 0600". */
void machine_assert_is (Machine *machine, const char *path, const char *state);

/* Repairs. The lines that it returns are these, and no others. */
void machine_assert_repair (Machine *machine, gboolean dry_run, const char *lines);
void machine_repair (Machine *machine, gboolean dry_run);
gboolean machine_said (Machine *machine, const char *line);
