/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-key-set.h"

#include <string.h>

static int
compare_ids (const WardKey *a, const WardKey *b)
{
  int order = strcmp (a->id, b->id);

  return order ? order : strcmp (a->parent_name, b->parent_name);
}

static int
compare_labels (const WardKey *a, const WardKey *b)
{
  int order = strcmp (a->label, b->label);

  return order ? order : compare_ids (a, b);
}

typedef int (*Compare) (const WardKey *a, const WardKey *b);

static int
sort_by_id (gconstpointer a, gconstpointer b)
{
  return compare_ids (*(WardKey *const *)a, *(WardKey *const *)b);
}

static int
sort_by_label (gconstpointer a, gconstpointer b)
{
  return compare_labels (*(WardKey *const *)a, *(WardKey *const *)b);
}

/* The first place whose key does not come before the given one. */
static guint
find (const GPtrArray *keys, Compare compare, const WardKey *key)
{
  guint first = 0, end = keys->len;

  while (first < end)
    {
      guint middle = first + (end - first) / 2;

      if (compare (keys->pdata[middle], key) < 0)
        first = middle + 1;
      else
        end = middle;
    }
  return first;
}

WardKeySet *
ward_key_set_new (void)
{
  WardKeySet *set = g_new (WardKeySet, 1);

  set->by_label = g_ptr_array_new_with_free_func ((GDestroyNotify)ward_key_unref);
  set->by_id = g_ptr_array_new ();
  return set;
}

void
ward_key_set_free (WardKeySet *set)
{
  g_ptr_array_unref (set->by_id);
  g_ptr_array_unref (set->by_label);
  g_free (set);
}

void
ward_key_set_fill (WardKeySet *set, GPtrArray *keys)
{
  for (guint i = 0; i < keys->len; i++)
    {
      g_ptr_array_add (set->by_label, ward_key_ref (keys->pdata[i]));
      g_ptr_array_add (set->by_id, keys->pdata[i]);
    }
  g_ptr_array_sort (set->by_label, sort_by_label);
  g_ptr_array_sort (set->by_id, sort_by_id);
}

void
ward_key_set_add (WardKeySet *set, WardKey *key)
{
  g_ptr_array_insert (set->by_id, (int)find (set->by_id, compare_ids, key), key);
  g_ptr_array_insert (set->by_label, (int)find (set->by_label, compare_labels, key), ward_key_ref (key));
}

void
ward_key_set_remove (WardKeySet *set, WardKey *key)
{
  guint by_id = find (set->by_id, compare_ids, key);
  guint by_label = find (set->by_label, compare_labels, key);

  g_return_if_fail (by_id < set->by_id->len && set->by_id->pdata[by_id] == key);
  g_return_if_fail (by_label < set->by_label->len && set->by_label->pdata[by_label] == key);
  g_ptr_array_remove_index (set->by_id, by_id);
  g_ptr_array_remove_index (set->by_label, by_label);
}

/* Strings that are only compared are not written to. */
guint
ward_key_set_find_label (const WardKeySet *set, const char *label)
{
  WardKey key = { .label = (char *)label, .id = (char *)"", .parent_name = (char *)"" };

  return find (set->by_label, compare_labels, &key);
}

guint
ward_key_set_find_id (const WardKeySet *set, const char *id)
{
  WardKey key = { .id = (char *)id, .parent_name = (char *)"" };

  return find (set->by_id, compare_ids, &key);
}

WardKey *
ward_key_set_get (const WardKeySet *set, const char *id, const char *parent_name)
{
  WardKey key = { .id = (char *)id, .parent_name = (char *)parent_name };
  guint place = find (set->by_id, compare_ids, &key);

  if (place < set->by_id->len && compare_ids (set->by_id->pdata[place], &key) == 0)
    return set->by_id->pdata[place];
  return NULL;
}
