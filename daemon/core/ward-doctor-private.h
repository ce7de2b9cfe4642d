/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-doctor.h"

/* What the rungs of the ladder share. */

typedef struct
{
  const WardDoctorFacts *facts;
  GPtrArray *tpms; /* of WardDoctorTpm */
  const WardDoctorViewer *viewer;
  GPtrArray *findings;
} WardDoctor;

/* Adds a finding, and returns it for its texts to be filled in. tpm: NULL for what is not about one TPM. title: a
 * format. */
WardFinding *ward_doctor_say (WardDoctor *doctor, const char *base, const WardDoctorTpm *tpm, WardSeverity severity,
                              const char *title);

/* Takes the place of a text of a finding's. */
void ward_doctor_set (char **text, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* Adds lines of the journal that hold the word, for those who may see them; NULL: those that hold neither name of a
 * service. */
void ward_doctor_quote_journal (WardDoctor *doctor, WardFinding *finding, const char *word);

/* Whether a line of the journal has the text. */
gboolean ward_doctor_journal_has (const WardDoctor *doctor, const char *text);

/* Whether a dependent is the system's or the viewer's own, or the viewer sees all. */
gboolean ward_doctor_may_name (const WardDoctor *doctor, GVariant *dependent);

/* The names of those dependents whose key (of type b) is true, in a line; others' are counted. NULL when there is none.
 */
char *ward_doctor_name_dependents (WardDoctor *doctor, const char *key);

/* An instant in microseconds of CLOCK_REALTIME, as a person reads it. */
char *ward_doctor_describe_time (guint64 time);

gboolean ward_doctor_is_tpm12 (const WardDoctorTpm *tpm);

/* Whether all the TPMs of the machine, of which there is one at least, are of that family. */
gboolean ward_doctor_has_only_tpm2 (const WardDoctor *doctor);

/* How a line of the helper's begins that tells of what it cannot repair. */
#define WARD_DOCTOR_LEFT_ALONE "left alone: "

/* The rungs. */
void ward_doctor_climb_machine (WardDoctor *doctor);
void ward_doctor_climb_services (WardDoctor *doctor);
void ward_doctor_climb_tcsd (WardDoctor *doctor);
void ward_doctor_climb_store (WardDoctor *doctor);
void ward_doctor_climb_tpm (WardDoctor *doctor, const WardDoctorTpm *tpm);
void ward_doctor_climb_ownership (WardDoctor *doctor, const WardDoctorTpm *tpm);
void ward_doctor_climb_room (WardDoctor *doctor, const WardDoctorTpm *tpm);
