/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli-lockout-panel.h"

#include "ward-cli-json.h"
#include "ward-cli-term.h"
#include "ward-cli-text.h"
#include "ward-client-text.h"

char *
ward_cli_lockout_failures (WardDbusLockout *lockout)
{
  guint32 failures = ward_dbus_lockout_get_failures (lockout);
  guint32 max = ward_dbus_lockout_get_max_failures (lockout);

  return failures == 0 ? g_strdup_printf ("none of %u", max) : g_strdup_printf ("%u of %u", failures, max);
}

/* "INSTANT, in SPAN". */
static char *
describe_instant (guint64 then, gint64 now)
{
  g_autofree char *instant = ward_client_text_instant (then);
  /* a part of a second is rounded up: nothing happens "in 0 seconds" */
  g_autofree char *span = ward_client_text_span ((then - (guint64)now + G_USEC_PER_SEC - 1) / G_USEC_PER_SEC);

  return g_strdup_printf ("%s, in %s", instant, span);
}

char *
ward_cli_lockout_next (WardDbusLockout *lockout, gint64 now)
{
  guint64 then = ward_dbus_lockout_get_next_recovery (lockout);
  g_autofree char *text = NULL;

  if (then == 0)
    return NULL;
  if (then <= (guint64)now)
    return g_strdup ("any moment now");
  text = describe_instant (then, now);
  return g_strdup_printf ("at %s at the latest", text);
}

char *
ward_cli_lockout_bar (WardDbusLockout *lockout, gint64 now)
{
  guint64 until = ward_dbus_lockout_get_lockout_auth_barred_until (lockout);
  g_autofree char *text = NULL;

  /* the service's clock tells when it is over, at its next look */
  if (until <= (guint64)now)
    return NULL;
  if (until == G_MAXUINT64)
    return g_strdup ("until the TPM is reset, at the next restart of the machine");
  text = describe_instant (until, now);
  return g_strdup_printf ("until %s", text);
}

char *
ward_cli_lockout_penalty (guint32 seconds)
{
  g_autofree char *span = ward_client_text_span (seconds);

  return seconds == 0 ? g_strdup ("until the machine is restarted") : g_strdup_printf ("for %s", span);
}

char *
ward_cli_lockout_summary (WardDbusLockout *lockout, gint64 now)
{
  gboolean locked_out = ward_dbus_lockout_get_locked_out (lockout);
  g_autofree char *failures = ward_cli_lockout_failures (lockout);
  g_autofree char *next = ward_cli_lockout_next (lockout, now);

  if (!locked_out && ward_dbus_lockout_get_failures (lockout) == 0)
    return NULL;
  /* a TPM 1.2 tells no more */
  if (ward_dbus_lockout_get_max_failures (lockout) == 0)
    return g_strdup ("locked out (“tpmward lockout” tells more)");
  return g_strdup_printf ("%s%s failures%s%s (“tpmward lockout” tells more)", locked_out ? "locked out · " : "",
                          failures, next != NULL ? " · one is forgiven " : "", next != NULL ? next : "");
}

static void
print_headline (const char *tpm_name, gboolean locked_out)
{
  WardCliStyle style = locked_out ? WARD_CLI_STYLE_BAD : WARD_CLI_STYLE_GOOD;
  g_autofree char *dot = ward_cli_styled (style, "●");
  g_autofree char *clean = ward_cli_text_clean (tpm_name);
  g_autofree char *name = ward_cli_styled (WARD_CLI_STYLE_BOLD, clean);
  g_autofree char *state = ward_cli_styled (style, locked_out ? "is locked out" : "is not locked out");

  ward_cli_print ("%s %s %s\n", dot, name, state);
  if (locked_out)
    ward_cli_print_paragraph (2, WARD_CLI_STYLE_PLAIN,
                              "After too many wrong secrets the TPM refuses all that it counts failures for, even the "
                              "right ones, until one failure is forgiven or “tpmward lockout reset” ends it.");
  ward_cli_print ("\n");
}

void
ward_cli_lockout_print_parameters (WardDbusLockout *lockout)
{
  g_autofree char *max = g_strdup_printf ("%u failures", ward_dbus_lockout_get_max_failures (lockout));
  g_autofree char *recovery = ward_client_text_span (ward_dbus_lockout_get_recovery_seconds (lockout));
  g_autofree char *each = g_strdup_printf ("one failure every %s", recovery);
  g_autofree char *penalty = ward_cli_lockout_penalty (ward_dbus_lockout_get_lockout_recovery_seconds (lockout));
  g_autofree char *bars = g_strdup_printf ("a wrong lockout auth bars resets, and clearing the TPM, %s", penalty);

  ward_cli_print_field ("Locks after", WARD_CLI_STYLE_PLAIN, max);
  ward_cli_print_field ("Forgives", WARD_CLI_STYLE_PLAIN, each);
  ward_cli_print_field ("Penalty", WARD_CLI_STYLE_PLAIN, bars);
}

static void
print_auth (WardCliLockoutAuth auth)
{
  if (auth == WARD_CLI_LOCKOUT_AUTH_SET)
    ward_cli_print_field ("Lockout auth", WARD_CLI_STYLE_PLAIN, "set, and needed to reset a lockout");
  else if (auth == WARD_CLI_LOCKOUT_AUTH_NONE)
    ward_cli_print_field ("Lockout auth", WARD_CLI_STYLE_PLAIN, "none: an administrator needs no secret to reset");
}

void
ward_cli_lockout_print (const char *tpm_name, WardDbusLockout *lockout, WardCliLockoutAuth auth)
{
  gint64 now = g_get_real_time ();
  gboolean locked_out = ward_dbus_lockout_get_locked_out (lockout);
  g_autofree char *failures = ward_cli_lockout_failures (lockout);
  g_autofree char *next = ward_cli_lockout_next (lockout, now);
  g_autofree char *bar = ward_cli_lockout_bar (lockout, now);
  gboolean has_failed = ward_dbus_lockout_get_failures (lockout) > 0;

  print_headline (tpm_name, locked_out);
  if (auth == WARD_CLI_LOCKOUT_AUTH_OF_OWNER)
    {
      ward_cli_print_paragraph (2, WARD_CLI_STYLE_PLAIN,
                                "How many wrong secrets a TPM 1.2 has counted is not told, nor when it forgives them. "
                                "Its owner can have it forgive all by “tpmward lockout reset”.");
      return;
    }

  ward_cli_print_field ("Failures",
                        locked_out   ? WARD_CLI_STYLE_BAD
                        : has_failed ? WARD_CLI_STYLE_WARNING
                                     : WARD_CLI_STYLE_PLAIN,
                        failures);
  if (next != NULL)
    ward_cli_print_field ("Next forgiven", WARD_CLI_STYLE_PLAIN, next);
  ward_cli_lockout_print_parameters (lockout);
  print_auth (auth);
  if (bar != NULL)
    {
      ward_cli_print_field ("Barred", WARD_CLI_STYLE_BAD, bar);
      ward_cli_print_field ("", WARD_CLI_STYLE_PLAIN,
                            "A wrong lockout auth was given; even the right one is refused until then.");
    }
}

void
ward_cli_lockout_print_json (const char *tpm_name, WardDbusLockout *lockout, WardCliLockoutAuth auth)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  ward_cli_json_add_string (builder, "tpm", tpm_name);
  ward_cli_json_add_properties (builder, G_DBUS_PROXY (lockout));
  json_builder_set_member_name (builder, "lockout_auth_set");
  if (auth == WARD_CLI_LOCKOUT_AUTH_NONE || auth == WARD_CLI_LOCKOUT_AUTH_SET)
    json_builder_add_boolean_value (builder, auth == WARD_CLI_LOCKOUT_AUTH_SET);
  else
    json_builder_add_null_value (builder);
  json_builder_end_object (builder);
  ward_cli_json_print (builder, TRUE);
}
