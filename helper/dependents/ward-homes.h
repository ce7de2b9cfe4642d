/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-scan.h"

/* Fills in the scan's names and homes: those in /etc/passwd, then those in /home that are not in there (of users that a
 * directory server knows). Homes on network file systems are noted as unscanned. */
void ward_homes_find (WardScan *scan);

/* FALSE when there is no such folder, or it is neither its user's nor root's. */
gboolean ward_home_open (WardScan *scan, WardHome *home);
void ward_home_close (WardHome *home);
void ward_home_free (WardHome *home);
