/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/* Kinds beside those that the daemon itself finds on the chip. */
#define WARD_DEPENDENT_LUKS_VOLUME "luks-volume"
#define WARD_DEPENDENT_SEALED_DATA "sealed-data"
#define WARD_DEPENDENT_KEY "key"
#define WARD_DEPENDENT_KEY_STORE "key-store"
#define WARD_DEPENDENT_POLICY "policy"
/* Not a dependent, but a place that could not be searched to its end: a ledger must not pass over what it has not seen.
 */
#define WARD_DEPENDENT_UNSCANNED "unscanned"

/* One thing on this machine that depends on the TPM. Constant strings are not owned. */
typedef struct
{
  const char *kind;
  char *subject; /* a path, as a person types it: valid UTF-8 without control characters */
  char *owner;   /* a user's name, or its number where it has none */
  guint32 uid;
  char *detail;                   /* sentences for a person */
  const char *recoverable;        /* of what a clear takes away: "yes", "no" or "unknown" */
  char *reason;                   /* why; a sentence */
  gboolean uses_owner_empty_auth; /* stops working when the owner hierarchy gets an auth value */
  gboolean uses_endorsement_empty_auth;
  gboolean uses_pin;      /* relies on the TPM's protection against guessing */
  const char *confidence; /* "sure" or "likely" */
} WardDependent;

/* A dependent that nothing is known of yet: recoverable is "unknown", confidence "sure", the rest empty. The subject is
 * made printable. */
WardDependent *ward_dependent_new (const char *kind, const char *subject, guint32 uid);
void ward_dependent_free (WardDependent *dependent);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardDependent, ward_dependent_free)

/* aa{sv}, floating: API.md's PreviewClear, with the keys uid u, confidence s, uses-owner-empty-auth b,
 * uses-endorsement-empty-auth b and uses-pin b beside. */
GVariant *ward_dependents_to_variant (GPtrArray *dependents);

/* A copy of what may be any bytes, fit for a message to a person: valid UTF-8 in which no control character is left. */
char *ward_text_printable (const char *text);
