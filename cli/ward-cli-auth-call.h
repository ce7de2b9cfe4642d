/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-cli-secret.h"

/* A call that may need a password, or another auth value: whoever is at the terminal is asked for it when the service
 * says that it is missing or wrong. Nothing but secret and result is owned. */
typedef struct
{
  gpointer proxy;
  const char *method;
  const char *text;   /* what happens, for the spinner */
  const char *auth;   /* the method's option for the secret, such as "auth" */
  const char *what;   /* the secret's name in a sentence */
  const char *option; /* by which a script gives it */
  WardSecret *secret; /* as given by a script, or NULL; what was asked for */

  /* Returns the method's arguments, with options as the last of them; what else is secret goes into fds. NULL with
   * error. */
  GVariant *(*pack) (gpointer user_data, GVariantDict *options, GUnixFDList *fds, GError **error);
  gpointer user_data;
  /* Whether the service could mean that secret when it misses one; NULL for yes. */
  gboolean (*may_ask) (WardCli *cli, gpointer may_ask_data);
  gpointer may_ask_data;

  const char *hint;  /* after a refusal that nothing more is tried after; or NULL */
  gboolean by_owner; /* the secret is the owner auth, without which there may be no storage root key either */

  gboolean takes_output; /* the method's result is secret, and comes through its option “output” */
  WardSecret *result;    /* then, once it is there */
} WardCliAuthCall;

void ward_cli_auth_call_clear (WardCliAuthCall *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (WardCliAuthCall, ward_cli_auth_call_clear)

/* The reply's tuple, or NULL with cli->status set after printing why. */
GVariant *ward_cli_auth_call (WardCli *cli, WardCliAuthCall *self);
