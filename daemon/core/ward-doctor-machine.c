/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "ward-doctor-private.h"
#include "ward-error.h"

#define N_LINES 20

static void
say_no_driver (WardDoctor *doctor, WardSeverity severity)
{
  const WardAbsence *absence = doctor->facts->machine->absence;
  char **modules = doctor->facts->machine->missing_modules;
  WardFinding *finding = ward_doctor_say (doctor, "no-driver", NULL, severity,
                                          "The firmware announces a TPM that no driver has taken");

  ward_doctor_set (&finding->detail, "%s", absence->text);
  ward_doctor_set (&finding->subject, "%s", *modules ? modules[0] : absence->subject);
  if (*modules)
    {
      g_autofree char *names = g_strjoinv (" or, if that changes nothing, ", modules);

      ward_doctor_set (&finding->repair, "Loads the kernel module %s.", names);
    }
  ward_doctor_quote_journal (doctor, finding, NULL);
}

static void
say_unused (WardDoctor *doctor)
{
  const WardAbsence *absence = doctor->facts->machine->absence;
  WardFinding *finding = ward_doctor_say (doctor, "tpm-unused", NULL, WARD_SEVERITY_WARNING, "The service uses no TPM");

  ward_doctor_set (&finding->detail, "%s",
                   doctor->facts->discovers ? absence->text
                                            : "The service was told not to look for this machine's TPMs (Discover in "
                                              "tpmward.conf, or --no-discovery), and no other is configured. Change "
                                              "that, and start tpmward.service anew.");
  if (doctor->facts->discovers)
    ward_doctor_set (&finding->subject, "/dev/%s", absence->subject);
}

/* There is no TPM at all: as far as the machine has come. */
static void
climb_absence (WardDoctor *doctor)
{
  const WardAbsence *absence = doctor->facts->machine->absence;
  WardFinding *finding;

  if (!doctor->facts->discovers)
    {
      say_unused (doctor);
      return;
    }
  switch (absence->kind)
    {
    case WARD_ABSENCE_NO_DRIVER:
      say_no_driver (doctor, WARD_SEVERITY_ERROR);
      return;
    case WARD_ABSENCE_UNUSED:
      say_unused (doctor);
      return;
    case WARD_ABSENCE_NO_NODE:
      return; /* said of each device */
    case WARD_ABSENCE_UNANNOUNCED:
    default:
      finding = ward_doctor_say (doctor, "no-acpi", NULL, WARD_SEVERITY_ERROR, "The firmware offers no TPM");
      ward_doctor_set (&finding->detail,
                       "%s No program can switch a TPM on that the firmware hides, so there is no repair for this.",
                       absence->text);
      ward_doctor_set (&finding->subject, "%s", absence->subject);
    }
}

static void
climb_nodes (WardDoctor *doctor)
{
  GPtrArray *devices = doctor->facts->machine->devices;
  g_autoptr (GString) missing = g_string_new (NULL);
  g_autofree char *first = NULL;
  WardFinding *finding;

  for (guint i = 0; i < devices->len; i++)
    {
      const WardMachineDevice *device = g_ptr_array_index (devices, i);
      const char *names[] = { device->has_node ? NULL : device->name, device->has_manager ? NULL : device->manager };

      for (guint j = 0; j < G_N_ELEMENTS (names); j++)
        {
          if (!names[j])
            continue;
          g_string_append_printf (missing, "%s/dev/%s", missing->len > 0 ? ", " : "", names[j]);
          if (!first)
            first = g_strconcat ("/dev/", names[j], NULL);
        }
    }
  if (!first)
    return;

  finding = ward_doctor_say (doctor, "no-node", NULL, WARD_SEVERITY_ERROR,
                             "The kernel drives a TPM, but a device node of it is missing");
  ward_doctor_set (&finding->subject, "%s", first);
  ward_doctor_set (&finding->detail,
                   "Missing: %s. The kernel makes device nodes by itself where /dev is a devtmpfs, so there is nothing "
                   "to repair here: in a container, have the nodes passed in; elsewhere, restart. If only the node of "
                   "the resource manager (tpmrm) is missing, the TPM may be waiting for a firmware update to be "
                   "completed.",
                   missing->str);
}

/* What lies in /var/lib/tpm nobody but tss may list. */
static gboolean
may_be_told (const WardDoctor *doctor, const char *line)
{
  return doctor->viewer->sees_all || strstr (line, " /dev/") || g_str_has_suffix (line, " /var/lib/tpm")
         || strstr (line, " /var/lib/tpm (");
}

/* The lines as a text; those not to be told are counted. n_repairs: how many tell of something that can be done. */
static char *
join_lines (const WardDoctor *doctor, char **lines, guint *n_repairs)
{
  g_autoptr (GString) text = g_string_new (NULL);
  guint n_told = 0, n_untold = 0;

  *n_repairs = 0;
  for (char **line = lines; *line; line++)
    {
      *n_repairs += !g_str_has_prefix (*line, WARD_DOCTOR_LEFT_ALONE);
      if (n_told < N_LINES && may_be_told (doctor, *line))
        g_string_append_printf (text, "%s%s", n_told++ > 0 ? "; " : "", *line);
      else
        n_untold++;
    }
  if (n_untold > 0)
    g_string_append_printf (text, "%s%u %s in /var/lib/tpm", n_told > 0 ? "; and " : "", n_untold,
                            n_untold == 1 ? "more" : "more such");
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* The helper has told what it would do. */
static void
climb_access (WardDoctor *doctor)
{
  guint n_repairs;
  g_autofree char *lines = join_lines (doctor, doctor->facts->access, &n_repairs);
  gboolean of_devices = strstr (lines, "/dev/") != NULL;
  WardFinding *finding;

  if (!*doctor->facts->access)
    return;
  finding = ward_doctor_say (doctor, "wrong-access", NULL,
                             of_devices && n_repairs > 0 ? WARD_SEVERITY_ERROR : WARD_SEVERITY_WARNING,
                             of_devices ? "A device node of a TPM does not have the owner or mode that it needs"
                                        : "/var/lib/tpm does not have the owners or modes that it needs");
  ward_doctor_set (&finding->subject, "%s", of_devices ? "/dev" : "/var/lib/tpm");
  ward_doctor_set (
      &finding->detail,
      "The TPM's device nodes belong to the user and group tss with mode 0660, and /var/lib/tpm, where "
      "tcsd keeps keys, to tss alone: otherwise the service, tcsd or other programs of the group cannot "
      "reach the TPM. What a repair would do: %s.%s",
      lines, n_repairs > 0 ? "" : " What is left alone a person must look at: it could be a trap for whoever repairs.");
  if (n_repairs > 0)
    ward_doctor_set (&finding->repair, "Gives %s the owners and modes that they need.",
                     of_devices ? "the device nodes and /var/lib/tpm" : "/var/lib/tpm and what is in it");
}

/* What the service sees by itself, where the helper cannot be asked, nor do anything about it. */
static void
climb_misfits (WardDoctor *doctor)
{
  GPtrArray *misfits = doctor->facts->machine->misfits;
  g_autoptr (GString) text = g_string_new (NULL);
  WardFinding *finding;

  if (misfits->len == 0)
    return;
  for (guint i = 0; i < misfits->len; i++)
    g_string_append_printf (text, "%s%s", i > 0 ? ", " : "", (const char *)g_ptr_array_index (misfits, i));
  finding = ward_doctor_say (doctor, "wrong-access", NULL, WARD_SEVERITY_ERROR,
                             "Access to a TPM does not have the owner or mode that it needs");
  ward_doctor_set (&finding->subject, "%.*s", (int)strcspn (g_ptr_array_index (misfits, 0), " "),
                   (const char *)g_ptr_array_index (misfits, 0));
  ward_doctor_set (&finding->detail,
                   "Wrong: %s. Device nodes should be tss:tss 0660 (tss:root for /dev/tpm0 as well), /var/lib/tpm "
                   "tss:tss 0700. Only tpmward-helper could repair it, which does not answer: as root, run “chown "
                   "tss:tss” and “chmod” on them.",
                   text->str);
}

static void
climb_tss (WardDoctor *doctor)
{
  WardFinding *finding;

  if (doctor->facts->tss.exists)
    return;
  finding = ward_doctor_say (doctor, "no-tss-user", NULL, WARD_SEVERITY_ERROR, "There is no user “tss”");
  ward_doctor_set (&finding->subject, "tss");
  ward_doctor_set (&finding->detail,
                   "The TPM's device nodes belong to the user and group “tss”, and nobody can be given access to them "
                   "while there is none. Create it by running “systemd-sysusers” as root, or by installing your "
                   "distribution's tpm2-tss or tpm-udev package. The service does not create users by itself.");
}

/* Every question to the helper may come to nothing, and the reason is the same for most. */
static void
climb_helper (WardDoctor *doctor)
{
  const GError *access = doctor->facts->access_error;
  const GError *others = doctor->facts->dependents_error ? doctor->facts->dependents_error
                                                         : doctor->facts->holders_error;
  const GError *error = access && !g_error_matches (access, WARD_ERROR, WARD_ERROR_NOT_FOUND) ? access : others;
  gboolean is_missing = g_error_matches (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED);
  WardFinding *finding;

  if (!error)
    return;
  finding = ward_doctor_say (doctor, "helper-missing", NULL, WARD_SEVERITY_WARNING,
                             is_missing ? "tpmward-helper is not installed"
                                        : "tpmward-helper cannot do all of its work");
  ward_doctor_set (&finding->subject, "tpmward-helper.service");
  ward_doctor_set (&finding->detail,
                   "So not all of this machine could be examined: wrong owners of files, programs that depend on the "
                   "TPM and processes that hold it may go unseen, and nothing that needs root can be repaired. %s",
                   error->message);
}

void
ward_doctor_climb_machine (WardDoctor *doctor)
{
  const WardDoctorFacts *facts = doctor->facts;

  if (doctor->tpms->len == 0)
    climb_absence (doctor);
  else if (facts->discovers && facts->machine->devices->len == 0 && *facts->machine->missing_modules)
    say_no_driver (doctor, WARD_SEVERITY_WARNING);
  if (facts->discovers)
    climb_nodes (doctor);
  climb_tss (doctor);
  if (facts->access)
    climb_access (doctor);
  else
    climb_misfits (doctor);
  climb_helper (doctor);
}
