/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-findings.h"

#include <glib/gi18n.h>

#include "ward-client-findings.h"
#include "ward-gui-severity.h"

/* Changes come in swarms, and looking takes a moment. */
#define PAUSE_MS 500

struct _WardGuiFinding
{
  GObject parent;

  GVariant *description;
};

G_DEFINE_FINAL_TYPE (WardGuiFinding, ward_gui_finding, G_TYPE_OBJECT)

static void
ward_gui_finding_finalize (GObject *object)
{
  g_variant_unref (WARD_GUI_FINDING (object)->description);
  G_OBJECT_CLASS (ward_gui_finding_parent_class)->finalize (object);
}

static void
ward_gui_finding_class_init (WardGuiFindingClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = ward_gui_finding_finalize;
}

static void
ward_gui_finding_init (WardGuiFinding *self)
{
}

WardGuiFinding *
ward_gui_finding_new (GVariant *description)
{
  WardGuiFinding *self = g_object_new (WARD_GUI_TYPE_FINDING, NULL);

  self->description = g_variant_ref_sink (description);
  return self;
}

const char *
ward_gui_finding_get (WardGuiFinding *finding, const char *key)
{
  return ward_client_finding_get (finding->description, key);
}

gboolean
ward_gui_finding_is_repairable (WardGuiFinding *finding)
{
  return *ward_gui_finding_get (finding, "repair") != '\0';
}

gboolean
ward_gui_finding_is_bad (WardGuiFinding *finding)
{
  return ward_gui_severity_find (ward_gui_finding_get (finding, "severity"))->is_bad;
}

struct _WardGuiFindings
{
  GObject parent;

  WardClient *client;
  GListStore *items;
  GVariant *variant; /* NULL before the first reading, and after one that failed */
  gboolean is_all;   /* that is what an administrator sees */
  GError *error;

  GCancellable *cancellable; /* of the reading under way, or NULL */
  gboolean reads_all;        /* it reads what an administrator sees */
  gboolean is_asking;        /* it may ask for a password */
  gboolean is_waiting;       /* for the service's manager, before it */

  gboolean is_following;
  guint pause_id;        /* before the next reading that a change has made necessary */
  gboolean is_stale;     /* something changed while it was being read */
  gboolean is_follow_up; /* the reading under way, or the next one, is because of that */
  gboolean is_remade;    /* there were other TPMs when the rows were made */
};

static GType
get_item_type (GListModel *model)
{
  return WARD_GUI_TYPE_FINDING;
}

static guint
get_n_items (GListModel *model)
{
  return g_list_model_get_n_items (G_LIST_MODEL (WARD_GUI_FINDINGS (model)->items));
}

static gpointer
get_item (GListModel *model, guint position)
{
  return g_list_model_get_item (G_LIST_MODEL (WARD_GUI_FINDINGS (model)->items), position);
}

static void
list_model_init (GListModelInterface *interface)
{
  interface->get_item_type = get_item_type;
  interface->get_n_items = get_n_items;
  interface->get_item = get_item;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (WardGuiFindings, ward_gui_findings, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL, list_model_init))

static guint loaded_signal;

static void
cancel (WardGuiFindings *self)
{
  g_clear_handle_id (&self->pause_id, g_source_remove);
  self->is_waiting = FALSE;
  if (self->cancellable != NULL)
    g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
}

static void
ward_gui_findings_dispose (GObject *object)
{
  WardGuiFindings *self = WARD_GUI_FINDINGS (object);

  self->is_following = FALSE;
  cancel (self);
  g_clear_object (&self->client);
  g_clear_error (&self->error);
  G_OBJECT_CLASS (ward_gui_findings_parent_class)->dispose (object);
}

static void
ward_gui_findings_finalize (GObject *object)
{
  g_clear_pointer (&WARD_GUI_FINDINGS (object)->variant, g_variant_unref);
  g_clear_object (&WARD_GUI_FINDINGS (object)->items);
  G_OBJECT_CLASS (ward_gui_findings_parent_class)->finalize (object);
}

static void
ward_gui_findings_class_init (WardGuiFindingsClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = ward_gui_findings_dispose;
  G_OBJECT_CLASS (klass)->finalize = ward_gui_findings_finalize;
  loaded_signal = g_signal_new ("loaded", WARD_GUI_TYPE_FINDINGS, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE,
                                0);
}

static void
ward_gui_findings_init (WardGuiFindings *self)
{
  self->items = g_list_store_new (WARD_GUI_TYPE_FINDING);
  g_signal_connect_swapped (self->items, "items-changed", G_CALLBACK (g_list_model_items_changed), self);
}

static gboolean
is_at (WardGuiFindings *self, guint position, GVariant *description)
{
  g_autoptr (WardGuiFinding) finding = get_item (G_LIST_MODEL (self), position);

  return finding != NULL && g_variant_equal (finding->description, description);
}

static void
remove_others (WardGuiFindings *self, GVariant *variant)
{
  for (guint i = get_n_items (G_LIST_MODEL (self)); i > 0; i--)
    {
      gboolean is_there = FALSE;

      for (gsize j = 0; j < g_variant_n_children (variant) && !is_there; j++)
        {
          g_autoptr (GVariant) description = g_variant_get_child_value (variant, j);

          is_there = is_at (self, i - 1, description);
        }
      if (!is_there)
        g_list_store_remove (self->items, i - 1);
    }
}

/* One that comes in another order is made anew. */
static void
put (WardGuiFindings *self, guint position, GVariant *description)
{
  g_autoptr (WardGuiFinding) finding = NULL;

  if (is_at (self, position, description))
    return;
  for (guint i = get_n_items (G_LIST_MODEL (self)); i > position; i--)
    if (is_at (self, i - 1, description))
      g_list_store_remove (self->items, i - 1);
  finding = ward_gui_finding_new (description);
  g_list_store_insert (self->items, position, finding);
}

/* Rows of findings that are the same stay, with the focus. */
static void
show_items (WardGuiFindings *self)
{
  if (self->variant == NULL || self->is_remade)
    g_list_store_remove_all (self->items);
  self->is_remade = FALSE;
  if (self->variant == NULL)
    return;
  remove_others (self, self->variant);
  for (gsize i = 0; i < g_variant_n_children (self->variant); i++)
    {
      g_autoptr (GVariant) description = g_variant_get_child_value (self->variant, i);

      put (self, (guint)i, description);
    }
}

static gboolean on_pause_over (gpointer user_data);

static void
look_later (WardGuiFindings *self)
{
  if (self->pause_id == 0)
    self->pause_id = g_timeout_add (PAUSE_MS, on_pause_over, self);
}

static void on_diagnosed (GObject *source, GAsyncResult *result, gpointer user_data);

static void
call (WardGuiFindings *self)
{
  self->is_waiting = FALSE;
  ward_client_call_async (ward_client_get_manager (self->client), self->reads_all ? "DiagnoseAll" : "Diagnose", NULL,
                          NULL, self->is_asking ? WARD_CLIENT_CALL_INTERACTIVE : WARD_CLIENT_CALL_NONE,
                          self->cancellable, on_diagnosed, g_object_ref (self));
}

static gboolean
knows_service (WardGuiFindings *self)
{
  g_autofree char *owner = g_dbus_proxy_get_name_owner (G_DBUS_PROXY (ward_client_get_manager (self->client)));

  return owner != NULL;
}

/* After a restart of the service its TPMs may be known a little before its manager is. */
static void
look (WardGuiFindings *self, gboolean all, gboolean is_asking)
{
  cancel (self);
  self->cancellable = g_cancellable_new ();
  self->reads_all = all;
  self->is_asking = is_asking;
  self->is_stale = FALSE;
  if (knows_service (self) || !ward_client_is_running (self->client))
    call (self);
  else
    self->is_waiting = TRUE;
}

static void
on_manager_known (WardGuiFindings *self)
{
  if (self->is_waiting && knows_service (self))
    call (self);
}

/* What is there stays true when an administrator could not see more. */
static void
end_reading (WardGuiFindings *self, GVariant *reply)
{
  g_autoptr (GVariant) variant = reply != NULL ? g_variant_get_child_value (reply, 0) : NULL;

  if (variant == NULL && self->reads_all && self->is_asking)
    return;
  g_clear_pointer (&self->variant, g_variant_unref);
  self->variant = g_steal_pointer (&variant);
  show_items (self);
  self->is_all = self->variant != NULL && self->reads_all;
}

static void
on_diagnosed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (WardGuiFindings) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = ward_client_call_finish (source, result, &error);
  gboolean is_stale = self->is_stale && !self->is_follow_up;

  /* it is read anew, or nobody wants it any more */
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  if (self->reads_all && !self->is_asking
      && g_error_matches (error, WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_NOT_AUTHORIZED))
    {
      look (self, FALSE, FALSE);
      return;
    }
  g_clear_object (&self->cancellable);
  g_clear_error (&self->error);
  end_reading (self, reply);
  self->error = g_steal_pointer (&error);
  self->is_follow_up = is_stale;
  if (is_stale && self->is_following)
    look_later (self);
  g_signal_emit (self, loaded_signal, 0);
}

/* There is no one to ask while the service is away: another chip comes when it is back. */
static gboolean
on_pause_over (gpointer user_data)
{
  WardGuiFindings *self = user_data;

  self->pause_id = 0;
  if (ward_client_is_running (self->client))
    look (self, self->is_all, FALSE);
  return G_SOURCE_REMOVE;
}

/* Looking may itself change something, when the service notices it only then: so a change during a reading has it read
 * once more, and one during that has not. */
static void
on_changed (WardGuiFindings *self)
{
  if (self->cancellable != NULL)
    self->is_stale = TRUE;
  else if (self->is_following)
    look_later (self);
}

static void
on_tpms_changed (WardGuiFindings *self)
{
  self->is_remade = TRUE;
  on_changed (self);
}

/* Whether the doctor says something about the property. */
static gboolean
is_telling (const char *name)
{
  static const char *const names[] = {
    "Active",
    "Advisories",
    "ClearDisabled",
    "ClearPending",
    "DevicePath",
    "Enabled",
    "EndorsementAuthSet",
    "Failures",
    "LockedOut",
    "LockoutAuthBarredUntil",
    "LockoutAuthSet",
    "Owned",
    "OwnerAuthSet",
    "SrkPresent",
    "State",
    "StateDetail",
    NULL,
  };

  return g_strv_contains (names, name);
}

static void
on_properties_changed (WardGuiFindings *self, GDBusObjectProxy *object, GDBusProxy *proxy, GVariant *changed)
{
  GVariantIter iter;
  const char *name;

  /* its end comes, too */
  if (WARD_DBUS_IS_SELF_TEST (proxy)
      && g_strcmp0 (ward_dbus_self_test_get_state (WARD_DBUS_SELF_TEST (proxy)), "running") == 0)
    return;
  g_variant_iter_init (&iter, changed);
  while (g_variant_iter_next (&iter, "{&sv}", &name, NULL))
    if (is_telling (name))
      {
        on_changed (self);
        return;
      }
}

WardGuiFindings *
ward_gui_findings_new (WardClient *client)
{
  WardGuiFindings *self = g_object_new (WARD_GUI_TYPE_FINDINGS, NULL);
  GDBusObjectManager *objects = ward_client_get_objects (client);

  self->client = g_object_ref (client);
  g_signal_connect_object (objects, "interface-proxy-properties-changed", G_CALLBACK (on_properties_changed), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (objects, "object-added", G_CALLBACK (on_tpms_changed), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (objects, "object-removed", G_CALLBACK (on_tpms_changed), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (objects, "notify::name-owner", G_CALLBACK (on_changed), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (ward_client_get_manager (client), "notify::g-name-owner", G_CALLBACK (on_manager_known),
                           self, G_CONNECT_SWAPPED);
  return self;
}

void
ward_gui_findings_load (WardGuiFindings *findings, gboolean all)
{
  findings->is_follow_up = FALSE;
  look (findings, all, all);
}

void
ward_gui_findings_reload (WardGuiFindings *findings)
{
  findings->is_follow_up = FALSE;
  look (findings, findings->is_all, FALSE);
}

void
ward_gui_findings_set_following (WardGuiFindings *findings, gboolean is_following)
{
  findings->is_following = is_following;
  if (!is_following)
    g_clear_handle_id (&findings->pause_id, g_source_remove);
}

gboolean
ward_gui_findings_is_loaded (WardGuiFindings *findings)
{
  return findings->variant != NULL;
}

const GError *
ward_gui_findings_get_error (WardGuiFindings *findings)
{
  return findings->error;
}

GVariant *
ward_gui_findings_get_variant (WardGuiFindings *findings)
{
  return findings->variant;
}

WardClient *
ward_gui_findings_get_client (WardGuiFindings *findings)
{
  return findings->client;
}

char *
ward_gui_findings_dup_counts (WardGuiFindings *findings, gboolean with_notes)
{
  guint n_errors = ward_client_findings_count (findings->variant, "error");
  guint n_warnings = ward_client_findings_count (findings->variant, "warning");
  guint n_notes = with_notes ? ward_client_findings_count (findings->variant, "info") : 0;
  char *parts[] = {
    n_errors > 0 ? g_strdup_printf (ngettext ("%u problem", "%u problems", n_errors), n_errors) : NULL,
    n_warnings > 0 ? g_strdup_printf (ngettext ("%u warning", "%u warnings", n_warnings), n_warnings) : NULL,
    n_notes > 0 ? g_strdup_printf (ngettext ("%u note", "%u notes", n_notes), n_notes) : NULL,
  };
  char *text = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (parts); i++)
    {
      g_autofree char *before = g_steal_pointer (&text);
      g_autofree char *part = parts[i];

      if (before != NULL && part != NULL)
        /* Translators: counts of different things, such as “2 problems, 1 warning” */
        text = g_strdup_printf (_ ("%s, %s"), before, part);
      else
        text = part != NULL ? g_steal_pointer (&part) : g_steal_pointer (&before);
    }
  return text;
}
