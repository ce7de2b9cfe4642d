/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli-target.h"

#include "ward-client-glance.h"

void
ward_cli_target_clear (WardCliTarget *self)
{
  g_clear_pointer (&self->tpm_name, g_free);
  g_clear_pointer (&self->algorithms, g_strfreev);
  g_clear_object (&self->proxy);
}

/* By what is there at a glance: it is several times as fast as a client that follows all TPMs. */
static gboolean
open_glance (WardCli *cli, WardCliTarget *self, const char *interface)
{
  g_autoptr (WardClientGlance) glance = ward_client_glance_new_sync (cli->tpm_name);
  g_autoptr (GVariant) algorithms = NULL;
  g_autoptr (GVariant) family = NULL;

  if (glance == NULL)
    return FALSE;
  self->tpm_name = g_strdup (glance->name);
  self->proxy = ward_client_glance_open (glance, interface);
  algorithms = ward_client_glance_get (glance, "org.tpmward1.Tpm", "KeyAlgorithms");
  if (algorithms != NULL && g_variant_is_of_type (algorithms, G_VARIANT_TYPE_STRING_ARRAY))
    self->algorithms = g_variant_dup_strv (algorithms, NULL);
  family = ward_client_glance_get (glance, "org.tpmward1.Tpm", "Family");
  self->is_tpm12 = family != NULL && g_variant_is_of_type (family, G_VARIANT_TYPE_STRING)
                   && g_str_equal (g_variant_get_string (family, NULL), "1.2");
  return TRUE;
}

/* This one tells what is in the way. */
static gboolean
open_object (WardCli *cli, WardCliTarget *self, const char *interface)
{
  g_autoptr (WardDbusObject) object = ward_cli_open_tpm (cli);
  WardDbusTpm *tpm;

  if (object == NULL)
    return FALSE;
  tpm = ward_dbus_object_peek_tpm (object);
  self->tpm_name = ward_dbus_tpm_dup_name (tpm);
  self->algorithms = ward_dbus_tpm_dup_key_algorithms (tpm);
  self->is_tpm12 = ward_cli_is_tpm12 (object);
  self->proxy = G_DBUS_PROXY (g_dbus_object_get_interface (G_DBUS_OBJECT (object), interface));
  return TRUE;
}

gboolean
ward_cli_target_open (WardCli *cli, WardCliTarget *self, const char *interface)
{
  g_autofree char *name = g_strconcat ("org.tpmward1.", interface, NULL);

  if (!open_glance (cli, self, name) && !open_object (cli, self, name))
    return FALSE;
  if (self->proxy == NULL)
    cli->status = ward_cli_fail_interface (interface);
  return self->proxy != NULL;
}
