/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/* A copy of a LUKS volume's header, in memory. libcryptsetup is never shown the device itself: on loading a LUKS2
 * header of which one of the two copies is damaged it writes the other over it, and a search must not write. */
typedef struct
{
  int fd;            /* of the copy; as long as the volume, with nothing behind the header */
  guint version;     /* of LUKS: 1 or 2 */
  gboolean damaged;  /* only the second copy of the header was found */
  char *fingerprint; /* the same for one volume that is reached by several devices */
} WardLuksHeader;

/* device: open for reading, of size bytes. NULL when no LUKS header is there, or it cannot be read. */
WardLuksHeader *ward_luks_header_new (int device, guint64 size);
void ward_luks_header_free (WardLuksHeader *header);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardLuksHeader, ward_luks_header_free)
