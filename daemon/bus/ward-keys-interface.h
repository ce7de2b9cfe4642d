/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-call-options.h"
#include "ward-key-public.h"
#include "ward-keyring.h"
#include "ward-keys-print.h"
#include "ward-tpm-keys.h"

/* What the files that make up the interfaces Keys and SystemKeys share. Both are served by the same functions: whose
 * keys a call is about its interface tells, and who calls. */

/* A call's request. What a method has no use for is NULL or 0. */
typedef struct
{
  char *name;           /* the argument “key”, or the label of one that is to be made */
  char *text;           /* another argument: an algorithm, a hash, a format, a label, a comment */
  GBytes *bytes;        /* a digest or a ciphertext */
  WardSecret *data;     /* a key to be imported */
  WardPoint *peer;      /* to agree with */
  guint usage;          /* of a key to be made */
  guint32 handle;       /* a persistent one */
  WardOptions *options; /* or NULL, if the method has none */

  WardKey *key;                 /* found by the name */
  WardSigning *signing;         /* what it is to do: one of the two */
  WardDecryption *decryption;   /* likewise */
  WardReservation *reservation; /* the place for a new one */
  WardWrappedKey *wrapped;      /* the key as the TPM loads it, once the call runs */
  WardKeyFacts *facts;          /* on it */
  guint n_waiting;              /* owners whose user names are looked up */
  gboolean is_of_all;           /* everybody's keys are to be listed */
} WardKeysRequest;

void ward_keys_request_free (gpointer request);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardKeysRequest, ward_keys_request_free)

/* Of arguments of which the first is the name and the last are the options, if known is not NULL. Fails with
 * WARD_ERROR_INVALID_ARGUMENT. */
WardKeysRequest *ward_keys_request_new (GVariant *parameters, GUnixFDList *fds, const WardOption *known,
                                        GError **error);

/* Of methods whose only argument is the name. See WardMethod. */
gboolean ward_keys_parse (GVariant *parameters, GUnixFDList *fds, gpointer *request, GError **error);

/* Whose keys the call is about. */
guint32 ward_keys_get_owner (WardCall *call);

/* See WardMethod: all methods that are about keys. */
gboolean ward_keys_prepare (WardCall *call);
/* Finds the key by its name; once it is found, whether it is still there, by its id. */
gboolean ward_keys_find (WardCall *call, GError **error);
/* And that it can be used. */
gboolean ward_keys_find_usable (WardCall *call, GError **error);
void ward_keys_describe (gpointer request, GVariantBuilder *details);
gboolean ward_keys_check (WardTpm *tpm, gpointer request, GError **error);

/* The auths among the options; their own. */
WardKeyAuths ward_keys_get_auths (WardKeysRequest *request, const char *name);

/* Gets the private half of the key that was found, and goes on; or ends the call with an error. */
void ward_keys_open (WardCall *call, void (*go_on) (WardCall *call));

/* Ends the call after a change in the keyring: a callback of WardKeyring's. */
void ward_keys_on_changed (GObject *source, GAsyncResult *result, gpointer user_data);

/* The wrapped key as text, as it is stored and exported. NULL when there is no memory. */
GBytes *ward_keys_print (const WardWrappedKey *wrapped);

/* The methods by their subjects, each ending with a row without a name: those of both interfaces, */
extern const WardMethod ward_keys_list_methods[];
extern const WardMethod ward_keys_make_methods[];
extern const WardMethod ward_keys_use_methods[];
extern const WardMethod ward_keys_change_methods[];
/* and those that SystemKeys has alone. */
extern const WardMethod ward_keys_list_all_methods[];
extern const WardMethod ward_keys_persist_methods[];
