/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-tpm2-fixture.h"

#include <signal.h>
#include <string.h>

/* seen counts the commands; limit is how many bytes it gives at once. */
static Reply *
give_random (Middleman *middleman, guint32 command, const guint8 *bytes, gsize size)
{
  Reply *reply;

  if (command != TPM2_CC_GetRandom)
    return reply_new (TPM2_RC_COMMAND_CODE);
  middleman->seen++;
  reply = reply_new (TPM2_RC_SUCCESS);
  reply_u16 (reply, middleman->limit);
  for (guint i = 0; i < middleman->limit; i++)
    reply_u8 (reply, middleman->seen);
  return reply;
}

static void
test_random_in_small_pieces (void)
{
  g_autoptr (Middleman) middleman = middleman_new (NULL);
  g_autoptr (WardConnection) connection = NULL;
  g_autoptr (GError) error = NULL;
  guint8 bytes[9] = { 0 };

  middleman->answer = give_random;
  middleman->limit = 3;
  connection = middleman_connect (middleman);
  g_assert_true (ward_tpm2_backend.get_random (connection, bytes, sizeof (bytes), &error));
  g_assert_no_error (error);
  g_assert_cmpmem (bytes, sizeof (bytes), "\1\1\1\2\2\2\3\3\3", sizeof (bytes));
}

/* No bytes at all, or more than were asked for. */
static void
test_random_of_a_wrong_size (gconstpointer data)
{
  g_autoptr (Middleman) middleman = middleman_new (NULL);
  g_autoptr (WardConnection) connection = NULL;
  g_autoptr (GError) error = NULL;
  guint8 bytes[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };

  middleman->answer = give_random;
  middleman->limit = GPOINTER_TO_UINT (data);
  connection = middleman_connect (middleman);
  g_assert_false (ward_tpm2_backend.get_random (connection, bytes, sizeof (bytes), &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_FAILED);
  g_assert_cmpmem (bytes, sizeof (bytes), "\0\0\0\0\0\0\0\0", sizeof (bytes));
}

static Reply *
break_at_second_random (Middleman *middleman, guint32 command, const guint8 *bytes, gsize size)
{
  if (command == TPM2_CC_GetRandom && middleman->seen == 1)
    {
      middleman->broken = TRUE;
      return NULL;
    }
  return give_random (middleman, command, bytes, size);
}

static void
test_loss_in_the_middle_wipes_what_came (void)
{
  g_autoptr (Middleman) middleman = middleman_new (NULL);
  g_autoptr (WardConnection) connection = NULL;
  g_autoptr (GError) error = NULL;
  guint8 bytes[8] = { 0 };

  middleman->answer = break_at_second_random;
  middleman->limit = 4;
  connection = middleman_connect (middleman);
  g_assert_false (ward_tpm2_backend.get_random (connection, bytes, sizeof (bytes), &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_UNREACHABLE);
  assert_message_contains (error, "/dev/tpmrm7");
  g_assert_cmpmem (bytes, sizeof (bytes), "\0\0\0\0\0\0\0\0", sizeof (bytes));
}

/* Adds to the update counter after the first limit readings, as if a PCR changed before each. */
static void
change_counter (Middleman *middleman, guint32 command, GByteArray *reply)
{
  if (command != TPM2_CC_PCR_Read)
    return;
  if (middleman->seen++ < middleman->limit)
    reply->data[13] += middleman->seen;
}

static void
test_pcr_that_changes_while_read (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (Middleman) middleman = NULL;
  g_autoptr (WardConnection) connection = NULL;
  g_autofree WardPcrValues *values = g_new0 (WardPcrValues, 1);
  g_autoptr (GError) error = NULL;

  if (swtpm == NULL)
    return;
  middleman = middleman_new (swtpm->transport);
  middleman->change = change_counter;
  middleman->limit = 2;
  connection = middleman_connect (middleman);
  g_assert_true (ward_tpm2_backend.read_pcrs (connection, "sha256", 0xffffff, values, &error));
  g_assert_no_error (error);
  g_assert_cmphex (values->mask, ==, 0xffffff);
  /* Two commands for nothing, then the three that it takes. */
  g_assert_cmpuint (middleman->seen, ==, 5);
}

static void
test_pcr_that_never_rests (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (Middleman) middleman = NULL;
  g_autoptr (WardConnection) connection = NULL;
  g_autofree WardPcrValues *values = g_new0 (WardPcrValues, 1);
  g_autoptr (GError) error = NULL;

  if (swtpm == NULL)
    return;
  middleman = middleman_new (swtpm->transport);
  middleman->change = change_counter;
  middleman->limit = G_MAXUINT;
  connection = middleman_connect (middleman);
  g_assert_false (ward_tpm2_backend.read_pcrs (connection, "sha256", 0xffffff, values, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_FAILED);
  assert_message_contains (error, "changed");
  g_assert_cmphex (values->mask, ==, 0);
}

/* One digest less than the selection says. */
static void
drop_digest (Middleman *middleman, guint32 command, GByteArray *reply)
{
  if (command != TPM2_CC_PCR_Read)
    return;
  g_byte_array_set_size (reply, reply->len - 34);
  reply->data[5] = reply->len & 0xff;
  reply->data[4] = reply->len >> 8;
  /* Header, counter, one selection of 10 bytes: then the count of digests. */
  reply->data[27]--;
}

static void
test_pcr_reply_that_contradicts_itself (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (Middleman) middleman = NULL;
  g_autoptr (WardConnection) connection = NULL;
  g_autofree WardPcrValues *values = g_new0 (WardPcrValues, 1);
  g_autoptr (GError) error = NULL;

  if (swtpm == NULL)
    return;
  middleman = middleman_new (swtpm->transport);
  middleman->change = drop_digest;
  connection = middleman_connect (middleman);
  g_assert_false (ward_tpm2_backend.read_pcrs (connection, "sha256", 0x3, values, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_UNREACHABLE);
}

int
main (int argc, char **argv)
{
  signal (SIGPIPE, SIG_IGN);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tpm2/random/small-pieces", test_random_in_small_pieces);
  g_test_add_data_func ("/tpm2/random/none", GUINT_TO_POINTER (0), test_random_of_a_wrong_size);
  g_test_add_data_func ("/tpm2/random/too-many", GUINT_TO_POINTER (9), test_random_of_a_wrong_size);
  g_test_add_func ("/tpm2/random/loss-in-the-middle", test_loss_in_the_middle_wipes_what_came);
  g_test_add_func ("/tpm2/pcrs/changes-while-read", test_pcr_that_changes_while_read);
  g_test_add_func ("/tpm2/pcrs/never-rests", test_pcr_that_never_rests);
  g_test_add_func ("/tpm2/pcrs/contradiction", test_pcr_reply_that_contradicts_itself);
  return g_test_run ();
}
