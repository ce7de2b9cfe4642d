/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tpm2-private.h"

#include <string.h>

/* Whether each of the hex digits is decimal, and the number that they then are. */
static gboolean
parse_bcd (guint32 word, guint *number)
{
  guint value = 0;

  for (int shift = 28; shift >= 0; shift -= 4)
    {
      guint digit = (word >> shift) & 0xf;

      if (digit > 9)
        return FALSE;
      value = value * 10 + digit;
    }
  *number = value;
  return TRUE;
}

/* Whether the words are a date and a time in hex digits, as in the TCG's reference code and all that comes of it
 * (libtpms, Microsoft's, Google's and other vTPMs): 0x20191023, 0x00163636. No maker counts its versions up to 8208
 * (0x2010), so that this cannot be mistaken. */
static gboolean
is_build_date (guint32 first, guint32 second)
{
  guint date, time;

  return parse_bcd (first, &date) && parse_bcd (second, &time) && date / 10000 >= 2010 && date / 10000 < 2100
         && g_date_valid_dmy (date % 100, date / 100 % 100, date / 10000) && time / 10000 < 24 && time / 100 % 100 < 60
         && time % 100 < 60;
}

/* Infineon writes MAJOR.MINOR.BUILD.x with the build in the middle 16 bits of the second word and x in its last byte
 * ("7.85.4555.0"), and an old short form with the word as a whole, told apart as its own tool eltt2 does. */
static char *
infineon_to_string (guint32 first, guint32 second)
{
  if (second >> 16 < 2)
    return g_strdup_printf ("%u.%u.%u", first >> 16, first & 0xffff, second);
  return g_strdup_printf ("%u.%u.%u.%u", first >> 16, first & 0xffff, (second >> 8) & 0xffff, second & 0xff);
}

/* The words of TPM_PT_FIRMWARE_VERSION_1 and _2 as the vendor writes them. Most write four decimal numbers of 16 bits,
 * among them AMD
 * ("3.87.0.5"), Intel ("11.8.50.3399"), Nuvoton ("7.2.0.2") and STMicroelectronics ("73.4.17568.4452"). */
char *
ward_tpm2_firmware_to_string (const char *manufacturer, guint32 first, guint32 second)
{
  if (g_str_equal (manufacturer, "IFX"))
    return infineon_to_string (first, second);
  if (is_build_date (first, second))
    return g_strdup_printf ("%08x.%06x", first, second);
  return g_strdup_printf ("%u.%u.%u.%u", first >> 16, first & 0xffff, second >> 16, second & 0xffff);
}

/* Whether it is a software TPM by what it says of itself: IBM's and libtpms (swtpm, QEMU, VirtualBox) call themselves
 * "SW   TPM", VMware and Amazon go by their names. Microsoft's id is on its reference code, which Hyper-V and Azure
 * run; on some Arm boards it runs as firmware, which does not show. Google's id is also on chips. */
gboolean
ward_tpm2_vendor_is_emulated (const char *manufacturer, const char *vendor_string)
{
  if (g_str_has_prefix (manufacturer, "SIM") || g_str_equal (manufacturer, "VMW") || g_str_equal (manufacturer, "AMZN")
      || g_str_equal (manufacturer, "MSFT"))
    return TRUE;
  if (g_str_equal (manufacturer, "IBM"))
    return g_str_has_prefix (vendor_string, "SW");
  return strstr (vendor_string, "vTPM") != NULL || strstr (vendor_string, "VMware") != NULL
         || strstr (vendor_string, "NitroTPM") != NULL;
}
