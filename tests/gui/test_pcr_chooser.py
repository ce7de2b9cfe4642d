# SPDX-License-Identifier: LGPL-2.1-or-later
"""The choice of what a key is bound to."""

from cases import cases

test_pcr_chooser = cases("gui-pcr-chooser")
