# SPDX-License-Identifier: LGPL-2.1-or-later
"""Clearing: its ledger, its question and its end."""

from cases import cases

test_clear = cases("gui-clear")
