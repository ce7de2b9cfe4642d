/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "test-dependents-fixture.h"
#include "ward-clevis.h"
#include "ward-mounts.h"

/* As systemd 255 writes it, without the values. */
#define PCRLOCK                                                                                                        \
  "{\"pcrBank\":\"sha256\",\"pcrValues\":[{\"pcr\":7,\"values\":[\"00\"]}],\"nvIndex\":27916372,\"nvHandle\":\"\","    \
  "\"nvPublic\":\"\",\"srkHandle\":\"\",\"pinPublic\":\"\",\"pinPrivate\":\"\"}"

#define MOUNT(point, type) "36 35 98:0 / " point " rw,noatime master:1 - " type " source rw\n"

#define USER_DATA "home/alice/.trousers/user.data"

/* As TrouSerS' own example begins: version 1, one key, its UUID. */
static const guint8 tcsd_store[32] = { 1, 1, 0, 0, 0 };

static void
test_tcsd (void)
{
  g_autoptr (Tree) tree = tree_new ();
  g_autoptr (GPtrArray) found = NULL;
  const WardDependent *store;

  tree_add_user (tree, "alice", 1000);
  tree_write (tree, "var/lib/tpm/system.data", tcsd_store, sizeof (tcsd_store));
  tree_write (tree, USER_DATA, tcsd_store, sizeof (tcsd_store));
  found = tree_scan (tree);
  g_assert_cmpuint (found->len, ==, 2);
  store = find_dependent (found, "/var/lib/tpm/system.data");
  g_assert_nonnull (store);
  g_assert_cmpstr (store->kind, ==, "key-store");
  g_assert_cmpstr (store->confidence, ==, "sure");
  assert_contains (store->detail, "1.2");
  g_assert_nonnull (find_dependent (found, "/" USER_DATA));
}

static void
test_tcsd_example (void)
{
  g_autoptr (Tree) tree = tree_new ();
  g_autoptr (GPtrArray) found = NULL;
  g_autofree char *contents = NULL;
  gsize size;

  if (!g_file_get_contents ("/usr/share/doc/trousers/examples/system.data.noauth", &contents, &size, NULL))
    {
      g_test_skip ("trousers' examples are not installed");
      return;
    }
  tree_write (tree, "var/lib/tpm/system.data", contents, (gssize)size);
  found = tree_scan (tree);
  assert_contains (find_dependent (found, "/var/lib/tpm/system.data")->detail, ": 1, the storage root key included");
}

static void
test_empty_tcsd_is_not_listed (void)
{
  g_autoptr (Tree) tree = tree_new ();
  g_autoptr (GPtrArray) found = NULL;

  tree_write (tree, "var/lib/tpm/system.data", "\1\0\0\0\0", 5);
  found = tree_scan (tree);
  g_assert_cmpuint (found->len, ==, 0);
}

static void
test_pcrlock (void)
{
  g_autoptr (Tree) tree = tree_new ();
  g_autoptr (GPtrArray) found = NULL;
  const WardDependent *policy;

  tree_write_text (tree, "var/lib/systemd/pcrlock.json", PCRLOCK);
  found = tree_scan (tree);
  policy = find_dependent (found, "/var/lib/systemd/pcrlock.json");
  g_assert_nonnull (policy);
  g_assert_cmpstr (policy->kind, ==, "policy");
  assert_contains (policy->detail, "0x01a9f854");
  g_assert_true (policy->uses_owner_empty_auth);
  g_assert_cmpstr (policy->confidence, ==, "sure");
}

static void
test_damaged_pcrlock_is_likely (void)
{
  static const char *const texts[] = {
    "", "{", "[]", "{\"nvIndex\":\"x\"}", "{\"nvIndex\":-1}", "{\"nvIndex\":4294967296000}"
  };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (Tree) tree = tree_new ();
      g_autoptr (GPtrArray) found = NULL;

      tree_write_text (tree, "var/lib/systemd/pcrlock.json", texts[i]);
      found = tree_scan (tree);
      g_assert_cmpuint (found->len, ==, 1);
    }
}

/* The protected header of a JWE that clevis made. */
static char *
make_jwe (const char *header)
{
  g_autofree char *base64 = g_base64_encode ((const guchar *)header, strlen (header));

  g_strdelimit (base64, "=", '.');
  return g_strdup (g_strdelimit (g_strdelimit (base64, "+", '-'), "/", '_'));
}

static char *
make_sss (guint threshold, const char *pin, const char *other_pin)
{
  g_autofree char *first_header = g_strdup_printf ("{\"alg\":\"dir\",\"clevis\":{\"pin\":\"%s\",\"%s\":{}}}", pin, pin);
  g_autofree char *other_header = g_strdup_printf ("{\"alg\":\"dir\",\"clevis\":{\"pin\":\"%s\"}}", other_pin);
  g_autofree char *first = make_jwe (first_header);
  g_autofree char *other = make_jwe (other_header);
  g_autofree char *header = g_strdup_printf (
      "{\"clevis\":{\"pin\":\"sss\",\"sss\":{\"t\":%u,\"jwe\":[\"%s.x.y\",\"%s.z\"]}}}", threshold, first, other);

  return make_jwe (header);
}

static void
test_clevis_sss (void)
{
  g_autofree char *either = make_sss (1, "tpm2", "tang");
  g_autofree char *both = make_sss (2, "tpm2", "tang");
  g_autofree char *none = make_sss (1, "tang", "tang");
  g_autoptr (WardClevis) clevis = ward_clevis_new (either);
  g_autoptr (WardClevis) strict = ward_clevis_new (both);
  g_autoptr (WardClevis) other = ward_clevis_new (none);

  g_assert_true (clevis->uses_tpm);
  g_assert_false (clevis->needs_tpm);
  g_assert_cmpstr (clevis->pins, ==, "sss (1 of: tpm2, tang)");
  g_assert_true (strict->needs_tpm);
  g_assert_false (other->uses_tpm);
}

static void
test_what_is_not_of_clevis (void)
{
  g_autofree char *brackets = g_strnfill (190 * 1024, '[');
  g_autofree char *deep = make_jwe (brackets);
  g_autofree char *other = make_jwe ("{\"alg\":\"dir\"}");
  const char *const texts[] = { "", ".", "!", "eyJ", deep, other };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_assert_null (ward_clevis_new (texts[i]));
}

static void
test_mounts (void)
{
  g_autoptr (WardMounts) mounts = ward_mounts_new (
      MOUNT ("/", "ext4") MOUNT ("/srv", "nfs4") MOUNT ("/srv/al\\040ice", "fuse.sshfs") MOUNT ("/srv/bob", "ext4")
          MOUNT ("/efi", "autofs") MOUNT ("/efi", "vfat") "nonsense\n");
  g_autoptr (WardMounts) unknown = ward_mounts_new (NULL);

  g_assert_false (ward_mounts_is_remote (mounts, "/etc"));
  g_assert_true (ward_mounts_is_remote (mounts, "/srv"));
  g_assert_true (ward_mounts_is_remote (mounts, "/srv/carol"));
  g_assert_false (ward_mounts_is_remote (mounts, "/srvs"));
  g_assert_true (ward_mounts_is_remote (mounts, "/srv/al ice/x"));
  g_assert_false (ward_mounts_is_remote (mounts, "/srv/bob/x"));
  g_assert_false (ward_mounts_is_remote (mounts, "/efi/loader"));
  g_assert_false (ward_mounts_is_remote (unknown, "/srv"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/dependents/tcsd/stores", test_tcsd);
  g_test_add_func ("/dependents/tcsd/example", test_tcsd_example);
  g_test_add_func ("/dependents/tcsd/empty-is-not-listed", test_empty_tcsd_is_not_listed);
  g_test_add_func ("/dependents/pcrlock/policy", test_pcrlock);
  g_test_add_func ("/dependents/pcrlock/damaged-is-likely", test_damaged_pcrlock_is_likely);
  g_test_add_func ("/dependents/clevis/sss", test_clevis_sss);
  g_test_add_func ("/dependents/clevis/what-is-not-of-it", test_what_is_not_of_clevis);
  g_test_add_func ("/dependents/mounts", test_mounts);
  return g_test_run ();
}
