/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The page Storage. test_storage.py has put 11 bytes at 0x01800100, a password on 0x01800101, which has 8, and a key at
 * 0x81000777. */
#include "gui-fixture.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <unistd.h>

#include "ward-gui-nv-data-dialog.h"
#include "ward-gui-nv-dialog.h"

#define OPEN 0x01800100u
#define LOCKED 0x01800101u
#define RESERVED 0x01c10000u
#define HANDLE 0x81000777u
#define CONTENT "hello, TPM\n"

static GtkWidget *
show (GuiFixture *fixture)
{
  gui_show_page (fixture, "storage");
  gui_wait_for_text (GTK_WIDGET (fixture->window), "0x01800100, 11 bytes");
  return GTK_WIDGET (fixture->window);
}

/* The details of the index with that summary. */
static GtkWidget *
open_index (GtkWidget *window, const char *summary)
{
  GtkWidget *text = gui_wait_for_text (window, summary);

  gui_click (gtk_widget_get_ancestor (text, GTK_TYPE_LIST_BOX_ROW));
  return GTK_WIDGET (gui_wait_for_dialog ("NV Index 0x"));
}

/* Fits onto a phone's screen. */
static void
assert_narrow (GtkWidget *widget)
{
  int minimum;

  gtk_widget_measure (widget, GTK_ORIENTATION_HORIZONTAL, -1, &minimum, NULL, NULL, NULL);
  g_assert_cmpint (minimum, <=, 360);
}

/* What the service says of it; NULL if there is none. */
static GVariant *
describe (GuiFixture *fixture, guint32 index)
{
  g_autoptr (GVariant) reply = gui_call (fixture, "org.tpmward1.Nv", "List", NULL);
  g_autoptr (GVariant) indices = g_variant_get_child_value (reply, 0);

  for (gsize i = 0; i < g_variant_n_children (indices); i++)
    {
      g_autoptr (GVariant) entry = g_variant_get_child_value (indices, i);
      guint32 number;

      g_assert_true (g_variant_lookup (entry, "index", "u", &number));
      if (number == index)
        return g_steal_pointer (&entry);
    }
  return NULL;
}

static gboolean
is_there (GuiFixture *fixture, guint32 index)
{
  g_autoptr (GVariant) entry = describe (fixture, index);

  return entry != NULL;
}

static void
assert_content (GuiFixture *fixture, guint32 index, const char *options, const char *expected)
{
  g_autoptr (GVariant) parsed = g_variant_parse (G_VARIANT_TYPE_VARDICT, options, NULL, NULL, NULL);
  g_autoptr (GVariant) reply = gui_call (fixture, "org.tpmward1.Nv", "Read",
                                         g_variant_new ("(u@a{sv})", index, parsed));
  g_autoptr (GVariant) data = g_variant_get_child_value (reply, 0);
  gsize size;
  const char *bytes = g_variant_get_fixed_array (data, &size, 1);

  g_assert_cmpmem (bytes, size, expected, strlen (expected));
}

static void
define (GuiFixture *fixture, guint32 index, guint32 size)
{
  g_autoptr (GVariant) reply = gui_call (fixture, "org.tpmward1.Nv", "Define",
                                         g_variant_new_parsed ("(%u, %u, @as [], {'force': <true>})", index, size));

  g_assert_nonnull (reply);
}

static void
set_owner_auth (GuiFixture *fixture)
{
  g_autoptr (GVariant) reply = gui_call (fixture, "org.tpmward1.Ownership", "ChangeAuth",
                                         g_variant_new_parsed ("('owner', {'new': <'boss'>, 'force': <true>})"));
  WardDbusOwnership *ownership = ward_gui_chip_get_ownership (ward_gui_window_get_chip (fixture->window));

  g_assert_nonnull (reply);
  gui_wait_until (ward_dbus_ownership_get_owner_auth_set (ownership));
}

/* Gives the password to the dialog that asks for it. */
static void
give (const char *title, const char *password)
{
  GtkWidget *dialog = GTK_WIDGET (gui_wait_for_dialog (title));

  gui_type (dialog, password);
  g_signal_emit_by_name (dialog, "apply");
}

/* A new file with data, in a new folder. */
static GFile *
new_file (const char *data)
{
  g_autofree char *folder = g_dir_make_tmp ("storage-XXXXXX", NULL);
  g_autofree char *name = g_build_filename (folder, "data", NULL);

  if (data != NULL)
    g_assert_true (g_file_set_contents (name, data, -1, NULL));
  return g_file_new_for_path (name);
}

static void
remove_file (GFile *file)
{
  g_autoptr (GFile) folder = g_file_get_parent (file);

  g_assert_true (g_file_delete (file, NULL, NULL));
  g_assert_true (g_file_delete (folder, NULL, NULL));
}

/* All that the service lists has a row, with who is known to define it. */
static void
test_list (GuiFixture *fixture)
{
  GtkWidget *window = show (fixture);
  g_autoptr (GVariant) reply = gui_call (fixture, "org.tpmward1.Nv", "List", NULL);
  g_autoptr (GVariant) indices = g_variant_get_child_value (reply, 0);

  g_assert_cmpuint (g_variant_n_children (indices), >, 2);
  for (gsize i = 0; i < g_variant_n_children (indices); i++)
    {
      g_autoptr (GVariant) entry = g_variant_get_child_value (indices, i);
      g_autofree char *number = NULL;
      const char *description;
      GtkWidget *row;
      guint32 index;

      g_assert_true (g_variant_lookup (entry, "index", "u", &index));
      g_assert_true (g_variant_lookup (entry, "description", "&s", &description));
      number = g_strdup_printf ("0x%08x, ", index);
      row = gtk_widget_get_ancestor (gui_wait_for_text (window, number), GTK_TYPE_LIST_BOX_ROW);
      g_assert_nonnull (gui_find_text (row, *description != '\0' ? description + 1 : "Data of a Program"));
    }
  gui_wait_for_text (window, "0x01800101, 8 bytes, nothing written yet");
}

static void
test_room (GuiFixture *fixture)
{
  GtkWidget *window = show (fixture);
  g_autoptr (GVariant) reply = gui_call (fixture, "org.tpmward1.Tpm", "GetProperties", NULL);
  g_autoptr (GVariant) properties = g_variant_get_child_value (reply, 0);
  g_autofree char *keys = NULL;
  g_autofree char *data = NULL;
  g_autofree char *largest = NULL;
  guint32 n, room, n_data, size;

  g_assert_true (g_variant_lookup (properties, "TPM_PT_HR_PERSISTENT", "u", &n));
  g_assert_true (g_variant_lookup (properties, "TPM_PT_HR_PERSISTENT_AVAIL", "u", &room));
  g_assert_true (g_variant_lookup (properties, "TPM_PT_HR_NV_INDEX", "u", &n_data));
  g_assert_true (g_variant_lookup (properties, "TPM_PT_NV_INDEX_MAX", "u", &size));
  keys = g_strdup_printf ("In use: %u. The TPM estimates that it has room for %u more.", n, room);
  data = g_strdup_printf ("%u NV indices. ", n_data);
  largest = g_strdup_printf ("%u bytes", size);
  gui_wait_for_text (gui_wait_for_row (window, "Keys"), "Keys");
  gui_wait_for_text (window, keys);
  g_assert_nonnull (gui_find_text (gui_wait_for_row (window, "Data"), data));
  g_assert_nonnull (gui_find_text (gui_wait_for_row (window, "Data"), "the TPM does not tell"));
  g_assert_nonnull (gui_find_text (gui_wait_for_row (window, "Largest NV Index"), largest));
}

static void
test_read (GuiFixture *fixture)
{
  GtkWidget *details = open_index (show (fixture), "0x01800100, 11 bytes");
  g_autoptr (GFile) file = new_file (NULL);
  g_autofree char *name = g_file_get_path (file);
  g_autofree char *saved = NULL;
  GtkWindow *content;
  GtkWidget *view;
  GStatBuf status;
  gsize size;

  assert_narrow (details);
  gui_wait_for_text (gui_wait_for_row (details, "Who May Read It"), "The TPM’s owner");
  gui_click (gui_wait_for_row (details, "All Attributes"));
  gui_wait_for_text (details, "Wrong passwords are not counted");
  gui_click (gui_wait_for_row (details, "_Read…"));
  content = gui_wait_for_dialog ("Content of NV Index 0x01800100");
  assert_narrow (GTK_WIDGET (content));
  gui_wait_for_text (GTK_WIDGET (content), "It holds 11 bytes.");
  view = gtk_window_get_focus (content);
  g_assert_true (GTK_IS_TEXT_VIEW (view));
  {
    GtkTextBuffer *buffer = gtk_text_view_get_buffer (GTK_TEXT_VIEW (view));
    g_autofree char *text = NULL;

    g_object_get (buffer, "text", &text, NULL);
    g_assert_cmpstr (text, ==,
                     "0000  68 65 6c 6c 6f 2c 20 54  hello, T\n"
                     "0008  50 4d 0a                 PM.");
  }
  ward_gui_nv_data_dialog_save (WARD_GUI_NV_DATA_DIALOG (content), file);
  gui_wait_for_text (NULL, "The data was saved");
  g_assert_true (g_file_get_contents (name, &saved, &size, NULL));
  g_assert_cmpmem (saved, size, CONTENT, strlen (CONTENT));
  g_assert_cmpint (g_stat (name, &status), ==, 0);
  g_assert_cmphex (status.st_mode & 0777, ==, 0600);
  remove_file (file);
}

/* A wrong password is asked for again, with the tries that are left. */
static void
test_password (GuiFixture *fixture)
{
  GtkWidget *details = open_index (show (fixture), "0x01800101, 8 bytes");
  g_autoptr (GFile) file = new_file ("ABCDEFGH");

  g_assert_false (gtk_widget_is_sensitive (gui_wait_for_row (details, "_Read…")));
  gui_wait_for_text (details, "Nothing was written to it yet.");
  ward_gui_nv_dialog_write (WARD_GUI_NV_DIALOG (details), file);
  give ("Password of NV Index 0x01800101", "wrong");
  gui_wait_for_text (GTK_WIDGET (gui_wait_for_dialog ("Password of NV Index")), "The password is wrong");
  give ("Password of NV Index 0x01800101", "sesame");
  gui_wait_for_text (NULL, "The file was written to the NV index");
  gui_wait_until (gtk_widget_is_sensitive (gui_wait_for_row (details, "_Read…")));
  assert_content (fixture, LOCKED, "{'auth': <'sesame'>}", "ABCDEFGH");
  gui_click (gui_find_row (details, "_Read…"));
  give ("Password of NV Index 0x01800101", "sesame");
  gui_wait_for_dialog ("Content of NV Index 0x01800101");
  remove_file (file);
}

static void
test_write (GuiFixture *fixture)
{
  GtkWidget *details = open_index (show (fixture), "0x01800100, 11 bytes");
  g_autoptr (GFile) large = new_file ("hello, world");
  g_autoptr (GFile) small = new_file ("HELLO");
  GtkWindow *question;

  ward_gui_nv_dialog_write (WARD_GUI_NV_DIALOG (details), large);
  gui_wait_for_text (details, "larger than the NV index, which takes 11 bytes");
  ward_gui_nv_dialog_write (WARD_GUI_NV_DIALOG (details), small);
  question = gui_wait_for_dialog ("Overwrite the NV Index?");
  gui_click (gui_wait_for_button (GTK_WIDGET (question), "Cancel"));
  gui_wait_until (gui_find_dialog ("Overwrite") == NULL);
  assert_content (fixture, OPEN, "{}", CONTENT);
  ward_gui_nv_dialog_write (WARD_GUI_NV_DIALOG (details), small);
  question = gui_wait_for_dialog ("Overwrite the NV Index?");
  g_assert_cmpstr (adw_message_dialog_get_default_response (ADW_MESSAGE_DIALOG (question)), ==, "cancel");
  gui_click (gui_wait_for_button (GTK_WIDGET (question), "Overwrite"));
  gui_wait_for_text (NULL, "The file was written to the NV index");
  assert_content (fixture, OPEN, "{}", "HELLO, TPM\n");
  remove_file (large);
  remove_file (small);
}

static void
test_undefine (GuiFixture *fixture)
{
  GtkWidget *window = show (fixture);
  GtkWidget *details = open_index (window, "0x01800100, 11 bytes");
  GtkWindow *warning;

  gui_click (gui_wait_for_row (details, "_Undefine…"));
  warning = gui_wait_for_dialog ("Undefine 0x01800100");
  gui_wait_for_text (GTK_WIDGET (warning), "The index has 11 bytes, which are lost for good.");
  g_assert_null (gtk_window_get_default_widget (warning));
  gtk_window_close (warning);
  gui_wait_until (gui_find_dialog ("Undefine") == NULL);
  g_assert_true (is_there (fixture, OPEN));
  gui_click (gui_wait_for_row (details, "_Undefine…"));
  warning = gui_wait_for_dialog ("Undefine 0x01800100");
  gui_click (gui_wait_for_button (GTK_WIDGET (warning), "Undefine"));
  gui_wait_for_text (NULL, "The NV index is no more");
  gui_wait_until (gui_find_dialog (NULL) == NULL);
  gui_wait_until (gui_find_text (window, "0x01800100") == NULL);
  g_assert_false (is_there (fixture, OPEN));
}

/* What is kept there by convention is told, and its number is to be typed in. */
static void
test_reserved (GuiFixture *fixture)
{
  GtkWidget *window, *details, *warning;

  define (fixture, RESERVED, 4);
  window = show (fixture);
  details = open_index (window, "0x01c10000, 4 bytes");
  gui_click (gui_wait_for_row (details, "_Undefine…"));
  warning = GTK_WIDGET (gui_wait_for_dialog ("Undefine 0x01c10000"));
  assert_narrow (warning);
  gui_wait_for_text (warning, "By convention it is data of a component of the platform.");
  g_assert_false (gtk_widget_is_sensitive (gui_wait_for_button (warning, "Undefine")));
  gui_type (gui_wait_for_row (warning, "Type 0x01c10000 to Go On"), "0x01c10001");
  g_assert_false (gtk_widget_is_sensitive (gui_wait_for_button (warning, "Undefine")));
  gui_type (gui_wait_for_row (warning, "Type 0x01c10000 to Go On"), "0x01C10000");
  gui_click (gui_wait_for_button (warning, "Undefine"));
  gui_wait_until (gui_find_dialog (NULL) == NULL);
  g_assert_false (is_there (fixture, RESERVED));
}

/* What the firmware has defined can only be looked at. */
static void
test_platform (GuiFixture *fixture)
{
  GtkWidget *details = open_index (show (fixture), "0x01c00002, ");

  gui_wait_for_text (gui_wait_for_row (details, "What It Is"), "The certificate of the endorsement key (RSA)");
  g_assert_false (gtk_widget_is_sensitive (gui_wait_for_row (details, "_Undefine…")));
  g_assert_false (gtk_widget_is_sensitive (gui_wait_for_row (details, "_Write a File to It…")));
  gui_click (gui_wait_for_row (details, "_Read…"));
  gui_wait_for_dialog ("Content of NV Index 0x01c00002");
}

static void
assert_attributes (GuiFixture *fixture, guint32 index, const char *expected)
{
  g_autoptr (GVariant) entry = describe (fixture, index);
  g_auto (GStrv) names = NULL;
  g_autofree char *joined = NULL;

  g_assert_true (g_variant_lookup (entry, "attributes", "^as", &names));
  joined = g_strjoinv ("|", names);
  g_assert_cmpstr (joined, ==, expected);
}

static void
select_item (GtkWidget *dialog, const char *title, guint position)
{
  adw_combo_row_set_selected (ADW_COMBO_ROW (gui_wait_for_row (dialog, title)), position);
}

static void
test_define (GuiFixture *fixture)
{
  GtkWidget *window = show (fixture);
  GtkWidget *dialog;

  gui_click (gui_wait_for_button (window, "Define…"));
  dialog = GTK_WIDGET (gui_wait_for_dialog ("Define an NV Index"));
  gui_type (gui_wait_for_row (dialog, "Number"), "everything");
  gui_wait_for_text (dialog, "The number goes from 0x01800000 to 0x01bfffff.");
  g_assert_false (gtk_widget_is_sensitive (gui_find_button (dialog, "Define")));
  gui_type (gui_wait_for_row (dialog, "Number"), "0x01c00002");
  gui_wait_for_text (dialog, "This number is reserved");
  g_assert_false (gtk_widget_is_sensitive (gui_find_button (dialog, "Define")));
  gui_type (gui_wait_for_row (dialog, "Number"), "0x01800100");
  gui_wait_for_text (dialog, "There is an NV index of this number already.");
  g_assert_false (gtk_widget_is_sensitive (gui_find_button (dialog, "Define")));
  gui_type (gui_wait_for_row (dialog, "Number"), "0x01800200");
  gui_type (gui_wait_for_row (dialog, "Size in Bytes"), "77");
  gui_click (gui_wait_for_row (dialog, "More"));
  gui_click (gui_wait_for_row (dialog, "Forgotten at Each Start"));
  assert_narrow (dialog);
  gui_click (gui_wait_for_button (dialog, "Define"));
  gui_wait_for_text (window, "0x01800200, 77 bytes, nothing written yet");
  gui_wait_until (gui_find_dialog (NULL) == NULL);
  assert_attributes (fixture, 0x01800200, "ownerwrite|ownerread|no_da|clear_stclear");
}

static void
test_define_with_password (GuiFixture *fixture)
{
  GtkWidget *window = show (fixture);
  GtkWidget *dialog;

  gui_click (gui_wait_for_button (window, "Define…"));
  dialog = GTK_WIDGET (gui_wait_for_dialog ("Define an NV Index"));
  gui_type (gui_wait_for_row (dialog, "Number"), "25166336");
  g_assert_null (gui_find_row (dialog, "Password"));
  select_item (dialog, "Who May Read It", 2);
  select_item (dialog, "Who May Write to It", 1);
  gui_wait_for_text (dialog, "Without a password, every program");
  gui_type (gui_wait_for_row (dialog, "Password"), "open");
  gui_wait_for_text (dialog, "The two passwords are not the same.");
  g_assert_false (gtk_widget_is_sensitive (gui_find_button (dialog, "Define")));
  gui_type (gui_wait_for_row (dialog, "Password Again"), "open");
  gui_click (gui_wait_for_button (dialog, "Define"));
  gui_wait_for_text (window, "0x01800200, 32 bytes");
  assert_attributes (fixture, 0x01800200, "authwrite|ownerread|authread");
  {
    g_autoptr (GVariant) reply = gui_call (fixture, "org.tpmward1.Nv", "Write",
                                           g_variant_new_parsed ("(%u, b'right', {'auth': <'open'>})", 0x01800200));

    g_assert_nonnull (reply);
  }
}

/* The TPM's memory is the owner's, who is asked. */
static void
test_owner (GuiFixture *fixture)
{
  GtkWidget *window = show (fixture);
  GtkWidget *dialog;

  set_owner_auth (fixture);
  gui_click (gui_wait_for_button (window, "Define…"));
  dialog = GTK_WIDGET (gui_wait_for_dialog ("Define an NV Index"));
  gui_click (gui_wait_for_button (dialog, "Define"));
  gtk_window_close (gui_wait_for_dialog ("The Owner’s Password"));
  gui_wait_until (gtk_widget_is_sensitive (gui_wait_for_button (dialog, "Define")));
  g_assert_false (is_there (fixture, 0x01800000));
  gui_click (gui_wait_for_button (dialog, "Define"));
  give ("The Owner’s Password", "boss");
  gui_wait_until (gui_find_dialog (NULL) == NULL);
  g_assert_true (is_there (fixture, 0x01800000));
  /* so is reading what only the owner may */
  dialog = open_index (window, "0x01800100, 11 bytes");
  gui_click (gui_wait_for_row (dialog, "_Read…"));
  give ("The Owner’s Password", "boss");
  gui_wait_for_dialog ("Content of NV Index 0x01800100");
}

static gboolean
is_persistent (GuiFixture *fixture, guint32 handle)
{
  g_autoptr (GVariant) reply = gui_call (fixture, "org.tpmward1.SystemKeys", "ListPersistent", NULL);
  g_autoptr (GVariant) objects = g_variant_get_child_value (reply, 0);

  for (gsize i = 0; i < g_variant_n_children (objects); i++)
    {
      g_autoptr (GVariant) object = g_variant_get_child_value (objects, i);
      guint32 number;

      g_assert_true (g_variant_lookup (object, "handle", "u", &number));
      if (number == handle)
        return TRUE;
    }
  return FALSE;
}

static void
test_evict (GuiFixture *fixture)
{
  GtkWidget *window = show (fixture);
  GtkWidget *row;
  GtkWindow *question;

  g_assert_null (gui_find_text (window, "0x81000777"));
  gui_click (gui_wait_for_button (window, "Show…"));
  row = gtk_widget_get_ancestor (gui_wait_for_text (window, "0x81000777, ecc-p256"), ADW_TYPE_EXPANDER_ROW);
  gui_click (row);
  gui_wait_for_text (row, "A storage key: it protects the keys that lie beneath it.");
  gui_wait_for_text (row, "Another program has put it there.");
  gui_wait_for_text (row, "fixedTPM, fixedParent, sensitiveDataOrigin, userWithAuth, restricted, decrypt");
  gui_click (gui_wait_for_button (row, "Evict…"));
  question = gui_wait_for_dialog ("Evict 0x81000777?");
  gui_click (gui_wait_for_button (GTK_WIDGET (question), "Cancel"));
  gui_wait_until (gui_find_dialog (NULL) == NULL);
  g_assert_true (is_persistent (fixture, HANDLE));
  gui_click (gui_wait_for_button (row, "Evict…"));
  question = gui_wait_for_dialog ("Evict 0x81000777?");
  gui_wait_for_text (GTK_WIDGET (question), "it is lost for good");
  gui_click (gui_wait_for_button (GTK_WIDGET (question), "Evict"));
  gui_wait_until (gui_find_text (window, "0x81000777") == NULL);
  g_assert_false (is_persistent (fixture, HANDLE));
}

/* The storage root key stays, and a key of the service's is named, with whose it is. */
static void
test_known_handles (GuiFixture *fixture)
{
  g_autoptr (GVariant) provisioned = gui_call (fixture, "org.tpmward1.Ownership", "ProvisionSrk",
                                               g_variant_new_parsed ("(@a{sv} {},)"));
  g_autoptr (GVariant) id = gui_call (fixture, "org.tpmward1.SystemKeys", "Create",
                                      g_variant_new_parsed ("('web', 'ecc-p256', @a{sv} {})"));
  g_autoptr (GVariant) persisted = gui_call (fixture, "org.tpmward1.SystemKeys", "Persist",
                                             g_variant_new_parsed ("('web', %u, @a{sv} {})", 0x81000100));
  GtkWidget *window = show (fixture);
  GtkWidget *row;

  gui_click (gui_wait_for_button (window, "Show…"));
  row = gui_wait_for_row (window, "The storage root key");
  gui_click (row);
  gui_wait_for_text (row, "It cannot be evicted");
  g_assert_null (gui_find_button (row, "Evict…"));
  row = gui_wait_for_row (window, "Key “web”");
  gui_click (row);
  gui_wait_for_text (row, "A key of the machine’s, which TPM Ward keeps.");
  gui_click (gui_wait_for_button (row, "Evict…"));
  gui_wait_for_text (NULL, "The key “web” stays, as TPM Ward keeps it too.");
}

/* A window may be closed, and a dialog, while the TPM is at it; nothing of them stays. */
static void
test_leave (GuiFixture *fixture)
{
  WardGuiWindow *other = ward_gui_window_new (NULL, fixture->machine);
  GtkWidget *text, *details;

  gtk_window_present (GTK_WINDOW (other));
  ward_gui_window_show_page (other, "storage");
  text = gui_wait_for_text (GTK_WIDGET (other), "0x01800100, 11 bytes");
  g_object_add_weak_pointer (G_OBJECT (text), (gpointer *)&text);
  details = open_index (GTK_WIDGET (other), "0x01800100, 11 bytes");
  g_object_add_weak_pointer (G_OBJECT (details), (gpointer *)&details);
  gui_signal_part ("swtpm", SIGSTOP);
  gui_click (gui_wait_for_row (details, "_Read…"));
  gtk_window_destroy (GTK_WINDOW (details));
  gtk_window_destroy (GTK_WINDOW (other));
  gui_signal_part ("swtpm", SIGCONT);
  gui_wait_until (text == NULL && details == NULL);
  g_assert_null (gui_find_dialog (NULL));
}

/* Who may not see the persistent handles is told so when they ask for them, and not before; the rest they may see. */
static void
test_nobody_special (GuiFixture *fixture)
{
  GtkWidget *window = show (fixture);
  GtkWidget *dialog;

  g_assert_null (gui_find_dialog (NULL));
  gui_wait_for_text (window, "Only an administrator may see them");
  gui_click (gui_wait_for_button (window, "Show…"));
  dialog = GTK_WIDGET (gui_wait_for_dialog ("The Persistent Handles Were Not Read"));
  gui_wait_for_text (dialog, "You may not do this");
  gui_click (gui_wait_for_button (dialog, "Close"));
  gui_wait_until (gtk_widget_is_sensitive (gui_wait_for_button (window, "Show…")));
  g_assert_null (gui_find_text (window, "0x81000777"));
}

static void
add (void)
{
  if (geteuid () != 0)
    {
      gui_add_test ("/storage/nobody-special", test_nobody_special);
      return;
    }
  gui_add_test ("/storage/list", test_list);
  gui_add_test ("/storage/room", test_room);
  gui_add_test ("/storage/read", test_read);
  gui_add_test ("/storage/password", test_password);
  gui_add_test ("/storage/write", test_write);
  gui_add_test ("/storage/undefine", test_undefine);
  gui_add_test ("/storage/reserved", test_reserved);
  gui_add_test ("/storage/platform", test_platform);
  gui_add_test ("/storage/define", test_define);
  gui_add_test ("/storage/define-with-password", test_define_with_password);
  gui_add_test ("/storage/owner", test_owner);
  gui_add_test ("/storage/evict", test_evict);
  gui_add_test ("/storage/known-handles", test_known_handles);
  gui_add_test ("/storage/leave", test_leave);
}

int
main (int argc, char **argv)
{
  return gui_main (argc, argv, add);
}
