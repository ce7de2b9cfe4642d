/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <adwaita.h>

#include "ward-client-auth.h"
#include "ward-secret.h"

#define WARD_GUI_TYPE_NEW_AUTH (ward_gui_new_auth_get_type ())

/* Where an auth value of a hierarchy is chosen: typed twice.
 *
 * Signal "changed": what is typed is another. */
G_DECLARE_FINAL_TYPE (WardGuiNewAuth, ward_gui_new_auth, WARD_GUI, NEW_AUTH, AdwPreferencesGroup)

/* max_size: in bytes; 0 when not known. */
GtkWidget *ward_gui_new_auth_new (WardClientAuth auth, gboolean is_tpm12, gsize max_size);

/* When it becomes known. */
void ward_gui_new_auth_set_max_size (WardGuiNewAuth *self, gsize max_size);

/* What is wrong with it, as a sentence; NULL for nothing, or for nothing that the person does not see. */
char *ward_gui_new_auth_dup_problem (WardGuiNewAuth *self);

/* A new reference; NULL when it is not ready to be set. */
WardSecret *ward_gui_new_auth_dup_secret (WardGuiNewAuth *self);
