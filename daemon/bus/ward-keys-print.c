/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-keys-print.h"

#include <string.h>

typedef struct
{
  WardKey *key;
  guint64 last_used;
  guint64 uses;
  char *problem; /* NULL: it is usable */
} Row;

struct _WardKeyRows
{
  GPtrArray *keys;
  GArray *rows; /* of Row */
};

static void
row_clear (gpointer data)
{
  g_free (((Row *)data)->problem);
}

WardKeyRows *
ward_key_rows_new (WardKeyring *keyring, GPtrArray *keys)
{
  WardKeyRows *rows = g_new (WardKeyRows, 1);

  rows->keys = keys;
  rows->rows = g_array_sized_new (FALSE, FALSE, sizeof (Row), keys->len);
  g_array_set_clear_func (rows->rows, row_clear);
  for (guint i = 0; i < keys->len; i++)
    {
      WardKey *key = keys->pdata[i];
      g_autoptr (GError) error = NULL;
      Row row = { .key = key, .last_used = key->last_used, .uses = key->uses };

      if (!ward_keyring_check_usable (keyring, key, &error))
        row.problem = g_strdup (error->message);
      g_array_append_val (rows->rows, row);
    }
  return rows;
}

void
ward_key_rows_free (WardKeyRows *rows)
{
  g_array_unref (rows->rows);
  g_ptr_array_unref (rows->keys);
  g_free (rows);
}

guint
ward_key_rows_get_length (const WardKeyRows *rows)
{
  return rows->rows->len;
}

gsize
ward_key_rows_measure (const WardKeyRows *rows)
{
  gsize size = 0;

  for (guint i = 0; i < rows->rows->len; i++)
    {
      const Row *row = &g_array_index (rows->rows, Row, i);

      size += strlen (row->key->label) + strlen (row->key->comment) + g_bytes_get_size (row->key->public_key)
              + (row->problem ? strlen (row->problem) : 0);
    }
  return size;
}

/* What most keys have in common is made once: making and freeing the parts of a description is what takes time. */
typedef enum
{
  ALGORITHM,
  USAGE,
  SCOPE,
  UID,
  HAS_AUTH,
  NO_DA,
  IMPORTED,
  PARENT,
  LAST_USED,
  USES,
  USABLE,
  N_SHARED
} Shared;

typedef struct
{
  guint64 value;
  GVariant *entry; /* {sv}; NULL: none yet */
} Last;

/* Describes keys one after the other. */
typedef struct
{
  GVariantBuilder *builder;
  Last last[N_SHARED]; /* what the key before had */
} Printer;

static GVariant *
make_string (guint64 value)
{
  return g_variant_new_string (GSIZE_TO_POINTER (value));
}

static GVariant *
make_usage (guint64 value)
{
  g_autofree const char **names = ward_key_usage_get_names ((guint)value);

  return g_variant_new_strv (names, -1);
}

static GVariant *
make_boolean (guint64 value)
{
  return g_variant_new_boolean (value != 0);
}

static GVariant *
make_number (guint64 value)
{
  return g_variant_new_uint32 ((guint32)value);
}

static GVariant *
make_long_number (guint64 value)
{
  return g_variant_new_uint64 (value);
}

static const struct
{
  const char *name;
  GVariant *(*make) (guint64 value);
} shared[N_SHARED] = {
  [ALGORITHM] = { "algorithm", make_string },
  [USAGE] = { "usage", make_usage },
  [SCOPE] = { "scope", make_string },
  [UID] = { "uid", make_number },
  [HAS_AUTH] = { "has-auth", make_boolean },
  [NO_DA] = { "no-da", make_boolean },
  [IMPORTED] = { "imported", make_boolean },
  [PARENT] = { "parent", make_number },
  [LAST_USED] = { "last-used", make_long_number },
  [USES] = { "uses", make_long_number },
  [USABLE] = { "usable", make_boolean },
};

static GVariant *
new_entry (const char *name, GVariant *value)
{
  return g_variant_new_dict_entry (g_variant_new_string (name), g_variant_new_variant (value));
}

static void
add (Printer *printer, const char *name, GVariant *value)
{
  g_variant_builder_add_value (printer->builder, new_entry (name, value));
}

/* value: a number, or a static string's place. */
static void
add_shared (Printer *printer, Shared which, guint64 value)
{
  Last *last = &printer->last[which];

  if (!last->entry || last->value != value)
    {
      g_clear_pointer (&last->entry, g_variant_unref);
      last->value = value;
      last->entry = g_variant_ref_sink (new_entry (shared[which].name, shared[which].make (value)));
    }
  g_variant_builder_add_value (printer->builder, last->entry);
}

static GVariant *
print_pcrs (const WardKey *key)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a{sau}"));
  for (guint i = 0; i < key->pcrs->len; i++)
    {
      const WardPcrBank *bank = key->pcrs->pdata[i];
      guint32 indices[WARD_N_PCRS];
      gsize n_indices = 0;

      for (guint32 index = 0; index < WARD_N_PCRS; index++)
        if (bank->values.mask & (1u << index))
          indices[n_indices++] = index;
      g_variant_builder_add (&builder, "{s@au}", bank->bank,
                             g_variant_new_fixed_array (G_VARIANT_TYPE_UINT32, indices, n_indices, sizeof *indices));
    }
  return g_variant_builder_end (&builder);
}

static const char *
get_scope (const WardKey *key)
{
  return key->uid == WARD_UID_SYSTEM ? "system" : "user";
}

/* root's for the machine's. */
static guint32
get_uid (const WardKey *key)
{
  return key->uid == WARD_UID_SYSTEM ? 0 : key->uid;
}

static void
print_row (Printer *printer, const Row *row)
{
  const WardKey *key = row->key;

  g_variant_builder_open (printer->builder, G_VARIANT_TYPE_VARDICT);
  add (printer, "id", g_variant_new_string (key->id));
  add (printer, "label", g_variant_new_string (key->label));
  add (printer, "comment", g_variant_new_string (key->comment));
  add_shared (printer, SCOPE, GPOINTER_TO_SIZE (get_scope (key)));
  add_shared (printer, UID, get_uid (key));
  add_shared (printer, ALGORITHM, GPOINTER_TO_SIZE (key->algorithm));
  add_shared (printer, USAGE, key->usage);
  add_shared (printer, HAS_AUTH, key->has_auth);
  add_shared (printer, NO_DA, key->no_da);
  add (printer, "pcrs", print_pcrs (key));
  add_shared (printer, IMPORTED, key->imported);
  add_shared (printer, PARENT, key->parent);
  add (printer, "fingerprint", g_variant_new_string (key->fingerprint));
  add (printer, "public-key", g_variant_new_from_bytes (G_VARIANT_TYPE_BYTESTRING, key->public_key, TRUE));
  add (printer, "created", g_variant_new_uint64 (key->created));
  add_shared (printer, LAST_USED, row->last_used);
  add_shared (printer, USES, row->uses);
  add_shared (printer, USABLE, !row->problem);
  if (row->problem)
    add (printer, "problem", g_variant_new_string (row->problem));
  g_variant_builder_close (printer->builder);
}

GVariant *
ward_key_rows_print (const WardKeyRows *rows)
{
  GVariantBuilder builder;
  Printer printer = { .builder = &builder };

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("aa{sv}"));
  for (guint i = 0; i < rows->rows->len; i++)
    print_row (&printer, &g_array_index (rows->rows, Row, i));
  for (guint i = 0; i < N_SHARED; i++)
    g_clear_pointer (&printer.last[i].entry, g_variant_unref);
  return g_variant_builder_end (&builder);
}

void
ward_key_print_owner (GVariantBuilder *builder, const WardKey *key)
{
  g_variant_builder_add (builder, "{sv}", "scope", g_variant_new_string (get_scope (key)));
  g_variant_builder_add (builder, "{sv}", "uid", g_variant_new_uint32 (get_uid (key)));
}
