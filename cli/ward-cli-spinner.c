/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli-spinner.h"

#include <stdio.h>
#include <unistd.h>

#define INTERVAL_MS 120
#define DELAY_US (300 * 1000)

struct _WardCliSpinner
{
  char *text;
  WardCliSpinnerCheck check;
  gpointer user_data;
  guint source;
  gint64 since; /* monotonic; 0 until it is under way */
  guint frame;
  gboolean shown;
};

static gboolean
on_tick (gpointer user_data)
{
  static const char *const frames[] = { "|", "/", "-", "\\" };
  WardCliSpinner *spinner = user_data;
  gint64 now = g_get_monotonic_time ();

  if (spinner->check != NULL && !spinner->check (spinner->user_data))
    return G_SOURCE_CONTINUE;
  if (spinner->since == 0)
    spinner->since = now;
  if (now - spinner->since < DELAY_US)
    return G_SOURCE_CONTINUE;

  fprintf (stderr, "\r%s %s, %d s", frames[spinner->frame++ % G_N_ELEMENTS (frames)], spinner->text,
           (int)((now - spinner->since) / G_USEC_PER_SEC));
  spinner->shown = TRUE;
  return G_SOURCE_CONTINUE;
}

WardCliSpinner *
ward_cli_spinner_new (const char *text, WardCliSpinnerCheck check, gpointer user_data)
{
  WardCliSpinner *spinner;

  if (!isatty (STDERR_FILENO) || g_strcmp0 (g_getenv ("TERM"), "dumb") == 0)
    return NULL;

  spinner = g_new0 (WardCliSpinner, 1);
  spinner->text = g_strdup (text);
  spinner->check = check;
  spinner->user_data = user_data;
  spinner->source = g_timeout_add (INTERVAL_MS, on_tick, spinner);
  return spinner;
}

void
ward_cli_spinner_free (WardCliSpinner *spinner)
{
  if (spinner == NULL)
    return;
  g_source_remove (spinner->source);
  if (spinner->shown)
    fputs ("\r\033[K", stderr);
  g_free (spinner->text);
  g_free (spinner);
}
