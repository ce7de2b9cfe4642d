/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-finding.h"
#include "ward-machine.h"
#include "ward-store.h"
#include "ward-tpm.h"

/* What systemd says of a unit, in its own words; all NULL when it is not there to ask, all but the first when there is
 * no such unit or it may not be started. */
typedef struct
{
  char *load;    /* LoadState: "loaded", "not-found", "masked", … */
  char *active;  /* ActiveState: "active", "failed", "inactive", … */
  char *result;  /* Result: "success", "exit-code", … */
  char *enabled; /* UnitFileState: "enabled", "disabled", "generated", … */
} WardUnit;

void ward_unit_clear (WardUnit *unit);

/* Whether it runs or tries to; whether it tried and failed; whether it would be started with the machine. */
gboolean ward_unit_is_active (const WardUnit *unit);
gboolean ward_unit_has_failed (const WardUnit *unit);
gboolean ward_unit_is_enabled (const WardUnit *unit);

/* What was gathered of the machine. Not changed once it is gathered. */
typedef struct
{
  gboolean discovers; /* the service looks for this machine's own TPMs */
  guint own_pid;      /* the service's own process */
  WardTss tss;
  WardMachine *machine;

  char **access; /* what a repair of access would do, in lines; NULL: it could not be told, as access_error says */
  GError *access_error;
  GVariant *dependents; /* aa{sv} of the helper; NULL: it could not be told, as dependents_error says */
  GError *dependents_error;
  GVariant *holders; /* aa{sv} of the helper; NULL: it could not be told, as holders_error says */
  GError *holders_error;
  char **journal;     /* lines; NULL where the holders are */
  char **tcsd_config; /* what a repair of tcsd.conf would do, in lines; NULL where access is */
  char **tcsd_remote; /* what would have tcsd listen to this machine alone; likewise */
  GHashTable *items;  /* a TPM's name → GPtrArray of WardChipItem, of those short of room */

  GPtrArray *damages;  /* of WardDamage, in the store of keys; */
  GError *store_error; /* why there is no store; or NULL */

  WardUnit tcsd;
  WardUnit abrmd;
} WardDoctorFacts;

/* Freed by ward_doctor_facts_unref (). */
WardDoctorFacts *ward_doctor_facts_new (void);
WardDoctorFacts *ward_doctor_facts_ref (WardDoctorFacts *facts);
void ward_doctor_facts_unref (WardDoctorFacts *facts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardDoctorFacts, ward_doctor_facts_unref)

/* A copy of what is known of one TPM. */
typedef struct
{
  char *name;
  char *family;
  char *transport;
  char *device_path;
  char *kernel_name;
  WardTpmState state;
  char *state_detail;
  GPtrArray *advisories; /* of const WardAdvisory */
  WardSelfTestState self_test;
  char *self_test_text;

  WardOwnership *ownership; /* NULL when it is not known */
  guint64 next_recovery;
  guint64 barred_until;
  gboolean guard_damaged;

  WardChange change;
  guint64 change_noticed_at;
  char *change_text; /* NULL: there is none */
  gboolean clear_pending;
  char *presence_response; /* NULL: there was none */
  gboolean presence_failed;
} WardDoctorTpm;

WardDoctorTpm *ward_doctor_tpm_new (WardTpm *tpm);
void ward_doctor_tpm_free (WardDoctorTpm *tpm);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardDoctorTpm, ward_doctor_tpm_free)

/* For whom the findings are. */
typedef struct
{
  guint uid;
  gboolean sees_all; /* processes, the journal, what is other users' */
} WardDoctorViewer;

/* Whether it is worth asking the chip what fills it. */
gboolean ward_doctor_is_short (const WardRoom *room);

/* Climbs the ladder from the firmware to the room in the chip and says what is wrong, worst first: a GPtrArray of
 * WardFinding that the caller owns. tpms: of WardDoctorTpm. Looks at nothing but what it is given. */
GPtrArray *ward_doctor_examine (const WardDoctorFacts *facts, GPtrArray *tpms, const WardDoctorViewer *viewer);

/* The one of that id, or NULL. */
const WardFinding *ward_doctor_find (GPtrArray *findings, const char *id);
