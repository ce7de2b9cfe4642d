/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gui-fixture.h"

#include <signal.h>

#include "ward-gui-call.h"

/* One under way: what is started here and what comes of it. */
typedef struct
{
  WardGuiCall *call;
  GAsyncResult *result;
} Attempt;

static void
attempt_clear (Attempt *attempt)
{
  g_clear_object (&attempt->result);
  g_clear_object (&attempt->call);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Attempt, attempt_clear)

static void
start (Attempt *attempt)
{
  g_clear_object (&attempt->result);
  ward_gui_call_start_async (attempt->call, gui_on_result, &attempt->result);
}

static GVariant *
wait_for_reply (Attempt *attempt)
{
  g_autoptr (GError) error = NULL;
  GVariant *reply;

  gui_wait_until (attempt->result != NULL);
  reply = ward_gui_call_start_finish (attempt->call, attempt->result, &error);
  g_assert_no_error (error);
  return reply;
}

static void
wait_for_error (Attempt *attempt, WardClientErrorCode code)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = NULL;

  gui_wait_until (attempt->result != NULL);
  reply = ward_gui_call_start_finish (attempt->call, attempt->result, &error);
  g_assert_null (reply);
  g_assert_error (error, WARD_CLIENT_ERROR, (int)code);
}

static WardGuiCall *
new_random (GuiFixture *fixture, const char *text)
{
  WardGuiChip *chip = ward_gui_window_get_chip (fixture->window);

  return ward_gui_call_new (GTK_WIDGET (fixture->window), ward_gui_chip_get_tpm (chip), "GetRandom",
                            g_variant_new ("(u)", 16), text);
}

static void
test_reply (GuiFixture *fixture)
{
  g_auto (Attempt) attempt = { .call = new_random (fixture, NULL) };
  g_autoptr (GVariant) first = NULL;
  g_autoptr (GVariant) second = NULL;

  start (&attempt);
  g_assert_null (attempt.result);
  first = wait_for_reply (&attempt);
  g_assert_cmpstr (g_variant_get_type_string (first), ==, "(ay)");

  /* the same once more */
  start (&attempt);
  second = wait_for_reply (&attempt);
  g_assert_false (g_variant_equal (first, second));
}

static void
test_error (GuiFixture *fixture)
{
  WardGuiChip *chip = ward_gui_window_get_chip (fixture->window);
  g_auto (Attempt) attempt = { .call = ward_gui_call_new (GTK_WIDGET (fixture->window), ward_gui_chip_get_keys (chip),
                                                          "Describe", g_variant_new ("(s)", "nothing"), NULL) };

  start (&attempt);
  wait_for_error (&attempt, WARD_CLIENT_ERROR_NOT_FOUND);
}

/* Sees the messages that the process sends. */
static GDBusMessage *
keep_create (GDBusConnection *connection, GDBusMessage *message, gboolean incoming, gpointer user_data)
{
  if (!incoming && g_strcmp0 (g_dbus_message_get_member (message), "Create") == 0)
    g_atomic_pointer_set ((GVariant **)user_data, g_variant_ref (g_dbus_message_get_body (message)));
  return message;
}

static WardGuiCall *
new_create (GuiFixture *fixture, const char *label, WardSecret *secret)
{
  WardGuiChip *chip = ward_gui_window_get_chip (fixture->window);
  WardGuiCall *call = ward_gui_call_new (GTK_WIDGET (fixture->window), ward_gui_chip_get_keys (chip), "Create",
                                         g_variant_new ("(ss)", label, "ecc-p256"), NULL);

  ward_gui_call_set_option (call, "comment", g_variant_new_string ("an older one"));
  ward_gui_call_set_option (call, "comment", g_variant_new_string ("for tests"));
  ward_gui_call_set_secret (call, "auth", secret);
  return call;
}

static void
test_options (GuiFixture *fixture)
{
  GDBusConnection *bus = ward_client_get_connection (ward_gui_machine_get_client (fixture->machine));
  g_autoptr (WardSecret) secret = ward_secret_new_from ("open sesame", 11);
  g_auto (Attempt) attempt = { .call = new_create (fixture, "a key", secret) };
  g_autoptr (GVariant) sent = NULL;
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariant) described = NULL;
  g_autoptr (GVariant) options = NULL;
  g_autoptr (GVariant) description = NULL;
  guint filter = g_dbus_connection_add_filter (bus, keep_create, &sent, NULL);
  const char *comment;

  start (&attempt);
  reply = wait_for_reply (&attempt);
  g_dbus_connection_remove_filter (bus, filter);
  g_assert_cmpstr (g_variant_get_type_string (reply), ==, "(s)");

  g_assert_cmpstr (g_variant_get_type_string (sent), ==, "(ssa{sv})");
  options = g_variant_get_child_value (sent, 2);
  g_assert_cmpuint (g_variant_n_children (options), ==, 2);
  g_assert_true (g_variant_lookup (options, "auth", "h", NULL));

  described = gui_call (fixture, "org.tpmward1.Keys", "Describe", g_variant_new ("(s)", "a key"));
  description = g_variant_get_child_value (described, 0);
  g_assert_true (g_variant_lookup (description, "comment", "&s", &comment));
  g_assert_cmpstr (comment, ==, "for tests");
}

static void
test_other_secret (GuiFixture *fixture)
{
  WardGuiChip *chip = ward_gui_window_get_chip (fixture->window);
  g_autoptr (WardSecret) right = ward_secret_new_from ("right", 5);
  g_autoptr (WardSecret) wrong = ward_secret_new_from ("wrong", 5);
  guint8 digest[32] = { 1 };
  GVariant *arguments = g_variant_new ("(ss@ay)", "a key", "sha256",
                                       g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, digest, sizeof digest, 1));
  g_auto (Attempt) making = { .call = new_create (fixture, "a key", right) };
  g_auto (Attempt) signing = { .call = ward_gui_call_new (GTK_WIDGET (fixture->window), ward_gui_chip_get_keys (chip),
                                                          "Sign", arguments, NULL) };
  g_autoptr (GVariant) made = NULL;
  g_autoptr (GVariant) signature = NULL;

  start (&making);
  made = wait_for_reply (&making);

  ward_gui_call_set_secret (signing.call, "auth", wrong);
  start (&signing);
  wait_for_error (&signing, WARD_CLIENT_ERROR_AUTHENTICATION_FAILED);
  ward_gui_call_set_secret (signing.call, "auth", NULL);
  start (&signing);
  wait_for_error (&signing, WARD_CLIENT_ERROR_AUTHENTICATION_FAILED);
  ward_gui_call_set_secret (signing.call, "auth", right);
  start (&signing);
  signature = wait_for_reply (&signing);
  g_assert_cmpstr (g_variant_get_type_string (signature), ==, "(ay)");
}

static void
test_output (GuiFixture *fixture)
{
  WardGuiChip *chip = ward_gui_window_get_chip (fixture->window);
  GVariant *data = g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, "hidden", 6, 1);
  g_autoptr (GVariant) sealed = gui_call (fixture, "org.tpmward1.Seal", "Seal",
                                          g_variant_new ("(@aya{sv})", data, NULL));
  g_auto (Attempt) attempt = { .call = ward_gui_call_new (GTK_WIDGET (fixture->window), ward_gui_chip_get_seal (chip),
                                                          "Unseal", sealed, NULL) };
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariant) bytes = NULL;
  WardSecret *output;

  ward_gui_call_set_takes_output (attempt.call);
  start (&attempt);
  reply = wait_for_reply (&attempt);
  bytes = g_variant_get_child_value (reply, 0);
  g_assert_cmpuint (g_variant_get_size (bytes), ==, 0);
  output = ward_gui_call_get_output (attempt.call);
  g_assert_nonnull (output);
  g_assert_cmpmem (ward_secret_get_data (output), ward_secret_get_size (output), "hidden", 6);
}

static void
test_withdraw (GuiFixture *fixture)
{
  g_auto (Attempt) first = { .call = new_random (fixture, NULL) };
  g_auto (Attempt) second = { .call = new_random (fixture, NULL) };
  g_autoptr (GVariant) reply = NULL;

  ward_gui_call_withdraw (second.call);
  gui_signal_part ("swtpm", SIGSTOP);
  start (&first);
  start (&second);
  ward_gui_call_withdraw (second.call);
  wait_for_error (&second, WARD_CLIENT_ERROR_CANCELLED);
  g_assert_null (first.result);
  gui_signal_part ("swtpm", SIGCONT);
  reply = wait_for_reply (&first);
}

/* Until it has taken in what was sent to it. */
static void
wait_for_service (GuiFixture *fixture)
{
  GDBusConnection *bus = ward_client_get_connection (ward_gui_machine_get_client (fixture->machine));
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = g_dbus_connection_call_sync (
      bus, WARD_CLIENT_BUS_NAME, WARD_CLIENT_MANAGER_PATH, "org.freedesktop.DBus.Properties", "Get",
      g_variant_new ("(ss)", "org.tpmward1.Manager", "Version"), NULL, G_DBUS_CALL_FLAGS_NONE, -1, NULL, &error);

  g_assert_no_error (error);
}

static void
test_service_killed (GuiFixture *fixture)
{
  g_auto (Attempt) attempt = { .call = new_random (fixture, NULL) };
  g_autoptr (GVariant) reply = NULL;

  gui_signal_part ("swtpm", SIGSTOP);
  start (&attempt);
  wait_for_service (fixture);
  gui_signal_part ("daemon", SIGKILL);
  wait_for_error (&attempt, WARD_CLIENT_ERROR_SERVICE_FAILED);
}

static void
test_activity (GuiFixture *fixture)
{
  GtkWidget *window = GTK_WIDGET (fixture->window);
  g_auto (Attempt) first = { .call = new_random (fixture, "The first thing…") };
  g_auto (Attempt) second = { .call = new_random (fixture, "The second thing…") };
  g_autoptr (GVariant) reply = NULL;
  gint64 started = g_get_monotonic_time ();
  GtkWidget *button;

  gui_signal_part ("swtpm", SIGSTOP);
  start (&first);
  start (&second);
  gui_wait_for_text (window, "The second thing…");
  g_assert_cmpint (g_get_monotonic_time () - started, >=, 300 * 1000);

  /* the newest can be cancelled, then the one before */
  button = gui_find_button (window, "Cancel");
  gui_click (button);
  g_assert_false (gtk_widget_is_sensitive (button));
  wait_for_error (&second, WARD_CLIENT_ERROR_CANCELLED);
  gui_wait_for_text (window, "The first thing…");
  g_assert_true (gtk_widget_is_sensitive (button));

  /* which the chip has begun: it comes to its end */
  gui_click (button);
  gui_signal_part ("swtpm", SIGCONT);
  reply = wait_for_reply (&first);
  gui_wait_until (gui_find_text (window, "The first thing…") == NULL);
}

static void
test_quick (GuiFixture *fixture)
{
  g_auto (Attempt) quick = { .call = new_random (fixture, "A quick thing…") };
  g_auto (Attempt) slow = { .call = new_random (fixture, "A slow thing…") };
  g_autoptr (GVariant) first = NULL;
  g_autoptr (GVariant) second = NULL;

  start (&quick);
  first = wait_for_reply (&quick);
  gui_signal_part ("swtpm", SIGSTOP);
  start (&slow);
  gui_wait_until (gui_find_button (GTK_WIDGET (fixture->window), "Cancel") != NULL);
  g_assert_null (gui_find_text (GTK_WIDGET (fixture->window), "A quick thing…"));
  gui_signal_part ("swtpm", SIGCONT);
  second = wait_for_reply (&slow);
}

static void
test_widget_gone (GuiFixture *fixture)
{
  WardGuiChip *chip = ward_gui_window_get_chip (fixture->window);
  GtkWidget *place = g_object_ref_sink (gtk_label_new (NULL));
  g_auto (Attempt) attempt = { .call = ward_gui_call_new (place, ward_gui_chip_get_tpm (chip), "GetRandom",
                                                          g_variant_new ("(u)", 8), "Something…") };
  g_autoptr (GVariant) reply = NULL;

  gui_signal_part ("swtpm", SIGSTOP);
  start (&attempt);
  g_assert_true (ward_gui_call_get_widget (attempt.call) == place);
  g_object_unref (place);
  g_assert_null (ward_gui_call_get_widget (attempt.call));
  gui_signal_part ("swtpm", SIGCONT);
  reply = wait_for_reply (&attempt);
}

static void
add (void)
{
  gui_add_test ("/call/reply", test_reply);
  gui_add_test ("/call/error", test_error);
  gui_add_test ("/call/options", test_options);
  gui_add_test ("/call/other-secret", test_other_secret);
  gui_add_test ("/call/output", test_output);
  gui_add_test ("/call/withdraw", test_withdraw);
  gui_add_test ("/call/service-killed", test_service_killed);
  gui_add_test ("/call/activity", test_activity);
  gui_add_test ("/call/quick", test_quick);
  gui_add_test ("/call/widget-gone", test_widget_gone);
}

int
main (int argc, char **argv)
{
  return gui_main (argc, argv, add);
}
