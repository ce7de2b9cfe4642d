/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-call-options.h"

#include "ward-error.h"
#include "ward-output.h"

gboolean
ward_options_check_auth (WardOptions *options, const char *name, GError **error)
{
  WardSecret *auth = ward_options_get_secret (options, name);

  if (!auth || ward_secret_get_size (auth) <= WARD_MAX_OBJECT_AUTH_SIZE)
    return TRUE;
  g_set_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
               "The option “%s” is longer than the %d bytes that an auth value may have.", name,
               WARD_MAX_OBJECT_AUTH_SIZE);
  return FALSE;
}

WardSecret *
ward_options_get_auth (WardOptions *options, const char *name)
{
  WardSecret *auth = ward_options_get_secret (options, name);

  return auth && ward_secret_get_size (auth) > 0 ? auth : NULL;
}

gboolean
ward_options_get_no_da (WardOptions *options)
{
  return ward_options_has (options, "no-da") ? ward_options_get_boolean (options, "no-da")
                                             : !ward_options_get_auth (options, "auth");
}

gboolean
ward_options_check_family (WardOptions *options, WardTpm *tpm, GError **error)
{
  static const char *const of_1_2[] = { "format", "srk-auth", NULL };
  static const char *const of_2_0[] = { "endorsement-auth", "lockout-auth", NULL };
  gboolean is_2_0 = !ward_tpm_is_tpm12 (tpm);

  for (const char *const *other = is_2_0 ? of_1_2 : of_2_0; *other; other++)
    if (ward_options_has (options, *other))
      {
        g_set_error (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED,
                     "The option “%s” is for a TPM %s, and %s is a TPM %s. Leave it out.", *other,
                     is_2_0 ? "1.2" : "2.0", ward_tpm_get_name (tpm), ward_tpm_get_family (tpm));
        return FALSE;
      }
  return TRUE;
}

static void
on_written (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;

  if (ward_output_write_finish (result, &error))
    ward_call_return (user_data, g_variant_new ("(@ay)", g_variant_new_array (G_VARIANT_TYPE_BYTE, NULL, 0)));
  else
    ward_call_fail (user_data, error);
}

void
ward_call_return_secret (WardCall *call, WardOptions *options, WardSecret *secret)
{
  if (ward_options_has (options, "output"))
    ward_output_write_async (G_OBJECT (call->tpm), ward_options_take_output (options, "output"), secret,
                             WARD_OUTPUT_PATIENCE, on_written, call);
  else
    ward_call_return (
        call, g_variant_new ("(@ay)", g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, ward_secret_get_data (secret),
                                                                 ward_secret_get_size (secret), 1)));
}
