/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <sys/types.h>

/* A user and the group of the same name. */
typedef struct
{
  uid_t uid;
  gid_t gid;
} WardAccount;

/* Fails with WARD_ERROR_NOT_FOUND, and words of what to do, if there is no such user or no such group. */
gboolean ward_account_find (const char *name, WardAccount *account, GError **error);

/* Names, or numbers where there are none: "tss:root", "1234:tss". */
char *ward_account_describe (uid_t uid, gid_t gid);
