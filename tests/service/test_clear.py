# SPDX-License-Identifier: LGPL-2.1-or-later
"""Clearing, what it would take away, and a TPM that was cleared behind the service's back."""

import os
import signal

import pytest

import ward
from test_lockout import AUTH_FAILED, LOCKED_OUT, chip, fresh_lockout, options, set_lockout_auth  # noqa: F401: a fixture
from test_ownership import no_helper  # noqa: F401: a fixture
from ward import ERROR, Agent, caller

INVALID = ERROR + "InvalidArgument"
NOT_SUPPORTED = ERROR + "NotSupported"
DISABLED = ERROR + "Disabled"
INDEX = 0x01800042
KEY = 0x81000042
SRK = 0x81000001
RECORD = ward.STATE / "tpm0.chip"


@pytest.fixture(autouse=True)
def no_notice(sandbox, fresh_lockout):  # noqa: F811
    """Each test begins with a service that has seen the chip as it is, and takes nothing of it for news."""
    sandbox.kill("daemon", signal.SIGTERM)
    for record in ward.STATE.glob("*.chip*"):
        record.unlink()
    sandbox.start("daemon")
    yield
    if sandbox.is_running("daemon"):
        sandbox.kill("daemon", signal.SIGTERM)
    if not sandbox.is_running("swtpm"):
        sandbox.start("swtpm")
    # the platform may allow clearing again
    sandbox.tpm2("tpm2_clearcontrol", "-C", "p", "c")
    sandbox.tpm2("tpm2_clear", "-c", "p")
    for record in ward.STATE.glob("*.chip*"):
        record.unlink()


def run_tool(*command):
    """One of tpm2-tools, while the service is stopped."""
    done = ward.run_tpm2(*command)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout


def keep_things(sandbox):
    """An NV index with data, one without, and a persistent key, as tpm2-tools make them."""
    context = str(ward.ROOT / "clear.context")
    sandbox.kill("daemon", signal.SIGTERM)
    run_tool("tpm2_nvdefine", hex(INDEX), "-C", "o", "-s", "11", "-a", "ownerread|ownerwrite")
    (ward.ROOT / "clear.data").write_bytes(b"hello world")
    run_tool("tpm2_nvwrite", hex(INDEX), "-C", "o", "-i", str(ward.ROOT / "clear.data"))
    run_tool("tpm2_nvdefine", hex(INDEX + 1), "-C", "o", "-s", "5", "-a", "ownerread|ownerwrite")
    run_tool("tpm2_createprimary", "-Q", "-G", "rsa2048", "-c", context)
    run_tool("tpm2_evictcontrol", "-Q", "-C", "o", "-c", context, hex(KEY))
    sandbox.start("daemon")


def preview(who, method="PreviewClear"):
    return who.call(f"Ownership.{method}")


def by_handle(entries):
    return {entry["handle"]: entry for entry in entries if "handle" in entry}


def clear(who, confirm="tpm0", **more):
    return who.call("Ownership.Clear", "a{sv}", options(confirm=confirm, **more))


def clear_error(who, confirm="tpm0", interactive=False, **more):
    return who.error("Ownership.Clear", "a{sv}", options(confirm=confirm, **more), interactive=interactive)


def detail(who):
    return who.get("Tpm.StateDetail")


def test_preview_of_the_chip(sandbox, alice):
    """What tpm2-tools have made is there, and what the maker brought and a clear leaves is not."""
    keep_things(sandbox)
    found = by_handle(preview(alice))
    assert set(found) == {INDEX, INDEX + 1, KEY}
    data, empty, key = found[INDEX], found[INDEX + 1], found[KEY]
    assert (data["kind"], data["subject"], data["size"], data["recoverable"]) == ("nv-index", "0x01800042", 11, "no")
    assert (empty["kind"], empty["recoverable"]) == ("nv-index", "yes")
    assert "never" in empty["detail"]
    assert (key["kind"], key["algorithm"], key["recoverable"], key["owner"]) == ("persistent-handle", "rsa2048", "no", "root")
    assert all(entry["reason"] and entry["confidence"] == "sure" and entry["uid"] == 0 for entry in found.values())
    name = sandbox.tpm2("tpm2_readpublic", "-c", hex(KEY)).split("name: ")[1].split()[0]
    assert key["name"] == name


def test_preview_names_the_srk(root, alice):
    root.call("Ownership.ProvisionSrk", "a{sv}", {})
    srk = by_handle(preview(alice))[SRK]
    assert "storage root key" in srk["detail"]
    assert srk["recoverable"] == "no"


def test_preview_begins_with_what_is_lost(sandbox, alice):
    keep_things(sandbox)
    ranks = [("no", "unknown", "yes").index(entry["recoverable"]) for entry in preview(alice)]
    assert ranks == sorted(ranks)
    assert ranks[0] == 0


# of tpm2-openssl 1.1.1
PEM = """-----BEGIN TSS2 PRIVATE KEY-----
MIHwBgZngQUKAQOgAwEBAQIEQAAAAQRYAFYAIwALAAYAcgAAABAAEAADABAAIIxj
BWT+4HRv8tC58dpqmomMz7koQwRECPPcwGc/h+loACCKD8B5j6CV7Swbea19NZ53
6R7LUpuwIoPqA0hXhjMUcgSBgAB+ACBIE+ArrXilxsXljY+nnobF48qoCCJybOJX
Xug49LmJmQAQoJwS1Zjb2FTRVarRlZyGuvLjoxGHGvPNjM9EPunPuF4/gv/cBNDW
DIiM29psT+iAhS/tI1swqxAMZg1FD82b0oIXCl6b0P07Pgc+OkAicH3ZUMBPl806
cdpA
-----END TSS2 PRIVATE KEY-----
"""


@pytest.fixture
def alices_key(sandbox, alice):
    """A key file of ward-alice's that only a TPM can use, which the helper has yet to find."""
    folder = ward.ROOT / "home/ward-alice/.ssh"
    folder.mkdir()
    key = folder / "id_ecdsa.tpm"
    key.write_text(PEM)
    for path in (folder, key):
        os.chown(path, alice.uid, alice.uid)
    # one that runs may remember what it found before
    ward.wait_until(lambda: not sandbox.owner("org.tpmward1.Helper"), why="the helper to be gone")
    ward.wait_until(lambda: not sandbox.is_running("helper"), why="the helper to end")
    yield key
    key.unlink()
    folder.rmdir()


def test_other_users_things_are_counted(root, alice, bob, alices_key):
    found = preview(alice)
    assert [entry["owner"] for entry in found if entry["subject"] == str(alices_key)] == ["ward-alice"], found
    seen = preview(bob)
    assert not any("alice" in str(entry) for entry in seen)
    (others,) = [entry for entry in seen if entry["kind"] == "other-users"]
    assert others["count"] >= 1
    assert any(entry["subject"] == str(alices_key) for entry in preview(root, "PreviewClearAll"))


def test_naming_others_needs_an_administrator(alice):
    assert alice.error("Ownership.PreviewClearAll").name == ERROR + "NotAuthorized"


def test_preview_says_what_it_has_not_seen(sandbox, alice, no_helper):  # noqa: F811
    """Without the helper the chip's own things are there, and that the rest was not searched."""
    keep_things(sandbox)
    found = preview(alice)
    assert set(by_handle(found)) == {INDEX, INDEX + 1, KEY}
    (unscanned,) = [entry for entry in found if entry["kind"] == "unscanned"]
    assert unscanned["recoverable"] == "unknown"
    assert "tpmward-helper" in unscanned["detail"]


def test_preview_says_that_the_chip_did_not_answer(sandbox, alice):
    sandbox.kill("swtpm")
    unscanned = [entry for entry in preview(alice) if entry["kind"] == "unscanned"]
    assert "tpm0" in [entry["subject"] for entry in unscanned]


@pytest.mark.parametrize("auth", [None, "", "sesame"])
def test_clear(sandbox, root, alice, auth):
    """All is right before the reply, and without a restart."""
    if auth:
        set_lockout_auth(sandbox, auth)
    keep_things(sandbox)
    root.call("Ownership.ProvisionSrk", "a{sv}", {})
    root.call("Ownership.ChangeAuth", "sa{sv}", "endorsement", options(new="x", force=True))
    seen = root.watch_properties(ward.TPM0)
    assert clear(root, **({} if auth is None else {"auth": auth})) == "cleared"
    changes = [one.args[1] for one in seen.all() if one.args[0] == "org.tpmward1.Ownership"]
    assert {"SrkPresent": False, "SrkHandle": 0, "EndorsementAuthSet": False}.items() <= changes[-1].items()
    assert [root.get(f"Ownership.{name}") for name in ("Owned", "LockoutAuthSet", "SrkPresent")] == [False] * 3
    assert root.get("Lockout.Failures") == 0
    assert (root.get("Tpm.State"), detail(root)) == ("ready", "")
    assert not by_handle(preview(alice))

    raw = chip(sandbox)
    assert (raw["lockoutAuthSet"], raw["endorsementAuthSet"]) == ("0", "0")
    # it was our own doing, and is no news after a restart either
    assert detail(root) == ""


def test_clear_leaves_what_the_maker_brought(sandbox, root):
    before = sandbox.tpm2("tpm2_getcap", "handles-nv-index").split()
    assert before
    clear(root)
    assert sandbox.tpm2("tpm2_getcap", "handles-nv-index").split() == before


def test_wrong_auth(sandbox, root):
    set_lockout_auth(sandbox, "sesame")
    keep_things(sandbox)
    assert clear_error(root, auth="wrong").name == AUTH_FAILED
    # the guard: the right one is not tried either without force, which the chip would refuse now
    assert clear_error(root, auth="sesame").name == LOCKED_OUT
    error = clear_error(root, auth="sesame", force=True)
    assert error.name == LOCKED_OUT and "1000 seconds" in error.message
    assert by_handle(preview(root))


def test_clear_lifts_the_guard(sandbox, root):
    set_lockout_auth(sandbox, "sesame")
    root.call("Lockout.SetParameters", "uuua{sv}", 3, 1000, 0, options(auth="sesame"))
    assert clear_error(root, auth="wrong").name == AUTH_FAILED
    sandbox.restart("swtpm")  # which ends the bar
    ward.wait_until(lambda: root.call("Tpm.Refresh") is None and root.get("Lockout.LockoutAuthBarredUntil") == 0)
    assert clear_error(root, auth="sesame").name == LOCKED_OUT
    assert clear(root, auth="sesame", force=True) == "cleared"
    root.call("Ownership.TakeOwnership", "a{sv}", options(**{"lockout-auth": "next"}))


def test_auth_where_none_is_set_is_not_spent(sandbox, root):
    keep_things(sandbox)
    assert clear_error(root, auth="anything").name == AUTH_FAILED
    assert clear(root) == "cleared"


def test_missing_auth_is_not_spent(sandbox, root):
    set_lockout_auth(sandbox, "sesame")
    assert clear_error(root).name == AUTH_FAILED
    assert root.get("Lockout.LockoutAuthBarredUntil") == 0 or root.get("Ownership.LockoutAuthSet")
    assert clear(root, auth="sesame", force=True) == "cleared"


@pytest.mark.parametrize("confirm", ["", "tpm1", "TPM0", "tpm0 ", "/org/tpmward1/tpm/tpm0"])
def test_wrong_name(sandbox, alice, confirm):
    """Nobody is asked for a password for it."""
    keep_things(sandbox)
    with Agent(alice, "CANCEL") as agent:
        error = clear_error(alice, confirm, interactive=True)
        assert error.name == INVALID
        assert "tpm0" in error.message
        assert agent.dialogs() == []
    assert by_handle(preview(alice))


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"auth": ""},
        {"confirm": "tpm0", "auth": "", "physical-presence": True},
        {"confirm": "tpm0", "auth": "zero\0\0".encode()},
        {"confirm": "tpm0", "physical-presence": "yes"},
        {"confirm": b"tpm0"},
        {"confirm": "tpm0", "Force": True},
    ],
)
def test_bad_options(root, given):
    assert root.error("Ownership.Clear", "a{sv}", options(**given)).name == INVALID


def test_too_long_an_auth(sandbox, root):
    set_lockout_auth(sandbox, "sesame")
    assert clear_error(root, auth="a" * 65).name == INVALID
    assert clear(root, auth="sesame", force=True) == "cleared"


def test_needs_an_administrator(sandbox, alice):
    keep_things(sandbox)
    assert clear_error(alice).name == ERROR + "NotAuthorized"
    assert alice.error("Ownership.SetClearDisabled", "ba{sv}", True, {}).name == ERROR + "NotAuthorized"
    with Agent(alice, "CANCEL") as agent:
        assert clear_error(alice, interactive=True).name == ERROR + "Cancelled"
        (dialog,) = agent.dialogs()
    assert "tpm0" in dialog and "destroys" in dialog
    assert by_handle(preview(alice))


def test_rules_know_by_what_it_is_cleared(sandbox, alice):
    by_auth = 'action.id == "org.tpmward.clear" && action.lookup("by") == "lockout-auth"'
    sandbox.write_rule("10-clear", f"if ({by_auth}) return polkit.Result.YES;")
    assert clear(alice) == "cleared"
    assert alice.error("Ownership.SetClearDisabled", "ba{sv}", True, {}).name == ERROR + "NotAuthorized"


def test_physical_presence_is_the_machines(alice, root):
    """A software TPM called tpm0 is not the one that the machine's firmware would clear: nobody is even asked."""
    assert root.get("Ownership.PhysicalPresence") == "none"
    assert root.get("Ownership.ClearPending") is False
    with Agent(alice, "CANCEL") as agent:
        error = clear_error(alice, interactive=True, **{"physical-presence": True})
        assert error.name == NOT_SUPPORTED
        assert "swtpm" in error.message
        assert alice.error("Ownership.CancelClear", interactive=True).name == ERROR + "NotFound"
        assert agent.dialogs() == []


def test_physical_presence_of_what_the_kernel_lacks(sandbox, root):
    """A TPM that is the kernel's by its transport: the helper is asked, by the kernel's name, and refuses what it does not find."""
    sandbox.kill("daemon", signal.SIGTERM)
    named = ("--state-dir", str(ward.STATE), "--no-discovery", "--tpm", "tpm0=device:/dev/tpmrm9999")
    sandbox.start("daemon", "--only", *named)
    error = clear_error(root, **{"physical-presence": True})
    assert error.name == ERROR + "NotFound"
    assert "tpm9999" in error.message
    assert root.error("Ownership.CancelClear").name == ERROR + "NotFound"
    assert root.get("Ownership.ClearPending") is False
    sandbox.restart("daemon")


def test_clearing_is_switched_off(sandbox, root, alice):
    set_lockout_auth(sandbox, "sesame")
    keep_things(sandbox)
    seen = root.watch_properties(ward.TPM0)
    root.call("Ownership.SetClearDisabled", "ba{sv}", True, options(auth="sesame"))
    assert any(one.args[1].get("ClearDisabled") is True for one in seen.all())
    assert chip(sandbox)["disableClear"] == "1"

    # a wrong one is not spent, and no one is asked for a password
    with Agent(alice, "CANCEL") as agent:
        assert clear_error(alice, auth="wrong", interactive=True).name == DISABLED
        assert agent.dialogs() == []
    assert clear_error(root, auth="wrong", force=True).name == DISABLED
    assert root.get("Lockout.LockoutAuthBarredUntil") == 0
    root.call("Lockout.Reset", "a{sv}", options(auth="sesame"))
    assert by_handle(preview(root))


def test_switching_off_with_a_wrong_auth(sandbox, root):
    set_lockout_auth(sandbox, "sesame")
    assert root.error("Ownership.SetClearDisabled", "ba{sv}", True, options(auth="wrong")).name == AUTH_FAILED
    assert root.error("Ownership.SetClearDisabled", "ba{sv}", True, options(auth="sesame")).name == LOCKED_OUT
    assert root.get("Ownership.ClearDisabled") is False


@pytest.mark.parametrize(
    "method, value",
    [("SetEnabled", True), ("SetEnabled", False), ("SetActive", True), ("SetActive", False), ("SetClearDisabled", False)],
)
def test_what_a_tpm_2_cannot(alice, method, value):
    with Agent(alice, "CANCEL") as agent:
        error = alice.error(f"Ownership.{method}", "ba{sv}", value, {}, interactive=True)
        assert error.name == NOT_SUPPORTED
        assert agent.dialogs() == []
    assert alice.error(f"Ownership.{method}", "ba{sv}", value, options(typo=True)).name == INVALID
    assert alice.get("Lockout.LockoutAuthBarredUntil") == 0


def test_cleared_while_the_service_was_away(sandbox, root):
    """It is said once the service is back, until it is settled, and what it means."""
    root.call("Ownership.ProvisionSrk", "a{sv}", {})
    sandbox.tpm2("tpm2_clear", "-c", "p")
    assert root.get("Tpm.State") == "ready"
    text = detail(root)
    assert "cleared" in text and "cannot be used any more" in text and "tpmward doctor" in text
    sandbox.restart("daemon")
    assert detail(root) == text
    # a clear of our own settles it
    clear(root)
    assert detail(root) == ""
    sandbox.restart("daemon")
    assert detail(root) == ""


def test_cleared_behind_a_running_service(sandbox, root):
    """The service loses its connection to the TPM, and finds another chip at the next, or one as good as new."""
    sandbox.restart("swtpm")
    sandbox.restart("swtpm")
    sandbox.restart("swtpm")
    ward.wait_until(lambda: root.call("Tpm.Refresh") is None and root.get("Tpm.State") == "ready")
    seen = root.watch_properties(ward.TPM0)
    sandbox.kill("swtpm")
    state = ward.ROOT / "swtpm/state/tpm2-00.permall"
    kept = state.rename(ward.ROOT / "swtpm/kept")
    ward.wait_until(lambda: root.get("Tpm.State") == "unreachable", why="the service to miss it")
    sandbox.start("swtpm")
    try:
        is_word = lambda one: one.args[1].get("State") == "ready" and one.args[1].get("StateDetail")  # noqa: E731
        said = seen.wait(is_word, why="a word of it")
        assert "cannot be used any more" in said.args[1]["StateDetail"]
    finally:
        sandbox.kill("daemon", signal.SIGTERM)
        sandbox.kill("swtpm")
        kept.rename(state)


def test_everyday_is_no_news(sandbox, root):
    """Restarts, resets of the TPM, a storage root key that another program makes: nothing that anybody need read."""
    sandbox.restart("swtpm")
    sandbox.restart("daemon")
    context = str(ward.ROOT / "srk.context")
    sandbox.tpm2("tpm2_createprimary", "-Q", "-G", "ecc", "-c", context)
    sandbox.tpm2("tpm2_evictcontrol", "-Q", "-C", "o", "-c", context, hex(SRK))
    assert root.get("Ownership.SrkPresent") is True
    assert detail(root) == ""


@pytest.mark.parametrize("content", [b"", b"\xff\x00 garbage", b"[Chip]\nManufacturer=X\n", b"[Chip]\nResetCount=many\n"])
def test_damaged_record(sandbox, root, content):
    sandbox.kill("daemon", signal.SIGTERM)
    RECORD.write_bytes(content)
    sandbox.start("daemon")
    assert (root.get("Tpm.State"), detail(root)) == ("ready", "")
    assert "is damaged" in sandbox.log()
    assert RECORD.with_suffix(".chip.damaged").read_bytes() == content
    # a new one is begun
    assert RECORD.stat().st_mode & 0o777 == 0o600
    root.call("Ownership.ProvisionSrk", "a{sv}", {})
    sandbox.tpm2("tpm2_clear", "-c", "p")
    assert "cleared" in detail(root)


def test_secrets_are_not_logged(sandbox, root):
    set_lockout_auth(sandbox, "sesame")
    clear_error(root, auth="barley-open")
    fd = os.memfd_create("secret", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    unsealed = {"confirm": caller.Variant("s", "tpm0"), "auth": caller.Variant("h", 0)}
    assert root.error("Ownership.Clear", "a{sv}", unsealed, fds=[fd]).name == INVALID
    assert "barley-open" not in sandbox.log()
