/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-dependent.h"
#include "ward-folder.h"
#include "ward-mounts.h"

/* One search for what depends on the TPM: what has been found, and how much may still be looked at. It runs as root
 * over what any user has put there, so each scanner opens by descriptor, follows no link of a user's, and is bounded in
 * number and time. On one thread. */
typedef struct
{
  int root;            /* "/", or a tree that a test has made */
  gboolean is_real;    /* the former */
  gint64 deadline;     /* of the monotonic clock */
  gboolean late;       /* said already that there was no time for all */
  GPtrArray *found;    /* of WardDependent */
  GHashTable *per_uid; /* how many are found of each */
  GHashTable *names;   /* uid to user name, from /etc/passwd */
  GPtrArray *homes;    /* of WardHome */
  WardMounts *mounts;
  guint entries_left; /* that the scanner at work may still look at in this place */
} WardScan;

/* A user's home, open while it is searched. */
typedef struct
{
  char *path;
  guint32 uid;
  int folder;
} WardHome;

/* What a scanner looks through: the system's places, and then each home. Either may be NULL. */
typedef struct
{
  void (*scan_system) (WardScan *scan);
  void (*scan_home) (WardScan *scan, const WardHome *home);
} WardScanner;

extern const WardScanner ward_luks_scanner;
extern const WardScanner ward_credentials_scanner;
extern const WardScanner ward_key_files_scanner;
extern const WardScanner ward_pkcs11_scanner;
extern const WardScanner ward_fapi_scanner;
extern const WardScanner ward_tcsd_scanner;
extern const WardScanner ward_pcrlock_scanner;

/* How long one scan may take, in microseconds, and how much may be found of one user. */
#define WARD_SCAN_TIME (10 * G_USEC_PER_SEC)
#define WARD_SCAN_MAX_PER_UID 256
/* Entries of folders that one scanner looks at in one home, and in the system. */
#define WARD_SCAN_MAX_ENTRIES 4096
#define WARD_SCAN_MAX_SYSTEM_ENTRIES 65536

/* Fails with G_IO_ERROR when root is no folder. */
WardScan *ward_scan_new (const char *root, GError **error);
void ward_scan_free (WardScan *scan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardScan, ward_scan_free)

/* Runs a scanner over the system and over all homes. */
void ward_scan_run (WardScan *scan, const WardScanner *scanner);

/* Takes the dependent, and names its owner. */
void ward_scan_add (WardScan *scan, WardDependent *dependent);
/* Notes that what is at that path was not, or not wholly, looked at; why is a sentence. */
void ward_scan_add_unscanned (WardScan *scan, const char *path, guint32 uid, const char *why);

/* The same of what could not be opened, by its errno: what is not there holds nothing, of all else nobody knows that.
 */
void ward_scan_note_failure (WardScan *scan, const char *path, guint32 uid, int number);

/* FALSE once the time is over, which it notes. */
gboolean ward_scan_is_in_time (WardScan *scan);

/* The system's folder of that absolute path, or -1. Links on the way there are root's own and are followed, within the
 * root; the last part may not be one. Nothing on a network file system is opened: it is noted as unscanned, as is what
 * is there and cannot be opened. */
int ward_scan_open_folder (WardScan *scan, const char *path);

/* The folder at that path in the home, or -1. Where a link or another file system is in the way, which are a user's to
 * choose, that is noted as unscanned. path: set to the folder's absolute one. */
int ward_scan_open_in_home (WardScan *scan, const WardHome *home, const char *name, char **path);

/* name: of an entry of the folder open at folder, whose path is path. */
typedef void (*WardEntryFunc) (WardScan *scan, int folder, const char *path, const char *name, guint32 uid,
                               gpointer user_data);

/* Calls func for the folder's entries, hidden ones too, in no order, until entries_left are used up. */
void ward_scan_each_entry (WardScan *scan, int folder, const char *path, guint32 uid, WardEntryFunc func,
                           gpointer user_data);

/* The same for the system's folder of that absolute path, and for that in the home, if it is there; without user_data.
 */
void ward_scan_each_in_folder (WardScan *scan, const char *path, WardEntryFunc func);
void ward_scan_each_in_home (WardScan *scan, const WardHome *home, const char *name, WardEntryFunc func);
