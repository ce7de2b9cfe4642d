/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tpm2-private.h"

#include "ward-error.h"

#define READ_RIGHTS (TPMA_NV_PPREAD | TPMA_NV_OWNERREAD | TPMA_NV_AUTHREAD)
#define WRITE_RIGHTS (TPMA_NV_PPWRITE | TPMA_NV_OWNERWRITE | TPMA_NV_AUTHWRITE)

typedef struct
{
  TPMA_NV bit;
  const char *name;      /* as tpm2-tools has it */
  gboolean is_state;     /* what the TPM says of an index, not what an index is defined with */
  gboolean needs_policy; /* means nothing without one */
} Attribute;

/* TPM 2.0 Library, Part 2, 13.4; by their bits. */
static const Attribute attributes_known[] = {
  { .bit = TPMA_NV_PPWRITE, .name = "ppwrite" },
  { .bit = TPMA_NV_OWNERWRITE, .name = "ownerwrite" },
  { .bit = TPMA_NV_AUTHWRITE, .name = "authwrite" },
  { .bit = TPMA_NV_POLICYWRITE, .name = "policywrite", .needs_policy = TRUE },
  { .bit = TPMA_NV_POLICY_DELETE, .name = "policydelete", .needs_policy = TRUE },
  { .bit = TPMA_NV_WRITELOCKED, .name = "writelocked", .is_state = TRUE },
  { .bit = TPMA_NV_WRITEALL, .name = "writeall" },
  { .bit = TPMA_NV_WRITEDEFINE, .name = "writedefine" },
  { .bit = TPMA_NV_WRITE_STCLEAR, .name = "write_stclear" },
  { .bit = TPMA_NV_GLOBALLOCK, .name = "globallock" },
  { .bit = TPMA_NV_PPREAD, .name = "ppread" },
  { .bit = TPMA_NV_OWNERREAD, .name = "ownerread" },
  { .bit = TPMA_NV_AUTHREAD, .name = "authread" },
  { .bit = TPMA_NV_POLICYREAD, .name = "policyread", .needs_policy = TRUE },
  { .bit = TPMA_NV_NO_DA, .name = "no_da" },
  { .bit = TPMA_NV_ORDERLY, .name = "orderly" },
  { .bit = TPMA_NV_CLEAR_STCLEAR, .name = "clear_stclear" },
  { .bit = TPMA_NV_READLOCKED, .name = "readlocked", .is_state = TRUE },
  { .bit = TPMA_NV_WRITTEN, .name = "written", .is_state = TRUE },
  { .bit = TPMA_NV_PLATFORMCREATE, .name = "platformcreate", .is_state = TRUE },
  { .bit = TPMA_NV_READ_STCLEAR, .name = "read_stclear" },
};

/* The names that tpm2_nvreadpublic writes; a type of index other than an ordinary one as "nt=0x1". */
GStrv
ward_tpm2_nv_attributes_to_names (TPMA_NV attributes)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  guint32 type = (attributes & TPMA_NV_TPM2_NT_MASK) >> TPMA_NV_TPM2_NT_SHIFT;
  g_autofree char *type_name = g_strdup_printf ("nt=0x%X", type);

  for (guint i = 0; i < G_N_ELEMENTS (attributes_known); i++)
    {
      if (attributes_known[i].bit == TPMA_NV_POLICY_DELETE && type != TPM2_NT_ORDINARY)
        g_strv_builder_add (builder, type_name);
      if (attributes & attributes_known[i].bit)
        g_strv_builder_add (builder, attributes_known[i].name);
    }
  return g_strv_builder_end (builder);
}

static const Attribute *
find (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (attributes_known); i++)
    if (g_str_equal (attributes_known[i].name, name))
      return &attributes_known[i];
  return NULL;
}

static gboolean
add (const char *name, TPMA_NV *attributes, GError **error)
{
  const Attribute *attribute = find (name);

  if (attribute == NULL && g_str_has_prefix (name, "nt="))
    g_set_error (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED,
                 "An NV index with the attribute “%.32s” is a counter, a bit field or the like, and those are not "
                 "defined here. Use tpm2_nvdefine.",
                 name);
  else if (attribute == NULL)
    g_set_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
                 "There is no attribute “%.32s” of an NV index. “ownerread” and “authwrite” are two.", name);
  else if (attribute->is_state)
    g_set_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
                 "The attribute “%s” tells how an NV index stands, and none can be defined with it. Leave it out.",
                 name);
  else if (attribute->needs_policy)
    g_set_error (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED,
                 "The attribute “%s” needs a policy, with which no NV index is defined here. Use tpm2_nvdefine.", name);
  else
    {
      *attributes |= attribute->bit;
      return TRUE;
    }
  return FALSE;
}

/* Of an index to be defined. WARD_ERROR_INVALID_ARGUMENT for what is no such attribute, and where nobody could read or
 * nobody write; WARD_ERROR_NOT_SUPPORTED for those of policies and other types. */
gboolean
ward_tpm2_nv_attributes_from_names (const char *const *names, TPMA_NV *attributes, GError **error)
{
  TPMA_NV taken = 0;

  for (guint i = 0; names[i] != NULL; i++)
    if (!add (names[i], &taken, error))
      return FALSE;
  if ((taken & READ_RIGHTS) == 0 || (taken & WRITE_RIGHTS) == 0)
    {
      g_set_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
                   "By these attributes nobody could %s the NV index. Add “%s” or “%s”.",
                   taken & READ_RIGHTS ? "write to" : "read", taken & READ_RIGHTS ? "ownerwrite" : "ownerread",
                   taken & READ_RIGHTS ? "authwrite" : "authread");
      return FALSE;
    }
  *attributes = taken;
  return TRUE;
}
