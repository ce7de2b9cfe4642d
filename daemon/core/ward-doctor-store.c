/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The rung of the service's own store of keys. */
#include "ward-doctor-private.h"

/* So many files are named. */
#define N_NAMED 10

static gboolean
may_name_damage (const WardDoctor *doctor, const WardDamage *damage)
{
  return doctor->viewer->sees_all || damage->uid == WARD_UID_SYSTEM || damage->uid == doctor->viewer->uid;
}

/* A line for each that the viewer may see. */
static char *
name_damages (const WardDoctor *doctor, const char **first, guint *n_others)
{
  const GPtrArray *damages = doctor->facts->damages;
  g_autoptr (GString) text = g_string_new (NULL);
  guint n_named = 0, n_more = 0;

  for (guint i = 0; i < damages->len; i++)
    {
      const WardDamage *damage = damages->pdata[i];

      if (!may_name_damage (doctor, damage))
        (*n_others)++;
      else if (n_named++ < N_NAMED)
        g_string_append_printf (text, "\n%s: %s.", damage->path, damage->reason);
      else
        n_more++;
      if (n_named == 1 && !*first)
        *first = damage->path;
    }
  if (n_more > 0)
    g_string_append_printf (text, "\nAnd %u more.", n_more);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
say_damaged (WardDoctor *doctor)
{
  const char *first = NULL;
  guint n_others = 0;
  g_autofree char *named = name_damages (doctor, &first, &n_others);
  g_autofree char *others = NULL;
  WardFinding *finding = ward_doctor_say (doctor, "store-damaged", NULL, WARD_SEVERITY_WARNING,
                                          "Files in the service's store of keys are damaged or not its own");

  others = n_others > 0 ? g_strdup_printf ("\n%u %s to other users' keys. An administrator can have them named.",
                                           n_others, n_others == 1 ? "belongs" : "belong")
                        : g_strdup ("");
  if (first)
    ward_doctor_set (&finding->subject, "%s", first);
  ward_doctor_set (&finding->detail,
                   "They are kept as they are, and hurt no other key; a key whose file it is cannot be used. Restore "
                   "such files from a backup and restart tpmward.service, or delete the key; move away what is no "
                   "file of a key. What could be the last of a key is nothing that a repair should touch.%s%s",
                   named, others);
}

void
ward_doctor_climb_store (WardDoctor *doctor)
{
  const WardDoctorFacts *facts = doctor->facts;
  WardFinding *finding;

  if (facts->store_error)
    {
      finding = ward_doctor_say (doctor, "store-damaged", NULL, WARD_SEVERITY_ERROR,
                                 "The service has no store of keys");
      ward_doctor_set (&finding->detail, "%s", facts->store_error->message);
    }
  else if (facts->damages->len > 0)
    say_damaged (doctor);
}
