/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/* pkttyagent, which asks for passwords on this process's terminal when no desktop does. It ends with this object, and
 * with this process. */
typedef struct _WardCliAgent WardCliAgent;

/* Whether there is a person at a terminal to ask, and anything to ask: root is authorized to everything. */
gboolean ward_cli_agent_is_useful (void);

/* Starts the agent and returns when polkit knows it. connection is to the system bus. */
WardCliAgent *ward_cli_agent_start (GDBusConnection *connection, GError **error);
void ward_cli_agent_free (WardCliAgent *agent);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardCliAgent, ward_cli_agent_free)
