/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli-progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ward-cli-term.h"

#define DELAY_US (300 * 1000)
#define INTERVAL_US (100 * 1000)
#define MAX_BAR 40
#define MIN_BAR 8

struct _WardCliProgress
{
  char *text;
  guint64 total;
  gint64 next; /* when to show it again; monotonic */
  gboolean shown;
};

static char *
format_size (guint64 bytes)
{
  static const char units[] = "kMGTPE";
  double value = (double)bytes / 1000;
  gsize i = 0;

  if (bytes < 1000)
    return g_strdup_printf ("%" G_GUINT64_FORMAT " B", bytes);
  while (value >= 999.95 && i + 2 < sizeof units)
    {
      value /= 1000;
      i++;
    }
  return g_strdup_printf ("%.1f %cB", value, units[i]);
}

/* Of at most width columns. */
static char *
format (const char *text, guint64 done, guint64 total, int width)
{
  g_autofree char *size = format_size (done);
  g_autofree char *whole = NULL;
  g_autofree char *numbers = NULL;
  g_autoptr (GString) bar = NULL;
  int room, filled;

  if (total == 0)
    return g_strdup_printf ("%s  %s", text, size);
  done = MIN (done, total);
  whole = format_size (total);
  numbers = g_strdup_printf ("%3d %%  %8s of %s", (int)((double)done / (double)total * 100), size, whole);

  /* "text  [bar]  numbers" */
  room = MIN (MAX_BAR, width - (int)(strlen (text) + strlen (numbers)) - 6);
  if (room < MIN_BAR)
    return g_strdup_printf ("%s  %s", text, numbers);
  filled = (int)((double)done / (double)total * room);
  bar = g_string_new (NULL);
  for (int i = 0; i < room; i++)
    g_string_append_c (bar, i < filled ? '#' : '.');
  return g_strdup_printf ("%s  [%s]  %s", text, bar->str, numbers);
}

WardCliProgress *
ward_cli_progress_new (const char *text, guint64 total)
{
  WardCliProgress *progress;

  if (!isatty (STDERR_FILENO) || g_strcmp0 (g_getenv ("TERM"), "dumb") == 0)
    return NULL;
  progress = g_new0 (WardCliProgress, 1);
  progress->text = g_strdup (text);
  progress->total = total;
  progress->next = g_get_monotonic_time () + DELAY_US;
  return progress;
}

void
ward_cli_progress_update (WardCliProgress *progress, guint64 done)
{
  g_autofree char *line = NULL;
  gint64 now;

  if (progress == NULL)
    return;
  now = g_get_monotonic_time ();
  if (now < progress->next)
    return;
  progress->next = now + INTERVAL_US;
  progress->shown = TRUE;
  /* the last column stays free: some terminals break the line there */
  line = format (progress->text, done, progress->total, ward_cli_term_get_error_width () - 1);
  fprintf (stderr, "\r%s\033[K", line);
}

void
ward_cli_progress_free (WardCliProgress *progress)
{
  if (progress == NULL)
    return;
  if (progress->shown)
    fputs ("\r\033[K", stderr);
  g_free (progress->text);
  g_free (progress);
}
