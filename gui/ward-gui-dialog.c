/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-dialog.h"

#include <glib/gi18n.h>

#include "ward-gui-activity.h"
#include "ward-gui-notice.h"

/* So much of the content is always to be seen, in pixels, however much is said beneath it. */
#define CONTENT_MIN 240

/* How often a height is asked for that was not given: on a small screen it never is. */
#define N_TRIES 5

typedef struct
{
  GtkButton *cancel_button, *apply_button;
  GtkScrolledWindow *scroller;
  GtkRevealer *hint_revealer, *error_revealer;
  GtkLabel *hint_label, *error_label;

  gboolean can_apply, is_destructive, is_busy;
  int height;    /* that the content needs and has not got yet; else 0 */
  guint n_tries; /* left, to ask for it again */
  guint retry_id;
  GtkWidget *focus; /* weak: what had the focus before it was busy */
} WardGuiDialogPrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (WardGuiDialog, ward_gui_dialog, ADW_TYPE_WINDOW)

enum
{
  PROP_CONTENT_CHILD = 1,
  PROP_APPLY_LABEL,
  PROP_CAN_APPLY,
  PROP_DESTRUCTIVE,
  PROP_BUSY,
  N_PROPERTIES
};

static GParamSpec *properties[N_PROPERTIES];
static guint apply_signal;

/* A call may end after the person has closed the dialog over it. */
static gboolean
is_destroyed (WardGuiDialog *self)
{
  WardGuiDialogPrivate *priv = ward_gui_dialog_get_instance_private (self);

  return priv->scroller == NULL;
}

static void
follow_state (WardGuiDialog *self)
{
  WardGuiDialogPrivate *priv = ward_gui_dialog_get_instance_private (self);

  if (is_destroyed (self))
    return;
  gtk_widget_set_sensitive (GTK_WIDGET (priv->apply_button), priv->can_apply && !priv->is_busy);
  gtk_widget_set_sensitive (GTK_WIDGET (priv->scroller), !priv->is_busy);
}

static void
follow_look (WardGuiDialog *self)
{
  WardGuiDialogPrivate *priv = ward_gui_dialog_get_instance_private (self);
  GtkWidget *button = GTK_WIDGET (priv->apply_button);
  const char *label = gtk_button_get_label (priv->apply_button); /* empty where NULL was set */
  gboolean applies = label != NULL && *label != '\0';

  gtk_widget_set_visible (button, applies);
  gtk_button_set_label (priv->cancel_button, applies ? _ ("_Cancel") : _ ("_Close"));
  gtk_widget_remove_css_class (button, "suggested-action");
  gtk_widget_remove_css_class (button, "destructive-action");
  gtk_widget_add_css_class (button, priv->is_destructive ? "destructive-action" : "suggested-action");
  gtk_window_set_default_widget (GTK_WINDOW (self), applies && !priv->is_destructive ? button : NULL);
}

static void
on_apply_clicked (WardGuiDialog *self)
{
  ward_gui_dialog_set_error (self, NULL);
  g_signal_emit (self, apply_signal, 0);
}

static void
on_copy_clicked (WardGuiDialog *self)
{
  WardGuiDialogPrivate *priv = ward_gui_dialog_get_instance_private (self);

  ward_gui_notice_copy (GTK_WIDGET (self), gtk_label_get_text (priv->error_label), _ ("The details were copied"));
}

static void
get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  WardGuiDialogPrivate *priv = ward_gui_dialog_get_instance_private (WARD_GUI_DIALOG (object));

  switch (id)
    {
    case PROP_CONTENT_CHILD:
      g_value_set_object (value, gtk_scrolled_window_get_child (priv->scroller));
      break;
    case PROP_APPLY_LABEL:
      g_value_set_string (value, gtk_button_get_label (priv->apply_button));
      break;
    case PROP_CAN_APPLY:
      g_value_set_boolean (value, priv->can_apply);
      break;
    case PROP_DESTRUCTIVE:
      g_value_set_boolean (value, priv->is_destructive);
      break;
    case PROP_BUSY:
      g_value_set_boolean (value, priv->is_busy);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  WardGuiDialog *self = WARD_GUI_DIALOG (object);
  WardGuiDialogPrivate *priv = ward_gui_dialog_get_instance_private (self);

  switch (id)
    {
    case PROP_CONTENT_CHILD:
      gtk_scrolled_window_set_child (priv->scroller, g_value_get_object (value));
      break;
    case PROP_APPLY_LABEL:
      gtk_button_set_label (priv->apply_button, g_value_get_string (value));
      follow_look (self);
      break;
    case PROP_CAN_APPLY:
      ward_gui_dialog_set_can_apply (self, g_value_get_boolean (value));
      break;
    case PROP_DESTRUCTIVE:
      priv->is_destructive = g_value_get_boolean (value);
      follow_look (self);
      break;
    case PROP_BUSY:
      ward_gui_dialog_set_busy (self, g_value_get_boolean (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static gboolean on_small (gpointer user_data);

/* GTK forgets a height that it was asked for when it is told of one that it had asked for before. */
static void
ward_gui_dialog_size_allocate (GtkWidget *widget, int width, int height, int baseline)
{
  WardGuiDialogPrivate *priv = ward_gui_dialog_get_instance_private (WARD_GUI_DIALOG (widget));

  GTK_WIDGET_CLASS (ward_gui_dialog_parent_class)->size_allocate (widget, width, height, baseline);
  if (height >= priv->height)
    priv->height = 0;
  else if (priv->n_tries > 0 && priv->retry_id == 0)
    priv->retry_id = g_idle_add (on_small, widget);
}

static void
ward_gui_dialog_dispose (GObject *object)
{
  WardGuiDialogPrivate *priv = ward_gui_dialog_get_instance_private (WARD_GUI_DIALOG (object));

  g_clear_handle_id (&priv->retry_id, g_source_remove);
  g_clear_weak_pointer (&priv->focus);
  G_OBJECT_CLASS (ward_gui_dialog_parent_class)->dispose (object);
}

static void
ward_gui_dialog_class_init (WardGuiDialogClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->get_property = get_property;
  object_class->set_property = set_property;
  object_class->dispose = ward_gui_dialog_dispose;
  widget_class->size_allocate = ward_gui_dialog_size_allocate;

  properties[PROP_CONTENT_CHILD] = g_param_spec_object ("content-child", NULL, NULL, GTK_TYPE_WIDGET,
                                                        G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
  properties[PROP_APPLY_LABEL] = g_param_spec_string ("apply-label", NULL, NULL, NULL,
                                                      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
  properties[PROP_CAN_APPLY] = g_param_spec_boolean (
      "can-apply", NULL, NULL, TRUE, G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  properties[PROP_DESTRUCTIVE] = g_param_spec_boolean ("destructive", NULL, NULL, FALSE,
                                                       G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
  properties[PROP_BUSY] = g_param_spec_boolean ("busy", NULL, NULL, FALSE,
                                                G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
  apply_signal = g_signal_new ("apply", WARD_GUI_TYPE_DIALOG, G_SIGNAL_RUN_LAST,
                               G_STRUCT_OFFSET (WardGuiDialogClass, apply), NULL, NULL, NULL, G_TYPE_NONE, 0);

  g_type_ensure (WARD_GUI_TYPE_ACTIVITY);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/tpmward/Manager/ward-gui-dialog.ui");
  gtk_widget_class_bind_template_child_private (widget_class, WardGuiDialog, cancel_button);
  gtk_widget_class_bind_template_child_private (widget_class, WardGuiDialog, apply_button);
  gtk_widget_class_bind_template_child_private (widget_class, WardGuiDialog, scroller);
  gtk_widget_class_bind_template_child_private (widget_class, WardGuiDialog, hint_revealer);
  gtk_widget_class_bind_template_child_private (widget_class, WardGuiDialog, hint_label);
  gtk_widget_class_bind_template_child_private (widget_class, WardGuiDialog, error_revealer);
  gtk_widget_class_bind_template_child_private (widget_class, WardGuiDialog, error_label);
  gtk_widget_class_bind_template_callback (widget_class, on_apply_clicked);
  gtk_widget_class_bind_template_callback (widget_class, on_copy_clicked);
  gtk_widget_class_bind_template_callback (widget_class, gtk_window_close);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "window.close", NULL);
}

static void
ward_gui_dialog_init (WardGuiDialog *self)
{
  WardGuiDialogPrivate *priv = ward_gui_dialog_get_instance_private (self);

  priv->can_apply = TRUE;
  gtk_widget_init_template (GTK_WIDGET (self));
  follow_look (self);
}

static int
measure (gpointer widget, GtkOrientation orientation, int for_size)
{
  int natural;

  gtk_widget_measure (widget, orientation, for_size, NULL, &natural, NULL, NULL);
  return natural;
}

static int
measure_height (gpointer widget, int width)
{
  return measure (widget, GTK_ORIENTATION_VERTICAL, width);
}

/* What a revealer that is still opening, or has not begun to, lacks. */
static int
measure_unrevealed (GtkRevealer *revealer, int width)
{
  if (!gtk_revealer_get_reveal_child (revealer))
    return 0;
  return measure_height (gtk_revealer_get_child (revealer), width) - measure_height (revealer, width);
}

/* What the window draws around its content where there are no shadows; a part of the size that is asked for. */
static int
measure_frame (WardGuiDialog *self, GtkOrientation orientation)
{
  return measure (self, orientation, -1) - measure (adw_window_get_content (ADW_WINDOW (self)), orientation, -1);
}

/* The width that it has, or will have: a small screen gives less than is asked for. */
static int
get_width (WardGuiDialog *self)
{
  GtkWindow *parent = gtk_window_get_transient_for (GTK_WINDOW (self));
  GdkSurface *surface = parent != NULL ? gtk_native_get_surface (GTK_NATIVE (parent)) : NULL;
  GdkMonitor *monitor = NULL;
  GdkRectangle area = { 0 };
  int width, height;

  /* it has none for a while after it was mapped */
  if (gtk_widget_get_width (GTK_WIDGET (self)) > 0)
    return gtk_widget_get_width (GTK_WIDGET (self));
  gtk_window_get_default_size (GTK_WINDOW (self), &width, &height);
  if (surface != NULL)
    monitor = gdk_display_get_monitor_at_surface (gtk_widget_get_display (GTK_WIDGET (self)), surface);
  if (monitor == NULL)
    return width;
  gdk_monitor_get_geometry (monitor, &area);
  return MIN (width, area.width) - measure_frame (self, GTK_ORIENTATION_HORIZONTAL);
}

/* A scrolled window does not ask its content how tall it is at the width that it gets, but at one where no line is
 * broken: the dialog would be too low. */
static int
measure_needed (WardGuiDialog *self)
{
  WardGuiDialogPrivate *priv = ward_gui_dialog_get_instance_private (self);
  GtkWidget *content = adw_window_get_content (ADW_WINDOW (self));
  GtkWidget *child = gtk_scrolled_window_get_child (priv->scroller);
  int width = get_width (self);

  gtk_scrolled_window_set_min_content_height (priv->scroller, MIN (measure_height (child, width), CONTENT_MIN));
  return measure_height (content, width) - measure_height (priv->scroller, width)
         + MIN (measure_height (child, width), gtk_scrolled_window_get_max_content_height (priv->scroller))
         + measure_unrevealed (priv->hint_revealer, width) + measure_unrevealed (priv->error_revealer, width);
}

static void
ask_for_height (WardGuiDialog *self, int height)
{
  int default_width, default_height;

  gtk_window_get_default_size (GTK_WINDOW (self), &default_width, &default_height);
  height += measure_frame (self, GTK_ORIENTATION_VERTICAL);
  if (height > default_height)
    gtk_window_set_default_size (GTK_WINDOW (self), default_width, height);
}

static gboolean
on_small (gpointer user_data)
{
  WardGuiDialogPrivate *priv = ward_gui_dialog_get_instance_private (user_data);

  priv->retry_id = 0;
  priv->n_tries--;
  priv->height = measure_needed (user_data);
  ask_for_height (user_data, priv->height);
  return G_SOURCE_REMOVE;
}

void
ward_gui_dialog_fit (WardGuiDialog *dialog)
{
  WardGuiDialogPrivate *priv = ward_gui_dialog_get_instance_private (dialog);
  int height;

  if (is_destroyed (dialog) || gtk_scrolled_window_get_child (priv->scroller) == NULL)
    return;
  height = measure_needed (dialog);
  if (gtk_widget_get_height (GTK_WIDGET (dialog)) >= height)
    return;
  priv->height = height;
  priv->n_tries = N_TRIES;
  ask_for_height (dialog, height);
}

/* A person starts with the content: what is first in the window is Cancel, which Enter would press there. */
static void
leave_cancel (WardGuiDialog *self)
{
  WardGuiDialogPrivate *priv = ward_gui_dialog_get_instance_private (self);

  if (gtk_window_get_focus (GTK_WINDOW (self)) != GTK_WIDGET (priv->cancel_button))
    return;
  if (!gtk_widget_child_focus (GTK_WIDGET (priv->scroller), GTK_DIR_TAB_FORWARD) && !priv->is_destructive)
    gtk_widget_grab_focus (GTK_WIDGET (priv->apply_button));
}

void
ward_gui_dialog_present (WardGuiDialog *dialog, GtkWidget *widget)
{
  GtkRoot *root = gtk_widget_get_root (widget);

  if (GTK_IS_WINDOW (root))
    gtk_window_set_transient_for (GTK_WINDOW (dialog), GTK_WINDOW (root));
  ward_gui_dialog_fit (dialog);
  gtk_window_present (GTK_WINDOW (dialog));
  leave_cancel (dialog);
}

void
ward_gui_dialog_set_hint (WardGuiDialog *dialog, const char *hint)
{
  WardGuiDialogPrivate *priv = ward_gui_dialog_get_instance_private (dialog);

  if (is_destroyed (dialog))
    return;
  if (hint != NULL)
    gtk_label_set_label (priv->hint_label, hint);
  gtk_revealer_set_reveal_child (priv->hint_revealer, hint != NULL);
  ward_gui_dialog_fit (dialog);
}

void
ward_gui_dialog_set_error (WardGuiDialog *dialog, const GError *error)
{
  WardGuiDialogPrivate *priv = ward_gui_dialog_get_instance_private (dialog);
  gboolean shows = error != NULL && !ward_gui_notice_is_cancelled (error);

  if (is_destroyed (dialog))
    return;
  if (shows)
    {
      g_autofree char *text = g_strdup_printf ("%s. %s", ward_gui_notice_headline (error), error->message);

      gtk_label_set_label (priv->error_label, text);
    }
  gtk_revealer_set_reveal_child (priv->error_revealer, shows);
  ward_gui_dialog_fit (dialog);
}

gboolean
ward_gui_dialog_is_busy (WardGuiDialog *dialog)
{
  WardGuiDialogPrivate *priv = ward_gui_dialog_get_instance_private (dialog);

  return priv->is_busy;
}

void
ward_gui_dialog_set_busy (WardGuiDialog *dialog, gboolean busy)
{
  WardGuiDialogPrivate *priv = ward_gui_dialog_get_instance_private (dialog);

  if (priv->is_busy == busy)
    return;
  priv->is_busy = busy;
  /* an entry that cannot be used goes on as if it had the focus if it loses it in this way */
  if (busy)
    {
      g_set_weak_pointer (&priv->focus, gtk_window_get_focus (GTK_WINDOW (dialog)));
      gtk_window_set_focus (GTK_WINDOW (dialog), NULL);
    }
  follow_state (dialog);
  if (!busy && priv->focus != NULL && gtk_widget_get_mapped (priv->focus))
    gtk_widget_grab_focus (priv->focus);
  if (!busy)
    g_clear_weak_pointer (&priv->focus);
  g_object_notify_by_pspec (G_OBJECT (dialog), properties[PROP_BUSY]);
}

void
ward_gui_dialog_set_can_apply (WardGuiDialog *dialog, gboolean can_apply)
{
  WardGuiDialogPrivate *priv = ward_gui_dialog_get_instance_private (dialog);

  if (priv->can_apply == can_apply)
    return;
  priv->can_apply = can_apply;
  follow_state (dialog);
  g_object_notify_by_pspec (G_OBJECT (dialog), properties[PROP_CAN_APPLY]);
}
