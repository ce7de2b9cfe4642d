/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-gui-keys.h"

/* A key's properties, for people who do not know the service's words. */

/* “ECC P-256” for "ecc-p256"; what is not known stays as it is. */
const char *ward_gui_key_text_algorithm (const char *algorithm);

/* “Signs, decrypts”; a new string. */
char *ward_gui_key_text_usage (WardGuiKey *key);

/* “Password, boot state”, or that there is none; a new string. */
char *ward_gui_key_text_protection (WardGuiKey *key);

/* The registers of the boot state that the key is bound to, “Secure Boot (PCR 7, sha256)”, one on a line; empty for
 * none. A new string. */
char *ward_gui_key_text_boot_state (WardGuiKey *key);

/* “Last used 3 minutes ago”, “Never used”; a new string. */
char *ward_gui_key_text_last_use (WardGuiKey *key);

/* What is wrong with a name for a new key of that set, as a sentence, by the rules of the service: a new string, or
 * NULL for nothing. */
char *ward_gui_key_text_check_label (WardGuiKeys *keys, const char *label, gboolean is_system);
