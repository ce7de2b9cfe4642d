/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/* What the program remembers of the person's (data/org.tpmward.Manager.gschema.xml). A new reference; NULL where the
 * schema is not installed, and so nothing is remembered. */
GSettings *ward_gui_settings_new (void);
