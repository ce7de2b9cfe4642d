/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-luks-slots.h"

#include <string.h>

#include "ward-clevis.h"
#include "ward-json.h"

#define MAX_TOKEN (4 * 1024 * 1024) /* LUKS2's own limit for all */

/* What systemd-cryptenroll(1) enrols beside the TPM. */
static const struct
{
  const char *type;
  const char *how;
} other_tokens[] = {
  { "systemd-fido2", "a FIDO2 token" },
  { "systemd-pkcs11", "a smart card" },
  { "systemd-recovery", "a recovery key" },
};

WardLuksSlots *
ward_luks_slots_new (guint32 active)
{
  WardLuksSlots *self = g_new0 (WardLuksSlots, 1);

  self->active = active;
  self->detail = g_string_new (NULL);
  return self;
}

void
ward_luks_slots_free (WardLuksSlots *self)
{
  g_string_free (self->detail, TRUE);
  g_free (self);
}

static gboolean
has (guint32 slots, guint slot)
{
  return slots >> slot & 1;
}

static char *
list (guint32 slots)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint slot = 0; slot < 32; slot++)
    if (has (slots, slot))
      g_string_append_printf (text, "%s%u", text->len > 0 ? ", " : "", slot);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
add_sentence (WardLuksSlots *self, guint32 slots, const char *how)
{
  g_autofree char *numbers = list (slots);

  g_string_append_printf (self->detail, " The TPM opens key slot %s (%s).", numbers, how);
}

/* The member that systemd 252 calls tpm2-pcrs: none, or numbers. */
static void
append_pcrs (GString *how, JsonObject *token)
{
  JsonArray *pcrs = ward_json_array (token, "tpm2-pcrs");
  guint n = pcrs != NULL ? MIN (json_array_get_length (pcrs), 32) : 0;

  for (guint i = 0; i < n; i++)
    {
      JsonNode *node = json_array_get_element (pcrs, i);

      if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_INT64)
        g_string_append_printf (how, "%s%" G_GINT64_FORMAT, i == 0 ? ", bound to PCR " : ", ",
                                json_node_get_int (node));
    }
}

/* systemd up to 253 makes the parent again under the owner hierarchy each time; later ones name the persistent one that
 * they used. A pcrlock policy is authorized by the owner in every version (tpm2_policy_authorize_nv()). */
static void
add_systemd (WardLuksSlots *self, guint32 slots, JsonObject *token)
{
  g_autoptr (GString) how = g_string_new ("systemd-cryptenroll");
  gboolean pcrlock = ward_json_boolean (token, "tpm2_pcrlock");

  append_pcrs (how, token);
  if (pcrlock)
    g_string_append (how, ", bound to systemd-pcrlock's policy");
  if (ward_json_string (token, "tpm2_pubkey") != NULL)
    g_string_append (how, ", bound to a signed policy");
  if (ward_json_boolean (token, "tpm2-pin"))
    {
      g_string_append (how, ", with a PIN");
      self->uses_pin = TRUE;
    }
  self->tpm |= slots;
  self->tpm_only |= slots;
  self->uses_owner = self->uses_owner || pcrlock || ward_json_string (token, "tpm2_srk") == NULL;
  add_sentence (self, slots, how->str);
}

void
ward_luks_slots_add_clevis (WardLuksSlots *self, guint32 slots, const char *jwe)
{
  g_autoptr (WardClevis) clevis = jwe != NULL ? ward_clevis_new (jwe) : NULL;
  g_autofree char *how = NULL;

  slots &= self->active;
  if (clevis == NULL || !clevis->uses_tpm)
    {
      for (guint slot = 0; slot < G_N_ELEMENTS (self->other); slot++)
        if (has (slots, slot))
          self->other[slot] = clevis != NULL ? "clevis, by other means" : "clevis, by unknown means";
      return;
    }
  self->tpm |= slots;
  if (clevis->needs_tpm)
    self->tpm_only |= slots;
  self->uses_owner = self->uses_owner || clevis->needs_tpm;
  how = g_strconcat ("clevis, ", clevis->pins, NULL);
  add_sentence (self, slots, how);
}

void
ward_luks_slots_add_token (WardLuksSlots *self, guint32 slots, const char *type, const char *json)
{
  gsize length = strlen (json);
  g_autoptr (JsonObject) token = length <= MAX_TOKEN ? ward_json_parse (json, length) : NULL;
  JsonObject *jwe;

  /* A token without its slot opens nothing. */
  slots &= self->active;
  if (token == NULL || slots == 0)
    return;
  if (strcmp (type, "systemd-tpm2") == 0)
    add_systemd (self, slots, token);
  if (strcmp (type, "clevis") == 0)
    {
      jwe = ward_json_object (token, "jwe");
      ward_luks_slots_add_clevis (self, slots, jwe != NULL ? ward_json_string (jwe, "protected") : NULL);
    }
  for (guint i = 0; i < G_N_ELEMENTS (other_tokens); i++)
    for (guint slot = 0; slot < G_N_ELEMENTS (self->other); slot++)
      if (strcmp (type, other_tokens[i].type) == 0 && has (slots, slot))
        self->other[slot] = other_tokens[i].how;
}

char *
ward_luks_slots_describe_others (const WardLuksSlots *self)
{
  guint32 others = self->active & ~self->tpm_only;
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint slot = 0; slot < G_N_ELEMENTS (self->other); slot++)
    {
      const char *how = self->other[slot];

      if (!has (others, slot))
        continue;
      if (has (self->tpm, slot))
        how = "clevis, without the TPM";
      g_string_append_printf (text, "%skey slot %u (%s)", text->len > 0 ? " or " : "", slot,
                              how != NULL ? how : "a passphrase or key file");
    }
  return text->len > 0 ? g_string_free (g_steal_pointer (&text), FALSE) : NULL;
}
