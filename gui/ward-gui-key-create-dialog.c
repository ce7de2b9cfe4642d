/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-key-create-dialog.h"

#include <glib/gi18n.h>

#include "ward-gui-auth.h"
#include "ward-gui-key-form.h"
#include "ward-gui-key-public.h"
#include "ward-gui-key-text.h"

#define N_PURPOSES 4

struct _WardGuiKeyCreateDialog
{
  WardGuiDialog parent;

  GtkStack *stack; /* "form", then "made" */
  AdwComboRow *purpose_row, *algorithm_row;
  GtkLabel *advice_label;
  WardGuiKeyForm *form;
  AdwStatusPage *made_page;

  WardGuiKeys *keys;
  guint n_purposes; /* to choose from, by their places in the list of all */
  guint purposes[N_PURPOSES];
  GStrv algorithms; /* those to choose from, for the purpose */
  WardGuiKey *made; /* the new key, by what is known of it; NULL before */
};

G_DEFINE_FINAL_TYPE (WardGuiKeyCreateDialog, ward_gui_key_create_dialog, WARD_GUI_TYPE_DIALOG)

typedef struct
{
  const char *title;
  const char *usage; /* the service's word for it */
  gboolean rsa, ecc; /* the kinds of keys that can do it */
  gboolean tpm12;    /* those of a TPM 1.2 can, too: there is no SSH agent that uses them */
  const char *label; /* a name to begin with */
} Purpose;

static const Purpose purposes[N_PURPOSES] = {
  { N_ ("Logging In by SSH"), "sign", TRUE, TRUE, FALSE, "ssh" },
  { N_ ("Signing Files"), "sign", TRUE, TRUE, TRUE, "signing" },
  { N_ ("Decrypting What Others Encrypt"), "decrypt", TRUE, FALSE, TRUE, "encryption" },
  { N_ ("Agreeing on Secrets (ECDH)"), "agree", FALSE, TRUE, FALSE, "agreement" },
};

/* What to know of a kind before it is chosen. */
static const char *
advice_of (const char *algorithm, gboolean is_tpm12)
{
  if (is_tpm12)
    return _ ("The only kind that a TPM 1.2 has. Making one may take the chip a minute.");
  if (g_str_equal (algorithm, "ecc-p256"))
    return _ ("Fast, and understood by nearly all programs. Recommended.");
  if (g_str_equal (algorithm, "ecc-p384"))
    return _ ("Stronger than P-256, and slower. Where a policy demands it.");
  if (g_str_equal (algorithm, "rsa2048"))
    return _ ("For old programs that know nothing else. Making one may take the chip a minute.");
  return _ ("Stronger than RSA 2048. Making one may take the chip minutes.");
}

static const Purpose *
get_purpose (WardGuiKeyCreateDialog *self)
{
  guint selected = adw_combo_row_get_selected (self->purpose_row);

  return &purposes[self->purposes[selected < self->n_purposes ? selected : 0]];
}

static const char *
get_algorithm (WardGuiKeyCreateDialog *self)
{
  guint selected = adw_combo_row_get_selected (self->algorithm_row);

  return self->algorithms != NULL && selected < g_strv_length (self->algorithms) ? self->algorithms[selected] : NULL;
}

static void
on_changed (WardGuiKeyCreateDialog *self)
{
  g_autofree char *problem = NULL;

  /* the new key's own name is no problem */
  if (self->keys == NULL || self->made != NULL || ward_gui_dialog_is_busy (WARD_GUI_DIALOG (self)))
    return;
  problem = get_algorithm (self) != NULL ? ward_gui_key_form_dup_problem (self->form)
                                         : g_strdup (_ ("This TPM has no kind of key that can do this."));
  ward_gui_dialog_set_hint (WARD_GUI_DIALOG (self), problem);
  ward_gui_dialog_set_can_apply (WARD_GUI_DIALOG (self), problem == NULL);
}

static void
on_algorithm_changed (WardGuiKeyCreateDialog *self)
{
  const char *algorithm = get_algorithm (self);

  if (algorithm != NULL)
    gtk_label_set_label (self->advice_label,
                         advice_of (algorithm, ward_gui_chip_is_tpm12 (ward_gui_keys_get_chip (self->keys))));
}

/* A name that is not taken; what the person has typed stays. */
static void
suggest_label (WardGuiKeyCreateDialog *self)
{
  const char *stem = get_purpose (self)->label;
  const char *before = ward_gui_key_form_get_label (self->form);

  for (gsize i = 0; i < N_PURPOSES && *before != '\0'; i++)
    if (g_str_has_prefix (before, purposes[i].label))
      before = "";
  if (*before != '\0')
    return;
  for (guint n = 1; n < 1000; n++)
    {
      g_autofree char *label = n == 1 ? g_strdup (stem) : g_strdup_printf ("%s-%u", stem, n);

      if (ward_gui_keys_has_label (self->keys, label, FALSE))
        continue;
      ward_gui_key_form_set_label (self->form, label);
      return;
    }
}

/* The kinds of keys that the chip has and that can do it; the recommended one first. */
static void
on_purpose_changed (WardGuiKeyCreateDialog *self)
{
  static const char *const all[] = { "ecc-p256", "rsa2048", "ecc-p384", "rsa3072" };
  const Purpose *purpose = get_purpose (self);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_autoptr (GtkStringList) titles = gtk_string_list_new (NULL);
  const char *const *offered;

  if (self->keys == NULL)
    return;
  offered = ward_dbus_tpm_get_key_algorithms (ward_gui_chip_get_tpm (ward_gui_keys_get_chip (self->keys)));
  for (gsize i = 0; i < G_N_ELEMENTS (all); i++)
    if (offered != NULL && g_strv_contains (offered, all[i])
        && (g_str_has_prefix (all[i], "rsa") ? purpose->rsa : purpose->ecc))
      {
        g_strv_builder_add (builder, all[i]);
        gtk_string_list_append (titles, ward_gui_key_text_algorithm (all[i]));
      }
  g_clear_pointer (&self->algorithms, g_strfreev);
  self->algorithms = g_strv_builder_end (builder);
  adw_combo_row_set_model (self->algorithm_row, G_LIST_MODEL (titles));
  on_algorithm_changed (self);
  suggest_label (self);
  on_changed (self);
}

static void
on_copy_clicked (WardGuiKeyCreateDialog *self)
{
  ward_gui_key_public_copy (GTK_WIDGET (self), ward_gui_keys_get_chip (self->keys), self->made, "ssh");
}

static void
on_save_clicked (WardGuiKeyCreateDialog *self)
{
  ward_gui_key_public_save (GTK_WIDGET (self), ward_gui_keys_get_chip (self->keys), self->made);
}

/* What can be done with it now. */
static void
show_made (WardGuiKeyCreateDialog *self, const char *id)
{
  const char *label = ward_gui_key_form_get_label (self->form);
  GVariantDict description = G_VARIANT_DICT_INIT (NULL);
  g_autofree char *title = g_strdup_printf (_ ("“%s” Was Made"), label);
  g_autofree char *escaped = g_markup_escape_text (title, -1);

  g_variant_dict_insert (&description, "id", "s", id);
  g_variant_dict_insert (&description, "label", "s", label);
  g_variant_dict_insert (&description, "scope", "s", ward_gui_key_form_is_system (self->form) ? "system" : "user");
  self->made = ward_gui_key_new (g_variant_dict_end (&description));
  adw_status_page_set_title (self->made_page, escaped);
  adw_status_page_set_description (
      self->made_page,
      get_purpose (self) == &purposes[0]
          ? _ ("Add its public key to the file “~/.ssh/authorized_keys” on the computers that you log in to. An SSH "
               "agent for TPM keys, such as ssh-tpm-agent, logs in with it, by what “Export” in the key’s details "
               "saves.")
          : _ ("Others need its public key to check what it signs, or to encrypt to it."));
  gtk_stack_set_visible_child_name (self->stack, "made");
  ward_gui_dialog_set_hint (WARD_GUI_DIALOG (self), NULL);
  g_object_set (self, "apply-label", NULL, "title", _ ("Key Made"), NULL);
}

static void
on_made (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (WardGuiKeyCreateDialog) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = ward_gui_auth_call_finish (WARD_GUI_CALL (source), result, &error);
  const char *id;

  if (reply != NULL)
    {
      g_variant_get (reply, "(&s)", &id);
      show_made (self, id);
      ward_gui_key_form_wipe (self->form);
      ward_gui_keys_load (self->keys);
    }
  ward_gui_dialog_set_busy (WARD_GUI_DIALOG (self), FALSE);
  ward_gui_dialog_set_error (WARD_GUI_DIALOG (self), error);
}

static void
ward_gui_key_create_dialog_apply (WardGuiDialog *dialog)
{
  WardGuiKeyCreateDialog *self = WARD_GUI_KEY_CREATE_DIALOG (dialog);
  WardGuiChip *chip = ward_gui_keys_get_chip (self->keys);
  gpointer proxy = ward_gui_key_form_is_system (self->form) ? (gpointer)ward_gui_chip_get_system_keys (chip)
                                                            : (gpointer)ward_gui_chip_get_keys (chip);
  const char *usage[] = { get_purpose (self)->usage, NULL };
  g_autoptr (WardGuiCall) call = ward_gui_call_new (
      GTK_WIDGET (self), proxy, "Create",
      g_variant_new ("(ss)", ward_gui_key_form_get_label (self->form), get_algorithm (self)),
      _ ("The TPM makes the key, which may take it a while…"));
  const WardGuiAuth auth = { .title = _ ("Make a Key"), .by_srk = TRUE };

  ward_gui_call_set_option (call, "usage", g_variant_new_strv (usage, -1));
  ward_gui_key_form_pack (self->form, call);
  ward_gui_dialog_set_busy (dialog, TRUE);
  ward_gui_auth_call_async (call, chip, &auth, on_made, g_object_ref (self));
}

static void
ward_gui_key_create_dialog_dispose (GObject *object)
{
  WardGuiKeyCreateDialog *self = WARD_GUI_KEY_CREATE_DIALOG (object);

  g_clear_object (&self->keys);
  g_clear_object (&self->made);
  g_clear_pointer (&self->algorithms, g_strfreev);
  G_OBJECT_CLASS (ward_gui_key_create_dialog_parent_class)->dispose (object);
}

static void
ward_gui_key_create_dialog_class_init (WardGuiKeyCreateDialogClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = ward_gui_key_create_dialog_dispose;
  WARD_GUI_DIALOG_CLASS (klass)->apply = ward_gui_key_create_dialog_apply;

  g_type_ensure (WARD_GUI_TYPE_KEY_FORM);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/tpmward/Manager/ward-gui-key-create-dialog.ui");
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeyCreateDialog, stack);
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeyCreateDialog, purpose_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeyCreateDialog, algorithm_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeyCreateDialog, advice_label);
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeyCreateDialog, form);
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeyCreateDialog, made_page);
  gtk_widget_class_bind_template_callback (widget_class, on_purpose_changed);
  gtk_widget_class_bind_template_callback (widget_class, on_algorithm_changed);
  gtk_widget_class_bind_template_callback (widget_class, on_changed);
  gtk_widget_class_bind_template_callback (widget_class, on_copy_clicked);
  gtk_widget_class_bind_template_callback (widget_class, on_save_clicked);
}

static void
ward_gui_key_create_dialog_init (WardGuiKeyCreateDialog *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

static void
add_purposes (WardGuiKeyCreateDialog *self)
{
  gboolean is_tpm12 = ward_gui_chip_is_tpm12 (ward_gui_keys_get_chip (self->keys));
  g_autoptr (GtkStringList) titles = gtk_string_list_new (NULL);

  for (guint i = 0; i < N_PURPOSES; i++)
    if (purposes[i].tpm12 || !is_tpm12)
      {
        self->purposes[self->n_purposes++] = i;
        gtk_string_list_append (titles, _ (purposes[i].title));
      }
  adw_combo_row_set_model (self->purpose_row, G_LIST_MODEL (titles));
}

void
ward_gui_key_create_dialog_present (GtkWidget *widget, WardGuiKeys *keys)
{
  WardGuiKeyCreateDialog *self = g_object_new (WARD_GUI_TYPE_KEY_CREATE_DIALOG, NULL);

  self->keys = g_object_ref (keys);
  ward_gui_key_form_set_keys (self->form, keys);
  /* a name may be taken by then */
  g_signal_connect_object (keys, "loaded", G_CALLBACK (on_changed), self, G_CONNECT_SWAPPED);
  add_purposes (self);
  on_purpose_changed (self);
  ward_gui_dialog_present (WARD_GUI_DIALOG (self), widget);
}
