/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

char *ward_absence_explain (const char *root);
