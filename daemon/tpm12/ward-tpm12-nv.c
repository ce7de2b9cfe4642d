/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Data in the permanent memory of a TPM 1.2 (TPM Main, Part 1, 20; Part 2, 19). */
#include "ward-tpm12-private.h"

#include <tss/platform.h>
#include <tss/tpm.h>

#include "ward-error.h"

#define NOT_DEFINED "The NV index was not defined"
#define NOT_UNDEFINED "The NV index was not undefined"
#define NOT_READ "The NV index was not read"
#define NOT_WRITTEN "The NV index was not written"

#define PURPOSE_MASK 0x0fffffffu

#define READ_RIGHTS (TPM_NV_PER_OWNERREAD | TPM_NV_PER_AUTHREAD | TPM_NV_PER_PPREAD)
#define WRITE_RIGHTS (TPM_NV_PER_OWNERWRITE | TPM_NV_PER_AUTHWRITE | TPM_NV_PER_PPWRITE)

typedef struct
{
  guint32 bit;
  const char *name; /* as tpm2-tools names it of a TPM 2.0 */
} Attribute;

/* Part 2, 19.2; by their bits. */
static const Attribute attributes_known[] = {
  { TPM_NV_PER_PPWRITE, "ppwrite" },           { TPM_NV_PER_OWNERWRITE, "ownerwrite" },
  { TPM_NV_PER_AUTHWRITE, "authwrite" },       { TPM_NV_PER_WRITEALL, "writeall" },
  { TPM_NV_PER_WRITEDEFINE, "writedefine" },   { TPM_NV_PER_WRITE_STCLEAR, "write_stclear" },
  { TPM_NV_PER_GLOBALLOCK, "globallock" },     { TPM_NV_PER_PPREAD, "ppread" },
  { TPM_NV_PER_OWNERREAD, "ownerread" },       { TPM_NV_PER_AUTHREAD, "authread" },
  { TPM_NV_PER_READ_STCLEAR, "read_stclear" },
};

/* Part 2, 19.1.2. */
static const struct
{
  guint32 number;
  const char *purpose;
} reserved[] = {
  { TPM_NV_INDEX_EKCert, "the certificate of the endorsement key" },
  { TPM_NV_INDEX_TPM_CC, "the certificate of the TPM's conformance" },
  { TPM_NV_INDEX_PlatformCert, "the certificate of the platform" },
  { TPM_NV_INDEX_Platform_CC, "the certificate of the platform's conformance" },
};

/* "" where any program may keep what it likes. */
static const char *
get_purpose (guint32 index)
{
  for (guint i = 0; i < G_N_ELEMENTS (reserved); i++)
    if (reserved[i].number == (index & PURPOSE_MASK))
      return reserved[i].purpose;
  return "";
}

static GStrv
attributes_to_names (guint32 attributes, gboolean is_read_locked, gboolean is_write_locked)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  for (guint i = 0; i < G_N_ELEMENTS (attributes_known); i++)
    if (attributes & attributes_known[i].bit)
      g_strv_builder_add (builder, attributes_known[i].name);
  if (is_read_locked)
    g_strv_builder_add (builder, "readlocked");
  if (is_write_locked)
    g_strv_builder_add (builder, "writelocked");
  return g_strv_builder_end (builder);
}

static gboolean
attributes_from_names (const char *const *names, guint32 *attributes, GError **error)
{
  *attributes = 0;
  for (guint i = 0; names[i]; i++)
    {
      guint32 bit = 0;

      for (guint j = 0; j < G_N_ELEMENTS (attributes_known); j++)
        if (g_str_equal (attributes_known[j].name, names[i]))
          bit = attributes_known[j].bit;
      if (bit == 0)
        {
          g_set_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
                       "No NV index of a TPM 1.2 has the attribute “%.32s”. “ownerread” and “authwrite” are two.",
                       names[i]);
          return FALSE;
        }
      *attributes |= bit;
    }
  if ((*attributes & READ_RIGHTS) && (*attributes & WRITE_RIGHTS))
    return TRUE;
  g_set_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
               "By these attributes anybody could %s the NV index. Add “%s” or “%s”.",
               *attributes & READ_RIGHTS ? "write to" : "read", *attributes & READ_RIGHTS ? "ownerwrite" : "ownerread",
               *attributes & READ_RIGHTS ? "authwrite" : "authread");
  return FALSE;
}

/* None are chosen so that nobody gets around an auth value. */
static gboolean
get_attributes (const WardNvTemplate *template, guint32 *attributes, GError **error)
{
  if (template->attributes && template->attributes[0])
    return attributes_from_names (template->attributes, attributes, error);
  *attributes = template->auth && ward_secret_get_size (template->auth) > 0
                    ? TPM_NV_PER_AUTHREAD | TPM_NV_PER_AUTHWRITE
                    : TPM_NV_PER_OWNERREAD | TPM_NV_PER_OWNERWRITE;
  return TRUE;
}

/* TPM Main, Part 3, 20.1: what the TPM would refuse, and without a word that helps. */
static gboolean
check_rights (const WardNvTemplate *template, guint32 attributes, GError **error)
{
  gboolean has_auth = template->auth && ward_secret_get_size (template->auth) > 0;
  gboolean reads_twice = attributes & TPM_NV_PER_OWNERREAD && attributes & TPM_NV_PER_AUTHREAD;
  gboolean writes_twice = attributes & TPM_NV_PER_OWNERWRITE && attributes & TPM_NV_PER_AUTHWRITE;

  if (reads_twice || writes_twice)
    g_set_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
                 "An NV index of a TPM 1.2 is read by its owner's auth value or by one of its own, not by either, and "
                 "so it is written. Leave out %s.",
                 reads_twice ? "“ownerread” or “authread”" : "“ownerwrite” or “authwrite”");
  else if (!has_auth && attributes & (TPM_NV_PER_AUTHREAD | TPM_NV_PER_AUTHWRITE))
    g_set_error_literal (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
                         "By these attributes an auth value of its own opens the NV index, and it was given none. Give "
                         "it one with the option “auth”, or choose “ownerread” and “ownerwrite”.");
  else
    return TRUE;
  return FALSE;
}

static WardTpm12Message *
list (WardConnection *connection, GError **error)
{
  return ward_tpm12_call (connection, WARD_TPM12_LIST_NV, g_variant_new_tuple (NULL, 0), NULL, 0, "a(uuubb)",
                          WARD_TPM12_READ_PATIENCE, error);
}

typedef struct
{
  guint32 index;
  guint32 size;
  guint32 attributes;
  gboolean is_read_locked;
  gboolean is_write_locked;
} Index;

static void
get_index (GVariant *indices, gsize i, Index *index)
{
  g_variant_get_child (indices, i, "(uuubb)", &index->index, &index->size, &index->attributes, &index->is_read_locked,
                       &index->is_write_locked);
}

static int
compare (gconstpointer a, gconstpointer b)
{
  guint32 number_a = (*(const WardNvIndex *const *)a)->index;
  guint32 number_b = (*(const WardNvIndex *const *)b)->index;

  return number_a < number_b ? -1 : number_a > number_b;
}

/* A TPM 1.2 does not tell whether something was written to one: there is always something to read. */
GPtrArray *
ward_tpm12_list_nv (WardConnection *connection, GError **error)
{
  g_autoptr (WardTpm12Message) answer = list (connection, error);
  GPtrArray *indices;

  if (!answer)
    return NULL;
  indices = g_ptr_array_new_with_free_func ((GDestroyNotify)ward_nv_index_free);
  for (gsize i = 0; i < g_variant_n_children (answer->body); i++)
    {
      WardNvIndex *nv = g_new0 (WardNvIndex, 1);
      Index index;

      get_index (answer->body, i, &index);
      nv->index = index.index;
      nv->size = index.size;
      nv->attributes = attributes_to_names (index.attributes, index.is_read_locked, index.is_write_locked);
      nv->written = TRUE;
      nv->purpose = g_strdup (get_purpose (index.index));
      g_ptr_array_add (indices, nv);
    }
  g_ptr_array_sort (indices, compare);
  return indices;
}

gboolean
ward_tpm12_check_nv_index (guint32 index, GError **error)
{
  if (index == TPM_NV_INDEX_LOCK)
    g_set_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
                 "0x%08x is no NV index, but what locks the TPM's memory for good. It is left alone.", index);
  else if (index == TPM_NV_INDEX0 || index == TPM_NV_INDEX_DIR)
    g_set_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
                 "0x%08x is no NV index that data is kept at: the TPM uses the number for itself.", index);
  else
    return TRUE;
  return FALSE;
}

gboolean
ward_tpm12_check_nv_template (const WardNvTemplate *template, GError **error)
{
  const char *purpose = get_purpose (template->index);
  guint32 attributes;

  if (!ward_tpm12_check_nv_index (template->index, error) || !get_attributes (template, &attributes, error)
      || !check_rights (template, attributes, error))
    return FALSE;
  if (template->index & WARD_TPM12_NV_FIXED_BIT)
    g_set_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
                 "Nobody could ever undefine the NV index 0x%08x, by the bit 0x%08x of its number. Leave it out.",
                 template->index, WARD_TPM12_NV_FIXED_BIT);
  else if (template->size == 0 || template->size > WARD_MAX_NV_SIZE)
    g_set_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
                 "An NV index has from 1 to %d bytes, as many as the TPM has room for, not %u.", WARD_MAX_NV_SIZE,
                 template->size);
  else if (attributes & TPM_NV_PER_WRITEALL && template->size > WARD_TPM12_NV_PART)
    g_set_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
                 "An NV index that is written as a whole (“writeall”) has at most %u bytes, not %u: tcsd takes no more "
                 "at once. Leave that attribute out, or take several.",
                 WARD_TPM12_NV_PART, template->size);
  else if (*purpose && !template->force)
    g_set_error (error, WARD_ERROR, WARD_ERROR_WOULD_BREAK,
                 "The NV index 0x%08x is reserved for %s, and programs that look there would be misled. Choose another "
                 "number, or do it all the same with the option “force”.",
                 template->index, purpose);
  else
    return TRUE;
  return FALSE;
}

/* WARD_ERROR_NOT_FOUND when it is not defined. what: what fails without it, as the beginning of a sentence. */
static gboolean
find (WardConnection *connection, guint32 number, Index *index, const char *what, GError **error)
{
  g_autoptr (WardTpm12Message) answer = list (connection, error);

  if (!answer)
    return FALSE;
  for (gsize i = 0; i < g_variant_n_children (answer->body); i++)
    {
      get_index (answer->body, i, index);
      if (index->index == number)
        return TRUE;
    }
  g_set_error (error, WARD_ERROR, WARD_ERROR_NOT_FOUND,
               "%s: there is none of the number 0x%08x. “tpmward nv list” shows those that are.", what, number);
  return FALSE;
}

gboolean
ward_tpm12_define_nv (WardConnection *connection, const WardNvTemplate *template, WardSecret *owner_auth,
                      GError **error)
{
  g_autoptr (GError) local_error = NULL;
  guint32 attributes;
  Index index;

  if (!ward_tpm12_check_nv_template (template, error) || !get_attributes (template, &attributes, error))
    return FALSE;
  /* to define one again is to undefine it */
  if (find (connection, template->index, &index, NOT_DEFINED, &local_error))
    {
      g_set_error_literal (error, WARD_ERROR, WARD_ERROR_EXISTS,
                           NOT_DEFINED ": there is one of that number already. Choose another number.");
      return FALSE;
    }
  if (!g_error_matches (local_error, WARD_ERROR, WARD_ERROR_NOT_FOUND))
    {
      g_propagate_error (error, g_steal_pointer (&local_error));
      return FALSE;
    }
  return ward_tpm12_change (connection, WARD_TPM12_DEFINE_NV,
                            g_variant_new ("(uuu)", template->index, template->size, attributes), owner_auth,
                            template->auth, error);
}

gboolean
ward_tpm12_undefine_nv (WardConnection *connection, guint32 number, WardSecret *owner_auth, gboolean force,
                        GError **error)
{
  const char *purpose = get_purpose (number);
  Index index;

  if (!ward_tpm12_check_nv_index (number, error) || !find (connection, number, &index, NOT_UNDEFINED, error))
    return FALSE;
  if (number & WARD_TPM12_NV_FIXED_BIT)
    g_set_error (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED,
                 NOT_UNDEFINED ": 0x%08x was defined by the maker of the TPM or of the machine, for good.", number);
  else if (*purpose && !force)
    g_set_error (error, WARD_ERROR, WARD_ERROR_WOULD_BREAK,
                 NOT_UNDEFINED ": at 0x%08x is kept %s, and nothing brings it back. If it must go all the same, use "
                               "the option “force”.",
                 number, purpose);
  else
    return ward_tpm12_change (connection, WARD_TPM12_UNDEFINE_NV, g_variant_new_uint32 (number), owner_auth, NULL,
                              error);
  return FALSE;
}

/* Whether anybody may do it. */
static gboolean
is_free (const Index *index, gboolean is_write)
{
  return (index->attributes & (is_write ? WRITE_RIGHTS : READ_RIGHTS)) == 0;
}

static gboolean
settle_right (WardNvAccess *access, const Index *index, gboolean is_write, GError **error)
{
  guint32 owner = is_write ? TPM_NV_PER_OWNERWRITE : TPM_NV_PER_OWNERREAD;
  guint32 own = is_write ? TPM_NV_PER_AUTHWRITE : TPM_NV_PER_AUTHREAD;
  g_auto (GStrv) names = NULL;
  g_autofree char *text = NULL;

  if (is_free (index, is_write))
    return TRUE;
  if (access->right == WARD_NV_BY_ANY)
    access->right = index->attributes & own ? WARD_NV_BY_INDEX : WARD_NV_BY_OWNER;
  if (index->attributes & (access->right == WARD_NV_BY_OWNER ? owner : own))
    return TRUE;
  names = attributes_to_names (index->attributes, FALSE, FALSE);
  text = g_strjoinv (", ", names);
  g_set_error (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED, "%s: 0x%08x does not take %s. It has: %s.",
               is_write ? NOT_WRITTEN : NOT_READ, access->index,
               access->right == WARD_NV_BY_OWNER ? "the owner's auth value" : "an auth value of its own", text);
  return FALSE;
}

static gboolean
check_state (const WardNvAccess *access, const Index *index, gboolean is_write, GError **error)
{
  const char *purpose = get_purpose (access->index);

  if (is_write ? index->is_write_locked : index->is_read_locked)
    g_set_error (error, WARD_ERROR, WARD_ERROR_DISABLED, "%s: 0x%08x is locked against that, %s.",
                 is_write ? NOT_WRITTEN : NOT_READ, access->index,
                 is_write && (index->attributes & TPM_NV_PER_WRITEDEFINE) ? "for as long as it is defined"
                                                                          : "until the machine is restarted");
  else if (is_write && *purpose && !access->force)
    g_set_error (error, WARD_ERROR, WARD_ERROR_WOULD_BREAK,
                 NOT_WRITTEN
                 ": 0x%08x is for %s, and nothing brings that back. If it must be written all the same, use "
                 "the option “force”.",
                 access->index, purpose);
  else
    return TRUE;
  return FALSE;
}

gboolean
ward_tpm12_prepare_nv (WardConnection *connection, WardNvAccess *access, gboolean is_write, gboolean *counts,
                       GError **error)
{
  const char *what = is_write ? NOT_WRITTEN : NOT_READ;
  Index index;

  if (!ward_tpm12_check_nv_index (access->index, error) || !find (connection, access->index, &index, what, error)
      || !check_state (access, &index, is_write, error) || !settle_right (access, &index, is_write, error))
    return FALSE;
  if (!is_write && access->size == 0 && access->offset < index.size)
    access->size = index.size - access->offset;
  *counts = !is_free (&index, is_write) && access->right == WARD_NV_BY_INDEX;
  if (access->offset >= index.size || access->size > index.size - access->offset)
    g_set_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
                 "%s: 0x%08x has %u bytes, and these would go from %u to %" G_GUINT64_FORMAT ".", what, access->index,
                 index.size, access->offset, (guint64)access->offset + access->size);
  else if (is_write && (index.attributes & TPM_NV_PER_WRITEALL) && access->size != index.size)
    g_set_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
                 NOT_WRITTEN ": 0x%08x takes all of its %u bytes at once, or none.", access->index, index.size);
  else if (is_write && (index.attributes & TPM_NV_PER_WRITEALL) && index.size > WARD_TPM12_NV_PART)
    g_set_error (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED,
                 NOT_WRITTEN ": 0x%08x takes all of its %u bytes at once, and tcsd at most %u.", access->index,
                 index.size, WARD_TPM12_NV_PART);
  else
    return TRUE;
  return FALSE;
}

WardSecret *
ward_tpm12_read_nv (WardConnection *connection, const WardNvAccess *access, GError **error)
{
  return ward_tpm12_reveal (
      connection, WARD_TPM12_READ_NV,
      g_variant_new ("(uuub)", access->index, access->offset, access->size, access->right != WARD_NV_BY_ANY),
      access->auth, NULL, error);
}

gboolean
ward_tpm12_write_nv (WardConnection *connection, const WardNvAccess *access, WardSecret *data, GError **error)
{
  return ward_tpm12_change (connection, WARD_TPM12_WRITE_NV,
                            g_variant_new ("(uub)", access->index, access->offset, access->right != WARD_NV_BY_ANY),
                            access->auth, data, error);
}
