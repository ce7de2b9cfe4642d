/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <adwaita.h>

/* A row for a publicly known fault of a chip, as in Tpm.Advisories (a{sv}), with a link to its source. */
GtkWidget *ward_gui_advisory_row_new (GVariant *advisory);
