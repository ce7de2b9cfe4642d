# SPDX-License-Identifier: LGPL-2.1-or-later
"""The protection against guessing: its state, its reset and its rules."""

from cases import cases

test_lockout = cases("gui-lockout")
