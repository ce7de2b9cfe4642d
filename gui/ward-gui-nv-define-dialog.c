/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-nv-define-dialog.h"

#include <glib/gi18n.h>

#include "ward-gui-auth.h"
#include "ward-gui-notice.h"
#include "ward-gui-nv-access.h"
#include "ward-gui-nv-attributes.h"

/* TPM 2.0 Library, Part 2, 7.2, and those of them that anybody may use: TCG Registry of Reserved TPM 2.0 Handles. */
#define FIRST_INDEX 0x01000000u
#define LAST_INDEX 0x01ffffffu
#define FIRST_FREE_INDEX 0x01800000u
#define LAST_FREE_INDEX 0x01bfffffu

/* TPM Main, Part 2, 19.1: of a TPM 1.2, without the bits that say whose the number is; and those of its certificates.
 */
#define FIRST_INDEX_OF_TPM12 0x00000001u
#define LAST_INDEX_OF_TPM12 0x00ffffffu
#define FIRST_CERTIFICATE 0x0000f000u
#define LAST_CERTIFICATE 0x0000f003u

/* By their positions. */
enum
{
  BY_OWNER,
  BY_PASSWORD,
  BY_BOTH,
};

struct _WardGuiNvDefineDialog
{
  WardGuiDialog parent;

  GtkWidget *index_row, *password_row, *repeat_row;
  AdwComboRow *read_row, *write_row;
  AdwExpanderRow *more_row;
  GtkSpinButton *size_button;
  GHashTable *switches; /* an attribute's name → GtkSwitch, of those that the TPM has */

  WardGuiNvList *list;
  gboolean is_tpm12;
};

G_DEFINE_FINAL_TYPE (WardGuiNvDefineDialog, ward_gui_nv_define_dialog, WARD_GUI_TYPE_DIALOG)

static const char *
get_text (GtkWidget *row)
{
  return gtk_editable_get_text (GTK_EDITABLE (row));
}

static gboolean
is_by_password (WardGuiNvDefineDialog *self)
{
  return adw_combo_row_get_selected (self->read_row) != BY_OWNER
         || adw_combo_row_get_selected (self->write_row) != BY_OWNER;
}

static gboolean
has_password (WardGuiNvDefineDialog *self)
{
  return is_by_password (self) && *get_text (self->password_row) != '\0';
}

static gboolean
parse_index (WardGuiNvDefineDialog *self, guint32 *index)
{
  const char *text = get_text (self->index_row);
  gboolean is_hex = g_ascii_strncasecmp (text, "0x", 2) == 0;
  guint64 value;

  if (!g_ascii_string_to_unsigned (is_hex ? text + 2 : text, is_hex ? 16 : 10,
                                   self->is_tpm12 ? FIRST_INDEX_OF_TPM12 : FIRST_INDEX,
                                   self->is_tpm12 ? LAST_INDEX_OF_TPM12 : LAST_INDEX, &value, NULL))
    return FALSE;
  *index = (guint32)value;
  return TRUE;
}

/* What is wrong with the number, or NULL. */
static const char *
find_fault_of_number (WardGuiNvDefineDialog *self, guint32 *index)
{
  if (!parse_index (self, index))
    return self->is_tpm12 ? _ ("The number goes from 0x00000001 to 0x00ffffff.")
                          : _ ("The number goes from 0x01800000 to 0x01bfffff.");
  if (self->is_tpm12)
    return *index >= FIRST_CERTIFICATE && *index <= LAST_CERTIFICATE
               ? _ ("This number is reserved for a certificate of the TPM or of the computer. Choose another one.")
               : NULL;
  if (*index < FIRST_FREE_INDEX || *index > LAST_FREE_INDEX)
    return _ ("This number is reserved for the makers of the TPM and of the computer. Choose one from 0x01800000 to "
              "0x01bfffff.");
  return NULL;
}

/* What is wrong, or NULL. */
static const char *
find_fault (WardGuiNvDefineDialog *self)
{
  guint32 index;
  const char *fault = find_fault_of_number (self, &index);

  if (fault != NULL)
    return fault;
  if (ward_gui_nv_list_find (self->list, index) != NULL)
    return _ ("There is an NV index of this number already.");
  if (is_by_password (self) && !g_str_equal (get_text (self->password_row), get_text (self->repeat_row)))
    return _ ("The two passwords are not the same.");
  return NULL;
}

static void
check (WardGuiNvDefineDialog *self)
{
  const char *fault = find_fault (self);
  GtkWidget *no_da = g_hash_table_lookup (self->switches, "no_da");
  const char *hint = fault;

  if (fault == NULL && is_by_password (self) && !has_password (self))
    hint = _ ("Without a password, every program that may use the TPM can do so.");
  gtk_widget_set_visible (self->password_row, is_by_password (self));
  gtk_widget_set_visible (self->repeat_row, is_by_password (self));
  /* what has no password cannot be guessed */
  if (no_da != NULL)
    gtk_widget_set_visible (gtk_widget_get_ancestor (no_da, ADW_TYPE_ACTION_ROW), has_password (self));
  ward_gui_dialog_set_hint (WARD_GUI_DIALOG (self), hint);
  ward_gui_dialog_set_can_apply (WARD_GUI_DIALOG (self), fault == NULL);
}

static void
add_rights (GVariantBuilder *builder, AdwComboRow *row, const char *by_owner, const char *by_password)
{
  guint selected = adw_combo_row_get_selected (row);

  if (selected != BY_PASSWORD)
    g_variant_builder_add (builder, "s", by_owner);
  if (selected != BY_OWNER)
    g_variant_builder_add (builder, "s", by_password);
}

/* A floating as. */
static GVariant *
get_attributes (WardGuiNvDefineDialog *self)
{
  GVariantBuilder builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_STRING_ARRAY);

  add_rights (&builder, self->read_row, "ownerread", "authread");
  add_rights (&builder, self->write_row, "ownerwrite", "authwrite");
  if (!has_password (self) && !self->is_tpm12)
    g_variant_builder_add (&builder, "s", "no_da");
  for (const WardGuiNvChoice *choice = ward_gui_nv_choices; choice->name != NULL; choice++)
    {
      GtkSwitch *button = g_hash_table_lookup (self->switches, choice->name);
      gboolean is_chosen = button != NULL && gtk_switch_get_active (button);

      if (is_chosen && (has_password (self) || !g_str_equal (choice->name, "no_da")))
        g_variant_builder_add (&builder, "s", choice->name);
    }
  return g_variant_builder_end (&builder);
}

static void
forget_passwords (WardGuiNvDefineDialog *self)
{
  gtk_editable_set_text (GTK_EDITABLE (self->password_row), "");
  gtk_editable_set_text (GTK_EDITABLE (self->repeat_row), "");
}

static void
on_defined (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (WardGuiNvDefineDialog) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = ward_gui_auth_call_finish (WARD_GUI_CALL (source), result, &error);

  ward_gui_dialog_set_busy (WARD_GUI_DIALOG (self), FALSE);
  if (reply == NULL)
    {
      ward_gui_dialog_set_error (WARD_GUI_DIALOG (self), error);
      return;
    }
  if (gtk_window_get_transient_for (GTK_WINDOW (self)) != NULL)
    ward_gui_notice_toast (GTK_WIDGET (gtk_window_get_transient_for (GTK_WINDOW (self))),
                           _ ("The NV index was defined"));
  ward_gui_nv_list_load (self->list);
  gtk_window_close (GTK_WINDOW (self));
}

static void
ward_gui_nv_define_dialog_apply (WardGuiDialog *dialog)
{
  WardGuiNvDefineDialog *self = WARD_GUI_NV_DEFINE_DIALOG (dialog);
  WardGuiChip *chip = ward_gui_nv_list_get_chip (self->list);
  g_autoptr (WardGuiCall) call = NULL;
  guint32 index, size;

  if (!parse_index (self, &index))
    return;
  /* what was typed counts only when the focus leaves the entry, which a key's press need not do */
  gtk_spin_button_update (self->size_button);
  size = (guint32)gtk_spin_button_get_value_as_int (self->size_button);
  call = ward_gui_call_new (GTK_WIDGET (self), ward_gui_chip_get_nv (chip), "Define",
                            g_variant_new ("(uu@as)", index, size, get_attributes (self)), _ ("Defining…"));
  ward_gui_call_set_has_options (call);
  if (has_password (self))
    {
      g_autoptr (WardSecret) password = ward_gui_auth_dup_secret (GTK_EDITABLE (self->password_row));

      ward_gui_call_set_secret (call, "auth", password);
    }
  ward_gui_dialog_set_busy (dialog, TRUE);
  ward_gui_nv_owner_call_async (call, chip, on_defined, g_object_ref (self));
}

static void
on_close_request (WardGuiNvDefineDialog *self)
{
  forget_passwords (self);
}

static void
add_choice (WardGuiNvDefineDialog *self, const WardGuiNvChoice *choice)
{
  GtkWidget *row = adw_action_row_new ();
  GtkWidget *button = gtk_switch_new ();

  adw_preferences_row_set_use_markup (ADW_PREFERENCES_ROW (row), FALSE);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), _ (choice->title));
  adw_action_row_set_subtitle (ADW_ACTION_ROW (row), _ (choice->explanation));
  gtk_widget_set_tooltip_text (row, choice->name);
  gtk_widget_set_valign (button, GTK_ALIGN_CENTER);
  gtk_accessible_update_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_LABEL, _ (choice->title), -1);
  adw_action_row_add_suffix (ADW_ACTION_ROW (row), button);
  adw_action_row_set_activatable_widget (ADW_ACTION_ROW (row), button);
  adw_expander_row_add_row (self->more_row, row);
  g_hash_table_insert (self->switches, (gpointer)choice->name, button);
}

static void
ward_gui_nv_define_dialog_finalize (GObject *object)
{
  WardGuiNvDefineDialog *self = WARD_GUI_NV_DEFINE_DIALOG (object);

  g_clear_object (&self->list);
  g_hash_table_unref (self->switches);
  G_OBJECT_CLASS (ward_gui_nv_define_dialog_parent_class)->finalize (object);
}

static void
ward_gui_nv_define_dialog_class_init (WardGuiNvDefineDialogClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = ward_gui_nv_define_dialog_finalize;
  WARD_GUI_DIALOG_CLASS (klass)->apply = ward_gui_nv_define_dialog_apply;

  gtk_widget_class_set_template_from_resource (widget_class, "/org/tpmward/Manager/ward-gui-nv-define-dialog.ui");
  gtk_widget_class_bind_template_child (widget_class, WardGuiNvDefineDialog, index_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiNvDefineDialog, size_button);
  gtk_widget_class_bind_template_child (widget_class, WardGuiNvDefineDialog, read_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiNvDefineDialog, write_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiNvDefineDialog, password_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiNvDefineDialog, repeat_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiNvDefineDialog, more_row);
  gtk_widget_class_bind_template_callback (widget_class, check);
}

static void
ward_gui_nv_define_dialog_init (WardGuiNvDefineDialog *self)
{
  self->switches = g_hash_table_new (g_str_hash, g_str_equal);
  gtk_widget_init_template (GTK_WIDGET (self));
  g_signal_connect (self, "close-request", G_CALLBACK (on_close_request), NULL);
}

/* The first number that is free; a new string. */
static char *
suggest_index (WardGuiNvDefineDialog *self)
{
  guint32 index = self->is_tpm12 ? FIRST_INDEX_OF_TPM12 : FIRST_FREE_INDEX;

  while (ward_gui_nv_list_find (self->list, index) != NULL)
    index++;
  return g_strdup_printf ("0x%08x", index);
}

void
ward_gui_nv_define_dialog_present (GtkWidget *widget, WardGuiNvList *list, guint32 max_size)
{
  WardGuiNvDefineDialog *self = g_object_new (WARD_GUI_TYPE_NV_DEFINE_DIALOG, NULL);
  g_autofree char *index = NULL;

  self->list = g_object_ref (list);
  self->is_tpm12 = ward_gui_chip_is_tpm12 (ward_gui_nv_list_get_chip (list));
  for (const WardGuiNvChoice *choice = ward_gui_nv_choices; choice->name != NULL; choice++)
    if (choice->is_of_tpm12 || !self->is_tpm12)
      add_choice (self, choice);
  index = suggest_index (self);
  if (max_size > 0)
    gtk_spin_button_set_range (self->size_button, 1, max_size);
  gtk_editable_set_text (GTK_EDITABLE (self->index_row), index);
  check (self);
  ward_gui_dialog_present (WARD_GUI_DIALOG (self), widget);
}
