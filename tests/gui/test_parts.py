# SPDX-License-Identifier: LGPL-2.1-or-later
"""The parts that all pages share."""

from cases import cases

test_call = cases("gui-call")
test_dialog = cases("gui-dialog")
test_notice = cases("gui-notice")
test_page = cases("gui-page")
