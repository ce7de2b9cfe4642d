# SPDX-License-Identifier: LGPL-2.1-or-later
"""The question for a secret, and what a wrong one costs."""

import ward
from cases import cases

test_auth = cases("gui-auth")


def test_tries_of_a_user(desktops, fresh_tpm, root):
    root.call("Lockout.SetParameters", "uuua{sv}", 32, 1000, 1000, {})
    desktop = desktops("ward-alice")
    program = [ward.ROOT / "build/tests/gui/gui-auth", "-p", "/auth/tries-of-ones-own"]
    process = desktop.start(program, "gui-auth", GTK_A11Y="test")
    assert process.wait(60) == 0, desktop.log("gui-auth")
