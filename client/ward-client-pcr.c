/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-config.h"

#include "ward-client-pcr.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "ward-client-error.h"

/* The service's own limit is the TPM's. */
#define MAX_INDEX 31

typedef struct
{
  const char *name;
  const char *title;
  const char *content;
  const char *cause;
} Meaning;

#define DYNAMIC_LAUNCH                                                                                                 \
  {                                                                                                                    \
    "dynamic launch", N_ ("Dynamic Launch"),                                                                           \
        N_ ("For systems that start a second time in a trusted way while the computer runs, by Intel TXT or AMD "      \
            "SKINIT. Most computers never use it."),                                                                   \
        N_ ("A system was launched dynamically, or another one than before.")                                          \
  }

static const Meaning meanings[WARD_CLIENT_N_PCRS] = {
  { "firmware code", N_ ("Firmware"), N_ ("The program of the computer’s firmware (UEFI or BIOS)."),
    N_ ("The firmware was updated.") },
  { "firmware settings", N_ ("Firmware Settings"),
    N_ ("How the firmware and the hardware are set up, such as settings, memory and the processor’s microcode."),
    N_ ("Settings of the firmware, or parts of the computer, were changed.") },
  { "option ROM code", N_ ("Cards and Drivers"),
    N_ ("Programs that plug-in cards bring for the firmware, such as graphics and network cards."),
    N_ ("A plug-in card was added, removed or updated.") },
  { "option ROM settings", N_ ("Settings of Cards"), N_ ("How plug-in cards are set up."),
    N_ ("Settings of a plug-in card were changed.") },
  { "boot loader code", N_ ("Boot Loader"),
    N_ ("The programs that the firmware started: the boot loader, and often the kernel."),
    N_ ("The boot loader or the kernel was updated, or another system was started.") },
  { "boot data, partitions", N_ ("Boot Data and Partitions"),
    N_ ("The disk’s partition table and the boot loader’s settings."),
    N_ ("The disk was partitioned, or the boot loader set up, in another way.") },
  { "platform maker's use", N_ ("Computer’s Maker"), N_ ("What the computer’s maker uses it for."),
    N_ ("Something changed that only the computer’s maker knows of, such as waking from sleep.") },
  { "Secure Boot policy", N_ ("Secure Boot"),
    N_ ("Whether Secure Boot is on, and the keys by which it lets systems start."),
    N_ ("Secure Boot was switched on or off, or its keys were changed or updated.") },
  { "OS: boot commands", N_ ("Boot Commands"), N_ ("The commands that GRUB ran, and the kernel’s command line."),
    N_ ("The boot menu’s configuration was changed, or another of its entries was chosen.") },
  { "OS: kernel, initrd", N_ ("Kernel and Initial System"),
    N_ ("The files that GRUB read, and the initial system (initrd) of the Linux kernel."),
    N_ ("The kernel or its initial system was updated.") },
  { "OS: Linux IMA", N_ ("Programs That Were Run"),
    N_ ("Files that Linux measured before it used them, where its integrity measurement (IMA) is on."),
    N_ ("Other programs were run, or in another order. That is usual.") },
  { "OS: unified kernel", N_ ("Unified Kernel"),
    N_ ("The parts of a unified kernel image, and how far the system has started, where systemd’s boot stub is used."),
    N_ ("The kernel was updated, or the start has gone on.") },
  { "OS: kernel arguments", N_ ("Kernel’s Arguments"),
    N_ ("The kernel’s command line and credentials, where systemd’s boot stub is used."),
    N_ ("The kernel’s command line or the system’s credentials were changed.") },
  { "OS: system extensions", N_ ("System Extensions"),
    N_ ("Extensions of the initial system, where systemd’s boot stub is used."),
    N_ ("Extensions of the system were added, removed or updated.") },
  { "OS: shim's keys (MOK)", N_ ("Machine Owner Keys"),
    N_ ("The keys and settings by which shim lets systems start, beside those of Secure Boot."),
    N_ ("A machine owner key (MOK) was added or removed.") },
  { "OS: machine identity", N_ ("Machine’s Identity"),
    N_ ("The system’s machine ID, its root file system and its disk encryption key, where systemd measures them."),
    N_ ("The system was installed anew, or its disk is another one.") },
  { "debugging", N_ ("Debugging"), N_ ("For trying things out: every program with access to the TPM can reset it."),
    N_ ("A program has used it.") },
  DYNAMIC_LAUNCH,
  DYNAMIC_LAUNCH,
  DYNAMIC_LAUNCH,
  DYNAMIC_LAUNCH,
  DYNAMIC_LAUNCH,
  DYNAMIC_LAUNCH,
  { "applications", N_ ("Applications"), N_ ("For applications: every program with access to the TPM can reset it."),
    N_ ("A program has used it.") },
};

const char *
ward_client_pcr_get_name (guint32 index)
{
  return index < G_N_ELEMENTS (meanings) ? meanings[index].name : "";
}

const char *
ward_client_pcr_get_title (guint32 index)
{
  return index < G_N_ELEMENTS (meanings) ? _ (meanings[index].title) : "";
}

const char *
ward_client_pcr_get_content (guint32 index)
{
  return index < G_N_ELEMENTS (meanings) ? _ (meanings[index].content) : "";
}

const char *
ward_client_pcr_get_cause (guint32 index)
{
  return index < G_N_ELEMENTS (meanings) ? _ (meanings[index].cause) : "";
}

WardClientPcrState
ward_client_pcr_get_state (const guint8 *value, gsize size)
{
  if (size == 0 || (value[0] != 0x00 && value[0] != 0xff) || memcmp (value, value + 1, size - 1) != 0)
    return WARD_CLIENT_PCR_MEASURED;
  return value[0] == 0x00 ? WARD_CLIENT_PCR_ZEROS : WARD_CLIENT_PCR_ONES;
}

/* The numbers as a mask: bit i stands for PCR i. */
static gboolean
parse_numbers (const char *text, guint32 *mask)
{
  g_auto (GStrv) numbers = g_strsplit (text, ",", -1);

  for (guint i = 0; numbers[i] != NULL; i++)
    {
      guint64 number;

      if (!g_ascii_string_to_unsigned (numbers[i], 10, 0, MAX_INDEX, &number, NULL))
        return FALSE;
      *mask |= 1u << number;
    }
  return *mask != 0;
}

static GVariant *
mask_to_variant (guint32 mask)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("au"));

  for (guint32 i = 0; i <= MAX_INDEX; i++)
    if (mask & 1u << i)
      g_variant_builder_add (&builder, "u", i);
  return g_variant_builder_end (&builder);
}

/* bank is "sha256:7,11" or "7,11", and is changed. */
static gboolean
parse_bank (char *bank, GHashTable *seen, GVariantBuilder *builder, const char *text, GError **error)
{
  char *colon = strchr (bank, ':');
  const char *name = colon != NULL ? bank : WARD_CLIENT_PCR_BANK;
  guint32 mask = 0;

  if (colon != NULL)
    *colon = '\0';
  if (*name == '\0' || !parse_numbers (colon != NULL ? colon + 1 : bank, &mask))
    g_set_error (error, WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_INVALID_ARGUMENT,
                 _ ("“%s” names no PCRs. Write them as sha256:7,11."), text);
  else if (!g_hash_table_add (seen, (gpointer)name))
    g_set_error (error, WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_INVALID_ARGUMENT,
                 _ ("“%s” names a bank twice. Join its PCRs by commas: sha256:7,11."), text);
  else
    {
      g_variant_builder_add (builder, "{s@au}", name, mask_to_variant (mask));
      return TRUE;
    }
  return FALSE;
}

GVariant *
ward_client_pcrs_parse (const char *text, GError **error)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a{sau}"));
  g_auto (GStrv) banks = g_strsplit (*text != '\0' ? text : ":", "+", -1);
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; banks[i] != NULL; i++)
    if (!parse_bank (banks[i], seen, &builder, text, error))
      return NULL;
  return g_variant_builder_end (&builder);
}

char *
ward_client_pcrs_format (GVariant *pcrs)
{
  GString *text = g_string_new (NULL);
  GVariantIter iter;
  const char *bank;
  GVariant *indices;

  g_variant_iter_init (&iter, pcrs);
  while (g_variant_iter_next (&iter, "{&s@au}", &bank, &indices))
    {
      g_autoptr (GVariant) owned = indices;

      g_string_append_printf (text, "%s%s:", text->len > 0 ? "+" : "", bank);
      for (gsize i = 0; i < g_variant_n_children (indices); i++)
        {
          guint32 index;

          g_variant_get_child (indices, i, "u", &index);
          g_string_append_printf (text, "%s%u", i > 0 ? "," : "", index);
        }
    }
  return g_string_free (text, FALSE);
}
