/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-client-ledger.h"

/* Prints all entries of a ledger on standard output, as they come. */
void ward_cli_ledger_print (GVariant *dependents);

/* Prints them in groups by what a clear does to them: lost for good, perhaps lost, not lost. */
void ward_cli_ledger_print_groups (GVariant *dependents);
