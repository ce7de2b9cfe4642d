/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-help.h"

#include <glib/gi18n.h>

typedef struct
{
  const char *word; /* a group's title where there is no meaning */
  const char *meaning;
} Entry;

static const Entry entries[] = {
  { N_ ("The Chip"), NULL },
  { N_ ("TPM"),
    N_ ("Trusted Platform Module: a security chip in this computer, or a part of its processor. It makes keys and "
        "keeps "
        "secrets so that they cannot be copied out of it, not even by somebody who has all files of the disk.") },
  { N_ ("Self-test"),
    N_ ("The chip checks that its own parts work. It takes a moment and changes nothing. A chip that fails it refuses "
        "to do most of its work.") },
  { N_ ("Emulated"),
    N_ ("A program that behaves like a TPM, as in virtual machines. It is no safer than that program.") },
  { N_ ("Advisory"), N_ ("A known fault of this kind of chip, with a link to who has found it and to what helps.") },

  { N_ ("Ownership"), NULL },
  { N_ ("Owner password (owner hierarchy)"),
    N_ ("Protects the making of keys and storage in the chip. Programs that unlock encrypted disks mostly expect that "
        "there is none.") },
  { N_ ("Endorsement password (endorsement hierarchy)"),
    N_ ("Protects the chip’s identity, by which it can prove to others that it is genuine. Few people need it.") },
  { N_ ("Lockout password (lockout hierarchy)"),
    N_ ("Protects the means to clear the chip and to end a lockout. The one that this program recommends to set.") },
  { N_ ("Storage root key (SRK)"),
    N_ ("A key that never leaves the chip and protects all others. Programs expect it at a fixed place.") },
  { N_ ("Clear"),
    N_ ("Returns the chip to the state of a new one. Everything that depends on it is lost for good: keys, and secrets "
        "that unlock disks. This program shows first what that would be.") },
  { N_ ("Lockout (dictionary attack protection)"), N_ ("After too many wrong passwords the chip refuses them all, also "
                                                       "the right ones, so that nobody can try until one "
                                                       "fits. It forgives the wrong ones with time.") },

  { N_ ("Keys"), NULL },
  { N_ ("Key"), N_ ("Proves who you are, or signs and decrypts. Its private half can be used only by this computer’s "
                    "chip; its public "
                    "half can be given to anybody.") },
  { N_ ("Signature"), N_ ("Shows that a file comes from who has the key, and that nobody has changed it since.") },
  { N_ ("System key"), N_ ("Belongs to the computer and not to a user. Administrators manage it.") },

  { N_ ("Boot State"), NULL },
  { N_ ("PCR (platform configuration register)"), N_ ("A place in the chip where the firmware and the system record "
                                                      "what was started, as fingerprints. As long as the "
                                                      "same programs start, it has the same value.") },
  { N_ ("PCR bank"), N_ ("All registers once more for each kind of fingerprint, such as SHA-256.") },
  { N_ ("Bound to the boot state"),
    N_ ("Usable only while chosen registers have the values of today. After an update of the firmware, for instance, "
        "such a key does not work any more.") },

  { N_ ("Storage"), NULL },
  { N_ ("NV index"),
    N_ ("A small piece of permanent memory in the chip: certificates by its maker, or data of programs.") },
  { N_ ("Persistent handle"),
    N_ ("A key that was given a permanent place in the chip. There is room for a few only.") },
};

static GtkWidget *
make_row (const Entry *entry)
{
  GtkWidget *row = adw_action_row_new ();

  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), _ (entry->word));
  adw_action_row_set_subtitle (ADW_ACTION_ROW (row), _ (entry->meaning));
  return row;
}

void
ward_gui_help_present (GtkWindow *parent)
{
  GtkWidget *window = adw_preferences_window_new ();
  GtkWidget *page = adw_preferences_page_new ();
  GtkWidget *group = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (entries); i++)
    {
      if (entries[i].meaning != NULL)
        {
          adw_preferences_group_add (ADW_PREFERENCES_GROUP (group), make_row (&entries[i]));
          continue;
        }
      group = adw_preferences_group_new ();
      adw_preferences_group_set_title (ADW_PREFERENCES_GROUP (group), _ (entries[i].word));
      adw_preferences_page_add (ADW_PREFERENCES_PAGE (page), ADW_PREFERENCES_GROUP (group));
    }
  adw_preferences_page_set_title (ADW_PREFERENCES_PAGE (page), _ ("Words"));
  adw_preferences_window_add (ADW_PREFERENCES_WINDOW (window), ADW_PREFERENCES_PAGE (page));
  gtk_window_set_title (GTK_WINDOW (window), _ ("What the Words Mean"));
  gtk_window_set_default_size (GTK_WINDOW (window), 560, 640);
  gtk_window_set_transient_for (GTK_WINDOW (window), parent);
  gtk_window_present (GTK_WINDOW (window));
}
