/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-release.h"

#include <glib/gi18n.h>

#include "ward-client-auth.h"
#include "ward-gui-auth.h"
#include "ward-gui-notice.h"

typedef struct
{
  GtkWidget *widget;
  WardGuiChip *chip;
  WardClientAuth current;
  GString *removed; /* names, for a sentence */
} Release;

static void
release_free (Release *self)
{
  g_object_unref (self->widget);
  g_object_unref (self->chip);
  g_string_free (self->removed, TRUE);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Release, release_free)

static void go_on (Release *self);

static void
tell_failure (Release *self, const GError *error)
{
  g_autofree char *note = NULL;

  ward_gui_notice_error (self->widget, _ ("The Password Was Not Removed"), error);
  if (self->removed->len == 0)
    return;
  note = g_strdup_printf (_ ("Removed before that: %s"), self->removed->str);
  ward_gui_notice_toast (self->widget, note);
}

static void
on_removed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Release) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = ward_gui_auth_call_finish (WARD_GUI_CALL (source), result, &error);

  if (reply == NULL)
    {
      tell_failure (self, error);
      return;
    }
  g_string_append_printf (self->removed, "%s%s", self->removed->len > 0 ? ", " : "",
                          ward_client_auth_info (self->current, FALSE).what);
  self->current++;
  go_on (g_steal_pointer (&self));
}

/* Takes self. */
static void
remove_current (Release *self)
{
  const WardClientAuthInfo info = ward_client_auth_info (self->current, FALSE);
  g_autofree char *body = g_strdup_printf (_ ("To remove the %s it is needed once more."), info.what);
  const WardGuiAuth auth = {
    .option = "old",
    .title = info.title,
    .body = body,
    .ask_first = TRUE,
    .by_owner = self->current != WARD_CLIENT_AUTH_LOCKOUT,
    .is_lockout = self->current == WARD_CLIENT_AUTH_LOCKOUT,
  };
  g_autoptr (WardGuiCall) call = ward_gui_call_new (self->widget, ward_gui_chip_get_ownership (self->chip),
                                                    "ChangeAuth", g_variant_new ("(s)", info.name),
                                                    _ ("The TPM removes the auth…"));

  ward_gui_auth_call_async (call, self->chip, &auth, on_removed, self);
}

/* Takes self. The lockout auth comes last: until then who knows it may still clear the TPM. */
static void
go_on (Release *taken)
{
  g_autoptr (Release) self = taken;
  g_autofree char *note = NULL;

  for (; self->current < WARD_CLIENT_N_AUTHS; self->current++)
    {
      if (!ward_client_auth_is_set (ward_gui_chip_get_ownership (self->chip), self->current))
        continue;
      remove_current (g_steal_pointer (&self));
      return;
    }
  note = g_strdup_printf (_ ("%s is released"), ward_gui_chip_get_name (self->chip));
  ward_gui_notice_toast (self->widget, note);
}

static void
on_answered (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Release) self = user_data;

  if (ward_gui_notice_ask_finish (result))
    go_on (g_steal_pointer (&self));
}

void
ward_gui_release (GtkWidget *widget, WardGuiChip *chip)
{
  Release *self = g_new0 (Release, 1);

  self->widget = g_object_ref (widget);
  self->chip = g_object_ref (chip);
  self->removed = g_string_new (NULL);
  ward_gui_notice_ask_async (widget, _ ("Release the TPM?"),
                             _ ("All its passwords are removed: afterwards every administrator can lift its lockout, "
                                "change its rules and clear it, and disks that it unlocks with a PIN are no longer "
                                "safe from guessing.\n\nNothing else is changed: the storage root key, other keys and "
                                "what is sealed stay."),
                             _ ("_Release…"), TRUE, on_answered, self);
}
