/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A boot state that is kept in a file: see ward_gui_boot_state_to_file (). */
#include "ward-gui-boot-state-private.h"
#include "ward-hex.h"

#include <glib/gi18n.h>
#include <string.h>

#define GROUP "Boot State"
#define FORMAT 1

/* Of the largest digest that TPMs know, in bytes. */
#define MAX_VALUE_SIZE 64
#define MAX_BANKS 16

static const struct
{
  const char *name;
  gsize size;
} hashes[] = {
  { "sha1", 20 },    { "sha256", 32 },   { "sha384", 48 },   { "sha512", 64 },
  { "sm3_256", 32 }, { "sha3_256", 32 }, { "sha3_384", 48 }, { "sha3_512", 64 },
};

static void
set_value (GKeyFile *file, const char *bank, guint index, GBytes *value)
{
  gsize size;
  const guint8 *bytes = g_bytes_get_data (value, &size);
  g_autofree char *key = g_strdup_printf ("%u", index);
  g_autofree char *hex = ward_hex (bytes, size, 0);

  g_key_file_set_string (file, bank, key, hex);
}

GBytes *
ward_gui_boot_state_to_file (WardGuiBootState *state)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autofree char *time = g_date_time_format (ward_gui_boot_state_get_time (state), "%Y-%m-%dT%H:%M:%SZ");
  const char *const *banks = ward_gui_boot_state_get_banks (state);
  gsize size;
  char *data;
  int n = 0;

  g_key_file_set_integer (file, GROUP, "Format", FORMAT);
  g_key_file_set_string (file, GROUP, "TPM", ward_gui_boot_state_get_tpm (state));
  g_key_file_set_string (file, GROUP, "Model", ward_gui_boot_state_get_model (state));
  g_key_file_set_string (file, GROUP, "Saved", time);
  for (guint i = 0; banks[i] != NULL; i++)
    for (guint j = 0; j < WARD_CLIENT_N_PCRS; j++)
      {
        GBytes *value = ward_gui_boot_state_get_value (state, banks[i], j);

        if (value == NULL)
          continue;
        set_value (file, banks[i], j, value);
        n++;
      }
  g_key_file_set_integer (file, GROUP, "Values", n);
  g_key_file_set_comment (file, NULL, NULL, " The values of a TPM's PCRs, saved by TPM Manager to be compared later.",
                          NULL);
  data = g_key_file_to_data (file, &size, NULL);
  return g_bytes_new_take (data, size);
}

static gboolean
fail (GError **error, const char *why)
{
  g_set_error (error, WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_CORRUPT, _ ("The saved state cannot be used: %s"), why);
  return FALSE;
}

/* As many bytes as there are pairs of digits; NULL for anything else. */
static GBytes *
parse_hex (const char *text)
{
  gsize length = strlen (text);
  guint8 bytes[MAX_VALUE_SIZE];

  if (length == 0 || length % 2 != 0 || length > 2 * sizeof bytes)
    return NULL;
  for (gsize i = 0; i < length / 2; i++)
    {
      int high = g_ascii_xdigit_value (text[2 * i]);
      int low = g_ascii_xdigit_value (text[2 * i + 1]);

      if (high < 0 || low < 0)
        return NULL;
      bytes[i] = (guint8)(high << 4 | low);
    }
  return g_bytes_new (bytes, length / 2);
}

/* The size of the bank's digests; of a hash that is not known here, 0. */
static gsize
get_digest_size (const char *bank)
{
  for (gsize i = 0; i < G_N_ELEMENTS (hashes); i++)
    if (g_str_equal (hashes[i].name, bank))
      return hashes[i].size;
  return 0;
}

static gboolean
read_bank (GKeyFile *file, WardGuiPcrBank *bank, guint *n_values, GError **error)
{
  g_auto (GStrv) keys = g_key_file_get_keys (file, bank->name, NULL, NULL);
  gsize size = get_digest_size (bank->name);

  for (guint i = 0; keys != NULL && keys[i] != NULL; i++)
    {
      g_autofree char *text = g_key_file_get_string (file, bank->name, keys[i], NULL);
      g_autoptr (GBytes) value = text != NULL ? parse_hex (text) : NULL;
      guint64 index;

      if (!g_ascii_string_to_unsigned (keys[i], 10, 0, WARD_CLIENT_N_PCRS - 1, &index, NULL))
        return fail (error, _ ("it names a register that no TPM has."));
      if (value == NULL || (size > 0 && g_bytes_get_size (value) != size))
        return fail (error, _ ("a register’s value is not as long as its bank’s, or is none at all."));
      if (bank->values[index] != NULL)
        return fail (error, _ ("it has a register twice."));
      size = g_bytes_get_size (value);
      bank->values[index] = g_steal_pointer (&value);
      (*n_values)++;
    }
  return TRUE;
}

static gboolean
read_banks (GKeyFile *file, WardGuiBootState *state, GError **error)
{
  g_auto (GStrv) groups = g_key_file_get_groups (file, NULL);
  int expected = g_key_file_get_integer (file, GROUP, "Values", NULL);
  guint n_values = 0;

  if (g_strv_length (groups) > MAX_BANKS + 1)
    return fail (error, _ ("it has more banks than any TPM."));
  for (guint i = 0; groups[i] != NULL; i++)
    if (!g_str_equal (groups[i], GROUP)
        && !read_bank (file, ward_gui_boot_state_add_bank (state, groups[i]), &n_values, error))
      return FALSE;
  if (expected <= 0 || n_values != (guint)expected)
    return fail (error, _ ("a part of it is missing, or was added."));
  return TRUE;
}

static GKeyFile *
load (gconstpointer data, gsize size, GError **error)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();

  if (size > WARD_GUI_BOOT_STATE_MAX_SIZE)
    fail (error, _ ("it is too large."));
  else if (size == 0 || !g_utf8_validate (data, (gssize)size, NULL)
           || !g_key_file_load_from_data (file, data, size, G_KEY_FILE_NONE, NULL)
           || !g_key_file_has_group (file, GROUP))
    fail (error, _ ("it is not one that TPM Manager has saved."));
  else if (g_key_file_get_integer (file, GROUP, "Format", NULL) != FORMAT)
    fail (error, _ ("another version of TPM Manager has saved it, in a way that this one does not know."));
  else
    return g_steal_pointer (&file);
  return NULL;
}

WardGuiBootState *
ward_gui_boot_state_from_file (gconstpointer data, gsize size, GError **error)
{
  g_autoptr (GKeyFile) file = load (data, size, error);
  g_autoptr (WardGuiBootState) state = NULL;
  g_autoptr (GDateTime) time = NULL;
  g_autofree char *saved = NULL;
  g_autofree char *tpm = NULL;
  g_autofree char *model = NULL;

  if (file == NULL)
    return NULL;
  tpm = g_key_file_get_string (file, GROUP, "TPM", NULL);
  model = g_key_file_get_string (file, GROUP, "Model", NULL);
  saved = g_key_file_get_string (file, GROUP, "Saved", NULL);
  time = saved != NULL ? g_date_time_new_from_iso8601 (saved, NULL) : NULL;
  if (tpm == NULL || model == NULL || time == NULL)
    {
      fail (error, _ ("it does not say when and of which TPM it was saved."));
      return NULL;
    }
  state = ward_gui_boot_state_new (tpm, model, time);
  return read_banks (file, state, error) ? g_steal_pointer (&state) : NULL;
}
