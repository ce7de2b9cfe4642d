/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-key-form.h"

#include <glib/gi18n.h>
#include <string.h>

#include "ward-gui-auth.h"
#include "ward-gui-key-text.h"
#include "ward-gui-pcr-chooser.h"

/* The most bytes that the service takes as a key's auth value. */
#define PASSWORD_MAX 64

struct _WardGuiKeyForm
{
  AdwBin parent;

  GtkEditable *label_row, *comment_row, *password_entry, *again_entry;
  AdwComboRow *owner_row;
  AdwExpanderRow *password_row;
  WardGuiPcrChooser *pcr_chooser;

  WardGuiKeys *keys;
};

G_DEFINE_FINAL_TYPE (WardGuiKeyForm, ward_gui_key_form, ADW_TYPE_BIN)

static guint changed_signal;

static void
on_changed (WardGuiKeyForm *self)
{
  g_signal_emit (self, changed_signal, 0);
}

static void
ward_gui_key_form_dispose (GObject *object)
{
  g_clear_object (&WARD_GUI_KEY_FORM (object)->keys);
  G_OBJECT_CLASS (ward_gui_key_form_parent_class)->dispose (object);
}

static void
ward_gui_key_form_class_init (WardGuiKeyFormClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = ward_gui_key_form_dispose;
  changed_signal = g_signal_new ("changed", WARD_GUI_TYPE_KEY_FORM, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE,
                                 0);

  g_type_ensure (WARD_GUI_TYPE_PCR_CHOOSER);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/tpmward/Manager/ward-gui-key-form.ui");
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeyForm, label_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeyForm, owner_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeyForm, comment_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeyForm, password_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeyForm, password_entry);
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeyForm, again_entry);
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeyForm, pcr_chooser);
  gtk_widget_class_bind_template_callback (widget_class, on_changed);
}

static void
ward_gui_key_form_init (WardGuiKeyForm *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

void
ward_gui_key_form_set_keys (WardGuiKeyForm *form, WardGuiKeys *keys)
{
  form->keys = g_object_ref (keys);
  g_object_set (form->pcr_chooser, "chip", ward_gui_keys_get_chip (keys), NULL);
  gtk_widget_set_visible (GTK_WIDGET (form->pcr_chooser), !ward_gui_chip_is_tpm12 (ward_gui_keys_get_chip (keys)));
}

void
ward_gui_key_form_set_label (WardGuiKeyForm *form, const char *label)
{
  gtk_editable_set_text (form->label_row, label);
}

const char *
ward_gui_key_form_get_label (WardGuiKeyForm *form)
{
  return gtk_editable_get_text (form->label_row);
}

gboolean
ward_gui_key_form_is_system (WardGuiKeyForm *form)
{
  return adw_combo_row_get_selected (form->owner_row) == 1;
}

static char *
check_password (WardGuiKeyForm *self)
{
  const char *password = gtk_editable_get_text (self->password_entry);

  if (!adw_expander_row_get_enable_expansion (self->password_row))
    return NULL;
  if (*password == '\0')
    return g_strdup (_ ("Type the password, or do without one."));
  if (strlen (password) > PASSWORD_MAX)
    return g_strdup_printf (_ ("The password is too long: a TPM takes %d bytes."), PASSWORD_MAX);
  if (strcmp (password, gtk_editable_get_text (self->again_entry)) != 0)
    return g_strdup (_ ("The two passwords are not the same yet."));
  return NULL;
}

char *
ward_gui_key_form_dup_problem (WardGuiKeyForm *form)
{
  char *problem = ward_gui_key_text_check_label (form->keys, ward_gui_key_form_get_label (form),
                                                 ward_gui_key_form_is_system (form));

  return problem != NULL ? problem : check_password (form);
}

void
ward_gui_key_form_pack (WardGuiKeyForm *form, WardGuiCall *call)
{
  const char *comment = gtk_editable_get_text (form->comment_row);
  g_autoptr (GVariant) pcrs = ward_gui_pcr_chooser_dup_selection (form->pcr_chooser);

  if (*comment != '\0')
    ward_gui_call_set_option (call, "comment", g_variant_new_string (comment));
  if (pcrs != NULL)
    ward_gui_call_set_option (call, "pcrs", pcrs);
  if (adw_expander_row_get_enable_expansion (form->password_row))
    {
      g_autoptr (WardSecret) secret = ward_gui_auth_dup_secret (form->password_entry);

      ward_gui_call_set_secret (call, "auth", secret);
    }
}

void
ward_gui_key_form_wipe (WardGuiKeyForm *form)
{
  gtk_editable_set_text (form->password_entry, "");
  gtk_editable_set_text (form->again_entry, "");
}
