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
  char *disablement; /* "" when it is switched on; else how it is not, and what to do, in sentences */
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

/* Whether now has the values of then, in banks of the same order; else WARD_ERROR_POLICY_MISMATCH, which says where
 * not. Both: of WardPcrBank. */
gboolean ward_pcr_banks_compare (GPtrArray *then, GPtrArray *now, GError **error);

WardPcrBank *ward_pcr_bank_new (const char *bank);
void ward_pcr_bank_free (WardPcrBank *bank);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardPcrBank, ward_pcr_bank_free)

/* Whose auth value can be set: the hierarchies of a TPM 2.0 (TPM 2.0 Library, Part 1, 13); of a TPM 1.2, its owner's
 * and that of its storage root key. */
typedef enum
{
  WARD_HIERARCHY_OWNER,
  WARD_HIERARCHY_ENDORSEMENT,
  WARD_HIERARCHY_LOCKOUT,
  WARD_HIERARCHY_SRK,
  WARD_N_HIERARCHIES,
} WardHierarchy;

/* "owner", "endorsement", "lockout" or "srk". */
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

/* What of a TPM changes with its ownership and with failed authorizations. A TPM 1.2 has an owner, which has an auth
 * value, and with it a storage root key; it tells nothing of failures, and of a lockout by refusing secrets. */
typedef struct
{
  gboolean owner_auth_set;
  gboolean endorsement_auth_set;
  gboolean lockout_auth_set;
  gboolean owner_enabled;       /* shEnable; of a TPM 1.2: whether it is enabled */
  gboolean endorsement_enabled; /* ehEnable; of a TPM 1.2: whether it is activated */
  gboolean clear_disabled;      /* TPM2_Clear is switched off */
  gboolean has_srk;
  guint32 srk_handle;            /* WARD_SRK_HANDLE if what is there is a storage root key by its attributes, else 0 */
  char srk_name[WARD_NAME_SIZE]; /* its Name; "" when there is none */

  gboolean locked_out; /* inLockout; of a TPM 1.2: it has refused the last secret unheard */
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
  char *key_id;    /* of a key of these algorithms its id, as ward_key_public_get_id () gives it; else "" */
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

/* The storage root key of a TPM 1.2 (TPM_KH_SRK; TPM Main, Part 2, 4.4.1). */
#define WARD_TPM12_SRK_HANDLE 0x40000000u

/* The owner's persistent handles (TPM 2.0 Library, Part 2, 7.5). */
#define WARD_PERSISTENT_FIRST 0x81000000u
#define WARD_PERSISTENT_LAST 0x817fffffu

/* Data that a TPM has sealed. */
typedef struct
{
  guint32 parent;       /* WARD_SRK_HANDLE, WARD_OWNER_PARENT or WARD_TPM12_SRK_HANDLE; another in what is not of our
                           making */
  char *parent_name;    /* Name of what it lies beneath, as WardOwnership's srk_name; NULL while no chip has said it */
  gboolean has_auth;    /* an auth value is needed to unseal it */
  GBytes *public_area;  /* as the TPM writes it, with its size in front; likewise: */
  GBytes *private_area; /* encrypted by the parent; of a TPM 1.2 the whole TPM_KEY, and the public area is empty */
  GPtrArray *pcrs;      /* of WardPcrBank: to which it is bound; none: empty */
} WardSealed;

WardSealed *ward_sealed_new (void);
/* The same parts, which are shared. */
WardSealed *ward_sealed_copy (const WardSealed *sealed);
void ward_sealed_free (WardSealed *sealed);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardSealed, ward_sealed_free)

/* A key pair that a TPM has wrapped has the same parts as what it has sealed. */
typedef WardSealed WardWrappedKey;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardWrappedKey, ward_sealed_free)

/* What a key may be used for: flags. */
typedef enum
{
  WARD_KEY_SIGN = 1 << 0,
  WARD_KEY_DECRYPT = 1 << 1, /* of RSA */
  WARD_KEY_AGREE = 1 << 2,   /* of ECC */
} WardKeyUsage;

/* What a new key is to be. */
typedef struct
{
  const char *algorithm; /* one of WardIdentity's key_algorithms; of what is imported, its own */
  GPtrArray *pcrs;       /* of WardPcrBank, to whose values now it is bound; or NULL */
  guint usage;           /* WardKeyUsage; not 0, and only what the algorithm can do */
  gboolean no_da;        /* wrong auths are not counted, for life */
  GBytes *srk_modulus;   /* of a storage root key that does not tell it, or NULL */
} WardKeyTemplate;

/* What a key is, by its public area. Freed by g_free. */
typedef struct
{
  const char *algorithm; /* static */
  guint usage;           /* WardKeyUsage */
  gboolean no_da;
  gboolean imported;     /* its private half was not made in the TPM */
  gboolean counts;       /* the TPM would count a wrong auth */
  gboolean ignores_auth; /* bound to PCRs alone: an auth value would not protect it */
  gboolean pkcs1_only;   /* signs any DigestInfo, and decrypts by RSAES: of a TPM 1.2 */
} WardKeyFacts;

/* An NV index: data that is kept in a TPM. Strings are never NULL. */
typedef struct
{
  guint32 index;
  guint32 size;     /* bytes */
  GStrv attributes; /* as tpm2-tools names them */
  gboolean written; /* whether there is something to read */
  char *purpose;    /* as of WardChipItem */
} WardNvIndex;

void ward_nv_index_free (WardNvIndex *index);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardNvIndex, ward_nv_index_free)

/* The most bytes that an NV index of any TPM has: what its size is kept in. */
#define WARD_MAX_NV_SIZE 65535

/* What a new NV index is to be. */
typedef struct
{
  guint32 index;
  guint32 size;                  /* bytes */
  const char *const *attributes; /* as tpm2-tools names them; none: those that suit, with or without an auth value */
  WardSecret *auth;              /* at most WARD_MAX_OBJECT_AUTH_SIZE bytes, or NULL for none */
  gboolean force;                /* also where numbers are reserved */
} WardNvTemplate;

/* Whose auth value is to allow an access. */
typedef enum
{
  WARD_NV_BY_ANY, /* whichever will do while it is empty */
  WARD_NV_BY_OWNER,
  WARD_NV_BY_INDEX,
} WardNvRight;

/* Bytes of an NV index, and by what right they are read or written. */
typedef struct
{
  guint32 index;
  guint32 offset;
  guint32 size; /* to read: 0 for all from offset on */
  WardNvRight right;
  WardSecret *auth; /* NULL: the empty one */
  gboolean force;   /* to write: also over what is written where numbers are reserved */
} WardNvAccess;

/* By what right a key or sealed data is used. NULL: the empty auth value. */
typedef struct
{
  WardSecret *auth;       /* its own */
  WardSecret *owner_auth; /* for the owner hierarchy, where a key's parent is to be made in it for the moment; of a TPM
                             1.2, to learn the storage root key's public half */
  WardSecret *srk_auth;   /* of a TPM 1.2: the storage root key's */
} WardKeyAuths;

/* See ward-key-pair.h and ward-key-use.h. */
typedef struct _WardKeyPair WardKeyPair;
typedef struct _WardSigning WardSigning;
typedef struct _WardDecryption WardDecryption;
typedef struct _WardPoint WardPoint;

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

  /* Whether a wrong lockout auth bars the lockout hierarchy, so that it is used under a guard. */
  gboolean guards_lockout;
  /* Whether nobody can see what the storage root key is, so that a name is given to it. */
  gboolean hides_srk;

  /* Connects by a transport's description (WardDevice), starts up a TPM that nobody has started (a simulator), and,
   * where nobody shares the connection, flushes what a killed service left in the chip. */
  WardConnection *(*open) (const char *transport, GError **error);
  void (*close) (WardConnection *connection);
  /* Called when nothing was asked of the TPM for a while: gives back what is kept in it for speed alone. NULL: there is
   * nothing. */
  void (*rest) (WardConnection *connection);

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

  /* Gives a TPM that has no owner one, and a storage root key with it, of which it tells srk_modulus this once. NULL:
   * ownership is a matter of auth values that are set one by one. WARD_ERROR_ALREADY_OWNED. */
  gboolean (*take_ownership) (WardConnection *connection, WardSecret *owner_auth, WardSecret *srk_auth,
                              GBytes **srk_modulus, GError **error);
  /* WARD_ERROR_NOT_SUPPORTED for what this family has not. */
  gboolean (*change_auth) (WardConnection *connection, WardHierarchy hierarchy, WardSecret *old_auth,
                           WardSecret *new_auth, GError **error);
  /* Makes the storage root key of the default template and keeps it at WARD_SRK_HANDLE. WARD_ERROR_EXISTS when the
   * handle is taken. */
  gboolean (*provision_srk) (WardConnection *connection, WardSecret *owner_auth, GError **error);
  /* These take the lockout auth of a TPM 2.0, and the owner's of a TPM 1.2. */
  gboolean (*reset_lockout) (WardConnection *connection, WardSecret *lockout_auth, GError **error);
  /* max_failures and recovery_seconds: not 0. */
  gboolean (*set_lockout_parameters) (WardConnection *connection, guint32 max_failures, guint32 recovery_seconds,
                                      guint32 lockout_recovery_seconds, WardSecret *lockout_auth, GError **error);
  gboolean (*clear) (WardConnection *connection, WardSecret *lockout_auth, GError **error);
  /* With the owner's auth value; of TPM 1.2. */
  gboolean (*set_enabled) (WardConnection *connection, gboolean enabled, WardSecret *owner_auth, GError **error);
  /* From the next start of the machine on; the TPM wants somebody to be present; of TPM 1.2. */
  gboolean (*set_active) (WardConnection *connection, gboolean active, GError **error);
  /* One way: the operating system cannot allow it again. */
  gboolean (*disable_clear) (WardConnection *connection, WardSecret *lockout_auth, GError **error);

  /* Seals 1 to WARD_MAX_SEALED_SIZE bytes beneath the storage root key. auths->auth: at most WARD_MAX_OBJECT_AUTH_SIZE
   * bytes, or NULL for none. pcrs: of WardPcrBank, bound to their values now, or NULL. no_da: wrong auths are not
   * counted. WARD_ERROR_NOT_OWNED when there is no storage root key and an owner auth forbids to make one for the
   * moment. */
  WardSealed *(*seal) (WardConnection *connection, WardSecret *data, const WardKeyAuths *auths, GPtrArray *pcrs,
                       gboolean no_da, GError **error);
  /* Seals a key so that tpm_unsealdata of tpm-tools can unseal it (ward-tpm-tools.h). Likewise. */
  WardSealed *(*seal_for_tpm_tools) (WardConnection *connection, WardSecret *key, const WardKeyAuths *auths,
                                     GPtrArray *pcrs, GError **error);
  /* Looks at what somebody says was sealed, without asking the TPM: WARD_ERROR_CORRUPT when it contradicts itself,
   * WARD_ERROR_NOT_SUPPORTED when it is none that unseal can do. counts: whether the TPM would count a wrong auth. */
  gboolean (*check_sealed) (const WardSealed *sealed, gboolean *counts, GError **error);
  /* After check_sealed. WARD_ERROR_POLICY_MISMATCH says which PCRs have changed; WARD_ERROR_CORRUPT also for what
   * another TPM has sealed. */
  WardSecret *(*unseal) (WardConnection *connection, const WardSealed *sealed, const WardKeyAuths *auths,
                         GError **error);

  /* Makes a key beneath the storage root key, which cannot leave the TPM. auths->auth: at most
   * WARD_MAX_OBJECT_AUTH_SIZE bytes. WARD_ERROR_NOT_OWNED as by seal; WARD_ERROR_NOT_SUPPORTED for an algorithm that
   * the chip lacks. */
  WardWrappedKey *(*create_key) (WardConnection *connection, const WardKeyTemplate *template, const WardKeyAuths *auths,
                                 GError **error);
  /* Wraps a key that was made elsewhere. Likewise. */
  WardWrappedKey *(*import_key) (WardConnection *connection, const WardKeyPair *pair, const WardKeyTemplate *template,
                                 const WardKeyAuths *auths, GError **error);
  /* Looks at what somebody says is a key, without asking the TPM: WARD_ERROR_CORRUPT when it contradicts itself,
   * WARD_ERROR_NOT_SUPPORTED when it is none that can be used here. */
  WardKeyFacts *(*describe_key) (const WardWrappedKey *key, GError **error);
  /* SubjectPublicKeyInfo in DER. WARD_ERROR_CORRUPT when it is no point of its curve. */
  GBytes *(*get_public_key) (const WardWrappedKey *key, GError **error);

  /* Those below take a key that describe_key has looked at. WARD_ERROR_CORRUPT for what the TPM does not take as its
   * own; WARD_ERROR_NOT_OWNED when its parent is to be made and owner_auth is missing. */

  /* Names of what a key can lie beneath now, as WardSealed's parent_name: of the storage root key, if there is one;
   * with_owner: and of the owner hierarchy's primary key of the default template, if the empty owner auth is enough to
   * make it for the moment. */
  GStrv (*find_parents) (WardConnection *connection, gboolean with_owner, GError **error);
  /* Whether the TPM takes it. Sets parent, to WARD_SRK_HANDLE or WARD_OWNER_PARENT, and parent_name. */
  gboolean (*check_key) (WardConnection *connection, WardWrappedKey *key, const WardKeyAuths *auths, GError **error);
  /* The signature: PKCS #1 or a DER SEQUENCE of r and s. WARD_ERROR_POLICY_MISMATCH says which PCRs have changed; so
   * below. */
  GBytes *(*sign) (WardConnection *connection, const WardWrappedKey *key, const WardKeyAuths *auths,
                   const WardSigning *signing, GError **error);
  /* WARD_ERROR_INVALID_ARGUMENT for what was not encrypted to the key in this way. */
  WardSecret *(*decrypt) (WardConnection *connection, const WardWrappedKey *key, const WardKeyAuths *auths,
                          const WardDecryption *decryption, GError **error);
  /* The x coordinate of the product, as long as the curve's coordinates are (SEC 1, 3.3.1). */
  WardSecret *(*agree) (WardConnection *connection, const WardWrappedKey *key, const WardKeyAuths *auths,
                        const WardPoint *peer, GError **error);
  /* The same key with another auth value. The old one stays what it is. WARD_ERROR_NOT_SUPPORTED where the new value
   * would not protect the key. */
  WardWrappedKey *(*change_key_auth) (WardConnection *connection, const WardWrappedKey *key, const WardKeyAuths *auths,
                                      WardSecret *new_auth, GError **error);
  /* Keeps the key in the TPM at a handle from WARD_PERSISTENT_FIRST to WARD_PERSISTENT_LAST. WARD_ERROR_EXISTS when
   * that is taken. auths->auth is not needed. */
  gboolean (*persist_key) (WardConnection *connection, const WardWrappedKey *key, guint32 handle,
                           const WardKeyAuths *auths, GError **error);
  /* Takes an object of any kind from its handle. WARD_ERROR_NOT_FOUND when there is none; WARD_ERROR_WOULD_BREAK for
   * the storage root key, beneath which all other keys lie. */
  gboolean (*evict) (WardConnection *connection, guint32 handle, WardSecret *owner_auth, GError **error);

  /* All NV indices, as WardNvIndex, by their numbers. */
  GPtrArray *(*list_nv) (WardConnection *connection, GError **error);
  /* Whether an index can have that number, without asking the TPM. WARD_ERROR_INVALID_ARGUMENT. */
  gboolean (*check_nv_index) (guint32 index, GError **error);
  /* Whether there can be such an index, likewise. WARD_ERROR_INVALID_ARGUMENT; WARD_ERROR_NOT_SUPPORTED for kinds that
   * are not defined here; WARD_ERROR_WOULD_BREAK for a number that is reserved. */
  gboolean (*check_nv_template) (const WardNvTemplate *template, GError **error);
  /* What check_nv_template has looked at. WARD_ERROR_EXISTS when the number is taken; WARD_ERROR_NO_SPACE. */
  gboolean (*define_nv) (WardConnection *connection, const WardNvTemplate *template, WardSecret *owner_auth,
                         GError **error);
  /* WARD_ERROR_NOT_FOUND; WARD_ERROR_NOT_SUPPORTED for what the owner cannot undefine; WARD_ERROR_WOULD_BREAK without
   * force for a number that is reserved. */
  gboolean (*undefine_nv) (WardConnection *connection, guint32 index, WardSecret *owner_auth, gboolean force,
                           GError **error);
  /* Before read_nv and, with is_write and the size of the data, write_nv: whether access can be as the index is now.
   * Settles its right and size. counts: whether the TPM would count a wrong auth. WARD_ERROR_NOT_FOUND also for what
   * was never written; WARD_ERROR_DISABLED while it is locked; WARD_ERROR_NOT_SUPPORTED for another right than the
   * index gives; WARD_ERROR_WOULD_BREAK; WARD_ERROR_INVALID_ARGUMENT for bytes beyond its end. */
  gboolean (*prepare_nv) (WardConnection *connection, WardNvAccess *access, gboolean is_write, gboolean *counts,
                          GError **error);
  WardSecret *(*read_nv) (WardConnection *connection, const WardNvAccess *access, GError **error);
  /* In parts where it is more than the TPM takes at once. */
  gboolean (*write_nv) (WardConnection *connection, const WardNvAccess *access, WardSecret *data, GError **error);
} WardBackend;

/* Whether name is a hash that a PCR bank may have, allocated or not: "sha1", "sha256", ... */
gboolean ward_bank_is_known (const char *name);
