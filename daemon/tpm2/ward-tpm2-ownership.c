/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tpm2-private.h"

#include "ward-error.h"

static gboolean
take (GArray *properties, guint32 tag, guint32 *value, GError **error)
{
  if (ward_tpm2_properties_lookup (properties, tag, value))
    return TRUE;
  g_set_error (error, WARD_ERROR, WARD_ERROR_FAILED,
               "The TPM does not say who owns it: its property %s is missing. Run a full self-test.",
               ward_tpm2_property_get_name (tag));
  return FALSE;
}

static guint32
get (GArray *properties, guint32 tag)
{
  guint32 value = WARD_ROOM_UNKNOWN;

  ward_tpm2_properties_lookup (properties, tag, &value);
  return value;
}

/* What is kept for speed gives way to whatever needs its room. */
static void
add_kept (WardRoom *room, WardTpm2Cache *cache)
{
  guint objects, sessions;

  ward_tpm2_cache_count (cache, &objects, &sessions);
  if (room->transient_available != WARD_ROOM_UNKNOWN)
    room->transient_available += objects;
  if (room->sessions_loaded != WARD_ROOM_UNKNOWN && room->sessions_loaded_available != WARD_ROOM_UNKNOWN)
    {
      room->sessions_loaded_available += MIN (sessions, room->sessions_loaded);
      room->sessions_loaded -= MIN (sessions, room->sessions_loaded);
    }
  if (room->sessions_active != WARD_ROOM_UNKNOWN && room->sessions_active_available != WARD_ROOM_UNKNOWN)
    {
      room->sessions_active_available += MIN (sessions, room->sessions_active);
      room->sessions_active -= MIN (sessions, room->sessions_active);
    }
}

static void
fill_room (WardRoom *room, GArray *properties)
{
  room->persistent = get (properties, TPM2_PT_HR_PERSISTENT);
  room->persistent_available = get (properties, TPM2_PT_HR_PERSISTENT_AVAIL);
  room->transient_available = get (properties, TPM2_PT_HR_TRANSIENT_AVAIL);
  room->sessions_loaded = get (properties, TPM2_PT_HR_LOADED);
  room->sessions_loaded_available = get (properties, TPM2_PT_HR_LOADED_AVAIL);
  room->sessions_active = get (properties, TPM2_PT_HR_ACTIVE);
  room->sessions_active_available = get (properties, TPM2_PT_HR_ACTIVE_AVAIL);
  room->nv_indices = get (properties, TPM2_PT_HR_NV_INDEX);
}

static gboolean
read_variable (WardConnection *connection, WardOwnership *ownership, GError **error)
{
  g_autoptr (GArray) properties = ward_tpm2_read_properties (connection, TPM2_PT_PERMANENT, TPM2_PT_LOCKOUT_RECOVERY,
                                                             error);
  guint32 permanent, startup;

  if (properties == NULL || !take (properties, TPM2_PT_PERMANENT, &permanent, error)
      || !take (properties, TPM2_PT_STARTUP_CLEAR, &startup, error)
      || !take (properties, TPM2_PT_LOCKOUT_COUNTER, &ownership->failures, error)
      || !take (properties, TPM2_PT_MAX_AUTH_FAIL, &ownership->max_failures, error)
      || !take (properties, TPM2_PT_LOCKOUT_INTERVAL, &ownership->recovery_seconds, error)
      || !take (properties, TPM2_PT_LOCKOUT_RECOVERY, &ownership->lockout_recovery_seconds, error))
    return FALSE;
  ownership->owner_auth_set = (permanent & TPMA_PERMANENT_OWNERAUTHSET) != 0;
  ownership->endorsement_auth_set = (permanent & TPMA_PERMANENT_ENDORSEMENTAUTHSET) != 0;
  ownership->lockout_auth_set = (permanent & TPMA_PERMANENT_LOCKOUTAUTHSET) != 0;
  ownership->clear_disabled = (permanent & TPMA_PERMANENT_DISABLECLEAR) != 0;
  ownership->locked_out = (permanent & TPMA_PERMANENT_INLOCKOUT) != 0;
  ownership->owner_enabled = (startup & TPMA_STARTUP_CLEAR_SHENABLE) != 0;
  ownership->endorsement_enabled = (startup & TPMA_STARTUP_CLEAR_EHENABLE) != 0;
  fill_room (&ownership->room, properties);
  add_kept (&ownership->room, connection->cache);
  return TRUE;
}

/* What does not change. A hierarchy's auth value is at most as long as the digest by which the TPM protects contexts
 * (TPM 2.0 Library, Part 3, 24.8.1). */
static gboolean
read_fixed (WardConnection *connection, WardOwnership *ownership, GError **error)
{
  g_autoptr (GArray) properties = ward_tpm2_read_properties (connection, TPM2_PT_ACTIVE_SESSIONS_MAX,
                                                             TPM2_PT_CONTEXT_HASH, error);
  guint32 hash;

  if (properties == NULL || !take (properties, TPM2_PT_CONTEXT_HASH, &hash, error))
    return FALSE;
  ownership->max_auth_size = ward_tpm2_hash_get_size (hash);
  ownership->room.sessions_active_max = get (properties, TPM2_PT_ACTIVE_SESSIONS_MAX);
  return TRUE;
}

static gboolean
read_clock (WardConnection *connection, WardOwnership *ownership, GError **error)
{
  WARD_ESYS_AUTOFREE TPMS_TIME_INFO *time = NULL;
  WardTpm2Wait wait = { 0 };
  TSS2_RC rc;

  do
    rc = Esys_ReadClock (connection->esys, WARD_TPM2_NO_SESSIONS, &time);
  while (ward_tpm2_wait_again (connection, &wait, rc));
  if (rc != TSS2_RC_SUCCESS)
    {
      ward_tpm2_set_error (error, connection, rc, "The TPM could not tell how often it was reset");
      return FALSE;
    }
  ownership->reset_count = time->clockInfo.resetCount;
  ownership->clock = time->clockInfo.clock;
  return TRUE;
}

/* See WardBackend. */
WardOwnership *
ward_tpm2_read_ownership (WardConnection *connection, GError **error)
{
  g_autofree WardOwnership *ownership = g_new0 (WardOwnership, 1);

  if (!read_variable (connection, ownership, error) || !read_clock (connection, ownership, error)
      || !read_fixed (connection, ownership, error) || !ward_tpm2_srk_find (connection, ownership, error))
    return NULL;
  return g_steal_pointer (&ownership);
}
