/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-luks-header.h"

#include <string.h>
#include <sys/mman.h>

#include "ward-folder.h"

/* LUKS2 On-Disk Format Specification 1.1, section 2; the version is where LUKS1 has it. */
#define MAGIC "LUKS\xba\xbe"
#define SECOND_MAGIC "SKUL\xba\xbe"
#define MAGIC_SIZE 6
#define VERSION_OFFSET 6
#define SIZE_OFFSET 8
#define BINARY_SIZE 4096
#define MIN_HEADER 0x4000
#define MAX_HEADER 0x400000
/* What is copied at least: with LUKS1 all that lies before the data, where luksmeta puts its tokens; else the signature
 * of what else may be on the device, by which libcryptsetup sees that a second copy is only left over. */
#define LUKS1_COPY (4 * 1024 * 1024)
#define MIN_COPY (1024 * 1024)
#define PART 65536

static gboolean
read_at (int fd, guint64 offset, void *bytes, gsize size)
{
  return TEMP_FAILURE_RETRY (pread (fd, bytes, size, (off_t)offset)) == (gssize)size;
}

static guint64
read_be64 (const guint8 *bytes)
{
  guint64 value;

  memcpy (&value, bytes, sizeof (value));
  return GUINT64_FROM_BE (value);
}

static gboolean
is_header_size (guint64 size)
{
  return size >= MIN_HEADER && size <= MAX_HEADER && (size & (size - 1)) == 0;
}

/* The size of one copy, or 0 when there is none at any of the places where the second one may be. */
static guint64
find_second (int device)
{
  guint8 start[MAGIC_SIZE];

  for (guint64 offset = MIN_HEADER; offset <= MAX_HEADER; offset *= 2)
    if (read_at (device, offset, start, sizeof (start)) && memcmp (start, SECOND_MAGIC, MAGIC_SIZE) == 0)
      return offset;
  return 0;
}

/* How many bytes to copy, or 0. */
static guint64
measure (int device, WardLuksHeader *header)
{
  guint8 start[SIZE_OFFSET + sizeof (guint64)];
  guint64 size = 0;

  if (!read_at (device, 0, start, sizeof (start)))
    return 0;
  header->version = 2;
  if (memcmp (start, MAGIC, MAGIC_SIZE) == 0)
    {
      header->version = (guint)start[VERSION_OFFSET] << 8 | start[VERSION_OFFSET + 1];
      size = read_be64 (start + SIZE_OFFSET);
    }
  if (header->version == 1)
    return LUKS1_COPY;
  if (!is_header_size (size))
    {
      size = find_second (device);
      header->damaged = TRUE;
    }
  return size > 0 ? MAX (2 * size, MIN_COPY) : 0;
}

static gboolean
copy (int device, int fd, guint64 length, GChecksum *checksum)
{
  g_autofree guint8 *part = g_malloc (PART);

  for (guint64 offset = 0; offset < length;)
    {
      gssize n = TEMP_FAILURE_RETRY (pread (device, part, MIN (PART, length - offset), (off_t)offset));

      if (n == 0)
        return TRUE;
      if (n < 0 || TEMP_FAILURE_RETRY (pwrite (fd, part, (gsize)n, (off_t)offset)) != n)
        return FALSE;
      g_checksum_update (checksum, part, n);
      offset += (guint64)n;
    }
  return TRUE;
}

WardLuksHeader *
ward_luks_header_new (int device, guint64 size)
{
  g_autoptr (WardLuksHeader) header = g_new0 (WardLuksHeader, 1);
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  guint64 length;

  header->fd = -1;
  length = MIN (measure (device, header), size);
  if (length < BINARY_SIZE)
    return NULL;
  header->fd = memfd_create ("luks-header", MFD_CLOEXEC);
  if (header->fd < 0 || ftruncate (header->fd, (off_t)size) != 0 || !copy (device, header->fd, length, checksum))
    return NULL;
  header->fingerprint = g_strdup (g_checksum_get_string (checksum));
  return g_steal_pointer (&header);
}

void
ward_luks_header_free (WardLuksHeader *header)
{
  if (header->fd >= 0)
    close (header->fd);
  g_free (header->fingerprint);
  g_free (header);
}
