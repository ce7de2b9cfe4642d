/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* text as the beginning of a line: its first letter is a capital one. A new string. */
char *ward_gui_text_capitalize (const char *text);
