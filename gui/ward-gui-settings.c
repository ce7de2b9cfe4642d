/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-settings.h"

#define SCHEMA_ID "org.tpmward.Manager"

/* g_settings_new() would end the process. */
GSettings *
ward_gui_settings_new (void)
{
  GSettingsSchemaSource *source = g_settings_schema_source_get_default ();
  g_autoptr (GSettingsSchema) schema = NULL;

  if (source != NULL)
    schema = g_settings_schema_source_lookup (source, SCHEMA_ID, TRUE);
  return schema != NULL ? g_settings_new_full (schema, NULL, NULL) : NULL;
}
