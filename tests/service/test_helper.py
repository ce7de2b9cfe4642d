# SPDX-License-Identifier: LGPL-2.1-or-later
"""The helper: who may call it, what it does, and how long it stays."""

import os
import re
import shutil
import signal
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

import ward
from ward import ERROR, wait_until

NAME = "org.tpmward1.Helper"
PATH = "/org/tpmward1/Helper"
PROGRAM = ward.ROOT / "build/helper/tpmward-helper"
STATE = Path("/var/lib/tpm")
DENIED = "org.freedesktop.DBus.Error.AccessDenied"
SANITIZER = re.compile(r"ERROR: (Address|Leak)Sanitizer|runtime error:|-CRITICAL \*\*")


@pytest.fixture(autouse=True)
def helper(sandbox):
    """Each test finds no helper running and /var/lib/tpm as it should be, and leaves no fault in the helper's log."""
    logged = len(sandbox.log("helper"))
    yield
    if sandbox.is_running("helper"):
        os.kill(sandbox.pid("helper"), signal.SIGTERM)
    await_end(sandbox)
    for entry in STATE.iterdir():
        entry.unlink() if not entry.is_dir() else shutil.rmtree(entry)
    shutil.chown(STATE, "tss", "tss")
    STATE.chmod(0o700)
    assert not SANITIZER.search(sandbox.log("helper")[logged:])


@pytest.fixture
def service(callers):
    """Someone with the rights of the service."""
    return callers("tpmward")


def await_end(sandbox):
    wait_until(lambda: not sandbox.owner(NAME), why="the helper to be gone")
    wait_until(lambda: not sandbox.is_running("helper"), why="the helper to end")


def call(caller, dry_run=False):
    return caller.call("org.tpmward1.Helper.RepairAccess", "b", dry_run, destination=NAME, path=PATH)


def refusal(caller, method="org.tpmward1.Helper.RepairAccess", signature="b", *args, destination=NAME):
    return caller.error(method, signature, *(args or (False,)), destination=destination, path=PATH)


def about_state(lines):
    """Without what it says of the host's devices, which the sandbox hides from it only in part."""
    return [line for line in lines if str(STATE) in line]


def make_wrong(name="system.data"):
    path = STATE / name
    path.write_text("wrong")
    path.chmod(0o644)
    return path


def state_of(path):
    status = path.lstat()
    return status.st_uid, status.st_gid, status.st_mode & 0o7777


def test_the_service_has_access_repaired(sandbox, service):
    path = make_wrong()
    shutil.chown(STATE, "root", "root")
    expected = [
        "chown tss:tss /var/lib/tpm/system.data (was root:root 0644)",
        "chmod 0600 /var/lib/tpm/system.data (was 0644)",
        "chown tss:tss /var/lib/tpm (was root:root 0700)",
    ]
    before = state_of(path)
    assert about_state(call(service, dry_run=True)) == expected
    assert state_of(path) == before
    assert about_state(call(service)) == expected
    assert (path.owner(), path.group(), oct(path.stat().st_mode & 0o7777)) == ("tss", "tss", "0o600")
    assert (STATE.owner(), oct(STATE.stat().st_mode & 0o7777)) == ("tss", "0o700")
    assert about_state(call(service)) == []
    for line in expected:
        assert sandbox.log("helper").count(f"Access: {line}\n") == 1


def test_as_a_program_calls_it(sandbox):
    done = subprocess.run(
        ["setpriv", "--reuid=tpmward", "--regid=tpmward", "--clear-groups", "busctl", "call", NAME, PATH, NAME, "RepairAccess", "b", "true"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("as ")


@pytest.mark.parametrize("user", ["ward-alice", "ward-admin", "root", "tss", "polkitd"])
def test_nobody_else_may_call_it(sandbox, service, callers, user):
    path = make_wrong()
    before = state_of(path)
    other = callers(user)
    call(service, dry_run=True)
    assert refusal(other).name == DENIED
    assert refusal(other, destination=sandbox.owner(NAME)).name == DENIED
    for method, signature, args in (
        ("org.freedesktop.DBus.Peer.Ping", "", ()),
        ("org.freedesktop.DBus.Introspectable.Introspect", "", ()),
        ("org.freedesktop.DBus.Properties.GetAll", "s", (NAME,)),
    ):
        assert other.error(method, signature, *args, destination=NAME, path=PATH).name == DENIED
    assert state_of(path) == before


@pytest.mark.parametrize("user", ["ward-alice", "tpmward"])
def test_nobody_else_may_be_it(callers, user):
    error = callers(user).error(
        "org.freedesktop.DBus.RequestName", "su", NAME, 0, destination="org.freedesktop.DBus", path="/org/freedesktop/DBus"
    )
    assert error.name == DENIED


def test_its_start_alone_does_nothing(sandbox, alice):
    path = make_wrong()
    before = state_of(path)
    logged = len(sandbox.log("helper"))
    alice.call(
        "org.freedesktop.DBus.StartServiceByName", "su", NAME, 0, destination="org.freedesktop.DBus",
        path="/org/freedesktop/DBus",
    )  # fmt: skip
    assert sandbox.owner(NAME)
    await_end(sandbox)
    assert state_of(path) == before
    assert sandbox.log("helper")[logged:] == ""


def test_an_idle_helper_ends_and_is_started_by_a_call(sandbox, service):
    call(service, dry_run=True)
    first = sandbox.pid("helper")
    await_end(sandbox)
    call(service, dry_run=True)
    assert sandbox.pid("helper") != first


def test_it_has_only_the_capabilities_that_it_needs(sandbox, service):
    call(service, dry_run=True)
    status = Path(f"/proc/{sandbox.pid('helper')}/status").read_text()
    chown, dac_read_search, fowner, sys_ptrace = 1 << 0, 1 << 2, 1 << 3, 1 << 19
    for name in ("CapPrm", "CapEff", "CapBnd"):
        assert int(re.search(rf"{name}:\s*(\w+)", status)[1], 16) == chown | dac_read_search | fowner | sys_ptrace
    assert "NoNewPrivs:\t1" in status


def test_without_a_user_tss_it_says_so(sandbox, service):
    users = Path("/etc/passwd")
    text = users.read_text()
    try:
        users.write_text("".join(line for line in text.splitlines(True) if not line.startswith("tss:")))
        error = service.error("org.tpmward1.Helper.RepairAccess", "b", False, destination=NAME, path=PATH)
    finally:
        users.write_text(text)
    assert error.name == ERROR + "NotFound"
    assert "no user “tss”" in error.message and "systemd-sysusers" in error.message


def test_a_folder_full_of_traps(sandbox, service):
    victim = ward.ROOT / "victim"
    victim.write_text("secret")
    victim.chmod(0o600)
    (STATE / "link").symlink_to(victim)
    os.mkfifo(STATE / "pipe")
    lines = about_state(call(service))
    assert lines == ["left alone: /var/lib/tpm/link is a symbolic link", "left alone: /var/lib/tpm/pipe is a pipe"]
    assert state_of(victim) == (0, 0, 0o600)


@pytest.fixture
def lenient_bus():
    """A bus whose policy lets everybody call everything, with a helper on it: its address."""
    folder = ward.ROOT / "lenient"
    folder.mkdir()
    config = ElementTree.Element("busconfig")
    ElementTree.SubElement(config, "type").text = "system"
    ElementTree.SubElement(config, "listen").text = f"unix:path={folder}/socket"
    policy = ElementTree.SubElement(config, "policy", context="default")
    types = ("method_call", "method_return", "error", "signal")
    for rule in ({"user": "*"}, {"own": "*"}, *({f"{way}_type": kind} for way in ("send", "receive") for kind in types)):
        ElementTree.SubElement(policy, "allow", rule)
    ElementTree.ElementTree(config).write(folder / "bus.conf")
    address = f"unix:path={folder}/socket"
    environment = dict(os.environ, DBUS_SYSTEM_BUS_ADDRESS=address)
    bus = subprocess.Popen(["dbus-daemon", f"--config-file={folder}/bus.conf", "--nofork", "--nopidfile", "--nosyslog"])
    wait_until((folder / "socket").exists, why="the bus")
    helper = subprocess.Popen([PROGRAM, "--idle-exit", "60"], env=environment)
    call_bus = ["busctl", f"--address={address}", "call", "org.freedesktop.DBus", "/", "org.freedesktop.DBus"]
    has_owner = [*call_bus, "NameHasOwner", "s", NAME]
    wait_until(lambda: "true" in subprocess.run(has_owner, capture_output=True, text=True).stdout, why="the helper")
    yield address
    helper.terminate()
    assert helper.wait(10) == 0
    bus.terminate()
    bus.wait(10)
    shutil.rmtree(folder)


def test_it_looks_by_itself_at_who_calls(lenient_bus):
    path = make_wrong()
    before = state_of(path)

    def call_as(user, method, *args):
        return subprocess.run(
            ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "gdbus", "call", "--address", lenient_bus,
             "--dest", NAME, "--object-path", PATH, "--method", f"{NAME}.{method}", *args],
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    for user in ("root", "ward-alice", "tss"):
        for call_ in (["RepairAccess", "true"], ["Inspect"], ["WithdrawClear", "../tpm0"], ["DisableService", "ssh", "false"]):
            done = call_as(user, *call_)
            assert ERROR + "NotAuthorized" in done.stderr, done
    done = call_as("tpmward", "RepairAccess", "true")
    assert done.returncode == 0 and "chown tss:tss /var/lib/tpm/system.data" in done.stdout, done.stderr
    assert state_of(path) == before


def test_a_second_one_says_why_it_ends(service):
    call(service, dry_run=True)
    done = subprocess.run([PROGRAM], capture_output=True, text=True, check=False, timeout=20)
    assert done.returncode == 1
    assert NAME in done.stderr


@pytest.mark.parametrize("options", [["surplus"], ["--idle-exit", "0"], ["--idle-exit", "soon"], ["--root", "/"]])
def test_wrong_options_are_refused(options):
    done = subprocess.run([PROGRAM, *options], capture_output=True, text=True, check=False, timeout=20)
    assert done.returncode == 2
    assert options[-1].strip("-") in done.stderr or options[0].strip("-") in done.stderr


def test_version():
    done = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=False, timeout=20)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("tpmward-helper ")
