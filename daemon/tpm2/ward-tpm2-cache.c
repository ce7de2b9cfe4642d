/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tpm2-private.h"

#include <string.h>
#include <time.h>

/* To load a key costs a TPM more than to sign with it, and to start a salted session more than to use one: so what was
 * used stays loaded.
 *
 * Where nobody manages the TPM's few slots (a simulator, /dev/tpmN) keys and a session are kept on the one connection,
 * and give way to whatever needs room. A resource manager gives each connection slots of its own, but the kernel's
 * saves and loads all that a connection has at each of its commands: there each key has a connection to itself, and no
 * session is kept.
 *
 * What is kept may be lost at any time: by a reset, a clear, another program's flush. The TPM refuses a handle that is
 * free. It may have been taken since, which only a simulator lets others do, as it takes a command of anybody's between
 * ours: there, before something is used that was not used just now, the TPM is asked whether it is still that. */

/* How many keys are kept on the one connection, how many at a time when something else is loaded or made, and how many
 * with connections of their own. */
#define MAX_DIRECT 2
#define MAX_BESIDE_OTHERS 1
#define MAX_MANAGED 8

/* How long what was there is taken to be there, in microseconds of CLOCK_BOOTTIME: on a simulator, and behind a
 * resource manager, which can lose what it has saved when the machine sleeps. */
#define SIMULATOR_TRUST 2000
#define MANAGED_TRUST G_USEC_PER_SEC

struct _WardTpm2Cache
{
  WardConnection *connection;
  gboolean is_managed;
  guint max_keys;
  gint64 trust;
  GPtrArray *keys; /* of WardTpm2CachedKey, the one used last at the end */
  WardTpm2Handle session;
  gint64 session_trusted_at;
  gboolean session_in_use;
};

static gint64
get_time (void)
{
  struct timespec now;

  clock_gettime (CLOCK_BOOTTIME, &now);
  return (gint64)now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

static gboolean
is_trusted (WardTpm2Cache *cache, gint64 trusted_at)
{
  return get_time () - trusted_at <= cache->trust;
}

static void
cached_key_free (gpointer data)
{
  WardTpm2CachedKey *cached = data;

  /* what is still known here is not in the TPM any more */
  if (cached->object.tr != ESYS_TR_NONE)
    Esys_TR_Close (cached->connection->esys, &cached->object.tr);
  ward_tpm2_handle_clear (&cached->salt);
  if (!ward_tpm2_cache_serves (cached->connection->cache, cached->connection))
    ward_tpm2_connection_free (cached->connection);
  g_bytes_unref (cached->public_area);
  g_bytes_unref (cached->private_area);
  g_free (cached);
}

/* Of the connection that it is for; connections that are opened beside it have the same. */
WardTpm2Cache *
ward_tpm2_cache_new (WardConnection *connection)
{
  WardTpm2Cache *cache = g_new0 (WardTpm2Cache, 1);

  cache->connection = connection;
  cache->keys = g_ptr_array_new_with_free_func (cached_key_free);
  cache->session = (WardTpm2Handle)WARD_TPM2_HANDLE_INIT (connection);
  cache->trust = ward_tpm2_transport_is_simulator (connection->transport) ? SIMULATOR_TRUST : G_MAXINT64;
  if (ward_tpm2_transport_is_unshared (connection->transport))
    cache->max_keys = MAX_DIRECT;
  else if (ward_tpm2_transport_is_managed (connection->transport))
    ward_tpm2_cache_set_managed (cache);
  return cache;
}

/* Before the connection is ended. */
void
ward_tpm2_cache_free (WardTpm2Cache *cache)
{
  ward_tpm2_cache_drop (cache);
  g_ptr_array_unref (cache->keys);
  g_free (cache);
}

/* Whether it is the one for which the cache was made. */
gboolean
ward_tpm2_cache_serves (WardTpm2Cache *cache, const WardConnection *connection)
{
  return cache->connection == connection;
}

/* Each key has a connection of its own from now on. */
void
ward_tpm2_cache_set_managed (WardTpm2Cache *cache)
{
  cache->is_managed = TRUE;
  cache->max_keys = MAX_MANAGED;
  cache->trust = MANAGED_TRUST;
}

/* For tests: how long what was there is taken to be there, in microseconds. */
void
ward_tpm2_cache_set_trust (WardTpm2Cache *cache, gint64 trust)
{
  cache->trust = trust;
}

static gboolean
is_key_there (const WardTpm2CachedKey *cached)
{
  WARD_ESYS_AUTOFREE TPM2B_NAME *expected = NULL;
  WARD_ESYS_AUTOFREE TPM2B_NAME *name = NULL;
  ESYS_CONTEXT *esys = cached->connection->esys;

  return Esys_TR_GetName (esys, cached->object.tr, &expected) == TSS2_RC_SUCCESS
         && Esys_ReadPublic (esys, cached->object.tr, WARD_TPM2_NO_SESSIONS, NULL, &name, NULL) == TSS2_RC_SUCCESS
         && name->size == expected->size && memcmp (name->name, expected->name, name->size) == 0;
}

/* The TPM counts no failure when a session that authorizes nothing is another than we think. */
static gboolean
is_session_there (WardTpm2Cache *cache)
{
  WARD_ESYS_AUTOFREE TPM2B_DIGEST *bytes = NULL;
  ESYS_CONTEXT *esys = cache->connection->esys;

  return Esys_TRSess_SetAttributes (esys, cache->session.tr, TPMA_SESSION_ENCRYPT | TPMA_SESSION_CONTINUESESSION, 0xff)
             == TSS2_RC_SUCCESS
         && Esys_GetRandom (esys, cache->session.tr, ESYS_TR_NONE, ESYS_TR_NONE, 1, &bytes) == TSS2_RC_SUCCESS;
}

/* Flushes the key; what may be another's by now is only forgotten. */
static void
drop_key (WardTpm2Cache *cache, WardTpm2CachedKey *cached)
{
  if (!cache->is_managed && (is_trusted (cache, cached->trusted_at) || is_key_there (cached)))
    ward_tpm2_handle_clear (&cached->object);
  g_ptr_array_remove (cache->keys, cached);
}

static void
drop_session (WardTpm2Cache *cache)
{
  if (cache->session.tr == ESYS_TR_NONE)
    return;
  if (is_trusted (cache, cache->session_trusted_at) || is_session_there (cache))
    ward_tpm2_handle_clear (&cache->session);
  else
    Esys_TR_Close (cache->connection->esys, &cache->session.tr);
  cache->session.tr = ESYS_TR_NONE;
}

/* The keys that were not used for longest go first. */
static void
drop_keys (WardTpm2Cache *cache, guint keep)
{
  for (guint i = 0; i < cache->keys->len && cache->keys->len > keep;)
    {
      WardTpm2CachedKey *cached = g_ptr_array_index (cache->keys, i);

      if (cached->in_use)
        i++;
      else
        drop_key (cache, cached);
    }
}

/* Gives the TPM back all that no job uses at the moment. FALSE when there was nothing. */
gboolean
ward_tpm2_cache_yield (WardTpm2Cache *cache)
{
  guint n_keys = cache->keys->len;
  gboolean has_session = cache->session.tr != ESYS_TR_NONE && !cache->session_in_use;

  drop_keys (cache, 0);
  if (has_session)
    drop_session (cache);
  return has_session || cache->keys->len < n_keys;
}

/* The same, of which some is known to be lost. */
void
ward_tpm2_cache_drop (WardTpm2Cache *cache)
{
  gint64 trust = cache->trust;

  cache->trust = -1;
  ward_tpm2_cache_yield (cache);
  cache->trust = trust;
}

/* See WardBackend. A resource manager has room for all. */
void
ward_tpm2_cache_rest (WardConnection *connection)
{
  if (!connection->cache->is_managed)
    ward_tpm2_cache_yield (connection->cache);
}

/* Before something is loaded or made. */
void
ward_tpm2_cache_make_room (WardTpm2Cache *cache)
{
  if (!cache->is_managed)
    drop_keys (cache, MAX_BESIDE_OTHERS);
}

/* How much of the TPM's room it takes on the connection that it is for. */
void
ward_tpm2_cache_count (WardTpm2Cache *cache, guint *objects, guint *sessions)
{
  *objects = cache->is_managed ? 0 : cache->keys->len;
  *sessions = cache->session.tr != ESYS_TR_NONE ? 1 : 0;
}

static WardTpm2CachedKey *
find (WardTpm2Cache *cache, const WardWrappedKey *key)
{
  for (guint i = cache->keys->len; i > 0; i--)
    {
      WardTpm2CachedKey *cached = g_ptr_array_index (cache->keys, i - 1);

      if (g_bytes_equal (cached->private_area, key->private_area)
          && g_bytes_equal (cached->public_area, key->public_area))
        return cached;
    }
  return NULL;
}

/* A handle that the TPM gives out anew was lost before. */
static void
forget_handle (WardTpm2Cache *cache, const WardTpm2CachedKey *loaded)
{
  TPM2_HANDLE handle = 0, other_handle = 0;

  Esys_TR_GetTpmHandle (loaded->connection->esys, loaded->object.tr, &handle);
  for (guint i = 0; i < cache->keys->len; i++)
    {
      const WardTpm2CachedKey *other = g_ptr_array_index (cache->keys, i);

      if (Esys_TR_GetTpmHandle (other->connection->esys, other->object.tr, &other_handle) == TSS2_RC_SUCCESS
          && other_handle == handle)
        {
          g_ptr_array_remove_index (cache->keys, i);
          return;
        }
    }
}

static WardTpm2CachedKey *
load (WardTpm2Cache *cache, WardConnection *connection, const WardWrappedKey *key, GError **error)
{
  g_auto (WardTpm2Handle) parent = WARD_TPM2_HANDLE_INIT (connection);
  g_auto (WardTpm2Handle) object = WARD_TPM2_HANDLE_INIT (connection);
  WardTpm2CachedKey *cached;
  TPM2_HANDLE handle = 0;

  if (!ward_tpm2_object_load (connection, key, &ward_tpm2_key_load_words, NULL, &parent, &object, error))
    return NULL;
  cached = g_new0 (WardTpm2CachedKey, 1);
  cached->connection = connection;
  cached->public_area = g_bytes_ref (key->public_area);
  cached->private_area = g_bytes_ref (key->private_area);
  cached->object = object;
  object.tr = ESYS_TR_NONE;
  cached->salt = (WardTpm2Handle)WARD_TPM2_HANDLE_INIT (connection);
  Esys_TR_GetTpmHandle (connection->esys, parent.tr, &handle);
  cached->is_beneath_srk = handle == WARD_SRK_HANDLE;
  /* ESYS knows a persistent object once on each connection: whoever closes it closes it for all */
  if (cached->is_beneath_srk && cache->is_managed)
    {
      cached->salt = parent;
      parent.tr = ESYS_TR_NONE;
    }
  if (!cache->is_managed)
    forget_handle (cache, cached);
  return cached;
}

/* cached: NULL when no connection can be had for it. */
static gboolean
load_beside (WardTpm2Cache *cache, const WardWrappedKey *key, WardTpm2CachedKey **cached, GError **error)
{
  g_autoptr (WardConnection) connection = ward_tpm2_connection_open_beside (cache->connection);

  if (connection == NULL)
    return TRUE;
  *cached = load (cache, connection, key, error);
  if (*cached != NULL)
    g_steal_pointer (&connection);
  return *cached != NULL;
}

/* The key that is kept already; NULL when it is none, or is lost. */
static WardTpm2CachedKey *
take_kept (WardTpm2Cache *cache, const WardWrappedKey *key)
{
  WardTpm2CachedKey *found = find (cache, key);
  guint index;

  if (found == NULL)
    return NULL;
  if (!is_trusted (cache, found->trusted_at) && !is_key_there (found))
    {
      ward_tpm2_cache_drop (cache);
      return NULL;
    }
  g_ptr_array_find (cache->keys, found, &index);
  return g_ptr_array_steal_index (cache->keys, index);
}

/* Has the key loaded, and kept for later; to be closed. cached: NULL when it cannot be kept, so that it is to be loaded
 * by the caller. Fails as ward_tpm2_object_load. */
gboolean
ward_tpm2_cache_open_key (WardTpm2Cache *cache, const WardWrappedKey *key, WardTpm2CachedKey **cached, GError **error)
{
  WardTpm2CachedKey *opened;

  *cached = NULL;
  if (cache->max_keys == 0)
    return TRUE;
  opened = take_kept (cache, key);
  if (opened == NULL)
    {
      drop_keys (cache, cache->max_keys - 1);
      if (cache->is_managed ? !load_beside (cache, key, &opened, error)
                            : (opened = load (cache, cache->connection, key, error)) == NULL)
        return FALSE;
      if (opened == NULL)
        return TRUE;
    }
  opened->in_use = TRUE;
  g_ptr_array_add (cache->keys, opened);
  *cached = opened;
  return TRUE;
}

/* After its use, which has shown that it is there. */
void
ward_tpm2_cache_close_key (WardTpm2Cache *cache, WardTpm2CachedKey *cached)
{
  cached->trusted_at = get_time ();
  cached->in_use = FALSE;
  if (cache->session_in_use)
    cache->session_trusted_at = cached->trusted_at;
  cache->session_in_use = FALSE;
}

/* The key for a session's salt: the storage root key that the TPM keeps, or one that is made for the moment. */
static TSS2_RC
open_salt (const WardTpm2CachedKey *cached, WardTpm2Handle *salt)
{
  WardTpm2Wait wait = { 0 };
  TSS2_RC rc;

  if (!cached->is_beneath_srk)
    return ward_tpm2_srk_create (cached->connection, ESYS_TR_RH_NULL, ESYS_TR_PASSWORD, salt);
  do
    rc = Esys_TR_FromTPMPublic (cached->connection->esys, WARD_SRK_HANDLE, WARD_TPM2_NO_SESSIONS, &salt->tr);
  while (ward_tpm2_wait_again (cached->connection, &wait, rc));
  if (rc != TSS2_RC_SUCCESS)
    salt->tr = ESYS_TR_NONE;
  return rc;
}

static gboolean
start_session (const WardTpm2CachedKey *cached, TPM2_SE type, gboolean is_salted, TPMA_SESSION attributes,
               WardTpm2Handle *session, GError **error)
{
  g_auto (WardTpm2Handle) opened = WARD_TPM2_HANDLE_INIT (cached->connection);
  ESYS_TR salt = is_salted ? cached->salt.tr : ESYS_TR_NONE;
  TSS2_RC rc;

  if (is_salted && salt == ESYS_TR_NONE)
    {
      rc = open_salt (cached, &opened);
      if (rc != TSS2_RC_SUCCESS)
        {
          ward_tpm2_set_error (error, cached->connection, rc, "The TPM could not start an encrypted session");
          return FALSE;
        }
      salt = opened.tr;
    }
  return ward_tpm2_session_start_for_key (cached->connection, salt, type, attributes, session, error);
}

/* A session for one command with the key. session: the one that is kept, until the key is closed, or own, which is the
 * caller's. attributes: as for ward_tpm2_session_start. */
gboolean
ward_tpm2_cache_open_session (WardTpm2Cache *cache, const WardTpm2CachedKey *cached, TPM2_SE type, gboolean is_salted,
                              TPMA_SESSION attributes, WardTpm2Handle *own, const WardTpm2Handle **session,
                              GError **error)
{
  TSS2_RC rc;

  if (cache->is_managed || type != TPM2_SE_HMAC)
    {
      *session = own;
      return start_session (cached, type, is_salted, attributes, own, error);
    }
  if (cache->session.tr != ESYS_TR_NONE && !is_trusted (cache, cache->session_trusted_at) && !is_session_there (cache))
    Esys_TR_Close (cache->connection->esys, &cache->session.tr);
  if (cache->session.tr == ESYS_TR_NONE
      && !start_session (cached, TPM2_SE_HMAC, TRUE, attributes, &cache->session, error))
    return FALSE;
  cache->session_in_use = TRUE;
  *session = &cache->session;
  rc = Esys_TRSess_SetAttributes (cache->connection->esys, cache->session.tr, attributes | TPMA_SESSION_CONTINUESESSION,
                                  0xff);
  if (rc == TSS2_RC_SUCCESS)
    return TRUE;
  ward_tpm2_set_error (error, cache->connection, rc, "The authorization could not be prepared");
  return FALSE;
}
