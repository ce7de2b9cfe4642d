/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tpm2-private.h"

#include <string.h>

/* A TPM that always says that there is more would keep us for ever. */
#define MAX_PAGES 256

/* Adds what a page has to list and returns the number from which the next page begins; 0 when nothing more is of
 * interest. */
typedef guint32 (*PageFunc) (GArray *list, const TPMU_CAPABILITIES *page, guint32 last);

/* Reads a capability page by page (TPM 2.0 Library, Part 3, 30.2); a TPM may make pages as small as it likes. rc: of
 * the last command. */
static TSS2_RC
read_pages (WardConnection *connection, TPM2_CAP capability, guint32 first, guint32 last, guint32 count, PageFunc add,
            GArray *list)
{
  TPMI_YES_NO more = TPM2_YES;
  guint32 next = first;
  TSS2_RC rc = TSS2_RC_SUCCESS;

  for (guint i = 0; i < MAX_PAGES && more == TPM2_YES; i++)
    {
      WARD_ESYS_AUTOFREE TPMS_CAPABILITY_DATA *page = NULL;
      WardTpm2Wait wait = { 0 };
      guint32 asked = next;

      do
        rc = Esys_GetCapability (connection->esys, WARD_TPM2_NO_SESSIONS, capability, next, count, &more, &page);
      while (ward_tpm2_wait_again (connection, &wait, rc));
      if (rc != TSS2_RC_SUCCESS)
        return rc;
      if (page->capability != capability)
        return TSS2_ESYS_RC_MALFORMED_RESPONSE;
      next = add (list, &page->data, last);
      if (next <= asked)
        break;
    }
  return rc;
}

static GArray *
read_list (WardConnection *connection, TPM2_CAP capability, guint32 first, guint32 last, guint32 count, PageFunc add,
           guint element_size, const char *what, GError **error)
{
  g_autoptr (GArray) list = g_array_new (FALSE, FALSE, element_size);
  TSS2_RC rc = read_pages (connection, capability, first, last, count, add, list);

  if (rc != TSS2_RC_SUCCESS)
    {
      ward_tpm2_set_error (error, connection, rc, what);
      return NULL;
    }
  return g_steal_pointer (&list);
}

static guint32
add_properties (GArray *list, const TPMU_CAPABILITIES *page, guint32 last)
{
  const TPML_TAGGED_TPM_PROPERTY *properties = &page->tpmProperties;
  guint32 next = 0;

  for (guint i = 0; i < properties->count && i < TPM2_MAX_TPM_PROPERTIES; i++)
    {
      if (properties->tpmProperty[i].property > last)
        return 0;
      g_array_append_val (list, properties->tpmProperty[i]);
      next = properties->tpmProperty[i].property + 1;
    }
  return next;
}

/* The TPM's properties (TPM_PT) from first to last, in ascending order, as a GArray of TPMS_TAGGED_PROPERTY. A TPM in
 * failure mode has only those from TPM_PT_MANUFACTURER to TPM_PT_FIRMWARE_VERSION_2, and begins with them whatever it
 * is asked. */
GArray *
ward_tpm2_read_properties (WardConnection *connection, guint32 first, guint32 last, GError **error)
{
  return read_list (connection, TPM2_CAP_TPM_PROPERTIES, first, last, TPM2_MAX_TPM_PROPERTIES, add_properties,
                    sizeof (TPMS_TAGGED_PROPERTY), "The TPM could not list its properties", error);
}

gboolean
ward_tpm2_properties_lookup (GArray *properties, guint32 tag, guint32 *value)
{
  for (guint i = 0; i < properties->len; i++)
    {
      const TPMS_TAGGED_PROPERTY *property = &g_array_index (properties, TPMS_TAGGED_PROPERTY, i);

      if (property->property == tag)
        {
          *value = property->value;
          return TRUE;
        }
    }
  return FALSE;
}

static guint32
add_algorithms (GArray *list, const TPMU_CAPABILITIES *page, guint32 last)
{
  const TPML_ALG_PROPERTY *algorithms = &page->algorithms;
  guint32 next = 0;

  for (guint i = 0; i < algorithms->count && i < TPM2_MAX_CAP_ALGS; i++)
    {
      TPM2_ALG_ID algorithm = algorithms->algProperties[i].alg;

      if (algorithm > last)
        return 0;
      g_array_append_val (list, algorithm);
      next = algorithm + 1u;
    }
  return next;
}

/* The algorithms that the TPM implements, as a GArray of TPM2_ALG_ID. */
GArray *
ward_tpm2_read_algorithms (WardConnection *connection, GError **error)
{
  return read_list (connection, TPM2_CAP_ALGS, TPM2_ALG_FIRST, G_MAXUINT16, TPM2_MAX_CAP_ALGS, add_algorithms,
                    sizeof (TPM2_ALG_ID), "The TPM could not list its algorithms", error);
}

static guint32
add_curves (GArray *list, const TPMU_CAPABILITIES *page, guint32 last)
{
  const TPML_ECC_CURVE *curves = &page->eccCurves;
  guint32 next = 0;

  for (guint i = 0; i < curves->count && i < TPM2_MAX_ECC_CURVES; i++)
    {
      if (curves->eccCurves[i] > last)
        return 0;
      g_array_append_val (list, curves->eccCurves[i]);
      next = curves->eccCurves[i] + 1u;
    }
  return next;
}

/* The elliptic curves that the TPM implements, as a GArray of TPM2_ECC_CURVE. */
GArray *
ward_tpm2_read_curves (WardConnection *connection, GError **error)
{
  return read_list (connection, TPM2_CAP_ECC_CURVES, TPM2_ECC_NIST_P192, G_MAXUINT16, TPM2_MAX_ECC_CURVES, add_curves,
                    sizeof (TPM2_ECC_CURVE), "The TPM could not list its elliptic curves", error);
}

static guint32
add_handles (GArray *list, const TPMU_CAPABILITIES *page, guint32 last)
{
  const TPML_HANDLE *handles = &page->handles;
  guint32 next = 0;

  for (guint i = 0; i < handles->count && i < TPM2_MAX_CAP_HANDLES; i++)
    {
      g_array_append_val (list, handles->handle[i]);
      next = handles->handle[i] + 1;
    }
  /* Loaded sessions are listed by their place, HMAC and policy sessions mixed: the type is no part of the order. */
  return next == 0 ? 0 : (last & ~TPM2_HR_HANDLE_MASK) | (next & TPM2_HR_HANDLE_MASK);
}

/* The handles of the kind that begins at first (WARD_TPM2_TRANSIENT_FIRST, TPM2_LOADED_SESSION_FIRST, …), as a GArray
 * of TPM2_HANDLE. */
GArray *
ward_tpm2_read_handles (WardConnection *connection, guint32 first, GError **error)
{
  return read_list (connection, TPM2_CAP_HANDLES, first, first | TPM2_HR_HANDLE_MASK, TPM2_MAX_CAP_HANDLES, add_handles,
                    sizeof (TPM2_HANDLE), "The TPM could not list its handles", error);
}

static gboolean
is_allocated (const TPMS_PCR_SELECTION *selection)
{
  for (guint i = 0; i < selection->sizeofSelect && i < TPM2_PCR_SELECT_MAX; i++)
    if (selection->pcrSelect[i] != 0)
      return TRUE;
  return FALSE;
}

static guint32
add_banks (GArray *list, const TPMU_CAPABILITIES *page, guint32 last)
{
  const TPML_PCR_SELECTION *banks = &page->assignedPCR;

  for (guint i = 0; i < banks->count && i < TPM2_NUM_PCR_BANKS; i++)
    {
      const char *name = ward_tpm2_bank_to_string (banks->pcrSelections[i].hash);

      if (name != NULL && is_allocated (&banks->pcrSelections[i]))
        g_array_append_val (list, name);
    }
  /* All of them are always on one page. */
  return 0;
}

/* The names of the PCR banks that have at least one PCR allocated. */
GStrv
ward_tpm2_read_banks (WardConnection *connection, GError **error)
{
  g_autoptr (GArray) names = read_list (connection, TPM2_CAP_PCRS, 0, 0, 1, add_banks, sizeof (const char *),
                                        "The TPM could not list its PCR banks", error);
  g_autoptr (GStrvBuilder) builder = NULL;

  if (names == NULL)
    return NULL;
  builder = g_strv_builder_new ();
  for (guint i = 0; i < names->len; i++)
    g_strv_builder_add (builder, g_array_index (names, const char *, i));
  return g_strv_builder_end (builder);
}
