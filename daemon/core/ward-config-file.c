/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-config-file.h"

#include <string.h>

#include "ward-error.h"

#define SERVICE_GROUP "Service"
#define TPM_GROUP_PREFIX "TPM "
#define NAME_MAX_LENGTH 32

static void
config_tpm_free (WardConfigTpm *tpm)
{
  g_free (tpm->name);
  g_free (tpm->transport);
  g_free (tpm);
}

/* The configuration of a machine on which nothing was decided. */
WardConfig *
ward_config_new (void)
{
  WardConfig *config = g_new0 (WardConfig, 1);

  config->discover = TRUE;
  config->tpms = g_ptr_array_new_with_free_func ((GDestroyNotify)config_tpm_free);
  return config;
}

void
ward_config_free (WardConfig *config)
{
  g_ptr_array_unref (config->tpms);
  g_free (config);
}

/* Whether name is 1 to 32 ASCII letters, digits and underscores, not beginning with a digit. */
gboolean
ward_config_tpm_name_is_valid (const char *name)
{
  gsize length = strlen (name);

  if (length == 0 || length > NAME_MAX_LENGTH || g_ascii_isdigit (name[0]))
    return FALSE;
  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isalnum (name[i]) && name[i] != '_')
      return FALSE;
  return TRUE;
}

static WardConfigTpm *
find_tpm (WardConfig *config, const char *name)
{
  for (guint i = 0; i < config->tpms->len; i++)
    {
      WardConfigTpm *tpm = g_ptr_array_index (config->tpms, i);

      if (g_str_equal (tpm->name, name))
        return tpm;
    }
  return NULL;
}

/* origin: where it was said, for the message. */
/* TCTIs are the way to TPMs 2.0, and tcsd is that to TPMs 1.2. */
static const char *
family_of (const char *transport)
{
  return g_str_equal (transport, "tcsd") || g_str_has_prefix (transport, "tcsd:") ? "1.2" : "2.0";
}

/* Of tcsd, only the port at which it listens on this machine can be told. */
static gboolean
is_tcsd (const char *transport)
{
  const char *port = transport + strlen ("tcsd:port=");

  return g_str_equal (transport, "tcsd")
         || (g_str_has_prefix (transport, "tcsd:port=") && g_ascii_isdigit (*port)
             && g_ascii_string_to_unsigned (port, 10, 1, G_MAXUINT16, NULL, NULL));
}

static gboolean
check_tpm (const char *origin, const char *name, const char *transport, GError **error)
{
  if (!ward_config_tpm_name_is_valid (name))
    {
      g_set_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
                   "%s: “%s” cannot be the name of a TPM, as it becomes part of a D-Bus object path. Use 1 to %d "
                   "letters, digits and underscores, not beginning with a digit.",
                   origin, name, NAME_MAX_LENGTH);
      return FALSE;
    }
  if (transport[0] == '\0')
    {
      g_set_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
                   "%s: it is not said how to reach the TPM “%s”. Give a TCTI configuration, such as "
                   "“device:/dev/tpmrm0” or “swtpm:path=/run/swtpm.sock”.",
                   origin, name);
      return FALSE;
    }
  if (g_str_equal (family_of (transport), "1.2") && !is_tcsd (transport))
    {
      g_set_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
                   "%s: “%s” does not say how to reach the TPM “%s”: a TPM 1.2 is reached by “tcsd”, or by "
                   "“tcsd:port=NUMBER” where tcsd listens at another port than 30003.",
                   origin, transport, name);
      return FALSE;
    }
  return TRUE;
}

/* Adds a TPM in the form that the command line has, NAME=TCTI. It takes the place of one of that name from the file.
 * Fails with WARD_ERROR_INVALID_ARGUMENT for another form, and for a name that the command line has named before: one
 * of the two is an error. */
gboolean
ward_config_add_tpm (WardConfig *config, const char *assignment, GError **error)
{
  const char *equals = strchr (assignment, '=');
  g_autofree char *name = NULL;
  g_autofree char *transport = NULL;
  WardConfigTpm *tpm;

  if (equals == NULL)
    {
      g_set_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
                   "--tpm: “%s” is not of the form NAME=TCTI, such as “tpm0=device:/dev/tpmrm0”.", assignment);
      return FALSE;
    }
  name = g_strndup (assignment, equals - assignment);
  transport = g_strstrip (g_strdup (equals + 1));
  if (!check_tpm ("--tpm", name, transport, error))
    return FALSE;

  tpm = find_tpm (config, name);
  if (tpm != NULL && tpm->from_command_line)
    {
      g_set_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
                   "--tpm: the name “%s” is given twice. Each TPM needs a name of its own.", name);
      return FALSE;
    }
  if (tpm == NULL)
    {
      tpm = g_new0 (WardConfigTpm, 1);
      tpm->name = g_steal_pointer (&name);
      g_ptr_array_add (config->tpms, tpm);
    }
  g_free (tpm->transport);
  tpm->transport = g_steal_pointer (&transport);
  tpm->family = family_of (tpm->transport);
  tpm->from_command_line = TRUE;
  return TRUE;
}

static gboolean
check_keys (GKeyFile *file, const char *path, const char *group, const char *only_key, GError **error)
{
  g_auto (GStrv) keys = g_key_file_get_keys (file, group, NULL, NULL);

  for (guint i = 0; keys != NULL && keys[i] != NULL; i++)
    if (!g_str_equal (keys[i], only_key))
      {
        g_set_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
                     "%s: the group [%s] has an unknown key “%s”. The only key there is “%s”.", path, group, keys[i],
                     only_key);
        return FALSE;
      }
  return TRUE;
}

static gboolean
read_service (WardConfig *config, GKeyFile *file, const char *path, GError **error)
{
  g_autoptr (GError) local_error = NULL;
  gboolean discover;

  if (!check_keys (file, path, SERVICE_GROUP, "Discover", error))
    return FALSE;
  if (!g_key_file_has_key (file, SERVICE_GROUP, "Discover", NULL))
    return TRUE;
  discover = g_key_file_get_boolean (file, SERVICE_GROUP, "Discover", &local_error);
  if (local_error != NULL)
    {
      g_set_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
                   "%s: “Discover” in the group [%s] must be “true” or “false”.", path, SERVICE_GROUP);
      return FALSE;
    }
  config->discover = discover;
  return TRUE;
}

static gboolean
read_tpm (WardConfig *config, GKeyFile *file, const char *path, const char *group, GError **error)
{
  g_autofree char *origin = g_strdup_printf ("%s: the group [%s]", path, group);
  g_autoptr (GError) local_error = NULL;
  g_autofree char *transport = NULL;
  WardConfigTpm *tpm;

  if (!check_keys (file, path, group, "Transport", error))
    return FALSE;
  if (g_key_file_has_key (file, group, "Transport", NULL))
    transport = g_key_file_get_string (file, group, "Transport", &local_error);
  if (local_error != NULL)
    {
      g_set_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT, "%s: “Transport” cannot be read: %s", origin,
                   local_error->message);
      return FALSE;
    }
  if (!check_tpm (origin, group + strlen (TPM_GROUP_PREFIX), transport != NULL ? transport : "", error))
    return FALSE;

  tpm = g_new0 (WardConfigTpm, 1);
  tpm->name = g_strdup (group + strlen (TPM_GROUP_PREFIX));
  tpm->transport = g_steal_pointer (&transport);
  tpm->family = family_of (tpm->transport);
  g_ptr_array_add (config->tpms, tpm);
  return TRUE;
}

static gboolean
read_group (WardConfig *config, GKeyFile *file, const char *path, const char *group, GError **error)
{
  if (g_str_equal (group, SERVICE_GROUP))
    return read_service (config, file, path, error);
  if (g_str_has_prefix (group, TPM_GROUP_PREFIX))
    return read_tpm (config, file, path, group, error);
  g_set_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
               "%s: the group [%s] is unknown. There are [%s] and, for each TPM, [%sNAME].", path, group, SERVICE_GROUP,
               TPM_GROUP_PREFIX);
  return FALSE;
}

/* Reads the configuration file at path; a missing one is an empty one. Fails with WARD_ERROR_INVALID_ARGUMENT, naming
 * file, group and key, for anything that is not understood, as a typo must not be ignored; and with WARD_ERROR_FAILED
 * if the file cannot be read. */
WardConfig *
ward_config_load (const char *path, GError **error)
{
  g_autoptr (WardConfig) config = ward_config_new ();
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (GError) local_error = NULL;
  g_auto (GStrv) groups = NULL;

  /* With the translations, since a key that is dropped while parsing would be a typo ignored. */
  if (!g_key_file_load_from_file (file, path, G_KEY_FILE_KEEP_TRANSLATIONS, &local_error))
    {
      int code = local_error->domain == G_KEY_FILE_ERROR ? WARD_ERROR_INVALID_ARGUMENT : WARD_ERROR_FAILED;

      if (g_error_matches (local_error, G_FILE_ERROR, G_FILE_ERROR_NOENT))
        return g_steal_pointer (&config);
      g_set_error (error, WARD_ERROR, code, "The configuration file %s cannot be read: %s", path, local_error->message);
      return NULL;
    }

  groups = g_key_file_get_groups (file, NULL);
  for (guint i = 0; groups[i] != NULL; i++)
    if (!read_group (config, file, path, groups[i], error))
      return NULL;
  return g_steal_pointer (&config);
}
