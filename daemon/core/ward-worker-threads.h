/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-worker.h"

/* The workers' threads, for an orderly end of the process: see ward_worker_wait_all (). */
void ward_worker_thread_start (const char *name, GThreadFunc func, gpointer data);

/* The last thing that a thread of these does. */
void ward_worker_thread_end (void);
