/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "ward-doctor-private.h"

#define N_HOLDERS 10

/* Whether a program configured here speaks to its TPM through the resource manager in user space. */
static gboolean
uses_abrmd (const WardDoctor *doctor)
{
  for (guint i = 0; i < doctor->tpms->len; i++)
    if (strstr (((const WardDoctorTpm *)g_ptr_array_index (doctor->tpms, i))->transport, "tabrmd"))
      return TRUE;
  return FALSE;
}

static gboolean
tcsd_is_wrong (const WardDoctor *doctor)
{
  const WardUnit *tcsd = &doctor->facts->tcsd;

  return ward_doctor_has_only_tpm2 (doctor)
         && (ward_unit_is_active (tcsd) || ward_unit_has_failed (tcsd) || ward_unit_is_enabled (tcsd));
}

/* The kernel has had a resource manager of its own since 4.12. */
static gboolean
abrmd_is_wrong (const WardDoctor *doctor)
{
  const WardUnit *abrmd = &doctor->facts->abrmd;
  GPtrArray *devices = doctor->facts->machine->devices;
  gboolean has_manager = FALSE;

  for (guint i = 0; i < devices->len; i++)
    has_manager = has_manager || ((const WardMachineDevice *)g_ptr_array_index (devices, i))->has_manager;
  for (guint i = 0; i < doctor->tpms->len; i++)
    has_manager = has_manager
                  || strstr (((const WardDoctorTpm *)g_ptr_array_index (doctor->tpms, i))->transport, "/tpmrm");
  return has_manager && !uses_abrmd (doctor)
         && (ward_unit_is_active (abrmd) || ward_unit_has_failed (abrmd) || ward_unit_is_enabled (abrmd));
}

static void
climb_tcsd (WardDoctor *doctor)
{
  const WardUnit *tcsd = &doctor->facts->tcsd;
  gboolean runs = ward_unit_is_active (tcsd), failed = ward_unit_has_failed (tcsd);
  WardFinding *finding;

  if (!tcsd_is_wrong (doctor))
    return;
  finding = ward_doctor_say (doctor, "tcsd-on-tpm2", NULL, runs || failed ? WARD_SEVERITY_ERROR : WARD_SEVERITY_WARNING,
                             failed ? "tcsd.service has failed: it cannot work with a TPM 2.0"
                             : runs ? "tcsd.service runs, but cannot work with a TPM 2.0"
                                    : "tcsd.service is enabled, but cannot work with a TPM 2.0");
  ward_doctor_set (&finding->subject, "tcsd.service");
  ward_doctor_set (&finding->detail,
                   "tcsd, of TrouSerS, is for TPM 1.2, and all TPMs of this machine are of family 2.0. It fails at its "
                   "start with “Inappropriate ioctl for device” and “TCS GetCapability failed”, no matter who owns the "
                   "device nodes%s, and while it tries it keeps others from /dev/tpm0. Programs that need tcsd "
                   "(tpm-tools, old PKCS#11 modules) cannot use this TPM; use their successors for TPM 2.0.",
                   failed && tcsd->result ? " (systemd says that its start failed)" : "");
  ward_doctor_set (&finding->repair, "Stops tcsd.service and disables it, so that it is not started again.");
  ward_doctor_quote_journal (doctor, finding, "tcsd");
}

static void
climb_abrmd (WardDoctor *doctor)
{
  const WardUnit *abrmd = &doctor->facts->abrmd;
  WardFinding *finding;

  if (!abrmd_is_wrong (doctor))
    return;
  finding = ward_doctor_say (doctor, "abrmd-in-the-way", NULL, WARD_SEVERITY_WARNING,
                             ward_unit_is_active (abrmd) ? "tpm2-abrmd runs beside the kernel's resource manager"
                             : ward_unit_has_failed (abrmd)
                                 ? "tpm2-abrmd has failed, and is not needed"
                                 : "tpm2-abrmd is enabled beside the kernel's resource manager");
  ward_doctor_set (&finding->subject, "tpm2-abrmd.service");
  ward_doctor_set (&finding->detail,
                   "tpm2-abrmd shares a TPM among programs, as the kernel does by itself through /dev/tpmrm0. Neither "
                   "knows of what the other has loaded into the chip, so that each can take the other's room and "
                   "sessions. The kernel's is enough; only programs that are told to use “tabrmd” need the other "
                   "(TCTI, TPM2TOOLS_TCTI): have them use “device:/dev/tpmrm0”.");
  ward_doctor_set (&finding->repair, "Stops tpm2-abrmd.service and disables it, so that it is not started again.");
  ward_doctor_quote_journal (doctor, finding, "abrmd");
}

/* Whether the process has the device itself open, past the resource manager, without our knowing better why. */
static gboolean
holder_counts (const WardDoctor *doctor, GVariant *holder)
{
  const char *device = "", *command = "";
  guint32 pid = 0;
  const char *name;

  g_variant_lookup (holder, "device", "&s", &device);
  g_variant_lookup (holder, "command", "&s", &command);
  g_variant_lookup (holder, "pid", "u", &pid);
  name = strrchr (device, '/');
  name = name ? name + 1 : device;
  if (!g_str_has_prefix (name, "tpm") || !g_ascii_isdigit (name[strlen ("tpm")]) || pid == doctor->facts->own_pid)
    return FALSE;
  if (g_str_equal (command, "tcsd"))
    return ward_doctor_has_only_tpm2 (doctor) && !tcsd_is_wrong (doctor);
  if (g_str_has_prefix (command, "tpm2-abrmd"))
    return !uses_abrmd (doctor) && !abrmd_is_wrong (doctor);
  return TRUE;
}

static void
name_holder (GString *names, GVariant *holder, guint n)
{
  const char *device = "", *command = "";
  guint32 pid = 0, uid = 0;

  g_variant_lookup (holder, "device", "&s", &device);
  g_variant_lookup (holder, "command", "&s", &command);
  g_variant_lookup (holder, "pid", "u", &pid);
  g_variant_lookup (holder, "uid", "u", &uid);
  if (n < N_HOLDERS)
    g_string_append_printf (names, "%s%s (process %u of user %u) has %s open", n > 0 ? ", " : "", command, pid, uid,
                            device);
  else if (n == N_HOLDERS)
    g_string_append (names, ", and there are more");
}

static void
climb_holders (WardDoctor *doctor)
{
  g_autoptr (GString) names = g_string_new (NULL);
  g_autofree char *device = NULL;
  gsize n = doctor->facts->holders ? g_variant_n_children (doctor->facts->holders) : 0;
  guint n_counting = 0;
  WardFinding *finding;

  for (gsize i = 0; i < n; i++)
    {
      g_autoptr (GVariant) holder = g_variant_get_child_value (doctor->facts->holders, i);

      if (!holder_counts (doctor, holder))
        continue;
      if (n_counting == 0)
        g_variant_lookup (holder, "device", "s", &device);
      name_holder (names, holder, n_counting++);
    }
  if (n_counting == 0)
    return;

  finding = ward_doctor_say (doctor, "device-held", NULL, WARD_SEVERITY_WARNING,
                             "A process has a TPM's device open past the resource manager");
  ward_doctor_set (&finding->subject, "%s", device);
  ward_doctor_set (&finding->detail,
                   "%s. While it does, nobody else can open that device, and what it loads takes the room of the "
                   "others. Have the program use the resource manager's device (/dev/tpmrm0), or end it. A repair does "
                   "not end other people's programs.",
                   doctor->viewer->sees_all ? names->str : "An administrator can have the process named");
}

void
ward_doctor_climb_services (WardDoctor *doctor)
{
  climb_tcsd (doctor);
  climb_abrmd (doctor);
  climb_holders (doctor);
}
