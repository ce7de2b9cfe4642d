/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "ward-secret.h"

/* The most that can be typed, in bytes. */
#define WARD_CLIENT_PROMPT_MAX 1024

/* These ask the person at the process's controlling terminal, wherever standard input and output go, and block. What is
 * typed before the prompt is thrown away. A signal that ends or stops the process, also from its keyboard, takes effect
 * after the terminal is as it was; a prompt that was stopped is shown again when the process goes on. For one thread at
 * a time.
 *
 * Errors: WARD_CLIENT_ERROR_FAILED without a terminal, _CANCELLED for the end of input (Ctrl-D) instead of an answer,
 * _INVALID_ARGUMENT for too long an answer. */

/* Asks for a secret, of which nothing is shown: the bytes of the line without its end. It may be empty. prompt is shown
 * as it is. A new reference. */
WardSecret *ward_client_prompt_secret (const char *prompt, GError **error);

/* Whether the person answers question by typing answer, such as “yes”, and nothing else. */
gboolean ward_client_prompt_confirm (const char *question, const char *answer, GError **error);
