/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The page Boot State. test_boot.py has extended PCR 7 of the bank sha256. */
#include "gui-fixture.h"

#include <glib/gstdio.h>
#include <signal.h>

#include "ward-client-pcr.h"
#include "ward-gui-boot-page.h"
#include "ward-gui-boot-state.h"
#include "ward-gui-pcr-row.h"
#include "ward-hex.h"

static GtkWidget *
find_page (GtkWidget *widget)
{
  if (WARD_GUI_IS_BOOT_PAGE (widget))
    return widget;
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    {
      GtkWidget *page = find_page (child);

      if (page != NULL)
        return page;
    }
  return NULL;
}

/* Shows the page, and waits until it has read the registers. */
static GtkWidget *
show (GuiFixture *fixture)
{
  gui_show_page (fixture, "boot");
  gui_wait_for_text (GTK_WIDGET (fixture->window), "Nothing was measured");
  return find_page (GTK_WIDGET (fixture->window));
}

/* What the service says, in groups of group bytes; 0 for none. A new string. */
static char *
read_value (GuiFixture *fixture, const char *bank, guint32 index, gsize group)
{
  g_autoptr (GVariant) parameters = g_variant_ref_sink (g_variant_new_parsed ("(%s, [%u])", bank, index));
  g_autoptr (GVariant) reply = gui_call (fixture, "org.tpmward1.Pcrs", "Read", parameters);
  g_autoptr (GVariant) values = g_variant_get_child_value (reply, 0);
  g_autoptr (GVariant) pair = g_variant_get_child_value (values, 0);
  g_autoptr (GVariant) digest = g_variant_get_child_value (pair, 1);
  gsize size;
  const guint8 *bytes = g_variant_get_fixed_array (digest, &size, 1);

  g_assert_cmpuint (size, >=, 20);
  return ward_hex (bytes, size, group);
}

static GtkWidget *
find_drop_down (GtkWidget *widget)
{
  GtkWidget *found = GTK_IS_DROP_DOWN (widget) ? widget : NULL;

  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL && found == NULL;
       child = gtk_widget_get_next_sibling (child))
    found = find_drop_down (child);
  return found;
}

static void
choose_bank (GtkWidget *page, const char *bank)
{
  GtkDropDown *chooser = GTK_DROP_DOWN (find_drop_down (page));
  GListModel *banks = gtk_drop_down_get_model (chooser);

  for (guint i = 0; i < g_list_model_get_n_items (banks); i++)
    if (g_str_equal (gtk_string_list_get_string (GTK_STRING_LIST (banks), i), bank))
      {
        gtk_drop_down_set_selected (chooser, i);
        return;
      }
  g_error ("There is no bank “%s”", bank);
}

static void
collect_rows (GtkWidget *widget, GPtrArray *rows)
{
  if (WARD_GUI_IS_PCR_ROW (widget))
    g_ptr_array_add (rows, widget);
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    collect_rows (child, rows);
}

/* Each register of each bank is what the service says, in the row that has its number. */
static void
test_values (GuiFixture *fixture)
{
  GtkWidget *page = show (fixture);
  WardGuiChip *chip = ward_gui_window_get_chip (fixture->window);
  const char *const *banks = ward_dbus_pcrs_get_banks (ward_gui_chip_get_pcrs (chip));
  g_autoptr (GPtrArray) rows = g_ptr_array_new ();

  collect_rows (page, rows);
  g_assert_cmpuint (rows->len, ==, WARD_CLIENT_N_PCRS);
  g_assert_cmpuint (g_strv_length ((GStrv)banks), >, 1);
  for (guint i = 0; i < rows->len; i++)
    gui_click (rows->pdata[i]);
  for (guint i = 0; banks[i] != NULL; i++)
    {
      choose_bank (page, banks[i]);
      for (guint32 j = 0; j < WARD_CLIENT_N_PCRS; j++)
        {
          g_autofree char *value = read_value (fixture, banks[i], j, 4);

          g_assert_nonnull (gui_find_text (rows->pdata[j], ward_client_pcr_get_title (j)));
          g_assert_nonnull (gui_find_text (rows->pdata[j], value));
        }
    }
}

static void
test_explanations (GuiFixture *fixture)
{
  GtkWidget *page = show (fixture);
  GtkWidget *secure_boot = gui_wait_for_row (page, "Secure Boot");
  GtkWidget *options = gui_wait_for_row (page, "Cards and Drivers");

  /* what was measured is shown by its beginning */
  g_assert_nonnull (gui_find_text (secure_boot, "…"));
  g_assert_null (gui_find_text (secure_boot, "Nothing was measured"));
  gui_click (secure_boot);
  gui_wait_for_text (secure_boot, "Secure Boot was switched on or off");
  gui_wait_for_text (secure_boot, "The value stands for all that was measured");
  gui_click (options);
  gui_wait_for_text (options, "A plug-in card was added");
  gui_wait_for_text (options, "All zeros: nothing has been measured");
  gui_wait_for_text (gui_wait_for_row (page, "Dynamic Launch"), "Not used");
  /* only where all of the firmware's registers are empty */
  g_assert_null (gui_find_text (page, "The Firmware Has Measured Nothing"));
  choose_bank (page, "sha384");
  gui_wait_for_text (page, "The Firmware Has Measured Nothing");
}

static void
test_copy (GuiFixture *fixture)
{
  GtkWidget *page = show (fixture);
  GtkWidget *row = gui_wait_for_row (page, "Secure Boot");
  g_autofree char *value = read_value (fixture, "sha256", 7, 0);
  g_autofree char *upper = g_ascii_strup (value, -1);
  g_autofree char *line = g_strdup_printf ("    7 : 0x%s\n", upper);
  g_autofree char *one = NULL;
  g_autofree char *all = NULL;

  gui_click (row);
  gui_click (gui_wait_for_button (row, "Copy the Value of PCR 7"));
  one = gui_dup_clipboard (fixture);
  g_assert_cmpstr (one, ==, value);
  gui_click (gui_wait_for_row (page, "Copy _All Values"));
  all = gui_dup_clipboard (fixture);
  g_assert_nonnull (strstr (all, "  sha256:\n"));
  g_assert_nonnull (strstr (all, line));
}

/* A new file's name in a new folder. */
static char *
new_file (void)
{
  g_autofree char *folder = g_dir_make_tmp ("boot-XXXXXX", NULL);

  return g_build_filename (folder, "state.pcrs", NULL);
}

static void
save (GtkWidget *page, const char *name)
{
  g_autoptr (GFile) file = g_file_new_for_path (name);

  ward_gui_boot_page_save (WARD_GUI_BOOT_PAGE (page), file);
  gui_wait_for_text (NULL, "The state was saved");
}

static void
compare (GtkWidget *page, const char *name)
{
  g_autoptr (GFile) file = g_file_new_for_path (name);

  ward_gui_boot_page_compare (WARD_GUI_BOOT_PAGE (page), file);
}

static void
test_save (GuiFixture *fixture)
{
  GtkWidget *page = show (fixture);
  g_autofree char *name = new_file ();
  g_autofree char *data = NULL;
  g_autofree char *value = read_value (fixture, "sha256", 7, 0);
  g_autofree char *line = g_strdup_printf ("\n7=%s\n", value);

  save (page, name);
  g_assert_true (g_file_get_contents (name, &data, NULL, NULL));
  g_assert_nonnull (strstr (data, line));
  compare (page, name);
  gui_wait_for_text (page, "Compared with “state.pcrs”");
  gui_wait_for_text (page, "Nothing has changed");
  gui_wait_for_text (page, "24 registers are the same");
  gui_click (gui_wait_for_button (page, "Close the Comparison"));
  gui_wait_until (gui_find_text (page, "Nothing has changed") == NULL);
  g_assert_cmpint (g_unlink (name), ==, 0);
}

static void
test_unusable_file (GuiFixture *fixture)
{
  GtkWidget *page = show (fixture);
  g_autofree char *name = new_file ();
  GtkWindow *dialog;

  g_assert_true (g_file_set_contents (name, "[Boot State]\nFormat=1\n", -1, NULL));
  compare (page, name);
  dialog = gui_wait_for_dialog ("The States Were Not Compared");
  gui_wait_for_text (GTK_WIDGET (dialog), "does not say when");
  gui_click (gui_wait_for_button (GTK_WIDGET (dialog), "Close"));
  g_assert_null (gui_find_text (page, "Compared with"));
  g_assert_cmpint (g_unlink (name), ==, 0);
}

/* What is not known any more is not shown. */
static void
test_gone (GuiFixture *fixture)
{
  GtkWidget *page = show (fixture);

  gui_signal_part ("swtpm", SIGKILL);
  ward_gui_page_refresh (WARD_GUI_PAGE (page));
  gui_wait_until (gui_find_row (page, "The Registers Could Not Be Read") != NULL
                  || ward_gui_window_get_chip (fixture->window) == NULL || !gtk_widget_get_mapped (page));
  if (gtk_widget_get_mapped (page))
    gui_wait_for_text (page, "Not known");
}

/* A window may be closed while its page is being read; nothing of it stays. */
static void
test_leave (GuiFixture *fixture)
{
  WardGuiWindow *other = ward_gui_window_new (NULL, fixture->machine);
  GtkWidget *page;

  gtk_window_present (GTK_WINDOW (other));
  ward_gui_window_show_page (other, "boot");
  page = find_page (GTK_WIDGET (other));
  gui_wait_for_text (page, "Nothing was measured");
  g_object_add_weak_pointer (G_OBJECT (page), (gpointer *)&page);
  gui_signal_part ("swtpm", SIGSTOP);
  ward_gui_page_refresh (WARD_GUI_PAGE (page));
  gtk_window_destroy (GTK_WINDOW (other));
  gui_signal_part ("swtpm", SIGCONT);
  gui_wait_until (page == NULL);
}

/* Of what test_boot.py has done since a state was saved. */
static void
test_changed (GuiFixture *fixture)
{
  GtkWidget *page = show (fixture);

  compare (page, g_getenv ("BOOT_STATE"));
  gui_wait_for_text (page, "Compared with “before.pcrs”");
  if (g_str_equal (g_getenv ("BOOT_CHANGE"), "ordinary"))
    {
      gui_wait_for_text (page, "1 register has changed");
      gui_wait_for_text (page, "Only such as change in ordinary use");
      gui_wait_for_row (page, "PCR 16: Debugging");
    }
  else
    {
      gui_wait_for_text (page, "2 registers have changed");
      gui_wait_for_text (page, "do not open now");
      g_assert_nonnull (gui_find_text (gui_wait_for_row (page, "PCR 0: Firmware"), "The firmware was updated."));
      gui_wait_for_row (page, "PCR 4: Boot Loader");
      gui_wait_for_text (page, "22 registers are the same");
      gui_wait_for_text (page, "PCR 1, 2, 3, 5, 6");
    }
}

static void
test_save_before (GuiFixture *fixture)
{
  save (show (fixture), g_getenv ("BOOT_STATE"));
}

static void
add (void)
{
  if (g_getenv ("BOOT_STATE") != NULL)
    {
      gui_add_test ("/boot/save-before", test_save_before);
      gui_add_test ("/boot/changed", test_changed);
      return;
    }
  gui_add_test ("/boot/values", test_values);
  gui_add_test ("/boot/explanations", test_explanations);
  gui_add_test ("/boot/copy", test_copy);
  gui_add_test ("/boot/save", test_save);
  gui_add_test ("/boot/unusable-file", test_unusable_file);
  gui_add_test ("/boot/leave", test_leave);
  gui_add_test ("/boot/gone", test_gone);
}

int
main (int argc, char **argv)
{
  return gui_main (argc, argv, add);
}
