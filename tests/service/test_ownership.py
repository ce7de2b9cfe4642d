# SPDX-License-Identifier: LGPL-2.1-or-later
"""Taking ownership, changing auth values and provisioning the SRK, seen by tpm2-tools as well."""

import re

import pytest
import ward
from families import IS_20, OWNER, disown
from test_lockout import chip, options, sealed_memfd
from ward import ERROR, Agent, caller

SRK = 0x81000001
FORCE = {"force": caller.Variant("b", True)}


@pytest.fixture(autouse=True)
def unowned(sandbox):
    """Each test begins with a chip as new."""
    disown(sandbox)


def state(root):
    names = ("Owned", "OwnerAuthSet", "EndorsementAuthSet", "LockoutAuthSet", "SrkPresent")
    return tuple(root.get(f"Ownership.{name}") for name in names)


UNOWNED = (False, False, False, False, False)


def test_properties_are_the_chips(sandbox, root):
    assert state(root) == UNOWNED
    assert root.get("Ownership.SrkHandle") == 0
    raw = chip(sandbox)
    assert root.get("Ownership.ClearDisabled") == (raw["disableClear"] == "1")
    assert root.get("Ownership.Enabled") == (raw["shEnable"] == "1") is True
    assert root.get("Ownership.Active") == (raw["ehEnable"] == "1") is True


def test_recommended_ownership(sandbox, root):
    """The lockout auth alone, and a storage root key."""
    seen = root.watch_properties(ward.TPM0)
    fds = [sealed_memfd(b"sesame")]
    root.call("Ownership.TakeOwnership", "a{sv}", {"lockout-auth": caller.Variant("h", 0)}, fds=fds)
    changes = [signal.args[1] for signal in seen.all() if signal.args[0] == "org.tpmward1.Ownership"]
    assert {"Owned": True, "LockoutAuthSet": True, "SrkPresent": True, "SrkHandle": SRK}.items() <= changes[-1].items()
    assert state(root) == (True, False, False, True, True)

    raw = chip(sandbox)
    assert (raw["lockoutAuthSet"], raw["ownerAuthSet"], raw["endorsementAuthSet"]) == ("1", "0", "0")
    # tpm2-tools open the lockout hierarchy with just that auth
    sandbox.tpm2("tpm2_dictionarylockout", "-c", "-p", "sesame")


def test_srk_is_the_one_that_systemd_makes(sandbox, root):
    root.call("Ownership.ProvisionSrk", "a{sv}", {})
    text = sandbox.tpm2("tpm2_readpublic", "-c", hex(SRK))
    assert re.search(r"attributes:\n  value: .*\n  raw: 0x30472\n", text)
    assert "curve-id" in text and "value: NIST p256" in text
    assert re.search(r"sym-mode:\n  value: cfb", text)
    assert root.error("Ownership.ProvisionSrk", "a{sv}", {}).name == ERROR + "Exists"


def test_all_three(sandbox, root):
    auths = {"owner-auth": "own", "endorsement-auth": "endorse", "lockout-auth": "lock"}
    root.call("Ownership.TakeOwnership", "a{sv}", options(**auths, force=True))
    assert state(root) == (True, True, True, True, True)
    sandbox.tpm2("tpm2_changeauth", "-c", "owner", "-p", "own", "")
    sandbox.tpm2("tpm2_changeauth", "-c", "endorsement", "-p", "endorse", "")
    sandbox.tpm2("tpm2_changeauth", "-c", "lockout", "-p", "lock", "")
    assert state(root) == (False, False, False, False, True)


def test_ownership_twice(root):
    root.call("Ownership.TakeOwnership", "a{sv}", options(**{f"{OWNER}-auth": "sesame"}))
    before = state(root)
    assert before[0] is True
    other = "endorsement" if IS_20 else "srk"
    error = root.error("Ownership.TakeOwnership", "a{sv}", options(**{f"{other}-auth": "x", f"{OWNER}-auth": "y"}, force=True))
    assert error.name == ERROR + "AlreadyOwned"
    assert OWNER in error.message
    assert state(root) == before


@pytest.mark.parametrize("auths", [{}, {"lockout-auth": ""} if IS_20 else {"srk-auth": "x"}])
def test_ownership_of_nothing(root, auths):
    error = root.error("Ownership.TakeOwnership", "a{sv}", options(**auths))
    assert error.name == ERROR + "InvalidArgument"
    assert state(root) == UNOWNED


def test_too_long_an_auth_changes_nothing(root):
    last = "lockout" if IS_20 else "srk"
    error = root.error("Ownership.TakeOwnership", "a{sv}", options(**{"owner-auth": "fine", f"{last}-auth": "a" * 65}, force=True))
    assert error.name == ERROR + "InvalidArgument"
    assert state(root) == UNOWNED


def test_change_of_the_lockout_auth(root):
    change = "Ownership.ChangeAuth"
    root.call(change, "sa{sv}", "lockout", options(new="first"))
    assert state(root)[3] is True
    root.call(change, "sa{sv}", "lockout", options(old="first", new="second"))
    assert root.error(change, "sa{sv}", "lockout", options(old="first", new="third")).name == ERROR + "AuthenticationFailed"
    # the guard: no second try without force
    assert root.error(change, "sa{sv}", "lockout", options(old="second", new="")).name == ERROR + "LockedOut"


@pytest.mark.parametrize("which", ["owner", "endorsement"])
def test_change_of_another_auth(root, which):
    change = "Ownership.ChangeAuth"
    root.call(change, "sa{sv}", which, options(new="first", force=True))
    error = root.error(change, "sa{sv}", which, options(old="wrong", new="second"))
    assert error.name == ERROR + "AuthenticationFailed"
    root.call(change, "sa{sv}", which, options(old="first", new="second"))
    root.call(change, "sa{sv}", which, options(old="second"))
    assert state(root) == UNOWNED


@pytest.mark.parametrize(
    "which, name",
    [("platform", "InvalidArgument"), ("", "InvalidArgument"), ("srk" if IS_20 else "endorsement", "NotSupported")],
)
def test_change_of_what_has_no_auth(root, which, name):
    assert root.error("Ownership.ChangeAuth", "sa{sv}", which, {}).name == ERROR + name


@pytest.fixture
def no_helper(sandbox, root):
    """The bus knows no tpmward-helper, as where it is not installed."""
    service = ward.ROOT / "services/org.tpmward1.Helper.service"
    hidden = service.with_suffix(".hidden")

    def reload():
        bus = "org.freedesktop.DBus"
        root.call(f"{bus}.ReloadConfig", destination=bus, path="/org/freedesktop/DBus")

    service.rename(hidden)
    reload()
    ward.wait_until(lambda: not sandbox.owner("org.tpmward1.Helper"), why="the helper to end")
    yield
    hidden.rename(service)
    reload()


def test_owner_auth_is_not_set_unseen(root, no_helper):
    """Where nobody can look for what it would break, it takes force."""
    error = root.error("Ownership.TakeOwnership", "a{sv}", options(**{"owner-auth": "own"}))
    assert error.name == ERROR + "WouldBreak"
    assert "force" in error.message
    assert state(root) == UNOWNED
    # the lockout auth breaks nothing
    root.call("Ownership.TakeOwnership", "a{sv}", options(**{"lockout-auth": "sesame"}))
    assert root.error("Ownership.PreviewOwnership").name == ERROR + "NotSupported"


def test_dialog_names_what_is_changed(alice):
    which = "endorsement" if IS_20 else "srk"
    with Agent(alice, "CANCEL") as agent:
        error = alice.error("Ownership.ChangeAuth", "sa{sv}", which, {}, interactive=True)
        assert error.name == ERROR + "Cancelled"
        (dialog,) = agent.dialogs()
    assert which in dialog, dialog


@pytest.mark.parametrize(
    "method, arguments",
    [("TakeOwnership", [options(**{f"{OWNER}-auth": "x"})]), ("ChangeAuth", ["owner", {}]), *([("ProvisionSrk", [{}])] if IS_20 else [])],
)
def test_needs_an_administrator(alice, method, arguments):
    signature = "sa{sv}" if len(arguments) == 2 else "a{sv}"
    assert alice.error(f"Ownership.{method}", signature, *arguments).name == ERROR + "NotAuthorized"


def test_preview_is_for_everybody(alice, root):
    """What it lists depends on the machine; each entry says what, whose and why."""
    for entry in alice.call("Ownership.PreviewOwnership") + root.call("Ownership.PreviewOwnership"):
        assert {"kind", "subject", "owner", "detail", "recoverable"} <= set(entry)


def test_no_secret_in_the_log(sandbox, root):
    root.call("Ownership.TakeOwnership", "a{sv}", options(**{f"{OWNER}-auth": "sesame-open"}))
    root.error("Ownership.ChangeAuth", "sa{sv}", OWNER, options(old="barley-open", new="x"))
    assert not re.search("sesame-open|barley-open", sandbox.log())
