/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "ward-secret.h"

/* What a TPM says of itself. Strings are never NULL. Made by a backend, and not changed afterwards. */
typedef struct
{
  char *manufacturer;      /* the TCG's four-letter vendor id, NULs and spaces trimmed */
  char *manufacturer_name; /* by the TCG's registry, "" when unknown */
  char *vendor_string;
  char *firmware_version; /* as its vendor writes it */
  guint64 firmware_raw;   /* the two firmware words, the first one high */
  char *spec_revision;    /* "1.59" */
  char *spec_date;        /* "2019-11-08", or "" */
  gboolean emulated;
  GStrv key_algorithms; /* "rsa2048", "rsa3072", "ecc-p256", "ecc-p384" */
  GStrv banks;          /* hash names of the allocated PCR banks */
  char *endorsement; /* what is another in another chip: its EK certificate's digest or its EK's name; "" if unknown */
  char *failure;     /* "" when the TPM works; else what its own test result says has failed, in sentences */
} WardIdentity;

WardIdentity *ward_identity_new (void);
void ward_identity_free (WardIdentity *identity);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardIdentity, ward_identity_free)

typedef enum
{
  WARD_SELF_TEST_FULL,
  WARD_SELF_TEST_INCREMENTAL,
} WardSelfTestMode;

const char *ward_self_test_mode_to_string (WardSelfTestMode mode);
gboolean ward_self_test_mode_from_string (const char *name, WardSelfTestMode *mode);

/* What a TPM says of its last test of itself. */
typedef struct
{
  gboolean passed;
  guint32 code; /* the TPM's response code for the test, 0 when it passed */
  char *text;   /* what code and data mean, in sentences */
  GBytes *data; /* the TPM's own bytes, often none */
} WardTestResult;

void ward_test_result_free (WardTestResult *result);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardTestResult, ward_test_result_free)

#define WARD_N_PCRS 24
#define WARD_MAX_DIGEST_SIZE 64
#define WARD_MAX_RANDOM 4096

/* The values of some PCRs of one bank, all read between two changes of any PCR. */
typedef struct
{
  guint32 mask;      /* bit i: PCR i was read */
  gsize digest_size; /* bytes of each value, at most WARD_MAX_DIGEST_SIZE */
  guint8 values[WARD_N_PCRS][WARD_MAX_DIGEST_SIZE];
} WardPcrValues;

/* PCRs of one bank, with their values once these are known. */
typedef struct
{
  char *bank; /* a hash name */
  WardPcrValues values;
} WardPcrBank;

WardPcrBank *ward_pcr_bank_new (const char *bank);
void ward_pcr_bank_free (WardPcrBank *bank);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardPcrBank, ward_pcr_bank_free)

/* The hierarchies whose auth value can be set (TPM 2.0 Library, Part 1, 13). */
typedef enum
{
  WARD_HIERARCHY_OWNER,
  WARD_HIERARCHY_ENDORSEMENT,
  WARD_HIERARCHY_LOCKOUT,
} WardHierarchy;

/* "owner", "endorsement" or "lockout". */
const char *ward_hierarchy_to_string (WardHierarchy hierarchy);
gboolean ward_hierarchy_from_string (const char *name, WardHierarchy *hierarchy);

/* The handle at which a storage root key is provisioned (TCG TPM v2.0 Provisioning Guidance, 7.8). */
#define WARD_SRK_HANDLE 0x81000001u

/* A Name in hexadecimal digits (TPM 2.0 Library, Part 1, 16): of an algorithm and its digest. */
#define WARD_NAME_SIZE (2 * (2 + WARD_MAX_DIGEST_SIZE) + 1)

/* What a number is that the TPM does not tell. */
#define WARD_ROOM_UNKNOWN G_MAXUINT32

/* What is kept in a TPM, and how much more it can take (TPM 2.0 Library, Part 2, 6.13). */
typedef struct
{
  guint32 persistent; /* objects */
  guint32 persistent_available;
  guint32 transient_available; /* objects that can still be loaded */
  guint32 sessions_loaded;
  guint32 sessions_loaded_available;
  guint32 sessions_active; /* loaded or saved */
  guint32 sessions_active_available;
  guint32 sessions_active_max;
  guint32 nv_indices;
} WardRoom;

/* What of a TPM changes with its ownership and with failed authorizations. */
typedef struct
{
  gboolean owner_auth_set;
  gboolean endorsement_auth_set;
  gboolean lockout_auth_set;
  gboolean owner_enabled;        /* shEnable */
  gboolean endorsement_enabled;  /* ehEnable */
  gboolean clear_disabled;       /* TPM2_Clear is switched off */
  guint32 srk_handle;            /* WARD_SRK_HANDLE if what is there is a storage root key by its attributes, else 0 */
  char srk_name[WARD_NAME_SIZE]; /* its Name; "" when there is none */

  gboolean locked_out; /* inLockout */
  guint32 failures;
  guint32 max_failures;
  guint32 recovery_seconds;         /* after which one failure is forgiven */
  guint32 lockout_recovery_seconds; /* for which a wrong lockout auth bars the lockout hierarchy; 0: until a reset */
  guint32 reset_count;              /* how often the TPM was reset since it was made or cleared (TPMS_CLOCK_INFO) */
  guint64 clock;                    /* milliseconds for which it has been on since then */
  guint32 max_auth_size;            /* bytes that a hierarchy's auth value may have */
  WardRoom room;
} WardOwnership;

#define WARD_CHIP_PERSISTENT "persistent-handle"
#define WARD_CHIP_NV_INDEX "nv-index"

/* One thing that is kept in a TPM. Strings are never NULL. */
typedef struct
{
  guint32 handle;
  const char *kind; /* WARD_CHIP_PERSISTENT, an object, or WARD_CHIP_NV_INDEX; static */
  char *name;       /* its Name in hexadecimal digits */
  char *algorithm; /* of a key: "ecc-p256", "rsa2048", ..., of other objects their type, such as "keyedhash"; else "" */
  guint32 attributes; /* TPMA_OBJECT or TPMA_NV */
  guint32 size;       /* bytes of an NV index */
  gboolean written;   /* whether an NV index has ever been */
  char *purpose; /* what is kept at such a handle by the TCG's conventions, as "the storage root key"; "" if anything */
  gboolean is_cleared; /* whether a clear destroys it (TPM 2.0 Library, Part 3, 24.6) */
  gboolean is_remade; /* whether a clear leaves the seed that it was made from, so that it can be made again as it is */
} WardChipItem;

void ward_chip_item_free (WardChipItem *item);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardChipItem, ward_chip_item_free)

/* The most bytes that a TPM seals itself: what TPM2B_SENSITIVE_DATA holds (TPM 2.0 Library, Part 2, 11.1.13). */
#define WARD_MAX_SEALED_SIZE 128
/* The longest auth value of an object, in bytes. */
#define WARD_MAX_OBJECT_AUTH_SIZE 64

/* The parent of what is sealed where there is no persistent storage root key: the owner hierarchy's primary key of the
 * default template. */
#define WARD_OWNER_PARENT 0x40000001u

/* Data that a TPM has sealed. */
typedef struct
{
  guint32 parent;       /* WARD_SRK_HANDLE or WARD_OWNER_PARENT; another in what is not of our making */
  gboolean has_auth;    /* an auth value is needed to unseal it */
  GBytes *public_area;  /* as the TPM writes it, with its size in front; likewise: */
  GBytes *private_area; /* encrypted by the parent */
  GPtrArray *pcrs;      /* of WardPcrBank: to which it is bound; none: empty */
} WardSealed;

WardSealed *ward_sealed_new (void);
void ward_sealed_free (WardSealed *sealed);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardSealed, ward_sealed_free)

/* An open connection to one TPM; each backend has its own. Used by one thread only, the TPM's worker. */
typedef struct _WardConnection WardConnection;

/* What a family of TPMs can do. A NULL member means that the family lacks it: the caller is told NotSupported, in one
 * place. All members but open and close take an open connection and may block for as long as the chip does. They fail
 * with a WARD_ERROR: WARD_ERROR_UNREACHABLE when the transport broke (the caller closes the connection then and may
 * open another), WARD_ERROR_FAILED with the response code in hex and in words for what the TPM refused. */
typedef struct
{
  const char *family; /* "2.0" or "1.2" */

  /* How long, in microseconds, what is asked of it may take before the TPM is taken for one that does not answer; 0:
   * any time. */
  gint64 patience;      /* what only reads, and connecting */
  gint64 long_patience; /* what may make an RSA key, test the TPM or clear it */

  /* Connects by a TCTI configuration string, starts up a TPM that nobody has started (a simulator), and, where nobody
   * shares the connection, flushes what a killed service left in the chip. */
  WardConnection *(*open) (const char *transport, GError **error);
  void (*close) (WardConnection *connection);

  WardIdentity *(*identify) (WardConnection *connection, GError **error);
  /* Whether the TPM answers at all: the cheapest command. */
  gboolean (*probe) (WardConnection *connection, GError **error);
  /* A new floating a{sv}: every fixed and variable property by its TCG name. */
  GVariant *(*get_properties) (WardConnection *connection, GError **error);
  /* Fills bytes[0..count), count from 1 to WARD_MAX_RANDOM. */
  gboolean (*get_random) (WardConnection *connection, guint8 *bytes, gsize count, GError **error);
  /* A failed test is a result; an error means that the TPM could not be asked. */
  WardTestResult *(*self_test) (WardConnection *connection, WardSelfTestMode mode, GError **error);
  WardTestResult *(*get_test_result) (WardConnection *connection, GError **error);
  /* mask: bit i for PCR i, not 0. WARD_ERROR_NOT_SUPPORTED for a bank that is not allocated. */
  gboolean (*read_pcrs) (WardConnection *connection, const char *bank, guint32 mask, WardPcrValues *values,
                         GError **error);

  /* Freed by g_free. */
  WardOwnership *(*read_ownership) (WardConnection *connection, GError **error);
  /* What is kept in the TPM, as WardChipItem, by their handles. */
  GPtrArray *(*list_items) (WardConnection *connection, GError **error);

  /* Those below change the TPM. Secrets cross to the chip only in a salted session with parameter encryption; NULL is
   * the empty auth value. They fail with WARD_ERROR_AUTHENTICATION_FAILED when the TPM refuses an auth value, and with
   * WARD_ERROR_LOCKED_OUT when it does not even try it. */

  gboolean (*change_auth) (WardConnection *connection, WardHierarchy hierarchy, WardSecret *old_auth,
                           WardSecret *new_auth, GError **error);
  /* Makes the storage root key of the default template and keeps it at WARD_SRK_HANDLE. WARD_ERROR_EXISTS when the
   * handle is taken. */
  gboolean (*provision_srk) (WardConnection *connection, WardSecret *owner_auth, GError **error);
  gboolean (*reset_lockout) (WardConnection *connection, WardSecret *lockout_auth, GError **error);
  /* max_failures and recovery_seconds: not 0. */
  gboolean (*set_lockout_parameters) (WardConnection *connection, guint32 max_failures, guint32 recovery_seconds,
                                      guint32 lockout_recovery_seconds, WardSecret *lockout_auth, GError **error);
  gboolean (*clear) (WardConnection *connection, WardSecret *lockout_auth, GError **error);
  /* One way: the operating system cannot allow it again. */
  gboolean (*disable_clear) (WardConnection *connection, WardSecret *lockout_auth, GError **error);

  /* Seals 1 to WARD_MAX_SEALED_SIZE bytes beneath the storage root key. auth: at most WARD_MAX_OBJECT_AUTH_SIZE bytes,
   * or NULL for none. pcrs: of WardPcrBank, bound to their values now, or NULL. no_da: wrong auths are not counted.
   * WARD_ERROR_NOT_OWNED when there is no storage root key and an owner auth forbids to make one for the moment. */
  WardSealed *(*seal) (WardConnection *connection, WardSecret *data, WardSecret *auth, GPtrArray *pcrs, gboolean no_da,
                       GError **error);
  /* Looks at what somebody says was sealed, without asking the TPM: WARD_ERROR_CORRUPT when it contradicts itself,
   * WARD_ERROR_NOT_SUPPORTED when it is none that unseal can do. counts: whether the TPM would count a wrong auth. */
  gboolean (*check_sealed) (const WardSealed *sealed, gboolean *counts, GError **error);
  /* After check_sealed. WARD_ERROR_POLICY_MISMATCH says which PCRs have changed; WARD_ERROR_CORRUPT also for what
   * another TPM has sealed. */
  WardSecret *(*unseal) (WardConnection *connection, const WardSealed *sealed, WardSecret *auth, GError **error);
} WardBackend;

/* Whether name is a hash that a PCR bank may have, allocated or not: "sha1", "sha256", ... */
gboolean ward_bank_is_known (const char *name);
