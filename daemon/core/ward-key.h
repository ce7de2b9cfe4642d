/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-backend.h"

/* The longest label and comment, in characters. */
#define WARD_MAX_LABEL_LENGTH 128
#define WARD_MAX_COMMENT_LENGTH 1024
/* Hexadecimal digits of a key's id. */
#define WARD_KEY_ID_LENGTH 32
/* The keys that one uid may have. */
#define WARD_MAX_KEYS 20000

/* Stands for the machine as the owner of its keys: no user has this uid (POSIX: (uid_t)-1). */
#define WARD_UID_SYSTEM G_MAXUINT32

/* What is known of one key, its wrapped private half aside. Once a keyring has it, all but uses and last_used stays
 * what it is, and may be read on any thread; these two are the main thread's. A change of a key makes another WardKey.
 * Strings are never NULL. */
typedef struct
{
  gatomicrefcount ref_count;
  char *id; /* of its public key */
  char *label;
  char *comment;
  const char *algorithm; /* static */
  guint usage;           /* WardKeyUsage */
  guint32 uid;           /* its owner, or WARD_UID_SYSTEM */
  char *user_name;       /* its owner's when it was made; "" when the uid had none, and for the system's */
  char *tpm;             /* by what name its TPM was known then */
  char *parent_name;     /* the Name of what it lies beneath, in hexadecimal digits */
  guint32 parent;        /* that one's handle */
  gboolean has_auth;
  gboolean no_da;
  gboolean imported;
  GPtrArray *pcrs;    /* of WardPcrBank: to which it is bound; none: empty */
  GBytes *public_key; /* SubjectPublicKeyInfo in DER */
  char *fingerprint;  /* as of ward_key_public_get_fingerprint () */
  char *digest;       /* SHA-256 of its wrapped private half as it is stored, in hexadecimal digits */
  guint64 created;    /* microseconds of CLOCK_REALTIME; likewise: */
  guint64 last_used;  /* 0: never */
  guint64 uses;
} WardKey;

/* An empty one, which its maker fills. */
WardKey *ward_key_new (void);
WardKey *ward_key_ref (WardKey *key);
void ward_key_unref (WardKey *key);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardKey, ward_key_unref)

/* Another one with the same members. */
WardKey *ward_key_copy (const WardKey *key);

/* Sets the public key, and with it id and fingerprint. FALSE when it is no key of a known algorithm. */
gboolean ward_key_set_public (WardKey *key, GBytes *public_key);

/* What a key is by its name, for messages: “label” (id). Freed by the caller. */
char *ward_key_to_string (const WardKey *key);

/* Whether text is shaped like an id, with digits of either case. */
gboolean ward_key_is_id (const char *text);

/* The names of usages ("sign", …), NULL-terminated: freed by g_free, with static strings. */
const char **ward_key_usage_get_names (guint usage);
/* Adds the usage of that name. FALSE for an unknown one. */
gboolean ward_key_usage_parse (const char *name, guint *usage);

/* Labels: 1 to 128 characters of UTF-8, without control characters, not shaped like an id. Comments: up to 1,024 such
 * characters. Control characters are also those that separate lines or turn the direction of text, with which one key
 * could be shown as another. WARD_ERROR_INVALID_ARGUMENT. */
gboolean ward_label_validate (const char *label, GError **error);
gboolean ward_comment_validate (const char *comment, GError **error);

/* WARD_ERROR_NOT_SUPPORTED for the uids that systemd hands out for a while (systemd, UIDS-GIDS: 61184 to 65519), and
 * that of nobody. */
gboolean ward_key_check_uid (guint32 uid, GError **error);

/* A key as it is written beside its private half: a key file that ends with its own digest. At most WARD_MAX_META_SIZE
 * bytes. */
#define WARD_MAX_META_SIZE (64 * 1024)
char *ward_key_print (const WardKey *key, gsize *size);
/* Fails with WARD_ERROR_CORRUPT, whose message is the reason alone: “it lacks …”. uses and last_used are 0. */
WardKey *ward_key_parse (const char *text, gsize size, GError **error);
