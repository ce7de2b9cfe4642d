# SPDX-License-Identifier: LGPL-2.1-or-later
"""The service, the bus or the TPM goes, and comes back."""

from cases import cases

test_moments = cases("gui-moments")
