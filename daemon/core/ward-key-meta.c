/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A key as it is written beside its private half. */
#include <string.h>

#include "ward-error.h"
#include "ward-hex.h"
#include "ward-key-public.h"
#include "ward-key.h"

#define KEY "Key"
#define PCRS "PCRs"
/* Goes up when what older versions would misread is written. */
#define VERSION 1

/* The end: SHA-256 of what is before it. */
#define SEAL "\n[Check]\nDigest="

/* The most characters of a line that an error quotes. */
#define MAX_QUOTED 200

#define SCOPE_USER "user"
#define SCOPE_SYSTEM "system"

static const struct
{
  WardKeyUsage usage;
  const char *name;
} usages[] = {
  { WARD_KEY_SIGN, "sign" },
  { WARD_KEY_DECRYPT, "decrypt" },
  { WARD_KEY_AGREE, "agree" },
};

/* Those that are read and written as they are. */
static const struct
{
  const char *name;
  gsize offset;
} strings[] = {
  { "Id", G_STRUCT_OFFSET (WardKey, id) },
  { "Label", G_STRUCT_OFFSET (WardKey, label) },
  { "Comment", G_STRUCT_OFFSET (WardKey, comment) },
  { "UserName", G_STRUCT_OFFSET (WardKey, user_name) },
  { "Tpm", G_STRUCT_OFFSET (WardKey, tpm) },
  { "ParentName", G_STRUCT_OFFSET (WardKey, parent_name) },
  { "Fingerprint", G_STRUCT_OFFSET (WardKey, fingerprint) },
  { "PrivateDigest", G_STRUCT_OFFSET (WardKey, digest) },
};

static const struct
{
  const char *name;
  gsize offset;
} flags[] = {
  { "HasAuth", G_STRUCT_OFFSET (WardKey, has_auth) },
  { "NoDa", G_STRUCT_OFFSET (WardKey, no_da) },
  { "Imported", G_STRUCT_OFFSET (WardKey, imported) },
};

const char **
ward_key_usage_get_names (guint usage)
{
  const char **names = g_new0 (const char *, G_N_ELEMENTS (usages) + 1);
  guint n_names = 0;

  for (guint i = 0; i < G_N_ELEMENTS (usages); i++)
    if (usage & usages[i].usage)
      names[n_names++] = usages[i].name;
  return names;
}

gboolean
ward_key_usage_parse (const char *name, guint *usage)
{
  for (guint i = 0; i < G_N_ELEMENTS (usages); i++)
    if (g_str_equal (name, usages[i].name))
      {
        *usage |= usages[i].usage;
        return TRUE;
      }
  return FALSE;
}

/* Each PCR as index:value. */
static void
print_bank (GKeyFile *file, const WardPcrBank *bank)
{
  g_autoptr (GPtrArray) values = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < WARD_N_PCRS; i++)
    {
      g_autofree char *value = ward_hex (bank->values.values[i], bank->values.digest_size, 0);

      if (bank->values.mask & (1u << i))
        g_ptr_array_add (values, g_strdup_printf ("%u:%s", i, value));
    }
  g_key_file_set_string_list (file, PCRS, bank->bank, (const char *const *)values->pdata, values->len);
}

/* What stands at the end of a text that is as the service has written it. */
static char *
make_seal (const char *text, gsize size)
{
  g_autofree char *digest = g_compute_checksum_for_data (G_CHECKSUM_SHA256, (const guchar *)text, size);

  return g_strconcat (SEAL, digest, "\n", NULL);
}

char *
ward_key_print (const WardKey *key, gsize *size)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autofree char *public_key = g_base64_encode (g_bytes_get_data (key->public_key, NULL),
                                                 g_bytes_get_size (key->public_key));
  g_autofree const char **names = ward_key_usage_get_names (key->usage);
  g_autofree char *text = NULL;
  g_autofree char *seal = NULL;
  gsize text_size;

  for (guint i = 0; i < key->pcrs->len; i++)
    print_bank (file, key->pcrs->pdata[i]);
  g_key_file_set_uint64 (file, KEY, "Version", VERSION);
  for (guint i = 0; i < G_N_ELEMENTS (strings); i++)
    g_key_file_set_string (file, KEY, strings[i].name, G_STRUCT_MEMBER (char *, key, strings[i].offset));
  for (guint i = 0; i < G_N_ELEMENTS (flags); i++)
    g_key_file_set_boolean (file, KEY, flags[i].name, G_STRUCT_MEMBER (gboolean, key, flags[i].offset));
  g_key_file_set_string_list (file, KEY, "Usage", names, g_strv_length ((GStrv)names));
  g_key_file_set_string (file, KEY, "Algorithm", key->algorithm);
  g_key_file_set_string (file, KEY, "Scope", key->uid == WARD_UID_SYSTEM ? SCOPE_SYSTEM : SCOPE_USER);
  if (key->uid != WARD_UID_SYSTEM)
    g_key_file_set_uint64 (file, KEY, "Uid", key->uid);
  g_key_file_set_uint64 (file, KEY, "Parent", key->parent);
  g_key_file_set_uint64 (file, KEY, "Created", key->created);
  g_key_file_set_string (file, KEY, "PublicKey", public_key);
  text = g_key_file_to_data (file, &text_size, NULL);
  seal = make_seal (text, text_size);
  if (size)
    *size = text_size + strlen (seal);
  return g_strconcat (text, seal, NULL);
}

G_GNUC_PRINTF (2, 3)
static gboolean
fail (GError **error, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_propagate_error (error, g_error_new_valist (WARD_ERROR, WARD_ERROR_CORRUPT, format, arguments));
  va_end (arguments);
  return FALSE;
}

/* What GLib says becomes an error of ours. It may quote a whole line, however long that is. */
static gboolean
take (GError *glib_error, GError **error)
{
  g_autoptr (GError) owned = glib_error;
  g_autofree char *quoted = NULL;

  if (!owned)
    return TRUE;
  if (g_utf8_strlen (owned->message, -1) <= MAX_QUOTED)
    return fail (error, "it cannot be understood: %s", owned->message);
  quoted = g_utf8_substring (owned->message, 0, MAX_QUOTED);
  return fail (error, "it cannot be understood: %s…", quoted);
}

static gboolean
parse_number (GKeyFile *file, const char *name, guint64 max, guint64 *number, GError **error)
{
  GError *local_error = NULL;
  guint64 value = g_key_file_get_uint64 (file, KEY, name, &local_error);

  if (!take (local_error, error))
    return FALSE;
  if (value > max)
    return fail (error, "its %s is %" G_GUINT64_FORMAT, name, value);
  *number = value;
  return TRUE;
}

static gboolean
parse_members (GKeyFile *file, WardKey *key, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (strings); i++)
    {
      char **member = &G_STRUCT_MEMBER (char *, key, strings[i].offset);
      GError *local_error = NULL;
      /* may be set with the error too */
      g_autofree char *value = g_key_file_get_string (file, KEY, strings[i].name, &local_error);

      if (!take (local_error, error))
        return FALSE;
      g_free (*member);
      *member = g_steal_pointer (&value);
    }
  for (guint i = 0; i < G_N_ELEMENTS (flags); i++)
    {
      GError *local_error = NULL;

      G_STRUCT_MEMBER (gboolean, key, flags[i].offset) = g_key_file_get_boolean (file, KEY, flags[i].name,
                                                                                 &local_error);
      if (!take (local_error, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
parse_kind (GKeyFile *file, WardKey *key, GError **error)
{
  GError *local_error = NULL;
  g_autofree char *name = g_key_file_get_string (file, KEY, "Algorithm", NULL);
  const WardKeyAlgorithm *algorithm = name ? ward_key_algorithm_find (name) : NULL;
  g_auto (GStrv) names = g_key_file_get_string_list (file, KEY, "Usage", NULL, &local_error);

  if (!take (local_error, error))
    return FALSE;
  if (!algorithm)
    return fail (error, "its algorithm is unknown");
  key->algorithm = algorithm->name;
  for (guint n = 0; names[n]; n++)
    ward_key_usage_parse (names[n], &key->usage);
  if (!key->usage || key->usage & ~ward_key_algorithm_get_usage (algorithm))
    return fail (error, "its usage is none that a key of %s has", algorithm->name);
  return TRUE;
}

static gboolean
parse_owner (GKeyFile *file, WardKey *key, GError **error)
{
  g_autofree char *scope = g_key_file_get_string (file, KEY, "Scope", NULL);
  guint64 uid = 0;

  if (g_strcmp0 (scope, SCOPE_SYSTEM) == 0)
    {
      key->uid = WARD_UID_SYSTEM;
      return TRUE;
    }
  if (g_strcmp0 (scope, SCOPE_USER) != 0)
    return fail (error, "it is neither a user's nor the system's");
  if (!parse_number (file, "Uid", WARD_UID_SYSTEM - 1, &uid, error))
    return FALSE;
  key->uid = (guint32)uid;
  return TRUE;
}

static gboolean
parse_public (GKeyFile *file, WardKey *key, GError **error)
{
  g_autofree char *text = g_key_file_get_string (file, KEY, "PublicKey", NULL);
  g_autofree char *id = NULL;
  guchar *data;
  gsize size;

  if (!text || !*text)
    return fail (error, "it lacks the public key");
  data = g_base64_decode (text, &size);
  g_bytes_unref (key->public_key);
  key->public_key = g_bytes_new_take (data, size);
  id = ward_key_public_get_id (key->public_key);
  if (!g_str_equal (id, key->id))
    return fail (error, "its public key is another key's");
  return TRUE;
}

static gboolean
parse_value (WardPcrBank *bank, const char *text)
{
  WardPcrValues *values = &bank->values;
  char *digits;
  guint64 index = g_ascii_strtoull (text, &digits, 10);
  gsize length = *digits == ':' ? strlen (++digits) : 0;

  if (index >= WARD_N_PCRS || length == 0 || length % 2 != 0 || length / 2 > WARD_MAX_DIGEST_SIZE
      || (values->digest_size && values->digest_size != length / 2) || strspn (digits, "0123456789abcdef") != length)
    return FALSE;
  values->digest_size = length / 2;
  values->mask |= 1u << index;
  for (gsize i = 0; i < length / 2; i++)
    values->values[index][i] = (guint8)(g_ascii_xdigit_value (digits[2 * i]) << 4
                                        | g_ascii_xdigit_value (digits[2 * i + 1]));
  return TRUE;
}

static gboolean
parse_pcrs (GKeyFile *file, WardKey *key, GError **error)
{
  g_auto (GStrv) banks = g_key_file_get_keys (file, PCRS, NULL, NULL);

  for (guint n = 0; banks && banks[n]; n++)
    {
      g_auto (GStrv) values = g_key_file_get_string_list (file, PCRS, banks[n], NULL, NULL);
      WardPcrBank *bank = ward_pcr_bank_new (banks[n]);

      g_ptr_array_add (key->pcrs, bank);
      for (guint i = 0; values && values[i]; i++)
        if (!parse_value (bank, values[i]))
          return fail (error, "its PCR values make no sense");
      if (!ward_bank_is_known (banks[n]) || bank->values.mask == 0)
        return fail (error, "its PCR banks make no sense");
    }
  return TRUE;
}

/* A change that leaves it readable is one all the same. */
static gboolean
check_seal (const char *text, gsize size, GError **error)
{
  gsize seal_size = strlen (SEAL) + 2 * (gsize)g_checksum_type_get_length (G_CHECKSUM_SHA256) + 1;
  g_autofree char *seal = NULL;

  if (size <= seal_size)
    return fail (error, "it is cut off");
  seal = make_seal (text, size - seal_size);
  return memcmp (text + size - seal_size, seal, seal_size) == 0
         || fail (error, "it is not what the service has written");
}

WardKey *
ward_key_parse (const char *text, gsize size, GError **error)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (WardKey) key = ward_key_new ();
  GError *local_error = NULL;
  guint64 version = 0, parent = 0;

  g_key_file_load_from_data (file, text, size, G_KEY_FILE_NONE, &local_error);
  if (!take (local_error, error) || !parse_number (file, "Version", G_MAXUINT64, &version, error))
    return NULL;
  if (version != VERSION)
    {
      fail (error, "a newer version of this service has written it");
      return NULL;
    }
  if (!parse_members (file, key, error) || !parse_kind (file, key, error) || !parse_owner (file, key, error)
      || !parse_number (file, "Parent", G_MAXUINT32, &parent, error)
      || !parse_number (file, "Created", G_MAXINT64, &key->created, error) || !parse_public (file, key, error)
      || !parse_pcrs (file, key, error))
    return NULL;
  key->parent = (guint32)parent;
  if (!ward_label_validate (key->label, NULL) || !ward_comment_validate (key->comment, NULL))
    {
      fail (error, "its label or comment is none that a key may have");
      return NULL;
    }
  if (!check_seal (text, size, error))
    return NULL;
  return g_steal_pointer (&key);
}
