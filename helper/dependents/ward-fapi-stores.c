/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <string.h>

#include "ward-json.h"
#include "ward-scan.h"

/* A keystore is a tree of folders that are named as FAPI's paths are, PROFILE/HS/SRK/KEY, each object in a file
 * object.json in its own (TSS 2.0 Feature API, section 4). */
#define SYSTEM_STORE "/var/lib/tpm2-tss/system/keystore"
#define USER_STORE ".local/share/tpm2-tss/user/keystore"
#define OBJECT "object.json"
#define MAX_OBJECT (256 * 1024)
#define MAX_DEPTH 8

typedef struct
{
  guint n;              /* objects below the hierarchies */
  guint depth;          /* of the walk */
  gboolean endorsement; /* keys below the endorsement key */
  gboolean transient_srk;
  gboolean transient_ek;
} Store;

/* Whether a primary key is made anew at each use. FALSE when there is none. */
static gboolean
is_transient (int folder, const char *path)
{
  struct stat status;
  g_autoptr (GBytes) file = ward_folder_read_file (folder, path, MAX_OBJECT, &status);
  g_autoptr (JsonObject) object = NULL;

  if (file == NULL)
    return FALSE;
  object = ward_json_parse (g_bytes_get_data (file, NULL), g_bytes_get_size (file));
  return object != NULL && ward_json_int (object, "persistent_handle", -1) == 0;
}

static void
visit (WardScan *scan, int folder, const char *path, const char *name, guint32 uid, gpointer user_data)
{
  Store *store = user_data;
  g_autofree char *below = g_build_filename (path, name, NULL);
  g_auto (WardFd) next = -1;

  /* Depth 0 are profiles, 1 hierarchies, 2 what is in them: the primary keys, keys below in 3. */
  if (strcmp (name, OBJECT) == 0 && store->depth >= 3)
    {
      store->n++;
      store->endorsement = store->endorsement || (store->depth >= 4 && strstr (path, "/HE/EK/") != NULL);
    }
  if (strcmp (name, OBJECT) == 0 || store->depth == MAX_DEPTH)
    return;
  next = ward_folder_open_beneath (folder, name, O_RDONLY | O_DIRECTORY | O_NONBLOCK);
  if (next < 0)
    return;
  if (store->depth == 0)
    {
      store->transient_srk = store->transient_srk || is_transient (next, "HS/SRK/" OBJECT);
      store->transient_ek = store->transient_ek || is_transient (next, "HE/EK/" OBJECT);
    }
  store->depth++;
  ward_scan_each_entry (scan, next, below, uid, visit, store);
  store->depth--;
}

/* parents: of the system's store, where the parents of users' keys are too. */
static void
add_store (WardScan *scan, const char *path, guint32 uid, const Store *store, const Store *parents)
{
  WardDependent *dependent;

  if (store->n == 0)
    return;
  dependent = ward_dependent_new (WARD_DEPENDENT_KEY_STORE, path, uid);
  dependent->detail = g_strdup_printf ("A keystore of the TPM's Feature API (FAPI) with %u object%s.", store->n,
                                       store->n == 1 ? "" : "s");
  dependent->recoverable = "no";
  dependent->reason = g_strdup (
      "Its keys and NV indices are of this TPM. After a clear it must be emptied and provisioned again.");
  dependent->uses_owner_empty_auth = parents->transient_srk;
  dependent->uses_endorsement_empty_auth = store->endorsement && parents->transient_ek;
  dependent->confidence = "likely"; /* its profile may say otherwise */
  ward_scan_add (scan, dependent);
}

static void
read_system_store (WardScan *scan, Store *store)
{
  g_auto (WardFd) folder = ward_scan_open_folder (scan, SYSTEM_STORE);

  if (folder >= 0)
    ward_scan_each_entry (scan, folder, SYSTEM_STORE, 0, visit, store);
}

static void
scan_system (WardScan *scan)
{
  Store store = { 0 };

  read_system_store (scan, &store);
  add_store (scan, SYSTEM_STORE, 0, &store, &store);
}

static void
scan_home (WardScan *scan, const WardHome *home)
{
  g_autofree char *path = NULL;
  g_auto (WardFd) folder = ward_scan_open_in_home (scan, home, USER_STORE, &path);
  Store store = { 0 }, parents = { 0 };

  if (folder < 0)
    return;
  ward_scan_each_entry (scan, folder, path, home->uid, visit, &store);
  if (store.n > 0)
    read_system_store (scan, &parents);
  add_store (scan, path, home->uid, &store, &parents);
}

const WardScanner ward_fapi_scanner = { scan_system, scan_home };
