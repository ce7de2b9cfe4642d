/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-backend.h"

/* What was done to a TPM behind the service's back. */
typedef enum
{
  WARD_CHANGE_NONE,
  WARD_CHANGE_CLEARED,
  WARD_CHANGE_REPLACED,
  WARD_CHANGE_UPDATED,
} WardChange;

/* Remembers on disk by what a chip is known, so that one that was cleared, replaced or updated is noticed. What was
 * noticed stays until it is acknowledged. May be used from any thread. */
typedef struct _WardRecord WardRecord;

/* path: the record's; it need not exist. One that is damaged is kept aside, as PATH.damaged, and a new one begun. */
WardRecord *ward_record_new (const char *path);
WardRecord *ward_record_ref (WardRecord *record);
void ward_record_unref (WardRecord *record);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardRecord, ward_record_unref)

/* What the TPM says of itself, whenever it was read: compares it with the record, and records it if it has changed.
 * clear_pending: whether a request to clear it waits for the firmware. It is no failure of the look that this cannot be
 * written; it is logged. Returns what has been done since the last look, also if it was asked of the firmware. */
WardChange ward_record_look (WardRecord *record, const WardIdentity *identity, const WardOwnership *ownership,
                             gboolean clear_pending);

/* Of a TPM whose storage root key has no Name that anybody could see, a TPM 1.2: before a look, gives the key a name of
 * our own, the same for as long as it is there. */
void ward_record_name_srk (WardRecord *record, WardOwnership *ownership);
/* The storage root key's name when it was seen last. */
char *ward_record_dup_srk (WardRecord *record);

/* The modulus of a storage root key that has just been made for us, and tells it nobody afterwards; goes on record with
 * the next look. */
void ward_record_keep_srk_modulus (WardRecord *record, GBytes *modulus);
/* NULL when it is not on record. */
GBytes *ward_record_dup_srk_modulus (WardRecord *record);

/* The service has changed the TPM itself: the next look is recorded without a comparison. */
void ward_record_expect_change (WardRecord *record);
/* The same of a clear, which also settles what was noticed before. */
void ward_record_expect_clear (WardRecord *record);

/* The firmware has been asked by this service to clear the TPM at the restart: when it has, that is logged, and is no
 * change to be acknowledged. It holds over restarts of the service, until the request does not wait any more. */
void ward_record_expect_firmware_clear (WardRecord *record);
/* The request was withdrawn. */
void ward_record_forget_firmware_clear (WardRecord *record);

/* noticed_at: in microseconds of CLOCK_REALTIME. text: sentences for a person, which the caller frees; both are set
 * only if there is a change, and either may be NULL. */
WardChange ward_record_get_change (WardRecord *record, guint64 *noticed_at, char **text);

/* Forgets it, on disk as well. */
void ward_record_acknowledge (WardRecord *record);
