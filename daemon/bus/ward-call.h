/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>
#include <gio/gunixfdlist.h>

#include "ward-clients.h"
#include "ward-keyring.h"
#include "ward-tpm.h"

typedef struct _WardCall WardCall;
typedef struct _WardGate WardGate;

/* How one D-Bus method is served. The method's polkit action is the annotation org.tpmward1.Action in its XML. */
typedef struct
{
  const char *name;
  const char *signal; /* of the generated skeleton */

  gboolean is_instant;        /* run () ends it without waiting for anything: it is let in beyond the limit of calls */
  gboolean takes_descriptors; /* parse sees to them; to others the gate lets none */

  /* Checks the arguments and makes a request of them: no TPM, no input or output. NULL: the method has none. Fails with
   * WARD_ERROR_INVALID_ARGUMENT, or what else the arguments alone tell. */
  gboolean (*parse) (GVariant *parameters, GUnixFDList *fds, gpointer *request, GError **error);
  GDestroyNotify request_free;

  /* Begins to find out what find () must know. TRUE when it is known already; else ward_gate_go_on () is called once it
   * is. NULL: nothing. */
  gboolean (*prepare) (WardCall *call);

  /* Finds what the request is about, in memory, without the TPM and before polkit is told of it; again, if polkit had
   * to be asked, as it may have gone meanwhile. NULL: nothing. Fails with any error of WARD_ERROR. */
  gboolean (*find) (WardCall *call, GError **error);

  /* The offset in WardBackend of what the TPM's family must be able to do; 0: nothing that one family lacks. */
  gsize needs;

  /* Whether it can be done at all with what is known of the TPM: asked before polkit, so that nobody is asked for a
   * password in vain. NULL: always. Fails with any error of WARD_ERROR. */
  gboolean (*check) (WardTpm *tpm, gpointer request, GError **error);

  /* Adds what polkit's rules and dialogs are told beside the TPM; NULL: nothing. */
  void (*describe) (gpointer request, GVariantBuilder *details);

  /* Does the call, which the caller is authorized to make, and ends it with ward_call_return () or ward_call_fail ().
   */
  void (*run) (WardCall *call);
} WardMethod;

typedef enum
{
  WARD_CALL_ARRIVED,     /* the bus has not said yet whose it is */
  WARD_CALL_AUTHORIZING, /* it is prepared, or polkit is asked */
  WARD_CALL_RUNNING,     /* it waits for the TPM, or the TPM is at it */
} WardCallStage;

/* A method call in the service, from its arrival to its one reply. Freed by ward_call_return () and ward_call_fail ().
 */
struct _WardCall
{
  WardGate *gate;
  GDBusMethodInvocation *invocation;
  WardClient *client;
  const WardMethod *method;
  const char *action;                    /* the polkit action, or WARD_ACTION_PUBLIC */
  WardTpm *tpm;                          /* NULL in interfaces that are of no TPM */
  WardKeyring *keyring;                  /* in interfaces that are of keys, else NULL */
  gpointer request;                      /* as method->parse () made it */
  void (*continuation) (WardCall *call); /* a run function's own: what follows when what it waits for is there */
  WardTicket ticket;                     /* for the TPM's worker */
  WardCallStage stage;
  gboolean is_counted;         /* among its user's calls */
  gboolean has_dialog;         /* it has a password dialog open */
  GCancellable *authorization; /* gives up preparing, and asking polkit */
};

WardCall *ward_call_new (WardGate *gate, GDBusMethodInvocation *invocation, WardClient *client,
                         const WardMethod *method, const char *action, WardTpm *tpm);

guint32 ward_call_get_serial (WardCall *call);

/* Ends the call with a reply. value: the method's out arguments as a tuple, or NULL for none; floating ones are taken.
 */
void ward_call_return (WardCall *call, GVariant *value);

/* Ends the call with an error, which is taken. One that is not of WARD_ERROR becomes WARD_ERROR_FAILED. */
void ward_call_fail (WardCall *call, GError *error);

/* Ends a call whose reply was sent on another thread. */
void ward_call_end_replied (WardCall *call);

/* Ends a call that returns nothing: with an empty reply if ok, else with the error, which is taken. */
void ward_call_conclude (WardCall *call, gboolean ok, GError *error);
