/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-activity.h"

/* What is over by then was never worth a word. */
#define DELAY_MS 400

struct _WardGuiActivity
{
  AdwBin parent;

  GtkRevealer *revealer;
  GtkSpinner *spinner;
  GtkLabel *label;
  GtkWidget *button;

  GPtrArray *calls; /* those under way; the last one is shown */
  guint delay_id;
  GtkRoot *root; /* the window that knows this bar */
};

G_DEFINE_FINAL_TYPE (WardGuiActivity, ward_gui_activity, ADW_TYPE_BIN)

static GQuark
root_quark (void)
{
  return g_quark_from_static_string ("ward-gui-activity");
}

static void
show (WardGuiActivity *self)
{
  gboolean is_busy = self->calls->len > 0;

  if (is_busy)
    {
      gtk_label_set_label (self->label, ward_gui_call_get_text (self->calls->pdata[self->calls->len - 1]));
      gtk_widget_set_sensitive (self->button, TRUE);
    }
  gtk_spinner_set_spinning (self->spinner, is_busy);
  gtk_revealer_set_reveal_child (self->revealer, is_busy);
}

static gboolean
on_delay (gpointer user_data)
{
  WardGuiActivity *self = user_data;

  self->delay_id = 0;
  show (self);
  return G_SOURCE_REMOVE;
}

/* The button stays pressed in the person's mind: what the chip has begun comes to its end. */
static void
on_cancel_clicked (WardGuiActivity *self)
{
  if (self->calls->len == 0)
    return;
  gtk_widget_set_sensitive (self->button, FALSE);
  ward_gui_call_withdraw (self->calls->pdata[self->calls->len - 1]);
}

static void
on_completed (WardGuiActivity *self, GParamSpec *pspec, GTask *task)
{
  g_ptr_array_remove (self->calls, g_task_get_source_object (task));
  if (self->calls->len == 0)
    g_clear_handle_id (&self->delay_id, g_source_remove);
  if (self->delay_id == 0)
    show (self);
}

static WardGuiActivity *
find_bar (GtkWidget *widget)
{
  GtkRoot *root = gtk_widget_get_root (widget);

  while (root != NULL)
    {
      WardGuiActivity *bar = g_object_get_qdata (G_OBJECT (root), root_quark ());

      if (bar != NULL)
        return bar;
      root = GTK_IS_WINDOW (root) ? GTK_ROOT (gtk_window_get_transient_for (GTK_WINDOW (root))) : NULL;
    }
  return NULL;
}

void
ward_gui_activity_watch (GtkWidget *widget, WardGuiCall *call, GTask *task)
{
  WardGuiActivity *self = find_bar (widget);

  if (self == NULL)
    return;
  g_ptr_array_add (self->calls, g_object_ref (call));
  g_signal_connect_object (task, "notify::completed", G_CALLBACK (on_completed), self, G_CONNECT_SWAPPED);
  if (gtk_revealer_get_reveal_child (self->revealer))
    show (self);
  else if (self->delay_id == 0)
    self->delay_id = g_timeout_add (DELAY_MS, on_delay, self);
}

static void
ward_gui_activity_root (GtkWidget *widget)
{
  WardGuiActivity *self = WARD_GUI_ACTIVITY (widget);

  GTK_WIDGET_CLASS (ward_gui_activity_parent_class)->root (widget);
  self->root = gtk_widget_get_root (widget);
  g_object_set_qdata (G_OBJECT (self->root), root_quark (), self);
}

static void
ward_gui_activity_unroot (GtkWidget *widget)
{
  WardGuiActivity *self = WARD_GUI_ACTIVITY (widget);

  g_object_set_qdata (G_OBJECT (self->root), root_quark (), NULL);
  self->root = NULL;
  GTK_WIDGET_CLASS (ward_gui_activity_parent_class)->unroot (widget);
}

static void
ward_gui_activity_dispose (GObject *object)
{
  WardGuiActivity *self = WARD_GUI_ACTIVITY (object);

  g_clear_handle_id (&self->delay_id, g_source_remove);
  G_OBJECT_CLASS (ward_gui_activity_parent_class)->dispose (object);
}

static void
ward_gui_activity_finalize (GObject *object)
{
  g_ptr_array_unref (WARD_GUI_ACTIVITY (object)->calls);
  G_OBJECT_CLASS (ward_gui_activity_parent_class)->finalize (object);
}

static void
ward_gui_activity_class_init (WardGuiActivityClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = ward_gui_activity_dispose;
  G_OBJECT_CLASS (klass)->finalize = ward_gui_activity_finalize;
  widget_class->root = ward_gui_activity_root;
  widget_class->unroot = ward_gui_activity_unroot;

  gtk_widget_class_set_template_from_resource (widget_class, "/org/tpmward/Manager/ward-gui-activity.ui");
  gtk_widget_class_bind_template_child (widget_class, WardGuiActivity, revealer);
  gtk_widget_class_bind_template_child (widget_class, WardGuiActivity, spinner);
  gtk_widget_class_bind_template_child (widget_class, WardGuiActivity, label);
  gtk_widget_class_bind_template_child (widget_class, WardGuiActivity, button);
  gtk_widget_class_bind_template_callback (widget_class, on_cancel_clicked);
}

static void
ward_gui_activity_init (WardGuiActivity *self)
{
  self->calls = g_ptr_array_new_with_free_func (g_object_unref);
  gtk_widget_init_template (GTK_WIDGET (self));
}
