/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-config.h"

#include "ward-client-generate.h"

#include <errno.h>
#include <glib/gi18n-lib.h>
#include <sys/random.h>

#include "ward-client-error.h"

#define N_LETTERS (sizeof WARD_CLIENT_GENERATE_ALPHABET - 1)

/* A byte beyond the largest multiple of the alphabet's size would favour its first letters. */
static gboolean
random_letter (guint8 *byte, GError **error)
{
  const guint8 limit = G_MAXUINT8 / N_LETTERS * N_LETTERS;
  gssize n;

  do
    n = getrandom (byte, 1, 0);
  while ((n < 0 && errno == EINTR) || (n == 1 && *byte >= limit));

  if (n == 1)
    {
      *byte = (guint8)WARD_CLIENT_GENERATE_ALPHABET[*byte % N_LETTERS];
      return TRUE;
    }
  g_set_error (error, WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_FAILED,
               _ ("The system gives no random numbers to make an auth value of: %s."), g_strerror (errno));
  return FALSE;
}

WardSecret *
ward_client_generate (GError **error)
{
  g_autoptr (WardSecret) secret = ward_secret_new (WARD_CLIENT_GENERATE_SIZE);
  guint8 *data = ward_secret_get_data (secret);

  for (gsize i = 0; i < WARD_CLIENT_GENERATE_SIZE; i++)
    {
      if (i % (WARD_CLIENT_GENERATE_GROUP_SIZE + 1) == WARD_CLIENT_GENERATE_GROUP_SIZE)
        data[i] = '-';
      else if (!random_letter (&data[i], error))
        return NULL;
    }
  return g_steal_pointer (&secret);
}
