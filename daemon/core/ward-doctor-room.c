/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "ward-doctor-private.h"

/* How many of what fills a TPM are named. */
#define N_ITEMS 12

/* Three quarters of those that the chip can keep track of. */
static gboolean
has_many_sessions (const WardRoom *room)
{
  return room->sessions_active != WARD_ROOM_UNKNOWN && room->sessions_active_max != WARD_ROOM_UNKNOWN
         && room->sessions_active_max > 0
         && room->sessions_active >= room->sessions_active_max - room->sessions_active_max / 4;
}

gboolean
ward_doctor_is_short (const WardRoom *room)
{
  return room->persistent_available == 0;
}

static void
name_item (GString *text, const WardChipItem *item)
{
  g_string_append_printf (text, "%s0x%08x", text->len > 0 ? ", " : "", item->handle);
  if (*item->purpose)
    g_string_append_printf (text, " (%s)", item->purpose);
  else if (item->size > 0)
    g_string_append_printf (text, " (an NV index of %u bytes)", item->size);
  else if (*item->algorithm)
    g_string_append_printf (text, " (%s)", item->algorithm);
}

/* Who fills it; NULL when that is not known. */
static char *
name_items (WardDoctor *doctor, const WardDoctorTpm *tpm)
{
  GPtrArray *items = g_hash_table_lookup (doctor->facts->items, tpm->name);
  g_autoptr (GString) text = g_string_new (NULL);

  if (!items || items->len == 0)
    return NULL;
  for (guint i = 0; i < MIN (items->len, N_ITEMS); i++)
    name_item (text, g_ptr_array_index (items, i));
  if (items->len > N_ITEMS)
    g_string_append_printf (text, " and %u more", items->len - N_ITEMS);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
climb_persistent (WardDoctor *doctor, const WardDoctorTpm *tpm)
{
  g_autofree char *items = NULL;
  g_autofree char *holds = NULL;
  WardFinding *finding;

  if (!ward_doctor_is_short (&tpm->ownership->room))
    return;
  items = name_items (doctor, tpm);
  if (items)
    holds = g_strdup_printf (" It holds %s.", items);
  finding = ward_doctor_say (doctor, "no-room-persistent", tpm, WARD_SEVERITY_WARNING,
                             "The TPM has no room for another persistent key");
  ward_doctor_set (&finding->detail,
                   "Its permanent memory is full, by keys or NV indices: a program that wants to keep one more there "
                   "fails.%s Evict keys (tpmward key evict) or undefine NV indices (tpmward nv undefine) that nobody "
                   "needs any more. Which those are only a person knows, so there is no repair for this.",
                   holds ? holds : "");
}

static void
climb_objects (WardDoctor *doctor, const WardDoctorTpm *tpm)
{
  gboolean is_managed = strstr (tpm->transport, "/tpmrm") != NULL;
  WardFinding *finding;

  if (tpm->ownership->room.transient_available != 0)
    return;
  finding = ward_doctor_say (doctor, "no-room-objects", tpm, WARD_SEVERITY_WARNING,
                             "The TPM has no room to load another key");
  ward_doctor_set (
      &finding->detail, "All places for loaded objects are taken, so that no key can be used. %s",
      is_managed ? "The kernel's resource manager takes its users' objects out of the chip by turns, so these "
                   "were loaded past it, by a program that uses /dev/tpm0 or did so and has left them: end it, or "
                   "restart. A repair does not flush what may be another program's."
                 : "Whoever shares this connection with the service has left them there: end such programs, and "
                   "start the service anew, which flushes what is left where it has the TPM for itself.");
}

static void
climb_sessions (WardDoctor *doctor, const WardDoctorTpm *tpm)
{
  const WardRoom *room = &tpm->ownership->room;
  gboolean is_managed = strstr (tpm->transport, "/tpmrm") != NULL;
  WardFinding *finding;

  if (!has_many_sessions (room))
    return;
  finding = ward_doctor_say (doctor, "leaked-sessions", tpm, WARD_SEVERITY_WARNING,
                             "Sessions that nobody ends fill the TPM");
  ward_doctor_set (&finding->detail,
                   "%u sessions are active of the %u that the TPM can keep track of; beyond, no program that needs one "
                   "can work. %s",
                   room->sessions_active, room->sessions_active_max,
                   is_managed
                       ? "Through the kernel's resource manager sessions end with the program that began them, and to "
                         "flush those of programs that run would break these: end the one that begins so many, or "
                         "restart. So there is no repair for this."
                       : "Programs that were killed, or saved them and never came back, leave them. They end when the "
                         "TPM is reset, at a restart of the machine. There is no repair for this, as they may be in "
                         "use.");
}

void
ward_doctor_climb_room (WardDoctor *doctor, const WardDoctorTpm *tpm)
{
  climb_persistent (doctor, tpm);
  climb_objects (doctor, tpm);
  climb_sessions (doctor, tpm);
}
