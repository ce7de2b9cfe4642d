/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tpm2-private.h"

#include "ward-error.h"

/* No chip has room for so many. */
#define MAX_INDICES 1024

#define NOT_DEFINED "The NV index was not defined"
#define NOT_UNDEFINED "The NV index was not undefined"

typedef struct
{
  TSS2_RC meaning;
  WardErrorCode code;
  const char *why;
} Meaning;

/* What is said of an NV index in other words than of anything else. */
static const Meaning meanings[] = {
  { TPM2_RC_HANDLE, WARD_ERROR_NOT_FOUND,
    "There is no NV index of that number. “tpmward nv list” shows those that are." },
  { TPM2_RC_NV_DEFINED, WARD_ERROR_EXISTS, "There is an NV index of that number already. Choose another number." },
  { TPM2_RC_NV_UNINITIALIZED, WARD_ERROR_NOT_FOUND, "Nothing was written to it yet." },
  { TPM2_RC_NV_LOCKED, WARD_ERROR_DISABLED, "It is locked, at least until the machine is restarted." },
  { TPM2_RC_NV_RANGE, WARD_ERROR_INVALID_ARGUMENT, "These bytes are not all within it." },
  { TPM2_RC_NV_SIZE, WARD_ERROR_INVALID_ARGUMENT, "The TPM does not take that size. Give a smaller one." },
  { TPM2_RC_SIZE, WARD_ERROR_INVALID_ARGUMENT, "The TPM does not take that size. Give a smaller one." },
  { TPM2_RC_ATTRIBUTES, WARD_ERROR_INVALID_ARGUMENT, "The TPM does not take these attributes together." },
};

/* As ward_tpm2_set_error. */
void
ward_tpm2_nv_set_error (GError **error, WardConnection *connection, TSS2_RC rc, const char *what)
{
  g_autofree char *words = ward_tpm2_rc_to_string (rc);

  for (guint i = 0; i < G_N_ELEMENTS (meanings); i++)
    if (ward_tpm2_rc_is_from_tpm (rc) && meanings[i].meaning == ward_tpm2_rc_get_meaning (rc))
      {
        g_set_error (error, WARD_ERROR, meanings[i].code, "%s (%s). %s", what, words, meanings[i].why);
        return;
      }
  ward_tpm2_set_error (error, connection, rc, what);
}

/* The public area of an index (TPM 2.0 Library, Part 3, 31.6). what: what fails without it, as the beginning of a
 * sentence. WARD_ERROR_NOT_FOUND when it is not defined. */
gboolean
ward_tpm2_nv_find (WardConnection *connection, guint32 index, TPMS_NV_PUBLIC *public, const char *what, GError **error)
{
  TPM2B_NV_PUBLIC area = { 0 };
  TPM2B_NAME name = { 0 };
  TSS2_RC rc = ward_tpm2_nv_read_public (connection, index, &area, &name);

  if (rc != TSS2_RC_SUCCESS)
    {
      ward_tpm2_nv_set_error (error, connection, rc, what);
      return FALSE;
    }
  *public = area.nvPublic;
  return TRUE;
}

/* A number of bytes that the TPM tells by the property tag; fallback where it does not. */
guint32
ward_tpm2_nv_get_limit (WardConnection *connection, guint32 tag, guint32 fallback)
{
  g_autoptr (GArray) properties = ward_tpm2_read_properties (connection, tag, tag, NULL);
  guint32 value;

  return properties != NULL && ward_tpm2_properties_lookup (properties, tag, &value) && value > 0 ? value : fallback;
}

/* Makes the index known to ESYS. */
gboolean
ward_tpm2_nv_open (WardConnection *connection, guint32 index, WardTpm2Handle *handle, const char *what, GError **error)
{
  WardTpm2Wait wait = { 0 };
  TSS2_RC rc;

  do
    rc = Esys_TR_FromTPMPublic (connection->esys, index, WARD_TPM2_NO_SESSIONS, &handle->tr);
  while (ward_tpm2_wait_again (connection, &wait, rc));
  if (rc == TSS2_RC_SUCCESS)
    return TRUE;
  handle->tr = ESYS_TR_NONE;
  ward_tpm2_nv_set_error (error, connection, rc, what);
  return FALSE;
}

static WardNvIndex *
describe (const TPMS_NV_PUBLIC *public, guint32 number)
{
  WardNvIndex *index = g_new0 (WardNvIndex, 1);

  index->index = number;
  index->size = public->dataSize;
  index->attributes = ward_tpm2_nv_attributes_to_names (public->attributes);
  index->written = (public->attributes & TPMA_NV_WRITTEN) != 0;
  index->purpose = g_strdup (ward_tpm2_handle_get_purpose (number));
  return index;
}

/* See WardBackend. */
GPtrArray *
ward_tpm2_list_nv (WardConnection *connection, GError **error)
{
  g_autoptr (GPtrArray) indices = g_ptr_array_new_with_free_func ((GDestroyNotify)ward_nv_index_free);
  g_autoptr (GArray) handles = ward_tpm2_read_handles (connection, TPM2_NV_INDEX_FIRST, error);

  if (handles == NULL)
    return NULL;
  if (handles->len > MAX_INDICES)
    {
      g_set_error (error, WARD_ERROR, WARD_ERROR_FAILED,
                   "The TPM says that it has %u NV indices, which no working TPM has room for. Run a full self-test.",
                   handles->len);
      return NULL;
    }
  for (guint i = 0; i < handles->len; i++)
    {
      guint32 number = g_array_index (handles, TPM2_HANDLE, i);
      g_autoptr (GError) local_error = NULL;
      TPMS_NV_PUBLIC public;

      if (ward_tpm2_nv_find (connection, number, &public, "The TPM could not tell of its NV indices", &local_error))
        g_ptr_array_add (indices, describe (&public, number));
      /* another program may have undefined it meanwhile */
      else if (!g_error_matches (local_error, WARD_ERROR, WARD_ERROR_NOT_FOUND))
        {
          g_propagate_error (error, g_steal_pointer (&local_error));
          return NULL;
        }
    }
  return g_steal_pointer (&indices);
}

/* See WardBackend. */
gboolean
ward_tpm2_check_nv_index (guint32 index, GError **error)
{
  if (index >= TPM2_NV_INDEX_FIRST && index <= TPM2_NV_INDEX_LAST)
    return TRUE;
  g_set_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
               "0x%08x is no NV index. Those go from 0x%08x to 0x%08x; programs use 0x01800000 to 0x01bfffff.", index,
               TPM2_NV_INDEX_FIRST, TPM2_NV_INDEX_LAST);
  return FALSE;
}

static gboolean
is_given (WardSecret *auth)
{
  return auth != NULL && ward_secret_get_size (auth) > 0;
}

/* None are chosen so that nobody gets around an auth value, and that what has none cannot be locked by others' wrong
 * tries. */
static gboolean
get_attributes (const WardNvTemplate *template, TPMA_NV *attributes, GError **error)
{
  if (template->attributes != NULL && template->attributes[0] != NULL)
    return ward_tpm2_nv_attributes_from_names (template->attributes, attributes, error);
  *attributes = is_given (template->auth) ? TPMA_NV_AUTHREAD | TPMA_NV_AUTHWRITE
                                          : TPMA_NV_OWNERREAD | TPMA_NV_OWNERWRITE | TPMA_NV_NO_DA;
  return TRUE;
}

/* See WardBackend. */
gboolean
ward_tpm2_check_nv_template (const WardNvTemplate *template, GError **error)
{
  const char *purpose = ward_tpm2_handle_get_purpose (template->index);
  TPMA_NV attributes;

  if (!ward_tpm2_check_nv_index (template->index, error) || !get_attributes (template, &attributes, error))
    return FALSE;
  if (template->size == 0 || template->size > WARD_MAX_NV_SIZE)
    {
      g_set_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
                   "An NV index has from 1 to %d bytes, as many as the TPM takes, not %u.", WARD_MAX_NV_SIZE,
                   template->size);
      return FALSE;
    }
  if (*purpose == '\0' || template->force)
    return TRUE;
  g_set_error (error, WARD_ERROR, WARD_ERROR_WOULD_BREAK,
               "The NV index 0x%08x is reserved for %s, and programs that look there would be misled. Choose one from "
               "0x01800000 to 0x01bfffff, or do it all the same with the option “force”.",
               template->index, purpose);
  return FALSE;
}

static gboolean
check_size (WardConnection *connection, const WardNvTemplate *template, TPMA_NV attributes, GError **error)
{
  guint32 max = ward_tpm2_nv_get_limit (connection, TPM2_PT_NV_INDEX_MAX, WARD_MAX_NV_SIZE);
  guint32 max_at_once = ward_tpm2_nv_get_limit (connection, TPM2_PT_NV_BUFFER_MAX, WARD_MAX_NV_SIZE);

  if (template->size > max)
    g_set_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
                 NOT_DEFINED ": this TPM takes at most %u bytes in one, and %u were asked for.", max, template->size);
  else if ((attributes & TPMA_NV_WRITEALL) != 0 && template->size > max_at_once)
    g_set_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
                 NOT_DEFINED ": with the attribute “writeall” it could not be written, as this TPM takes at most %u "
                             "bytes at once.",
                 max_at_once);
  else
    return TRUE;
  return FALSE;
}

/* ESYS keeps the last command's parameters, in case that it is to be sent again: these take their place. The handle is
 * none that ESYS knows, so nothing is sent. */
static void
forget_parameters (WardConnection *connection)
{
  static const TPM2B_AUTH empty = { 0 };
  static const TPM2B_NV_PUBLIC none = { 0 };

  Esys_NV_DefineSpace_Async (connection->esys, G_MAXUINT32, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &empty,
                             &none);
  ward_tpm2_forget_buffer (connection);
}

/* TPM 2.0 Library, Part 3, 31.3. */
static TSS2_RC
define_space (WardTpm2Authorization *owner, const TPM2B_AUTH *auth, const TPM2B_NV_PUBLIC *public)
{
  static const TPM2B_AUTH none = { 0 };
  WardConnection *connection = owner->connection;
  g_auto (WardTpm2Handle) handle = WARD_TPM2_HANDLE_INIT (connection);
  WardTpm2Wait wait = { 0 };
  TSS2_RC rc;

  do
    rc = Esys_NV_DefineSpace (connection->esys, owner->tr, owner->session.tr, ESYS_TR_NONE, ESYS_TR_NONE, auth, public,
                              &handle.tr);
  while (ward_tpm2_wait_again (connection, &wait, rc));
  forget_parameters (connection);
  if (rc != TSS2_RC_SUCCESS)
    handle.tr = ESYS_TR_NONE;
  else
    /* ESYS has kept it with the handle */
    Esys_TR_SetAuth (connection->esys, handle.tr, &none);
  return rc;
}

static gboolean
conclude (WardTpm2Authorization *owner, TSS2_RC rc, const char *what, GError **error)
{
  if (rc == TSS2_RC_SUCCESS)
    return TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (meanings); i++)
    if (ward_tpm2_rc_get_meaning (rc) == meanings[i].meaning)
      {
        ward_tpm2_nv_set_error (error, owner->connection, rc, what);
        return FALSE;
      }
  return ward_tpm2_authorization_conclude (owner, rc, what, error);
}

/* See WardBackend. */
gboolean
ward_tpm2_define_nv (WardConnection *connection, const WardNvTemplate *template, WardSecret *owner_auth, GError **error)
{
  g_auto (WardTpm2Authorization) owner = { 0 };
  g_auto (TPM2B_AUTH) value = { 0 };
  TPM2B_NV_PUBLIC public = { .nvPublic = { .nvIndex = template->index, .nameAlg = TPM2_ALG_SHA256 } };

  if (!ward_tpm2_check_nv_template (template, error) || !get_attributes (template, &public.nvPublic.attributes, error)
      || !check_size (connection, template, public.nvPublic.attributes, error)
      || !ward_tpm2_auth_set (&value, template->auth, WARD_MAX_OBJECT_AUTH_SIZE, error)
      || !ward_tpm2_authorize (connection, WARD_HIERARCHY_OWNER, owner_auth, TPMA_SESSION_DECRYPT, &owner, error))
    return FALSE;
  public.nvPublic.dataSize = template->size;
  return conclude (&owner, define_space (&owner, &value, &public), NOT_DEFINED, error);
}

static gboolean
check_undefine (WardConnection *connection, guint32 index, gboolean force, GError **error)
{
  const char *purpose = ward_tpm2_handle_get_purpose (index);
  TPMS_NV_PUBLIC public;

  if (!ward_tpm2_nv_find (connection, index, &public, NOT_UNDEFINED, error))
    return FALSE;
  if (public.attributes & TPMA_NV_PLATFORMCREATE)
    g_set_error (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED,
                 NOT_UNDEFINED ": 0x%08x was defined by the maker of the TPM or of the machine, and only the firmware "
                               "could undefine it.",
                 index);
  else if (public.attributes & TPMA_NV_POLICY_DELETE)
    g_set_error (
        error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED,
        NOT_UNDEFINED ": 0x%08x was defined so that only its policy and the firmware together can undefine it.", index);
  else if (*purpose != '\0' && !force)
    g_set_error (error, WARD_ERROR, WARD_ERROR_WOULD_BREAK,
                 NOT_UNDEFINED ": at 0x%08x is kept %s, and nothing brings it back. If it must go all the same, use "
                               "the option “force”.",
                 index, purpose);
  else
    return TRUE;
  return FALSE;
}

/* See WardBackend. TPM 2.0 Library, Part 3, 31.4. */
gboolean
ward_tpm2_undefine_nv (WardConnection *connection, guint32 index, WardSecret *owner_auth, gboolean force,
                       GError **error)
{
  g_auto (WardTpm2Authorization) owner = { 0 };
  g_auto (WardTpm2Handle) handle = WARD_TPM2_HANDLE_INIT (connection);
  WardTpm2Wait wait = { 0 };
  TSS2_RC rc;

  if (!ward_tpm2_check_nv_index (index, error) || !check_undefine (connection, index, force, error)
      || !ward_tpm2_authorize (connection, WARD_HIERARCHY_OWNER, owner_auth, 0, &owner, error)
      || !ward_tpm2_nv_open (connection, index, &handle, NOT_UNDEFINED, error))
    return FALSE;
  do
    rc = Esys_NV_UndefineSpace (connection->esys, owner.tr, handle.tr, owner.session.tr, ESYS_TR_NONE, ESYS_TR_NONE);
  while (ward_tpm2_wait_again (connection, &wait, rc));
  /* what ESYS undefined it has forgotten by itself */
  if (rc == TSS2_RC_SUCCESS)
    handle.tr = ESYS_TR_NONE;
  return conclude (&owner, rc, NOT_UNDEFINED, error);
}
