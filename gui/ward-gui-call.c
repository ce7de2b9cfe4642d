/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-call.h"

#include <unistd.h>

#include "ward-client-output.h"
#include "ward-client-secret.h"
#include "ward-gui-activity.h"

struct _WardGuiCall
{
  GObject parent;

  GtkWidget *widget; /* weak */
  GDBusProxy *proxy;
  char *method;
  GVariant *arguments;
  char *text;

  gboolean has_options;
  GHashTable *options; /* name → GVariant */
  GHashTable *secrets; /* name → WardSecret */

  gboolean takes_output;
  int output_fd; /* -1 without */
  WardSecret *output;

  guint32 serial; /* of the message under way; 0 without */
};

G_DEFINE_FINAL_TYPE (WardGuiCall, ward_gui_call, G_TYPE_OBJECT)

static void
close_output (WardGuiCall *self)
{
  if (self->output_fd >= 0)
    close (self->output_fd);
  self->output_fd = -1;
}

static void
ward_gui_call_finalize (GObject *object)
{
  WardGuiCall *self = WARD_GUI_CALL (object);

  g_clear_weak_pointer (&self->widget);
  g_clear_object (&self->proxy);
  g_free (self->method);
  g_clear_pointer (&self->arguments, g_variant_unref);
  g_free (self->text);
  g_clear_pointer (&self->options, g_hash_table_unref);
  g_clear_pointer (&self->secrets, g_hash_table_unref);
  close_output (self);
  g_clear_pointer (&self->output, ward_secret_unref);
  G_OBJECT_CLASS (ward_gui_call_parent_class)->finalize (object);
}

static void
ward_gui_call_class_init (WardGuiCallClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = ward_gui_call_finalize;
}

static void
ward_gui_call_init (WardGuiCall *self)
{
  self->options = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_variant_unref);
  self->secrets = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify)ward_secret_unref);
  self->output_fd = -1;
}

WardGuiCall *
ward_gui_call_new (GtkWidget *widget, gpointer proxy, const char *method, GVariant *arguments, const char *text)
{
  WardGuiCall *self = g_object_new (WARD_GUI_TYPE_CALL, NULL);

  g_set_weak_pointer (&self->widget, widget);
  self->proxy = g_object_ref (proxy);
  self->method = g_strdup (method);
  self->arguments = g_variant_ref_sink (arguments != NULL ? arguments : g_variant_new_tuple (NULL, 0));
  self->text = g_strdup (text);
  return self;
}

void
ward_gui_call_set_has_options (WardGuiCall *call)
{
  call->has_options = TRUE;
}

void
ward_gui_call_set_option (WardGuiCall *call, const char *name, GVariant *value)
{
  call->has_options = TRUE;
  g_hash_table_replace (call->options, g_strdup (name), g_variant_ref_sink (value));
}

void
ward_gui_call_set_secret (WardGuiCall *call, const char *name, WardSecret *secret)
{
  call->has_options = TRUE;
  if (secret != NULL)
    g_hash_table_replace (call->secrets, g_strdup (name), ward_secret_ref (secret));
  else
    g_hash_table_remove (call->secrets, name);
}

void
ward_gui_call_set_takes_output (WardGuiCall *call)
{
  call->has_options = TRUE;
  call->takes_output = TRUE;
}

WardSecret *
ward_gui_call_get_output (WardGuiCall *call)
{
  return call->output;
}

GtkWidget *
ward_gui_call_get_widget (WardGuiCall *call)
{
  return call->widget;
}

gpointer
ward_gui_call_get_proxy (WardGuiCall *call)
{
  return call->proxy;
}

const char *
ward_gui_call_get_text (WardGuiCall *call)
{
  return call->text;
}

static gboolean
pack_output (WardGuiCall *self, GVariantDict *options, GUnixFDList *fds, GError **error)
{
  close_output (self);
  g_clear_pointer (&self->output, ward_secret_unref);
  if (!self->takes_output)
    return TRUE;
  self->output_fd = ward_client_output_new (error);
  return self->output_fd >= 0 && ward_client_output_add (self->output_fd, options, fds, error);
}

/* A floating a{sv}, or NULL with error. */
static GVariant *
pack_options (WardGuiCall *self, GUnixFDList *fds, GError **error)
{
  g_auto (GVariantDict) options = G_VARIANT_DICT_INIT (NULL);
  GHashTableIter iter;
  gpointer name, value;

  g_hash_table_iter_init (&iter, self->options);
  while (g_hash_table_iter_next (&iter, &name, &value))
    g_variant_dict_insert_value (&options, name, value);
  g_hash_table_iter_init (&iter, self->secrets);
  while (g_hash_table_iter_next (&iter, &name, &value))
    if (!ward_client_secret_add (value, name, &options, fds, error))
      return NULL;
  return pack_output (self, &options, fds, error) ? g_variant_dict_end (&options) : NULL;
}

/* The method's arguments, floating; NULL with error. */
static GVariant *
pack (WardGuiCall *self, GUnixFDList *fds, GError **error)
{
  g_autoptr (GPtrArray) children = g_ptr_array_new ();
  GVariant *tuple;
  gsize n = g_variant_n_children (self->arguments);

  if (self->has_options)
    {
      GVariant *options = pack_options (self, fds, error);

      if (options == NULL)
        return NULL;
      g_ptr_array_add (children, options);
    }
  for (gsize i = n; i > 0; i--)
    g_ptr_array_insert (children, 0, g_variant_get_child_value (self->arguments, i - 1));
  tuple = g_variant_new_tuple ((GVariant **)children->pdata, children->len);
  for (gsize i = 0; i < n; i++)
    g_variant_unref (children->pdata[i]);
  return tuple;
}

static void
on_reply (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  WardGuiCall *self = g_task_get_source_object (task);
  g_autoptr (GError) error = NULL;
  g_autoptr (GDBusMessage) reply = g_dbus_connection_send_message_with_reply_finish (G_DBUS_CONNECTION (source), result,
                                                                                     &error);
  GVariant *body;

  self->serial = 0;
  if (reply == NULL || g_dbus_message_to_gerror (reply, &error))
    {
      g_task_return_error (task, ward_client_error_take (g_steal_pointer (&error)));
      return;
    }
  if (self->takes_output)
    self->output = ward_client_output_read (self->output_fd, &error);
  close_output (self);
  if (error != NULL)
    {
      g_task_return_error (task, g_steal_pointer (&error));
      return;
    }
  body = g_dbus_message_get_body (reply);
  g_task_return_pointer (task, g_variant_ref_sink (body != NULL ? body : g_variant_new_tuple (NULL, 0)),
                         (GDestroyNotify)g_variant_unref);
}

/* A message of ours, as its serial is what a call is withdrawn by. */
static GDBusMessage *
new_message (WardGuiCall *self, GVariant *parameters, GUnixFDList *fds)
{
  GDBusMessage *message = g_dbus_message_new_method_call (WARD_CLIENT_BUS_NAME,
                                                          g_dbus_proxy_get_object_path (self->proxy),
                                                          g_dbus_proxy_get_interface_name (self->proxy), self->method);

  g_dbus_message_set_flags (message, G_DBUS_MESSAGE_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION);
  g_dbus_message_set_body (message, parameters);
  if (g_unix_fd_list_get_length (fds) > 0)
    g_dbus_message_set_unix_fd_list (message, fds);
  return message;
}

void
ward_gui_call_start_async (WardGuiCall *call, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (call, NULL, callback, user_data);
  g_autoptr (GUnixFDList) fds = g_unix_fd_list_new ();
  g_autoptr (GDBusMessage) message = NULL;
  GError *error = NULL;
  GVariant *parameters;

  g_return_if_fail (call->serial == 0);

  parameters = pack (call, fds, &error);
  if (parameters == NULL)
    {
      g_task_return_error (task, error);
      return;
    }
  message = new_message (call, parameters, fds);
  g_dbus_connection_send_message_with_reply (g_dbus_proxy_get_connection (call->proxy), message,
                                             G_DBUS_SEND_MESSAGE_FLAGS_NONE, G_MAXINT, &call->serial, NULL, on_reply,
                                             g_object_ref (task));
  if (call->text != NULL && call->widget != NULL)
    ward_gui_activity_watch (call->widget, call, task);
}

GVariant *
ward_gui_call_start_finish (WardGuiCall *call, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, call), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

/* Nobody waits for this one, but the service takes no call that wants no reply. */
static void
on_withdrawn (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GVariant) reply = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, NULL);
}

void
ward_gui_call_withdraw (WardGuiCall *call)
{
  if (call->serial == 0)
    return;
  g_dbus_connection_call (g_dbus_proxy_get_connection (call->proxy), WARD_CLIENT_BUS_NAME, WARD_CLIENT_MANAGER_PATH,
                          "org.tpmward1.Manager", "Cancel", g_variant_new ("(u)", call->serial), NULL,
                          G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, NULL, on_withdrawn, NULL);
}
