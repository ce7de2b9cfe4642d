/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-tpm2-key-fixture.h"

#include <string.h>

#include "ward-key-import.h"
#include "ward-key-public.h"

WardSecret *
secret_of_text (const char *text)
{
  return text ? ward_secret_new_from (text, strlen (text)) : NULL;
}

/* Gone with the scope. */
typedef WardKeyAuths Auths;

static Auths
auths_of (const char *auth, const char *owner_auth)
{
  return (Auths){ .auth = secret_of_text (auth), .owner_auth = secret_of_text (owner_auth) };
}

static void
auths_clear (Auths *auths)
{
  g_clear_pointer (&auths->auth, ward_secret_unref);
  g_clear_pointer (&auths->owner_auth, ward_secret_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Auths, auths_clear)

WardWrappedKey *
key_create_as (WardConnection *connection, const WardKeyTemplate *template, const char *auth, const char *owner_auth,
               GError **error)
{
  g_auto (Auths) auths = auths_of (auth, owner_auth);
  WardWrappedKey *key = ward_tpm2_backend.create_key (connection, template, &auths, error);

  assert_nothing_left (connection);
  return key;
}

WardWrappedKey *
key_create (WardConnection *connection, const char *algorithm, guint usage, const char *auth)
{
  WardKeyTemplate template = { .algorithm = algorithm, .usage = usage, .no_da = auth == NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (WardWrappedKey) key = key_create_as (connection, &template, auth, NULL, &error);

  g_assert_no_error (error);
  return g_steal_pointer (&key);
}

WardWrappedKey *
key_import (WardConnection *connection, EVP_PKEY *pkey, guint usage, const char *auth, gboolean no_da)
{
  g_auto (Auths) auths = auths_of (auth, NULL);
  g_autoptr (WardSecret) pem = pkey_to_pem (pkey);
  g_autoptr (GError) error = NULL;
  g_autoptr (WardKeyImport) import = ward_key_import_parse (pem, NULL, &error);
  WardKeyTemplate template = { .usage = usage, .no_da = no_da };
  g_autoptr (WardWrappedKey) key = NULL;

  g_assert_no_error (error);
  key = ward_tpm2_backend.import_key (connection, import->pair, &template, &auths, &error);
  g_assert_no_error (error);
  assert_nothing_left (connection);
  return g_steal_pointer (&key);
}

GBytes *
key_get_public (const WardWrappedKey *key)
{
  g_autoptr (GError) error = NULL;
  GBytes *public_key = ward_tpm2_backend.get_public_key (key, &error);

  g_assert_no_error (error);
  return public_key;
}

GBytes *
key_sign (WardConnection *connection, const WardWrappedKey *key, const char *auth, const char *scheme, const char *hash,
          GError **error)
{
  g_auto (Auths) auths = auths_of (auth, NULL);
  g_autofree WardKeyFacts *facts = ward_tpm2_backend.describe_key (key, error);
  g_autoptr (GBytes) digest = digest_of (hash, "sign me");
  g_autoptr (WardSigning) signing = facts ? ward_signing_new (facts, scheme, hash, digest, error) : NULL;
  GBytes *signature = signing ? ward_tpm2_backend.sign (connection, key, &auths, signing, error) : NULL;

  assert_nothing_left (connection);
  return signature;
}

WardSecret *
key_decrypt (WardConnection *connection, const WardWrappedKey *key, const char *auth, const char *scheme,
             const char *hash, GBytes *label, GBytes *ciphertext, GError **error)
{
  g_auto (Auths) auths = auths_of (auth, NULL);
  g_autofree WardKeyFacts *facts = ward_tpm2_backend.describe_key (key, error);
  g_autoptr (WardDecryption) decryption = ward_decryption_new (facts, scheme, hash, label, ciphertext, error);
  WardSecret *data = decryption ? ward_tpm2_backend.decrypt (connection, key, &auths, decryption, error) : NULL;

  assert_nothing_left (connection);
  return data;
}

WardSecret *
key_agree (WardConnection *connection, const WardWrappedKey *key, const char *auth, GBytes *peer, GError **error)
{
  g_auto (Auths) auths = auths_of (auth, NULL);
  g_autoptr (WardPoint) point = ward_point_parse (peer, error);
  WardSecret *data = point ? ward_tpm2_backend.agree (connection, key, &auths, point, error) : NULL;

  assert_nothing_left (connection);
  return data;
}

WardWrappedKey *
key_change_auth (WardConnection *connection, const WardWrappedKey *key, const char *old, const char *new,
                 GError **error)
{
  g_auto (Auths) auths = auths_of (old, NULL);
  WardSecret *new_auth = secret_of_text (new);
  WardWrappedKey *changed = ward_tpm2_backend.change_key_auth (connection, key, &auths, new_auth, error);

  g_clear_pointer (&new_auth, ward_secret_unref);
  assert_nothing_left (connection);
  return changed;
}

void
assert_signs (WardConnection *connection, const WardWrappedKey *key, const char *auth)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) signature = key_sign (connection, key, auth, NULL, "sha256", &error);
  g_autoptr (GBytes) public_key = key_get_public (key);
  g_autoptr (GBytes) digest = digest_of ("sha256", "sign me");
  g_autoptr (GBytes) other = digest_of ("sha256", "sign that");

  g_assert_no_error (error);
  g_assert_true (pkey_verify (public_key, "sha256", FALSE, digest, signature));
  g_assert_false (pkey_verify (public_key, "sha256", FALSE, other, signature));
}

void
assert_does_not_sign (WardConnection *connection, const WardWrappedKey *key, const char *auth, int code,
                      const char *word)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (key_sign (connection, key, auth, NULL, "sha256", &error));
  g_assert_error (error, WARD_ERROR, code);
  if (word)
    assert_message_contains (error, word);
}
