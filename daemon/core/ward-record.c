/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-record.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#include "ward-hex.h"

#define CHIP "Chip"
#define CHANGE "Change"
#define REQUEST "Request"

/* A TPM writes its clock down now and then only, at least every 2^22 ms; after a loss of power it may go back by as
 * much (TPM 2.0 Library, Part 1, 36.3.2). In milliseconds, with something to spare. */
#define CLOCK_SLACK (2u * 60 * 60 * 1000)

/* By what a chip is known. Strings are "" when the chip has not told. */
typedef struct
{
  char *manufacturer;
  char *vendor_string;
  char *firmware;
  char *endorsement;
  char *srk;           /* the last that it had */
  char *srk_modulus;   /* in hexadecimal digits, where it does not tell that and was made for us; else NULL */
  guint64 reset_count; /* since it was made or cleared */
  guint64 clock;       /* in milliseconds, likewise */
  guint64 seen_at;     /* in microseconds of CLOCK_REALTIME; 0: never */
} Marks;

struct _WardRecord
{
  gatomicrefcount ref_count;
  GMutex lock;
  char *path;
  Marks marks;
  gboolean expects; /* the next look is not compared */
  guint64 asked_at; /* when the firmware was asked to clear it, in microseconds of CLOCK_REALTIME; 0: it was not */
  WardChange change;
  guint64 noticed_at;
  char *text; /* of the change; "" when there is none */
};

static const char *const changes[] = {
  [WARD_CHANGE_NONE] = "none",
  [WARD_CHANGE_CLEARED] = "cleared",
  [WARD_CHANGE_REPLACED] = "replaced",
  [WARD_CHANGE_UPDATED] = "updated",
};

/* A graver change takes the place of one that is not acknowledged yet. */
static const guint gravity[] = {
  [WARD_CHANGE_NONE] = 0,
  [WARD_CHANGE_UPDATED] = 1,
  [WARD_CHANGE_CLEARED] = 2,
  [WARD_CHANGE_REPLACED] = 3,
};

static void
marks_clear (Marks *marks)
{
  g_free (marks->manufacturer);
  g_free (marks->vendor_string);
  g_free (marks->firmware);
  g_free (marks->endorsement);
  g_free (marks->srk);
  g_free (marks->srk_modulus);
  *marks = (Marks){ 0 };
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Marks, marks_clear)

static gboolean
parse_marks (GKeyFile *file, Marks *marks, GError **error)
{
  const struct
  {
    const char *key;
    char **string;
    guint64 *number;
  } members[] = {
    { "Manufacturer", &marks->manufacturer, NULL },
    { "VendorString", &marks->vendor_string, NULL },
    { "Firmware", &marks->firmware, NULL },
    { "Endorsement", &marks->endorsement, NULL },
    { "StorageRootKey", &marks->srk, NULL },
    { "ResetCount", NULL, &marks->reset_count },
    { "Clock", NULL, &marks->clock },
    { "SeenAt", NULL, &marks->seen_at },
  };

  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    {
      GError *local_error = NULL;

      if (members[i].string)
        *members[i].string = g_key_file_get_string (file, CHIP, members[i].key, &local_error);
      else
        *members[i].number = g_key_file_get_uint64 (file, CHIP, members[i].key, &local_error);
      if (local_error)
        {
          g_propagate_error (error, local_error);
          return FALSE;
        }
    }
  marks->srk_modulus = g_key_file_get_string (file, CHIP, "StorageRootKeyModulus", NULL);
  return TRUE;
}

static gboolean
parse_change (GKeyFile *file, WardRecord *record, GError **error)
{
  g_autofree char *kind = NULL;
  g_autofree char *text = NULL;
  GError *local_error = NULL;

  if (!g_key_file_has_group (file, CHANGE))
    return TRUE;
  kind = g_key_file_get_string (file, CHANGE, "Kind", error);
  text = kind ? g_key_file_get_string (file, CHANGE, "Text", error) : NULL;
  if (!text)
    return FALSE;

  record->noticed_at = g_key_file_get_uint64 (file, CHANGE, "NoticedAt", &local_error);
  for (guint i = WARD_CHANGE_CLEARED; i < G_N_ELEMENTS (changes); i++)
    if (!local_error && g_str_equal (kind, changes[i]))
      {
        record->change = i;
        g_free (record->text);
        record->text = g_steal_pointer (&text);
        return TRUE;
      }
  if (!local_error)
    local_error = g_error_new (G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_INVALID_VALUE, "“%.32s” is no change of a TPM", kind);
  g_propagate_error (error, local_error);
  return FALSE;
}

static gboolean
parse_request (GKeyFile *file, WardRecord *record, GError **error)
{
  GError *local_error = NULL;

  if (!g_key_file_has_group (file, REQUEST))
    return TRUE;
  record->asked_at = g_key_file_get_uint64 (file, REQUEST, "AskedAt", &local_error);
  if (!local_error)
    return TRUE;
  g_propagate_error (error, local_error);
  return FALSE;
}

static void
keep_aside (WardRecord *record, const char *why)
{
  g_autofree char *aside = g_strconcat (record->path, ".damaged", NULL);

  g_warning ("The record of the TPM in %s is damaged (%s). It is kept as %s, and a new one is begun: whether the TPM "
             "was cleared or replaced before now is not known",
             record->path, why, aside);
  if (g_rename (record->path, aside) != 0)
    g_warning ("%s could not be renamed: %s", record->path, g_strerror (errno));
  marks_clear (&record->marks);
  record->asked_at = 0;
}

static void
load (WardRecord *record)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (GError) error = NULL;

  if (g_key_file_load_from_file (file, record->path, G_KEY_FILE_NONE, &error)
      && parse_marks (file, &record->marks, &error) && parse_request (file, record, &error)
      && parse_change (file, record, &error))
    return;
  if (!g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_NOENT))
    keep_aside (record, error->message);
}

WardRecord *
ward_record_new (const char *path)
{
  WardRecord *record = g_new0 (WardRecord, 1);

  g_atomic_ref_count_init (&record->ref_count);
  g_mutex_init (&record->lock);
  record->path = g_strdup (path);
  record->text = g_strdup ("");
  load (record);
  return record;
}

WardRecord *
ward_record_ref (WardRecord *record)
{
  g_atomic_ref_count_inc (&record->ref_count);
  return record;
}

void
ward_record_unref (WardRecord *record)
{
  if (!g_atomic_ref_count_dec (&record->ref_count))
    return;
  marks_clear (&record->marks);
  g_mutex_clear (&record->lock);
  g_free (record->path);
  g_free (record->text);
  g_free (record);
}

static void
save (WardRecord *record)
{
  const Marks *marks = &record->marks;
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  gsize length;

  g_key_file_set_string (file, CHIP, "Manufacturer", marks->manufacturer);
  g_key_file_set_string (file, CHIP, "VendorString", marks->vendor_string);
  g_key_file_set_string (file, CHIP, "Firmware", marks->firmware);
  g_key_file_set_string (file, CHIP, "Endorsement", marks->endorsement);
  g_key_file_set_string (file, CHIP, "StorageRootKey", marks->srk);
  if (marks->srk_modulus)
    g_key_file_set_string (file, CHIP, "StorageRootKeyModulus", marks->srk_modulus);
  g_key_file_set_uint64 (file, CHIP, "ResetCount", marks->reset_count);
  g_key_file_set_uint64 (file, CHIP, "Clock", marks->clock);
  g_key_file_set_uint64 (file, CHIP, "SeenAt", marks->seen_at);
  if (record->asked_at)
    g_key_file_set_uint64 (file, REQUEST, "AskedAt", record->asked_at);
  if (record->change != WARD_CHANGE_NONE)
    {
      g_key_file_set_string (file, CHANGE, "Kind", changes[record->change]);
      g_key_file_set_uint64 (file, CHANGE, "NoticedAt", record->noticed_at);
      g_key_file_set_string (file, CHANGE, "Text", record->text);
    }
  text = g_key_file_to_data (file, &length, NULL);
  if (!g_file_set_contents_full (record->path, text, length,
                                 G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0600, &error))
    g_warning ("By what the TPM is known is not on record for the next start: %s", error->message);
}

/* Whether both are known, and are not the same. */
static gboolean
differ (const char *a, const char *b)
{
  return *a && *b && !g_str_equal (a, b);
}

/* The same, of what is at the same handle and, of a key, of the same algorithm: others say nothing about each other. */
static gboolean
endorsements_differ (const char *a, const char *b)
{
  const char *a_end = strrchr (a, ' '), *b_end = strrchr (b, ' ');

  return a_end && b_end && a_end - a == b_end - b && strncmp (a, b, a_end - a) == 0 && !g_str_equal (a_end, b_end);
}

static char *
describe_time (guint64 time)
{
  g_autoptr (GDateTime) date = g_date_time_new_from_unix_local ((gint64)(time / G_USEC_PER_SEC));

  return date ? g_date_time_format (date, "%F %H:%M") : g_strdup ("some time");
}

/* What comes after each of the texts. */
#define WHAT_BREAKS                                                                                                    \
  "keys and sealed data made before then cannot be used any more. “tpmward doctor” tells what on this machine "    \
  "depends "                                                                                                           \
  "on it."

/* The same storage root key can only be in the same chip, and not after a clear. */
static gboolean
is_same_srk (const Marks *old, const Marks *now)
{
  return *now->srk && g_str_equal (old->srk, now->srk);
}

static char *
explain_replacement (const Marks *old, const Marks *now, const char *since)
{
  if (is_same_srk (old, now))
    return NULL;
  if (endorsements_differ (old->endorsement, now->endorsement))
    return g_strdup_printf ("This is not the TPM that was here on %s: its endorsement key, which is the same for a "
                            "chip's whole life, is another one. On this one " WHAT_BREAKS,
                            since);
  if (differ (old->manufacturer, now->manufacturer) || differ (old->vendor_string, now->vendor_string))
    return g_strdup_printf ("This is not the TPM that was here on %s, which was of %s (%s); this one is of %s (%s). On "
                            "this one " WHAT_BREAKS,
                            since, old->manufacturer, old->vendor_string, now->manufacturer, now->vendor_string);
  return NULL;
}

/* A clear sets the counter of resets and the clock back to 0 (TPM 2.0 Library, Part 3, 24.6). Nothing else does, but
 * that the clock may lose some time at a reset. */
static gboolean
has_begun_anew (const Marks *old, const Marks *now)
{
  if (now->reset_count == old->reset_count)
    return now->clock < old->clock;
  return now->reset_count < old->reset_count || now->clock + CLOCK_SLACK < old->clock;
}

static char *
explain_clear (const Marks *old, const Marks *now, const char *since)
{
  if (is_same_srk (old, now))
    return NULL;
  if (has_begun_anew (old, now))
    return g_strdup_printf ("This TPM was cleared after %s, and not by this service: " WHAT_BREAKS, since);
  if (differ (old->srk, now->srk))
    return g_strdup_printf ("The storage root key of this TPM is not the one that it had on %s: the TPM was cleared, "
                            "or a program has put another key in that one's place. Unless that was meant, " WHAT_BREAKS,
                            since);
  return NULL;
}

static char *
explain_update (const Marks *old, const Marks *now, const char *since)
{
  if (!differ (old->firmware, now->firmware))
    return NULL;
  return g_strdup_printf ("The firmware of this TPM is %s now; on %s it was %s. Keys and sealed data outlive that as a "
                          "rule. See “tpmward doctor” for known faults of this version.",
                          now->firmware, since, old->firmware);
}

static void
forget_change (WardRecord *record)
{
  record->change = WARD_CHANGE_NONE;
  record->noticed_at = 0;
  g_free (record->text);
  record->text = g_strdup ("");
}

/* Who asked for a clear need not be alarmed of it; like one of the service's own it settles what was noticed before. */
static void
note_granted_clear (WardRecord *record)
{
  g_autofree char *date = describe_time (record->asked_at);

  g_message ("The machine's firmware has cleared this TPM, as it was asked on %s", date);
  forget_change (record);
}

/* What has been done to the chip, which becomes the change unless a graver one stands. granted: a clear was asked of
 * the firmware, which has dealt with the request. */
static WardChange
compare (WardRecord *record, const Marks *now, gboolean granted)
{
  static const struct
  {
    WardChange change;
    char *(*explain) (const Marks *old, const Marks *now, const char *since);
  } kinds[] = {
    { WARD_CHANGE_REPLACED, explain_replacement },
    { WARD_CHANGE_CLEARED, explain_clear },
    { WARD_CHANGE_UPDATED, explain_update },
  };
  g_autofree char *since = describe_time (record->marks.seen_at);

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      g_autofree char *text = kinds[i].explain (&record->marks, now, since);

      if (!text)
        continue;
      if (granted && kinds[i].change == WARD_CHANGE_CLEARED)
        {
          note_granted_clear (record);
          return WARD_CHANGE_CLEARED;
        }
      g_message ("%s", text);
      if (gravity[kinds[i].change] < gravity[record->change])
        return kinds[i].change;
      record->change = kinds[i].change;
      record->noticed_at = g_get_real_time ();
      g_free (record->text);
      record->text = g_steal_pointer (&text);
      return record->change;
    }
  return WARD_CHANGE_NONE;
}

static Marks
marks_of (const WardIdentity *identity, const WardOwnership *ownership)
{
  return (Marks){
    .manufacturer = g_strdup (identity->manufacturer),
    .vendor_string = g_strdup (identity->vendor_string),
    .firmware = g_strdup (identity->firmware_version),
    .endorsement = g_strdup (identity->endorsement),
    .srk = g_strdup (ownership->srk_name),
    .reset_count = ownership->reset_count,
    .clock = ownership->clock,
    .seen_at = g_get_real_time (),
  };
}

/* What the chip does not tell now it may have told before, and tell again. */
static void
carry_over (char **now, const char *old)
{
  if (**now)
    return;
  g_free (*now);
  *now = g_strdup (old);
}

/* The clock goes on all the time, and is written with something else only. */
static gboolean
is_worth_writing (const Marks *old, const Marks *now)
{
  return !g_str_equal (old->manufacturer, now->manufacturer) || !g_str_equal (old->vendor_string, now->vendor_string)
         || !g_str_equal (old->firmware, now->firmware) || !g_str_equal (old->endorsement, now->endorsement)
         || !g_str_equal (old->srk, now->srk) || old->reset_count != now->reset_count || now->clock < old->clock;
}

/* Of hexadecimal digits, as a Name is written, and nobody else's. */
static char *
make_name (void)
{
  g_autofree char *uuid = g_uuid_string_random ();
  g_auto (GStrv) parts = g_strsplit (uuid, "-", -1);

  return g_strjoinv ("", parts);
}

void
ward_record_name_srk (WardRecord *record, WardOwnership *ownership)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&record->lock);
  /* a TPM that was never seen has no marks */
  gboolean had_srk = record->marks.srk && *record->marks.srk;

  if (*ownership->srk_name)
    return;
  if (ownership->has_srk != had_srk)
    {
      /* one has come, or gone */
      g_free (record->marks.srk);
      record->marks.srk = ownership->has_srk ? make_name () : g_strdup ("");
      if (!ownership->has_srk)
        g_clear_pointer (&record->marks.srk_modulus, g_free);
      if (record->marks.seen_at)
        save (record);
    }
  if (ownership->has_srk)
    g_strlcpy (ownership->srk_name, record->marks.srk, sizeof ownership->srk_name);
}

char *
ward_record_dup_srk (WardRecord *record)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&record->lock);

  return g_strdup (record->marks.srk ? record->marks.srk : "");
}

void
ward_record_keep_srk_modulus (WardRecord *record, GBytes *modulus)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&record->lock);
  gsize size;
  const guint8 *bytes = g_bytes_get_data (modulus, &size);

  g_free (record->marks.srk_modulus);
  record->marks.srk_modulus = ward_hex (bytes, size, 0);
}

/* What is on the disk may be anything. */
GBytes *
ward_record_dup_srk_modulus (WardRecord *record)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&record->lock);
  const char *digits = record->marks.srk_modulus;
  gsize size = digits ? strlen (digits) / 2 : 0;
  guint8 *bytes;

  if (size == 0 || strspn (digits, "0123456789abcdef") != 2 * size)
    return NULL;
  bytes = g_malloc (size);
  for (gsize i = 0; i < size; i++)
    bytes[i] = (guint8)(g_ascii_xdigit_value (digits[2 * i]) << 4 | g_ascii_xdigit_value (digits[2 * i + 1]));
  return g_bytes_new_take (bytes, size);
}

WardChange
ward_record_look (WardRecord *record, const WardIdentity *identity, const WardOwnership *ownership,
                  gboolean clear_pending)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&record->lock);
  g_auto (Marks) now = marks_of (identity, ownership);
  gboolean is_compared = record->marks.seen_at != 0 && !record->expects;
  gboolean is_dealt_with = record->asked_at != 0 && !clear_pending;
  WardChange change = is_compared ? compare (record, &now, is_dealt_with) : WARD_CHANGE_NONE;
  Marks old;

  record->expects = FALSE;
  if (is_dealt_with)
    record->asked_at = 0;
  if (is_compared && (change == WARD_CHANGE_NONE || change == WARD_CHANGE_UPDATED))
    {
      carry_over (&now.endorsement, record->marks.endorsement);
      carry_over (&now.srk, record->marks.srk);
    }
  if (is_compared && !is_dealt_with && !is_worth_writing (&record->marks, &now))
    return change;

  now.srk_modulus = g_steal_pointer (&record->marks.srk_modulus);
  old = record->marks;
  record->marks = now;
  now = old;
  save (record);
  return change;
}

void
ward_record_expect_change (WardRecord *record)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&record->lock);

  record->expects = TRUE;
}

void
ward_record_expect_clear (WardRecord *record)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&record->lock);

  record->expects = TRUE;
  forget_change (record);
}

static void
set_asked_at (WardRecord *record, guint64 asked_at)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&record->lock);

  /* of a TPM that was never seen there is nothing to compare with either */
  if (record->asked_at == asked_at || record->marks.seen_at == 0)
    return;
  record->asked_at = asked_at;
  save (record);
}

void
ward_record_expect_firmware_clear (WardRecord *record)
{
  set_asked_at (record, g_get_real_time ());
}

void
ward_record_forget_firmware_clear (WardRecord *record)
{
  set_asked_at (record, 0);
}

WardChange
ward_record_get_change (WardRecord *record, guint64 *noticed_at, char **text)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&record->lock);

  if (record->change == WARD_CHANGE_NONE)
    return WARD_CHANGE_NONE;
  if (noticed_at)
    *noticed_at = record->noticed_at;
  if (text)
    *text = g_strdup (record->text);
  return record->change;
}

void
ward_record_acknowledge (WardRecord *record)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&record->lock);

  if (record->change == WARD_CHANGE_NONE)
    return;
  forget_change (record);
  save (record);
}
