/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-client-glance.h"

#include "ward-client.h"

#define TPM_INTERFACE "org.tpmward1.Tpm"

void
ward_client_glance_free (WardClientGlance *glance)
{
  g_clear_object (&glance->connection);
  g_clear_pointer (&glance->interfaces, g_variant_unref);
  g_free (glance->name);
  g_free (glance->owner);
  g_free (glance->path);
  g_free (glance);
}

/* What the service has, a{oa{sa{sv}}}, and who said it. */
static GVariant *
get_objects (GDBusConnection *connection, char **owner)
{
  g_autoptr (GDBusMessage) call = NULL;
  g_autoptr (GDBusMessage) reply = NULL;
  GVariant *body;

  call = g_dbus_message_new_method_call (WARD_CLIENT_BUS_NAME, WARD_CLIENT_OBJECT_PATH,
                                         "org.freedesktop.DBus.ObjectManager", "GetManagedObjects");
  reply = g_dbus_connection_send_message_with_reply_sync (connection, call, G_DBUS_SEND_MESSAGE_FLAGS_NONE, G_MAXINT,
                                                          NULL, NULL, NULL);
  if (reply == NULL || g_dbus_message_to_gerror (reply, NULL))
    return NULL;
  body = g_dbus_message_get_body (reply);
  if (body == NULL || !g_variant_is_of_type (body, G_VARIANT_TYPE ("(a{oa{sa{sv}}})")))
    return NULL;
  *owner = g_strdup (g_dbus_message_get_sender (reply));
  return g_variant_get_child_value (body, 0);
}

static char *
get_name (GVariant *interfaces)
{
  g_autoptr (GVariant) properties = g_variant_lookup_value (interfaces, TPM_INTERFACE, G_VARIANT_TYPE_VARDICT);
  char *name = NULL;

  if (properties != NULL)
    g_variant_lookup (properties, "Name", "s", &name);
  return name;
}

/* Takes the object over if it is the TPM that is wanted, or an earlier one. */
static void
consider (WardClientGlance *glance, const char *wanted, const char *path, GVariant *interfaces)
{
  g_autofree char *name = get_name (interfaces);

  if (name == NULL || (wanted != NULL && !g_str_equal (wanted, name)))
    return;
  if (glance->name != NULL && g_strcmp0 (glance->name, name) <= 0)
    return;
  g_free (glance->name);
  g_free (glance->path);
  g_clear_pointer (&glance->interfaces, g_variant_unref);
  glance->name = g_steal_pointer (&name);
  glance->path = g_strdup (path);
  glance->interfaces = g_variant_ref (interfaces);
}

WardClientGlance *
ward_client_glance_new_sync (const char *name)
{
  g_autoptr (WardClientGlance) glance = g_new0 (WardClientGlance, 1);
  g_autoptr (GVariant) objects = NULL;
  GVariantIter iter;
  const char *path;
  GVariant *interfaces;

  (void)WARD_CLIENT_ERROR; /* registers the names before the first error arrives */
  glance->connection = g_bus_get_sync (G_BUS_TYPE_SYSTEM, NULL, NULL);
  if (glance->connection == NULL)
    return NULL;
  g_dbus_connection_set_exit_on_close (glance->connection, FALSE);
  objects = get_objects (glance->connection, &glance->owner);
  if (objects == NULL)
    return NULL;

  g_variant_iter_init (&iter, objects);
  while (g_variant_iter_next (&iter, "{&o@a{sa{sv}}}", &path, &interfaces))
    {
      consider (glance, name, path, interfaces);
      g_variant_unref (interfaces);
    }
  return glance->name != NULL ? g_steal_pointer (&glance) : NULL;
}

/* By the unique name, as GDBus asks nobody about that. */
GDBusProxy *
ward_client_glance_open (WardClientGlance *glance, const char *interface)
{
  g_autoptr (GVariant) properties = g_variant_lookup_value (glance->interfaces, interface, G_VARIANT_TYPE_VARDICT);
  GDBusProxyFlags flags = G_DBUS_PROXY_FLAGS_DO_NOT_LOAD_PROPERTIES | G_DBUS_PROXY_FLAGS_DO_NOT_CONNECT_SIGNALS
                          | G_DBUS_PROXY_FLAGS_DO_NOT_AUTO_START;

  if (properties == NULL)
    return NULL;
  return g_dbus_proxy_new_sync (glance->connection, flags, NULL, glance->owner, glance->path, interface, NULL, NULL);
}

GVariant *
ward_client_glance_get (WardClientGlance *glance, const char *interface, const char *property)
{
  g_autoptr (GVariant) properties = g_variant_lookup_value (glance->interfaces, interface, G_VARIANT_TYPE_VARDICT);

  return properties != NULL ? g_variant_lookup_value (properties, property, NULL) : NULL;
}
