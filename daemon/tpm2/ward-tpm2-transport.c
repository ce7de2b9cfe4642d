/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tpm2-private.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* The forms in which the TCTI loader takes the name of a module. */
static const char *const name_prefixes[] = { "libtss2-tcti-", "libtss2-", "tcti-" };

/* A TCTI configuration is NAME or NAME:ARGUMENT. name: to be freed. Returns the argument, "" when there is none. */
static const char *
split (const char *transport, char **name)
{
  const char *colon = strchr (transport, ':');
  g_autofree char *module = colon != NULL ? g_strndup (transport, colon - transport) : g_strdup (transport);
  g_autofree char *base = g_path_get_basename (module);
  const char *start = base;
  char *suffix;

  for (guint i = 0; i < G_N_ELEMENTS (name_prefixes) && start == base; i++)
    if (g_str_has_prefix (base, name_prefixes[i]))
      start = base + strlen (name_prefixes[i]);
  suffix = strstr (start, ".so");
  *name = suffix != NULL ? g_strndup (start, suffix - start) : g_strdup (start);
  return colon != NULL ? colon + 1 : "";
}

/* Whether it is a software TPM behind a socket or in this process. */
gboolean
ward_tpm2_transport_is_simulator (const char *transport)
{
  g_autofree char *name = NULL;

  split (transport, &name);
  return g_str_equal (name, "swtpm") || g_str_equal (name, "mssim") || g_str_equal (name, "libtpms");
}

/* Whether nobody else can have objects or sessions in the TPM while we are connected: a simulator, which serves one
 * connection, or a device without the kernel's resource manager. Not where it does not show, as with the loader's
 * default. */
gboolean
ward_tpm2_transport_is_unshared (const char *transport)
{
  g_autofree char *name = NULL;
  const char *argument = split (transport, &name);
  const char *digits;

  if (ward_tpm2_transport_is_simulator (transport))
    return TRUE;
  if (!g_str_equal (name, "device") || !g_str_has_prefix (argument, "/dev/tpm"))
    return FALSE;
  digits = argument + strlen ("/dev/tpm");
  return *digits != '\0' && strspn (digits, "0123456789") == strlen (digits);
}

/* Whether a resource manager is known to give each connection slots of its own. Not where it does not show. */
gboolean
ward_tpm2_transport_is_managed (const char *transport)
{
  g_autofree char *name = NULL;
  const char *argument = split (transport, &name);

  return g_str_equal (name, "tabrmd") || (g_str_equal (name, "device") && g_str_has_prefix (argument, "/dev/tpmrm"));
}

static char *
explain_device (const char *path)
{
  if (access (path, F_OK) != 0)
    return g_strdup_printf ("There is no device %s: see whether the firmware setup of the machine enables the TPM and "
                            "whether the kernel has a driver for it.",
                            path);
  if (access (path, R_OK | W_OK) != 0)
    return g_strdup_printf ("The service may not open %s (%s): the group of the device and its mode must let it.", path,
                            g_strerror (errno));
  return g_strdup_printf (
      "The device %s is there. Another program may hold it (only one can, unless it is a /dev/tpmrm), "
      "or the chip does not answer its driver: see the kernel's log.",
      path);
}

/* Why a TPM may not answer by this transport and what to do, in sentences. */
char *
ward_tpm2_transport_explain (const char *transport)
{
  g_autofree char *name = NULL;
  const char *argument = split (transport, &name);

  if (ward_tpm2_transport_is_simulator (transport))
    return g_strdup_printf ("The software TPM at “%s” does not answer, or does not make sense. Start it again.",
                            transport);
  if (g_str_equal (name, "device") && *argument != '\0')
    return explain_device (argument);
  if (g_str_equal (name, "tabrmd"))
    return g_strdup (
        "It is reached through the TPM resource manager tpm2-abrmd, which does not answer. Start it again.");
  if (*transport == '\0')
    return g_strdup ("No way to reach it is configured, and none that the TCTI loader tries by itself works.");
  return g_strdup_printf ("The transport is “%s”: see that it is spelt right and that its module is installed.",
                          transport);
}
