/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tpm2-private.h"

#include <string.h>

#include "ward-error.h"

#define NOT_READ "The NV index was not read"
#define NOT_WRITTEN "The NV index was not written"

/* What is read at once, where the TPM would give more: so that what ward_tpm2_forget_buffer puts in its place covers it
 * with what stands in front of it. */
#define MAX_READ 1008

/* What every TPM takes at once, where one does not say how much it takes. */
#define MIN_BUFFER 64

/* The right to read or write an index. */
typedef struct
{
  WardConnection *connection; /* NULL when there is nothing to clear */
  WardTpm2Handle index;
  WardTpm2Authorization owner; /* by the owner's auth value; else */
  WardTpm2Handle session;
  gboolean has_auth; /* the index's, and it is not empty */
  ESYS_TR tr;        /* whose auth value it is: the command's first handle */
  ESYS_TR session_tr;
} Use;

static void
use_clear (Use *use)
{
  static const TPM2B_AUTH none = { 0 };

  if (use->connection == NULL)
    return;
  if (use->index.tr != ESYS_TR_NONE)
    /* not NULL, which would leave the bytes in ESYS's memory */
    Esys_TR_SetAuth (use->connection->esys, use->index.tr, &none);
  if (use->has_auth)
    ward_tpm2_session_forget_auth (&use->session);
  ward_tpm2_handle_clear (&use->session);
  ward_tpm2_authorization_clear (&use->owner);
  ward_tpm2_handle_clear (&use->index);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Use, use_clear)

/* The rights that an index gives to read it, or to write to it. */
typedef struct
{
  TPMA_NV owner;
  TPMA_NV index;
  TPMA_NV policy;
  const char *done; /* "read" */
  const char *failed;
} Rights;

static const Rights read_rights = { TPMA_NV_OWNERREAD, TPMA_NV_AUTHREAD, TPMA_NV_POLICYREAD, "read", NOT_READ };
static const Rights write_rights = { TPMA_NV_OWNERWRITE, TPMA_NV_AUTHWRITE, TPMA_NV_POLICYWRITE, "written",
                                     NOT_WRITTEN };

static gboolean
set_no_right_error (const WardNvAccess *access, const Rights *rights, TPMA_NV attributes, GError **error)
{
  g_auto (GStrv) names = ward_tpm2_nv_attributes_to_names (attributes);
  g_autofree char *list = g_strjoinv (", ", names);
  const char *way;

  if (access->right == WARD_NV_BY_OWNER && (attributes & rights->index))
    way = "It takes its own auth value, not the owner's.";
  else if (access->right == WARD_NV_BY_INDEX && (attributes & rights->owner))
    way = "It takes the owner's auth value, not one of its own.";
  else if (attributes & rights->policy)
    way = "That takes what its policy demands, which only the program knows that has defined it.";
  else
    way = "Only the machine's firmware may do that.";
  g_set_error (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED, "%s: 0x%08x cannot be %s in this way. %s It has: %s.",
               rights->failed, access->index, rights->done, way, list);
  return FALSE;
}

/* Finds the right by which it can be done where the caller has named none: an empty auth value of the owner's costs
 * nothing if it is wrong, one of the index's may be counted. */
static gboolean
settle_right (WardConnection *connection, WardNvAccess *access, const Rights *rights, TPMA_NV attributes,
              GError **error)
{
  TPMA_NV given = attributes & (rights->owner | rights->index);
  g_autofree WardOwnership *ownership = NULL;

  if (access->right == WARD_NV_BY_ANY && given == (rights->owner | rights->index))
    {
      ownership = ward_tpm2_read_ownership (connection, error);
      if (ownership == NULL)
        return FALSE;
      access->right = ownership->owner_auth_set || !ownership->owner_enabled ? WARD_NV_BY_INDEX : WARD_NV_BY_OWNER;
    }
  else if (access->right == WARD_NV_BY_ANY)
    access->right = given == rights->owner ? WARD_NV_BY_OWNER : WARD_NV_BY_INDEX;
  if (attributes & (access->right == WARD_NV_BY_OWNER ? rights->owner : rights->index))
    return TRUE;
  return set_no_right_error (access, rights, attributes, error);
}

static gboolean
check_state (const WardNvAccess *access, const TPMS_NV_PUBLIC *public, gboolean is_write, GError **error)
{
  const char *purpose = ward_tpm2_handle_get_purpose (access->index);
  TPMA_NV attributes = public->attributes;
  const TPMA_NV passing_lock = is_write ? TPMA_NV_WRITE_STCLEAR | TPMA_NV_GLOBALLOCK : TPMA_NV_READ_STCLEAR;

  if (is_write && (attributes & TPMA_NV_TPM2_NT_MASK) != 0)
    g_set_error (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED,
                 NOT_WRITTEN ": 0x%08x is a counter, a bit field or the like, to which no data is written.",
                 access->index);
  else if (attributes & (is_write ? TPMA_NV_WRITELOCKED : TPMA_NV_READLOCKED))
    g_set_error (error, WARD_ERROR, WARD_ERROR_DISABLED, "%s: 0x%08x is locked against that, %s.",
                 is_write ? NOT_WRITTEN : NOT_READ, access->index,
                 is_write && (attributes & TPMA_NV_WRITEDEFINE) && (attributes & passing_lock) == 0
                     ? "for as long as it is defined"
                     : "until the machine is restarted");
  else if (!is_write && (attributes & TPMA_NV_WRITTEN) == 0)
    g_set_error (error, WARD_ERROR, WARD_ERROR_NOT_FOUND,
                 NOT_READ ": nothing was written to 0x%08x since it was defined, or since a restart took it away.",
                 access->index);
  else if (is_write && (attributes & TPMA_NV_WRITTEN) && *purpose != '\0' && !access->force)
    g_set_error (error, WARD_ERROR, WARD_ERROR_WOULD_BREAK,
                 NOT_WRITTEN ": at 0x%08x is kept %s, and nothing brings it back. If it must be written over all the "
                             "same, use the option “force”.",
                 access->index, purpose);
  else
    return TRUE;
  return FALSE;
}

static gboolean
settle_size (WardNvAccess *access, const TPMS_NV_PUBLIC *public, gboolean is_write, GError **error)
{
  guint32 size = public->dataSize;

  if (!is_write && access->size == 0 && access->offset < size)
    access->size = size - access->offset;
  if (access->offset >= size || access->size > size - access->offset)
    g_set_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
                 "%s: 0x%08x has %u bytes, and these would go from %u to %" G_GUINT64_FORMAT ".",
                 is_write ? NOT_WRITTEN : NOT_READ, access->index, size, access->offset,
                 (guint64)access->offset + access->size);
  else if (is_write && (public->attributes & TPMA_NV_WRITEALL) && access->size != size)
    g_set_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
                 NOT_WRITTEN ": 0x%08x takes all of its %u bytes at once, or none.", access->index, size);
  else
    return TRUE;
  return FALSE;
}

/* See WardBackend. */
gboolean
ward_tpm2_prepare_nv (WardConnection *connection, WardNvAccess *access, gboolean is_write, gboolean *counts,
                      GError **error)
{
  const Rights *rights = is_write ? &write_rights : &read_rights;
  TPMS_NV_PUBLIC public;

  if (!ward_tpm2_check_nv_index (access->index, error)
      || !ward_tpm2_nv_find (connection, access->index, &public, rights->failed, error)
      || !check_state (access, &public, is_write, error) || !settle_size (access, &public, is_write, error)
      || !settle_right (connection, access, rights, public.attributes, error))
    return FALSE;
  *counts = access->right == WARD_NV_BY_INDEX && (public.attributes & TPMA_NV_NO_DA) == 0;
  return TRUE;
}

/* By the index's own auth value. */
static gboolean
authorize (Use *use, WardSecret *auth, TPMA_SESSION secrets, GError **error)
{
  WardConnection *connection = use->connection;
  g_autofree WardOwnership *ownership = ward_tpm2_read_ownership (connection, error);
  g_auto (TPM2B_AUTH) value = { 0 };
  TSS2_RC rc;

  if (ownership == NULL || !ward_tpm2_auth_set (&value, auth, WARD_MAX_OBJECT_AUTH_SIZE, error)
      || !ward_tpm2_session_start (connection, ownership->srk_handle, secrets, &use->session, error))
    return FALSE;
  use->has_auth = value.size > 0;
  use->tr = use->index.tr;
  use->session_tr = use->session.tr;
  rc = Esys_TR_SetAuth (connection->esys, use->index.tr, &value);
  if (rc == TSS2_RC_SUCCESS)
    return TRUE;
  ward_tpm2_set_error (error, connection, rc, "The authorization could not be prepared");
  return FALSE;
}

/* secrets: as for ward_tpm2_session_start. what: what fails. */
static gboolean
use_begin (WardConnection *connection, const WardNvAccess *access, TPMA_SESSION secrets, const char *what, Use *use,
           GError **error)
{
  use->connection = connection;
  use->index = (WardTpm2Handle)WARD_TPM2_HANDLE_INIT (connection);
  use->session = (WardTpm2Handle)WARD_TPM2_HANDLE_INIT (connection);
  if (!ward_tpm2_nv_open (connection, access->index, &use->index, what, error))
    return FALSE;
  if (access->right == WARD_NV_BY_INDEX)
    return authorize (use, access->auth, secrets, error);
  if (!ward_tpm2_authorize (connection, WARD_HIERARCHY_OWNER, access->auth, secrets, &use->owner, error))
    return FALSE;
  use->tr = use->owner.tr;
  use->session_tr = use->owner.session.tr;
  return TRUE;
}

static gboolean
conclude (Use *use, TSS2_RC rc, const char *what, GError **error)
{
  TSS2_RC meaning = ward_tpm2_rc_get_meaning (rc);

  if (rc == TSS2_RC_SUCCESS)
    return TRUE;
  if (use->owner.connection != NULL && (meaning == TPM2_RC_BAD_AUTH || meaning == TPM2_RC_AUTH_FAIL))
    return ward_tpm2_authorization_conclude (&use->owner, rc, what, error);
  ward_tpm2_nv_set_error (error, use->connection, rc, what);
  return FALSE;
}

/* TPM 2.0 Library, Part 3, 31.13. */
static gboolean
read_part (Use *use, guint8 *bytes, guint16 size, guint16 offset, GError **error)
{
  WARD_ESYS_AUTOFREE TPM2B_MAX_NV_BUFFER *data = NULL;
  WardTpm2Wait wait = { 0 };
  gboolean fits;
  TSS2_RC rc;

  do
    rc = Esys_NV_Read (use->connection->esys, use->tr, use->index.tr, use->session_tr, ESYS_TR_NONE, ESYS_TR_NONE, size,
                       offset, &data);
  while (ward_tpm2_wait_again (use->connection, &wait, rc));
  ward_tpm2_forget_buffer (use->connection);
  if (rc != TSS2_RC_SUCCESS)
    return conclude (use, rc, NOT_READ, error);
  fits = data->size == size && size <= sizeof (data->buffer);
  if (fits)
    memcpy (bytes, data->buffer, size);
  else
    g_set_error (error, WARD_ERROR, WARD_ERROR_FAILED,
                 NOT_READ ": asked for %u bytes, the TPM gave %u, which no working TPM does. Run a full self-test.",
                 size, data->size);
  explicit_bzero (data, sizeof (*data));
  return fits;
}

/* See WardBackend. */
WardSecret *
ward_tpm2_read_nv (WardConnection *connection, const WardNvAccess *access, GError **error)
{
  g_auto (Use) use = { 0 };
  g_autoptr (WardSecret) data = ward_secret_new (access->size);
  guint32 most = MIN (ward_tpm2_nv_get_limit (connection, TPM2_PT_NV_BUFFER_MAX, MIN_BUFFER), MAX_READ);

  if (!use_begin (connection, access, TPMA_SESSION_ENCRYPT, NOT_READ, &use, error))
    return NULL;
  for (guint32 done = 0; done < access->size;)
    {
      guint32 size = MIN (most, access->size - done);

      if (!read_part (&use, ward_secret_get_data (data) + done, size, access->offset + done, error))
        return NULL;
      done += size;
    }
  return g_steal_pointer (&data);
}

static void
buffer_wipe (TPM2B_MAX_NV_BUFFER *buffer)
{
  explicit_bzero (buffer, sizeof (*buffer));
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TPM2B_MAX_NV_BUFFER, buffer_wipe)

/* TPM 2.0 Library, Part 3, 31.7. */
static TSS2_RC
write_part (Use *use, const guint8 *bytes, guint16 size, guint16 offset)
{
  g_auto (TPM2B_MAX_NV_BUFFER) data = { .size = size };
  guint8 *buffer = data.buffer;
  WardTpm2Wait wait = { 0 };
  TSS2_RC rc;

  memcpy (buffer, bytes, size);
  do
    rc = Esys_NV_Write (use->connection->esys, use->tr, use->index.tr, use->session_tr, ESYS_TR_NONE, ESYS_TR_NONE,
                        &data, offset);
  while (ward_tpm2_wait_again (use->connection, &wait, rc));
  ward_tpm2_forget_buffer (use->connection);
  return rc;
}

/* See WardBackend. */
gboolean
ward_tpm2_write_nv (WardConnection *connection, const WardNvAccess *access, WardSecret *data, GError **error)
{
  g_auto (Use) use = { 0 };
  guint32 most = MIN (ward_tpm2_nv_get_limit (connection, TPM2_PT_NV_BUFFER_MAX, MIN_BUFFER), TPM2_MAX_NV_BUFFER_SIZE);
  guint32 total = ward_secret_get_size (data);

  if (!use_begin (connection, access, TPMA_SESSION_DECRYPT, NOT_WRITTEN, &use, error))
    return FALSE;
  for (guint32 done = 0; done < total;)
    {
      guint32 size = MIN (most, total - done);
      TSS2_RC rc = write_part (&use, ward_secret_get_data (data) + done, size, access->offset + done);
      g_autofree char *what = done == 0 ? g_strdup (NOT_WRITTEN)
                                        : g_strdup_printf ("Only the first %u bytes were written", done);

      if (!conclude (&use, rc, what, error))
        return FALSE;
      done += size;
    }
  return TRUE;
}
