/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-key-parser.h"

#include <openssl/pem.h>
#include <string.h>

#include "test-key-fixture.h"
#include "ward-error.h"

typedef struct
{
  WardKeyParser *parser;
  EVP_PKEY *pkey;
  WardSecret *pem;
  GString *order; /* the marks of those that have ended; upper case: withdrawn */
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->parser = ward_key_parser_new ();
  fixture->pkey = pkey_new_ecc ("P-256");
  fixture->pem = pkey_to_pem (fixture->pkey);
  fixture->order = g_string_new ("");
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_object_unref (fixture->parser);
  EVP_PKEY_free (fixture->pkey);
  ward_secret_unref (fixture->pem);
  g_string_free (fixture->order, TRUE);
}

typedef struct
{
  Fixture *fixture;
  WardTicket ticket;
  char mark;
} Caller;

static void
on_done (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Caller *caller = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (WardKeyImport) import = ward_key_parser_run_finish (WARD_KEY_PARSER (source), result, &error);

  if (!import)
    g_assert_error (error, WARD_ERROR, WARD_ERROR_CANCELLED);
  g_string_append_c (caller->fixture->order, import ? caller->mark : g_ascii_toupper (caller->mark));
}

/* A call for each mark: those of "a" to "m" are of one user, the others of another. */
static void
begin (Fixture *fixture, Caller *callers, const char *marks)
{
  for (guint i = 0; marks[i]; i++)
    {
      gboolean is_first = marks[i] <= 'm';

      callers[i] = (Caller){ fixture, { is_first ? 1000 : 1001, is_first ? ":1.1" : ":1.2" }, marks[i] };
      ward_key_parser_run_async (fixture->parser, &callers[i].ticket, fixture->pem, NULL, on_done, &callers[i]);
    }
}

static void
finish (Fixture *fixture, const char *order)
{
  while (fixture->order->len < strlen (order))
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpstr (fixture->order->str, ==, order);
}

static void
test_result (Fixture *fixture, gconstpointer data)
{
  Caller callers[1];

  begin (fixture, callers, "a");
  g_assert_cmpstr (fixture->order->str, ==, "");
  finish (fixture, "a");
}

/* Who has many does not keep another waiting for all of them: the thread is at the first before the second user's come.
 */
static void
test_turns (Fixture *fixture, gconstpointer data)
{
  Caller callers[6];

  begin (fixture, callers, "abcdyz");
  finish (fixture, "abyczd");
}

/* Also the one that the thread is at. */
static void
test_withdrawn (Fixture *fixture, gconstpointer data)
{
  Caller callers[4];
  WardTicket other = { 1000, ":1.1" };

  begin (fixture, callers, "abcd");
  g_assert_true (ward_key_parser_withdraw (fixture->parser, &callers[0].ticket));
  g_assert_false (ward_key_parser_withdraw (fixture->parser, &callers[0].ticket));
  g_assert_true (ward_key_parser_withdraw (fixture->parser, &callers[2].ticket));
  g_assert_false (ward_key_parser_withdraw (fixture->parser, &callers[2].ticket));
  g_assert_false (ward_key_parser_withdraw (fixture->parser, &other));
  finish (fixture, "CAbd");
  g_assert_false (ward_key_parser_withdraw (fixture->parser, &callers[3].ticket));
}

/* What is no key fails as it does without a thread, and the next one is read all the same. */
static void
on_refused (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (ward_key_parser_run_finish (WARD_KEY_PARSER (source), result, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT);
  g_string_append_c (user_data, 'x');
}

static void
test_refused (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WardSecret) junk = ward_secret_new_from ("junk", 4);
  WardTicket ticket = { 1000, ":1.1" };
  Caller callers[1];

  ward_key_parser_run_async (fixture->parser, &ticket, junk, junk, on_refused, fixture->order);
  begin (fixture, callers, "a");
  finish (fixture, "xa");
}

#define ADD(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/key-parser/result", test_result);
  ADD ("/key-parser/turns", test_turns);
  ADD ("/key-parser/withdrawn", test_withdrawn);
  ADD ("/key-parser/refused", test_refused);
  return g_test_run ();
}
