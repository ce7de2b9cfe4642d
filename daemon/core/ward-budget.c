/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-budget.h"

#include <errno.h>
#include <glib/gstdio.h>

#include "ward-error.h"

/* A group for each user, and one for a time at which the record was found damaged. */
#define USER_GROUP "User "
#define LOSS_GROUP "Loss"
#define MAX_COUNT 0xffff

/* One in so many of the chip's tries is root's; and each user has one in so many of the others. */
#define ROOT_SHARE 8
#define USER_SHARE 4

typedef struct
{
  guint count;   /* wrong tries that are not forgiven */
  guint64 since; /* when the time began after which one is, in microseconds of CLOCK_REALTIME */
} Tries;

struct _WardBudget
{
  char *path;
  GHashTable *users; /* uid → Tries */
  guint64 lost_at;   /* when the record was found damaged, in microseconds of CLOCK_REALTIME; 0: it was not */
  gboolean charged;  /* the try that is under way */
};

static void
add (WardBudget *budget, guint uid, guint count, guint64 since)
{
  Tries *tries = g_new (Tries, 1);

  tries->count = count;
  tries->since = since;
  g_hash_table_insert (budget->users, GUINT_TO_POINTER (uid), tries);
}

static gboolean
load_group (WardBudget *budget, GKeyFile *file, const char *group, GError **error)
{
  GError *local_error = NULL;
  guint64 since = g_key_file_get_uint64 (file, group, "Since", &local_error);
  guint64 uid, count = 0;

  if (!local_error && g_str_equal (group, LOSS_GROUP))
    {
      budget->lost_at = since;
      return TRUE;
    }
  if (!local_error)
    count = g_key_file_get_uint64 (file, group, "Count", &local_error);
  if (local_error)
    {
      g_propagate_error (error, local_error);
      return FALSE;
    }
  if (!g_str_has_prefix (group, USER_GROUP)
      || !g_ascii_string_to_unsigned (group + strlen (USER_GROUP), 10, 0, G_MAXUINT - 1, &uid, error) || count == 0
      || count > MAX_COUNT)
    {
      g_clear_error (error);
      g_set_error (error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_INVALID_VALUE, "the group “%s” makes no sense", group);
      return FALSE;
    }
  add (budget, uid, count, since);
  return TRUE;
}

static gboolean
load (WardBudget *budget, GError **error)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_auto (GStrv) groups = NULL;

  if (!g_key_file_load_from_file (file, budget->path, G_KEY_FILE_NONE, error))
    return FALSE;
  groups = g_key_file_get_groups (file, NULL);
  for (guint i = 0; groups[i]; i++)
    if (!load_group (budget, file, groups[i], error))
      return FALSE;
  return TRUE;
}

/* Durable: a crash right after the chip's refusal must not forget it. */
static gboolean
save (WardBudget *budget, GError **error)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (GError) local_error = NULL;
  g_autofree char *text = NULL;
  GHashTableIter iter;
  gpointer uid;
  Tries *tries;
  gsize length;

  g_hash_table_iter_init (&iter, budget->users);
  while (g_hash_table_iter_next (&iter, &uid, (gpointer *)&tries))
    {
      g_autofree char *group = g_strdup_printf (USER_GROUP "%u", GPOINTER_TO_UINT (uid));

      g_key_file_set_uint64 (file, group, "Count", tries->count);
      g_key_file_set_uint64 (file, group, "Since", tries->since);
    }
  if (budget->lost_at)
    g_key_file_set_uint64 (file, LOSS_GROUP, "Since", budget->lost_at);
  text = g_key_file_to_data (file, &length, NULL);
  if (g_file_set_contents_full (budget->path, text, length,
                                G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0600, &local_error))
    return TRUE;

  g_set_error (error, WARD_ERROR,
               g_error_matches (local_error, G_FILE_ERROR, G_FILE_ERROR_NOSPC) ? WARD_ERROR_NO_SPACE
                                                                               : WARD_ERROR_FAILED,
               "Nothing was tried, as it could not be put on record before that somebody tries an authorization value "
               "(%s). Make room for the service's state, and see that it is writable.",
               local_error->message);
  return FALSE;
}

/* A change that has been made already, and must not be lost by a restart. */
static void
save_or_warn (WardBudget *budget)
{
  g_autoptr (GError) error = NULL;

  if (!save (budget, &error))
    g_warning ("The record of users' wrong auths in %s counts too many: %s", budget->path, error->message);
}

WardBudget *
ward_budget_new (const char *state_dir, const char *name)
{
  WardBudget *budget = g_new0 (WardBudget, 1);
  g_autofree char *file_name = g_strconcat (name, ".budgets", NULL);
  g_autoptr (GError) error = NULL;

  budget->path = g_build_filename (state_dir, file_name, NULL);
  budget->users = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  if (!load (budget, &error) && !g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_NOENT))
    {
      g_warning ("The record of users' wrong auths in %s cannot be read (%s): it counts as all tries used up",
                 budget->path, error->message);
      g_hash_table_remove_all (budget->users);
      budget->lost_at = g_get_real_time ();
      save_or_warn (budget);
    }
  return budget;
}

void
ward_budget_free (WardBudget *budget)
{
  g_hash_table_unref (budget->users);
  g_free (budget->path);
  g_free (budget);
}

static guint
get_reserve (const WardOwnership *ownership)
{
  return MAX (1, ownership->max_failures / ROOT_SHARE);
}

static guint
get_allowance (const WardOwnership *ownership)
{
  return MAX (1, (ownership->max_failures - MIN (ownership->max_failures, get_reserve (ownership))) / USER_SHARE);
}

/* Forgives what time has forgiven. A clock that was set back forgives nothing. */
static void
forgive (WardBudget *budget, guint64 now, guint64 interval)
{
  GHashTableIter iter;
  Tries *tries;

  g_hash_table_iter_init (&iter, budget->users);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *)&tries))
    {
      guint64 forgiven;

      tries->since = MIN (tries->since, now);
      forgiven = (now - tries->since) / interval;
      if (forgiven >= tries->count)
        {
          g_hash_table_iter_remove (&iter);
          continue;
        }
      tries->count -= forgiven;
      tries->since += forgiven * interval;
    }
  budget->lost_at = MIN (budget->lost_at, now);
  if (now - budget->lost_at >= interval)
    budget->lost_at = 0;
}

static guint64
get_interval (const WardOwnership *ownership)
{
  return (guint64)ownership->recovery_seconds * G_USEC_PER_SEC;
}

/* Whether the chip counts at all: without a time after which it forgives it does not (TPM 2.0 Library, Part 3, 25.3).
 */
static gboolean
is_limited (guint uid, const WardOwnership *ownership)
{
  return uid != 0 && ownership->recovery_seconds != 0;
}

static gboolean
refuse (guint64 until, const char *why, GError **error)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_local (until / G_USEC_PER_SEC + 1);
  g_autofree char *text = time ? g_date_time_format (time, "%F %H:%M:%S") : g_strdup ("a long time from now");

  g_set_error (error, WARD_ERROR, WARD_ERROR_LOCKED_OUT,
               "Nothing was tried. %s Try again after %s, or have an administrator reset the lockout.", why, text);
  return FALSE;
}

static gboolean
refuse_what_is_roots (const WardOwnership *ownership, guint64 now, GError **error)
{
  gint64 too_many = (gint64)ownership->failures + get_reserve (ownership) + 1 - ownership->max_failures;
  g_autofree char *why = NULL;

  if (ownership->locked_out || ownership->failures >= ownership->max_failures)
    why = g_strdup_printf ("After %u failed tries, of whoever, the TPM has locked itself against all.",
                           ownership->failures);
  else
    why = g_strdup_printf ("The TPM has counted %u failed tries, of whoever, and locks itself against all at %u: the "
                           "last ones are kept for root.",
                           ownership->failures, ownership->max_failures);
  return refuse (now + MAX (too_many, 1) * get_interval (ownership), why, error);
}

static gboolean
check (WardBudget *budget, guint uid, const WardOwnership *ownership, guint64 now, GError **error)
{
  guint64 interval = get_interval (ownership);
  const Tries *tries = g_hash_table_lookup (budget->users, GUINT_TO_POINTER (uid));
  guint allowance = get_allowance (ownership);
  g_autofree char *why = NULL;

  if (ownership->locked_out || ownership->failures + get_reserve (ownership) >= ownership->max_failures)
    return refuse_what_is_roots (ownership, now, error);
  if (budget->lost_at)
    return refuse (budget->lost_at + interval,
                   "The record of who has given wrong authorization values was damaged, so that it counts as if all "
                   "tries were used up.",
                   error);
  if (!tries || tries->count < allowance)
    return TRUE;

  why = g_strdup_printf ("You have given %u wrong authorization values, and one user may have at most %u counted, so "
                         "that none can lock the TPM against all others.",
                         tries->count, allowance);
  return refuse (tries->since + (tries->count - allowance + 1) * interval, why, error);
}

static void
refund (WardBudget *budget, guint uid)
{
  Tries *tries = g_hash_table_lookup (budget->users, GUINT_TO_POINTER (uid));

  if (--tries->count == 0)
    g_hash_table_remove (budget->users, GUINT_TO_POINTER (uid));
}

gboolean
ward_budget_charge (WardBudget *budget, guint uid, const WardOwnership *ownership, GError **error)
{
  guint64 now = g_get_real_time ();
  Tries *tries;

  if (!is_limited (uid, ownership))
    return TRUE;
  forgive (budget, now, get_interval (ownership));
  if (!check (budget, uid, ownership, now, error))
    return FALSE;

  tries = g_hash_table_lookup (budget->users, GUINT_TO_POINTER (uid));
  if (tries)
    tries->count++;
  else
    add (budget, uid, 1, now);
  budget->charged = save (budget, error);
  if (!budget->charged)
    refund (budget, uid);
  return budget->charged;
}

/* Whether the chip may have counted the try. What it has not tried, it has not counted. */
static gboolean
may_have_failed (const GError *outcome)
{
  return g_error_matches (outcome, WARD_ERROR, WARD_ERROR_AUTHENTICATION_FAILED)
         || g_error_matches (outcome, WARD_ERROR, WARD_ERROR_UNREACHABLE);
}

void
ward_budget_settle (WardBudget *budget, guint uid, const GError *outcome)
{
  gboolean was_charged = budget->charged;

  budget->charged = FALSE;
  if (!was_charged || may_have_failed (outcome))
    return;
  refund (budget, uid);
  save_or_warn (budget);
}

guint
ward_budget_get_left (WardBudget *budget, guint uid, const WardOwnership *ownership)
{
  const Tries *tries = g_hash_table_lookup (budget->users, GUINT_TO_POINTER (uid));
  guint kept = uid == 0 ? 0 : get_reserve (ownership);
  guint chip = ownership->max_failures - MIN (ownership->max_failures, ownership->failures + kept);
  guint allowance = get_allowance (ownership);

  if (!is_limited (uid, ownership))
    return chip;
  return MIN (chip, allowance - MIN (allowance, tries ? tries->count : 0));
}

void
ward_budget_restore (WardBudget *budget)
{
  g_hash_table_remove_all (budget->users);
  budget->lost_at = 0;
  if (g_unlink (budget->path) != 0 && errno != ENOENT)
    g_warning ("The record of users' wrong auths in %s cannot be removed (%s): it will count at the next start",
               budget->path, g_strerror (errno));
}
