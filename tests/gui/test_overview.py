# SPDX-License-Identifier: LGPL-2.1-or-later
"""The page Overview, and the panel."""

from cases import cases

test_overview = cases("gui-overview")
