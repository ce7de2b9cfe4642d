# SPDX-License-Identifier: LGPL-2.1-or-later
"""The page Keys."""

from cases import cases

test_keys = cases("gui-keys")
