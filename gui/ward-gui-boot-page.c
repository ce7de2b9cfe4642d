/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-boot-page.h"

#include <glib/gi18n.h>

#include "ward-gui-boot-comparison.h"
#include "ward-gui-file.h"
#include "ward-gui-notice.h"
#include "ward-gui-pcr-row.h"

#define LAST_OF_FIRMWARE 7
#define LAST_OF_SYSTEM 15

struct _WardGuiBootPage
{
  WardGuiPage parent;

  GtkWidget *save_row, *copy_row, *compare_row;
  WardGuiBootComparison *comparison;
  GtkWidget *error_group, *note_group;
  AdwActionRow *error_row;
  GtkDropDown *bank_chooser;
  GtkStringList *banks;
  AdwPreferencesGroup *firmware_group, *system_group, *other_group;
  WardGuiPcrRow *rows[WARD_CLIENT_N_PCRS]; /* NULL until the page is seen */

  WardGuiBootState *state;   /* NULL while it is not known */
  GCancellable *cancellable; /* of the reading under way, or NULL */
};

G_DEFINE_FINAL_TYPE (WardGuiBootPage, ward_gui_boot_page, WARD_GUI_TYPE_PAGE)

static const char *
get_bank (WardGuiBootPage *self)
{
  guint selected = gtk_drop_down_get_selected (self->bank_chooser);

  return selected != GTK_INVALID_LIST_POSITION ? gtk_string_list_get_string (self->banks, selected) : NULL;
}

static GBytes *
get_value (WardGuiBootPage *self, const char *bank, guint32 index)
{
  return self->state != NULL && bank != NULL ? ward_gui_boot_state_get_value (self->state, bank, index) : NULL;
}

/* The firmware of a PC measures into each of its registers, be it only that
 * there is nothing. */
static gboolean
is_unmeasured (WardGuiBootPage *self, const char *bank)
{
  for (guint i = 0; i <= LAST_OF_FIRMWARE; i++)
    {
      GBytes *value = get_value (self, bank, i);
      gsize size = 0;
      const guint8 *bytes = value != NULL ? g_bytes_get_data (value, &size) : NULL;

      if (bytes == NULL || ward_client_pcr_get_state (bytes, size) != WARD_CLIENT_PCR_ZEROS)
        return FALSE;
    }
  return TRUE;
}

static void
show_values (WardGuiBootPage *self)
{
  const char *bank = get_bank (self);

  for (guint i = 0; i < WARD_CLIENT_N_PCRS; i++)
    if (self->rows[i] != NULL)
      ward_gui_pcr_row_set_value (self->rows[i], get_value (self, bank, i));
  gtk_widget_set_visible (self->note_group, is_unmeasured (self, bank));
}

/* The bank that was chosen stays; at first it is the preferred one. */
static void
show_banks (WardGuiBootPage *self)
{
  const char *const none[] = { NULL };
  const char *const *names = self->state != NULL ? ward_gui_boot_state_get_banks (self->state) : none;
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->banks));
  g_autofree char *chosen = g_strdup (get_bank (self) != NULL ? get_bank (self) : WARD_CLIENT_PCR_BANK);

  gtk_string_list_splice (self->banks, 0, n, names);
  for (guint i = 0; names[i] != NULL; i++)
    if (g_str_equal (names[i], chosen))
      gtk_drop_down_set_selected (self->bank_chooser, i);
  gtk_widget_set_visible (GTK_WIDGET (self->bank_chooser),
                          names[0] != NULL && !ward_gui_chip_is_tpm12 (ward_gui_page_get_chip (WARD_GUI_PAGE (self))));
}

static void
set_state (WardGuiBootPage *self, WardGuiBootState *state)
{
  g_set_object (&self->state, state);
  if (state != NULL)
    show_banks (self);
  show_values (self);
  ward_gui_boot_comparison_set_current (self->comparison, state);
  gtk_widget_set_sensitive (self->save_row, state != NULL);
  gtk_widget_set_sensitive (self->copy_row, state != NULL);
  gtk_widget_set_sensitive (self->compare_row, state != NULL);
}

static void
on_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (WardGuiBootPage) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (WardGuiBootState) state = ward_gui_boot_state_read_finish (result, &error);

  /* the page is another chip's now, or reads again */
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  g_clear_object (&self->cancellable);
  if (error != NULL)
    {
      g_autofree char *text = g_markup_escape_text (error->message, -1);

      adw_action_row_set_subtitle (self->error_row, text);
    }
  gtk_widget_set_visible (self->error_group, error != NULL);
  set_state (self, state);
}

static void
cancel (WardGuiBootPage *self)
{
  if (self->cancellable != NULL)
    g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
}

static void
add_rows (WardGuiBootPage *self)
{
  if (self->rows[0] != NULL)
    return;
  for (guint i = 0; i < WARD_CLIENT_N_PCRS; i++)
    {
      AdwPreferencesGroup *group = i <= LAST_OF_FIRMWARE ? self->firmware_group
                                   : i <= LAST_OF_SYSTEM ? self->system_group
                                                         : self->other_group;

      self->rows[i] = ward_gui_pcr_row_new (i);
      adw_preferences_group_add (group, GTK_WIDGET (self->rows[i]));
    }
}

static void
ward_gui_boot_page_load (WardGuiPage *page, gboolean is_refresh)
{
  WardGuiBootPage *self = WARD_GUI_BOOT_PAGE (page);

  add_rows (self);
  cancel (self);
  self->cancellable = g_cancellable_new ();
  ward_gui_boot_state_read_async (ward_gui_page_get_chip (page), self->cancellable, on_read, g_object_ref (self));
}

static void
ward_gui_boot_page_reset (WardGuiPage *page)
{
  WardGuiBootPage *self = WARD_GUI_BOOT_PAGE (page);

  cancel (self);
  gtk_widget_set_visible (self->error_group, FALSE);
  ward_gui_boot_comparison_set_saved (self->comparison, NULL, NULL);
  set_state (self, NULL);
}

static void
on_copy_activated (WardGuiBootPage *self)
{
  g_autofree char *text = ward_gui_boot_state_to_text (self->state);

  ward_gui_notice_copy (GTK_WIDGET (self), text, _ ("All values were copied"));
}

static void
on_written (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (WardGuiBootPage) self = user_data;
  g_autoptr (GError) error = NULL;

  if (ward_gui_file_write_finish (result, &error))
    ward_gui_notice_toast (GTK_WIDGET (self), _ ("The state was saved"));
  else
    ward_gui_notice_error (GTK_WIDGET (self), _ ("The State Was Not Saved"), error);
}

void
ward_gui_boot_page_save (WardGuiBootPage *page, GFile *file)
{
  g_autoptr (GBytes) data = NULL;

  if (page->state == NULL)
    return;
  data = ward_gui_boot_state_to_file (page->state);
  ward_gui_file_write_async (file, data, FALSE, NULL, on_written, g_object_ref (page));
}

static void
on_save_chosen (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (WardGuiBootPage) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GFile) file = ward_gui_file_choose_finish (result, &error);

  if (file != NULL)
    ward_gui_boot_page_save (self, file);
  else
    ward_gui_notice_error (GTK_WIDGET (self), _ ("The State Was Not Saved"), error);
}

static void
on_save_activated (WardGuiBootPage *self)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();
  g_autofree char *date = g_date_time_format (now, "%Y-%m-%d");
  g_autofree char *name = g_strdup_printf ("boot-state-%s-%s.pcrs", ward_gui_boot_state_get_tpm (self->state), date);

  ward_gui_file_choose_async (GTK_WIDGET (self), GTK_FILE_CHOOSER_ACTION_SAVE, _ ("Save the Boot State"), name,
                              on_save_chosen, g_object_ref (self));
}

typedef struct
{
  WardGuiBootPage *page;
  char *name;
} Comparison;

static void
comparison_free (Comparison *comparison)
{
  g_object_unref (comparison->page);
  g_free (comparison->name);
  g_free (comparison);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Comparison, comparison_free)

static void
on_file_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Comparison) comparison = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (WardSecret) data = ward_gui_file_read_finish (result, &error);
  g_autoptr (WardGuiBootState) saved = NULL;

  if (data != NULL)
    saved = ward_gui_boot_state_from_file (ward_secret_get_data (data), ward_secret_get_size (data), &error);
  if (saved != NULL)
    ward_gui_boot_comparison_set_saved (comparison->page->comparison, saved, comparison->name);
  else
    ward_gui_notice_error (GTK_WIDGET (comparison->page), _ ("The States Were Not Compared"), error);
}

void
ward_gui_boot_page_compare (WardGuiBootPage *page, GFile *file)
{
  Comparison *comparison = g_new0 (Comparison, 1);
  g_autofree char *name = g_file_get_basename (file);

  comparison->page = g_object_ref (page);
  comparison->name = g_filename_display_name (name);
  ward_gui_file_read_async (file, WARD_GUI_BOOT_STATE_MAX_SIZE, NULL, on_file_read, comparison);
}

static void
on_compare_chosen (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (WardGuiBootPage) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GFile) file = ward_gui_file_choose_finish (result, &error);

  if (file != NULL)
    ward_gui_boot_page_compare (self, file);
  else
    ward_gui_notice_error (GTK_WIDGET (self), _ ("The States Were Not Compared"), error);
}

static void
on_compare_activated (WardGuiBootPage *self)
{
  ward_gui_file_choose_async (GTK_WIDGET (self), GTK_FILE_CHOOSER_ACTION_OPEN, _ ("Open a Saved Boot State"), NULL,
                              on_compare_chosen, g_object_ref (self));
}

static void
ward_gui_boot_page_dispose (GObject *object)
{
  WardGuiBootPage *self = WARD_GUI_BOOT_PAGE (object);

  cancel (self);
  g_clear_object (&self->state);
  G_OBJECT_CLASS (ward_gui_boot_page_parent_class)->dispose (object);
}

static void
ward_gui_boot_page_class_init (WardGuiBootPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = ward_gui_boot_page_dispose;
  WARD_GUI_PAGE_CLASS (klass)->reset = ward_gui_boot_page_reset;
  WARD_GUI_PAGE_CLASS (klass)->load = ward_gui_boot_page_load;

  g_type_ensure (WARD_GUI_TYPE_BOOT_COMPARISON);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/tpmward/Manager/ward-gui-boot-page.ui");
  gtk_widget_class_bind_template_child (widget_class, WardGuiBootPage, save_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiBootPage, copy_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiBootPage, compare_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiBootPage, comparison);
  gtk_widget_class_bind_template_child (widget_class, WardGuiBootPage, error_group);
  gtk_widget_class_bind_template_child (widget_class, WardGuiBootPage, error_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiBootPage, note_group);
  gtk_widget_class_bind_template_child (widget_class, WardGuiBootPage, bank_chooser);
  gtk_widget_class_bind_template_child (widget_class, WardGuiBootPage, banks);
  gtk_widget_class_bind_template_child (widget_class, WardGuiBootPage, firmware_group);
  gtk_widget_class_bind_template_child (widget_class, WardGuiBootPage, system_group);
  gtk_widget_class_bind_template_child (widget_class, WardGuiBootPage, other_group);
  gtk_widget_class_bind_template_callback (widget_class, on_save_activated);
  gtk_widget_class_bind_template_callback (widget_class, on_copy_activated);
  gtk_widget_class_bind_template_callback (widget_class, on_compare_activated);
  gtk_widget_class_bind_template_callback (widget_class, show_values);
}

static void
ward_gui_boot_page_init (WardGuiBootPage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  set_state (self, NULL);
}
