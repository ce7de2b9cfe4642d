/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-new-auth.h"

#include <glib/gi18n.h>
#include <string.h>

#include "ward-gui-auth.h"

struct _WardGuiNewAuth
{
  AdwPreferencesGroup parent;

  GtkEditable *entry, *again;
  gsize max_size;
};

G_DEFINE_FINAL_TYPE (WardGuiNewAuth, ward_gui_new_auth, ADW_TYPE_PREFERENCES_GROUP)

static guint changed_signal;

static gboolean
is_same (WardGuiNewAuth *self)
{
  return g_str_equal (gtk_editable_get_text (self->entry), gtk_editable_get_text (self->again));
}

static gboolean
is_too_long (WardGuiNewAuth *self)
{
  return self->max_size > 0 && strlen (gtk_editable_get_text (self->entry)) > self->max_size;
}

static void
on_changed (WardGuiNewAuth *self)
{
  gboolean differs = *gtk_editable_get_text (self->again) != '\0' && !is_same (self);

  gtk_widget_remove_css_class (GTK_WIDGET (self->again), "error");
  if (differs)
    gtk_widget_add_css_class (GTK_WIDGET (self->again), "error");
  g_signal_emit (self, changed_signal, 0);
}

static GtkEditable *
add_entry (WardGuiNewAuth *self, const char *title)
{
  GtkWidget *entry = g_object_new (ADW_TYPE_PASSWORD_ENTRY_ROW, "title", title, "activates-default", TRUE, NULL);

  g_signal_connect_object (entry, "changed", G_CALLBACK (on_changed), self, G_CONNECT_SWAPPED);
  adw_preferences_group_add (ADW_PREFERENCES_GROUP (self), entry);
  return GTK_EDITABLE (entry);
}

char *
ward_gui_new_auth_dup_problem (WardGuiNewAuth *self)
{
  if (is_too_long (self))
    return g_strdup_printf (
        ngettext ("This TPM takes at most %u byte.", "This TPM takes at most %u bytes.", (guint)self->max_size),
        (guint)self->max_size);
  if (*gtk_editable_get_text (self->again) != '\0' && !is_same (self))
    return g_strdup (_ ("What was typed the second time is something else."));
  return NULL;
}

WardSecret *
ward_gui_new_auth_dup_secret (WardGuiNewAuth *self)
{
  if (*gtk_editable_get_text (self->entry) == '\0' || is_too_long (self) || !is_same (self))
    return NULL;
  return ward_gui_auth_dup_secret (self->entry);
}

static void
ward_gui_new_auth_dispose (GObject *object)
{
  WardGuiNewAuth *self = WARD_GUI_NEW_AUTH (object);

  /* the entries live as long as the group, which is just going */
  if (self->entry != NULL)
    {
      g_signal_handlers_disconnect_by_data (self->entry, self);
      g_signal_handlers_disconnect_by_data (self->again, self);
      gtk_editable_set_text (self->entry, "");
      gtk_editable_set_text (self->again, "");
    }
  self->entry = NULL;
  self->again = NULL;
  G_OBJECT_CLASS (ward_gui_new_auth_parent_class)->dispose (object);
}

static void
ward_gui_new_auth_class_init (WardGuiNewAuthClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = ward_gui_new_auth_dispose;
  changed_signal = g_signal_new ("changed", WARD_GUI_TYPE_NEW_AUTH, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE,
                                 0);
}

static void
ward_gui_new_auth_init (WardGuiNewAuth *self)
{
}

void
ward_gui_new_auth_set_max_size (WardGuiNewAuth *self, gsize max_size)
{
  self->max_size = max_size;
  g_signal_emit (self, changed_signal, 0);
}

GtkWidget *
ward_gui_new_auth_new (WardClientAuth auth, gboolean is_tpm12, gsize max_size)
{
  WardGuiNewAuth *self = g_object_new (WARD_GUI_TYPE_NEW_AUTH, NULL);
  const WardClientAuthInfo info = ward_client_auth_info (auth, is_tpm12);

  self->max_size = max_size;
  adw_preferences_group_set_title (ADW_PREFERENCES_GROUP (self), info.title);
  adw_preferences_group_set_description (ADW_PREFERENCES_GROUP (self), info.protects);
  self->entry = add_entry (self, _ ("New Password"));
  self->again = add_entry (self, _ ("Repeat the Password"));
  return GTK_WIDGET (self);
}
