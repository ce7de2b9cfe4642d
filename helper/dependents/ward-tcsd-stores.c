/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "ward-scan.h"

/* TrouSerS' file of keys begins with a version, 0 or 1, and from 1 on a little-endian number of keys. */
#define HEADER_SIZE 5

static void
scan_file (WardScan *scan, int folder, const char *path, const char *name, guint32 uid)
{
  struct stat status;
  g_autoptr (GBytes) file = ward_folder_read_file (folder, name, HEADER_SIZE, &status);
  g_autofree char *subject = g_build_filename (path, name, NULL);
  WardDependent *dependent;
  guint32 n = 0;
  const guint8 *bytes;
  gsize size;

  if (file == NULL)
    return;
  bytes = g_bytes_get_data (file, &size);
  if (size < HEADER_SIZE)
    return;
  memcpy (&n, bytes + 1, sizeof (n));
  n = GUINT32_FROM_LE (n);
  if (bytes[0] == 1 && n == 0)
    return;
  dependent = ward_dependent_new (WARD_DEPENDENT_KEY_STORE, subject, uid);
  dependent->detail = bytes[0] == 1 ? g_strdup_printf (
                          "Keys of programs that use a TPM 1.2 through TrouSerS: %u, the storage root "
                          "key included.",
                          n)
                                    : g_strdup ("Keys of programs that use a TPM 1.2 through TrouSerS.");
  dependent->recoverable = "no";
  dependent->reason = g_strdup ("They are wrapped by the storage root key of a TPM 1.2, which a clear destroys.");
  dependent->confidence = bytes[0] == 1 ? "sure" : "likely";
  ward_scan_add (scan, dependent);
}

static void
scan_system (WardScan *scan)
{
  g_auto (WardFd) folder = ward_scan_open_folder (scan, "/var/lib/tpm");

  if (folder >= 0)
    scan_file (scan, folder, "/var/lib/tpm", "system.data", 0);
}

static void
scan_home (WardScan *scan, const WardHome *home)
{
  g_autofree char *path = NULL;
  g_auto (WardFd) folder = ward_scan_open_in_home (scan, home, ".trousers", &path);

  if (folder >= 0)
    scan_file (scan, folder, path, "user.data", home->uid);
}

const WardScanner ward_tcsd_scanner = { scan_system, scan_home };
