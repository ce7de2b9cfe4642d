/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What may be said of a key, and that what is said of it survives being written down. */
#include <string.h>

#include "test-store-fixture.h"
#include "ward-error.h"

#define TEN(s) s s s s s s s s s s
#define ID "0123456789abcdef0123456789abcdef"

static const struct
{
  const char *label;
  const char *part; /* of the refusal; NULL: it may be one */
} labels[] = {
  { "a", NULL },
  { "my laptop’s key", NULL },
  { " ", NULL },
  { "鍵 🔑", NULL },
  { "no/../path", NULL },
  { TEN (TEN ("x")) TEN ("x") TEN ("x") "12345678", NULL },
  { TEN (TEN ("é")) TEN ("é") TEN ("é") "12345678", NULL },
  { "0123456789abcdef0123456789abcde", NULL },
  { "0123456789abcdef0123456789abcdef0", NULL },
  { "0123456789abcdef0123456789abcdeg", NULL },
  { "", "empty" },
  { TEN (TEN ("x")) TEN ("x") TEN ("x") "123456789", "129 characters" },
  { TEN (TEN ("é")) TEN ("é") TEN ("é") "123456789", "129 characters" },
  { ID, "as the ids" },
  { "0123456789ABCDEF0123456789ABCDEF", "as the ids" },
  { "two\nlines", "U+000A" },
  { "bell\a", "U+0007" },
  { "\x7f", "U+007F" },
  { "\xc2\x85", "U+0085" },
  { "a\xe2\x80\xa8next line", "U+2028" },
  { "turned\xe2\x80\xaetxet", "U+202E" },
  { "turned\xe2\x81\xa6text", "U+2066" },
  { "\xff", "UTF-8" },
  { "\xc3", "UTF-8" },
  { "\xed\xa0\x80", "UTF-8" },
};

static void
test_labels (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (labels); i++)
    {
      g_autoptr (GError) error = NULL;
      gboolean may_be = ward_label_validate (labels[i].label, &error);

      g_test_message ("%u: %s", i, error ? error->message : "may be one");
      if (labels[i].part)
        {
          g_assert_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT);
          g_assert_nonnull (strstr (error->message, labels[i].part));
        }
      g_assert_true (may_be == !labels[i].part);
    }
}

static void
test_comments (void)
{
  g_autofree char *longest = g_strnfill (WARD_MAX_COMMENT_LENGTH, 'x');
  g_autofree char *too_long = g_strnfill (WARD_MAX_COMMENT_LENGTH + 1, 'x');

  g_assert_true (ward_comment_validate ("", NULL));
  g_assert_true (ward_comment_validate (ID, NULL));
  g_assert_true (ward_comment_validate (longest, NULL));
  g_assert_false (ward_comment_validate (too_long, NULL));
  g_assert_false (ward_comment_validate ("ends a line\nof authorized_keys", NULL));
}

static void
test_uids (void)
{
  static const struct
  {
    guint32 uid;
    gboolean may;
  } uids[] = { { 0, TRUE },      { 1000, TRUE },        { 61183, TRUE },          { 61184, FALSE },
               { 65519, FALSE }, { 65520, TRUE },       { 65534, FALSE },         { 65535, TRUE },
               { 100000, TRUE }, { 4294967294u, TRUE }, { WARD_UID_SYSTEM, TRUE } };

  for (guint i = 0; i < G_N_ELEMENTS (uids); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_true (ward_key_check_uid (uids[i].uid, &error) == uids[i].may);
      if (!uids[i].may)
        g_assert_error (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED);
    }
}

static WardKey *
make_full_key (void)
{
  g_autoptr (GBytes) private_half = test_private_half ("private");
  WardKey *key = test_key_new_full (" a label; with\\ what key files escape=", private_half);
  WardPcrBank *bank = ward_pcr_bank_new ("sha256");

  g_free (key->comment);
  key->comment = g_strdup ("# [Key] é");
  key->usage = WARD_KEY_SIGN | WARD_KEY_AGREE;
  key->has_auth = key->no_da = key->imported = TRUE;
  bank->values.digest_size = 32;
  bank->values.mask = 1u << 7 | 1u << 23;
  memset (bank->values.values[7], 0xa7, 32);
  memset (bank->values.values[23], 0x17, 32);
  g_ptr_array_add (key->pcrs, bank);
  return key;
}

static void
test_round_trip (void)
{
  g_autoptr (WardKey) key = make_full_key ();
  gsize size;
  g_autofree char *text = ward_key_print (key, &size);
  g_autoptr (GError) error = NULL;
  g_autoptr (WardKey) again = ward_key_parse (text, size, &error);
  g_autofree char *text_again = NULL;
  const WardPcrBank *bank;

  g_assert_no_error (error);
  text_again = ward_key_print (again, NULL);
  g_assert_cmpstr (text_again, ==, text);
  g_assert_cmpstr (again->label, ==, key->label);
  g_assert_cmpstr (again->comment, ==, key->comment);
  g_assert_cmpstr (again->id, ==, key->id);
  g_assert_cmpstr (again->algorithm, ==, "ecc-p256");
  g_assert_cmpuint (again->usage, ==, key->usage);
  g_assert_cmpuint (again->uid, ==, ALICE);
  g_assert_true (again->has_auth && again->no_da && again->imported);
  g_assert_true (g_bytes_equal (again->public_key, key->public_key));
  g_assert_cmpuint (again->pcrs->len, ==, 1);
  bank = again->pcrs->pdata[0];
  g_assert_cmpmem (&bank->values, sizeof bank->values, &((WardPcrBank *)key->pcrs->pdata[0])->values,
                   sizeof bank->values);
}

static void
test_system_key (void)
{
  g_autoptr (WardKey) key = make_full_key ();
  g_autofree char *text = NULL;
  g_autoptr (WardKey) again = NULL;
  gsize size;

  key->uid = WARD_UID_SYSTEM;
  text = ward_key_print (key, &size);
  again = ward_key_parse (text, size, NULL);
  g_assert_nonnull (again);
  g_assert_cmpuint (again->uid, ==, WARD_UID_SYSTEM);
}

/* What is changed in a good text, and what the refusal says of it. */
static const struct
{
  const char *from;
  const char *to;
  const char *part;
} damages[] = {
  { "Version=1", "Version=2", "newer version" },
  { "Version=1", "Version=-1", "newer version" },
  { "Version=1", "", "cannot be understood" },
  { "[Key]", "[Kez]", "cannot be understood" },
  { "[Key]", "Key", "cannot be understood" },
  { "Algorithm=ecc-p256", "Algorithm=ecc-p255", "algorithm" },
  { "Algorithm=ecc-p256", "Algorithm=rsa2048", "usage" },
  { "Usage=sign;agree;", "Usage=", "usage" },
  { "Usage=sign;agree;", "Usage=sign;decrypt;", "usage" },
  { "HasAuth=true", "HasAuth=maybe", "cannot be understood" },
  { "HasAuth=true", "HasAuth=false", "not what the service has written" },
  { "Scope=user", "Scope=nobody", "neither" },
  { "Uid=1000", "Uid=4294967295", "Uid" },
  { "Uid=1000", "Uid=x", "cannot be understood" },
  { "Parent=2164260865", "Parent=4294967296", "Parent" },
  { "PublicKey=M", "PublicKey=N", "another key's" },
  { "PublicKey=", "PublicKey=\n#", "lacks the public key" },
  { "7:a7", "24:a7", "PCR values" },
  { "7:a7", "7:g7", "PCR values" },
  { "7:a7", "7:", "PCR values" },
  { "7:a7", "7", "PCR values" },
  { "sha256=", "md5=", "PCR banks" },
  { "sha256=", "sha256=\n#", "PCR banks" },
  { "Label=", "Label=\\n", "label or comment" },
  { "Label=", "Label=\n#", "label or comment" },
};

static char *
replace (const char *text, const char *from, const char *to)
{
  const char *at = strstr (text, from);

  g_assert_nonnull (at);
  return g_strdup_printf ("%.*s%s%s", (int)(at - text), text, to, at + strlen (from));
}

static void
test_damaged (void)
{
  g_autoptr (WardKey) key = make_full_key ();
  g_autofree char *good = ward_key_print (key, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (damages); i++)
    {
      g_autofree char *text = replace (good, damages[i].from, damages[i].to);
      g_autoptr (GError) error = NULL;
      g_autoptr (WardKey) parsed = ward_key_parse (text, strlen (text), &error);

      g_assert_error (error, WARD_ERROR, WARD_ERROR_CORRUPT);
      g_test_message ("%s: %s", damages[i].to, error->message);
      g_assert_nonnull (strstr (error->message, damages[i].part));
    }
}

/* At every byte; the padding of base64 and the end of the last line aside. */
static void
test_truncated (void)
{
  g_autoptr (WardKey) key = make_full_key ();
  gsize size;
  g_autofree char *good = ward_key_print (key, &size);

  for (gsize i = 0; i < size; i++)
    {
      g_autoptr (WardKey) parsed = ward_key_parse (good, i, NULL);

      g_assert_null (parsed);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/key/labels", test_labels);
  g_test_add_func ("/key/comments", test_comments);
  g_test_add_func ("/key/uids", test_uids);
  g_test_add_func ("/key/round-trip", test_round_trip);
  g_test_add_func ("/key/system-key", test_system_key);
  g_test_add_func ("/key/damaged", test_damaged);
  g_test_add_func ("/key/truncated", test_truncated);
  return g_test_run ();
}
