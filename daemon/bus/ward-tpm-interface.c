/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tpm-object.h"

#include "ward-advisories.h"
#include "ward-error.h"

static gboolean
parse_get_random (GVariant *parameters, GUnixFDList *fds, gpointer *request, GError **error)
{
  guint32 count;

  g_variant_get (parameters, "(u)", &count);
  if (count < 1 || count > WARD_MAX_RANDOM)
    {
      g_set_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
                   "%u random bytes were asked for. Ask for 1 to %u at a time.", count, (guint)WARD_MAX_RANDOM);
      return FALSE;
    }
  *request = GUINT_TO_POINTER (count);
  return TRUE;
}

static void
on_random (GObject *source, GAsyncResult *result, gpointer user_data)
{
  WardCall *call = user_data;
  GError *error = NULL;
  g_autoptr (GBytes) bytes = ward_tpm_get_random_finish (WARD_TPM (source), result, &error);

  if (bytes)
    ward_call_return (call, g_variant_new ("(@ay)", g_variant_new_from_bytes (G_VARIANT_TYPE_BYTESTRING, bytes, TRUE)));
  else
    ward_call_fail (call, error);
}

static void
run_get_random (WardCall *call)
{
  ward_tpm_get_random_async (call->tpm, &call->ticket, GPOINTER_TO_UINT (call->request), on_random, call);
}

static void
on_properties (GObject *source, GAsyncResult *result, gpointer user_data)
{
  WardCall *call = user_data;
  GError *error = NULL;
  g_autoptr (GVariant) properties = ward_tpm_get_properties_finish (WARD_TPM (source), result, &error);

  if (properties)
    ward_call_return (call, g_variant_new ("(@a{sv})", properties));
  else
    ward_call_fail (call, error);
}

static void
run_get_properties (WardCall *call)
{
  ward_tpm_get_properties_async (call->tpm, &call->ticket, on_properties, call);
}

static void
on_refreshed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  WardCall *call = user_data;
  GError *error = NULL;
  gboolean ok = ward_tpm_refresh_finish (WARD_TPM (source), result, &error);

  ward_call_conclude (call, ok, error);
}

static void
run_refresh (WardCall *call)
{
  ward_tpm_refresh_async (call->tpm, &call->ticket, on_refreshed, call);
}

static const WardMethod methods[] = {
  { .name = "GetRandom", .signal = "handle-get-random", .parse = parse_get_random, .run = run_get_random },
  { .name = "GetProperties", .signal = "handle-get-properties", .run = run_get_properties },
  { .name = "Refresh", .signal = "handle-refresh", .run = run_refresh },
  { .name = NULL },
};

static GVariant *
advisories_to_variant (const WardIdentity *identity)
{
  g_autoptr (GPtrArray) advisories = ward_advisories_find (identity);
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("aa{sv}"));
  for (guint i = 0; i < advisories->len; i++)
    {
      const WardAdvisory *advisory = g_ptr_array_index (advisories, i);

      g_variant_builder_open (&builder, G_VARIANT_TYPE_VARDICT);
      g_variant_builder_add (&builder, "{sv}", "id", g_variant_new_string (advisory->id));
      g_variant_builder_add (&builder, "{sv}", "severity", g_variant_new_string (advisory->severity));
      g_variant_builder_add (&builder, "{sv}", "title", g_variant_new_string (advisory->title));
      g_variant_builder_add (&builder, "{sv}", "detail", g_variant_new_string (advisory->detail));
      g_variant_builder_add (&builder, "{sv}", "source", g_variant_new_string (advisory->source));
      g_variant_builder_close (&builder);
    }
  return g_variant_builder_end (&builder);
}

/* Tells the bus at once, so that the change is known before the reply to the call that made it. */
static void
on_tpm_changed (WardTpm *tpm, WardDbusTpm *skeleton)
{
  const WardIdentity *identity = ward_tpm_get_identity (tpm);

  ward_dbus_tpm_set_state (skeleton, ward_tpm_state_to_string (ward_tpm_get_state (tpm)));
  ward_dbus_tpm_set_state_detail (skeleton, ward_tpm_get_state_detail (tpm));
  ward_dbus_tpm_set_manufacturer (skeleton, identity->manufacturer);
  ward_dbus_tpm_set_manufacturer_name (skeleton, identity->manufacturer_name);
  ward_dbus_tpm_set_vendor_string (skeleton, identity->vendor_string);
  ward_dbus_tpm_set_firmware_version (skeleton, identity->firmware_version);
  ward_dbus_tpm_set_spec_revision (skeleton, identity->spec_revision);
  ward_dbus_tpm_set_spec_date (skeleton, identity->spec_date);
  ward_dbus_tpm_set_emulated (skeleton, identity->emulated);
  ward_dbus_tpm_set_key_algorithms (skeleton, (const char *const *)identity->key_algorithms);
  ward_dbus_tpm_set_advisories (skeleton, advisories_to_variant (identity));
  g_dbus_interface_skeleton_flush (G_DBUS_INTERFACE_SKELETON (skeleton));
}

WardDbusTpm *
ward_tpm_interface_new (WardGate *gate, WardTpm *tpm)
{
  WardDbusTpm *skeleton = ward_dbus_tpm_skeleton_new ();

  ward_dbus_tpm_set_name (skeleton, ward_tpm_get_name (tpm));
  ward_dbus_tpm_set_family (skeleton, ward_tpm_get_family (tpm));
  ward_dbus_tpm_set_transport (skeleton, ward_tpm_get_transport (tpm));
  ward_dbus_tpm_set_device_path (skeleton, ward_tpm_get_device_path (tpm));
  ward_dbus_tpm_set_driver (skeleton, ward_tpm_get_driver (tpm));
  g_signal_connect_object (tpm, "changed", G_CALLBACK (on_tpm_changed), skeleton, 0);
  on_tpm_changed (tpm, skeleton);
  ward_gate_guard (gate, G_DBUS_INTERFACE_SKELETON (skeleton), methods, tpm);
  return skeleton;
}
