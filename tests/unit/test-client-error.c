/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-client-error.h"

#include <string.h>

/* What a client is told when the bus answers with an error of that name. */
static GError *
take_remote (const char *name, const char *message)
{
  (void)WARD_CLIENT_ERROR;
  return ward_client_error_take (g_dbus_error_new_for_dbus_error (name, message));
}

static void
assert_code (const char *name, WardClientErrorCode code)
{
  g_autoptr (GError) error = take_remote (name, "Because");

  g_assert_error (error, WARD_CLIENT_ERROR, (int)code);
  g_assert_null (strstr (error->message, "GDBus.Error"));
}

#define ASSERT_NAMED(suffix, name) assert_code ("org.tpmward1.Error." name, WARD_CLIENT_ERROR_##suffix);

static void
test_every_name_of_the_services (void)
{
  WARD_ERROR_LIST (ASSERT_NAMED)
}

static void
test_the_services_words_are_kept (void)
{
  g_autoptr (GError) error = take_remote ("org.tpmward1.Error.Busy", "Too many calls of yours wait.");

  g_assert_cmpstr (error->message, ==, "Too many calls of yours wait.");
}

static void
test_what_keeps_the_service_from_answering (void)
{
  assert_code ("org.freedesktop.DBus.Error.ServiceUnknown", WARD_CLIENT_ERROR_NO_SERVICE);
  assert_code ("org.freedesktop.systemd1.NoSuchUnit", WARD_CLIENT_ERROR_NO_SERVICE);
  assert_code ("org.freedesktop.systemd1.Masked", WARD_CLIENT_ERROR_SERVICE_FAILED);
  assert_code ("org.freedesktop.DBus.Error.Spawn.ServiceNotFound", WARD_CLIENT_ERROR_NO_SERVICE);
  assert_code ("org.freedesktop.DBus.Error.Spawn.ExecFailed", WARD_CLIENT_ERROR_SERVICE_FAILED);
  assert_code ("org.freedesktop.DBus.Error.NoReply", WARD_CLIENT_ERROR_SERVICE_FAILED);
  assert_code ("org.freedesktop.DBus.Error.AccessDenied", WARD_CLIENT_ERROR_BUS_DENIED);
  assert_code ("org.freedesktop.DBus.Error.InteractiveAuthorizationRequired", WARD_CLIENT_ERROR_NOT_AUTHORIZED);
  assert_code ("org.example.Surprise", WARD_CLIENT_ERROR_FAILED);
}

static void
test_the_buss_words_are_shown_too (void)
{
  g_autoptr (GError) error = take_remote ("org.freedesktop.systemd1.Masked", "Unit tpmward.service is masked.");

  g_assert_true (g_str_has_suffix (error->message, "(The bus says: Unit tpmward.service is masked.)"));
}

static void
test_errors_of_no_bus (void)
{
  g_autoptr (GError) cancelled = ward_client_error_take (
      g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED, "Cancelled"));
  g_autoptr (GError) closed = ward_client_error_take (
      g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CLOSED, "The connection is closed"));

  g_assert_error (cancelled, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_error (closed, WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_NO_BUS);
  g_assert_null (ward_client_error_take (NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/client-error/every-name-of-the-services", test_every_name_of_the_services);
  g_test_add_func ("/client-error/the-services-words-are-kept", test_the_services_words_are_kept);
  g_test_add_func ("/client-error/what-keeps-the-service-from-answering", test_what_keeps_the_service_from_answering);
  g_test_add_func ("/client-error/the-buss-words-are-shown-too", test_the_buss_words_are_shown_too);
  g_test_add_func ("/client-error/errors-of-no-bus", test_errors_of_no_bus);
  return g_test_run ();
}
