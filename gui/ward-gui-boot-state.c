/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-boot-state-private.h"

#include <glib/gi18n.h>

struct _WardGuiBootState
{
  GObject parent;

  char *tpm, *model;
  GDateTime *time;
  GPtrArray *banks; /* WardGuiPcrBank */
  GPtrArray *names; /* of the banks, and NULL */
};

G_DEFINE_FINAL_TYPE (WardGuiBootState, ward_gui_boot_state, G_TYPE_OBJECT)

static void
bank_free (gpointer data)
{
  WardGuiPcrBank *bank = data;

  for (guint i = 0; i < WARD_CLIENT_N_PCRS; i++)
    g_clear_pointer (&bank->values[i], g_bytes_unref);
  g_free (bank->name);
  g_free (bank);
}

static void
ward_gui_boot_state_finalize (GObject *object)
{
  WardGuiBootState *self = WARD_GUI_BOOT_STATE (object);

  g_free (self->tpm);
  g_free (self->model);
  g_date_time_unref (self->time);
  g_ptr_array_unref (self->banks);
  g_ptr_array_unref (self->names);
  G_OBJECT_CLASS (ward_gui_boot_state_parent_class)->finalize (object);
}

static void
ward_gui_boot_state_class_init (WardGuiBootStateClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = ward_gui_boot_state_finalize;
}

static void
ward_gui_boot_state_init (WardGuiBootState *self)
{
  self->banks = g_ptr_array_new_with_free_func (bank_free);
  self->names = g_ptr_array_new ();
  g_ptr_array_add (self->names, NULL);
}

WardGuiBootState *
ward_gui_boot_state_new (const char *tpm, const char *model, GDateTime *time)
{
  WardGuiBootState *self = g_object_new (WARD_GUI_TYPE_BOOT_STATE, NULL);

  self->tpm = g_strdup (tpm);
  self->model = g_strdup (model);
  self->time = g_date_time_ref (time);
  return self;
}

WardGuiPcrBank *
ward_gui_boot_state_add_bank (WardGuiBootState *state, const char *name)
{
  WardGuiPcrBank *bank = g_new0 (WardGuiPcrBank, 1);

  bank->name = g_strdup (name);
  g_ptr_array_add (state->banks, bank);
  g_ptr_array_insert (state->names, (int)state->names->len - 1, bank->name);
  return bank;
}

const char *
ward_gui_boot_state_get_tpm (WardGuiBootState *state)
{
  return state->tpm;
}

const char *
ward_gui_boot_state_get_model (WardGuiBootState *state)
{
  return state->model;
}

GDateTime *
ward_gui_boot_state_get_time (WardGuiBootState *state)
{
  return state->time;
}

const char *const *
ward_gui_boot_state_get_banks (WardGuiBootState *state)
{
  return (const char *const *)state->names->pdata;
}

GBytes *
ward_gui_boot_state_get_value (WardGuiBootState *state, const char *bank, guint32 index)
{
  for (guint i = 0; index < WARD_CLIENT_N_PCRS && i < state->banks->len; i++)
    {
      const WardGuiPcrBank *candidate = state->banks->pdata[i];

      if (g_str_equal (candidate->name, bank))
        return candidate->values[index];
    }
  return NULL;
}

char *
ward_gui_boot_state_to_text (WardGuiBootState *state)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < state->banks->len; i++)
    {
      const WardGuiPcrBank *bank = state->banks->pdata[i];

      g_string_append_printf (text, "  %s:\n", bank->name);
      for (guint j = 0; j < WARD_CLIENT_N_PCRS; j++)
        {
          gsize size = 0;
          const guint8 *value = bank->values[j] != NULL ? g_bytes_get_data (bank->values[j], &size) : NULL;

          if (value == NULL)
            continue;
          g_string_append_printf (text, "    %-2u: 0x", j);
          for (gsize k = 0; k < size; k++)
            g_string_append_printf (text, "%02X", value[k]);
          g_string_append_c (text, '\n');
        }
    }
  return g_string_free (text, FALSE);
}

gboolean
ward_gui_boot_state_compare (WardGuiBootState *before, WardGuiBootState *after, WardGuiBootDifference *difference,
                             GError **error)
{
  WardGuiBootDifference found = { 0 };

  for (guint i = 0; i < before->banks->len; i++)
    {
      const WardGuiPcrBank *bank = before->banks->pdata[i];

      for (guint j = 0; j < WARD_CLIENT_N_PCRS; j++)
        {
          GBytes *value = ward_gui_boot_state_get_value (after, bank->name, j);

          if (value == NULL || bank->values[j] == NULL)
            continue;
          if (g_bytes_equal (value, bank->values[j]))
            found.same |= 1u << j;
          else
            found.changed |= 1u << j;
        }
    }
  found.same &= ~found.changed;
  if (found.same == 0 && found.changed == 0)
    {
      g_autofree char *theirs = g_strjoinv (", ", (GStrv)ward_gui_boot_state_get_banks (before));
      g_autofree char *ours = g_strjoinv (", ", (GStrv)ward_gui_boot_state_get_banks (after));

      g_set_error (error, WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_NOT_SUPPORTED,
                   _ ("The saved state has the PCR banks %s, and this TPM has %s: there is nothing to compare. Save "
                      "the state of now to compare it later."),
                   theirs, ours);
      return FALSE;
    }
  *difference = found;
  return TRUE;
}

typedef struct
{
  WardGuiChip *chip;
  WardGuiBootState *state;
  GStrv banks;
  guint n_read;
} Reading;

static void
reading_free (gpointer data)
{
  Reading *reading = data;

  g_object_unref (reading->chip);
  g_object_unref (reading->state);
  g_strfreev (reading->banks);
  g_free (reading);
}

static void
take_values (Reading *reading, GVariant *values)
{
  WardGuiPcrBank *bank = ward_gui_boot_state_add_bank (reading->state, reading->banks[reading->n_read]);
  GVariantIter iter;
  guint32 index;
  GVariant *value;

  g_variant_iter_init (&iter, values);
  while (g_variant_iter_next (&iter, "(u@ay)", &index, &value))
    {
      if (index < WARD_CLIENT_N_PCRS && bank->values[index] == NULL)
        bank->values[index] = g_variant_get_data_as_bytes (value);
      g_variant_unref (value);
    }
}

static void read_next (GTask *task);

static void
on_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Reading *reading = g_task_get_task_data (task);
  g_autoptr (GVariant) values = NULL;
  g_autoptr (GVariant) reply = NULL;
  GError *error = NULL;

  reply = ward_client_call_finish (source, result, &error);
  if (reply == NULL)
    {
      g_task_return_error (task, error);
      return;
    }
  values = g_variant_get_child_value (reply, 0);
  take_values (reading, values);
  reading->n_read++;
  read_next (task);
}

static void
read_next (GTask *task)
{
  Reading *reading = g_task_get_task_data (task);
  const char *bank = reading->banks[reading->n_read];

  if (bank == NULL)
    {
      g_task_return_pointer (task, g_object_ref (reading->state), g_object_unref);
      return;
    }
  ward_client_call_async (ward_gui_chip_get_pcrs (reading->chip), "Read", g_variant_new ("(sau)", bank, NULL), NULL,
                          WARD_CLIENT_CALL_NONE, g_task_get_cancellable (task), on_read, g_object_ref (task));
}

void
ward_gui_boot_state_read_async (WardGuiChip *chip, GCancellable *cancellable, GAsyncReadyCallback callback,
                                gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (NULL, cancellable, callback, user_data);
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree char *model = ward_gui_chip_dup_model (chip);
  Reading *reading = g_new0 (Reading, 1);

  reading->chip = g_object_ref (chip);
  reading->state = ward_gui_boot_state_new (ward_gui_chip_get_name (chip), model, now);
  reading->banks = ward_dbus_pcrs_dup_banks (ward_gui_chip_get_pcrs (chip));
  g_task_set_task_data (task, reading, reading_free);
  if (reading->banks == NULL || reading->banks[0] == NULL)
    g_task_return_new_error (task, WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_NOT_SUPPORTED,
                             _ ("This TPM has no PCR bank in use. The firmware’s setup chooses them."));
  else
    read_next (task);
}

WardGuiBootState *
ward_gui_boot_state_read_finish (GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}
