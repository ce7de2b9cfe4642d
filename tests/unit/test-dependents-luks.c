/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "test-dependents-fixture.h"

#define FORMAT                                                                                                         \
  "printf pw >pw; truncate -s 20M disk; cryptsetup luksFormat -q --pbkdf pbkdf2 --pbkdf-force-iterations 1000 "        \
  "--type luks2 disk pw; "
/* Slot 1 is opened by a key that the token would give. */
#define ADD_SLOT                                                                                                       \
  "printf tpm >tpm; cryptsetup luksAddKey -q --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --key-file pw disk tpm; "
#define FLUSH "tpm2_flushcontext -t; tpm2_flushcontext -l; tpm2_flushcontext -s; "
#define ENROLL "PASSWORD=pw systemd-cryptenroll --tpm2-device=$TCTI disk; " FLUSH

/* As systemd-cryptenroll 252 and 255 write them, without the secrets. */
#define TOKEN_252 TOKEN_252_OF ("\"1\"")
#define TOKEN_252_OF(slots)                                                                                            \
  "{\"type\":\"systemd-tpm2\",\"keyslots\":[" slots "],\"tpm2-blob\":\"AJ4A\",\"tpm2-pcrs\":[0,7],"                    \
  "\"tpm2-pcr-bank\":\"sha256\",\"tpm2-primary-alg\":\"ecc\",\"tpm2-policy-hash\":\"8b56\",\"tpm2-pin\":true}"
#define TOKEN_255(pcrlock)                                                                                             \
  "{\"type\":\"systemd-tpm2\",\"keyslots\":[\"1\"],\"tpm2-blob\":\"AJ4A\",\"tpm2-pcrs\":[],"                           \
  "\"tpm2-policy-hash\":\"14f4\",\"tpm2-pin\":false,\"tpm2_pcrlock\":" pcrlock ",\"tpm2_srk\":\"gQAAAQAi\"}"
#define TOKEN_RECOVERY "{\"type\":\"systemd-recovery\",\"keyslots\":[\"1\"]}"

static GPtrArray *
scan_image (Tree *tree, Swtpm *swtpm, const char *command_line)
{
  g_autofree char *disk = tree_path (tree, "dev/disk");
  g_autofree char *folder = g_path_get_dirname (disk);

  run (swtpm, folder, command_line);
  tree_add_disk (tree, "disk");
  return tree_scan (tree);
}

/* The one volume of a disk that was made so. */
static const WardDependent *
get_volume (GPtrArray *found)
{
  const WardDependent *volume;

  g_assert_cmpuint (found->len, ==, 1);
  volume = g_ptr_array_index (found, 0);
  g_assert_cmpstr (volume->kind, ==, "luks-volume");
  g_assert_cmpstr (volume->subject, ==, "/dev/disk");
  g_assert_cmpstr (volume->owner, ==, "root");
  g_assert_false (volume->uses_endorsement_empty_auth);
  return volume;
}

/* An image into which a token was imported. */
static GPtrArray *
scan_token (Tree *tree, const char *token, const char *more)
{
  g_autofree char *command_line = g_strconcat (FORMAT ADD_SLOT "cryptsetup token import --json-file token disk; ", more,
                                               NULL);

  tree_write_text (tree, "dev/token", token);
  return scan_image (tree, NULL, command_line);
}

static void
test_systemd (void)
{
  g_autoptr (Tree) tree = tree_new ();
  g_autoptr (Swtpm) swtpm = NULL;
  g_autoptr (GPtrArray) found = NULL;
  const WardDependent *volume;

  if (!have_programs ("cryptsetup systemd-cryptenroll tpm2_flushcontext") || !(swtpm = swtpm_new (TRUE)))
    return;
  found = scan_image (tree, swtpm, FORMAT ENROLL);
  volume = get_volume (found);
  g_assert_cmpstr (volume->recoverable, ==, "yes");
  assert_contains (volume->reason, "key slot 0 (a passphrase or key file)");
  assert_contains (volume->detail, "key slot 1 (systemd-cryptenroll, bound to PCR 7)");
  g_assert_cmpstr (volume->confidence, ==, "sure");
}

static void
test_nothing_but_the_tpm (void)
{
  g_autoptr (Tree) tree = tree_new ();
  g_autoptr (Swtpm) swtpm = NULL;
  g_autoptr (GPtrArray) found = NULL;

  if (!have_programs ("cryptsetup systemd-cryptenroll tpm2_flushcontext") || !(swtpm = swtpm_new (TRUE)))
    return;
  found = scan_image (tree, swtpm, FORMAT ENROLL "cryptsetup luksKillSlot -q disk 0");
  g_assert_cmpstr (get_volume (found)->recoverable, ==, "no");
}

static void
test_clevis (void)
{
  g_autoptr (Tree) tree = tree_new ();
  g_autoptr (Swtpm) swtpm = NULL;
  g_autoptr (GPtrArray) found = NULL;
  const WardDependent *volume;

  if (!have_programs ("cryptsetup clevis-luks-bind clevis-encrypt-tpm2") || !(swtpm = swtpm_new (TRUE)))
    return;
  found = scan_image (tree, swtpm, FORMAT "clevis luks bind -y -f -k pw -d disk tpm2 '{}'; " FLUSH);
  volume = get_volume (found);
  g_assert_cmpstr (volume->recoverable, ==, "yes");
  g_assert_true (volume->uses_owner_empty_auth);
  assert_contains (volume->detail, "(clevis, tpm2)");
}

static void
test_clevis_on_luks1 (void)
{
  g_autoptr (Tree) tree = tree_new ();
  g_autoptr (Swtpm) swtpm = NULL;
  g_autoptr (GPtrArray) found = NULL;
  const WardDependent *volume;

  if (!have_programs ("cryptsetup clevis-luks-bind clevis-encrypt-tpm2 luksmeta") || !(swtpm = swtpm_new (TRUE)))
    return;
  found = scan_image (
      tree, swtpm,
      "printf pw >pw; truncate -s 20M disk; cryptsetup luksFormat -q --pbkdf-force-iterations 1000 --type "
      "luks1 disk pw; clevis luks bind -y -f -k pw -d disk tpm2 '{}'; " FLUSH);
  volume = get_volume (found);
  g_assert_cmpstr (volume->recoverable, ==, "yes");
  g_assert_true (volume->uses_owner_empty_auth);
  assert_contains (volume->detail, "LUKS1");
  assert_contains (volume->detail, "key slot 1 (clevis, tpm2)");
}

static void
test_two_keys_of_the_tpm (void)
{
  g_autoptr (Tree) tree = tree_new ();
  g_autoptr (Swtpm) swtpm = NULL;
  g_autoptr (GPtrArray) found = NULL;

  if (!have_programs ("cryptsetup systemd-cryptenroll clevis-luks-bind clevis-encrypt-tpm2")
      || !(swtpm = swtpm_new (TRUE)))
    return;
  found = scan_image (tree, swtpm,
                      FORMAT ENROLL "clevis luks bind -y -f -k pw -d disk tpm2 '{}'; " FLUSH
                                    "cryptsetup luksKillSlot -q disk 0");
  g_assert_cmpstr (get_volume (found)->recoverable, ==, "no");
}

static void
test_old_token_needs_the_owner (void)
{
  g_autoptr (Tree) tree = tree_new ();
  g_autoptr (GPtrArray) found = NULL;

  if (!have_programs ("cryptsetup"))
    return;
  found = scan_token (tree, TOKEN_252, "cryptsetup config --label 'My disk' disk");
  g_assert_true (get_volume (found)->uses_owner_empty_auth);
  assert_contains (get_volume (found)->detail, "bound to PCR 0, 7, with a PIN");
  g_assert_true (get_volume (found)->uses_pin);
  assert_contains (get_volume (found)->detail, "“My disk”");
}

static void
test_token_with_srk_needs_no_owner (void)
{
  g_autoptr (Tree) tree = tree_new ();
  g_autoptr (GPtrArray) found = NULL;

  if (!have_programs ("cryptsetup"))
    return;
  found = scan_token (tree, TOKEN_255 ("false"), "");
  g_assert_false (get_volume (found)->uses_owner_empty_auth);
  g_assert_false (get_volume (found)->uses_pin);
}

static void
test_pcrlock_needs_the_owner (void)
{
  g_autoptr (Tree) tree = tree_new ();
  g_autoptr (GPtrArray) found = NULL;

  if (!have_programs ("cryptsetup"))
    return;
  found = scan_token (tree, TOKEN_255 ("true"), "");
  g_assert_true (get_volume (found)->uses_owner_empty_auth);
}

static void
test_recovery_key_is_named (void)
{
  g_autoptr (Tree) tree = tree_new ();
  g_autoptr (GPtrArray) found = NULL;

  if (!have_programs ("cryptsetup"))
    return;
  found = scan_token (
      tree, TOKEN_255 ("false"),
      "printf rec >rec; cryptsetup luksAddKey -q --key-slot 2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 "
      "--key-file pw disk rec; sed 's/systemd-tpm2.*/systemd-recovery\",\"keyslots\":[\"2\"]}/' token >token2; "
      "cryptsetup token import --json-file token2 disk; cryptsetup luksKillSlot -q disk 0");
  g_assert_cmpstr (get_volume (found)->recoverable, ==, "yes");
  assert_contains (get_volume (found)->reason, "key slot 2 (a recovery key)");
}

/* Neither is opened by the TPM. */
static void
test_other_volumes_are_not_listed (void)
{
  const char *const tokens[] = { TOKEN_RECOVERY, "{\"type\":\"other\",\"keyslots\":[\"1\"],\"tpm2-blob\":\"\"}",
                                 TOKEN_252_OF ("") };

  if (!have_programs ("cryptsetup"))
    return;
  for (guint i = 0; i < G_N_ELEMENTS (tokens); i++)
    {
      g_autoptr (Tree) tree = tree_new ();
      g_autoptr (GPtrArray) found = scan_token (tree, tokens[i], "");

      g_assert_cmpuint (found->len, ==, 0);
    }
}

static void
test_one_volume_by_two_names_is_one (void)
{
  g_autoptr (Tree) tree = tree_new ();
  g_autoptr (GPtrArray) found = NULL;

  if (!have_programs ("cryptsetup"))
    return;
  found = scan_token (tree, TOKEN_252, "cp disk dm-0");
  g_ptr_array_unref (found);
  tree_add_disk (tree, "dm-0");
  found = tree_scan (tree);
  g_assert_cmpuint (found->len, ==, 1);
}

static char *
hash_disk (Tree *tree)
{
  g_autofree char *disk = tree_path (tree, "dev/disk");
  g_autofree char *contents = NULL;
  gsize size;

  g_assert_true (g_file_get_contents (disk, &contents, &size, NULL));
  return g_compute_checksum_for_data (G_CHECKSUM_SHA256, (const guchar *)contents, size);
}

/* libcryptsetup would repair it. */
static void
test_damaged_header_is_read_and_left (void)
{
  g_autoptr (Tree) tree = tree_new ();
  g_autoptr (GPtrArray) found = NULL;
  g_autofree char *before = NULL, *after = NULL;

  if (!have_programs ("cryptsetup"))
    return;
  found = scan_token (tree, TOKEN_252, "dd if=/dev/zero of=disk bs=4096 count=1 conv=notrunc 2>/dev/null");
  before = hash_disk (tree);
  g_ptr_array_unref (found);
  found = tree_scan (tree);
  after = hash_disk (tree);
  g_assert_cmpstr (get_volume (found)->confidence, ==, "likely");
  assert_contains (get_volume (found)->detail, "damaged");
  g_assert_cmpstr (before, ==, after);
}

/* The second copy alone is damaged. */
static void
test_damaged_second_header_is_left (void)
{
  g_autoptr (Tree) tree = tree_new ();
  g_autoptr (GPtrArray) found = NULL;
  g_autofree char *before = NULL, *after = NULL;

  if (!have_programs ("cryptsetup"))
    return;
  found = scan_token (tree, TOKEN_252, "dd if=/dev/urandom of=disk bs=4096 seek=4 count=1 conv=notrunc 2>/dev/null");
  before = hash_disk (tree);
  g_ptr_array_unref (found);
  found = tree_scan (tree);
  after = hash_disk (tree);
  g_assert_cmpstr (get_volume (found)->confidence, ==, "sure");
  g_assert_cmpstr (before, ==, after);
}

static void
write_random (Tree *tree, const char *start, gsize start_size, gsize size)
{
  g_autofree guint8 *bytes = g_malloc (size);

  for (gsize i = 0; i < size; i++)
    bytes[i] = (guint8)g_test_rand_int ();
  memcpy (bytes, start, start_size);
  tree_write (tree, "dev/disk", bytes, (gssize)size);
  tree_add_disk (tree, "disk");
}

static void
test_random_bytes (void)
{
  /* Magic and version, the last with a size of 16 KiB. */
  static const char *const starts[] = { "", "LUKS\xba\xbe\0\1", "LUKS\xba\xbe\0\2",
                                        "LUKS\xba\xbe\0\2\0\0\0\0\0\0\100\0" };
  static const gsize sizes[] = { 0, 8, 8, 16 };

  for (guint i = 0; i < G_N_ELEMENTS (starts); i++)
    for (guint round = 0; round < 4; round++)
      {
        g_autoptr (Tree) tree = tree_new ();
        g_autoptr (GPtrArray) found = NULL;

        write_random (tree, starts[i], sizes[i], 128 * 1024);
        found = tree_scan_dependents (tree);
        g_assert_cmpuint (found->len, ==, 0);
      }
}

/* All lengths at which a disk may end, and bytes of a real header turned over. */
static void
test_cut_and_altered_headers (void)
{
  static const gsize sizes[] = { 1, 512, 4096, 4097, 16384, 16385, 32768, 65536 };
  g_autoptr (Tree) tree = tree_new ();
  g_autoptr (GPtrArray) whole = NULL;
  g_autofree char *disk = tree_path (tree, "dev/disk");
  g_autofree char *contents = NULL;

  if (!have_programs ("cryptsetup"))
    return;
  whole = scan_token (tree, TOKEN_252, "");
  g_assert_true (g_file_get_contents (disk, &contents, NULL, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autoptr (GPtrArray) found = NULL;

      tree_write (tree, "dev/disk", contents, (gssize)sizes[i]);
      found = tree_scan (tree);
      g_assert_cmpuint (found->len, <=, 1);
    }
  for (guint i = 0; i < 64; i++)
    {
      g_autoptr (GPtrArray) found = NULL;
      g_autofree char *altered = g_memdup2 (contents, 1024 * 1024);

      altered[g_test_rand_int_range (0, 8192)] ^= (char)(1 << g_test_rand_int_range (0, 8));
      altered[16384 + g_test_rand_int_range (0, 8192)] ^= (char)(1 << g_test_rand_int_range (0, 8));
      tree_write (tree, "dev/disk", altered, 1024 * 1024);
      found = tree_scan (tree);
      g_assert_cmpuint (found->len, <=, 1);
    }
}

static void
test_what_is_no_device (void)
{
  g_autoptr (Tree) tree = tree_new ();
  g_autoptr (GPtrArray) found = NULL;
  g_autofree char *fifo = tree_path (tree, "dev/fifo");

  g_assert_cmpint (mkfifo (fifo, 0600), ==, 0);
  tree_write_text (tree, "sys/class/block/fifo/size", "1000");
  tree_link (tree, "loop", "dev/loop");
  tree_write_text (tree, "sys/class/block/loop/size", "1000");
  tree_make_folder (tree, "dev/folder");
  tree_write_text (tree, "sys/class/block/folder/size", "1000");
  tree_write_text (tree, "sys/class/block/absent/size", "1000");
  tree_write_text (tree, "sys/class/block/huge/size", "99999999999999999999999999");
  tree_write_text (tree, "sys/class/block/empty/size", "");
  tree_link (tree, "dangling", "sys/class/block/dangling");
  found = tree_scan (tree);
  g_assert_cmpuint (found->len, ==, 0);
}

/* A loop device of this machine, which an image with a token is behind; its number, or 0 and the test skipped. */
static dev_t
attach (Tree *tree)
{
  g_autofree char *folder = tree_path (tree, "dev");
  g_autofree char *name_path = tree_path (tree, "dev/loop");
  g_autofree char *name = NULL;
  g_autofree char *command_line = g_strdup_printf ("cd '%s'; losetup -r -f --show disk >loop 2>/dev/null", folder);
  g_autoptr (GPtrArray) found = scan_token (tree, TOKEN_252, "");
  struct stat status;

  if (geteuid () == 0 && g_spawn_command_line_sync ("losetup --version", NULL, NULL, NULL, NULL))
    {
      const char *const words[] = { "/bin/sh", "-c", command_line, NULL };

      g_spawn_sync (NULL, (char **)words, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, NULL, NULL, NULL);
    }
  g_file_get_contents (name_path, &name, NULL, NULL);
  if (name != NULL && stat (g_strchomp (name), &status) == 0 && S_ISBLK (status.st_mode))
    return status.st_rdev;
  g_test_skip ("only root attaches loop devices, and not everywhere");
  return 0;
}

static void
detach (Tree *tree)
{
  g_autofree char *folder = tree_path (tree, "dev");

  run (NULL, folder, "losetup -d $(cat loop)");
}

/* A node that stands for another device than the one of its name is none that the kernel has put there. */
static void
test_block_devices (void)
{
  g_autoptr (Tree) tree = tree_new ();
  g_autoptr (GPtrArray) right = NULL, wrong = NULL;
  g_autofree char *node = tree_path (tree, "dev/real");
  g_autofree char *number = NULL;
  dev_t device;

  if (!have_programs ("cryptsetup losetup") || (device = attach (tree)) == 0)
    return;
  run (NULL, tree->path, "rm -r sys/class/block/disk");
  number = g_strdup_printf ("%u:%u", major (device), minor (device));
  g_assert_cmpint (mknod (node, S_IFBLK | 0600, device), ==, 0);
  tree_write_text (tree, "sys/class/block/real/size", "40960");
  tree_write_text (tree, "sys/class/block/real/dev", number);
  right = tree_scan (tree);
  tree_write_text (tree, "sys/class/block/real/dev", "8:0");
  wrong = tree_scan (tree);
  detach (tree);
  g_assert_nonnull (find_dependent (right, "/dev/real"));
  g_assert_cmpuint (wrong->len, ==, 0);
}

/* It holds another key than the volume's. */
static void
test_unbound_slot_opens_nothing (void)
{
  g_autoptr (Tree) tree = tree_new ();
  g_autoptr (GPtrArray) found = NULL;

  if (!have_programs ("cryptsetup"))
    return;
  found = scan_token (tree, TOKEN_252,
                      "cryptsetup luksAddKey -q --unbound --key-size 256 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 "
                      "disk pw; cryptsetup luksKillSlot -q disk 0");
  g_assert_cmpstr (get_volume (found)->recoverable, ==, "no");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/dependents/luks/systemd", test_systemd);
  g_test_add_func ("/dependents/luks/nothing-but-the-tpm", test_nothing_but_the_tpm);
  g_test_add_func ("/dependents/luks/clevis", test_clevis);
  g_test_add_func ("/dependents/luks/clevis-on-luks1", test_clevis_on_luks1);
  g_test_add_func ("/dependents/luks/two-keys-of-the-tpm", test_two_keys_of_the_tpm);
  g_test_add_func ("/dependents/luks/old-token-needs-the-owner", test_old_token_needs_the_owner);
  g_test_add_func ("/dependents/luks/token-with-srk-needs-no-owner", test_token_with_srk_needs_no_owner);
  g_test_add_func ("/dependents/luks/pcrlock-needs-the-owner", test_pcrlock_needs_the_owner);
  g_test_add_func ("/dependents/luks/recovery-key-is-named", test_recovery_key_is_named);
  g_test_add_func ("/dependents/luks/other-volumes-are-not-listed", test_other_volumes_are_not_listed);
  g_test_add_func ("/dependents/luks/one-volume-by-two-names-is-one", test_one_volume_by_two_names_is_one);
  g_test_add_func ("/dependents/luks/damaged-header-is-read-and-left", test_damaged_header_is_read_and_left);
  g_test_add_func ("/dependents/luks/damaged-second-header-is-left", test_damaged_second_header_is_left);
  g_test_add_func ("/dependents/luks/random-bytes", test_random_bytes);
  g_test_add_func ("/dependents/luks/cut-and-altered-headers", test_cut_and_altered_headers);
  g_test_add_func ("/dependents/luks/what-is-no-device", test_what_is_no_device);
  g_test_add_func ("/dependents/luks/block-devices", test_block_devices);
  g_test_add_func ("/dependents/luks/unbound-slot-opens-nothing", test_unbound_slot_opens_nothing);
  return g_test_run ();
}
