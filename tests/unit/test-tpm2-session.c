/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-tpm2-owner.h"

#include <signal.h>
#include <string.h>

#define OLD "an-old-value-of-thirty-characters"
#define NEW "and-another-value-by-which-to-replace-it"

/* Commands that a test's TPM has been sent, and what it answered. */
static GByteArray *wire;

static Reply *
record_command (Middleman *middleman, guint32 command, const guint8 *bytes, gsize size)
{
  g_byte_array_append (wire, bytes, size);
  return NULL;
}

static void
record_reply (Middleman *middleman, guint32 command, GByteArray *reply)
{
  g_byte_array_append (wire, reply->data, reply->len);
}

static Middleman *
recorder_new (Swtpm *swtpm)
{
  Middleman *middleman = middleman_new (swtpm->transport);

  g_clear_pointer (&wire, g_byte_array_unref);
  wire = g_byte_array_new ();
  middleman->answer = record_command;
  middleman->change = record_reply;
  return middleman;
}

static gboolean
crossed (const char *secret)
{
  static const GChecksumType digests[] = { G_CHECKSUM_SHA1, G_CHECKSUM_SHA256, G_CHECKSUM_SHA384, G_CHECKSUM_SHA512 };

  if (memmem (wire->data, wire->len, secret, strlen (secret)) != NULL)
    return TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (digests); i++)
    {
      g_autoptr (GChecksum) checksum = g_checksum_new (digests[i]);
      guint8 digest[64];
      gsize size = sizeof (digest);

      g_checksum_update (checksum, (const guint8 *)secret, strlen (secret));
      g_checksum_get_digest (checksum, digest, &size);
      if (memmem (wire->data, wire->len, digest, size) != NULL)
        return TRUE;
    }
  return FALSE;
}

static void
assert_nothing_crossed (void)
{
  g_assert_cmpuint (wire->len, >, 1000);
  g_assert_false (crossed (OLD));
  g_assert_false (crossed (NEW));
}

static void
set_by_password (WardConnection *connection, const char *old, const char *new)
{
  TPM2B_AUTH old_auth = { .size = strlen (old) }, new_auth = { .size = strlen (new) };
  guint8 *old_bytes = old_auth.buffer, *new_bytes = new_auth.buffer;
  static const TPM2B_AUTH none = { 0 };

  memcpy (old_bytes, old, strlen (old));
  memcpy (new_bytes, new, strlen (new));
  g_assert_cmphex (Esys_TR_SetAuth (connection->esys, ESYS_TR_RH_OWNER, &old_auth), ==, TSS2_RC_SUCCESS);
  g_assert_cmphex (Esys_HierarchyChangeAuth (connection->esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                             ESYS_TR_NONE, &new_auth),
                   ==, TSS2_RC_SUCCESS);
  g_assert_cmphex (Esys_TR_SetAuth (connection->esys, ESYS_TR_RH_OWNER, &none), ==, TSS2_RC_SUCCESS);
}

/* That the test would see it: what the tools do by default. */
static void
test_recorder_finds_what_crosses (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (Middleman) middleman = NULL;
  g_autoptr (WardConnection) connection = NULL;

  if (swtpm == NULL)
    return;
  middleman = recorder_new (swtpm);
  connection = middleman_connect (middleman);
  set_by_password (connection, "", OLD);
  g_assert_true (crossed (OLD));
  g_assert_false (crossed (NEW));
  g_byte_array_set_size (wire, 0);
  set_by_password (connection, OLD, "short");
  g_assert_true (crossed (OLD));
}

static void
use_auths (WardConnection *connection, WardHierarchy hierarchy)
{
  assert_works (owner_change (connection, hierarchy, NULL, OLD, &error));
  assert_works (owner_change (connection, hierarchy, OLD, NEW, &error));
  if (hierarchy == WARD_HIERARCHY_LOCKOUT)
    {
      assert_works (owner_reset (connection, NEW, &error));
      assert_works (owner_set_lockout (connection, 3, 10, 10, NEW, &error));
      assert_works (owner_disable_clear (connection, NEW, &error));
    }
  if (hierarchy == WARD_HIERARCHY_OWNER)
    {
      assert_fails (owner_change (connection, hierarchy, OLD, NEW, &error), WARD_ERROR_AUTHENTICATION_FAILED);
      assert_works (owner_provision (connection, NEW, &error));
    }
  assert_works (owner_change (connection, hierarchy, NEW, NULL, &error));
}

static void
test_no_auth_crosses (gconstpointer data)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (Middleman) middleman = NULL;
  g_autoptr (WardConnection) connection = NULL;
  gboolean with_srk = GPOINTER_TO_INT (data);

  if (swtpm == NULL)
    return;
  middleman = recorder_new (swtpm);
  connection = middleman_connect (middleman);
  if (with_srk)
    assert_works (owner_provision (connection, NULL, &error));
  else
    use_auths (connection, WARD_HIERARCHY_OWNER);
  use_auths (connection, WARD_HIERARCHY_ENDORSEMENT);
  use_auths (connection, WARD_HIERARCHY_LOCKOUT);
  assert_nothing_crossed ();
}

static void
test_no_auth_crosses_at_a_clear (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (Middleman) middleman = NULL;
  g_autoptr (WardConnection) connection = NULL;

  if (swtpm == NULL)
    return;
  middleman = recorder_new (swtpm);
  connection = middleman_connect (middleman);
  owner_set (connection, WARD_HIERARCHY_LOCKOUT, NEW);
  assert_works (owner_clear (connection, NEW, &error));
  owner_set (connection, WARD_HIERARCHY_LOCKOUT, NEW);
  assert_fails (owner_clear (connection, OLD, &error), WARD_ERROR_AUTHENTICATION_FAILED);
  assert_nothing_crossed ();
}

/* Every session is salted, by the key that is StartAuthSession's first handle. */
static Reply *
check_salt (Middleman *middleman, guint32 command, const guint8 *bytes, gsize size)
{
  if (command != TPM2_CC_StartAuthSession)
    return NULL;
  middleman->seen++;
  middleman->limit = read_u32 (bytes + 10);
  return NULL;
}

static void
test_salt_key (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (Middleman) middleman = NULL;
  g_autoptr (WardConnection) connection = NULL;

  if (swtpm == NULL)
    return;
  middleman = middleman_new (swtpm->transport);
  middleman->answer = check_salt;
  connection = middleman_connect (middleman);
  owner_set (connection, WARD_HIERARCHY_OWNER, OLD);
  g_assert_cmpuint (middleman->seen, ==, 1);
  g_assert_cmphex (middleman->limit >> TPM2_HR_SHIFT, ==, TPM2_HT_TRANSIENT);
  assert_works (owner_provision (connection, OLD, &error));
  assert_works (owner_change (connection, WARD_HIERARCHY_OWNER, OLD, NULL, &error));
  g_assert_cmpuint (middleman->seen, ==, 3);
  g_assert_cmphex (middleman->limit, ==, WARD_SRK_HANDLE);
}

static Reply *
refuse_srk_as_salt_key (Middleman *middleman, guint32 command, const guint8 *bytes, gsize size)
{
  if (command == TPM2_CC_StartAuthSession && read_u32 (bytes + 10) == WARD_SRK_HANDLE)
    {
      middleman->seen++;
      return reply_new (TPM2_RC_ATTRIBUTES | TPM2_RC_1);
    }
  return NULL;
}

static void
test_srk_that_does_not_serve (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (Middleman) middleman = NULL;
  g_autoptr (WardConnection) connection = NULL;

  if (swtpm == NULL)
    return;
  middleman = middleman_new (swtpm->transport);
  middleman->answer = refuse_srk_as_salt_key;
  connection = middleman_connect (middleman);
  assert_works (owner_provision (connection, NULL, &error));
  owner_set (connection, WARD_HIERARCHY_ENDORSEMENT, OLD);
  g_assert_cmpuint (middleman->seen, ==, 1);
}

/* Refuses the command number limit, counted from 1, and lets all pass that are needed to see what is left. */
static Reply *
refuse_one (Middleman *middleman, guint32 command, const guint8 *bytes, gsize size)
{
  if (middleman->limit == 0 || command == TPM2_CC_FlushContext)
    return NULL;
  return ++middleman->seen == middleman->limit ? reply_new (TPM2_RC_MEMORY) : NULL;
}

typedef gboolean (*Operation) (WardConnection *connection, GError **error);

static gboolean
change_owner_auth (WardConnection *connection, GError **error)
{
  g_autoptr (WardSecret) new_auth = ward_secret_new_from (NEW, strlen (NEW));

  return ward_tpm2_backend.change_auth (connection, WARD_HIERARCHY_OWNER, NULL, new_auth, error);
}

static gboolean
provision (WardConnection *connection, GError **error)
{
  return ward_tpm2_backend.provision_srk (connection, NULL, error);
}

static gboolean
reset_lockout (WardConnection *connection, GError **error)
{
  return ward_tpm2_backend.reset_lockout (connection, NULL, error);
}

static gboolean
clear (WardConnection *connection, GError **error)
{
  return ward_tpm2_backend.clear (connection, NULL, error);
}

static const Operation operations[] = { reset_lockout, clear, change_owner_auth, provision };

/* Returns with how many of its commands refused in turn the operation got through. */
static guint
refuse_each (Middleman *middleman, WardConnection *connection, Operation operation)
{
  gboolean finished = FALSE;
  guint number = 0;

  while (!finished)
    {
      g_autoptr (GError) error = NULL;
      gboolean worked;

      middleman->seen = 0;
      middleman->limit = ++number;
      worked = operation (connection, &error);
      finished = middleman->seen < middleman->limit;
      middleman->limit = 0;
      if (!worked)
        g_assert_error (error, WARD_ERROR, WARD_ERROR_NO_SPACE);
      assert_nothing_left (connection);
      g_assert_true (worked || !finished);
    }
  return number;
}

static void
test_nothing_is_left_by_a_failure (gconstpointer data)
{
  Operation operation = operations[GPOINTER_TO_UINT (data)];
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (Middleman) middleman = NULL;
  g_autoptr (WardConnection) connection = NULL;

  if (swtpm == NULL)
    return;
  middleman = middleman_new (swtpm->transport);
  middleman->answer = refuse_one;
  connection = middleman_connect (middleman);
  g_assert_cmpuint (refuse_each (middleman, connection, operation), >=, 6);
}

static Reply *
break_at_limit (Middleman *middleman, guint32 command, const guint8 *bytes, gsize size)
{
  if (middleman->limit != 0 && ++middleman->seen == middleman->limit)
    middleman->broken = TRUE;
  return NULL;
}

/* A transport that breaks, at whichever command, is said to be broken. */
static void
test_transport_that_breaks (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  guint limit = 0;
  gboolean worked = FALSE;

  if (swtpm == NULL)
    return;
  while (!worked)
    {
      g_autoptr (Middleman) middleman = middleman_new (swtpm->transport);
      g_autoptr (WardConnection) connection = NULL;
      g_autoptr (GError) error = NULL;

      middleman->answer = break_at_limit;
      connection = middleman_connect (middleman);
      /* as the service does when it opens a TPM anew */
      g_assert_true (ward_tpm2_flush_stale (connection, NULL));
      middleman->limit = ++limit;
      worked = ward_tpm2_backend.provision_srk (connection, NULL, &error);
      if (!worked)
        g_assert_error (error, WARD_ERROR, WARD_ERROR_UNREACHABLE);
    }
  g_assert_cmpuint (limit, >=, 8);
}

/* Spoils the session's proof that the answer is the TPM's. */
static void
forge_answer (Middleman *middleman, guint32 command, GByteArray *reply)
{
  if (command == TPM2_CC_DictionaryAttackLockReset)
    reply->data[reply->len - 1] ^= 1;
}

static void
test_forged_answer_is_noticed (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (Middleman) middleman = NULL;
  g_autoptr (WardConnection) connection = NULL;

  if (swtpm == NULL)
    return;
  middleman = middleman_new (swtpm->transport);
  middleman->change = forge_answer;
  connection = middleman_connect (middleman);
  assert_fails (ward_tpm2_backend.reset_lockout (connection, NULL, &error), WARD_ERROR_UNREACHABLE);
}

static Reply *
be_busy (Middleman *middleman, guint32 command, const guint8 *bytes, gsize size)
{
  return middleman->limit > 0 && ++middleman->seen % 2 == 1 ? reply_new (TPM2_RC_TESTING) : NULL;
}

static void
test_busy_tpm_is_asked_again (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (Middleman) middleman = NULL;
  g_autoptr (WardConnection) connection = NULL;

  if (swtpm == NULL)
    return;
  middleman = middleman_new (swtpm->transport);
  middleman->answer = be_busy;
  connection = middleman_connect (middleman);
  middleman->limit = 1;
  owner_set (connection, WARD_HIERARCHY_OWNER, OLD);
  assert_works (owner_provision (connection, OLD, &error));
  assert_works (owner_change (connection, WARD_HIERARCHY_OWNER, OLD, NEW, &error));
  assert_works (owner_clear (connection, NULL, &error));
}

static void
test_esys_forgets_the_auth (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (WardConnection) connection = NULL;
  static const TPM2B_AUTH empty = { 0 };

  if (swtpm == NULL)
    return;
  connection = swtpm_connect (swtpm);
  owner_set (connection, WARD_HIERARCHY_OWNER, OLD);
  assert_works (owner_change (connection, WARD_HIERARCHY_OWNER, OLD, OLD, &error));
  /* so what ESYS holds is not the right one */
  g_assert_cmphex (ward_tpm2_rc_get_meaning (Esys_HierarchyChangeAuth (
                       connection->esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &empty)),
                   ==, TPM2_RC_BAD_AUTH);
}

int
main (int argc, char **argv)
{
  signal (SIGPIPE, SIG_IGN);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tpm2/session/recorder-finds-what-crosses", test_recorder_finds_what_crosses);
  g_test_add_data_func ("/tpm2/session/no-auth-crosses/without-srk", GINT_TO_POINTER (FALSE), test_no_auth_crosses);
  g_test_add_data_func ("/tpm2/session/no-auth-crosses/with-srk", GINT_TO_POINTER (TRUE), test_no_auth_crosses);
  g_test_add_func ("/tpm2/session/no-auth-crosses/at-a-clear", test_no_auth_crosses_at_a_clear);
  g_test_add_func ("/tpm2/session/salt-key", test_salt_key);
  g_test_add_func ("/tpm2/session/srk-that-does-not-serve", test_srk_that_does_not_serve);
  for (guint i = 0; i < G_N_ELEMENTS (operations); i++)
    {
      g_autofree char *path = g_strdup_printf ("/tpm2/session/nothing-is-left-by-a-failure/%u", i);

      g_test_add_data_func (path, GUINT_TO_POINTER (i), test_nothing_is_left_by_a_failure);
    }
  g_test_add_func ("/tpm2/session/transport-that-breaks", test_transport_that_breaks);
  g_test_add_func ("/tpm2/session/forged-answer-is-noticed", test_forged_answer_is_noticed);
  g_test_add_func ("/tpm2/session/busy-tpm-is-asked-again", test_busy_tpm_is_asked_again);
  g_test_add_func ("/tpm2/session/esys-forgets-the-auth", test_esys_forgets_the_auth);
  return g_test_run ();
}
