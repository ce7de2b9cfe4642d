/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* How far a machine without a usable TPM has come on the way to one. */
typedef enum
{
  WARD_ABSENCE_UNANNOUNCED, /* firmware announces none, or one that is switched off, or it cannot be told */
  WARD_ABSENCE_NO_DRIVER,   /* announced, and no TPM has come of it */
  WARD_ABSENCE_NO_NODE,     /* driven by the kernel, without its device nodes */
  WARD_ABSENCE_UNUSED,      /* there, and the service was told not to use it, or where it is cannot be seen */
} WardAbsenceKind;

/* Why this machine has no usable TPM. */
typedef struct
{
  WardAbsenceKind kind;
  char *subject; /* what it is about: a device, table, node or file; "" if nothing is */
  char *text;    /* why, and what to do next, in sentences for a person */
} WardAbsence;

/* From what the machine shows to a service without privileges; never more than that allows to say. root is "", or a
 * folder that stands for "/" in tests. It reads small files of sysfs, and of the device tree where there is one:
 * milliseconds. Only meaningful where no TPM is used. */
WardAbsence *ward_absence_find (const char *root);
void ward_absence_free (WardAbsence *absence);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardAbsence, ward_absence_free)

/* The text alone. Free it with g_free(). */
char *ward_absence_explain (const char *root);

/* The modules to load, in the order in which to try them, for a TPM that firmware announces and no driver has taken;
 * none when there is no such TPM, or all that may drive it are loaded. Free it with g_strfreev(). */
GStrv ward_absence_missing_modules (const char *root);
