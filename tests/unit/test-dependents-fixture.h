/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "test-tpm2-fixture.h"
#include "ward-dependents.h"

/* A folder that stands for the root of a machine's file system. */
typedef struct
{
  char *path;
} Tree;

Tree *tree_new (void);
void tree_free (Tree *tree);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Tree, tree_free)

/* Where something in the tree really is. path: as seen from its root. Folders above it are made. */
char *tree_path (Tree *tree, const char *path);
void tree_write (Tree *tree, const char *path, const void *bytes, gssize size);
void tree_write_text (Tree *tree, const char *path, const char *text);
void tree_make_folder (Tree *tree, const char *path);
void tree_link (Tree *tree, const char *target, const char *path);
/* Without root all users have the tester's uid. */
guint32 tree_add_user (Tree *tree, const char *name, guint32 uid);
/* Makes the file at that place, of which the real path is given, a block device of the machine. */
void tree_add_disk (Tree *tree, const char *name);

/* All that is found in it, which must not take longer than a search may. */
GPtrArray *tree_scan (Tree *tree);
/* The same, with what could not be looked at left out. */
GPtrArray *tree_scan_dependents (Tree *tree);

/* The one found at that path, or NULL. */
const WardDependent *find_dependent (GPtrArray *found, const char *subject);
/* How many there are of a kind. */
guint count_kind (GPtrArray *found, const char *kind);

/* FALSE, and the test skipped, when one of the programs, with spaces in between, is not installed. */
gboolean have_programs (const char *names);
/* Runs a program, in the shell's words, with folder, if not NULL, as its current one, and with the software TPM, if not
 * NULL, as the one that all tools use. It must succeed. */
void run (Swtpm *swtpm, const char *folder, const char *command_line);

#define assert_contains(text, part) g_assert_nonnull (strstr ((text), (part)))
