/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/* One TPM as it was a moment ago: for programs that make a call or two and end. It takes one call of the service to
 * find it, where a WardClient, which keeps all TPMs up to date, takes many. Used on the thread that made it. */
typedef struct
{
  char *name; /* as "tpm0" */

  GDBusConnection *connection;
  char *owner;          /* the unique name of the service */
  char *path;           /* the TPM's object */
  GVariant *interfaces; /* its properties by interface: a{sa{sv}} */
} WardClientGlance;

/* Starts the service if it does not run, and finds the TPM of that name, or with NULL the first one. Blocks. NULL when
 * anything is in the way: ward_client_new_sync () and ward_client_find_tpm () tell what. */
WardClientGlance *ward_client_glance_new_sync (const char *name);
void ward_client_glance_free (WardClientGlance *glance);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardClientGlance, ward_client_glance_free)

/* A proxy for calls of the TPM's interface, such as "org.tpmward1.Keys", without properties and signals. A new
 * reference, or NULL when the TPM lacks the interface. */
GDBusProxy *ward_client_glance_open (WardClientGlance *glance, const char *interface);

/* A property as it was; a new reference, or NULL. */
GVariant *ward_client_glance_get (WardClientGlance *glance, const char *interface, const char *property);
