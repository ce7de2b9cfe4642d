/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-store.h"

/* Keys without a TPM, and folders to keep them in. */

#define PARENT "000b000000000000000000000000000000000000000000000000000000000000aaaa"
#define OTHER_PARENT "000b000000000000000000000000000000000000000000000000000000000000bbbb"
#define ALICE 1000

/* A new key of P-256, of nobody yet. */
WardKey *test_key_new (void);
/* Of Alice, on tpm0. private_half: its digest is the key's. */
WardKey *test_key_new_full (const char *label, GBytes *private_half);
GBytes *test_private_half (const char *text);

/* A state directory. test_state_free () removes it with all that is in it. */
char *test_state_new (void);
void test_state_free (char *state_dir);

/* STATE_DIR/PARENT/1000/NAME; freed by the caller. */
char *test_state_get_path (const char *state_dir, const char *name);
/* The names in Alice's folder, sorted and joined by spaces; "" when there is none. Freed by the caller. */
char *test_state_list (const char *state_dir);

/* An open store with one key of Alice's in it, “mail”. */
typedef struct
{
  char *state_dir;
  WardStore *store;
  WardStoreContents *contents; /* of the last start */
  GBytes *private_half;
  WardKey *key; /* which is stored, with that */
} TestStore;

void test_store_set_up (TestStore *fixture, gconstpointer data);
void test_store_tear_down (TestStore *fixture, gconstpointer data);
/* As when the service is started anew. */
void test_store_restart (TestStore *fixture);
void test_store_put (TestStore *fixture, const WardKey *key, GBytes *private_half);
/* The path of a file of the key's; freed by the caller. */
char *test_store_get_path (TestStore *fixture, const char *suffix);
/* After a restart the key is all that there is, and it is sound. */
void test_store_assert_only_key (TestStore *fixture, const char *label, const char *private_half);
