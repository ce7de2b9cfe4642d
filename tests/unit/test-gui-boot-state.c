/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-boot-state-private.h"

#include <string.h>

/* A state of now with these banks, whose registers all have bytes of the value fill. */
static WardGuiBootState *
new_state (const char *const *banks, const gsize *sizes, guint8 fill)
{
  g_autoptr (GDateTime) time = g_date_time_new_utc (2026, 11, 23, 9, 30, 0);
  WardGuiBootState *state = ward_gui_boot_state_new ("tpm0", "IBM SW TPM", time);

  for (guint i = 0; banks[i] != NULL; i++)
    {
      WardGuiPcrBank *bank = ward_gui_boot_state_add_bank (state, banks[i]);

      for (guint j = 0; j < WARD_CLIENT_N_PCRS; j++)
        {
          g_autofree guint8 *bytes = g_malloc (sizes[i]);

          memset (bytes, fill, sizes[i]);
          bank->values[j] = g_bytes_new (bytes, sizes[i]);
        }
    }
  return state;
}

static WardGuiBootState *
new_usual (guint8 fill)
{
  return new_state ((const char *const[]){ "sha1", "sha256", NULL }, (const gsize[]){ 20, 32 }, fill);
}

static char *
to_file (WardGuiBootState *state)
{
  g_autoptr (GBytes) file = ward_gui_boot_state_to_file (state);
  gsize size;
  const char *data = g_bytes_get_data (file, &size);

  return g_strndup (data, size);
}

static void
assert_corrupt (const char *data, gsize size, const char *why)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (ward_gui_boot_state_from_file (data, size, &error));
  g_assert_error (error, WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_CORRUPT);
  if (strstr (error->message, why) == NULL)
    g_error ("“%s” does not say “%s”", error->message, why);
}

/* The file of a usual state, with the first occurrence of a text replaced. */
static void
assert_corrupt_with (const char *before, const char *after, const char *why)
{
  g_autoptr (WardGuiBootState) state = new_usual (0xab);
  g_autofree char *file = to_file (state);
  char *place = strstr (file, before);
  g_autofree char *changed = NULL;

  g_assert_nonnull (place);
  *place = '\0';
  changed = g_strconcat (file, after, place + strlen (before), NULL);
  assert_corrupt (changed, strlen (changed), why);
}

static void
test_round_trip (void)
{
  g_autoptr (WardGuiBootState) state = new_usual (0xab);
  g_autofree char *file = to_file (state);
  g_autoptr (GError) error = NULL;
  g_autoptr (WardGuiBootState) again = ward_gui_boot_state_from_file (file, strlen (file), &error);
  WardGuiBootDifference difference;

  g_assert_no_error (error);
  g_assert_cmpstr (ward_gui_boot_state_get_tpm (again), ==, "tpm0");
  g_assert_cmpstr (ward_gui_boot_state_get_model (again), ==, "IBM SW TPM");
  g_assert_true (g_date_time_equal (ward_gui_boot_state_get_time (again), ward_gui_boot_state_get_time (state)));
  g_assert_true (g_strv_equal (ward_gui_boot_state_get_banks (again), ward_gui_boot_state_get_banks (state)));
  g_assert_true (ward_gui_boot_state_compare (state, again, &difference, &error));
  g_assert_cmphex (difference.changed, ==, 0);
  g_assert_cmphex (difference.same, ==, 0xffffff);
  g_assert_nonnull (strstr (file, "[sha256]\n0=abab"));
}

/* Wherever it ends, it is no state, or the whole one. */
static void
test_truncated (void)
{
  g_autoptr (WardGuiBootState) state = new_usual (0xab);
  g_autofree char *file = to_file (state);
  gsize size = strlen (file);

  /* the last line's end is not missed */
  for (gsize i = 0; i + 1 < size; i++)
    assert_corrupt (file, i, "cannot be used");
}

static void
test_wrong_length (void)
{
  assert_corrupt_with ("[sha256]\n0=abab", "[sha256]\n0=ab", "not as long");
  assert_corrupt_with ("[sha256]\n0=ab", "[sha256]\n0=abab", "not as long");
  assert_corrupt_with ("[sha256]\n0=ab", "[sha256]\n0=xy", "not as long");
  assert_corrupt_with ("[sha256]\n0=ab", "[sha256]\n0=a", "not as long");
  /* of a hash that is not known here, too, all have one length */
  assert_corrupt_with ("[sha256]\n0=ab", "[shake]\n0=abab", "not as long");
  /* a bank by another's name */
  assert_corrupt_with ("[sha256]", "[sha384]", "not as long");
}

static void
test_registers (void)
{
  assert_corrupt_with ("\n23=", "\n24=", "names a register");
  assert_corrupt_with ("\n23=", "\n-1=", "names a register");
  assert_corrupt_with ("\n23=", "\nlast=", "names a register");
  assert_corrupt_with ("\n23=", "\n022=", "twice");
}

static void
test_huge (void)
{
  g_autofree char *file = g_malloc (WARD_GUI_BOOT_STATE_MAX_SIZE + 1);
  g_autoptr (GString) banks = g_string_new ("[Boot State]\nFormat=1\nTPM=a\nModel=b\nSaved=2026-11-23T09:30:00Z\n");

  memset (file, '#', WARD_GUI_BOOT_STATE_MAX_SIZE + 1);
  assert_corrupt (file, WARD_GUI_BOOT_STATE_MAX_SIZE + 1, "too large");
  for (guint i = 0; i < 100; i++)
    g_string_append_printf (banks, "[hash%u]\n0=00\n", i);
  assert_corrupt (banks->str, banks->len, "more banks");
  assert_corrupt_with ("Values=48", "Values=47", "missing");
  assert_corrupt_with ("Values=48", "Values=-1", "missing");
}

static void
test_other_files (void)
{
  static const char binary[] = "\x7f"
                               "ELF\0\xff\xfe";

  assert_corrupt ("", 0, "not one that TPM Manager has saved");
  assert_corrupt (binary, sizeof binary, "not one that TPM Manager has saved");
  assert_corrupt ("[Desktop Entry]\nName=x\n", 23, "not one that TPM Manager has saved");
  assert_corrupt_with ("Format=1", "Format=2", "another version");
  assert_corrupt_with ("Saved=2026", "Saved=soon", "when");
  assert_corrupt_with ("TPM=tpm0", "tpm=tpm0", "which TPM");
}

static void
test_changed (void)
{
  g_autoptr (WardGuiBootState) before = new_usual (0xab);
  g_autoptr (WardGuiBootState) after = new_state ((const char *const[]){ "sha256", "sha384", NULL },
                                                  (const gsize[]){ 32, 48 }, 0xab);
  g_autoptr (GBytes) other = g_bytes_new_static ("other", 5);
  g_autofree char *text = NULL;
  WardGuiPcrBank *bank = ward_gui_boot_state_add_bank (before, "sha384");
  WardGuiBootDifference difference;

  g_assert_true (ward_gui_boot_state_compare (before, after, &difference, NULL));
  g_assert_cmphex (difference.changed, ==, 0);
  bank->values[4] = g_bytes_ref (other);
  g_assert_true (ward_gui_boot_state_compare (before, after, &difference, NULL));
  g_assert_cmphex (difference.changed, ==, 1u << 4);
  g_assert_cmphex (difference.same, ==, 0xffffff & ~(1u << 4));
  text = ward_gui_boot_state_to_text (before);
  g_assert_true (g_str_has_prefix (text, "  sha1:\n    0 : 0xABAB"));
  g_assert_nonnull (strstr (text, "  sha256:\n    0 : 0xAB"));
  g_assert_nonnull (strstr (text, "\n    23: 0xAB"));
}

static void
test_other_banks (void)
{
  g_autoptr (WardGuiBootState) before = new_state ((const char *const[]){ "sha1", NULL }, (const gsize[]){ 20 }, 0);
  g_autoptr (WardGuiBootState) after = new_state ((const char *const[]){ "sha256", "sha384", NULL },
                                                  (const gsize[]){ 32, 48 }, 0);
  g_autoptr (GError) error = NULL;
  WardGuiBootDifference difference;

  g_assert_false (ward_gui_boot_state_compare (before, after, &difference, &error));
  g_assert_error (error, WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_NOT_SUPPORTED);
  g_assert_nonnull (strstr (error->message, "sha1"));
  g_assert_nonnull (strstr (error->message, "sha256, sha384"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/gui-boot-state/round-trip", test_round_trip);
  g_test_add_func ("/gui-boot-state/truncated", test_truncated);
  g_test_add_func ("/gui-boot-state/wrong-length", test_wrong_length);
  g_test_add_func ("/gui-boot-state/registers", test_registers);
  g_test_add_func ("/gui-boot-state/huge", test_huge);
  g_test_add_func ("/gui-boot-state/other-files", test_other_files);
  g_test_add_func ("/gui-boot-state/changed", test_changed);
  g_test_add_func ("/gui-boot-state/other-banks", test_other_banks);
  return g_test_run ();
}
