/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-absence.h"

/* A TPM that the kernel drives, and what of it there is in /dev. */
typedef struct
{
  char *name; /* "tpm0" */
  gboolean is_tpm12;
  gboolean has_node;
  gboolean has_manager; /* the node of the kernel's resource manager, or there is to be none */
  char *manager;        /* its name: "tpmrm0" */
} WardMachineDevice;

/* What the doctor sees of a machine's file system, without privileges. */
typedef struct
{
  GPtrArray *devices;    /* of WardMachineDevice, sorted by name */
  WardAbsence *absence;  /* meaningful where no TPM is used */
  GStrv missing_modules; /* see ward_absence_missing_modules () */
  GPtrArray *misfits; /* of char *: nodes in /dev, and /var/lib/tpm, that do not have the owner or mode that they need,
                         each as "/dev/tpm0 (root:root 0600)" */
  guint16 tcsd_port;  /* at which tcsd is set to listen; 0 where its configuration cannot be read */
} WardMachine;

/* Whom the nodes and /var/lib/tpm are to belong to. */
typedef struct
{
  gboolean exists;
  guint32 uid;
  guint32 gid;
} WardTss;

/* The user tss of this system. May read files, or ask a directory server: not on the main thread. */
WardTss ward_tss_find (void);

/* root: "", or a folder that stands for "/" in tests. Reads small files of sysfs and more: not on the main thread. */
WardMachine *ward_machine_read (const char *root, const WardTss *tss);
void ward_machine_free (WardMachine *machine);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardMachine, ward_machine_free)
