/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gtk/gtk.h>

/* How bad a finding or an advisory is, by the service's word for it. */
typedef struct
{
  const char *name; /* the service's word */
  const char *icon_name;
  const char *css_class;
  const char *text; /* for people; untranslated */
  gboolean is_bad;  /* something is wrong */
} WardGuiSeverity;

/* Never NULL: one that this program does not know is worth a look, as a warning is. */
const WardGuiSeverity *ward_gui_severity_find (const char *name);

/* Shows it in the image at the start of a row; the row is told in words, too, for who sees neither shape nor colour. */
void ward_gui_severity_show (const char *name, GtkImage *image, GtkWidget *row);
