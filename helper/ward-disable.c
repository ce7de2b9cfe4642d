/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-disable.h"

#include "ward-error.h"
#include "ward-families.h"
#include "ward-systemd.h"

/* A service that may be disabled. */
typedef struct
{
  const char *name;
  const char *unit;
  gboolean serves_tpm12;
  gboolean is_asked_for; /* D-Bus starts it whenever a program asks for it: to disable it is not enough */
} Service;

static const Service services[] = {
  { .name = "tcsd", .unit = "tcsd.service", .serves_tpm12 = TRUE },
  { .name = "tpm2-abrmd", .unit = "tpm2-abrmd.service", .is_asked_for = TRUE },
};

typedef struct
{
  WardSystemd *systemd;
  const char *unit;
  gboolean dry_run;
  GStrvBuilder *lines;
} Change;

static const Service *
find_service (const char *name, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (services); i++)
    if (g_str_equal (name, services[i].name))
      return &services[i];
  g_set_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
               "“%.40s” is no service that can be disabled here: “tcsd” and “tpm2-abrmd” are.", name);
  return NULL;
}

static void G_GNUC_PRINTF (2, 3) say (Change *self, const char *format, ...)
{
  g_autofree char *line = NULL;
  va_list args;

  va_start (args, format);
  line = g_strdup_vprintf (format, args);
  va_end (args);
  if (!self->dry_run)
    g_message ("Services: %s", line);
  g_strv_builder_add (self->lines, line);
}

static gboolean
runs (const WardUnitState *state)
{
  return !g_str_equal (state->active_state, "inactive") && !g_str_equal (state->active_state, "failed");
}

/* One that is made to stop by force ends as “failed”, which serves. */
static gboolean
stop (Change *self, const WardUnitState *was, GError **error)
{
  g_autoptr (WardUnitState) is = NULL;
  g_autoptr (GError) local_error = NULL;

  if (!runs (was))
    return TRUE;
  if (!self->dry_run && !ward_systemd_stop (self->systemd, self->unit, &local_error))
    {
      is = ward_systemd_look (self->systemd, self->unit, NULL);
      if (!is || runs (is))
        {
          g_propagate_error (error, g_steal_pointer (&local_error));
          return FALSE;
        }
    }
  say (self, "stop %s (was %s)", self->unit, was->active_state);
  return TRUE;
}

static gboolean
disable (Change *self, const WardUnitState *was, GError **error)
{
  gboolean runtime = g_str_equal (was->file_state, "enabled-runtime");

  if (!runtime && !g_str_equal (was->file_state, "enabled"))
    return TRUE;
  if (!self->dry_run && !ward_systemd_disable (self->systemd, self->unit, runtime, error))
    return FALSE;
  say (self, "disable %s (was %s)", self->unit, was->file_state);
  return TRUE;
}

/* What is generated, from a script of System V, cannot be disabled. */
static gboolean
mask (Change *self, const Service *service, const WardUnitState *was, GError **error)
{
  gboolean is_generated = g_str_equal (was->file_state, "generated");

  if ((!service->is_asked_for && !is_generated) || g_str_equal (was->load_state, "masked"))
    return TRUE;
  if (!self->dry_run && !ward_systemd_mask (self->systemd, self->unit, error))
    return FALSE;
  say (self, "mask %s (%s)", self->unit,
       is_generated ? "it comes from a script in /etc/init.d" : "D-Bus would start it when a program asks for it");
  return TRUE;
}

/* A failure that cannot come again would stay on show, among what fails on this machine and before the doctor. */
static gboolean
forget_failure (Change *self, const WardUnitState *was, GError **error)
{
  if (!g_str_equal (was->active_state, "failed"))
    return TRUE;
  if (!self->dry_run && !ward_systemd_reset_failed (self->systemd, self->unit, error))
    return FALSE;
  say (self, "reset-failed %s (was failed)", self->unit);
  return TRUE;
}

/* What has failed may have begun: a service that was stopped is not started again, as it was of no use, but who reads
 * the error is to know. */
static void
say_how_far (Change *self, GError **error)
{
  g_auto (GStrv) done = g_strv_builder_end (self->lines);
  g_autofree char *lines = g_strjoinv ("; ", done);

  if (done[0])
    g_prefix_error (error, "Done before it failed: %s. ", lines);
}

GStrv
ward_disable (const char *root, GDBusConnection *connection, const char *service, gboolean dry_run, GError **error)
{
  const Service *found = find_service (service, error);
  g_autofree char *tpm12 = NULL;
  g_autoptr (WardSystemd) systemd = NULL;
  g_autoptr (WardUnitState) was = NULL;
  g_autoptr (GStrvBuilder) lines = g_strv_builder_new ();
  Change change;

  if (!found)
    return NULL;
  tpm12 = found->serves_tpm12 ? ward_families_find_tpm12 (root) : NULL;
  if (tpm12)
    {
      g_set_error (error, WARD_ERROR, WARD_ERROR_WOULD_BREAK,
                   "This machine has a TPM 1.2 (%s), which is used through %s: it stays as it is.", tpm12, found->unit);
      return NULL;
    }
  systemd = ward_systemd_new (connection, error);
  was = systemd ? ward_systemd_look (systemd, found->unit, error) : NULL;
  if (!was)
    return NULL;

  change = (Change){ .systemd = systemd, .unit = found->unit, .dry_run = dry_run, .lines = lines };
  if (!g_str_equal (was->load_state, "not-found")
      && (!stop (&change, was, error) || !disable (&change, was, error) || !mask (&change, found, was, error)
          || !forget_failure (&change, was, error)))
    {
      say_how_far (&change, error);
      return NULL;
    }
  return g_strv_builder_end (lines);
}
