/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is kept in a software TPM, what of it a clear takes away, and by what the chip is known. */
#include <string.h>

#include "test-tpm2-owner.h"

#define OWNER_INDEX 0x01800001
#define PLATFORM_INDEX 0x01400001
#define CERTIFICATE 0x01c00002

#define OWNER_ATTRIBUTES (TPMA_NV_OWNERWRITE | TPMA_NV_OWNERREAD | TPMA_NV_AUTHREAD)
#define CERTIFICATE_ATTRIBUTES                                                                                         \
  (TPMA_NV_PLATFORMCREATE | TPMA_NV_PPWRITE | TPMA_NV_PPREAD | TPMA_NV_AUTHREAD | TPMA_NV_NO_DA)

typedef struct
{
  Swtpm *swtpm;
  WardConnection *connection;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->swtpm = swtpm_new (FALSE);
  if (fixture->swtpm)
    fixture->connection = swtpm_connect (fixture->swtpm);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_clear_pointer (&fixture->connection, ward_tpm2_backend.close);
  g_clear_pointer (&fixture->swtpm, swtpm_free);
}

static void
define (WardConnection *connection, TPM2_HANDLE index, guint32 attributes, const guint8 *content, guint16 size)
{
  ESYS_TR hierarchy = attributes & TPMA_NV_PLATFORMCREATE ? ESYS_TR_RH_PLATFORM : ESYS_TR_RH_OWNER;
  TPM2B_NV_PUBLIC public = {
    .nvPublic = { .nvIndex = index, .nameAlg = TPM2_ALG_SHA256, .attributes = attributes, .dataSize = size }
  };
  TPM2B_AUTH auth = { 0 };
  ESYS_TR tr;

  g_assert_cmphex (Esys_NV_DefineSpace (connection->esys, hierarchy, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                                        &auth, &public, &tr),
                   ==, TSS2_RC_SUCCESS);
  for (guint16 done = 0; content && done < size; done += 500)
    {
      TPM2B_MAX_NV_BUFFER chunk = { .size = MIN (500, size - done) };
      guint8 *bytes = chunk.buffer;

      memcpy (bytes, content + done, chunk.size);
      g_assert_cmphex (
          Esys_NV_Write (connection->esys, hierarchy, tr, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &chunk, done),
          ==, TSS2_RC_SUCCESS);
    }
  g_assert_cmphex (Esys_TR_Close (connection->esys, &tr), ==, TSS2_RC_SUCCESS);
}

static GPtrArray *
list (WardConnection *connection)
{
  g_autoptr (GError) error = NULL;
  GPtrArray *items = ward_tpm2_backend.list_items (connection, &error);

  g_assert_no_error (error);
  return items;
}

static const WardChipItem *
find (GPtrArray *items, guint32 handle)
{
  for (guint i = 0; i < items->len; i++)
    {
      const WardChipItem *item = g_ptr_array_index (items, i);

      if (item->handle == handle)
        return item;
    }
  return NULL;
}

static void
test_list (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GPtrArray) items = NULL;
  g_autofree WardOwnership *ownership = NULL;
  const WardChipItem *item;

  if (!fixture->swtpm)
    return;
  define (fixture->connection, OWNER_INDEX, OWNER_ATTRIBUTES, (const guint8 *)"content", 7);
  define (fixture->connection, PLATFORM_INDEX, CERTIFICATE_ATTRIBUTES, NULL, 9);
  assert_works (owner_provision (fixture->connection, NULL, &error));

  items = list (fixture->connection);
  g_assert_cmpuint (items->len, ==, 3);
  item = find (items, OWNER_INDEX);
  g_assert_cmpstr (item->kind, ==, WARD_CHIP_NV_INDEX);
  g_assert_cmpuint (item->size, ==, 7);
  g_assert_cmphex (item->attributes & OWNER_ATTRIBUTES, ==, OWNER_ATTRIBUTES);
  g_assert_true (item->written && item->is_cleared);
  g_assert_cmpstr (item->purpose, ==, "");

  item = find (items, PLATFORM_INDEX);
  g_assert_false (item->written || item->is_cleared);
  g_assert_cmpstr (item->purpose, ==, "data of the platform's maker");

  item = find (items, WARD_SRK_HANDLE);
  ownership = owner_read (fixture->connection);
  g_assert_cmpstr (item->kind, ==, WARD_CHIP_PERSISTENT);
  g_assert_cmpstr (item->algorithm, ==, "ecc-p256");
  g_assert_cmphex (item->attributes, ==, 0x30472);
  g_assert_cmpstr (item->purpose, ==, "the storage root key");
  g_assert_true (item->is_cleared);
  g_assert_false (item->is_remade);
  /* of SHA-256, which is 11 */
  g_assert_cmpuint (strlen (item->name), ==, 68);
  g_assert_true (g_str_has_prefix (item->name, "000b"));
  g_assert_cmpstr (ownership->srk_name, ==, item->name);
  assert_nothing_left (fixture->connection);
}

/* What is said to outlive a clear does, and nothing else. */
static void
test_clear (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GPtrArray) before = NULL;
  g_autoptr (GPtrArray) after = NULL;

  if (!fixture->swtpm)
    return;
  define (fixture->connection, OWNER_INDEX, OWNER_ATTRIBUTES, (const guint8 *)"content", 7);
  define (fixture->connection, PLATFORM_INDEX, CERTIFICATE_ATTRIBUTES, NULL, 9);
  assert_works (owner_provision (fixture->connection, NULL, &error));
  before = list (fixture->connection);
  assert_works (owner_clear (fixture->connection, NULL, &error));
  after = list (fixture->connection);
  for (guint i = 0; i < before->len; i++)
    {
      const WardChipItem *item = g_ptr_array_index (before, i);

      g_assert_cmpint (find (after, item->handle) == NULL, ==, item->is_cleared);
    }
}

static void
test_room (Fixture *fixture, gconstpointer data)
{
  g_autofree WardOwnership *before = NULL;
  g_autofree WardOwnership *after = NULL;

  if (!fixture->swtpm)
    return;
  before = owner_read (fixture->connection);
  g_assert_cmpuint (before->room.persistent, ==, 0);
  g_assert_cmpuint (before->room.transient_available, >=, 3);
  g_assert_cmpuint (before->room.sessions_active, ==, 0);
  g_assert_cmpuint (before->room.sessions_active_max, >=, 3);
  assert_works (owner_provision (fixture->connection, NULL, &error));
  define (fixture->connection, OWNER_INDEX, OWNER_ATTRIBUTES, NULL, 9);
  after = owner_read (fixture->connection);
  g_assert_cmpuint (after->room.persistent, ==, 1);
  g_assert_cmpuint (after->room.persistent_available, <, before->room.persistent_available);
  g_assert_cmpuint (after->room.nv_indices, ==, before->room.nv_indices + 1);
}

/* Of a connection of its own, as it is read once for each. */
static char *
get_endorsement (Fixture *fixture)
{
  g_autoptr (WardIdentity) identity = NULL;
  g_autoptr (GError) error = NULL;

  g_clear_pointer (&fixture->connection, ward_tpm2_backend.close);
  fixture->connection = swtpm_connect (fixture->swtpm);
  identity = ward_tpm2_backend.identify (fixture->connection, &error);
  g_assert_no_error (error);
  return g_strdup (identity->endorsement);
}

static void
test_certificate (Fixture *fixture, gconstpointer data)
{
  g_autofree guint8 *content = g_malloc (1300);
  g_autofree char *digest = NULL;
  g_autofree char *expected = NULL;
  g_autofree char *endorsement = NULL;

  if (!fixture->swtpm)
    return;
  for (guint i = 0; i < 1300; i++)
    content[i] = i % 251;
  define (fixture->connection, CERTIFICATE, CERTIFICATE_ATTRIBUTES, content, 1300);
  digest = g_compute_checksum_for_data (G_CHECKSUM_SHA256, content, 1300);
  expected = g_strdup_printf ("0x01c00002 %s", digest);
  endorsement = get_endorsement (fixture);
  g_assert_cmpstr (endorsement, ==, expected);
}

/* An index whose wrong auth value would count as a failed try is not tried, whatever its place. */
static void
test_other_index_is_not_read (Fixture *fixture, gconstpointer data)
{
  g_autofree char *endorsement = NULL;

  if (!fixture->swtpm)
    return;
  define (fixture->connection, CERTIFICATE, OWNER_ATTRIBUTES, (const guint8 *)"content", 7);
  endorsement = get_endorsement (fixture);
  g_assert_cmpstr (endorsement, ==, "");
}

static void
test_persistent_ek (Fixture *fixture, gconstpointer data)
{
  /* as the TCG's template L-2, but for the policy */
  static const TPM2B_PUBLIC template = { .publicArea = { .type = TPM2_ALG_ECC,
                                                         .nameAlg = TPM2_ALG_SHA256,
                                                         .objectAttributes = 0x300b2,
                                                         .parameters.eccDetail = {
                                                             .symmetric = { TPM2_ALG_AES, { 128 }, { TPM2_ALG_CFB } },
                                                             .scheme.scheme = TPM2_ALG_NULL,
                                                             .curveID = TPM2_ECC_NIST_P256,
                                                             .kdf.scheme = TPM2_ALG_NULL } } };
  g_autoptr (GPtrArray) items = NULL;
  g_autofree char *endorsement = NULL;
  g_autofree char *expected = NULL;
  ESYS_TR key;

  if (!fixture->swtpm)
    return;
  key = owner_make_key (fixture->connection, &template, "");
  owner_persist (fixture->connection, key, 0x81010001);
  g_assert_cmphex (Esys_FlushContext (fixture->connection->esys, key), ==, TSS2_RC_SUCCESS);

  endorsement = get_endorsement (fixture);
  items = list (fixture->connection);
  expected = g_strdup_printf ("0x81010001 ecc-p256 %s", find (items, 0x81010001)->name);
  g_assert_cmpstr (endorsement, ==, expected);
  g_assert_true (find (items, 0x81010001)->is_remade);
  g_assert_cmpstr (find (items, 0x81010001)->purpose, ==, "the endorsement key");
}

static gboolean at_page;

/* A TPM that says that it keeps more than any has room for. */
static Reply *
answer_handles (Middleman *middleman, guint32 command, const guint8 *bytes, gsize size)
{
  guint32 first;
  Reply *reply;

  if (command != TPM2_CC_GetCapability || read_u32 (bytes + 10) != TPM2_CAP_HANDLES)
    return NULL;
  first = read_u32 (bytes + 14);
  at_page = TRUE;
  reply = reply_new (TPM2_RC_SUCCESS);
  reply_u8 (reply, TPM2_YES);
  reply_u32 (reply, TPM2_CAP_HANDLES);
  reply_u32 (reply, TPM2_MAX_CAP_HANDLES);
  for (guint i = 0; i < TPM2_MAX_CAP_HANDLES; i++)
    reply_u32 (reply, first + i);
  return reply;
}

static void
test_too_many (Fixture *fixture, gconstpointer data)
{
  g_autoptr (Middleman) middleman = NULL;
  g_autoptr (WardConnection) connection = NULL;
  g_autoptr (GError) error = NULL;

  if (!fixture->swtpm)
    return;
  g_clear_pointer (&fixture->connection, ward_tpm2_backend.close);
  middleman = middleman_new (fixture->swtpm->transport);
  connection = middleman_connect (middleman);
  middleman->answer = answer_handles;
  g_assert_null (ward_tpm2_list_items (connection, &error));
  g_assert_true (at_page);
  g_assert_error (error, WARD_ERROR, WARD_ERROR_FAILED);
  assert_message_contains (error, "no working TPM");
}

#define ADD(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/tpm2/items/list", test_list);
  ADD ("/tpm2/items/clear", test_clear);
  ADD ("/tpm2/items/room", test_room);
  ADD ("/tpm2/items/certificate", test_certificate);
  ADD ("/tpm2/items/other-index-is-not-read", test_other_index_is_not_read);
  ADD ("/tpm2/items/persistent-ek", test_persistent_ek);
  ADD ("/tpm2/items/too-many", test_too_many);
  return g_test_run ();
}
