/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-luksmeta.h"

#include <string.h>

#include "ward-folder.h"

#define ALIGNMENT 4096
#define MAGIC "LUKSMETA"
#define MAGIC_SIZE 8
#define N_SLOTS 8
#define MAX_DATA (256 * 1024)

/* Numbers are big-endian. */
typedef struct
{
  guint8 uuid[16]; /* of who has stored it */
  guint32 offset;  /* from the table's beginning */
  guint32 length;
  guint32 checksum;
  guint32 reserved;
} Slot;

typedef struct
{
  guint8 magic[MAGIC_SIZE];
  guint32 version;
  guint32 checksum;
  Slot slots[N_SLOTS];
} Table;

static const guint8 clevis_uuid[] = { 0xcb, 0x6e, 0x89, 0x04, 0x81, 0xff, 0x40, 0xda,
                                      0xa8, 0x4a, 0x07, 0xab, 0x9a, 0xb5, 0x71, 0x5e };

static guint64
find_table (struct crypt_device *device)
{
  guint64 end = 0;

  for (int slot = 0; slot < N_SLOTS; slot++)
    {
      guint64 offset, length;

      if (crypt_keyslot_area (device, slot, &offset, &length) == 0)
        end = MAX (end, offset + length);
    }
  return (end + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static char *
read_text (int fd, guint64 offset, guint32 length)
{
  g_autofree char *text = length <= MAX_DATA ? g_malloc0 (length + 1) : NULL;

  if (text == NULL || pread (fd, text, length, (off_t)offset) != (gssize)length)
    return NULL;
  return g_steal_pointer (&text);
}

void
ward_luksmeta_read (int fd, struct crypt_device *device, WardLuksSlots *slots)
{
  guint64 start = find_table (device);
  Table table;

  if (pread (fd, &table, sizeof (table), (off_t)start) != sizeof (table)
      || memcmp (table.magic, MAGIC, MAGIC_SIZE) != 0)
    return;
  for (guint slot = 0; slot < N_SLOTS; slot++)
    {
      const Slot *stored = &table.slots[slot];
      g_autofree char *jwe = NULL;

      if (memcmp (stored->uuid, clevis_uuid, sizeof (clevis_uuid)) != 0)
        continue;
      jwe = read_text (fd, start + GUINT32_FROM_BE (stored->offset), GUINT32_FROM_BE (stored->length));
      ward_luks_slots_add_clevis (slots, 1U << slot, jwe);
    }
}
