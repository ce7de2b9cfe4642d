/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-key-delete.h"

#include <glib/gi18n.h>

#include "ward-client-key.h"
#include "ward-gui-call.h"
#include "ward-gui-notice.h"

#define WARD_GUI_TYPE_DELETION (ward_gui_deletion_get_type ())
G_DECLARE_FINAL_TYPE (WardGuiDeletion, ward_gui_deletion, WARD_GUI, DELETION, GObject)

/* One that can be undone, or is under way. It has a reference to itself until it is over. */
struct _WardGuiDeletion
{
  GObject parent;

  GtkWidget *window;
  WardGuiKeys *keys;
  WardGuiKey *key;
  gboolean was_used;
  gboolean is_over; /* it was undone, or is done */
  gulong loaded_id; /* of the signal, once the service has done it */
};

G_DEFINE_FINAL_TYPE (WardGuiDeletion, ward_gui_deletion, G_TYPE_OBJECT)

static void
ward_gui_deletion_finalize (GObject *object)
{
  WardGuiDeletion *self = WARD_GUI_DELETION (object);

  g_clear_weak_pointer (&self->window);
  g_clear_object (&self->keys);
  g_clear_object (&self->key);
  G_OBJECT_CLASS (ward_gui_deletion_parent_class)->finalize (object);
}

static void
ward_gui_deletion_class_init (WardGuiDeletionClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = ward_gui_deletion_finalize;
}

static void
ward_gui_deletion_init (WardGuiDeletion *self)
{
}

/* Only now the list is without it. */
static void
on_loaded (WardGuiDeletion *self)
{
  g_autoptr (WardGuiDeletion) owned = self;

  g_clear_signal_handler (&self->loaded_id, self->keys);
  ward_gui_keys_set_hidden (self->keys, self->key, FALSE);
}

static void
on_deleted (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (WardGuiDeletion) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = ward_gui_call_start_finish (WARD_GUI_CALL (source), result, &error);
  GApplication *application = g_application_get_default ();

  if (application != NULL)
    g_application_release (application);
  if (reply != NULL)
    {
      self->loaded_id = g_signal_connect_swapped (self->keys, "loaded", G_CALLBACK (on_loaded), self);
      ward_gui_keys_load (g_steal_pointer (&self)->keys);
      return;
    }
  ward_gui_keys_set_hidden (self->keys, self->key, FALSE);
  if (self->window != NULL)
    ward_gui_notice_error (self->window, _ ("The Key Was Not Deleted"), error);
}

/* The program stays until the service has answered, also when its last window has gone. */
static void
commit (WardGuiDeletion *self)
{
  GApplication *application = g_application_get_default ();
  g_autoptr (WardGuiCall) call = NULL;

  if (self->is_over)
    return;
  self->is_over = TRUE;
  if (application != NULL)
    g_application_hold (application);
  call = ward_gui_call_new (self->window, ward_gui_key_get_proxy (self->key, ward_gui_keys_get_chip (self->keys)),
                            "Delete", g_variant_new ("(s)", ward_gui_key_get_id (self->key)), NULL);
  ward_gui_call_start_async (call, on_deleted, self);
}

static void
undo (WardGuiDeletion *self)
{
  if (self->is_over)
    return;
  self->is_over = TRUE;
  ward_gui_keys_set_hidden (self->keys, self->key, FALSE);
  g_object_unref (self);
}

static WardGuiDeletion *
new_deletion (GtkWidget *widget, WardGuiKeys *keys, WardGuiKey *key)
{
  WardGuiDeletion *self = g_object_new (WARD_GUI_TYPE_DELETION, NULL);
  GtkRoot *root = gtk_widget_get_root (widget);

  if (root != NULL)
    g_set_weak_pointer (&self->window, GTK_WIDGET (root));
  self->keys = g_object_ref (keys);
  self->key = g_object_ref (key);
  return self;
}

static void
delete_undoably (WardGuiDeletion *self)
{
  g_autofree char *text = g_strdup_printf (_ ("“%s” deleted"), ward_gui_key_get_label (self->key));

  ward_gui_keys_set_hidden (self->keys, self->key, TRUE);
  ward_gui_notice_toast_with_button (self->window, text, _ ("Undo"), G_CALLBACK (undo), G_CALLBACK (commit),
                                     G_OBJECT (self));
  g_signal_connect_object (self->window, "destroy", G_CALLBACK (commit), self, G_CONNECT_SWAPPED);
}

static void
on_answered (GObject *source, GAsyncResult *result, gpointer user_data)
{
  WardGuiDeletion *self = user_data;

  if (ward_gui_notice_ask_finish (result))
    commit (self);
  else
    g_object_unref (self);
}

/* What goes with the key, a paragraph for each. */
static char *
make_warning (WardGuiKey *key)
{
  g_autoptr (GPtrArray) paragraphs = g_ptr_array_new ();

  if (ward_gui_key_is_system (key))
    g_ptr_array_add (paragraphs, _ ("It is one of the machine’s keys, which programs may use."));
  if (ward_gui_key_has_usage (key, "sign"))
    g_ptr_array_add (paragraphs,
                     _ ("Nobody can sign with it any more: where it is used to log in or to sign, that stops."));
  if (ward_gui_key_has_usage (key, "decrypt"))
    g_ptr_array_add (paragraphs, _ ("What was encrypted to it can never be read again."));
  if (ward_gui_key_has_usage (key, "agree"))
    g_ptr_array_add (paragraphs,
                     _ ("The secrets that were agreed on with it can never be had again, nor what they protect."));
  g_ptr_array_add (paragraphs, _ ("There is no copy of it, unless you have exported or imported it."));
  g_ptr_array_add (paragraphs, NULL);
  return g_strjoinv ("\n\n", (char **)paragraphs->pdata);
}

static void
ask (WardGuiDeletion *self)
{
  g_autofree char *title = g_strdup_printf (_ ("Delete “%s” for Good?"), ward_gui_key_get_label (self->key));
  g_autofree char *warning = make_warning (self->key);

  ward_gui_notice_ask_async (self->window, title, warning, _ ("_Delete"), TRUE, on_answered, self);
}

static void
on_described (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (WardGuiDeletion) self = user_data;
  g_autoptr (GVariant) reply = ward_client_call_finish (source, result, NULL);
  g_autoptr (GVariant) description = reply != NULL ? g_variant_get_child_value (reply, 0) : NULL;

  if (self->window == NULL || gtk_widget_in_destruction (self->window))
    return;
  if (description != NULL && ward_client_key_get_number (description, "uses") > 0)
    self->was_used = TRUE;
  if (self->was_used || ward_gui_key_is_system (self->key))
    ask (g_steal_pointer (&self));
  else
    delete_undoably (g_steal_pointer (&self));
}

/* A use is told by no signal: what is known of the key may be old. */
void
ward_gui_key_delete (GtkWidget *widget, WardGuiKeys *keys, WardGuiKey *key)
{
  WardGuiDeletion *self = new_deletion (widget, keys, key);

  self->was_used = ward_client_key_get_number (ward_gui_key_get_description (key), "uses") > 0;
  ward_client_call_async (ward_gui_key_get_proxy (key, ward_gui_keys_get_chip (keys)), "Describe",
                          g_variant_new ("(s)", ward_gui_key_get_id (key)), NULL, WARD_CLIENT_CALL_NONE, NULL,
                          on_described, self);
}
