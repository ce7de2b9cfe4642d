/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the service and tpmward-tspi say to each other, and what comes of nonsense. */
#include "ward-tpm12-message.h"

#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE (10 * G_USEC_PER_SEC)

typedef struct
{
  int near;
  int far;
} Pair;

static void
set_up (Pair *pair, gconstpointer data)
{
  int sockets[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets), ==, 0);
  pair->near = sockets[0];
  pair->far = sockets[1];
}

static void
tear_down (Pair *pair, gconstpointer data)
{
  close (pair->near);
  if (pair->far >= 0)
    close (pair->far);
}

static void
assert_secret (WardSecret *secret, const char *text)
{
  g_assert_nonnull (secret);
  g_assert_cmpmem (ward_secret_get_data (secret), ward_secret_get_size (secret), text, strlen (text));
}

static void
test_round_trip (Pair *pair, gconstpointer data)
{
  g_autoptr (WardTpm12Message) sent = ward_tpm12_message_new (WARD_TPM12_SET_FLAG, g_variant_new ("(ub)", 7, TRUE));
  g_autoptr (WardTpm12Message) received = NULL;
  g_autoptr (GError) error = NULL;

  sent->secrets[0] = ward_secret_new_from ("owner", 5);
  sent->secrets[2] = ward_secret_new (0);
  g_assert_true (ward_tpm12_message_send (sent, pair->near, &error));
  g_assert_no_error (error);
  received = ward_tpm12_message_receive (pair->far, PATIENCE, &error);
  g_assert_no_error (error);

  g_assert_cmpuint (received->kind, ==, WARD_TPM12_SET_FLAG);
  g_assert_true (g_variant_equal (received->body, sent->body));
  assert_secret (received->secrets[0], "owner");
  g_assert_null (received->secrets[1]);
  assert_secret (received->secrets[2], "");
  g_assert_null (received->secrets[3]);
}

static void
test_largest (Pair *pair, gconstpointer data)
{
  g_autoptr (WardTpm12Message) message = ward_tpm12_message_new (0, g_variant_new_boolean (TRUE));
  g_autoptr (WardTpm12Message) received = NULL;
  g_autoptr (GError) error = NULL;

  message->secrets[0] = ward_secret_new (WARD_TPM12_MAX_SIZE);
  g_assert_true (ward_tpm12_message_send (message, pair->near, &error));
  received = ward_tpm12_message_receive (pair->far, PATIENCE, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (ward_secret_get_size (received->secrets[0]), ==, WARD_TPM12_MAX_SIZE);

  message->secrets[1] = ward_secret_new (1);
  g_assert_false (ward_tpm12_message_send (message, pair->near, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE);
}

static void
test_silence (Pair *pair, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (ward_tpm12_message_receive (pair->far, 1000, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
}

static void
test_gone (Pair *pair, gconstpointer data)
{
  g_autoptr (WardTpm12Message) message = ward_tpm12_message_new (0, g_variant_new_boolean (TRUE));
  g_autoptr (GError) error = NULL;

  close (pair->far);
  pair->far = -1;
  g_assert_null (ward_tpm12_message_receive (pair->near, PATIENCE, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_clear_error (&error);
  g_assert_false (ward_tpm12_message_send (message, pair->near, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
}

/* What was sent, cut short, drawn out, with each of its sizes changed, and with a body that is no GVariant. */
static void
test_nonsense (Pair *pair, gconstpointer data)
{
  g_autoptr (WardTpm12Message) message = ward_tpm12_message_new (3, g_variant_new ("(us)", 1, "text"));
  guint8 packet[256] = { 0 };
  gssize size;

  message->secrets[0] = ward_secret_new_from ("secret", 6);
  g_assert_true (ward_tpm12_message_send (message, pair->near, NULL));
  size = recv (pair->far, packet, sizeof (packet), 0);
  g_assert_cmpint (size, >, 24);

  for (gssize i = 1; i < size + 8; i++)
    {
      g_autoptr (WardTpm12Message) received = NULL;

      if (i == size)
        continue;
      g_assert_cmpint (send (pair->near, packet, (gsize)i, 0), ==, i);
      received = ward_tpm12_message_receive (pair->far, PATIENCE, NULL);
      g_assert_null (received);
      /* what was not taken is the next one's trouble, as the connection is given up */
      recv (pair->far, packet + sizeof (packet) / 2, sizeof (packet) / 2, MSG_DONTWAIT);
    }
  for (gssize i = 0; i < size; i++)
    for (guint bit = 0; bit < 8; bit++)
      {
        g_autoptr (WardTpm12Message) received = NULL;

        packet[i] ^= 1u << bit;
        g_assert_cmpint (send (pair->near, packet, (gsize)size, 0), ==, size);
        received = ward_tpm12_message_receive (pair->far, PATIENCE, NULL);
        g_assert_true (!received || g_variant_is_normal_form (received->body));
        recv (pair->far, packet + sizeof (packet) / 2, sizeof (packet) / 2, MSG_DONTWAIT);
        packet[i] ^= 1u << bit;
      }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/tpm12-message/round-trip", Pair, NULL, set_up, test_round_trip, tear_down);
  g_test_add ("/tpm12-message/largest", Pair, NULL, set_up, test_largest, tear_down);
  g_test_add ("/tpm12-message/silence", Pair, NULL, set_up, test_silence, tear_down);
  g_test_add ("/tpm12-message/gone", Pair, NULL, set_up, test_gone, tear_down);
  g_test_add ("/tpm12-message/nonsense", Pair, NULL, set_up, test_nonsense, tear_down);
  return g_test_run ();
}
