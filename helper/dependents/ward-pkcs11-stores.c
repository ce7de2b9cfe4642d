/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-scan.h"

#define DATABASE "tpm2_pkcs11.sqlite3"
/* The database is not read as one. Its description of each parent, YAML, stands in there as it is. */
#define MAX_READ (1024 * 1024)
#define TRANSIENT "\"transient\"\\s*:\\s*!!bool \"true\""

static gboolean
has_transient_parent (GBytes *file)
{
  g_autoptr (GRegex) regex = g_regex_new (TRANSIENT, G_REGEX_RAW, 0, NULL);
  gsize size;
  const char *bytes = g_bytes_get_data (file, &size);

  return size > 0 && g_regex_match_full (regex, bytes, (gssize)size, 0, 0, NULL, NULL);
}

static void
scan_folder (WardScan *scan, int folder, const char *path, guint32 uid)
{
  struct stat status;
  g_autoptr (GBytes) file = ward_folder_read_file (folder, DATABASE, MAX_READ, &status);
  g_autofree char *subject = NULL;
  WardDependent *dependent;

  if (file == NULL || status.st_size == 0)
    return;
  subject = g_build_filename (path, DATABASE, NULL);
  dependent = ward_dependent_new (WARD_DEPENDENT_KEY_STORE, subject, uid);
  dependent->detail = g_strdup_printf ("A token store of tpm2-pkcs11 (%" G_GINT64_FORMAT
                                       " bytes): its keys are wrapped by the TPM.",
                                       (gint64)status.st_size);
  dependent->recoverable = "no";
  dependent->reason = g_strdup (
      "A clear replaces the key that they are wrapped with. Only keys that were made outside of "
      "the TPM and imported may have a copy.");
  dependent->uses_owner_empty_auth = has_transient_parent (file);
  dependent->confidence = "likely"; /* it may be empty */
  ward_scan_add (scan, dependent);
}

static void
scan_system (WardScan *scan)
{
  g_auto (WardFd) folder = ward_scan_open_folder (scan, "/etc/tpm2_pkcs11");

  if (folder >= 0)
    scan_folder (scan, folder, "/etc/tpm2_pkcs11", 0);
}

static void
scan_home (WardScan *scan, const WardHome *home)
{
  g_autofree char *path = NULL;
  g_auto (WardFd) folder = ward_scan_open_in_home (scan, home, ".tpm2_pkcs11", &path);

  if (folder >= 0)
    scan_folder (scan, folder, path, home->uid);
}

const WardScanner ward_pkcs11_scanner = { scan_system, scan_home };
