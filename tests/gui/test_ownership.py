# SPDX-License-Identifier: LGPL-2.1-or-later
"""Ownership: its state, and taking, changing and releasing it."""

from cases import cases

test_ownership = cases("gui-ownership")
