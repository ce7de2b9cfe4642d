/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-dependents.h"

#include <string.h>

#include "ward-dependents-config.h"
#include "ward-scan.h"

/* Disks first: most is lost with them, and no user can take their time away. */
static const WardScanner *const scanners[] = {
#if WARD_HAVE_CRYPTSETUP
  &ward_luks_scanner,
#endif
  &ward_pcrlock_scanner, &ward_tcsd_scanner,   &ward_credentials_scanner,
  &ward_fapi_scanner,    &ward_pkcs11_scanner, &ward_key_files_scanner,
};

static int
compare (gconstpointer a, gconstpointer b)
{
  const WardDependent *left = *(const WardDependent *const *)a;
  const WardDependent *right = *(const WardDependent *const *)b;
  int order = strcmp (left->kind, right->kind);

  if (order == 0)
    order = strcmp (left->owner, right->owner);
  return order != 0 ? order : strcmp (left->subject, right->subject);
}

GPtrArray *
ward_dependents_scan (const char *root, GError **error)
{
  g_autoptr (WardScan) scan = ward_scan_new (root, error);

  if (scan == NULL)
    return NULL;
#if !WARD_HAVE_CRYPTSETUP
  ward_scan_add_unscanned (scan, "/dev", 0, "This program was built without libcryptsetup and cannot look at disks.");
#endif
  for (guint i = 0; i < G_N_ELEMENTS (scanners); i++)
    ward_scan_run (scan, scanners[i]);
  g_ptr_array_sort (scan->found, compare);
  return g_ptr_array_ref (scan->found);
}
