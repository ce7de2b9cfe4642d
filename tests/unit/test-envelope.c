/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-envelope.h"

#include <string.h>

#include "ward-error.h"

/* What a TPM might have sealed. */
static WardSealed *
some_sealed (gboolean bound)
{
  g_autoptr (WardSealed) sealed = ward_sealed_new ();
  WardPcrBank *bank = ward_pcr_bank_new ("sha256");

  sealed->parent = WARD_SRK_HANDLE;
  sealed->has_auth = TRUE;
  sealed->public_area = g_bytes_new_static ("\0\4publ", 6);
  sealed->private_area = g_bytes_new_static ("\0\6privat", 8);
  bank->values.mask = 1u << 7 | 1u << 14;
  bank->values.digest_size = 32;
  memset (bank->values.values[7], 0x77, 32);
  memset (bank->values.values[14], 0xee, 32);
  g_ptr_array_add (sealed->pcrs, bank);
  if (!bound)
    g_ptr_array_set_size (sealed->pcrs, 0);
  return g_steal_pointer (&sealed);
}

static WardSecret *
secret_of (gsize size)
{
  WardSecret *secret = ward_secret_new (size);

  for (gsize i = 0; i < size; i++)
    ward_secret_get_data (secret)[i] = (guint8)(i * 31);
  return secret;
}

/* payload: what is in the TPM, to be unsealed later. */
static char *
wrap (gsize size, gboolean bound, WardSecret **payload)
{
  g_autoptr (WardSecret) data = secret_of (size);
  g_autoptr (WardSealed) sealed = some_sealed (bound);
  g_autoptr (GError) error = NULL;
  char *text;

  *payload = ward_envelope_choose_payload (data, &error);
  g_assert_no_error (error);
  text = ward_envelope_print (sealed, *payload, data, &error);
  g_assert_no_error (error);
  return text;
}

static void
assert_unwraps (const char *text, WardSecret *payload, gsize size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WardEnvelope) envelope = ward_envelope_parse (text, &error);
  g_autoptr (WardSecret) expected = secret_of (size);
  g_autoptr (WardSecret) data = NULL;

  g_assert_no_error (error);
  data = ward_envelope_open (envelope, payload, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (ward_secret_get_data (data), ward_secret_get_size (data), ward_secret_get_data (expected), size);
}

static void
test_round_trips (void)
{
  static const gsize sizes[] = { 1, 128, 129, 4096, WARD_ENVELOPE_MAX_DATA };

  for (guint i = 0; i < 2 * G_N_ELEMENTS (sizes); i++)
    {
      gsize size = sizes[i / 2];
      g_autoptr (WardSecret) payload = NULL;
      g_autofree char *text = wrap (size, i % 2, &payload);

      g_assert_cmpuint (ward_secret_get_size (payload), <=, WARD_MAX_SEALED_SIZE);
      g_assert_true (g_str_has_prefix (text, size <= 128 && i % 2 == 0 ? "-----BEGIN TSS2 PRIVATE KEY-----\n"
                                                                       : "-----BEGIN TPMWARD SEALED DATA-----\n"));
      assert_unwraps (text, payload, size);
    }
}

static void
test_all_is_kept (void)
{
  g_autoptr (WardSecret) payload = NULL;
  g_autofree char *text = wrap (5, TRUE, &payload);
  g_autoptr (WardEnvelope) envelope = ward_envelope_parse (text, NULL);
  g_autoptr (WardSealed) expected = some_sealed (TRUE);
  const WardPcrBank *was = g_ptr_array_index (expected->pcrs, 0), *is;

  g_assert_nonnull (envelope);
  g_assert_cmphex (envelope->sealed->parent, ==, WARD_SRK_HANDLE);
  g_assert_true (envelope->sealed->has_auth);
  g_assert_true (g_bytes_equal (envelope->sealed->public_area, expected->public_area));
  g_assert_true (g_bytes_equal (envelope->sealed->private_area, expected->private_area));
  g_assert_cmpuint (envelope->sealed->pcrs->len, ==, 1);
  is = g_ptr_array_index (envelope->sealed->pcrs, 0);
  g_assert_cmpstr (is->bank, ==, was->bank);
  g_assert_cmpmem (&is->values, sizeof is->values, &was->values, sizeof was->values);
}

static void
test_white_space_around (void)
{
  g_autoptr (WardSecret) payload = NULL;
  g_autofree char *text = wrap (5, FALSE, &payload);
  g_autofree char *spaced = g_strconcat ("\n  ", text, "\n\n ", NULL);

  assert_unwraps (spaced, payload, 5);
}

static void
assert_refused (const char *text, int code)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (ward_envelope_parse (text, &error));
  g_assert_error (error, WARD_ERROR, code);
  g_assert_cmpuint (strlen (error->message), <, 300);
}

static void
test_nonsense (void)
{
  g_autoptr (WardSecret) payload = NULL;
  g_autofree char *text = wrap (5, FALSE, &payload);
  g_autofree char *twice = g_strconcat (text, text, NULL);
  g_autofree char *junk_before = g_strconcat ("junk\n", text, NULL);
  g_autofree char *junk_behind = g_strconcat (text, "junk", NULL);
  g_autofree char *huge = g_strnfill (3 * 1024 * 1024, 'A');
  g_autofree char *huge_pem = g_strconcat ("-----BEGIN TSS2 PRIVATE KEY-----\n", huge, NULL);

  assert_refused ("", WARD_ERROR_CORRUPT);
  assert_refused ("sealed", WARD_ERROR_CORRUPT);
  assert_refused (twice, WARD_ERROR_CORRUPT);
  assert_refused (junk_before, WARD_ERROR_CORRUPT);
  assert_refused (junk_behind, WARD_ERROR_CORRUPT);
  assert_refused (huge, WARD_ERROR_CORRUPT);
  assert_refused (huge_pem, WARD_ERROR_CORRUPT);
  assert_refused ("-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n", WARD_ERROR_CORRUPT);
  assert_refused ("-----BEGIN TSS2 PRIVATE KEY-----\nMAA=\n-----END TSS2 PRIVATE KEY-----\n", WARD_ERROR_CORRUPT);
  assert_refused ("-----BEGIN TSS2 PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMAA=\n-----END TSS2 PRIVATE KEY-----\n",
                  WARD_ERROR_CORRUPT);
}

/* text with another label and the DER that change makes of its own. */
static char *
remade (const char *text, const char *label, void (*change) (GByteArray *der))
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_autoptr (GString) base64 = g_string_new (NULL);
  g_autoptr (GByteArray) der = NULL;
  g_autofree char *encoded = NULL;
  guchar *decoded;
  gsize size;

  for (guint i = 1; lines[i] && *lines[i] != '-'; i++)
    g_string_append (base64, lines[i]);
  decoded = g_base64_decode (base64->str, &size);
  der = g_byte_array_new_take (decoded, size);
  change (der);
  encoded = g_base64_encode (der->data, der->len);
  g_string_truncate (base64, 0);
  for (gsize i = 0; i < strlen (encoded); i += 64)
    g_string_append_printf (base64, "%.64s\n", encoded + i);
  return g_strdup_printf ("-----BEGIN %s-----\n%s-----END %s-----\n", label, base64->str, label);
}

static void
make_loadable_key (GByteArray *der)
{
  guint8 *type = memmem (der->data, der->len, "\x67\x81\x05\x0a\x01\x05", 6);

  g_assert_nonnull (type);
  type[5] = 3;
}

static void
test_key_of_another_kind (void)
{
  g_autoptr (WardSecret) payload = NULL;
  g_autofree char *text = wrap (5, FALSE, &payload);
  g_autofree char *key = remade (text, "TSS2 PRIVATE KEY", make_loadable_key);

  assert_refused (key, WARD_ERROR_NOT_SUPPORTED);
}

/* A blob whose content was taken away does not pass for one with the key as its data; nor does the key inside. */
static void
test_key_is_no_data (void)
{
  g_autoptr (WardSecret) payload = NULL;
  g_autofree char *text = wrap (1000, FALSE, &payload);
  g_autoptr (WardSecret) small_payload = NULL;
  g_autofree char *small = wrap (5, FALSE, &small_payload);
  g_autoptr (WardEnvelope) envelope = ward_envelope_parse (small, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_null (ward_envelope_open (envelope, payload, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_CORRUPT);
}

/* And data that looks like such a key is still data. */
static void
test_data_like_a_key (void)
{
  g_autoptr (WardSecret) data = NULL;
  g_autoptr (WardSecret) payload = NULL;
  g_autoptr (WardSealed) sealed = some_sealed (FALSE);
  g_autoptr (WardEnvelope) envelope = NULL;
  g_autoptr (WardSecret) back = NULL;
  g_autofree char *text = NULL;
  WardSecret *key = NULL;

  g_free (wrap (1000, FALSE, &key));
  data = key;
  payload = ward_envelope_choose_payload (data, NULL);
  text = ward_envelope_print (sealed, payload, data, NULL);
  envelope = ward_envelope_parse (text, NULL);
  back = ward_envelope_open (envelope, payload, NULL);
  g_assert_cmpmem (ward_secret_get_data (back), ward_secret_get_size (back), ward_secret_get_data (data),
                   ward_secret_get_size (data));
}

/* Never a crash, and never other data than was sealed: either refused, or what makes no difference. */
static void
assert_harmless (const char *text, WardSecret *payload, gsize size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WardEnvelope) envelope = ward_envelope_parse (text, &error);
  g_autoptr (WardSecret) expected = secret_of (size);
  g_autoptr (WardSecret) data = envelope ? ward_envelope_open (envelope, payload, &error) : NULL;

  if (data)
    g_assert_cmpmem (ward_secret_get_data (data), ward_secret_get_size (data), ward_secret_get_data (expected), size);
  else
    g_assert_true (g_error_matches (error, WARD_ERROR, WARD_ERROR_CORRUPT)
                   || g_error_matches (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED));
}

static guint changed_bit;

static void
change_bit (GByteArray *der)
{
  der->data[changed_bit / 8 % der->len] ^= 1 << changed_bit % 8;
}

static guint kept_bytes;

static void
cut_off (GByteArray *der)
{
  g_byte_array_set_size (der, MIN (kept_bytes, der->len - 1));
}

static void
test_hostile_blobs (void)
{
  static const gsize sizes[] = { 5, 300 };

  for (guint i = 0; i < 2 * G_N_ELEMENTS (sizes); i++)
    {
      gsize size = sizes[i / 2];
      g_autoptr (WardSecret) payload = NULL;
      g_autofree char *text = wrap (size, i % 2, &payload);
      const char *label = size <= 128 && i % 2 == 0 ? "TSS2 PRIVATE KEY" : "TPMWARD SEALED DATA";
      guint der_size = strlen (text) * 3 / 4; /* or somewhat less */

      for (gsize j = 0; j < strlen (text); j++)
        {
          g_autofree char *cut = g_strndup (text, j);
          g_autofree char *flipped = g_strdup (text);

          flipped[j] ^= 1 << j % 7;
          assert_harmless (cut, payload, size);
          assert_harmless (flipped, payload, size);
        }
      for (guint j = 0; j < 2 * der_size; j++)
        {
          g_autofree char *flipped = NULL;
          g_autofree char *cut = NULL;

          changed_bit = j * 4 + j % 4;
          kept_bytes = j / 2;
          flipped = remade (text, label, change_bit);
          cut = remade (text, label, cut_off);
          assert_harmless (flipped, payload, size);
          assert_harmless (cut, payload, size);
          assert_refused (cut, WARD_ERROR_CORRUPT);
        }
    }
}

/* A structure within a structure, as deep as there is room, and a million elements. */
static void
test_der_bombs (void)
{
  static const char *const labels[] = { "TSS2 PRIVATE KEY", "TPMWARD SEALED DATA" };
  static const guint8 first_bytes[] = { 0x30, 0x80, 0x24, 0xa1 };
  gsize size = 1024 * 1024;

  for (guint i = 0; i < 2 * G_N_ELEMENTS (first_bytes); i++)
    {
      g_autofree guint8 *der = g_malloc (size);
      g_autofree char *encoded = NULL;
      g_autofree char *text = NULL;
      const char *label = labels[i % 2];

      memset (der, first_bytes[i / 2], size);
      for (gsize j = 1; j < size; j += 2)
        der[j] = 0x80;
      encoded = g_base64_encode (der, size);
      text = g_strdup_printf ("-----BEGIN %s-----\n%s\n-----END %s-----\n", label, encoded, label);
      assert_refused (text, WARD_ERROR_CORRUPT);
    }
}

static void
test_content_of_another (void)
{
  g_autoptr (WardSecret) payload = NULL;
  g_autoptr (WardSecret) other = NULL;
  g_autofree char *text = wrap (300, FALSE, &payload);
  g_autofree char *unused = wrap (300, FALSE, &other);
  g_autoptr (WardEnvelope) envelope = ward_envelope_parse (text, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_null (ward_envelope_open (envelope, other, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_CORRUPT);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/envelope/round-trips", test_round_trips);
  g_test_add_func ("/envelope/all-is-kept", test_all_is_kept);
  g_test_add_func ("/envelope/white-space-around", test_white_space_around);
  g_test_add_func ("/envelope/nonsense", test_nonsense);
  g_test_add_func ("/envelope/key-of-another-kind", test_key_of_another_kind);
  g_test_add_func ("/envelope/key-is-no-data", test_key_is_no_data);
  g_test_add_func ("/envelope/data-like-a-key", test_data_like_a_key);
  g_test_add_func ("/envelope/hostile-blobs", test_hostile_blobs);
  g_test_add_func ("/envelope/der-bombs", test_der_bombs);
  g_test_add_func ("/envelope/content-of-another", test_content_of_another);
  return g_test_run ();
}
