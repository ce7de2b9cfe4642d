/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <libcryptsetup.h>
#include <string.h>

#include "ward-block.h"
#include "ward-luks-header.h"
#include "ward-luks-slots.h"
#include "ward-luksmeta.h"
#include "ward-scan.h"

typedef struct crypt_device CryptDevice;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CryptDevice, crypt_free)

static void
ignore_message (int level, const char *message, void *user_data)
{
}

static CryptDevice *
load (const WardLuksHeader *header)
{
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", header->fd);
  g_autoptr (CryptDevice) device = NULL;
  const char *type = header->version == 1 ? CRYPT_LUKS1 : CRYPT_LUKS2;

  if (crypt_init (&device, path) != 0 || crypt_load (device, type, NULL) != 0)
    return NULL;
  return g_steal_pointer (&device);
}

static guint32
read_active_slots (CryptDevice *device)
{
  int max = MIN (crypt_keyslot_max (crypt_get_type (device)), 32);
  guint32 active = 0;

  for (int slot = 0; slot < max; slot++)
    {
      crypt_keyslot_info info = crypt_keyslot_status (device, slot);

      /* An unbound slot holds some other key than the volume's. */
      if (info == CRYPT_SLOT_ACTIVE || info == CRYPT_SLOT_ACTIVE_LAST)
        active |= 1U << slot;
    }
  return active;
}

static guint32
read_token_slots (CryptDevice *device, int token)
{
  guint32 slots = 0;

  for (int slot = 0; slot < MIN (crypt_keyslot_max (CRYPT_LUKS2), 32); slot++)
    if (crypt_token_is_assigned (device, token, slot) == 0)
      slots |= 1U << slot;
  return slots;
}

static void
read_tokens (CryptDevice *device, WardLuksSlots *slots)
{
  for (int token = 0; token < crypt_token_max (CRYPT_LUKS2); token++)
    {
      const char *type = NULL, *json = NULL;
      crypt_token_info info = crypt_token_status (device, token, &type);

      if (info != CRYPT_TOKEN_INVALID && info != CRYPT_TOKEN_INACTIVE && type != NULL
          && crypt_token_json_get (device, token, &json) >= 0)
        ward_luks_slots_add_token (slots, read_token_slots (device, token), type, json);
    }
}

static char *
describe (CryptDevice *device, guint version, const WardLuksSlots *slots, gboolean damaged)
{
  const char *uuid = crypt_get_uuid (device);
  const char *label = version == 2 ? crypt_get_label (device) : NULL;
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *printable = NULL;

  g_string_append_printf (text, "An encrypted volume (LUKS%u", version);
  if (label != NULL && *label != '\0')
    g_string_append_printf (text, ", “%s”", label);
  g_string_append_printf (text, ", UUID %s).%s", uuid != NULL ? uuid : "unknown", slots->detail->str);
  if (damaged)
    g_string_append (text, " The first copy of its header is damaged; this was read from the second.");
  return ward_text_printable (text->str);
}

static void
add_volume (WardScan *scan, const char *path, CryptDevice *device, const WardLuksHeader *header,
            const WardLuksSlots *slots)
{
  g_autofree char *others = ward_luks_slots_describe_others (slots);
  WardDependent *dependent;

  if (slots->tpm == 0)
    return;
  dependent = ward_dependent_new (WARD_DEPENDENT_LUKS_VOLUME, path, 0);
  dependent->detail = describe (device, header->version, slots, header->damaged);
  dependent->recoverable = others != NULL ? "yes" : "no";
  dependent->reason = others != NULL ? g_strdup_printf (
                          "Without the TPM it is opened by %s: make sure that somebody has that key.", others)
                                     : g_strdup ("Nothing but the TPM opens it: all that is on it would be lost.");
  dependent->uses_owner_empty_auth = slots->uses_owner;
  dependent->uses_pin = slots->uses_pin;
  dependent->confidence = header->damaged ? "likely" : "sure";
  ward_scan_add (scan, dependent);
}

static void
visit (WardScan *scan, int fd, const char *path, guint64 size, gpointer user_data)
{
  GHashTable *seen = user_data;
  g_autoptr (WardLuksHeader) header = ward_luks_header_new (fd, size);
  g_autoptr (CryptDevice) device = header != NULL ? load (header) : NULL;
  g_autoptr (WardLuksSlots) slots = NULL;

  /* A disk of a mirror or of several paths has the header of the whole. */
  if (header == NULL || !g_hash_table_add (seen, g_strdup (header->fingerprint)))
    return;
  if (device == NULL)
    {
      if (!header->damaged)
        ward_scan_add_unscanned (scan, path, 0, "It begins like a LUKS volume, but its header cannot be understood.");
      return;
    }
  slots = ward_luks_slots_new (read_active_slots (device));
  if (header->version == 1)
    ward_luksmeta_read (header->fd, device, slots);
  else
    read_tokens (device, slots);
  add_volume (scan, path, device, header, slots);
}

static void
scan_system (WardScan *scan)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  /* Its locks would be files in /run; its plugins would be code chosen by what a disk says. */
  crypt_set_log_callback (NULL, ignore_message, NULL);
  crypt_metadata_locking (NULL, 0);
  crypt_token_external_disable ();
  ward_block_each (scan, visit, seen);
}

const WardScanner ward_luks_scanner = { .scan_system = scan_system };
