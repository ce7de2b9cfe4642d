/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-ledger.h"

#include <glib/gi18n.h>

#include "ward-client-ledger.h"

/* Of a group at first: a machine may have many thousand keys. */
#define N_SHOWN 25

struct _WardGuiLedger
{
  AdwBin parent;

  GtkBox *groups;
};

G_DEFINE_FINAL_TYPE (WardGuiLedger, ward_gui_ledger, ADW_TYPE_BIN)

/* A part of the ledger that has a group of its own. */
typedef struct
{
  GPtrArray *dependents; /* GVariant */
  AdwPreferencesGroup *group;
  gboolean has_icons;
  guint n_shown;
} Part;

static void
part_free (gpointer data, GClosure *closure)
{
  Part *part = data;

  g_ptr_array_unref (part->dependents);
  g_free (part);
}

static const char *
icon_of (WardClientLedgerFate fate)
{
  switch (fate)
    {
    case WARD_CLIENT_LEDGER_LOST:
      return "dialog-error-symbolic";
    case WARD_CLIENT_LEDGER_KEPT:
      return "emblem-ok-symbolic";
    case WARD_CLIENT_LEDGER_PERHAPS:
    case WARD_CLIENT_LEDGER_N_FATES:
    default:
      return "dialog-question-symbolic";
    }
}

static const char *
class_of (WardClientLedgerFate fate)
{
  switch (fate)
    {
    case WARD_CLIENT_LEDGER_LOST:
      return "error";
    case WARD_CLIENT_LEDGER_KEPT:
      return "success";
    case WARD_CLIENT_LEDGER_PERHAPS:
    case WARD_CLIENT_LEDGER_N_FATES:
    default:
      return "warning";
    }
}

static void
append_line (GString *text, GVariant *dependent, const char *key)
{
  const char *line = "";

  g_variant_lookup (dependent, key, "&s", &line);
  if (*line == '\0')
    return;
  if (text->len > 0)
    g_string_append_c (text, '\n');
  g_string_append (text, line);
}

/* A symbol beside the row, which says the same as the group's title. */
static GtkWidget *
new_icon (WardClientLedgerFate fate)
{
  GtkWidget *icon = g_object_new (GTK_TYPE_IMAGE, "icon-name", icon_of (fate), "accessible-role",
                                  GTK_ACCESSIBLE_ROLE_PRESENTATION, NULL);

  gtk_widget_add_css_class (icon, class_of (fate));
  return icon;
}

static GtkWidget *
new_row (GVariant *dependent, gboolean has_icon)
{
  GtkWidget *row = adw_action_row_new ();
  g_autofree char *description = ward_client_ledger_describe (dependent);
  g_autoptr (GString) subtitle = g_string_new (NULL);
  const char *subject = "";

  g_variant_lookup (dependent, "subject", "&s", &subject);
  if (*subject != '\0')
    g_string_append (subtitle, description);
  append_line (subtitle, dependent, "detail");
  append_line (subtitle, dependent, "reason");
  adw_preferences_row_set_use_markup (ADW_PREFERENCES_ROW (row), FALSE);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), *subject != '\0' ? subject : description);
  adw_action_row_set_subtitle (ADW_ACTION_ROW (row), subtitle->str);
  if (has_icon)
    adw_action_row_add_prefix (ADW_ACTION_ROW (row), new_icon (ward_client_ledger_fate (dependent)));
  return row;
}

static void show_more (AdwActionRow *row, Part *part);

static void
add_rest (const Part *part)
{
  guint n_left = part->dependents->len - part->n_shown;
  g_autofree char *title = g_strdup_printf (ngettext ("Show %u More", "Show %u More", n_left), n_left);
  GtkWidget *row = adw_action_row_new ();
  Part *rest = g_memdup2 (part, sizeof *part);

  g_ptr_array_ref (rest->dependents);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), title);
  gtk_list_box_row_set_activatable (GTK_LIST_BOX_ROW (row), TRUE);
  g_signal_connect_data (row, "activated", G_CALLBACK (show_more), rest, part_free, 0);
  adw_preferences_group_add (part->group, row);
}

static void
fill (Part *part)
{
  guint end = MIN (part->dependents->len, part->n_shown + N_SHOWN);

  for (; part->n_shown < end; part->n_shown++)
    adw_preferences_group_add (part->group, new_row (part->dependents->pdata[part->n_shown], part->has_icons));
  if (part->n_shown < part->dependents->len)
    add_rest (part);
}

static void
show_more (AdwActionRow *row, Part *part)
{
  Part next = { g_ptr_array_ref (part->dependents), part->group, part->has_icons, part->n_shown };

  adw_preferences_group_remove (part->group, GTK_WIDGET (row));
  fill (&next);
  g_ptr_array_unref (next.dependents);
}

/* Of one fate, or with WARD_CLIENT_LEDGER_N_FATES all. */
static GPtrArray *
select_dependents (GVariant *dependents, WardClientLedgerFate fate)
{
  GPtrArray *chosen = g_ptr_array_new_with_free_func ((GDestroyNotify)g_variant_unref);

  for (gsize i = 0; i < g_variant_n_children (dependents); i++)
    {
      g_autoptr (GVariant) dependent = g_variant_get_child_value (dependents, i);

      if (fate == WARD_CLIENT_LEDGER_N_FATES || fate == ward_client_ledger_fate (dependent))
        g_ptr_array_add (chosen, g_steal_pointer (&dependent));
    }
  return chosen;
}

static void
add_group (WardGuiLedger *self, GVariant *dependents, WardClientLedgerFate fate, const char *title)
{
  g_autoptr (GPtrArray) chosen = select_dependents (dependents, fate);
  Part part = { chosen, NULL, fate != WARD_CLIENT_LEDGER_N_FATES, 0 };

  if (chosen->len == 0)
    return;
  part.group = ADW_PREFERENCES_GROUP (adw_preferences_group_new ());
  adw_preferences_group_set_title (part.group, title);
  gtk_box_append (self->groups, GTK_WIDGET (part.group));
  fill (&part);
}

void
ward_gui_ledger_clear (WardGuiLedger *ledger)
{
  GtkWidget *child;

  while ((child = gtk_widget_get_first_child (GTK_WIDGET (ledger->groups))) != NULL)
    gtk_box_remove (ledger->groups, child);
}

void
ward_gui_ledger_show_fates (WardGuiLedger *ledger, GVariant *dependents)
{
  ward_gui_ledger_clear (ledger);
  for (int i = 0; i < WARD_CLIENT_LEDGER_N_FATES; i++)
    {
      WardClientLedgerFate fate = (WardClientLedgerFate)i;
      g_autofree char *words = g_markup_escape_text (ward_client_ledger_title (fate), -1);
      g_autofree char *title = g_strdup_printf (_ ("%s (%u)"), words, ward_client_ledger_count (dependents, fate));

      add_group (ledger, dependents, fate, title);
    }
}

void
ward_gui_ledger_show_list (WardGuiLedger *ledger, GVariant *dependents, const char *title)
{
  ward_gui_ledger_clear (ledger);
  add_group (ledger, dependents, WARD_CLIENT_LEDGER_N_FATES, title);
}

static void
ward_gui_ledger_class_init (WardGuiLedgerClass *klass)
{
}

static void
ward_gui_ledger_init (WardGuiLedger *self)
{
  self->groups = GTK_BOX (gtk_box_new (GTK_ORIENTATION_VERTICAL, 24));
  adw_bin_set_child (ADW_BIN (self), GTK_WIDGET (self->groups));
}
