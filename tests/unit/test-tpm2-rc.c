/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "ward-error.h"
#include "ward-tpm2-private.h"

typedef struct
{
  TSS2_RC rc;
  WardErrorCode code;
  const char *words;
} Case;

static const Case cases[] = {
  { 0x98e, WARD_ERROR_AUTHENTICATION_FAILED, "0x98e" },
  { 0x9a2, WARD_ERROR_AUTHENTICATION_FAILED, "0x9a2" },
  { 0x1a2, WARD_ERROR_AUTHENTICATION_FAILED, "0x1a2" },
  { 0x921, WARD_ERROR_LOCKED_OUT, "0x921" },
  { 0x120, WARD_ERROR_DISABLED, "0x120" },
  { 0x185, WARD_ERROR_DISABLED, "0x185" },
  { 0x99d, WARD_ERROR_POLICY_MISMATCH, "0x99d" },
  { 0x128, WARD_ERROR_POLICY_MISMATCH, "0x128" },
  { 0x1df, WARD_ERROR_CORRUPT, "0x1df" },
  { 0x18b, WARD_ERROR_NOT_FOUND, "0x18b" },
  { 0x14c, WARD_ERROR_EXISTS, "0x14c" },
  { 0x14b, WARD_ERROR_NO_SPACE, "0x14b" },
  { 0x902, WARD_ERROR_NO_SPACE, "0x902" },
  { 0x903, WARD_ERROR_NO_SPACE, "0x903" },
  { 0x143, WARD_ERROR_NOT_SUPPORTED, "0x143" },
  { 0xb0143, WARD_ERROR_NOT_SUPPORTED, "0xb0143" }, /* from the kernel's resource manager */
  { 0xc0902, WARD_ERROR_NO_SPACE, "0xc0902" },      /* from tpm2-abrmd */
  { 0x101, WARD_ERROR_FAILED, "0x101" },
  { 0x153, WARD_ERROR_FAILED, "full self-test" },
  { 0x90a, WARD_ERROR_FAILED, "still testing" },
  { 0x2c4, WARD_ERROR_FAILED, "0x2c4" },
  { 0x100, WARD_ERROR_UNREACHABLE, "0x100" },
  { TSS2_TCTI_RC_IO_ERROR, WARD_ERROR_UNREACHABLE, "swtpm:path=/x" },
  { TSS2_TCTI_RC_NO_CONNECTION, WARD_ERROR_UNREACHABLE, "Start it again" },
  { TSS2_SYS_RC_INSUFFICIENT_RESPONSE, WARD_ERROR_UNREACHABLE, "swtpm:path=/x" },
  { TSS2_ESYS_RC_MALFORMED_RESPONSE, WARD_ERROR_UNREACHABLE, "swtpm:path=/x" },
  { TSS2_ESYS_RC_RSP_AUTH_FAILED, WARD_ERROR_UNREACHABLE, "swtpm:path=/x" },
  { TSS2_RESMGR_RC_LAYER | TSS2_BASE_RC_IO_ERROR, WARD_ERROR_UNREACHABLE, "0xb000a" },
  { TSS2_ESYS_RC_MEMORY, WARD_ERROR_FAILED, "0x7" },
};

static void
test_case (gconstpointer data)
{
  const Case *expected = data;
  WardConnection connection = { .transport = (char *)"swtpm:path=/x" };
  g_autoptr (GError) error = NULL;

  ward_tpm2_set_error (&error, &connection, expected->rc, "The TPM could not sing");
  g_assert_error (error, WARD_ERROR, (int)expected->code);
  g_assert_true (g_str_has_prefix (error->message, "The TPM could not sing (0x"));
  g_assert_nonnull (strstr (error->message, expected->words));
  g_assert_true (g_str_has_suffix (error->message, "."));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strdup_printf ("/tpm2/rc/0x%x", cases[i].rc);

      g_test_add_data_func (path, &cases[i], test_case);
    }
  return g_test_run ();
}
