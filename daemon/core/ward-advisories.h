/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-backend.h"

/* A known fault of some maker's TPMs. Static: never freed. No string is NULL. */
typedef struct
{
  const char *id;       /* a CVE number where there is one */
  const char *severity; /* "info", "warning" or "error" */
  const char *title;    /* what is wrong, in a line */
  const char *detail;   /* what it means, what to do, and what the version cannot tell, in sentences */
  const char *source;   /* where it is published: an address */
} WardAdvisory;

GPtrArray *ward_advisories_find (const WardIdentity *identity);

/* Whether there is an advisory of that id. */
gboolean ward_advisories_knows (const char *id);
