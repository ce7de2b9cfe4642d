/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a TPM 1.2 keeps for others than itself: its NV indices, as it has no persistent objects. */
#include "ward-tpm12-private.h"

/* TPM Main, Part 3, 6.2: those that the owner reads or writes. */
static gboolean
is_cleared (const WardNvIndex *nv)
{
  const char *const *names = (const char *const *)nv->attributes;

  return !(nv->index & WARD_TPM12_NV_FIXED_BIT)
         && (g_strv_contains (names, "ownerread") || g_strv_contains (names, "ownerwrite"));
}

GPtrArray *
ward_tpm12_list_items (WardConnection *connection, GError **error)
{
  g_autoptr (GPtrArray) indices = ward_tpm12_list_nv (connection, error);
  GPtrArray *items;

  if (!indices)
    return NULL;
  items = g_ptr_array_new_with_free_func ((GDestroyNotify)ward_chip_item_free);
  for (guint i = 0; i < indices->len; i++)
    {
      const WardNvIndex *nv = indices->pdata[i];
      WardChipItem *item = g_new0 (WardChipItem, 1);

      item->handle = nv->index;
      item->kind = WARD_CHIP_NV_INDEX;
      item->name = g_strdup ("");
      item->algorithm = g_strdup ("");
      item->key_id = g_strdup ("");
      item->size = nv->size;
      item->written = nv->written;
      item->purpose = g_strdup (nv->purpose);
      item->is_cleared = is_cleared (nv);
      g_ptr_array_add (items, item);
    }
  return items;
}
