/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Trees that stand for a machine's file system. */

/* Makes one file below root: PATH (a folder if it ends in "/"), PATH=TEXT or PATH>LINK. In TEXT \1 stands for NUL,
 * which a device tree's strings end with. */
void test_tree_add (const char *root, const char *file);

/* Removes it with all that is in it. */
void test_tree_remove (const char *path);
