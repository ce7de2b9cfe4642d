/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-guard.h"

#include <errno.h>
#include <glib/gstdio.h>

#include "ward-error.h"

#define GROUP "Lockout guard"

struct _WardGuard
{
  GMutex lock;
  char *path;
  gboolean is_damaged;      /* the record on disk cannot be read */
  gboolean armed;           /* a try has failed, or was under way when the service ended */
  guint64 barred_until;     /* as ward_guard_get_barred_until () gives it, while armed; may have passed */
  guint32 reset_count;      /* the TPM's, when it was barred */
  guint64 was_barred_until; /* before the try that is under way; 0 when it was not */
};

static void
load (WardGuard *guard)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (GError) error = NULL;

  guard->armed = TRUE;
  if (g_key_file_load_from_file (file, guard->path, G_KEY_FILE_NONE, &error))
    {
      guard->barred_until = g_key_file_get_uint64 (file, GROUP, "BarredUntil", &error);
      guard->reset_count = error ? 0 : (guint32)g_key_file_get_uint64 (file, GROUP, "ResetCount", &error);
    }
  if (g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_NOENT))
    guard->armed = FALSE;
  else if (error)
    {
      g_warning ("The record of failed lockout auths in %s cannot be read (%s): it counts as a failed one", guard->path,
                 error->message);
      guard->barred_until = WARD_BARRED_UNTIL_RESET;
      guard->is_damaged = TRUE;
    }
}

WardGuard *
ward_guard_new (const char *path)
{
  WardGuard *guard = g_new0 (WardGuard, 1);

  g_mutex_init (&guard->lock);
  guard->path = g_strdup (path);
  load (guard);
  return guard;
}

void
ward_guard_free (WardGuard *guard)
{
  g_mutex_clear (&guard->lock);
  g_free (guard->path);
  g_free (guard);
}

static guint64
get_barred_until (WardGuard *guard)
{
  if (!guard->armed || guard->barred_until <= (guint64)g_get_real_time ())
    return 0;
  return guard->barred_until;
}

guint64
ward_guard_get_barred_until (WardGuard *guard)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&guard->lock);

  return get_barred_until (guard);
}

gboolean
ward_guard_is_damaged (WardGuard *guard)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&guard->lock);

  return guard->is_damaged;
}

static char *
describe_end (WardGuard *guard)
{
  guint64 until = get_barred_until (guard);
  g_autoptr (GDateTime) time = NULL;
  g_autofree char *text = NULL;

  if (until == 0)
    return g_strdup ("The chip would try again now");
  if (until == WARD_BARRED_UNTIL_RESET)
    return g_strdup ("Until its next reset, at a restart of the machine, the chip refuses even the right one");

  time = g_date_time_new_from_unix_local (until / G_USEC_PER_SEC);
  text = g_date_time_format (time, "%F %H:%M:%S");
  return g_strdup_printf ("Until %s the chip refuses even the right one", text);
}

static gboolean
refuse (WardGuard *guard, GError **error)
{
  g_autofree char *end = describe_end (guard);

  g_set_error (error, WARD_ERROR, WARD_ERROR_LOCKED_OUT,
               "A wrong lockout auth is on record, so nothing was tried. %s, and every further wrong one bars it anew: "
               "without it a lockout cannot be lifted nor the TPM cleared. If you are sure of it, say so with the "
               "option “force”.",
               end);
  return FALSE;
}

/* Durable: a crash right after the chip's refusal must not forget it. */
static gboolean
save (WardGuard *guard, guint64 barred_until, GError **error)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autofree char *text = NULL;
  gsize length;

  g_key_file_set_uint64 (file, GROUP, "BarredUntil", barred_until);
  g_key_file_set_uint64 (file, GROUP, "ResetCount", guard->reset_count);
  text = g_key_file_to_data (file, &length, NULL);
  if (!g_file_set_contents_full (guard->path, text, length,
                                 G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0600, error))
    return FALSE;

  guard->armed = TRUE;
  guard->is_damaged = FALSE;
  guard->barred_until = barred_until;
  return TRUE;
}

static gboolean
arm (WardGuard *guard, const WardOwnership *ownership, GError **error)
{
  guint64 recovery = (guint64)ownership->lockout_recovery_seconds * G_USEC_PER_SEC;

  guard->was_barred_until = get_barred_until (guard);
  guard->reset_count = ownership->reset_count;
  return save (guard, recovery == 0 ? WARD_BARRED_UNTIL_RESET : g_get_real_time () + recovery, error);
}

void
ward_guard_look (WardGuard *guard, const WardOwnership *ownership)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&guard->lock);

  if (guard->armed && guard->barred_until == WARD_BARRED_UNTIL_RESET && guard->reset_count != ownership->reset_count)
    guard->barred_until = 0;
}

gboolean
ward_guard_begin (WardGuard *guard, const WardOwnership *ownership, WardSecret *auth, gboolean force, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&guard->lock);
  gboolean is_empty = !auth || ward_secret_get_size (auth) == 0;

  if (!ownership->lockout_auth_set && !is_empty)
    {
      g_set_error_literal (
          error, WARD_ERROR, WARD_ERROR_AUTHENTICATION_FAILED,
          "No lockout auth is set in this TPM, so this one cannot be right. It was not tried, as a wrong "
          "one would bar the lockout hierarchy. Leave it empty.");
      return FALSE;
    }
  if (guard->armed && !force)
    return refuse (guard, error);
  return arm (guard, ownership, error);
}

/* Whether the chip may have counted the try. What it has not tried, it has not counted. */
static gboolean
may_have_failed (const GError *outcome)
{
  return g_error_matches (outcome, WARD_ERROR, WARD_ERROR_AUTHENTICATION_FAILED)
         || g_error_matches (outcome, WARD_ERROR, WARD_ERROR_LOCKED_OUT)
         || g_error_matches (outcome, WARD_ERROR, WARD_ERROR_UNREACHABLE);
}

/* The chip did not even look at it: the bar that was there has not become longer. */
static void
restore (WardGuard *guard)
{
  g_autoptr (GError) error = NULL;

  if (guard->was_barred_until && !save (guard, guard->was_barred_until, &error))
    g_warning ("The record of failed lockout auths is longer than the chip's: %s", error->message);
}

void
ward_guard_end (WardGuard *guard, const GError *outcome)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&guard->lock);

  if (g_error_matches (outcome, WARD_ERROR, WARD_ERROR_LOCKED_OUT))
    restore (guard);
  if (outcome && may_have_failed (outcome))
    return;

  guard->armed = FALSE;
  guard->barred_until = 0;
  if (g_unlink (guard->path) != 0 && errno != ENOENT)
    g_warning ("The record of failed lockout auths in %s cannot be removed (%s): it will count at the next start",
               guard->path, g_strerror (errno));
}
