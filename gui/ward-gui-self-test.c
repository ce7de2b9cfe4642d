/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-self-test.h"

#include <glib/gi18n.h>

#include "ward-client-text.h"
#include "ward-gui-call.h"
#include "ward-gui-notice.h"
#include "ward-hex.h"

/* Bytes of the result in a group. */
#define GROUP 4

struct _WardGuiSelfTest
{
  WardGuiGroup parent;

  AdwActionRow *result_row, *meaning_row, *bytes_value_row;
  AdwExpanderRow *bytes_row;
  GtkStack *icons;
  GtkImage *icon;
  GtkSpinner *spinner;
  AdwActionRow *run_row;
  GtkWidget *buttons, *quick_button;

  gboolean is_asking; /* a test of this person's is under way, perhaps behind a password dialog */
  guint64 bytes_of;   /* the instant of the test whose result is shown, if any is */
};

G_DEFINE_FINAL_TYPE (WardGuiSelfTest, ward_gui_self_test, WARD_GUI_TYPE_GROUP)

static WardGuiChip *
chip_of (WardGuiSelfTest *self)
{
  return ward_gui_group_get_chip (WARD_GUI_GROUP (self));
}

typedef struct
{
  const char *state; /* the service's word for it */
  const char *title;
  const char *icon_name;
  const char *css_class;
} Look;

static const Look looks[] = {
  { "passed", N_ ("Passed"), "emblem-ok-symbolic", "success" },
  { "failed", N_ ("Failed"), "dialog-error-symbolic", "error" },
  { "running", N_ ("The TPM tests itself…"), "emblem-ok-symbolic", "accent" },
  { "never-run", N_ ("Never run"), "dialog-information-symbolic", "dim-label" },
};

static const Look *
look_of (const char *state)
{
  for (gsize i = 0; i < G_N_ELEMENTS (looks); i++)
    if (g_strcmp0 (looks[i].state, state) == 0)
      return &looks[i];
  return &looks[G_N_ELEMENTS (looks) - 1];
}

static const char *
mode_text (const char *mode)
{
  return g_strcmp0 (mode, "incremental") == 0 ? _ ("Quick test") : _ ("Full test");
}

/* When, and how long it took. */
static char *
make_subtitle (WardDbusSelfTest *test)
{
  const char *mode = ward_dbus_self_test_get_mode (test);
  guint64 last_run = ward_dbus_self_test_get_last_run (test);
  g_autofree char *when = NULL;
  g_autofree char *took = NULL;

  if (g_strcmp0 (ward_dbus_self_test_get_state (test), "running") == 0)
    return g_strdup (mode_text (mode));
  if (last_run == 0)
    return g_strdup (_ ("Nobody has had this TPM test itself as yet."));
  when = ward_client_text_instant (last_run);
  took = ward_client_text_duration (ward_dbus_self_test_get_duration (test));
  /* Translators: which test, when, and how long it took */
  return g_strdup_printf (_ ("%s on %s, took %s"), mode_text (mode), when, took);
}

/* The service's sentence, and after a failed test what to do. */
static char *
make_meaning (WardDbusSelfTest *test)
{
  const char *text = ward_dbus_self_test_get_text (test);

  if (g_strcmp0 (ward_dbus_self_test_get_state (test), "failed") != 0)
    return g_markup_escape_text (text != NULL ? text : "", -1);
  return g_markup_printf_escaped (
      "%s\n%s", text,
      _ ("Restart the computer and test again. If it fails again, the TPM may be broken: make sure that you have "
         "recovery keys of encrypted disks and copies of what only this TPM can open, then ask the computer’s maker."));
}

static void
show_bytes (WardGuiSelfTest *self, GVariant *data)
{
  gsize size;
  const guint8 *bytes = g_variant_get_fixed_array (data, &size, 1);
  g_autofree char *hex = ward_hex (bytes, size, GROUP);

  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self->bytes_value_row),
                                 size > 0 ? hex : _ ("This TPM gives none."));
}

static void
on_result (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (WardGuiSelfTest) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = ward_client_call_finish (source, result, &error);
  g_autoptr (GVariant) data = NULL;

  if (chip_of (self) == NULL || (gpointer)ward_gui_chip_get_self_test (chip_of (self)) != (gpointer)source)
    return;
  if (reply == NULL)
    {
      adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self->bytes_value_row), error->message);
      return;
    }
  data = g_variant_get_child_value (reply, 3);
  show_bytes (self, data);
}

/* Only while somebody wants to see them: of the last test, whoever ran it. */
static void
read_bytes (WardGuiSelfTest *self)
{
  WardDbusSelfTest *test = ward_gui_chip_get_self_test (chip_of (self));

  if (!adw_expander_row_get_expanded (self->bytes_row)
      || g_strcmp0 (ward_dbus_self_test_get_state (test), "running") == 0)
    return;
  self->bytes_of = ward_dbus_self_test_get_last_run (test);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self->bytes_value_row), _ ("Reading…"));
  ward_client_call_async (test, "GetResult", NULL, NULL, WARD_CLIENT_CALL_NONE, NULL, on_result, g_object_ref (self));
}

static void
on_bytes_expanded (WardGuiSelfTest *self)
{
  if (chip_of (self) != NULL)
    read_bytes (self);
}

/* A TPM 1.2 has no quick test. */
static void
show_modes (WardGuiSelfTest *self)
{
  gboolean is_tpm12 = ward_gui_chip_is_tpm12 (chip_of (self));

  gtk_widget_set_visible (self->quick_button, !is_tpm12);
  adw_action_row_set_subtitle (self->run_row, is_tpm12 ? _ ("All its functions, which takes a moment")
                                                       : _ ("Quick tests what was not tested since the start"));
}

static void
show (WardGuiSelfTest *self, WardDbusSelfTest *test)
{
  const Look *look = look_of (ward_dbus_self_test_get_state (test));
  gboolean is_running = g_str_equal (look->state, "running");
  g_autofree char *subtitle = make_subtitle (test);
  g_autofree char *meaning = make_meaning (test);

  for (gsize i = 0; i < G_N_ELEMENTS (looks); i++)
    gtk_widget_remove_css_class (GTK_WIDGET (self->icon), looks[i].css_class);
  gtk_widget_add_css_class (GTK_WIDGET (self->icon), look->css_class);
  gtk_image_set_from_icon_name (self->icon, look->icon_name);
  gtk_stack_set_visible_child_name (self->icons, is_running ? "running" : "result");
  gtk_spinner_set_spinning (self->spinner, is_running);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self->result_row), _ (look->title));
  adw_action_row_set_subtitle (self->result_row, subtitle);
  adw_action_row_set_subtitle (self->meaning_row, meaning);
  gtk_widget_set_visible (GTK_WIDGET (self->meaning_row), *meaning != '\0' && !is_running);
  gtk_widget_set_sensitive (self->buttons, !is_running && !self->is_asking);
  gtk_widget_set_visible (GTK_WIDGET (self->bytes_row), !is_running);
  show_modes (self);
  if (ward_dbus_self_test_get_last_run (test) != self->bytes_of)
    read_bytes (self);
}

static void
ward_gui_self_test_update (WardGuiGroup *group)
{
  WardGuiChip *chip = ward_gui_group_get_chip (group);

  if (chip != NULL)
    show (WARD_GUI_SELF_TEST (group), ward_gui_chip_get_self_test (chip));
}

static void
ward_gui_self_test_reset (WardGuiGroup *group)
{
  adw_expander_row_set_expanded (WARD_GUI_SELF_TEST (group)->bytes_row, FALSE);
}

static void
on_ran (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (WardGuiSelfTest) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = ward_gui_call_start_finish (WARD_GUI_CALL (source), result, &error);

  self->is_asking = FALSE;
  ward_gui_self_test_update (WARD_GUI_GROUP (self));
  if (reply == NULL && gtk_widget_get_root (GTK_WIDGET (self)) != NULL)
    ward_gui_notice_error (GTK_WIDGET (self), _ ("The Self-Test Was Not Run"), error);
}

static void
run (WardGuiSelfTest *self, const char *mode)
{
  g_autoptr (WardGuiCall) call = NULL;

  if (chip_of (self) == NULL)
    return;
  call = ward_gui_call_new (GTK_WIDGET (self), ward_gui_chip_get_self_test (chip_of (self)), "Run",
                            g_variant_new ("(s)", mode), _ ("The TPM tests itself…"));
  self->is_asking = TRUE;
  ward_gui_self_test_update (WARD_GUI_GROUP (self));
  ward_gui_call_start_async (call, on_ran, g_object_ref (self));
}

static void
on_quick_clicked (WardGuiSelfTest *self)
{
  run (self, "incremental");
}

static void
on_full_clicked (WardGuiSelfTest *self)
{
  run (self, "full");
}

static void
ward_gui_self_test_class_init (WardGuiSelfTestClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  WARD_GUI_GROUP_CLASS (klass)->update = ward_gui_self_test_update;
  WARD_GUI_GROUP_CLASS (klass)->reset = ward_gui_self_test_reset;

  gtk_widget_class_set_template_from_resource (widget_class, "/org/tpmward/Manager/ward-gui-self-test.ui");
  gtk_widget_class_bind_template_child (widget_class, WardGuiSelfTest, result_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiSelfTest, meaning_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiSelfTest, bytes_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiSelfTest, bytes_value_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiSelfTest, icons);
  gtk_widget_class_bind_template_child (widget_class, WardGuiSelfTest, icon);
  gtk_widget_class_bind_template_child (widget_class, WardGuiSelfTest, spinner);
  gtk_widget_class_bind_template_child (widget_class, WardGuiSelfTest, run_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiSelfTest, buttons);
  gtk_widget_class_bind_template_child (widget_class, WardGuiSelfTest, quick_button);
  gtk_widget_class_bind_template_callback (widget_class, on_bytes_expanded);
  gtk_widget_class_bind_template_callback (widget_class, on_quick_clicked);
  gtk_widget_class_bind_template_callback (widget_class, on_full_clicked);
}

static void
ward_gui_self_test_init (WardGuiSelfTest *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}
