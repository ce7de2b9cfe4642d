/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-moments.h"

#include <glib/gi18n.h>

#include "ward-gui-finding-row.h"
#include "ward-gui-notice.h"

/* What the person sees stays for so long after the service has gone. */
#define PATIENCE_MS 1000

struct _WardGuiMoments
{
  AdwBin parent;

  GtkStack *stack;   /* "nothing", or "content" */
  GtkStack *reasons; /* for nothing: "blank", "connecting" or "trouble" */
  GtkMenuButton *menu_button;
  GtkSpinner *spinner;
  AdwStatusPage *trouble;
  GtkWidget *retry_button;
  GtkWidget *details_group;
  AdwPreferencesRow *details;
  GtkWidget *findings_group;
  GtkListBox *findings_list;

  WardGuiMachine *machine;
  GtkWidget *content;
  WardGuiChip *chip;
  char *preferred;
  WardGuiFindings *findings; /* while there is no TPM, of the client that is there now */
  guint patience_id;
};

G_DEFINE_FINAL_TYPE (WardGuiMoments, ward_gui_moments, ADW_TYPE_BIN)

enum
{
  PROP_CONTENT = 1,
  PROP_MENU_MODEL,
  PROP_CHIP,
  N_PROPERTIES
};

static GParamSpec *properties[N_PROPERTIES];

/* The words for what keeps the program from the service. */
typedef struct
{
  WardClientErrorCode code;
  const char *icon_name;
  const char *title;
  const char *description;
} Trouble;

static const Trouble troubles[] = {
  { WARD_CLIENT_ERROR_NO_SERVICE, "system-software-install-symbolic", N_ ("TPM Ward Is Not Installed"),
    N_ ("TPM Manager reaches the TPM through a service, TPM Ward, which this system does not have. Install the package "
        "“tpmward”; if it was installed a moment ago, restart the computer.") },
  { WARD_CLIENT_ERROR_SERVICE_FAILED, "computer-fail-symbolic", N_ ("The TPM Ward Service Does Not Start"),
    N_ ("TPM Manager reaches the TPM through this service, and keeps trying to start it. The system’s journal may tell "
        "why it does not start: type “journalctl -u tpmward” into a terminal.") },
  { WARD_CLIENT_ERROR_BUS_DENIED, "system-lock-screen-symbolic", N_ ("The System Does Not Let You Use TPM Ward"),
    N_ ("The system bus, over which programs reach services, refuses to connect you. What was installed with TPM Ward "
        "may be incomplete: restart the computer, or install it again.") },
  { WARD_CLIENT_ERROR_NO_BUS, "network-offline-symbolic", N_ ("The System Bus Does Not Answer"),
    N_ ("Programs reach services such as TPM Ward over the system bus, which does not run on this computer or has "
        "failed. TPM Manager keeps trying; restarting the computer may help.") },
};

static const Trouble other_trouble = {
  .icon_name = "computer-fail-symbolic",
  .title = N_ ("The TPM Ward Service Cannot Be Used"),
  .description = N_ ("It did not answer as it should. TPM Manager keeps trying; restarting the computer may help."),
};

static const Trouble *
find_trouble (const GError *error)
{
  for (gsize i = 0; i < G_N_ELEMENTS (troubles); i++)
    if (g_error_matches (error, WARD_CLIENT_ERROR, (int)troubles[i].code))
      return &troubles[i];
  return &other_trouble;
}

static void
set_chip (WardGuiMoments *self, WardGuiChip *chip)
{
  if (g_set_object (&self->chip, chip))
    g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_CHIP]);
}

static void
show_reason (WardGuiMoments *self, const char *name)
{
  g_clear_handle_id (&self->patience_id, g_source_remove);
  set_chip (self, NULL);
  gtk_stack_set_visible_child_name (self->reasons, name);
  gtk_spinner_set_spinning (self->spinner, g_str_equal (name, "connecting"));
  gtk_stack_set_visible_child_name (self->stack, "nothing");
}

static gboolean
on_out_of_patience (gpointer user_data)
{
  WardGuiMoments *self = user_data;

  self->patience_id = 0;
  show_reason (self, "connecting");
  return G_SOURCE_REMOVE;
}

static void
show_connecting (WardGuiMoments *self)
{
  if (self->patience_id == 0)
    self->patience_id = g_timeout_add (PATIENCE_MS, on_out_of_patience, self);
}

static void
set_description (WardGuiMoments *self, const char *text)
{
  g_autofree char *escaped = g_markup_escape_text (text, -1);

  adw_status_page_set_description (self->trouble, escaped);
}

/* Where the doctor finds nothing to say, or cannot look, the reason stands alone. */
static void
show_findings (WardGuiMoments *self)
{
  gtk_widget_set_visible (self->findings_group, g_list_model_get_n_items (G_LIST_MODEL (self->findings)) > 0);
}

static GtkWidget *
make_finding_row (gpointer item, gpointer user_data)
{
  return ward_gui_finding_row_new (WARD_GUI_MOMENTS (user_data)->findings, item);
}

static void
forget_findings (WardGuiMoments *self)
{
  if (self->findings == NULL)
    return;
  g_signal_handlers_disconnect_by_data (self->findings, self);
  gtk_list_box_bind_model (self->findings_list, NULL, NULL, NULL, NULL);
  gtk_widget_hide (self->findings_group);
  g_clear_object (&self->findings);
}

static void
ask_doctor (WardGuiMoments *self)
{
  WardClient *client = ward_gui_machine_get_client (self->machine);

  if (self->findings != NULL && ward_gui_findings_get_client (self->findings) != client)
    forget_findings (self);
  if (self->findings == NULL)
    {
      self->findings = ward_gui_findings_new (client);
      g_signal_connect_object (self->findings, "loaded", G_CALLBACK (show_findings), self, G_CONNECT_SWAPPED);
      gtk_list_box_bind_model (self->findings_list, G_LIST_MODEL (self->findings), make_finding_row, self, NULL);
    }
  ward_gui_findings_load (self->findings, FALSE);
}

static void
show_failure (WardGuiMoments *self)
{
  const GError *error = ward_gui_machine_get_error (self->machine);
  const Trouble *trouble = find_trouble (error);

  adw_status_page_set_icon_name (self->trouble, trouble->icon_name);
  adw_status_page_set_title (self->trouble, _ (trouble->title));
  set_description (self, _ (trouble->description));
  adw_preferences_row_set_title (self->details, error->message);
  gtk_widget_show (self->details_group);
  forget_findings (self);
  show_reason (self, "trouble");
}

static void
show_no_tpm (WardGuiMoments *self)
{
  const GError *error = ward_gui_machine_get_error (self->machine);

  adw_status_page_set_icon_name (self->trouble, "computer-fail-symbolic");
  adw_status_page_set_title (self->trouble, _ ("No TPM Was Found"));
  set_description (self, error->message);
  gtk_widget_hide (self->details_group);
  ask_doctor (self);
  show_reason (self, "trouble");
}

/* A new reference to the chip of that name; NULL if there is none. */
static WardGuiChip *
find_chip (GListModel *chips, const char *name)
{
  guint n = g_list_model_get_n_items (chips);

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (WardGuiChip) chip = g_list_model_get_item (chips, i);

      if (g_strcmp0 (ward_gui_chip_get_name (chip), name) == 0)
        return g_steal_pointer (&chip);
    }
  return NULL;
}

/* The preferred one, else the one that is shown (which is another object after the service was restarted), else the
 * first. A new reference. */
static WardGuiChip *
choose_chip (WardGuiMoments *self)
{
  GListModel *chips = ward_gui_machine_get_chips (self->machine);
  WardGuiChip *chip = find_chip (chips, self->preferred);

  if (chip == NULL && self->chip != NULL)
    chip = find_chip (chips, ward_gui_chip_get_name (self->chip));
  return chip != NULL ? chip : g_list_model_get_item (chips, 0);
}

static void
show_content (WardGuiMoments *self)
{
  g_autoptr (WardGuiChip) chip = choose_chip (self);

  g_clear_handle_id (&self->patience_id, g_source_remove);
  set_chip (self, chip);
  forget_findings (self);
  gtk_stack_set_visible_child_name (self->stack, "content");
  gtk_spinner_set_spinning (self->spinner, FALSE);
}

static void
on_state_changed (WardGuiMoments *self)
{
  WardGuiMachineState state = ward_gui_machine_get_state (self->machine);

  gtk_widget_set_sensitive (self->retry_button, state != WARD_GUI_MACHINE_CONNECTING);
  switch (state)
    {
    case WARD_GUI_MACHINE_CONNECTING:
      show_connecting (self);
      break;
    case WARD_GUI_MACHINE_READY:
      show_content (self);
      break;
    case WARD_GUI_MACHINE_NO_TPM:
      show_no_tpm (self);
      break;
    case WARD_GUI_MACHINE_FAILED:
      show_failure (self);
      break;
    default:
      break;
    }
}

static void
on_retry_clicked (WardGuiMoments *self)
{
  if (self->findings != NULL)
    ward_gui_findings_load (self->findings, FALSE);
  ward_gui_machine_retry (self->machine);
}

/* As a person sees it, for somebody who helps. */
static void
on_copy_clicked (WardGuiMoments *self)
{
  const GError *error = ward_gui_machine_get_error (self->machine);
  g_autofree char *text = NULL;

  if (error == NULL)
    return;
  text = g_strdup_printf ("%s\n%s\n(%s, %d)", adw_status_page_get_title (self->trouble), error->message,
                          g_quark_to_string (error->domain), error->code);
  ward_gui_notice_copy (GTK_WIDGET (self), text, _ ("Details copied"));
}

static void
set_content (WardGuiMoments *self, GtkWidget *content)
{
  self->content = content;
  gtk_stack_add_named (self->stack, content, "content");
}

static void
get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  WardGuiMoments *self = WARD_GUI_MOMENTS (object);

  switch (id)
    {
    case PROP_CONTENT:
      g_value_set_object (value, self->content);
      break;
    case PROP_MENU_MODEL:
      g_value_set_object (value, gtk_menu_button_get_menu_model (self->menu_button));
      break;
    case PROP_CHIP:
      g_value_set_object (value, self->chip);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  WardGuiMoments *self = WARD_GUI_MOMENTS (object);

  switch (id)
    {
    case PROP_CONTENT:
      set_content (self, g_value_get_object (value));
      break;
    case PROP_MENU_MODEL:
      gtk_menu_button_set_menu_model (self->menu_button, g_value_get_object (value));
      gtk_widget_set_visible (GTK_WIDGET (self->menu_button), g_value_get_object (value) != NULL);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
ward_gui_moments_dispose (GObject *object)
{
  WardGuiMoments *self = WARD_GUI_MOMENTS (object);

  g_clear_handle_id (&self->patience_id, g_source_remove);
  g_clear_object (&self->findings);
  g_clear_object (&self->chip);
  g_clear_object (&self->machine);
  g_clear_pointer (&self->preferred, g_free);
  G_OBJECT_CLASS (ward_gui_moments_parent_class)->dispose (object);
}

static void
ward_gui_moments_class_init (WardGuiMomentsClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->get_property = get_property;
  object_class->set_property = set_property;
  object_class->dispose = ward_gui_moments_dispose;

  properties[PROP_CONTENT] = g_param_spec_object ("content", NULL, NULL, GTK_TYPE_WIDGET,
                                                  G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
  properties[PROP_MENU_MODEL] = g_param_spec_object ("menu-model", NULL, NULL, G_TYPE_MENU_MODEL,
                                                     G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
  properties[PROP_CHIP] = g_param_spec_object ("chip", NULL, NULL, WARD_GUI_TYPE_CHIP,
                                               G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);

  gtk_widget_class_set_template_from_resource (widget_class, "/org/tpmward/Manager/ward-gui-moments.ui");
  gtk_widget_class_bind_template_child (widget_class, WardGuiMoments, stack);
  gtk_widget_class_bind_template_child (widget_class, WardGuiMoments, reasons);
  gtk_widget_class_bind_template_child (widget_class, WardGuiMoments, menu_button);
  gtk_widget_class_bind_template_child (widget_class, WardGuiMoments, spinner);
  gtk_widget_class_bind_template_child (widget_class, WardGuiMoments, trouble);
  gtk_widget_class_bind_template_child (widget_class, WardGuiMoments, retry_button);
  gtk_widget_class_bind_template_child (widget_class, WardGuiMoments, details_group);
  gtk_widget_class_bind_template_child (widget_class, WardGuiMoments, details);
  gtk_widget_class_bind_template_child (widget_class, WardGuiMoments, findings_group);
  gtk_widget_class_bind_template_child (widget_class, WardGuiMoments, findings_list);
  gtk_widget_class_bind_template_callback (widget_class, on_retry_clicked);
  gtk_widget_class_bind_template_callback (widget_class, on_copy_clicked);
}

static void
ward_gui_moments_init (WardGuiMoments *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

void
ward_gui_moments_set_machine (WardGuiMoments *moments, WardGuiMachine *machine)
{
  g_return_if_fail (moments->machine == NULL);

  moments->machine = g_object_ref (machine);
  g_signal_connect_object (machine, "notify::state", G_CALLBACK (on_state_changed), moments, G_CONNECT_SWAPPED);
  on_state_changed (moments);
}

WardGuiChip *
ward_gui_moments_get_chip (WardGuiMoments *moments)
{
  return moments->chip;
}

void
ward_gui_moments_prefer (WardGuiMoments *moments, const char *name)
{
  if (g_strcmp0 (moments->preferred, name) == 0)
    return;
  g_free (moments->preferred);
  moments->preferred = g_strdup (name);
  if (moments->machine != NULL && ward_gui_machine_get_state (moments->machine) == WARD_GUI_MACHINE_READY)
    show_content (moments);
}
