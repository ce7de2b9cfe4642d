/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The choice of what a key is bound to. */
#include "gui-fixture.h"

#include "ward-client-pcr.h"
#include "ward-gui-pcr-chooser.h"

/* In a window of its own, with the chip. */
static GtkWidget *
show (GuiFixture *fixture)
{
  GtkWidget *chooser = ward_gui_pcr_chooser_new ();
  GtkWidget *window = adw_window_new ();

  g_object_set (chooser, "chip", ward_gui_window_get_chip (fixture->window), NULL);
  gtk_window_set_title (GTK_WINDOW (window), "Chooser");
  adw_window_set_content (ADW_WINDOW (window), chooser);
  gtk_window_present (GTK_WINDOW (window));
  gui_wait_for_row (window, "Bound To");
  return chooser;
}

static void
choose (GtkWidget *chooser, guint choice)
{
  adw_combo_row_set_selected (ADW_COMBO_ROW (gui_wait_for_row (chooser, "Bound To")), choice);
}

/* expected: as “tpmward key create --pcrs” takes it; NULL for nothing. */
static void
assert_selection (GtkWidget *chooser, const char *expected)
{
  g_autoptr (GVariant) selection = NULL;
  g_autofree char *text = NULL;

  g_object_get (chooser, "selection", &selection, NULL);
  text = selection != NULL ? ward_client_pcrs_format (selection) : NULL;
  g_assert_cmpstr (text, ==, expected);
}

static void
count (gpointer object, GParamSpec *property, guint *n)
{
  (*n)++;
}

static void
test_choices (GuiFixture *fixture)
{
  GtkWidget *chooser = show (fixture);
  guint n = 0;

  g_signal_connect (chooser, "notify::selection", G_CALLBACK (count), &n);
  assert_selection (chooser, NULL);
  gui_wait_for_text (chooser, "The key can always be used");
  choose (chooser, 1);
  g_assert_cmpuint (n, >, 0);
  assert_selection (chooser, "sha256:7");
  gui_wait_for_text (chooser, "while Secure Boot stays as it is now");
  choose (chooser, 2);
  assert_selection (chooser, "sha256:0,7");
  gui_wait_for_text (chooser, "After an update of the firmware");
  choose (chooser, 3);
  assert_selection (chooser, "sha256:0,4,7");
  g_assert_null (gui_find_row (chooser, "Registers (PCRs)"));
  choose (chooser, 0);
  assert_selection (chooser, NULL);
}

static void
test_own_choice (GuiFixture *fixture)
{
  GtkWidget *chooser = show (fixture);
  GtkWidget *banks;

  choose (chooser, 4);
  gui_wait_for_text (chooser, "None yet: the key would not be bound");
  assert_selection (chooser, NULL);
  gui_click (gui_wait_for_row (chooser, "Unified Kernel"));
  gui_click (gui_wait_for_row (chooser, "Secure Boot"));
  assert_selection (chooser, "sha256:7,11");
  gui_wait_for_text (chooser, "sha256:7,11");
  /* of the banks that the TPM has */
  banks = gui_wait_for_row (chooser, "Bank");
  for (guint i = 0; i < 2; i++)
    {
      WardDbusPcrs *pcrs = ward_gui_chip_get_pcrs (ward_gui_window_get_chip (fixture->window));
      const char *bank = ward_dbus_pcrs_get_banks (pcrs)[i];
      g_autofree char *expected = g_strconcat (bank, ":7,11", NULL);

      adw_combo_row_set_selected (ADW_COMBO_ROW (banks), i);
      assert_selection (chooser, expected);
    }
  gui_click (gui_wait_for_row (chooser, "Secure Boot"));
  gui_click (gui_wait_for_row (chooser, "Unified Kernel"));
  assert_selection (chooser, NULL);
  /* the preferred bank is that of the other choices, whatever was chosen here */
  choose (chooser, 1);
  assert_selection (chooser, "sha256:7");
}

/* The service takes it as it is. */
static void
test_key (GuiFixture *fixture)
{
  GtkWidget *chooser = show (fixture);
  g_autoptr (GVariant) selection = NULL;
  g_autoptr (GVariant) created = NULL;
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariant) description = NULL;
  g_autoptr (GVariant) pcrs = NULL;

  choose (chooser, 3);
  selection = ward_gui_pcr_chooser_dup_selection (WARD_GUI_PCR_CHOOSER (chooser));
  created = gui_call (fixture, "org.tpmward1.Keys", "Create",
                      g_variant_new_parsed ("('bound', 'ecc-p256', {'pcrs': <%@a{sau}>})", selection));
  g_assert_nonnull (created);
  reply = gui_call (fixture, "org.tpmward1.Keys", "Describe", g_variant_new ("(s)", "bound"));
  description = g_variant_get_child_value (reply, 0);
  pcrs = g_variant_lookup_value (description, "pcrs", G_VARIANT_TYPE ("a{sau}"));
  g_assert_true (g_variant_equal (pcrs, selection));
}

static void
add (void)
{
  gui_add_test ("/pcr-chooser/choices", test_choices);
  gui_add_test ("/pcr-chooser/own-choice", test_own_choice);
  gui_add_test ("/pcr-chooser/key", test_key);
}

int
main (int argc, char **argv)
{
  return gui_main (argc, argv, add);
}
