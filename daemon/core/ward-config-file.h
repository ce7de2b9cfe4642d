/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* A TPM that the administrator named, beside those that the machine shows. */
typedef struct
{
  char *name;         /* fit to be an element of a D-Bus object path */
  char *transport;    /* a TCTI configuration, "tcsd", or "tcsd:port=NUMBER" */
  const char *family; /* "2.0", or "1.2" of what is reached by tcsd; static */
  gboolean from_command_line;
} WardConfigTpm;

/* What the administrator has decided. */
typedef struct
{
  gboolean discover; /* whether to look for the machine's own TPMs */
  GPtrArray *tpms;   /* of WardConfigTpm, in the order in which they were named */
} WardConfig;

WardConfig *ward_config_new (void);
WardConfig *ward_config_load (const char *path, GError **error);
void ward_config_free (WardConfig *config);
gboolean ward_config_add_tpm (WardConfig *config, const char *assignment, GError **error);
gboolean ward_config_tpm_name_is_valid (const char *name);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardConfig, ward_config_free)
