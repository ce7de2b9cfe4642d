/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tpm2-private.h"

#include "ward-error.h"
#include "ward-key-public.h"

/* No chip has room for so many. */
#define MAX_ITEMS 1024

/* Persistent objects below are of the storage or the endorsement hierarchy, from here on of the platform's (TPM 2.0
 * Library, Part 3, 28.5.1). */
#define PLATFORM_PERSISTENT 0x81800000u

static WardChipItem *
item_new (const char *kind, TPM2_HANDLE handle, const TPM2B_NAME *name)
{
  WardChipItem *item = g_new0 (WardChipItem, 1);

  item->kind = kind;
  item->handle = handle;
  item->name = ward_tpm2_name_to_string (name);
  item->purpose = g_strdup (ward_tpm2_handle_get_purpose (handle));
  return item;
}

static char *
get_key_id (const TPMT_PUBLIC *public)
{
  g_autoptr (GBytes) key = ward_tpm2_public_get_key (public);

  return key != NULL ? ward_key_public_get_id (key) : g_strdup ("");
}

static TSS2_RC
add_object (WardConnection *connection, TPM2_HANDLE handle, GPtrArray *items)
{
  TPM2B_PUBLIC public = { 0 };
  TPM2B_NAME name = { 0 };
  TSS2_RC rc = ward_tpm2_read_public (connection, handle, &public, &name);
  WardChipItem *item;

  if (rc != TSS2_RC_SUCCESS)
    return rc;
  item = item_new (WARD_CHIP_PERSISTENT, handle, &name);
  item->algorithm = ward_tpm2_public_to_string (&public.publicArea);
  item->key_id = get_key_id (&public.publicArea);
  item->attributes = public.publicArea.objectAttributes;
  item->is_cleared = handle < PLATFORM_PERSISTENT;
  item->is_remade = handle >> 16 == 0x8101 && ward_tpm2_ek_qualifies (&public.publicArea);
  g_ptr_array_add (items, item);
  return rc;
}

static TSS2_RC
add_index (WardConnection *connection, TPM2_HANDLE handle, GPtrArray *items)
{
  TPM2B_NV_PUBLIC public = { 0 };
  TPM2B_NAME name = { 0 };
  TSS2_RC rc = ward_tpm2_nv_read_public (connection, handle, &public, &name);
  WardChipItem *item;

  if (rc != TSS2_RC_SUCCESS)
    return rc;
  item = item_new (WARD_CHIP_NV_INDEX, handle, &name);
  item->algorithm = g_strdup ("");
  item->key_id = g_strdup ("");
  item->attributes = public.nvPublic.attributes;
  item->size = public.nvPublic.dataSize;
  item->written = (public.nvPublic.attributes & TPMA_NV_WRITTEN) != 0;
  item->is_cleared = (public.nvPublic.attributes & TPMA_NV_PLATFORMCREATE) == 0;
  g_ptr_array_add (items, item);
  return rc;
}

static gboolean
add_all (WardConnection *connection, guint32 first, TSS2_RC (*add) (WardConnection *, TPM2_HANDLE, GPtrArray *),
         GPtrArray *items, GError **error)
{
  g_autoptr (GArray) handles = ward_tpm2_read_handles (connection, first, error);

  if (handles == NULL)
    return FALSE;
  if (handles->len > MAX_ITEMS)
    {
      g_set_error (error, WARD_ERROR, WARD_ERROR_FAILED,
                   "The TPM says that it keeps %u things of one kind, which no working TPM has room for. Run a full "
                   "self-test.",
                   handles->len);
      return FALSE;
    }
  for (guint i = 0; i < handles->len; i++)
    {
      TSS2_RC rc = add (connection, g_array_index (handles, TPM2_HANDLE, i), items);

      /* another program may have taken it away meanwhile */
      if (rc == TSS2_RC_SUCCESS || ward_tpm2_rc_get_meaning (rc) == TPM2_RC_HANDLE)
        continue;
      ward_tpm2_set_error (error, connection, rc, "The TPM could not tell what it keeps");
      return FALSE;
    }
  return TRUE;
}

/* See WardBackend. */
GPtrArray *
ward_tpm2_list_items (WardConnection *connection, GError **error)
{
  g_autoptr (GPtrArray) items = g_ptr_array_new_with_free_func ((GDestroyNotify)ward_chip_item_free);

  if (!add_all (connection, TPM2_NV_INDEX_FIRST, add_index, items, error)
      || !add_all (connection, WARD_TPM2_PERSISTENT_FIRST, add_object, items, error))
    return NULL;
  return g_steal_pointer (&items);
}
