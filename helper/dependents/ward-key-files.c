/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-scan.h"
#include "ward-tss2-pem.h"

/* The largest wrapped key takes some 3 KiB, with its public half and comments some more. */
#define MAX_FILE (64 * 1024)

static const char *const folders[] = {
  "/etc/ssh", "/etc/ssl/private", "/etc/pki/tls/private", "/etc/ipsec.d/private", "/etc/swanctl/private",
};

static const char *
describe_parent (guint32 parent)
{
  switch (parent)
    {
    case WARD_PARENT_OWNER:
      return " Its parent is made anew from the owner hierarchy at each use, which needs that hierarchy's auth value.";
    case WARD_PARENT_ENDORSEMENT:
      return " Its parent is made anew from the endorsement hierarchy at each use, which needs that hierarchy's auth "
             "value.";
    case WARD_PARENT_NULL:
      return " Its parent is of the null hierarchy and does not outlast a restart of the machine.";
    case WARD_PARENT_PLATFORM:
      return " Its parent is of the platform hierarchy.";
    default:
      return "";
    }
}

static void
fill_in (WardDependent *dependent, WardPem pem, guint32 parent)
{
  const char *what = pem == WARD_PEM_TSS2_DATA ? "Data sealed by the TPM"
                     : pem == WARD_PEM_TSS1    ? "A private key wrapped by a TPM 1.2"
                                               : "A private key wrapped by the TPM";
  g_autofree char *handle = parent != 0 ? g_strdup_printf (" (parent 0x%08x)", parent) : g_strdup ("");

  dependent->detail = g_strdup_printf ("%s%s.%s", what, handle, describe_parent (parent));
  dependent->uses_owner_empty_auth = parent == WARD_PARENT_OWNER;
  dependent->uses_endorsement_empty_auth = parent == WARD_PARENT_ENDORSEMENT;
  if (parent == WARD_PARENT_PLATFORM)
    {
      dependent->recoverable = "yes";
      dependent->reason = g_strdup ("A clear leaves the platform hierarchy as it is.");
      return;
    }
  dependent->recoverable = "no";
  dependent->reason = g_strdup (
      "A clear replaces the key that it is wrapped with. Only if it was made outside of the TPM "
      "and imported may there be a copy.");
}

static void
visit (WardScan *scan, int folder, const char *path, const char *name, guint32 uid, gpointer user_data)
{
  struct stat status;
  g_autoptr (GBytes) file = ward_folder_read_file (folder, name, MAX_FILE, &status);
  g_autofree char *subject = NULL;
  WardDependent *dependent;
  const char *text;
  gsize length;
  guint32 parent;
  WardPem pem;

  if (file == NULL || status.st_size > MAX_FILE)
    return;
  text = g_bytes_get_data (file, &length);
  pem = length > 0 ? ward_tss2_pem_read (text, length, &parent) : WARD_PEM_OTHER;
  if (pem == WARD_PEM_OTHER)
    return;
  subject = g_build_filename (path, name, NULL);
  dependent = ward_dependent_new (pem == WARD_PEM_TSS2_DATA ? WARD_DEPENDENT_SEALED_DATA : WARD_DEPENDENT_KEY, subject,
                                  uid);
  fill_in (dependent, pem, parent);
  /* Its block cannot be read, or it is of a chip of another family, which may be gone. */
  if (parent == 0)
    dependent->confidence = "likely";
  ward_scan_add (scan, dependent);
}

static void
scan_system (WardScan *scan)
{
  for (guint i = 0; i < G_N_ELEMENTS (folders); i++)
    ward_scan_each_in_folder (scan, folders[i], visit);
}

static void
scan_home (WardScan *scan, const WardHome *home)
{
  ward_scan_each_in_home (scan, home, ".ssh", visit);
}

const WardScanner ward_key_files_scanner = { scan_system, scan_home };
