/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>
#include <gio/gunixfdlist.h>

#include "ward-secret.h"

/* The a{sv} that comes last in a method's arguments. */

typedef enum
{
  WARD_OPTION_BOOLEAN, /* b */
  WARD_OPTION_AUTH,    /* an auth value as h, ay or s */
} WardOptionKind;

/* What a method takes; a list ends with a NULL name. */
typedef struct
{
  const char *name;
  WardOptionKind kind;
} WardOption;

/* The most bytes that a memfd with an auth value may have. */
#define WARD_AUTH_FD_MAX (64 * 1024)

typedef struct _WardOptions WardOptions;

/* Parses a caller's options. fds: the message's descriptors, or NULL; all must be used. An auth value as h is the whole
 * content of a memfd that is sealed against shrinking, growing and writing, so that reading it neither blocks nor finds
 * it changed. An auth value that ends in a zero byte is refused: the TPM would drop it. Fails with
 * WARD_ERROR_INVALID_ARGUMENT. */
WardOptions *ward_options_new (GVariant *dictionary, GUnixFDList *fds, const WardOption *known, GError **error);
void ward_options_free (WardOptions *options);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardOptions, ward_options_free)

/* FALSE when it is not given. */
gboolean ward_options_get_boolean (WardOptions *options, const char *name);
/* NULL when it is not given; the options' own. */
WardSecret *ward_options_get_secret (WardOptions *options, const char *name);
