/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-budget.h"

#include <errno.h>
#include <glib/gstdio.h>

#include "ward-error.h"

/* A group for each user, one for each user's try whose outcome is not on record, and one for a time at which the record
 * was found damaged. */
#define USER_GROUP "User "
#define FLIGHT_GROUP "Flight "
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

/* A try that is on record, and was right or is under way. Right ones stay there for a while, so that the next one of
 * the same user need not be put on record. */
typedef struct
{
  guint failures; /* the chip's, at the time */
  guint32 resets; /* likewise, how often it was reset */
  guint64 since;  /* that time, in microseconds of CLOCK_REALTIME */
  gboolean is_uncertain;
} Flight;

/* For how long what the chip told last is believed while right values are given. */
#define RECALL G_USEC_PER_SEC

struct _WardBudget
{
  gatomicrefcount ref_count;
  char *path;
  GHashTable *users;      /* uid → Tries */
  GHashTable *flights;    /* uid → Flight */
  guint64 lost_at;        /* when the record was found damaged, in microseconds of CLOCK_REALTIME; 0: it was not */
  gboolean charged;       /* the try that is under way */
  WardOwnership standing; /* the chip's, at: */
  gint64 standing_at;     /* in microseconds of the monotonic clock; 0: it is to be read */
};

static void
add (WardBudget *budget, guint uid, guint count, guint64 since)
{
  Tries *tries = g_new (Tries, 1);

  tries->count = count;
  tries->since = since;
  g_hash_table_insert (budget->users, GUINT_TO_POINTER (uid), tries);
}

static void
add_flight (WardBudget *budget, guint uid, guint failures, guint32 resets, guint64 since, gboolean is_uncertain)
{
  Flight *flight = g_new (Flight, 1);

  flight->failures = failures;
  flight->resets = resets;
  flight->since = since;
  flight->is_uncertain = is_uncertain;
  g_hash_table_insert (budget->flights, GUINT_TO_POINTER (uid), flight);
}

static gboolean
parse_group (const char *group, const char *prefix, guint64 *uid)
{
  return g_str_has_prefix (group, prefix)
         && g_ascii_string_to_unsigned (group + strlen (prefix), 10, 0, G_MAXUINT - 1, uid, NULL);
}

static gboolean
load_group (WardBudget *budget, GKeyFile *file, const char *group, GError **error)
{
  GError *local_error = NULL;
  guint64 since = g_key_file_get_uint64 (file, group, "Since", &local_error);
  gboolean is_flight = g_str_has_prefix (group, FLIGHT_GROUP);
  guint64 uid, count = 0, resets = 0;

  if (!local_error && g_str_equal (group, LOSS_GROUP))
    {
      budget->lost_at = since;
      return TRUE;
    }
  if (!local_error)
    count = g_key_file_get_uint64 (file, group, is_flight ? "Failures" : "Count", &local_error);
  if (!local_error && is_flight)
    resets = g_key_file_get_uint64 (file, group, "Resets", &local_error);
  if (local_error)
    {
      g_propagate_error (error, local_error);
      return FALSE;
    }
  if (parse_group (group, USER_GROUP, &uid) && count > 0 && count <= MAX_COUNT)
    add (budget, uid, count, since);
  else if (parse_group (group, FLIGHT_GROUP, &uid) && count <= G_MAXUINT && resets <= G_MAXUINT32)
    add_flight (budget, uid, count, resets, since, TRUE);
  else
    {
      g_set_error (error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_INVALID_VALUE, "the group “%s” makes no sense", group);
      return FALSE;
    }
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
  Flight *flight;
  gsize length;

  g_hash_table_iter_init (&iter, budget->users);
  while (g_hash_table_iter_next (&iter, &uid, (gpointer *)&tries))
    {
      g_autofree char *group = g_strdup_printf (USER_GROUP "%u", GPOINTER_TO_UINT (uid));

      g_key_file_set_uint64 (file, group, "Count", tries->count);
      g_key_file_set_uint64 (file, group, "Since", tries->since);
    }
  g_hash_table_iter_init (&iter, budget->flights);
  while (g_hash_table_iter_next (&iter, &uid, (gpointer *)&flight))
    {
      g_autofree char *group = g_strdup_printf (FLIGHT_GROUP "%u", GPOINTER_TO_UINT (uid));

      g_key_file_set_uint64 (file, group, "Failures", flight->failures);
      g_key_file_set_uint64 (file, group, "Resets", flight->resets);
      g_key_file_set_uint64 (file, group, "Since", flight->since);
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
    g_warning ("The record of users' wrong auths in %s is behind: %s", budget->path, error->message);
}

WardBudget *
ward_budget_new (const char *state_dir, const char *name)
{
  WardBudget *budget = g_new0 (WardBudget, 1);
  g_autofree char *file_name = g_strconcat (name, ".budgets", NULL);
  g_autoptr (GError) error = NULL;

  g_atomic_ref_count_init (&budget->ref_count);
  budget->path = g_build_filename (state_dir, file_name, NULL);
  budget->users = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  budget->flights = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  if (!load (budget, &error) && !g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_NOENT))
    {
      g_warning ("The record of users' wrong auths in %s cannot be read (%s): it counts as all tries used up",
                 budget->path, error->message);
      g_hash_table_remove_all (budget->users);
      g_hash_table_remove_all (budget->flights);
      budget->lost_at = g_get_real_time ();
      save_or_warn (budget);
    }
  return budget;
}

WardBudget *
ward_budget_ref (WardBudget *budget)
{
  g_atomic_ref_count_inc (&budget->ref_count);
  return budget;
}

void
ward_budget_unref (WardBudget *budget)
{
  if (!g_atomic_ref_count_dec (&budget->ref_count))
    return;
  g_hash_table_unref (budget->users);
  g_hash_table_unref (budget->flights);
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
count_failure (WardBudget *budget, guint uid, guint64 since)
{
  Tries *tries = g_hash_table_lookup (budget->users, GUINT_TO_POINTER (uid));

  if (tries)
    tries->count++;
  else
    add (budget, uid, 1, since);
}

/* Whether there was a failure more than those. A reset that the chip was not told of before is one, where a key was
 * used whose failures it counts (TPM 2.0 Library, Part 1, 19.8.4). */
static gboolean
has_failed (guint failures, guint32 resets, const WardOwnership *ownership)
{
  guint new_resets = ownership->reset_count - MIN (ownership->reset_count, resets);

  return ownership->failures > failures && ownership->failures - failures > new_resets;
}

/* Decides on tries of which nobody knows what came of them: the service ended, or the connection broke. Where the chip
 * counts no more failures than before, none of them was wrong: it forgives none that soon. Returns whether there was
 * any. */
static gboolean
resolve (WardBudget *budget, const WardOwnership *ownership, guint64 now)
{
  gboolean changed = FALSE;
  GHashTableIter iter;
  gpointer uid;
  Flight *flight;

  g_hash_table_iter_init (&iter, budget->flights);
  while (g_hash_table_iter_next (&iter, &uid, (gpointer *)&flight))
    {
      if (!flight->is_uncertain)
        continue;
      flight->since = MIN (flight->since, now);
      if (has_failed (flight->failures, flight->resets, ownership) && now - flight->since < get_interval (ownership))
        count_failure (budget, GPOINTER_TO_UINT (uid), flight->since);
      g_hash_table_iter_remove (&iter);
      changed = TRUE;
    }
  return changed;
}

/* Forgets the tries that were right. Returns whether there was any. */
static gboolean
land (WardBudget *budget)
{
  guint n_flights = g_hash_table_size (budget->flights);
  GHashTableIter iter;
  Flight *flight;

  g_hash_table_iter_init (&iter, budget->flights);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *)&flight))
    if (!flight->is_uncertain)
      g_hash_table_iter_remove (&iter);
  return g_hash_table_size (budget->flights) < n_flights;
}

/* Whether a right try that is still on record does for the next one, too. */
static gboolean
is_on_record (const Flight *flight, const WardOwnership *ownership, guint64 now)
{
  return flight && flight->failures == ownership->failures && flight->resets == ownership->reset_count
         && flight->since <= now && now - flight->since < get_interval (ownership) / 2;
}

static void
remember_standing (WardBudget *budget, const WardOwnership *ownership)
{
  if (ownership == &budget->standing)
    return;
  budget->standing = *ownership;
  budget->standing_at = g_get_monotonic_time ();
}

const WardOwnership *
ward_budget_recall (WardBudget *budget)
{
  const WardOwnership *standing = &budget->standing;

  if (budget->standing_at == 0 || g_get_monotonic_time () - budget->standing_at >= RECALL || standing->locked_out
      || standing->failures + get_reserve (standing) + 1 >= standing->max_failures)
    return NULL;
  return standing;
}

gboolean
ward_budget_charge (WardBudget *budget, guint uid, const WardOwnership *ownership, GError **error)
{
  guint64 now = g_get_real_time ();
  gboolean is_behind;

  remember_standing (budget, ownership);
  if (!is_limited (uid, ownership))
    return TRUE;
  forgive (budget, now, get_interval (ownership));
  is_behind = resolve (budget, ownership, now);
  if (!check (budget, uid, ownership, now, error))
    return FALSE;

  budget->charged = !is_behind
                    && is_on_record (g_hash_table_lookup (budget->flights, GUINT_TO_POINTER (uid)), ownership, now);
  if (budget->charged)
    return TRUE;
  add_flight (budget, uid, ownership->failures, ownership->reset_count, now, FALSE);
  budget->charged = save (budget, error);
  if (!budget->charged)
    g_hash_table_remove (budget->flights, GUINT_TO_POINTER (uid));
  return budget->charged;
}

void
ward_budget_settle (WardBudget *budget, guint uid, const GError *outcome)
{
  Flight *flight = g_hash_table_lookup (budget->flights, GUINT_TO_POINTER (uid));
  gboolean was_charged = budget->charged;

  budget->charged = FALSE;
  if (outcome)
    budget->standing_at = 0;
  if (!was_charged || !flight)
    return;
  if (g_error_matches (outcome, WARD_ERROR, WARD_ERROR_UNREACHABLE))
    flight->is_uncertain = TRUE;
  else if (g_error_matches (outcome, WARD_ERROR, WARD_ERROR_AUTHENTICATION_FAILED))
    {
      count_failure (budget, uid, g_get_real_time ());
      g_hash_table_remove (budget->flights, GUINT_TO_POINTER (uid));
      land (budget);
      save_or_warn (budget);
    }
}

void
ward_budget_rest (WardBudget *budget)
{
  if (land (budget))
    save_or_warn (budget);
}

gboolean
ward_budget_has_counted (WardBudget *budget, const WardOwnership *ownership)
{
  return has_failed (budget->standing.failures, budget->standing.reset_count, ownership);
}

guint
ward_budget_get_left (WardBudget *budget, guint uid, const WardOwnership *ownership)
{
  const Tries *tries = g_hash_table_lookup (budget->users, GUINT_TO_POINTER (uid));
  guint kept = uid == 0 ? 0 : get_reserve (ownership);
  guint chip = ownership->max_failures - MIN (ownership->max_failures, ownership->failures + kept);
  const Flight *flight = g_hash_table_lookup (budget->flights, GUINT_TO_POINTER (uid));
  guint allowance = get_allowance (ownership);
  guint used = (tries ? tries->count : 0) + (flight && flight->is_uncertain ? 1 : 0);

  if (!is_limited (uid, ownership))
    return chip;
  return MIN (chip, allowance - MIN (allowance, used));
}

void
ward_budget_restore (WardBudget *budget)
{
  g_hash_table_remove_all (budget->users);
  g_hash_table_remove_all (budget->flights);
  budget->lost_at = 0;
  budget->standing_at = 0;
  if (g_unlink (budget->path) != 0 && errno != ENOENT)
    g_warning ("The record of users' wrong auths in %s cannot be removed (%s): it will count at the next start",
               budget->path, g_strerror (errno));
}
