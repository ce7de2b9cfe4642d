/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-config.h"

#include "ward-client-text.h"

#include <glib/gi18n-lib.h>

typedef enum
{
  UNIT_DAY,
  UNIT_HOUR,
  UNIT_MINUTE,
  UNIT_SECOND,
  N_UNITS,
} Unit;

static const guint32 unit_seconds[N_UNITS] = { 86400, 3600, 60, 1 };

char *
ward_client_text_duration (guint64 microseconds)
{
  double seconds = (double)microseconds / G_USEC_PER_SEC;

  if (microseconds < 1000)
    return g_strdup_printf (_ ("%u µs"), (guint)microseconds);
  if (microseconds < G_USEC_PER_SEC)
    return g_strdup_printf (_ ("%u ms"), (guint)(microseconds / 1000));
  if (seconds < 60)
    return g_strdup_printf (_ ("%.1f s"), seconds);
  return g_strdup_printf (_ ("%d min %d s"), (int)(seconds / 60), (int)seconds % 60);
}

char *
ward_client_text_ago (gint64 then, gint64 now)
{
  gulong seconds = now > then ? (gulong)((now - then) / G_USEC_PER_SEC) : 0;
  gulong days = seconds / unit_seconds[UNIT_DAY];
  gulong hours = seconds / unit_seconds[UNIT_HOUR];
  gulong minutes = seconds / unit_seconds[UNIT_MINUTE];

  if (now < then)
    return g_strdup (_ ("in the future, by this clock"));
  if (days > 0)
    return g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%lu day ago", "%lu days ago", days), days);
  if (hours > 0)
    return g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%lu hour ago", "%lu hours ago", hours), hours);
  if (minutes > 0)
    return g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%lu minute ago", "%lu minutes ago", minutes), minutes);
  if (seconds > 0)
    return g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%lu second ago", "%lu seconds ago", seconds), seconds);
  return g_strdup (_ ("just now"));
}

static char *
count_units (Unit unit, gulong n)
{
  switch (unit)
    {
    case UNIT_DAY:
      return g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%lu day", "%lu days", n), n);
    case UNIT_HOUR:
      return g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%lu hour", "%lu hours", n), n);
    case UNIT_MINUTE:
      return g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%lu minute", "%lu minutes", n), n);
    case UNIT_SECOND:
    case N_UNITS:
    default:
      return g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%lu second", "%lu seconds", n), n);
    }
}

char *
ward_client_text_span (guint64 seconds)
{
  g_autoptr (GString) text = g_string_new (NULL);
  guint shown = 0;

  if (seconds == 0)
    return count_units (UNIT_SECOND, 0);
  for (int i = 0; i < N_UNITS && shown < 2; i++)
    {
      gulong n = (gulong)(seconds / unit_seconds[i]);
      g_autofree char *counted = count_units ((Unit)i, n);

      seconds %= unit_seconds[i];
      if (n == 0)
        continue;
      g_string_append_printf (text, "%s%s", shown > 0 ? " " : "", counted);
      shown++;
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

char *
ward_client_text_instant (guint64 microseconds)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_local ((gint64)(microseconds / G_USEC_PER_SEC));

  /* translators: date and time, as by strftime */
  return time != NULL ? g_date_time_format (time, _ ("%F %H:%M:%S")) : g_strdup (_ ("beyond all dates"));
}
