/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tpm12-message.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

/* In place of a size: there is no such secret. */
#define ABSENT G_MAXUINT32

/* What begins a packet. The body, as a GVariant of type v, and the secrets follow. */
typedef struct
{
  guint32 kind;
  guint32 body_size;
  guint32 secret_sizes[WARD_TPM12_MAX_SECRETS];
} Header;

#define N_PARTS (2 + WARD_TPM12_MAX_SECRETS)

WardTpm12Message *
ward_tpm12_message_new (guint32 kind, GVariant *body)
{
  WardTpm12Message *message = g_new0 (WardTpm12Message, 1);

  message->kind = kind;
  message->body = g_variant_ref_sink (body);
  return message;
}

void
ward_tpm12_message_free (WardTpm12Message *message)
{
  g_clear_pointer (&message->body, g_variant_unref);
  for (guint i = 0; i < WARD_TPM12_MAX_SECRETS; i++)
    g_clear_pointer (&message->secrets[i], ward_secret_unref);
  g_free (message);
}

static gboolean
fail (GError **error, const char *what)
{
  int code = errno;

  g_set_error (error, G_IO_ERROR,
               code == EPIPE || code == ECONNRESET ? G_IO_ERROR_CLOSED : (int)g_io_error_from_errno (code), "%s: %s",
               what, g_strerror (code));
  return FALSE;
}

/* Where the secrets lie. Those that are absent take no place. */
static gsize
point_at_secrets (const WardTpm12Message *message, struct iovec *parts)
{
  gsize size = 0;

  for (guint i = 0; i < WARD_TPM12_MAX_SECRETS; i++)
    {
      WardSecret *secret = message->secrets[i];

      parts[i] = (struct iovec){ .iov_base = secret ? ward_secret_get_data (secret) : NULL,
                                 .iov_len = secret ? ward_secret_get_size (secret) : 0 };
      size += parts[i].iov_len;
    }
  return size;
}

gboolean
ward_tpm12_message_send (const WardTpm12Message *message, int socket, GError **error)
{
  g_autoptr (GVariant) wrapped = g_variant_ref_sink (g_variant_new_variant (message->body));
  Header header = { .kind = message->kind, .body_size = g_variant_get_size (wrapped) };
  struct iovec parts[N_PARTS] = {
    { .iov_base = &header, .iov_len = sizeof (header) },
    { .iov_base = (void *)g_variant_get_data (wrapped), .iov_len = header.body_size },
  };
  struct msghdr packet = { .msg_iov = parts, .msg_iovlen = N_PARTS };
  gssize sent;

  if (point_at_secrets (message, parts + 2) > WARD_TPM12_MAX_SIZE || header.body_size > WARD_TPM12_MAX_SIZE)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE, "The message is too large");
      return FALSE;
    }
  for (guint i = 0; i < WARD_TPM12_MAX_SECRETS; i++)
    header.secret_sizes[i] = message->secrets[i] ? parts[2 + i].iov_len : ABSENT;

  do
    sent = sendmsg (socket, &packet, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent >= 0 ? TRUE : fail (error, "Sending has failed");
}

static gboolean
await (int socket, gint64 patience, GError **error)
{
  gint64 deadline = g_get_monotonic_time () + patience;
  struct pollfd waiting = { .fd = socket, .events = POLLIN };
  int ready;

  do
    {
      gint64 left = patience < 0 ? -1 : MAX (deadline - g_get_monotonic_time (), 0);

      ready = poll (&waiting, 1, left < 0 ? -1 : (int)MIN ((left + 999) / 1000, G_MAXINT));
    }
  while (ready < 0 && errno == EINTR);

  if (ready > 0)
    return TRUE;
  if (ready == 0)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "There was no answer in time");
      return FALSE;
    }
  return fail (error, "Waiting has failed");
}

static gboolean
is_sound (const Header *header)
{
  gsize size = 0;

  for (guint i = 0; i < WARD_TPM12_MAX_SECRETS; i++)
    if (header->secret_sizes[i] != ABSENT)
      size += header->secret_sizes[i];
  return header->body_size <= WARD_TPM12_MAX_SIZE && size <= WARD_TPM12_MAX_SIZE;
}

/* What is in a body by its own words, or NULL when these are not sound. */
static GVariant *
unwrap (GBytes *bytes)
{
  g_autoptr (GVariant) wrapped = g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE_VARIANT, bytes, FALSE));

  return g_variant_is_normal_form (wrapped) ? g_variant_get_variant (wrapped) : NULL;
}

/* Takes the packet of which header was seen from the socket. The secrets come to lie where nothing else has been. */
static WardTpm12Message *
take (int socket, Header *header, GError **error)
{
  g_autoptr (WardTpm12Message) message = g_new0 (WardTpm12Message, 1);
  gpointer body = g_malloc (header->body_size);
  g_autoptr (GBytes) bytes = g_bytes_new_take (body, header->body_size);
  struct iovec parts[N_PARTS] = {
    { .iov_base = header, .iov_len = sizeof (*header) },
    { .iov_base = body, .iov_len = header->body_size },
  };
  struct msghdr packet = { .msg_iov = parts, .msg_iovlen = N_PARTS };
  gsize size = sizeof (*header) + header->body_size;
  gssize received;

  message->kind = header->kind;
  for (guint i = 0; i < WARD_TPM12_MAX_SECRETS; i++)
    if (header->secret_sizes[i] != ABSENT)
      message->secrets[i] = ward_secret_new (header->secret_sizes[i]);
  size += point_at_secrets (message, parts + 2);

  received = recvmsg (socket, &packet, 0);
  if (received < 0)
    {
      fail (error, "Receiving has failed");
      return NULL;
    }
  if ((gsize)received == size && !(packet.msg_flags & MSG_TRUNC))
    message->body = unwrap (bytes);
  if (message->body)
    return g_steal_pointer (&message);
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "What was received is no message");
  return NULL;
}

WardTpm12Message *
ward_tpm12_message_receive (int socket, gint64 patience, GError **error)
{
  Header header;
  gssize seen;

  if (!await (socket, patience, error))
    return NULL;

  do
    seen = recv (socket, &header, sizeof (header), MSG_PEEK);
  while (seen < 0 && errno == EINTR);
  if (seen < 0)
    {
      fail (error, "Receiving has failed");
      return NULL;
    }
  if (seen == 0)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CLOSED, "The other side is gone");
      return NULL;
    }
  if (seen == sizeof (header) && is_sound (&header))
    return take (socket, &header, error);
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "What was received is no message");
  return NULL;
}
