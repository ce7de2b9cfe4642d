/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>
#include <gio/gunixfdlist.h>

#include "ward-backend.h"
#include "ward-secret.h"

/* The a{sv} that comes last in a method's arguments. */

typedef enum
{
  WARD_OPTION_BOOLEAN, /* b */
  WARD_OPTION_AUTH,    /* an auth value as h, ay or s */
  WARD_OPTION_STRING,  /* s */
  WARD_OPTION_DATA,    /* secret data as h */
  WARD_OPTION_OUTPUT,  /* h: a descriptor that gets the result */
  WARD_OPTION_PCRS,    /* a{sau}: bank → indices */
  WARD_OPTION_SECRET,  /* a secret that is no auth value, as h, ay or s */
  WARD_OPTION_BYTES,   /* ay */
  WARD_OPTION_STRINGS, /* as */
  WARD_OPTION_UINT,    /* u */
} WardOptionKind;

/* What a method takes; a list ends with a NULL name. */
typedef struct
{
  const char *name;
  WardOptionKind kind;
} WardOption;

/* The most bytes that a memfd with an auth value may have. */
#define WARD_AUTH_FD_MAX (64 * 1024)
/* And one with data. */
#define WARD_DATA_FD_MAX (1024 * 1024)

typedef struct _WardOptions WardOptions;

/* Parses a caller's options. fds: the message's descriptors, or NULL; all must be used. An auth value or data as h is
 * the whole content of a memfd that is sealed against shrinking, growing and writing, so that reading it neither blocks
 * nor finds it changed. An auth value that ends in a zero byte is refused: the TPM would drop it. An output must be a
 * memfd, a pipe or a file on a disk, open for writing: by others, such as those of /proc, the service would act, with
 * its own rights, as the caller chose. Fails with WARD_ERROR_INVALID_ARGUMENT. */
WardOptions *ward_options_new (GVariant *dictionary, GUnixFDList *fds, const WardOption *known, GError **error);
void ward_options_free (WardOptions *options);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardOptions, ward_options_free)

gboolean ward_options_has (WardOptions *options, const char *name);
/* FALSE when it is not given. */
gboolean ward_options_get_boolean (WardOptions *options, const char *name);
/* fallback when it is not given. */
guint32 ward_options_get_uint (WardOptions *options, const char *name, guint32 fallback);
/* An auth value, another secret or data. NULL when it is not given; the options' own. */
WardSecret *ward_options_get_secret (WardOptions *options, const char *name);
/* NULL when it is not given; the options' own. */
const char *ward_options_get_string (WardOptions *options, const char *name);
GBytes *ward_options_get_bytes (WardOptions *options, const char *name);
const char *const *ward_options_get_strings (WardOptions *options, const char *name);
/* WardPcrBanks without values, at least one, each with at least one PCR. NULL when it is not given; the options' own.
 */
GPtrArray *ward_options_get_pcrs (WardOptions *options, const char *name);
/* A descriptor that the caller is to close; -1 when it is not given, or was taken before. */
int ward_options_take_output (WardOptions *options, const char *name);
