/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A call that needs a secret: asked for it, a person is told what a wrong one costs, and can try again. */
#include "gui-fixture.h"

#include <signal.h>
#include <unistd.h>

#include "ward-gui-auth.h"

#define KEYS "org.tpmward1.Keys"
#define LOCKOUT "org.tpmward1.Lockout"
#define OWNERSHIP "org.tpmward1.Ownership"
#define TITLE "Password of “k”"

static const WardGuiAuth key_auth = { .option = "auth", .title = TITLE, .body = "It is needed to sign." };
static const WardGuiAuth lockout_auth = { .option = "auth", .title = "Reset It", .is_lockout = TRUE };
static const WardGuiAuth owner_auth = {
  .option = "owner-auth", .title = "Owner Auth", .ask_first = TRUE, .by_owner = TRUE
};

static void
make_key (GuiFixture *fixture)
{
  g_autoptr (GVariant) reply = gui_call (fixture, KEYS, "Create",
                                         g_variant_new_parsed ("('k', 'ecc-p256', {'auth': <'right'>})"));

  g_assert_nonnull (reply);
}

static WardGuiCall *
new_sign (GuiFixture *fixture)
{
  WardDbusKeys *keys = ward_gui_chip_get_keys (ward_gui_window_get_chip (fixture->window));
  const guint8 digest[32] = { 1 };
  GVariant *bytes = g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, digest, sizeof digest, 1);

  return ward_gui_call_new (GTK_WIDGET (fixture->window), keys, "Sign", g_variant_new ("(ss@ay)", "k", "sha256", bytes),
                            NULL);
}

static WardGuiCall *
new_reset (GuiFixture *fixture)
{
  WardDbusLockout *lockout = ward_gui_chip_get_lockout (ward_gui_window_get_chip (fixture->window));

  return ward_gui_call_new (GTK_WIDGET (fixture->window), lockout, "Reset", NULL, NULL);
}

static void
start (GuiFixture *fixture, WardGuiCall *call, const WardGuiAuth *auth, GAsyncResult **result)
{
  ward_gui_auth_call_async (call, ward_gui_window_get_chip (fixture->window), auth, gui_on_result, result);
}

static void
assert_success (WardGuiCall *call, GAsyncResult **result)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = NULL;

  gui_wait_until (*result != NULL);
  reply = ward_gui_auth_call_finish (call, *result, &error);
  g_assert_no_error (error);
  g_assert_nonnull (reply);
  g_clear_object (result);
  gui_wait_until (gui_find_dialog (NULL) == NULL);
}

static void
assert_cancelled (WardGuiCall *call, GAsyncResult **result)
{
  g_autoptr (GError) error = NULL;

  gui_wait_until (*result != NULL);
  g_assert_null (ward_gui_auth_call_finish (call, *result, &error));
  g_assert_error (error, WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_CANCELLED);
  g_clear_object (result);
}

static const char *
get_text (GtkWidget *dialog)
{
  return gtk_editable_get_text (GTK_EDITABLE (gui_wait_for_row (dialog, "Password")));
}

static void
answer (GtkWidget *dialog, const char *password)
{
  gui_type (gui_wait_for_row (dialog, "Password"), password);
  gui_click (gui_wait_for_button (dialog, "Continue"));
  /* a secret does not stay where other programs could read it */
  g_assert_cmpstr (get_text (dialog), ==, "");
}

static void
answer_wrong (GtkWidget *dialog)
{
  answer (dialog, "wrong");
  gui_wait_for_text (dialog, "The password is wrong");
}

static gboolean
is_red (GtkWidget *dialog, const char *part)
{
  return gtk_widget_has_css_class (gui_wait_for_text (dialog, part), "error");
}

static void
test_wrong_then_right (GuiFixture *fixture)
{
  g_autoptr (WardGuiCall) call = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  GtkWidget *dialog;

  make_key (fixture);
  call = new_sign (fixture);
  start (fixture, call, &(WardGuiAuth){ .option = "auth", .title = TITLE, .ask_first = TRUE }, &result);
  dialog = GTK_WIDGET (gui_wait_for_dialog (TITLE));
  g_assert_false (gtk_widget_is_sensitive (gui_wait_for_button (dialog, "Continue")));
  g_assert_false (is_red (dialog, "3 tries are left"));
  g_assert_null (gui_find_text (dialog, "The password is wrong"));

  answer_wrong (dialog);
  g_assert_null (result);
  g_assert_false (is_red (dialog, "2 tries are left"));
  answer (dialog, "right");
  assert_success (call, &result);
}

/* The service says that a secret is missing: only then is there a question. */
static void
test_asks_when_missing (GuiFixture *fixture)
{
  g_autoptr (WardGuiCall) call = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  GtkWidget *dialog;

  make_key (fixture);
  call = new_sign (fixture);
  start (fixture, call, &key_auth, &result);
  dialog = GTK_WIDGET (gui_wait_for_dialog (TITLE));
  gui_wait_for_text (dialog, "It is needed to sign.");
  /* nobody has given a wrong one */
  g_assert_null (gui_find_text (dialog, "The password is wrong"));
  answer (dialog, "right");
  assert_success (call, &result);
}

static void
test_no_question_without_need (GuiFixture *fixture)
{
  g_autoptr (WardGuiCall) call = new_reset (fixture);
  g_autoptr (GAsyncResult) result = NULL;

  start (fixture, call, &lockout_auth, &result);
  g_assert_null (gui_find_dialog (NULL));
  assert_success (call, &result);
}

static void
test_last_try_and_lockout (GuiFixture *fixture)
{
  g_autoptr (WardGuiCall) call = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GVariant) reset = NULL;
  GtkWidget *dialog;

  make_key (fixture);
  call = new_sign (fixture);
  start (fixture, call, &(WardGuiAuth){ .option = "auth", .title = TITLE, .ask_first = TRUE }, &result);
  dialog = GTK_WIDGET (gui_wait_for_dialog (TITLE));
  answer_wrong (dialog);
  answer_wrong (dialog);
  g_assert_true (is_red (dialog, "This is the last try"));
  answer (dialog, "wrong");
  g_assert_true (is_red (dialog, "The TPM is locked after too many wrong passwords"));
  g_assert_true (is_red (dialog, "at the latest"));

  /* even the right one */
  answer (dialog, "right");
  gui_wait_for_text (dialog, "The TPM is locked. ");
  g_assert_null (result);

  reset = gui_call (fixture, LOCKOUT, "Reset", g_variant_new_parsed ("(@a{sv} {},)"));
  g_assert_nonnull (reset);
  g_assert_false (is_red (dialog, "3 tries are left"));
  answer (dialog, "right");
  assert_success (call, &result);
}

/* Root has all of the chip's tries. The others have some each, of which the service tells them. */
static void
test_tries_of_ones_own (GuiFixture *fixture)
{
  gboolean is_root = geteuid () == 0;
  g_autoptr (WardGuiCall) call = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  GtkWidget *dialog;

  make_key (fixture);
  call = new_sign (fixture);
  start (fixture, call, &(WardGuiAuth){ .option = "auth", .title = TITLE, .ask_first = TRUE }, &result);
  dialog = GTK_WIDGET (gui_wait_for_dialog (TITLE));
  answer_wrong (dialog);
  g_assert_false (is_red (dialog, is_root ? "2 tries are left before" : "You have 6 tries left."));
  for (guint left = 5; !is_root && left > 1; left--)
    {
      g_autofree char *text = g_strdup_printf ("You have %u tries left.", left);

      answer_wrong (dialog);
      gui_wait_for_text (dialog, text);
    }
  answer_wrong (dialog);
  g_assert_true (is_red (dialog, is_root ? "This is the last try" : "This is your last try for now"));
  answer (dialog, "right");
  assert_success (call, &result);
}

static void
test_giving_up (GuiFixture *fixture)
{
  g_autoptr (WardGuiCall) call = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  GtkWidget *dialog;

  make_key (fixture);
  call = new_sign (fixture);
  start (fixture, call, &key_auth, &result);
  dialog = GTK_WIDGET (gui_wait_for_dialog (TITLE));
  gui_click (gui_wait_for_button (dialog, "Cancel"));
  assert_cancelled (call, &result);
  gui_wait_until (gui_find_dialog (NULL) == NULL);
}

/* The dialog goes at once, and what comes of the try asks nothing any more. */
static void
test_giving_up_meanwhile (GuiFixture *fixture)
{
  g_autoptr (WardGuiCall) call = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  GtkWidget *dialog;

  make_key (fixture);
  call = new_sign (fixture);
  start (fixture, call, &key_auth, &result);
  dialog = GTK_WIDGET (gui_wait_for_dialog (TITLE));
  gui_signal_part ("swtpm", SIGSTOP);
  answer (dialog, "wrong");
  gtk_window_close (GTK_WINDOW (dialog));
  gui_wait_until (gui_find_dialog (NULL) == NULL);
  gui_signal_part ("swtpm", SIGCONT);
  assert_cancelled (call, &result);
  g_assert_null (gui_find_dialog (NULL));
}

static void
test_window_gone (GuiFixture *fixture)
{
  g_autoptr (WardGuiCall) call = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GObject) chip = g_object_ref (G_OBJECT (ward_gui_window_get_chip (fixture->window)));

  make_key (fixture);
  call = new_sign (fixture);
  ward_gui_auth_call_async (call, WARD_GUI_CHIP (chip), &key_auth, gui_on_result, &result);
  gtk_window_destroy (GTK_WINDOW (fixture->window));
  assert_cancelled (call, &result);
  g_assert_null (gui_find_dialog (NULL));
}

/* The TPM counts no wrong owner auths: there are no tries to tell of. */
static void
test_owner_auth (GuiFixture *fixture)
{
  g_autoptr (GVariant) set = gui_call (fixture, OWNERSHIP, "ChangeAuth",
                                       g_variant_new_parsed ("('owner', {'new': <'mine'>, 'force': <true>})"));
  WardDbusOwnership *ownership = ward_gui_chip_get_ownership (ward_gui_window_get_chip (fixture->window));
  g_autoptr (WardGuiCall) call = ward_gui_call_new (GTK_WIDGET (fixture->window), ownership, "ProvisionSrk", NULL,
                                                    NULL);
  g_autoptr (GAsyncResult) result = NULL;
  GtkWidget *dialog;

  start (fixture, call, &owner_auth, &result);
  dialog = GTK_WIDGET (gui_wait_for_dialog ("Owner Auth"));
  answer_wrong (dialog);
  g_assert_null (gui_find_text (dialog, "left"));
  answer (dialog, "mine");
  assert_success (call, &result);
  gui_wait_until (ward_dbus_ownership_get_srk_present (ownership));
}

/* One wrong lockout auth bars even the right one, of which a person is warned, and the next try is for who insists. */
static void
test_lockout_auth_and_its_guard (GuiFixture *fixture)
{
  g_autoptr (GVariant) set = gui_call (fixture, OWNERSHIP, "TakeOwnership",
                                       g_variant_new_parsed ("({'lockout-auth': <'sesame'>},)"));
  g_autoptr (WardGuiCall) call = new_reset (fixture);
  g_autoptr (WardGuiCall) again = new_reset (fixture);
  g_autoptr (GAsyncResult) result = NULL;
  GtkWidget *dialog, *button;

  start (fixture, call, &lockout_auth, &result);
  dialog = GTK_WIDGET (gui_wait_for_dialog ("Reset It"));
  g_assert_true (is_red (dialog, "This is the only try"));
  g_assert_null (gui_find_row (dialog, "Try All the Same"));
  answer_wrong (dialog);

  /* the right one is not for now, unless somebody insists */
  gui_wait_for_row (dialog, "Try All the Same");
  gui_wait_for_text (dialog, "A wrong lockout auth is on record");
  gui_type (gui_wait_for_row (dialog, "Password"), "sesame");
  button = gui_wait_for_button (dialog, "Continue");
  g_assert_false (gtk_widget_is_sensitive (button));
  gui_click (gui_wait_for_row (dialog, "Try All the Same"));
  g_assert_true (gtk_widget_is_sensitive (button));
  gui_click (button);
  gui_wait_for_text (dialog, "The TPM is locked. ");
  g_assert_false (gtk_widget_is_sensitive (button));
  gui_click (gui_wait_for_button (dialog, "Cancel"));
  assert_cancelled (call, &result);

  /* another one begins with that warning */
  start (fixture, again, &lockout_auth, &result);
  dialog = GTK_WIDGET (gui_wait_for_dialog ("Reset It"));
  gui_wait_for_row (dialog, "Try All the Same");
  g_assert_null (gui_find_text (dialog, "The password is wrong"));
  gtk_window_close (GTK_WINDOW (dialog));
  assert_cancelled (again, &result);
}

static void
add (void)
{
  gui_add_test ("/auth/wrong-then-right", test_wrong_then_right);
  gui_add_test ("/auth/asks-when-missing", test_asks_when_missing);
  gui_add_test ("/auth/no-question-without-need", test_no_question_without_need);
  gui_add_test ("/auth/last-try-and-lockout", test_last_try_and_lockout);
  gui_add_test ("/auth/tries-of-ones-own", test_tries_of_ones_own);
  gui_add_test ("/auth/giving-up", test_giving_up);
  gui_add_test ("/auth/giving-up-meanwhile", test_giving_up_meanwhile);
  gui_add_test ("/auth/window-gone", test_window_gone);
  gui_add_test ("/auth/owner-auth", test_owner_auth);
  gui_add_test ("/auth/lockout-auth-and-its-guard", test_lockout_auth_and_its_guard);
}

int
main (int argc, char **argv)
{
  return gui_main (argc, argv, add);
}
