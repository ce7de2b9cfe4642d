# SPDX-License-Identifier: LGPL-2.1-or-later
"""The application on a TPM 1.2: its owner, its secrets and its switches, and that what such a TPM has not is not there."""

import shutil
from signal import SIGTERM

import pytest
import ward
from cases import cases
from families import deliver, take_ownership
from keys import Keys
from test_audit import audit_dialog, openers, wait_until_named
from test_walks import PASSWORD, go_to, has_no_error


@pytest.fixture
def fresh_tpm(machine):
    """In the place of that of a TPM 2.0: nobody has used the TPM or the service yet."""
    deliver(machine)
    machine.kill("daemon", SIGTERM)
    for entry in ward.STATE.iterdir():
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    machine.start("daemon")


test_tpm12 = cases("gui-tpm12")


def test_take_ownership_and_make_a_key(app, admin, alice, root):
    """From a TPM that nobody owns to a key, by someone who goes the way that is recommended."""
    go_to(app, "Keys")
    app.press("Go to Ownership")
    app.press("Take Ownership…")
    dialog = app.wait_for("frame", "Take Ownership")
    app.press("Next", inside=dialog)
    app.click("check box", "I Have Written It Down")
    app.press("Set", inside=dialog)
    admin.wait_for_dialog("to take ownership of the TPM “tpm0”")
    admin.answer(PASSWORD)
    admin.wait_for_end()
    app.wait_for("list item", "Owned")
    assert root.get("Ownership.Owned") is True
    go_to(app, "Keys")
    app.press("Make a Key…")
    dialog = app.wait_for("frame", "Make a Key")
    app.fill("Name", "my laptop", inside=dialog)
    app.press("Make", inside=dialog)
    app.wait_for_text("“my laptop” Was Made")
    assert has_no_error(app)
    assert Keys(alice).describe("my laptop")["algorithm"] == "rsa2048"


def test_names(fresh_tpm, start_app, root):
    """All that such a TPM has and others have not, as a screen reader has it."""
    take_ownership(root)
    app = start_app()
    go_to(app, "Ownership")
    wait_until_named(app)
    for role, name in openers(app):
        audit_dialog(app, role, name)
