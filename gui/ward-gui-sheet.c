/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-sheet.h"

#include <glib/gi18n.h>
#include <string.h>

#include "ward-client-sheet.h"
#include "ward-client-text.h"
#include "ward-gui-file.h"
#include "ward-gui-notice.h"

/* Of the printed page, in points. */
#define TITLE_SIZE 20
#define TEXT_SIZE 11
#define VALUE_SIZE 16
#define GAP 14
#define SMALL_GAP 7

struct _WardGuiSheet
{
  AdwBin parent;

  AdwPreferencesGroup *values_group;
  AdwActionRow *save_row;
  GtkCheckButton *written_button;

  gboolean is_tpm12;
  char *tpm_name, *tpm_model;
  gint64 made;
  WardSecret *secrets[WARD_CLIENT_N_AUTHS]; /* by WardClientAuth; NULL for none */
  GtkWidget *rows[WARD_CLIENT_N_AUTHS];     /* not owned */
  GtkLabel *values[WARD_CLIENT_N_AUTHS];    /* likewise */
  gboolean is_stored;                       /* saved or printed */
};

G_DEFINE_FINAL_TYPE (WardGuiSheet, ward_gui_sheet, ADW_TYPE_BIN)

enum
{
  PROP_KEPT = 1,
  N_PROPERTIES
};

static GParamSpec *properties[N_PROPERTIES];

static void
notify_kept (WardGuiSheet *self)
{
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_KEPT]);
}

gboolean
ward_gui_sheet_is_kept (WardGuiSheet *sheet)
{
  return sheet->is_stored || gtk_check_button_get_active (sheet->written_button);
}

/* The one that is recommended comes first. */
static guint
collect (WardGuiSheet *self, WardClientSheetEntry *entries)
{
  guint n = 0;

  for (int i = WARD_CLIENT_N_AUTHS - 1; i >= 0; i--)
    {
      const WardClientAuthInfo info = ward_client_auth_info ((WardClientAuth)i, self->is_tpm12);

      if (self->secrets[i] != NULL)
        entries[n++] = (WardClientSheetEntry){ info.name, info.title, info.protects, self->secrets[i] };
    }
  return n;
}

static WardSecret *
make_text (WardGuiSheet *self)
{
  WardClientSheetEntry entries[WARD_CLIENT_N_AUTHS];
  const WardClientSheet sheet = { self->tpm_name, self->tpm_model, g_get_host_name (), self->made };
  guint n_entries = collect (self, entries);

  return ward_client_sheet_to_text (&sheet, entries, n_entries);
}

static void
set_stored (WardGuiSheet *self, const char *note)
{
  self->is_stored = TRUE;
  adw_action_row_set_subtitle (self->save_row, note);
  notify_kept (self);
}

static void
on_written (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (WardGuiSheet) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_file_get_parse_name (G_FILE (source));
  g_autofree char *note = NULL;

  if (!ward_gui_file_write_finish (result, &error))
    {
      ward_gui_notice_error (GTK_WIDGET (self), _ ("The Sheet Was Not Saved"), error);
      return;
    }
  note = g_strdup_printf (_ ("Saved in %s. Print it or move it off this machine, and delete it here."), path);
  set_stored (self, note);
}

static void
on_file_chosen (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (WardGuiSheet) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GFile) file = ward_gui_file_choose_finish (result, &error);
  g_autoptr (GBytes) bytes = NULL;
  WardSecret *text;

  if (file == NULL)
    {
      ward_gui_notice_error (GTK_WIDGET (self), _ ("The Sheet Was Not Saved"), error);
      return;
    }
  text = make_text (self);
  bytes = g_bytes_new_with_free_func (ward_secret_get_data (text), ward_secret_get_size (text),
                                      (GDestroyNotify)ward_secret_unref, text);
  ward_gui_file_write_async (file, bytes, TRUE, NULL, on_written, g_object_ref (self));
}

static void
on_save_clicked (WardGuiSheet *self)
{
  g_autofree char *name = g_strdup_printf ("recovery-sheet-%s.txt", self->tpm_name);

  ward_gui_file_choose_async (GTK_WIDGET (self), GTK_FILE_CHOOSER_ACTION_SAVE, _ ("Save the Recovery Sheet"), name,
                              on_file_chosen, g_object_ref (self));
}

/* Draws text below what was drawn before, which *y goes with. */
static void
draw_text (GtkPrintContext *context, const char *font, double size, gpointer text, gsize length, double *y)
{
  g_autoptr (PangoLayout) layout = gtk_print_context_create_pango_layout (context);
  g_autoptr (PangoFontDescription) description = pango_font_description_from_string (font);
  cairo_t *cr = gtk_print_context_get_cairo_context (context);
  int height;

  pango_font_description_set_size (description, (int)(size * PANGO_SCALE));
  pango_layout_set_font_description (layout, description);
  pango_layout_set_width (layout, (int)(gtk_print_context_get_width (context) * PANGO_SCALE));
  pango_layout_set_wrap (layout, PANGO_WRAP_WORD_CHAR);
  pango_layout_set_text (layout, text, (int)length);
  cairo_move_to (cr, 0, *y);
  pango_cairo_show_layout (cr, layout);
  pango_layout_get_size (layout, NULL, &height);
  *y += (double)height / PANGO_SCALE;
}

static void
draw_string (GtkPrintContext *context, const char *font, double size, const char *text, double *y)
{
  draw_text (context, font, size, (gpointer)text, strlen (text), y);
}

static void
on_draw_page (GtkPrintOperation *operation, GtkPrintContext *context, int page, WardGuiSheet *self)
{
  WardClientSheetEntry entries[WARD_CLIENT_N_AUTHS];
  const WardClientSheet sheet = { self->tpm_name, self->tpm_model, g_get_host_name (), self->made };
  g_autofree char *head = ward_client_sheet_make_head (&sheet);
  guint n_entries = collect (self, entries);
  double y = 0;

  draw_string (context, "Sans Bold", TITLE_SIZE, ward_client_sheet_title (), &y);
  y += GAP;
  draw_string (context, "Sans", TEXT_SIZE, head, &y);
  for (guint i = 0; i < n_entries; i++)
    {
      y += GAP;
      draw_string (context, "Sans Bold", TEXT_SIZE, entries[i].title, &y);
      draw_text (context, "Monospace", VALUE_SIZE, ward_secret_get_data (entries[i].secret),
                 ward_secret_get_size (entries[i].secret), &y);
      draw_string (context, "Sans", TEXT_SIZE, entries[i].protects, &y);
    }
  y += GAP;
  draw_string (context, "Sans", TEXT_SIZE, ward_client_sheet_how_to_type (), &y);
  y += SMALL_GAP;
  draw_string (context, "Sans", TEXT_SIZE, ward_client_sheet_how_to_keep (), &y);
}

static void
on_print_done (GtkPrintOperation *operation, GtkPrintOperationResult result, WardGuiSheet *self)
{
  g_autoptr (GError) error = NULL;

  if (result == GTK_PRINT_OPERATION_RESULT_APPLY)
    set_stored (self, _ ("It was sent to the printer. See that it is readable before you go on."));
  else if (result == GTK_PRINT_OPERATION_RESULT_ERROR)
    {
      gtk_print_operation_get_error (operation, &error);
      ward_gui_notice_error (GTK_WIDGET (self), _ ("The Sheet Was Not Printed"), error);
    }
}

GtkPrintOperation *
ward_gui_sheet_new_print (WardGuiSheet *sheet)
{
  GtkPrintOperation *operation = gtk_print_operation_new ();

  gtk_print_operation_set_job_name (operation, ward_client_sheet_title ());
  gtk_print_operation_set_n_pages (operation, 1);
  gtk_print_operation_set_allow_async (operation, TRUE);
  g_signal_connect_object (operation, "draw-page", G_CALLBACK (on_draw_page), sheet, 0);
  g_signal_connect_object (operation, "done", G_CALLBACK (on_print_done), sheet, 0);
  return operation;
}

static void
on_print_clicked (WardGuiSheet *self)
{
  g_autoptr (GtkPrintOperation) operation = ward_gui_sheet_new_print (self);
  GtkRoot *root = gtk_widget_get_root (GTK_WIDGET (self));

  gtk_print_operation_run (operation, GTK_PRINT_OPERATION_ACTION_PRINT_DIALOG,
                           GTK_IS_WINDOW (root) ? GTK_WINDOW (root) : NULL, NULL);
}

static GtkLabel *
new_label (const char *text, const char *css_class)
{
  GtkWidget *label = gtk_label_new (text);

  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_wrap (GTK_LABEL (label), TRUE);
  gtk_label_set_wrap_mode (GTK_LABEL (label), PANGO_WRAP_WORD_CHAR);
  gtk_widget_add_css_class (label, css_class);
  return GTK_LABEL (label);
}

static void
add_row (WardGuiSheet *self, WardClientAuth auth)
{
  const WardClientAuthInfo info = ward_client_auth_info (auth, self->is_tpm12);
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 3);
  g_autofree char *text = g_strndup ((const char *)ward_secret_get_data (self->secrets[auth]),
                                     ward_secret_get_size (self->secrets[auth]));

  self->rows[auth] = g_object_new (ADW_TYPE_PREFERENCES_ROW, "title", info.title, "activatable", FALSE, "child", box,
                                   NULL);
  self->values[auth] = new_label (text, "ward-secret");
  memset (text, 0, strlen (text));
  gtk_label_set_selectable (self->values[auth], TRUE);
  gtk_widget_add_css_class (box, "ward-sheet-row");
  gtk_box_append (GTK_BOX (box), GTK_WIDGET (new_label (info.title, "caption")));
  gtk_box_append (GTK_BOX (box), GTK_WIDGET (self->values[auth]));
  adw_preferences_group_add (self->values_group, self->rows[auth]);
}

void
ward_gui_sheet_fill (WardGuiSheet *sheet, WardGuiChip *chip, WardSecret *const *secrets)
{
  WardDbusTpm *tpm = ward_gui_chip_get_tpm (chip);
  g_autofree char *model = ward_gui_chip_dup_model (chip);

  ward_gui_sheet_clear (sheet);
  sheet->is_tpm12 = ward_gui_chip_is_tpm12 (chip);
  sheet->tpm_name = g_strdup (ward_gui_chip_get_name (chip));
  sheet->tpm_model = g_strdup_printf (_ ("%s, firmware %s"), model, ward_dbus_tpm_get_firmware_version (tpm));
  sheet->made = g_get_real_time ();
  for (int i = WARD_CLIENT_N_AUTHS - 1; i >= 0; i--)
    {
      if (secrets[i] == NULL)
        continue;
      sheet->secrets[i] = ward_secret_ref (secrets[i]);
      add_row (sheet, (WardClientAuth)i);
    }
}

void
ward_gui_sheet_clear (WardGuiSheet *sheet)
{
  for (int i = 0; i < WARD_CLIENT_N_AUTHS; i++)
    {
      g_clear_pointer (&sheet->secrets[i], ward_secret_unref);
      if (sheet->rows[i] == NULL)
        continue;
      gtk_label_set_label (sheet->values[i], "");
      adw_preferences_group_remove (sheet->values_group, sheet->rows[i]);
      sheet->rows[i] = NULL;
      sheet->values[i] = NULL;
    }
  g_clear_pointer (&sheet->tpm_name, g_free);
  g_clear_pointer (&sheet->tpm_model, g_free);
  sheet->is_stored = FALSE;
  gtk_check_button_set_active (sheet->written_button, FALSE);
  adw_action_row_set_subtitle (sheet->save_row, "");
  notify_kept (sheet);
}

static void
get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  if (id == PROP_KEPT)
    g_value_set_boolean (value, ward_gui_sheet_is_kept (WARD_GUI_SHEET (object)));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
ward_gui_sheet_finalize (GObject *object)
{
  WardGuiSheet *self = WARD_GUI_SHEET (object);

  for (int i = 0; i < WARD_CLIENT_N_AUTHS; i++)
    g_clear_pointer (&self->secrets[i], ward_secret_unref);
  g_free (self->tpm_name);
  g_free (self->tpm_model);
  G_OBJECT_CLASS (ward_gui_sheet_parent_class)->finalize (object);
}

static void
ward_gui_sheet_class_init (WardGuiSheetClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->get_property = get_property;
  object_class->finalize = ward_gui_sheet_finalize;

  properties[PROP_KEPT] = g_param_spec_boolean ("kept", NULL, NULL, FALSE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);

  gtk_widget_class_set_template_from_resource (widget_class, "/org/tpmward/Manager/ward-gui-sheet.ui");
  gtk_widget_class_bind_template_child (widget_class, WardGuiSheet, values_group);
  gtk_widget_class_bind_template_child (widget_class, WardGuiSheet, save_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiSheet, written_button);
  gtk_widget_class_bind_template_callback (widget_class, on_save_clicked);
  gtk_widget_class_bind_template_callback (widget_class, on_print_clicked);
  gtk_widget_class_bind_template_callback (widget_class, notify_kept);
}

static void
ward_gui_sheet_init (WardGuiSheet *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}
