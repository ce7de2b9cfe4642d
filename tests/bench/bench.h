/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>
#include <tss2/tss2_esys.h>

/* The parts of ward-bench. Each result is a line on stdout: NAME, then the median, the 95th percentile and the minimum
 * in microseconds, and how many there were, separated by tabs. */

#define BENCH_SERVICE "org.tpmward1"
#define BENCH_TPM_INTERFACE BENCH_SERVICE ".Tpm"
#define BENCH_KEYS_INTERFACE BENCH_SERVICE ".Keys"
/* A service that only returns what it is given, and one that signs: the least that ours can be compared with. */
#define BENCH_ECHO_NAME "org.tpmward.Bench"
#define BENCH_SIGNER_NAME "org.tpmward.BenchSigner"
#define BENCH_PATH "/org/tpmward/Bench"

/* The bytes that are echoed, drawn at random, or signed as a SHA-256 digest. */
#define BENCH_SIZE 32
/* The auth value of the keys that have one. */
#define BENCH_AUTH "benchauth"
#define BENCH_CALLERS 8

/* One call that is timed. */
typedef gboolean (*BenchStep) (gpointer context, GError **error);

double bench_now (void);
/* Sorts the times. */
void bench_print (const char *name, double *times, guint count);
void bench_print_one (const char *name, double time);
gboolean bench_measure (const char *name, guint count, BenchStep step, gpointer context, GError **error);

/* Calls step with each of the BENCH_CALLERS contexts on a thread of its own, count times each, all at once. Prints
 * NAME-turn, the time for which one call kept all others from being served (the whole time by the number of calls),
 * NAME-wait, how long the calls took, NAME-longest, the one that took longest, and NAME-slowest, the mean of the caller
 * that waited most. */
gboolean bench_measure_callers (const char *name, guint count, BenchStep step, gpointer *contexts, GError **error);

/* The TPM without the service. */

typedef struct
{
  TSS2_TCTI_CONTEXT *tcti;
  ESYS_CONTEXT *esys;
} BenchTpm;

gboolean bench_check (TSS2_RC code, GError **error);
gboolean bench_tpm_open (BenchTpm *tpm, const char *tcti_conf, GError **error);
void bench_tpm_close (BenchTpm *tpm);

typedef struct
{
  ESYS_CONTEXT *esys;
  ESYS_TR parent, key, session;
  TPM2_ALG_ID scheme;
  GMutex turn;
} BenchKey;

/* An ECDSA P-256 or RSA-2048 key that stays loaded. Without an auth value it is used by an empty password; with one, by
 * a salted HMAC session that is kept. */
gboolean bench_key_make (BenchKey *key, BenchTpm *tpm, gboolean is_rsa, gboolean has_auth, GError **error);
void bench_key_clear (BenchKey *key);
/* A BenchStep. */
gboolean bench_key_sign (gpointer key, GError **error);

gboolean bench_run_raw (const char *tcti_conf, guint count, GError **error);

/* The service. */

typedef struct
{
  GDBusConnection *bus;
  char *tpm_path;
} BenchClient;

gboolean bench_client_connect (BenchClient *client, GError **error);
void bench_client_clear (BenchClient *client);
/* Another caller of the same user. */
gboolean bench_client_connect_another (const BenchClient *client, BenchClient *another, GError **error);
/* Anything else than a reply is an error: what is refused is fast. */
GVariant *bench_call (GDBusConnection *bus, const char *name, const char *path, const char *interface,
                      const char *method, GVariant *parameters, GError **error);
GVariant *bench_new_bytes (void);

gboolean bench_run_bus (guint count, GError **error);
gboolean bench_run_activation (GError **error);
/* What sign, list and callers use: made once. */
gboolean bench_make_keys (GError **error);
gboolean bench_run_sign (guint count, GError **error);
gboolean bench_run_list (guint count, GError **error);
gboolean bench_run_callers (guint count, GError **error);
gboolean bench_run_signer_client (guint count, GError **error);

/* Until they are ended; each says “ready” when it is. */
gboolean bench_run_echo (GError **error);
gboolean bench_run_signer (const char *tcti_conf, GError **error);
/* Prints the time on the monotonic clock, in microseconds, whenever the name gets an owner. */
gboolean bench_run_watch (const char *name, GError **error);

/* Puts keys beside the only one or more that are in the store, of the same owner and parent. */
gboolean bench_fill_store (const char *state_dir, guint count, GError **error);

/* Runs a program count times, from its start to its end. */
gboolean bench_run_process (const char *name, guint count, char **command, GError **error);
