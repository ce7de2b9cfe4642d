# SPDX-License-Identifier: LGPL-2.1-or-later
"""The frame of the application."""

from cases import cases

test_shell = cases("gui-shell")
