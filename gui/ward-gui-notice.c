/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-notice.h"

#include <glib/gi18n.h>

#include "ward-client-error.h"

/* A note with a button is there for so long at most. */
#define BUTTON_SECONDS 10

static GtkWindow *
window_of (GtkWidget *widget)
{
  GtkRoot *root = gtk_widget_get_root (widget);

  return GTK_IS_WINDOW (root) ? GTK_WINDOW (root) : NULL;
}

static AdwToastOverlay *
find_overlay (GtkWidget *widget)
{
  if (ADW_IS_TOAST_OVERLAY (widget))
    return ADW_TOAST_OVERLAY (widget);
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    {
      AdwToastOverlay *overlay = find_overlay (child);

      if (overlay != NULL)
        return overlay;
    }
  return NULL;
}

/* Of the window, or of the one that a dialog without any is over. */
static AdwToastOverlay *
overlay_of (GtkWidget *widget)
{
  for (GtkWindow *window = window_of (widget); window != NULL; window = gtk_window_get_transient_for (window))
    {
      AdwToastOverlay *overlay = find_overlay (GTK_WIDGET (window));

      if (overlay != NULL)
        return overlay;
    }
  return NULL;
}

static AdwToast *
new_toast (const char *text)
{
  g_autofree char *escaped = g_markup_escape_text (text, -1);

  return adw_toast_new (escaped);
}

void
ward_gui_notice_toast (GtkWidget *widget, const char *text)
{
  AdwToastOverlay *overlay = overlay_of (widget);

  if (overlay != NULL)
    adw_toast_overlay_add_toast (overlay, new_toast (text));
}

static gboolean
dismiss (gpointer user_data)
{
  adw_toast_dismiss (ADW_TOAST (user_data));
  return G_SOURCE_REMOVE;
}

void
ward_gui_notice_toast_with_button (GtkWidget *widget, const char *text, const char *button, GCallback callback,
                                   GCallback closed, GObject *data)
{
  AdwToastOverlay *overlay = overlay_of (widget);
  AdwToast *toast;

  if (overlay == NULL)
    return;
  toast = new_toast (text);
  adw_toast_set_button_label (toast, button);
  g_signal_connect_object (toast, "button-clicked", callback, data, G_CONNECT_SWAPPED);
  if (closed != NULL)
    g_signal_connect_object (toast, "dismissed", closed, data, G_CONNECT_SWAPPED);
  /* one that has the focus, which it gets when a dialog closes, would stay for ever, and what is to follow with it */
  g_timeout_add_seconds_full (G_PRIORITY_DEFAULT, BUTTON_SECONDS, dismiss, g_object_ref (toast), g_object_unref);
  adw_toast_overlay_add_toast (overlay, toast);
}

gboolean
ward_gui_notice_is_cancelled (const GError *error)
{
  return g_error_matches (error, WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_CANCELLED)
         || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

const char *
ward_gui_notice_headline (const GError *error)
{
  static const struct
  {
    WardClientErrorCode code;
    const char *text;
  } headlines[] = {
    { WARD_CLIENT_ERROR_NOT_AUTHORIZED, N_ ("You may not do this") },
    { WARD_CLIENT_ERROR_AUTHENTICATION_FAILED, N_ ("The password is wrong") },
    { WARD_CLIENT_ERROR_LOCKED_OUT, N_ ("The TPM is locked") },
    { WARD_CLIENT_ERROR_POLICY_MISMATCH, N_ ("The boot state is another one") },
    { WARD_CLIENT_ERROR_WOULD_BREAK, N_ ("Other programs would stop working") },
    { WARD_CLIENT_ERROR_NOT_OWNED, N_ ("The owner’s password is needed") },
    { WARD_CLIENT_ERROR_ALREADY_OWNED, N_ ("The TPM has an owner already") },
    { WARD_CLIENT_ERROR_DISABLED, N_ ("It is switched off") },
    { WARD_CLIENT_ERROR_UNREACHABLE, N_ ("The TPM does not answer") },
    { WARD_CLIENT_ERROR_NOT_SUPPORTED, N_ ("This TPM cannot do that") },
    { WARD_CLIENT_ERROR_NOT_FOUND, N_ ("It is not there any more") },
    { WARD_CLIENT_ERROR_EXISTS, N_ ("There is one of that name already") },
    { WARD_CLIENT_ERROR_INVALID_ARGUMENT, N_ ("Something about the input is wrong") },
    { WARD_CLIENT_ERROR_CORRUPT, N_ ("The data is damaged, or not of this TPM") },
    { WARD_CLIENT_ERROR_BUSY, N_ ("Too much is going on at once") },
    { WARD_CLIENT_ERROR_NO_SPACE, N_ ("There is no room left") },
    { WARD_CLIENT_ERROR_NO_BUS, N_ ("The system bus does not answer") },
    { WARD_CLIENT_ERROR_NO_SERVICE, N_ ("The TPM Ward service is not installed") },
    { WARD_CLIENT_ERROR_SERVICE_FAILED, N_ ("The TPM Ward service does not run") },
    { WARD_CLIENT_ERROR_BUS_DENIED, N_ ("You may not use the TPM Ward service") },
    { WARD_CLIENT_ERROR_NO_TPM, N_ ("No TPM was found") },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (headlines); i++)
    if (g_error_matches (error, WARD_CLIENT_ERROR, (int)headlines[i].code))
      return _ (headlines[i].text);
  return _ ("Something went wrong");
}

void
ward_gui_notice_copy (GtkWidget *widget, const char *text, const char *note)
{
  gdk_clipboard_set_text (gtk_widget_get_clipboard (widget), text);
  if (note != NULL)
    ward_gui_notice_toast (widget, note);
}

static void
on_error_response (AdwMessageDialog *dialog, const char *response, gpointer user_data)
{
  if (g_str_equal (response, "copy"))
    ward_gui_notice_copy (GTK_WIDGET (dialog), g_object_get_data (G_OBJECT (dialog), "details"), NULL);
}

/* For a message to support: what a person saw, and the error's own name. */
static char *
make_details (const char *title, const GError *error)
{
  return g_strdup_printf ("%s\n%s\n%s\n(%s, %d)", title, ward_gui_notice_headline (error), error->message,
                          g_quark_to_string (error->domain), error->code);
}

void
ward_gui_notice_error (GtkWidget *widget, const char *title, const GError *error)
{
  g_autofree char *body = NULL;
  GtkWidget *dialog;

  if (ward_gui_notice_is_cancelled (error))
    return;
  body = g_strdup_printf ("%s\n\n%s", ward_gui_notice_headline (error), error->message);
  dialog = adw_message_dialog_new (window_of (widget), title, body);
  g_object_set_data_full (G_OBJECT (dialog), "details", make_details (title, error), g_free);
  adw_message_dialog_add_responses (ADW_MESSAGE_DIALOG (dialog), "copy", _ ("Copy _Details"), "close", _ ("_Close"),
                                    NULL);
  adw_message_dialog_set_default_response (ADW_MESSAGE_DIALOG (dialog), "close");
  adw_message_dialog_set_close_response (ADW_MESSAGE_DIALOG (dialog), "close");
  g_signal_connect (dialog, "response", G_CALLBACK (on_error_response), NULL);
  gtk_window_present (GTK_WINDOW (dialog));
}

/* Of a dialog that asks: the GTask that waits for the answer. */
#define QUESTION "ward-gui-question"

static void
on_ask_response (AdwMessageDialog *dialog, const char *response, gpointer user_data)
{
  g_autoptr (GTask) task = g_object_steal_data (G_OBJECT (dialog), QUESTION);

  g_task_return_boolean (task, g_str_equal (response, "accept"));
}

/* The dialog has gone unanswered, as it does with its parent: that is no yes. */
static void
abandon (gpointer task)
{
  g_task_return_boolean (task, FALSE);
  g_object_unref (task);
}

void
ward_gui_notice_ask_async (GtkWidget *widget, const char *title, const char *body, const char *accept,
                           gboolean is_destructive, GAsyncReadyCallback callback, gpointer user_data)
{
  GtkWindow *parent = window_of (widget);
  GtkWidget *dialog = adw_message_dialog_new (parent, title, body);
  GTask *task = g_task_new (widget, NULL, callback, user_data);

  /* "destroy" would come too late: who waits for the answer may hold the window */
  if (parent != NULL)
    g_signal_connect_object (parent, "unmap", G_CALLBACK (gtk_window_destroy), dialog, G_CONNECT_SWAPPED);
  adw_message_dialog_add_responses (ADW_MESSAGE_DIALOG (dialog), "cancel", _ ("_Cancel"), "accept", accept, NULL);
  adw_message_dialog_set_default_response (ADW_MESSAGE_DIALOG (dialog), is_destructive ? "cancel" : "accept");
  adw_message_dialog_set_close_response (ADW_MESSAGE_DIALOG (dialog), "cancel");
  adw_message_dialog_set_response_appearance (ADW_MESSAGE_DIALOG (dialog), "accept",
                                              is_destructive ? ADW_RESPONSE_DESTRUCTIVE : ADW_RESPONSE_SUGGESTED);
  g_object_set_data_full (G_OBJECT (dialog), QUESTION, task, abandon);
  g_signal_connect (dialog, "response", G_CALLBACK (on_ask_response), NULL);
  gtk_window_present (GTK_WINDOW (dialog));
}

gboolean
ward_gui_notice_ask_finish (GAsyncResult *result)
{
  return g_task_propagate_boolean (G_TASK (result), NULL);
}
