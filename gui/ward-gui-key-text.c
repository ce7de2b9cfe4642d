/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-key-text.h"

#include <glib/gi18n.h>
#include <string.h>

#include "ward-client-key.h"
#include "ward-client-pcr.h"

/* Of a key's label, in characters; of its id, in digits. */
#define LABEL_MAX 128
#define ID_SIZE 32

const char *
ward_gui_key_text_algorithm (const char *algorithm)
{
  static const struct
  {
    const char *name; /* the service's */
    const char *text;
  } texts[] = {
    { "rsa2048", "RSA 2048" },
    { "rsa3072", "RSA 3072" },
    { "ecc-p256", "ECC P-256" },
    { "ecc-p384", "ECC P-384" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    if (g_str_equal (texts[i].name, algorithm))
      return texts[i].text;
  return algorithm;
}

char *
ward_gui_key_text_usage (WardGuiKey *key)
{
  static const struct
  {
    const char *usage;
    const char *text;
  } texts[] = { { "sign", N_ ("signs") }, { "decrypt", N_ ("decrypts") }, { "agree", N_ ("agrees on secrets") } };
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) words = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    if (ward_gui_key_has_usage (key, texts[i].usage))
      g_strv_builder_add (builder, _ (texts[i].text));
  words = g_strv_builder_end (builder);
  return g_strjoinv (", ", words);
}

char *
ward_gui_key_text_protection (WardGuiKey *key)
{
  g_autofree char *pcrs = ward_client_key_get_pcrs (ward_gui_key_get_description (key));

  if (ward_gui_key_has_auth (key))
    return g_strdup (*pcrs != '\0' ? _ ("password and boot state") : _ ("password"));
  return g_strdup (*pcrs != '\0' ? _ ("boot state") : _ ("no password"));
}

char *
ward_gui_key_text_boot_state (WardGuiKey *key)
{
  g_autoptr (GVariant) pcrs = g_variant_lookup_value (ward_gui_key_get_description (key), "pcrs",
                                                      G_VARIANT_TYPE ("a{sau}"));
  g_autoptr (GString) text = g_string_new (NULL);
  GVariantIter banks;
  const char *bank;
  GVariantIter *indices;

  if (pcrs == NULL)
    return g_strdup ("");
  g_variant_iter_init (&banks, pcrs);
  while (g_variant_iter_loop (&banks, "{&sau}", &bank, &indices))
    {
      guint32 index;

      while (g_variant_iter_next (indices, "u", &index))
        {
          if (text->len > 0)
            g_string_append_c (text, '\n');
          /* Translators: what a register of the boot state is about, its number, and its bank, such as sha256 */
          g_string_append_printf (text, _ ("%s (PCR %u, %s)"), ward_client_pcr_get_title (index), index, bank);
        }
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

char *
ward_gui_key_text_last_use (WardGuiKey *key)
{
  GVariant *description = ward_gui_key_get_description (key);
  g_autofree char *ago = ward_client_key_get_last_use (description);

  if (ward_client_key_get_number (description, "last-used") == 0)
    return g_strdup (_ ("Never used"));
  /* Translators: such as “Used 3 minutes ago” */
  return g_strdup_printf (_ ("Used %s"), ago);
}

static gboolean
is_id (const char *label)
{
  return strlen (label) == ID_SIZE && strspn (label, "0123456789abcdefABCDEF") == ID_SIZE;
}

static gboolean
has_control (const char *label)
{
  for (const char *c = label; *c != '\0'; c = g_utf8_next_char (c))
    if (g_unichar_iscntrl (g_utf8_get_char (c)))
      return TRUE;
  return FALSE;
}

char *
ward_gui_key_text_check_label (WardGuiKeys *keys, const char *label, gboolean is_system)
{
  if (*label == '\0')
    return g_strdup (_ ("Give the key a name, by which you will know it."));
  if (g_utf8_strlen (label, -1) > LABEL_MAX)
    return g_strdup_printf (_ ("The name is too long: it may have %d characters."), LABEL_MAX);
  if (has_control (label))
    return g_strdup (_ ("The name has characters that cannot be seen."));
  if (is_id (label))
    return g_strdup (_ ("32 hexadecimal digits are taken for a key’s identifier. Choose another name."));
  if (ward_gui_keys_has_label (keys, label, is_system))
    return g_strdup_printf (_ ("There is a key with the name “%s” already."), label);
  return NULL;
}
