# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the other tests take for granted."""

import os

import pytest

import ward


def test_a_caller_is_the_user_it_says(alice):
    uid = alice.call(
        "org.freedesktop.DBus.GetConnectionUnixUser", "s", alice.name, destination="org.freedesktop.DBus",
        path="/org/freedesktop/DBus",
    )  # fmt: skip
    assert uid == alice.uid == 1500


def test_replies_and_errors(alice):
    assert len(alice.call("Tpm.GetRandom", "u", 32)) == 32
    with pytest.raises(ward.DBusError) as caught:
        alice.call("org.freedesktop.DBus.Nothing", destination="org.freedesktop.DBus", path="/org/freedesktop/DBus")
    assert caught.value.name == "org.freedesktop.DBus.Error.UnknownMethod"
    assert caught.value.message


def test_several_calls_at_once(alice):
    pending = [alice.start("Tpm.GetRandom", "u", 8) for _ in range(10)]
    assert len({call.serial for call in pending}) == 10
    assert len({call.wait() for call in pending}) == 10


def test_properties(alice):
    assert alice.get("Tpm.State") == "ready"
    assert alice.get("Manager.Tpms") == [ward.TPM0]


def test_signals(alice, root):
    seen = alice.watch_properties(ward.TPM0)
    root.call("SelfTest.Run", "s", "full")
    change = seen.wait(lambda s: s.args[0] == "org.tpmward1.SelfTest" and s.args[1].get("State") == "passed")
    assert change.member == "PropertiesChanged"


def test_descriptors_travel(alice):
    read, write = os.pipe()
    error = alice.error("org.freedesktop.DBus.Nothing", "h", 0, fds=[write], destination="org.freedesktop.DBus", path="/")
    os.close(write)
    os.close(read)
    assert error.name.startswith("org.freedesktop.DBus.Error.")


def test_a_caller_that_leaves_is_gone_from_the_bus(callers, sandbox):
    caller = callers()
    assert sandbox.owner(caller.name)
    caller.leave()
    ward.wait_until(lambda: not sandbox.owner(caller.name), why="the caller to be gone")


def test_parts_start_again(sandbox, alice):
    for part in ("polkitd", "swtpm", "daemon"):
        before = sandbox.pid(part)
        sandbox.kill(part)
        assert not sandbox.is_running(part)
        sandbox.start(part)
        assert sandbox.is_running(part)
        assert sandbox.pid(part) != before
    assert len(alice.call("Tpm.GetRandom", "u", 4)) == 4


def test_tools_read_the_same_tpm(sandbox, alice):
    fixed = sandbox.tpm2("tpm2_getcap", "properties-fixed")
    assert "TPM2_PT_MANUFACTURER" in fixed
    assert alice.get("Tpm.State") == "ready"


def test_an_active_session(alice):
    ward.activate_session(alice)
    passed, *_ = alice.call("SelfTest.Run", "s", "incremental")
    assert passed
