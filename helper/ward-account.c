/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-account.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>

#include "ward-error.h"

/* What these functions of the C library return is every thread's. */
G_LOCK_DEFINE_STATIC (accounts);

static gboolean
fail (const char *kind, const char *name, int number, GError **error)
{
  /* these are how getpwnam(3) may say that there is none */
  if (number == 0 || number == ENOENT || number == ESRCH)
    g_set_error (error, WARD_ERROR, WARD_ERROR_NOT_FOUND,
                 "This machine has no %s “%s”. TPM Ward's installation makes it: “systemd-sysusers” does so again.",
                 kind, name);
  else
    g_set_error (error, WARD_ERROR, WARD_ERROR_FAILED, "The %s “%s” could not be looked up: %s. Try again.", kind, name,
                 g_strerror (number));
  return FALSE;
}

static gboolean
find (const char *name, WardAccount *account, GError **error)
{
  const struct passwd *user;
  const struct group *group;

  errno = 0;
  user = getpwnam (name);
  if (!user)
    return fail ("user", name, errno, error);
  errno = 0;
  group = getgrnam (name);
  if (!group)
    return fail ("group", name, errno, error);

  *account = (WardAccount){ .uid = user->pw_uid, .gid = group->gr_gid };
  return TRUE;
}

gboolean
ward_account_find (const char *name, WardAccount *account, GError **error)
{
  gboolean found;

  G_LOCK (accounts);
  found = find (name, account, error);
  G_UNLOCK (accounts);
  return found;
}

char *
ward_account_describe (uid_t uid, gid_t gid)
{
  g_autofree char *user_name = NULL;
  g_autofree char *group_name = NULL;
  const struct passwd *user;
  const struct group *group;

  G_LOCK (accounts);
  user = getpwuid (uid);
  user_name = user ? g_strdup (user->pw_name) : g_strdup_printf ("%u", uid);
  group = getgrgid (gid);
  group_name = group ? g_strdup (group->gr_name) : g_strdup_printf ("%u", gid);
  G_UNLOCK (accounts);
  return g_strconcat (user_name, ":", group_name, NULL);
}
