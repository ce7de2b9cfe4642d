/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-doctor.h"

/* A machine that nothing is wrong with, for a test to break something of: one TPM 2.0 with its device nodes, owned, and
 * tested. */
typedef struct
{
  char *root;
  WardTss tss;
  WardDoctorFacts *facts; /* without the machine, which is read from root when it is examined */
  WardDoctorTpm *tpm;     /* in tpms */
  GPtrArray *tpms;
  WardDoctorViewer viewer; /* an ordinary user, 1000 */
  GPtrArray *findings;     /* of the last examination */
} TestDoctor;

void test_doctor_set_up (TestDoctor *doctor, gconstpointer data);
void test_doctor_tear_down (TestDoctor *doctor, gconstpointer data);

/* Makes a file of the machine, as test_tree_add () does, with that mode; removes one. */
void test_doctor_add (TestDoctor *doctor, const char *file, guint mode);
void test_doctor_remove (TestDoctor *doctor, const char *path);

/* Sees no TPM in the machine. */
void test_doctor_without_tpm (TestDoctor *doctor);

/* A dependent with a flag of that name set. */
void test_doctor_add_dependent (TestDoctor *doctor, const char *subject, guint32 uid, const char *flag);

/* Sets a text of the fixture's. */
void test_doctor_set (char **text, const char *value);

/* Examines, and asserts that nothing is found but that, or, id being NULL, that all is well. is_repaired: whether there
 * is to be a repair. */
const WardFinding *test_doctor_finds (TestDoctor *doctor, const char *id, WardSeverity severity, gboolean is_repaired);

/* Asserts that a person is told it, or not. */
void test_doctor_says (const WardFinding *finding, const char *words);
void test_doctor_hides (const WardFinding *finding, const char *words);
