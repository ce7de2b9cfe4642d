/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tpm-object.h"

#include "ward-error.h"

typedef struct
{
  char *bank;
  guint32 mask; /* bit i: PCR i is wanted */
} ReadRequest;

static void
read_request_free (gpointer data)
{
  ReadRequest *request = data;

  g_free (request->bank);
  g_free (request);
}

static gboolean
parse_indices (GVariant *indices, guint32 *mask, GError **error)
{
  gsize n_indices;
  const guint32 *index = g_variant_get_fixed_array (indices, &n_indices, sizeof *index);

  if (n_indices > WARD_N_PCRS)
    {
      g_set_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
                   "%" G_GSIZE_FORMAT " PCR indices were named, and there are %d PCRs. Name none to read all.",
                   n_indices, WARD_N_PCRS);
      return FALSE;
    }

  *mask = n_indices == 0 ? (1u << WARD_N_PCRS) - 1 : 0;
  for (gsize i = 0; i < n_indices; i++)
    {
      if (index[i] >= WARD_N_PCRS)
        {
          g_set_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
                       "There is no PCR %u. PCRs are numbered from 0 to %d.", index[i], WARD_N_PCRS - 1);
          return FALSE;
        }
      *mask |= 1u << index[i];
    }
  return TRUE;
}

static gboolean
parse_read (GVariant *parameters, GUnixFDList *fds, gpointer *request, GError **error)
{
  g_autoptr (GVariant) indices = NULL;
  const char *bank;
  ReadRequest *read_request;
  guint32 mask;

  g_variant_get (parameters, "(&s@au)", &bank, &indices);
  if (!ward_bank_is_known (bank))
    {
      g_set_error (
          error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
          "“%.32s” is no PCR bank. Banks bear the name of their hash, such as “sha256”; the property Banks names "
          "those that this TPM has.",
          bank);
      return FALSE;
    }
  if (!parse_indices (indices, &mask, error))
    return FALSE;

  read_request = g_new0 (ReadRequest, 1);
  read_request->bank = g_strdup (bank);
  read_request->mask = mask;
  *request = read_request;
  return TRUE;
}

static GVariant *
values_to_variant (const WardPcrValues *values)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(uay)"));
  for (guint i = 0; i < WARD_N_PCRS; i++)
    if (values->mask & (1u << i))
      g_variant_builder_add (
          &builder, "(u@ay)", i,
          g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, values->values[i], values->digest_size, 1));
  return g_variant_builder_end (&builder);
}

static void
on_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  WardCall *call = user_data;
  GError *error = NULL;
  g_autofree WardPcrValues *values = ward_tpm_read_pcrs_finish (WARD_TPM (source), result, &error);

  if (values)
    ward_call_return (call, g_variant_new ("(@a(uay))", values_to_variant (values)));
  else
    ward_call_fail (call, error);
}

static void
run_read (WardCall *call)
{
  const ReadRequest *request = call->request;

  ward_tpm_read_pcrs_async (call->tpm, &call->ticket, request->bank, request->mask, on_read, call);
}

static const WardMethod methods[] = {
  { .name = "Read", .signal = "handle-read", .parse = parse_read, .request_free = read_request_free, .run = run_read },
  { .name = NULL },
};

static void
on_tpm_changed (WardTpm *tpm, WardDbusPcrs *skeleton)
{
  ward_dbus_pcrs_set_banks (skeleton, (const char *const *)ward_tpm_get_identity (tpm)->banks);
  g_dbus_interface_skeleton_flush (G_DBUS_INTERFACE_SKELETON (skeleton));
}

WardDbusPcrs *
ward_pcrs_interface_new (WardGate *gate, WardTpm *tpm)
{
  WardDbusPcrs *skeleton = ward_dbus_pcrs_skeleton_new ();

  g_signal_connect_object (tpm, "changed", G_CALLBACK (on_tpm_changed), skeleton, 0);
  on_tpm_changed (tpm, skeleton);
  ward_gate_guard (gate, G_DBUS_INTERFACE_SKELETON (skeleton), methods, tpm);
  return skeleton;
}
