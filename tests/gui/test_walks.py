# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a person does with the whole application, on a desktop that asks for an administrator's password: real clicks and keys."""

import os
import signal

from keys import Keys, options
from ward import wait_until

PASSWORD = "adminpw"
PAGES = ["Overview", "Ownership", "Keys", "Boot State", "Storage", "Doctor"]


def go_to(app, page):
    app.click("list item", page)
    app.wait_for("label", page)


def has_no_error(app):
    return not app.find("push button", "Copy Details")


def make_new_password(app, new):
    app.click("list item", "Change Password…")
    app.fill("New Password", new)
    app.fill("New Password Once More", new)
    app.press("Set", inside=app.find("frame", "Password of the Key"))


def open_key(app, name):
    go_to(app, "Keys")
    app.click("list item", name)
    app.wait_for("frame", "Key")


def start_taking_ownership(app):
    """As far as the recovery sheet; the lockout auth that stands on it."""
    go_to(app, "Ownership")
    app.press("Take Ownership…")
    app.press("Next")
    dialog = app.wait_for("frame", "Take Ownership")
    app.click("check box", "I Have Written It Down")
    values = [node.name for node in app.find_all("label", inside=dialog) if node.name.count("-") == 3]
    return dialog, values[0]


def test_self_test(app, root):
    """From the start of the application to the result of a self-test, which is true."""
    app.bring_into_sight("list item", "Never run")
    app.press("Full")
    app.wait_for("list item", "Passed")
    app.bring_into_sight("label", "The TPM has passed a full self-test: all of its functions work.")
    assert (root.get("SelfTest.State"), root.get("SelfTest.Mode")) == ("passed", "full")


def test_take_ownership(app, admin, root):
    """The password is asked for, wrong at first, and then the TPM has the lockout auth that the sheet shows."""
    dialog, auth = start_taking_ownership(app)
    app.press("Set", inside=dialog)
    admin.wait_for_dialog("to take ownership of the TPM “tpm0”")
    admin.answer("wrong")
    admin.wait_for("label", part="Failure", seen=False)
    admin.answer(PASSWORD)
    admin.wait_for_end()
    app.wait_for("list item", "Owned")
    app.wait_for_no("frame", "Take Ownership")
    assert root.get("Ownership.Owned") is True
    assert root.get("Ownership.LockoutAuthSet") is True
    root.call("Lockout.Reset", "a{sv}", options(auth=auth))


def test_take_ownership_cancelled(app, admin, root):
    """Who closes the password dialog has made no error, and finds all as it was, to try again."""
    dialog, _ = start_taking_ownership(app)
    app.press("Set", inside=dialog)
    admin.dismiss()
    admin.wait_for_end()
    app.wait_for("push button", "Set", enabled=True, inside=dialog)
    assert has_no_error(app)
    assert root.get("Ownership.Owned") is False
    app.press("Set", inside=dialog)
    admin.answer(PASSWORD)
    app.wait_for("list item", "Owned")


def test_polkit_says_no(app, sandbox):
    """Nobody is asked for a password, and a sentence says why nothing was done."""
    sandbox.write_rule("no", 'if (action.id == "org.tpmward.take-ownership") return polkit.Result.NO;')
    go_to(app, "Ownership")
    app.press("Make")
    app.wait_for_text("a rule of this machine's administrator")
    app.press("Copy Details")
    wait_until(lambda: "org.tpmward.take-ownership" in app.clipboard(), why="the details in the clipboard")
    app.wait_for("list item", "Not There")


def test_lockout_and_recovery(admin, start_app, sandbox, root):
    """Somebody has guessed passwords at the chip: the page says until when it is locked, and an administrator ends that."""
    sandbox.fail_authorizations(3)
    app = start_app()
    go_to(app, "Ownership")
    app.bring_into_sight("list item", "Locked")
    app.press("Reset…")
    admin.wait_for_dialog("lockout")
    admin.answer(PASSWORD)
    app.wait_for_text("The TPM has forgiven all failed tries")
    app.bring_into_sight("list item", "Not Locked")
    assert root.get("Lockout.Failures") == 0


def test_clear_with_the_ledger(app, admin, alice):
    """What will be lost is named before, the TPM's name has to be typed, and then it is gone."""
    keys = Keys(alice)
    keys.create(label="my ssh key")
    go_to(app, "Ownership")
    app.press("Clear the TPM…")
    dialog = app.wait_for("frame", "Clear the TPM")
    app.wait_for_text("It was made in the TPM, and there is no copy of it.")
    app.bring_into_sight("list item", "my ssh key", inside=dialog)
    clear = app.wait_for("push button", "Clear", seen=False, inside=dialog)
    assert not clear.has("sensitive")
    app.fill("Type “tpm0” to Clear It", "tpm0", inside=dialog)
    app.press("Clear", inside=dialog)
    admin.wait_for_dialog("clear")
    assert keys.describe("my ssh key")["usable"] is True
    admin.answer(PASSWORD)
    app.wait_for("dialog", "tpm0 Was Cleared")
    assert keys.describe("my ssh key")["usable"] is False


def beside(app, button, node):
    """What the button and the node are both in, and nothing else that has such a button."""
    while not app.find("push button", button, inside=node):
        node = app.program.nodes()[node.parent]
    return node


def test_busy_with_a_long_key(app, alice, sandbox):
    """Another program has the TPM make a long key: who waits for their own sees why, and can change their mind, twice."""
    keys = Keys(alice)
    go_to(app, "Keys")
    app.press("Make a Key…")
    dialog = app.wait_for("frame", "Make a Key")
    app.fill("Name", "my laptop", inside=dialog)
    os.kill(sandbox.pid("swtpm"), signal.SIGSTOP)
    long_one = keys.start("Create", "the long one", "rsa3072", usage=["sign"])
    app.press("Make", inside=dialog)
    progress = app.wait_for("status bar", part="The TPM makes the key", inside=dialog)
    app.press("Cancel", inside=beside(app, "Cancel", progress))
    app.wait_for_no(part="The TPM makes the key", inside=dialog)
    app.fill("Name", "my desktop", inside=dialog)
    assert has_no_error(app)
    os.kill(sandbox.pid("swtpm"), signal.SIGCONT)
    long_one.wait()
    assert keys.labels() == ["the long one"]
    app.press("Make", inside=dialog)
    app.wait_for_text("“my desktop” Was Made")


def test_tpm_killed_and_back(app, sandbox):
    sandbox.kill("swtpm")
    app.wait_for_text("does not answer")
    sandbox.start("swtpm")
    app.wait_for_no("label", part="does not answer")
    go_to(app, "Storage")


def test_service_killed_and_back(app, sandbox, admin, root):
    """It is started again, and the window is of use as before."""
    go_to(app, "Ownership")
    sandbox.kill("daemon")
    wait_until(lambda: sandbox.owner("org.tpmward1"), why="the application to start the service again")
    app.press("Make")
    admin.answer(PASSWORD)
    app.wait_for_text("The TPM has a storage root key now")
    assert root.get("Ownership.SrkPresent") is True


def test_keyboard_only(app, admin, root):
    """The storage root key is made without a mouse."""
    app.focus("Ownership")
    app.key("Return")
    app.wait_for("push button", "Make")
    app.focus("Make")
    app.key("space")
    admin.answer(PASSWORD)
    app.wait_for_text("The TPM has a storage root key now")
    assert root.get("Ownership.SrkPresent") is True


def test_ssh_key_in_the_clipboard(app, alice):
    """From nothing to the line for authorized_keys, by someone who chooses nothing but a name."""
    go_to(app, "Keys")
    app.press("Make a Key…")
    dialog = app.wait_for("frame", "Make a Key")
    app.fill("Name", "my laptop", inside=dialog)
    app.press("Make", inside=dialog)
    app.wait_for_text("“my laptop” Was Made")
    app.press("Copy Public Key for SSH")
    public = Keys(alice).public("my laptop", "ssh").decode()
    assert public.startswith("ecdsa-sha2-nistp256 ")
    wait_until(lambda: app.clipboard().strip() == public.strip(), why="the public key in the clipboard")
    app.press("Close")
    app.wait_for("list item", "my laptop")


def test_delete_and_undo(app, alice):
    """It is gone from the list at once, and from the store only when nobody has taken it back."""
    keys = Keys(alice)
    keys.create(label="old one")
    open_key(app, "old one")
    app.click("list item", "Delete…")
    app.wait_for_text("“old one” deleted")
    app.wait_for_no("list item", "old one")
    app.press("Undo")
    app.wait_for("list item", "old one")
    assert keys.labels() == ["old one"]
    app.click("list item", "old one")
    app.click("list item", "Delete…")
    app.look_away()
    wait_until(lambda: keys.labels() == [], 20, "the key to be gone when the note has gone")


def test_wrong_key_password(app, alice, root):
    """Up to the warning before the last try; after it nothing is tried any more, and the right password is as good as before."""
    keys = Keys(alice)
    keys.create(label="guarded", auth=b"right")
    root.call("Lockout.SetParameters", "uuua{sv}", 10, 1000, 1000, {})
    open_key(app, "guarded")
    make_new_password(app, "better")
    dialog = app.wait_for("frame", "Present Password of “guarded”")
    app.fill("Password", "wrong", inside=dialog)
    app.press("Continue", inside=dialog)
    app.wait_for("alert", part="counted a failed try", inside=dialog)
    app.wait_for(part="This is your last try for now", inside=dialog)
    app.fill("Password", "wrong again", inside=dialog)
    app.press("Continue", inside=dialog)
    app.wait_for(part="You have no try left for now", inside=dialog)
    root.call("Lockout.Reset", "a{sv}", {})
    app.fill("Password", "right", inside=dialog)
    app.press("Continue", inside=dialog)
    app.wait_for_no("frame", "Password of the Key")
    assert keys.error("Sign", "guarded", "sha256", bytes(32), auth=b"right") == "AuthenticationFailed"
    assert keys.call("Sign", "guarded", "sha256", bytes(32), auth=b"better")
