/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-client-error.h"

#define ERROR_ENTRY(suffix, name) { WARD_CLIENT_ERROR_##suffix, WARD_ERROR_PREFIX name },

static const GDBusErrorEntry error_entries[] = { WARD_ERROR_LIST (ERROR_ENTRY) };

GQuark
ward_client_error_quark (void)
{
  static gsize quark;

  g_dbus_error_register_error_domain ("ward-client-error-quark", &quark, error_entries, G_N_ELEMENTS (error_entries));
  return (GQuark)quark;
}

typedef struct
{
  const char *remote_name; /* a D-Bus error name; one that ends in a dot stands for all that begin so */
  WardClientErrorCode code;
  const char *explanation; /* what to say before the bus's own words */
} Refusal;

#define NOT_INSTALLED                                                                                                  \
  "The TPM Ward service is not installed, or the system bus has not noticed it yet. Install it, or restart the "       \
  "machine; then try again."
#define NOT_STARTED "The TPM Ward service could not be started. “journalctl -u tpmward” may say why."
#define WENT_AWAY                                                                                                      \
  "The TPM Ward service ended before it answered. Try again; “journalctl -u tpmward” may say what happened."
#define BUS_DENIED                                                                                                     \
  "The system bus does not let you talk to the TPM Ward service. Its policy file, org.tpmward1.conf, may be missing, " \
  "or the bus may not have read it since it was installed."

/* By name and not by code: several of these have none in GLib 2.74. */
static const Refusal refusals[] = {
  { "org.freedesktop.DBus.Error.ServiceUnknown", WARD_CLIENT_ERROR_NO_SERVICE, NOT_INSTALLED },
  { "org.freedesktop.DBus.Error.Spawn.ServiceNotFound", WARD_CLIENT_ERROR_NO_SERVICE, NOT_INSTALLED },
  { "org.freedesktop.systemd1.NoSuchUnit", WARD_CLIENT_ERROR_NO_SERVICE, NOT_INSTALLED },
  { "org.freedesktop.systemd1.", WARD_CLIENT_ERROR_SERVICE_FAILED, NOT_STARTED },
  { "org.freedesktop.DBus.Error.Spawn.", WARD_CLIENT_ERROR_SERVICE_FAILED, NOT_STARTED },
  { "org.freedesktop.DBus.Error.TimedOut", WARD_CLIENT_ERROR_SERVICE_FAILED, NOT_STARTED },
  { "org.freedesktop.DBus.Error.NameHasNoOwner", WARD_CLIENT_ERROR_SERVICE_FAILED, NOT_STARTED },
  { "org.freedesktop.DBus.Error.NoReply", WARD_CLIENT_ERROR_SERVICE_FAILED, WENT_AWAY },
  { "org.freedesktop.DBus.Error.AccessDenied", WARD_CLIENT_ERROR_BUS_DENIED, BUS_DENIED },
  { "org.freedesktop.DBus.Error.LimitsExceeded", WARD_CLIENT_ERROR_BUSY, "The system bus is at its limit." },
  { "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired", WARD_CLIENT_ERROR_NOT_AUTHORIZED,
    "This needs an authorization, and there is no way to ask for it here." },
  { "org.freedesktop.DBus.Error.UnknownMethod", WARD_CLIENT_ERROR_NOT_SUPPORTED,
    "The TPM Ward service that runs does not know this call, or no longer has this TPM. It may be older than this "
    "program." },
};

static const Refusal *
find_refusal (const char *remote_name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (refusals); i++)
    {
      const char *name = refusals[i].remote_name;
      gboolean matches = g_str_has_suffix (name, ".") ? g_str_has_prefix (remote_name, name)
                                                      : g_str_equal (remote_name, name);

      if (matches)
        return &refusals[i];
    }
  return NULL;
}

/* The last part of a chain of sentences: the bus's own words, which end in no full stop. */
static GError *
explain (WardClientErrorCode code, const char *explanation, const GError *error)
{
  const char *stop = g_str_has_suffix (error->message, ".") ? "" : ".";

  return g_error_new (WARD_CLIENT_ERROR, code, "%s (The bus says: %s%s)", explanation, error->message, stop);
}

static GError *
take_local (GError *error)
{
  g_autoptr (GError) owned = error;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return g_steal_pointer (&owned);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CLOSED))
    return g_error_new_literal (WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_NO_BUS,
                                "The connection to the system bus was lost. Try again.");
  return g_error_copy (error);
}

GError *
ward_client_error_take (GError *error)
{
  g_autoptr (GError) owned = error;
  g_autofree char *remote_name = NULL;
  const Refusal *refusal;

  if (error == NULL)
    return NULL;

  remote_name = g_dbus_error_get_remote_error (error);
  if (remote_name == NULL)
    return take_local (g_steal_pointer (&owned));

  g_dbus_error_strip_remote_error (error);
  if (error->domain == WARD_CLIENT_ERROR)
    return g_steal_pointer (&owned);

  refusal = find_refusal (remote_name);
  if (refusal != NULL)
    return explain (refusal->code, refusal->explanation, error);
  return g_error_new (WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_FAILED, "%s (%s)", error->message, remote_name);
}
