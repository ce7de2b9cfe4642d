/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "ward-scan.h"

/* What a credential begins with (systemd's creds-util.h), in base64 with any white space in between. */
#define HEADER_SIZE 32
#define BASE64_HEADER 64 /* of four for each three bytes */
#define MAX_READ 1024
#define ID_SIZE 16

/* Of these the TPM is, beside whatever else, needed to read them. */
static const char *const tpm_ids[] = {
  "0c7cc07b117645919c4b0bea08bc20fe", /* tpm2 */
  "faf7eb9341e3412ca1a436f95a29362f", /* tpm2-with-public-key */
  "93a894094874449090caf2fc93cab553", /* host+tpm2 */
  "ef4ac13679a9480ea7db68897f9f165d", /* the same, of one user */
  "af4950a849134eb1a73846304ff30c05", /* host+tpm2-with-public-key */
  "adbc4ca3efb64201ba881b6f2e4095ea", /* the same, of one user */
};

static const char *const other_ids[] = {
  "5a1c6a86df9d4096b1d5a65e0862f19a", /* host */
  "55b9ed1d38594d43a8319d2ebb332ac6", /* the same, of one user */
  "058469daf6f54324800549da0f8ea2fb", /* tpm2-absent */
};

/* The last are where firmware's boot loaders find what systemd-stub(7) passes on. */
static const char *const folders[] = {
  "/etc/credstore.encrypted",           "/run/credstore.encrypted", "/usr/lib/credstore.encrypted",
  "/usr/local/lib/credstore.encrypted", "/boot/loader/credentials", "/efi/loader/credentials",
  "/boot/efi/loader/credentials",
};

/* The header's bytes, or FALSE when the file does not begin with base64 enough. */
static gboolean
decode (GBytes *file, guint8 header[HEADER_SIZE])
{
  gsize size;
  const char *text = g_bytes_get_data (file, &size);
  char base64[BASE64_HEADER + 1];
  gsize n = 0;

  for (gsize i = 0; i < size && n < BASE64_HEADER; i++)
    {
      if (g_ascii_isspace (text[i]))
        continue;
      if (!g_ascii_isalnum (text[i]) && text[i] != '+' && text[i] != '/')
        return FALSE;
      base64[n++] = text[i];
    }
  base64[n] = '\0';
  if (n < BASE64_HEADER)
    return FALSE;
  g_base64_decode_inplace (base64, &n);
  memcpy (header, base64, HEADER_SIZE);
  return TRUE;
}

static char *
format_id (const guint8 *header)
{
  GString *id = g_string_new (NULL);

  for (guint i = 0; i < ID_SIZE; i++)
    g_string_append_printf (id, "%02x", header[i]);
  return g_string_free (id, FALSE);
}

static gboolean
is_one_of (const char *id, const char *const *ids, gsize n)
{
  for (gsize i = 0; i < n; i++)
    if (strcmp (id, ids[i]) == 0)
      return TRUE;
  return FALSE;
}

/* A kind that a later systemd has made up is still a credential: AES-256-GCM has a key of 32 bytes, blocks of 1, an
 * initialization vector of 12 and a tag of 16, each in little-endian behind the id. */
static gboolean
is_aes_gcm (const guint8 *header)
{
  static const guint8 sizes[] = { 32, 0, 0, 0, 1, 0, 0, 0, 12, 0, 0, 0, 16, 0, 0, 0 };

  return memcmp (header + ID_SIZE, sizes, sizeof (sizes)) == 0;
}

static void
visit (WardScan *scan, int folder, const char *path, const char *name, guint32 uid, gpointer user_data)
{
  struct stat status;
  g_autoptr (GBytes) file = ward_folder_read_file (folder, name, MAX_READ, &status);
  g_autofree char *subject = g_build_filename (path, name, NULL);
  g_autofree char *id = NULL;
  guint8 header[HEADER_SIZE];
  WardDependent *dependent;
  gboolean known;

  if (file == NULL || !decode (file, header) || !is_aes_gcm (header))
    return;
  id = format_id (header);
  known = is_one_of (id, tpm_ids, G_N_ELEMENTS (tpm_ids));
  if (is_one_of (id, other_ids, G_N_ELEMENTS (other_ids)))
    return;
  dependent = ward_dependent_new (WARD_DEPENDENT_SEALED_DATA, subject, uid);
  dependent->detail = g_strdup (
      known ? "A credential for a systemd service, encrypted with a key that only the TPM can unseal."
            : "A credential for a systemd service, encrypted in a way that is not known here, "
              "possibly with the TPM.");
  dependent->recoverable = known ? "no" : "unknown";
  dependent->reason = g_strdup (
      "It could not be read any more; it would have to be made again with systemd-creds from what it was "
      "made from.");
  /* It is unsealed under a parent that is made again each time. The kinds that came later name a persistent one. */
  dependent->uses_owner_empty_auth = known;
  dependent->confidence = known ? "sure" : "likely";
  ward_scan_add (scan, dependent);
}

static void
scan_system (WardScan *scan)
{
  for (guint i = 0; i < G_N_ELEMENTS (folders); i++)
    ward_scan_each_in_folder (scan, folders[i], visit);
}

static void
scan_home (WardScan *scan, const WardHome *home)
{
  ward_scan_each_in_home (scan, home, ".config/credstore.encrypted", visit);
}

const WardScanner ward_credentials_scanner = { scan_system, scan_home };
