/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-key.h"

#include <string.h>

#include "ward-error.h"
#include "ward-key-public.h"

/* What systemd hands out for a while (UIDS-GIDS), and nobody. */
#define FIRST_DYNAMIC_UID 61184
#define LAST_DYNAMIC_UID 65519
#define NOBODY_UID 65534

WardKey *
ward_key_new (void)
{
  WardKey *key = g_new0 (WardKey, 1);

  g_atomic_ref_count_init (&key->ref_count);
  key->id = g_strdup ("");
  key->label = g_strdup ("");
  key->comment = g_strdup ("");
  key->algorithm = "";
  key->user_name = g_strdup ("");
  key->tpm = g_strdup ("");
  key->parent_name = g_strdup ("");
  key->pcrs = g_ptr_array_new_with_free_func ((GDestroyNotify)ward_pcr_bank_free);
  key->public_key = g_bytes_new_static (NULL, 0);
  key->fingerprint = g_strdup ("");
  key->digest = g_strdup ("");
  return key;
}

WardKey *
ward_key_ref (WardKey *key)
{
  g_atomic_ref_count_inc (&key->ref_count);
  return key;
}

void
ward_key_unref (WardKey *key)
{
  if (!g_atomic_ref_count_dec (&key->ref_count))
    return;
  g_free (key->id);
  g_free (key->label);
  g_free (key->comment);
  g_free (key->user_name);
  g_free (key->tpm);
  g_free (key->parent_name);
  g_ptr_array_unref (key->pcrs);
  g_bytes_unref (key->public_key);
  g_free (key->fingerprint);
  g_free (key->digest);
  g_free (key);
}

WardKey *
ward_key_copy (const WardKey *key)
{
  WardKey *copy = g_memdup2 (key, sizeof *key);

  g_atomic_ref_count_init (&copy->ref_count);
  copy->id = g_strdup (key->id);
  copy->label = g_strdup (key->label);
  copy->comment = g_strdup (key->comment);
  copy->user_name = g_strdup (key->user_name);
  copy->tpm = g_strdup (key->tpm);
  copy->parent_name = g_strdup (key->parent_name);
  copy->pcrs = g_ptr_array_ref (key->pcrs);
  copy->public_key = g_bytes_ref (key->public_key);
  copy->fingerprint = g_strdup (key->fingerprint);
  copy->digest = g_strdup (key->digest);
  return copy;
}

gboolean
ward_key_set_public (WardKey *key, GBytes *public_key)
{
  g_autofree char *fingerprint = ward_key_public_get_fingerprint (public_key);

  if (!fingerprint)
    return FALSE;
  g_bytes_unref (key->public_key);
  key->public_key = g_bytes_ref (public_key);
  g_free (key->id);
  key->id = ward_key_public_get_id (public_key);
  g_free (key->fingerprint);
  key->fingerprint = g_steal_pointer (&fingerprint);
  return TRUE;
}

char *
ward_key_to_string (const WardKey *key)
{
  return g_strdup_printf ("“%s” (%s)", key->label, key->id);
}

gboolean
ward_key_is_id (const char *text)
{
  return strlen (text) == WARD_KEY_ID_LENGTH && strspn (text, "0123456789abcdefABCDEF") == WARD_KEY_ID_LENGTH;
}

/* Also those that end a line, and those that have what comes after them read from the other side (Unicode, UAX 9). */
static gboolean
is_control (gunichar c)
{
  return g_unichar_iscntrl (c) || c == 0x2028 || c == 0x2029 || (c >= 0x202a && c <= 0x202e)
         || (c >= 0x2066 && c <= 0x2069);
}

/* what: “label”, for messages. */
static gboolean
validate_text (const char *text, const char *what, glong max_length, GError **error)
{
  if (!g_utf8_validate (text, -1, NULL))
    {
      g_set_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
                   "This %s is not valid UTF-8. Give it in characters of UTF-8.", what);
      return FALSE;
    }
  if (g_utf8_strlen (text, -1) > max_length)
    {
      g_set_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
                   "This %s has %ld characters, and %ld are the most. Choose a shorter one.", what,
                   g_utf8_strlen (text, -1), max_length);
      return FALSE;
    }
  for (const char *p = text; *p; p = g_utf8_next_char (p))
    if (is_control (g_utf8_get_char (p)))
      {
        g_set_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
                     "This %s has a control character in it (U+%04X), by which a key could be shown as another one. "
                     "Leave it out.",
                     what, g_utf8_get_char (p));
        return FALSE;
      }
  return TRUE;
}

gboolean
ward_label_validate (const char *label, GError **error)
{
  if (!*label)
    {
      g_set_error_literal (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
                           "A key needs a label, and this one is empty. Choose a name by which to call the key.");
      return FALSE;
    }
  if (!validate_text (label, "label", WARD_MAX_LABEL_LENGTH, error))
    return FALSE;
  if (!ward_key_is_id (label))
    return TRUE;
  g_set_error_literal (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
                       "This label has 32 hexadecimal digits, as the ids of keys have, and would be taken for one. "
                       "Choose another label.");
  return FALSE;
}

gboolean
ward_comment_validate (const char *comment, GError **error)
{
  return validate_text (comment, "comment", WARD_MAX_COMMENT_LENGTH, error);
}

gboolean
ward_key_check_uid (guint32 uid, GError **error)
{
  if (uid != NOBODY_UID && (uid < FIRST_DYNAMIC_UID || uid > LAST_DYNAMIC_UID))
    return TRUE;
  g_set_error (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED,
               "The user id %u belongs to nobody for long: the system gives it to one service now and another later, "
               "which would find the first one's keys. Give the service a user of its own, or let it use a system key.",
               uid);
  return FALSE;
}
