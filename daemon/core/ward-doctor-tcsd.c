/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How tcsd is, by which a TPM 1.2 is used. What it says when it fails is the same for many causes: they are told apart
 * by what there is. */
#include <string.h>

#include "ward-device.h"
#include "ward-doctor-private.h"

#define UNIT "tcsd.service"
#define CONFIG "/etc/tcsd.conf"

/* The only one that it opens, but for names that no system has had for long. */
#define DEVICE "tpm0"

/* What it says to the journal. */
#define NO_DEVICE "Could not find a device to open"
#define NO_STATE "system PS: open() of"
#define NO_PORT "bind: Address already in use"

static const WardMachineDevice *
find_device (const WardDoctor *doctor, const char *name)
{
  GPtrArray *devices = doctor->facts->machine->devices;

  for (guint i = 0; i < devices->len; i++)
    {
      const WardMachineDevice *device = g_ptr_array_index (devices, i);

      if (name ? g_str_equal (device->name, name) : device->is_tpm12)
        return device;
    }
  return NULL;
}

static const WardDoctorTpm *
find_tpm12 (const WardDoctor *doctor)
{
  for (guint i = 0; i < doctor->tpms->len; i++)
    if (ward_doctor_is_tpm12 (g_ptr_array_index (doctor->tpms, i)))
      return g_ptr_array_index (doctor->tpms, i);
  return NULL;
}

static gboolean
is_unreachable (const WardDoctorTpm *tpm)
{
  return tpm && tpm->state == WARD_TPM_UNREACHABLE;
}

/* One of the helper's lines about what; NULL if there is none. */
static const char *
find_line (char **lines, const char *what)
{
  for (char **line = lines; line && *line; line++)
    if (strstr (*line, what))
      return *line;
  return NULL;
}

static gboolean
has_repair (char **lines)
{
  for (char **line = lines; *line; line++)
    if (!g_str_has_prefix (*line, WARD_DOCTOR_LEFT_ALONE))
      return TRUE;
  return FALSE;
}

/* Only tss may read what the file says, but everybody whose it is. */
static char *
join_lines (const WardDoctor *doctor, char **lines)
{
  g_autoptr (GStrvBuilder) told = g_strv_builder_new ();
  g_auto (GStrv) all = NULL;

  for (char **line = lines; *line; line++)
    if (doctor->viewer->sees_all || !strstr (*line, "comment out line"))
      g_strv_builder_add (told, *line);
  all = g_strv_builder_end (told);
  return all[0] ? g_strjoinv ("; ", all) : g_strdup ("comment out what is wrong in it");
}

static void
climb_missing (WardDoctor *doctor)
{
  const char *load = doctor->facts->tcsd.load;
  gboolean is_masked = g_strcmp0 (load, "masked") == 0;
  WardFinding *finding;

  if (!is_unreachable (find_tpm12 (doctor)) || (!is_masked && g_strcmp0 (load, "not-found") != 0))
    return;
  finding = ward_doctor_say (doctor, "tcsd-missing", NULL, WARD_SEVERITY_ERROR,
                             is_masked ? "tcsd.service, which a TPM 1.2 needs, is masked"
                                       : "tcsd, which a TPM 1.2 needs, is not installed");
  ward_doctor_set (&finding->subject, UNIT);
  ward_doctor_set (&finding->detail, "A TPM 1.2 is used through tcsd, the daemon of TrouSerS. %s",
                   is_masked ? "An administrator has forbidden systemd to start it. “systemctl unmask tcsd.service” "
                               "allows it again; the service then starts it when it is needed."
                             : "Install your distribution's package of it, “trousers” as a rule; the service then "
                               "starts it when it is needed.");
}

static void
climb_config (WardDoctor *doctor)
{
  char **lines = doctor->facts->tcsd_config;
  g_autofree char *told = lines ? join_lines (doctor, lines) : NULL;
  WardFinding *finding;

  if (!lines || !*lines)
    return;
  finding = ward_doctor_say (doctor, "tcsd-config", NULL, WARD_SEVERITY_ERROR,
                             "tcsd does not start with its configuration file as it is");
  ward_doctor_set (&finding->subject, CONFIG);
  ward_doctor_set (&finding->detail,
                   "tcsd insists that " CONFIG " belongs to root, with the group tss and mode 0640, as whoever can "
                   "change it could have keys put elsewhere; and on ports and numbers of threads from 1 to 65535. "
                   "What a repair would do: %s.",
                   told);
  if (has_repair (lines))
    ward_doctor_set (&finding->repair,
                     "Gives " CONFIG " its owner and mode, and comments out numbers that tcsd refuses, so that "
                     "its own hold.");
}

static void
climb_exposure (WardDoctor *doctor)
{
  char **lines = doctor->facts->tcsd_remote;
  WardFinding *finding;

  if (!lines || !*lines)
    return;
  finding = ward_doctor_say (doctor, "tcsd-exposed", NULL, WARD_SEVERITY_WARNING,
                             "tcsd listens to the network, and not to this machine alone");
  ward_doctor_set (&finding->subject, CONFIG);
  ward_doctor_set (&finding->detail,
                   "With “remote_ops” in " CONFIG " tcsd takes connections from every machine that reaches its port, "
                   "without asking who it is and without encryption, and does for them what is listed there. Nothing "
                   "on this machine needs that: programs here reach tcsd by 127.0.0.1. If another machine is to use "
                   "this TPM, use a tunnel, such as ssh's.");
  if (has_repair (lines))
    ward_doctor_set (&finding->repair,
                     "Comments out “remote_ops” in " CONFIG ", and restarts tcsd.service if it runs.");
}

/* It runs, but the service looks for it elsewhere. */
static void
climb_port (WardDoctor *doctor)
{
  const WardDoctorTpm *tpm = find_tpm12 (doctor);
  guint listens = doctor->facts->machine->tcsd_port;
  guint asked = is_unreachable (tpm) ? ward_device_get_tcsd_port (tpm->transport) : 0;
  WardFinding *finding;

  if (!ward_unit_is_active (&doctor->facts->tcsd) || asked == 0 || listens == 0 || asked == listens)
    return;
  finding = ward_doctor_say (doctor, "tcsd-port", NULL, WARD_SEVERITY_ERROR,
                             "tcsd listens at another port than the service looks for it");
  ward_doctor_set (&finding->subject, CONFIG);
  ward_doctor_set (&finding->detail,
                   CONFIG
                   " sets the port %u, and the service looks at %u. Either take “port” out of " CONFIG
                   " and restart tcsd.service, or tell the service the port, with “tcsd:port=%u” as transport in "
                   "tpmward.conf; other programs have it from TSS_TCSD_PORT. Which of them is right, nobody but you "
                   "knows.",
                   listens, asked, listens);
}

/* Who has the device open that tcsd needs; NULL: nobody but tcsd. For those who see all, by name. */
static char *
find_holder (const WardDoctor *doctor)
{
  gsize n = doctor->facts->holders ? g_variant_n_children (doctor->facts->holders) : 0;

  for (gsize i = 0; i < n; i++)
    {
      g_autoptr (GVariant) holder = g_variant_get_child_value (doctor->facts->holders, i);
      const char *device = "", *command = "";
      guint32 pid = 0;

      g_variant_lookup (holder, "device", "&s", &device);
      g_variant_lookup (holder, "command", "&s", &command);
      g_variant_lookup (holder, "pid", "u", &pid);
      if (!g_str_equal (device, "/dev/" DEVICE) || g_str_equal (command, "tcsd"))
        continue;
      return doctor->viewer->sees_all ? g_strdup_printf ("%s (process %u)", command, pid)
                                      : g_strdup ("another process, which an administrator can have named,");
    }
  return NULL;
}

/* What keeps tcsd from the device that no repair of ours can change; NULL: nothing. A tcsd that was configured may have
 * a TPM that is none of the kernel's. */
static char *
tell_device (const WardDoctor *doctor)
{
  const WardMachineDevice *tpm12 = find_device (doctor, NULL), *first = find_device (doctor, DEVICE);
  g_autofree char *holder = find_holder (doctor);

  if (tpm12 && !g_str_equal (tpm12->name, DEVICE))
    return g_strdup_printf ("tcsd opens /dev/" DEVICE " and no other, which %s, and this machine's TPM 1.2 is /dev/%s. "
                            "A restart of the machine, or switching the other TPM off in its firmware, may change "
                            "that.",
                            first ? "is another TPM's" : "is not there", tpm12->name);
  if (tpm12 ? !tpm12->has_node : doctor->facts->discovers)
    return g_strdup ("There is no /dev/" DEVICE " for it to open.");
  if (holder)
    return g_strdup_printf ("/dev/" DEVICE " is held by %s and can be opened by one at a time: have that end first.",
                            holder);
  return NULL;
}

/* What keeps tcsd from starting that can be repaired, a sentence each. */
static void
add_causes (const WardDoctor *doctor, GString *text)
{
  const WardDoctorFacts *facts = doctor->facts;

  if (find_line (facts->access, " /dev/" DEVICE " "))
    g_string_append (text, " /dev/" DEVICE " does not belong to tss, as whom most distributions start tcsd.");
  if (find_line (facts->access, " /var/lib/tpm"))
    g_string_append (text, " /var/lib/tpm, or system.data in it, where tcsd keeps keys, does not belong to tss alone.");
  if (facts->tcsd_config && *facts->tcsd_config)
    g_string_append (text, " Its configuration file is not as it insists on.");
}

/* What there is no cause of to be seen any more. */
static const char *
tell_past (const WardDoctor *doctor)
{
  static const struct
  {
    const char *result;
    const char *words;
  } results[] = {
    { "timeout", "It was not ready in the time that systemd gives it." },
    { "start-limit-hit", "It was started, and failed, too often in a short time." },
    { "signal", "It was killed by a signal." },
    { "core-dump", "It has crashed." },
    { "oom-kill", "It was killed for want of memory." },
  };

  if (ward_doctor_journal_has (doctor, NO_PORT))
    return "Another program has its port. Find it by “ss -tlnp”, and end it or give it another port.";
  if (ward_doctor_journal_has (doctor, NO_DEVICE))
    return "It could not open the device when it was started, which is all right by now: it may have come before the "
           "device, or another program had that open.";
  if (ward_doctor_journal_has (doctor, NO_STATE))
    return "It could not open its file of keys when it was started, which is all right by now.";
  for (guint i = 0; i < G_N_ELEMENTS (results); i++)
    if (g_strcmp0 (doctor->facts->tcsd.result, results[i].result) == 0)
      return results[i].words;
  return "It has ended with an error. “journalctl -u tcsd” has what it says.";
}

static void
climb_failure (WardDoctor *doctor)
{
  g_autoptr (GString) causes = g_string_new (NULL);
  g_autofree char *hopeless = NULL;
  WardFinding *finding;

  if (!ward_unit_has_failed (&doctor->facts->tcsd))
    return;
  hopeless = tell_device (doctor);
  add_causes (doctor, causes);
  finding = ward_doctor_say (doctor, "tcsd-failed", NULL, WARD_SEVERITY_ERROR,
                             "tcsd, which the TPM 1.2 needs, has failed");
  ward_doctor_set (&finding->subject, UNIT);
  ward_doctor_set (
      &finding->detail, "systemd has started tcsd.service, and it has ended (%s). What keeps it from working: %s%s",
      doctor->facts->tcsd.result ? doctor->facts->tcsd.result : "for an unknown reason",
      hopeless ? hopeless : (causes->len > 0 ? causes->str + 1 : tell_past (doctor)), hopeless ? causes->str : "");
  if (!hopeless)
    ward_doctor_set (&finding->repair,
                     "Gives the device nodes, /var/lib/tpm and " CONFIG " the owners and modes that they need, where "
                     "they lack them, and starts tcsd.service.");
  ward_doctor_quote_journal (doctor, finding, "tcsd");
}

void
ward_doctor_climb_tcsd (WardDoctor *doctor)
{
  if (!find_tpm12 (doctor) && !find_device (doctor, NULL))
    return;
  climb_missing (doctor);
  climb_config (doctor);
  climb_failure (doctor);
  climb_port (doctor);
  climb_exposure (doctor);
}
