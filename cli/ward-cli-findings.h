/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Prints one of the doctor's findings, with its repair. */
void ward_cli_finding_print (GVariant *finding);
