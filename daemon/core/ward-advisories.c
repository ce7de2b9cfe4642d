/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-advisories.h"

#define VERSION(a, b, c, d) ((guint64)(a) << 48 | (guint64)(b) << 32 | (guint64)(c) << 16 | (guint64)(d))
#define ANY 0xffff

/* One firmware version by its first two numbers, and all from one to another, both included. */
#define MINOR(a, b) RANGE (VERSION (a, b, 0, 0), VERSION (a, b, ANY, ANY))
#define RANGE(from, to)                                                                                                \
  {                                                                                                                    \
    VERSION (ANY, ANY, ANY, ANY), from, to                                                                             \
  }

/* Firmware versions by the TPM's two firmware words, as in WardIdentity: those that, masked, lie between first and
 * last. A mask of 0 ends a list. */
typedef struct
{
  guint64 mask;
  guint64 first;
  guint64 last;
} FirmwareRange;

typedef struct
{
  WardAdvisory advisory;
  const char *manufacturer;
  FirmwareRange ranges[16];
} Entry;

/* Only faults that show in the manufacturer and the firmware version. Faults of the TCG's reference code
 * (CVE-2023-1017, CVE-2025-2884 and others) are in many TPMs, but only makers who have published versions are listed
 * for them: of others, libtpms among them, whose version is that of the code that it was made from, nothing can be
 * told. */
static const Entry entries[] = {
  {
      /* The ranges are Infineon's and Microsoft's (ADV170012). Versions 4.x, 6.x and 133.x are TPM 1.2. */
      .advisory = {
          .id = "CVE-2017-15361",
          .severity = "error",
          .title = "RSA keys made by this TPM can be broken (ROCA)",
          .detail = "The private half of an RSA key that was made in this TPM can be computed from its public"
                    " half. Have the firmware updated by the machine's manufacturer, then replace all RSA "
                    "keys made before. Imported RSA keys and ECC keys are not affected.",
          .source = "https://nvd.nist.gov/vuln/detail/CVE-2017-15361",
      },
      .manufacturer = "IFX",
      .ranges = {
          RANGE (VERSION (4, 0, 0, 0), VERSION (4, 33, ANY, ANY)),
          RANGE (VERSION (4, 40, 0, 0), VERSION (4, 42, ANY, ANY)),
          RANGE (VERSION (5, 0, 0, 0), VERSION (5, 61, ANY, ANY)),
          RANGE (VERSION (6, 0, 0, 0), VERSION (6, 42, ANY, ANY)),
          RANGE (VERSION (7, 0, 0, 0), VERSION (7, 61, ANY, ANY)),
          RANGE (VERSION (133, 0, 0, 0), VERSION (133, 32, ANY, ANY)),
      },
  },
  {
      .advisory = {
          .id = "CVE-2019-16863",
          .severity = "warning",
          .title = "ECDSA keys of this TPM can be learnt by timing its signatures (TPM-FAIL)",
          .detail = "Who can have many signatures made and time them, possibly over a network, can compute "
                    "the private key. Have the firmware updated by the machine's manufacturer, then replace "
                    "ECC signing keys. RSA keys are not affected.",
          .source = "https://www.st.com/content/st_com/en/campaigns/tpm-update.html",
      },
      .manufacturer = "STM",
      .ranges = {
          MINOR (71, 0), MINOR (71, 4), MINOR (71, 12), MINOR (73, 0), MINOR (73, 4), MINOR (73, 5), MINOR (73, 8),
          MINOR (73, 9), MINOR (74, 0), MINOR (74, 4), MINOR (74, 5), MINOR (74, 8), MINOR (74, 9), MINOR (74, 16),
      },
  },
  {
      /* Up to CSME 11 the firmware TPM bears the CSME's version; later ones count otherwise, and do not show it. */
      .advisory = {
          .id = "CVE-2019-11090",
          .severity = "warning",
          .title = "ECDSA keys of this TPM can be learnt by timing its signatures (TPM-FAIL)",
          .detail = "Who can have many signatures made and time them, possibly over a network, can compute "
                    "the private key. Install the newest firmware (Intel CSME) from the machine's "
                    "manufacturer, then replace ECC signing keys. RSA keys are not affected.",
          .source = "https://www.intel.com/content/www/us/en/security-center/advisory/intel-sa-00241.html",
      },
      .manufacturer = "INTC",
      .ranges = {
          RANGE (VERSION (11, 0, 0, 0), VERSION (11, 8, 69, ANY)),
          RANGE (VERSION (11, 10, 0, 0), VERSION (11, 11, 69, ANY)),
          RANGE (VERSION (11, 20, 0, 0), VERSION (11, 22, 69, ANY)),
      },
  },
  {
      .advisory = {
          .id = "CVE-2020-25082",
          .severity = "warning",
          .title = "ECC keys of this TPM can be learnt by measuring the chip while it signs",
          .detail = "The attacker must have the machine in hand. Have the firmware updated to 7.2.2.0 or "
                    "later by the machine's manufacturer.",
          .source = "https://www.nuvoton.com/support/security/security-advisories/sa-002/",
      },
      .manufacturer = "NTC",
      .ranges = {
          RANGE (VERSION (7, 2, 0, 1), VERSION (7, 2, 0, 2)),
          RANGE (VERSION (7, 2, 1, 0), VERSION (7, 2, 1, 0)),
      },
  },
  {
      .advisory = {
          .id = "CVE-2023-1017",
          .severity = "warning",
          .title = "Any program that may use this TPM can make it stop answering",
          .detail = "It works again once the machine's power was off. The firmware 1.3.2.20 cures it, but is "
                    "not certified; the machine's manufacturer decides.",
          .source = "https://www.nuvoton.com/support/security/security-advisories/sa-003/",
      },
      .manufacturer = "NTC",
      .ranges = {
          RANGE (VERSION (1, 3, 0, 1), VERSION (1, 3, 0, 1)),
          RANGE (VERSION (1, 3, 1, 0), VERSION (1, 3, 1, 0)),
          RANGE (VERSION (1, 3, 2, 8), VERSION (1, 3, 2, 8)),
      },
  },
  {
      .advisory = {
          .id = "CVE-2025-2884",
          .severity = "warning",
          .title = "Any program that may use this TPM can make it stop answering",
          .detail = "The TPM reads beyond a buffer's end when it is asked for an HMAC with a scheme that does"
                    " not fit the key. It works again once the machine's power was off. Have the firmware "
                    "updated to 7.2.4.1 or later by the machine's manufacturer.",
          .source = "https://www.dell.com/support/kbdoc/en-us/000331010/",
      },
      .manufacturer = "NTC",
      .ranges = {
          RANGE (VERSION (7, 2, 0, 0), VERSION (7, 2, 4, 0)),
      },
  },
  {
      .advisory = {
          .id = "CVE-2026-6923",
          .severity = "info",
          .title = "ECDH keys of this TPM can be learnt by measuring the chip",
          .detail = "The attacker must have the machine in hand and may use the TPM. Have the firmware "
                    "updated to 7.2.4.0 or later by the machine's manufacturer.",
          .source = "https://app.opencve.io/cve/CVE-2026-6923",
      },
      .manufacturer = "NTC",
      .ranges = {
          RANGE (VERSION (7, 2, 0, 0), VERSION (7, 2, 3, ANY)),
      },
  },
  {
      /* AMD names 3.*.0.* as affected, 3.*.2.* and 6.*.*.* as not. */
      .advisory = {
          .id = "AMD-FTPM-ATTESTATION",
          .severity = "info",
          .title = "This TPM's attestation fails",
          .detail = "Programs that have the TPM attest the machine are refused (on Windows with the error "
                    "0x80070490). Install the newest firmware of the mainboard, if its manufacturer includes "
                    "AMD's cure. It may clear the TPM: have recovery keys of encrypted disks at hand.",
          .source = "https://heise.de/-10482872",
      },
      .manufacturer = "AMD",
      .ranges = {
          { VERSION (ANY, 0, ANY, 0), VERSION (3, 0, 0, 0), VERSION (3, 0, 0, 0) },
      },
  },
  {
      /* The versions are those that Linux checks in drivers/char/tpm, in hex: before 3.57.x.5 and 6.0.18.6. */
      .advisory = {
          .id = "AMD-PA-410",
          .severity = "info",
          .title = "The machine can stand still for a second or two while this TPM works",
          .detail = "The TPM's storage is slow on some mainboards, and the whole machine waits. Install the "
                    "newest firmware of the mainboard. Whether this mainboard is one of them cannot be told "
                    "from the version.",
          .source = "https://www.amd.com/en/support/kb/faq/pa-410",
      },
      .manufacturer = "AMD",
      .ranges = {
          RANGE (VERSION (3, 0, 0, 0), VERSION (3, 0x57, 0, 4)),
          RANGE (VERSION (6, 0, 0, 0), VERSION (6, 0, 0x18, 5)),
      },
  },
  {
      .advisory = {
          .id = "faulTPM",
          .severity = "info",
          .title = "Who takes this machine apart may get at all that its TPM keeps",
          .detail = "AMD's processors of the Zen 2 and Zen 3 generations give up their TPM's secrets to "
                    "voltage faults, in some hours of work on the opened machine. Which processor this is "
                    "cannot be told from the version, and no firmware cures it. Do not rely on the TPM alone "
                    "for the encryption of disks: add a strong passphrase.",
          .source = "https://arxiv.org/abs/2304.14717",
      },
      .manufacturer = "AMD",
      .ranges = {
          RANGE (VERSION (3, 0, 0, 0), VERSION (3, ANY, ANY, ANY)),
      },
  },
};

static gboolean
entry_matches (const Entry *entry, const WardIdentity *identity)
{
  if (!g_str_equal (entry->manufacturer, identity->manufacturer))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (entry->ranges) && entry->ranges[i].mask != 0; i++)
    {
      guint64 version = identity->firmware_raw & entry->ranges[i].mask;

      if (version >= entry->ranges[i].first && version <= entry->ranges[i].last)
        return TRUE;
    }
  return FALSE;
}

/* The faults that are known of this maker's TPMs with this firmware, as an array of const WardAdvisory *, the gravest
 * first; empty when there is none, and for an emulated TPM, whatever it calls itself: it is not that chip. The caller
 * owns the array. */
GPtrArray *
ward_advisories_find (const WardIdentity *identity)
{
  GPtrArray *found = g_ptr_array_new ();

  if (identity->emulated)
    return found;
  for (guint i = 0; i < G_N_ELEMENTS (entries); i++)
    if (entry_matches (&entries[i], identity))
      g_ptr_array_add (found, (gpointer)&entries[i].advisory);
  return found;
}

gboolean
ward_advisories_knows (const char *id)
{
  for (guint i = 0; i < G_N_ELEMENTS (entries); i++)
    if (g_str_equal (entries[i].advisory.id, id))
      return TRUE;
  return FALSE;
}
