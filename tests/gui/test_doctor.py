# SPDX-License-Identifier: LGPL-2.1-or-later
"""The page Doctor."""

from cases import cases
from ward import wait_until

test_doctor = cases("gui-doctor")

DISMISSED = "The Doctor Did Not Look as Administrator"


def test_look_as_administrator(app, admin):
    """Who closes the password dialog has made no error, and still sees what was found; with the password there is more to see."""
    app.click("list item", "Doctor")
    app.wait_for("list item", "The TPM has no storage root key")
    app.bring_into_sight("list item", "Look as Administrator")
    app.click("list item", "Look as Administrator")
    admin.dismiss()
    admin.wait_for_end()
    wait_until(lambda: app.find("list item", "1 warning", seen=False), why="the findings to be shown")
    assert app.find("label", DISMISSED, seen=False) is None
    app.click("list item", "Look as Administrator")
    admin.answer("adminpw")
    admin.wait_for_end()
    app.bring_into_sight("list item", "The TPM has no storage root key")
