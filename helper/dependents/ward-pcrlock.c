/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-json.h"
#include "ward-scan.h"

#define FOLDER "/var/lib/systemd"
#define NAME "pcrlock.json"
#define MAX_FILE (1024 * 1024)

static void
scan_system (WardScan *scan)
{
  g_auto (WardFd) folder = ward_scan_open_folder (scan, FOLDER);
  struct stat status;
  g_autoptr (GBytes) file = folder >= 0 ? ward_folder_read_file (folder, NAME, MAX_FILE, &status) : NULL;
  g_autoptr (JsonObject) policy = NULL;
  WardDependent *dependent;
  gint64 index;

  if (file == NULL)
    return;
  policy = ward_json_parse (g_bytes_get_data (file, NULL), g_bytes_get_size (file));
  index = policy != NULL ? ward_json_int (policy, "nvIndex", 0) : 0;
  dependent = ward_dependent_new (WARD_DEPENDENT_POLICY, FOLDER "/" NAME, 0);
  dependent->detail
      = index > 0 && index <= G_MAXUINT32
            ? g_strdup_printf ("The policy that systemd-pcrlock keeps in NV index 0x%08x, for disks and credentials "
                               "that are bound to it.",
                               (guint)index)
            : g_strdup (
                "A policy that systemd-pcrlock keeps in the TPM, for disks and credentials that are bound to it.");
  dependent->recoverable = "yes";
  dependent->reason = g_strdup (
      "“systemd-pcrlock make-policy” makes a new one; what was bound to the old must be enrolled again by "
      "another key.");
  /* The owner authorizes PolicyAuthorizeNV, in every version of systemd that has it (tpm2_policy_authorize_nv()). */
  dependent->uses_owner_empty_auth = TRUE;
  dependent->confidence = index > 0 ? "sure" : "likely";
  ward_scan_add (scan, dependent);
}

const WardScanner ward_pcrlock_scanner = { .scan_system = scan_system };
