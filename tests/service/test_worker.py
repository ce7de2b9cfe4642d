# SPDX-License-Identifier: LGPL-2.1-or-later
"""The TPM's worker: fairness, withdrawal, a TPM that goes and comes, a service that is killed."""

import os
import signal
import time
from contextlib import suppress

import pytest

import ward
from families import BANK, LINK, NO_LINK, loaded
from ward import ERROR, Caller

UNREACHABLE = ERROR + "Unreachable"
CANCELLED = ERROR + "Cancelled"


@pytest.fixture
def held(sandbox):
    """The TPM does not end its command until held.release ()."""

    class Held:
        def __init__(self):
            # which puts off the worker's own next look at the TPM for a second
            sandbox.root.call("SelfTest.GetResult")
            os.kill(sandbox.pid(LINK), signal.SIGSTOP)
            # its worker is at a command from now on
            self.first = sandbox.root.start("SelfTest.GetResult")
            ward.wait_until(lambda: in_receive(sandbox), why="the worker to wait for the TPM")

        def release(self):
            os.kill(sandbox.pid(LINK), signal.SIGCONT)
            assert self.first.wait()[0] is True

    return Held()


def in_receive(sandbox):
    """Whether the TPM's thread waits for its socket."""
    for task in os.scandir(f"/proc/{sandbox.pid('daemon')}/task"):
        with suppress(OSError):  # a thread may end at any time
            with open(f"{task.path}/comm") as comm, open(f"{task.path}/wchan") as wchan:
                if comm.read().strip() == "tpm0" and "futex" not in wchan.read():
                    return True
    return False


def test_property_reads_do_not_wait_for_the_tpm(held, alice):
    start = time.monotonic()
    assert alice.get("Tpm.State") == "ready"
    assert alice.call("org.freedesktop.DBus.ObjectManager.GetManagedObjects", path="/org/tpmward1")
    assert time.monotonic() - start < 5
    held.release()


def test_users_take_turns(held, alice, bob):
    """alice's many connections and calls come first, and bob's call is served after one of them."""
    others = [Caller("ward-alice") for _ in range(3)]
    # each takes the chip a while, so that some are left when bob has his answer
    many = [caller.start("Tpm.Refresh") for caller in [alice, *others] for _ in range(15)]
    ward.wait_until(lambda: alice.get("Tpm.State"), why="alice's calls to be taken in")
    late = bob.start("SelfTest.GetResult")
    bob.get("Tpm.State")
    held.release()
    late.wait()
    still_waiting = sum(not call.is_done() for call in many)
    for call in many:
        call.wait()
    for caller in others:
        caller.leave()
    assert still_waiting > 0


def test_waiting_call_is_withdrawn(held, alice):
    waiting = alice.start("Pcrs.Read", "sau", BANK, [])
    assert alice.call("Manager.Cancel", "u", waiting.serial) is None
    error = waiting.error()
    assert error.name == CANCELLED
    assert alice.error("Manager.Cancel", "u", waiting.serial).name == ERROR + "NotFound"
    held.release()


def test_call_that_the_tpm_is_at_is_not_withdrawn(sandbox, held):
    assert sandbox.root.error("Manager.Cancel", "u", held.first.serial).name == ERROR + "NotFound"
    held.release()


def test_nobody_withdraws_anothers_call(held, alice, callers):
    waiting = alice.start("Pcrs.Read", "sau", BANK, [])
    twin = callers("ward-alice")
    assert twin.error("Manager.Cancel", "u", waiting.serial).name == ERROR + "NotFound"
    held.release()
    assert len(waiting.wait()) == 24


def test_call_that_waits_for_polkit_is_withdrawn(sandbox, alice):
    os.kill(sandbox.pid("polkitd"), signal.SIGSTOP)
    waiting = alice.start("Tpm.GetRandom", "u", 8)
    assert alice.call("Manager.Cancel", "u", waiting.serial) is None
    assert waiting.error().name == CANCELLED


def test_calls_of_who_leaves_are_dropped(held, alice):
    """64 calls wait; when their caller leaves, the same user has room for 64 others."""
    leaver = Caller("ward-alice")
    for _ in range(64):
        leaver.start("Pcrs.Read", "sau", BANK, [])
    assert leaver.error("SelfTest.GetResult").name == ERROR + "Busy"  # they have all arrived
    assert alice.error("SelfTest.GetResult").name == ERROR + "Busy"
    leaver.leave()

    def has_room():
        call = alice.start("SelfTest.GetResult")
        alice.get("Tpm.State")
        return None if call.is_done() else call

    waiting = ward.wait_until(has_room, why="the calls to be dropped")
    held.release()
    assert waiting.wait()[0] is True


def test_loss_and_return_of_the_tpm(sandbox, alice):
    seen = alice.watch_properties(ward.TPM0)
    pid = sandbox.pid("daemon")
    sandbox.kill(LINK)
    start = time.monotonic()
    error = alice.error("Pcrs.Read", "sau", BANK, [])
    assert error.name == UNREACHABLE
    assert time.monotonic() - start < 5
    assert NO_LINK in error.message
    seen.wait(lambda signal: signal.args[1].get("State") == "unreachable")

    sandbox.start(LINK)
    assert len(alice.call("Pcrs.Read", "sau", BANK, [])) == 24
    assert alice.get("Tpm.State") == "ready"
    assert sandbox.pid("daemon") == pid


def test_loss_is_noticed_without_a_call(sandbox, alice):
    seen = alice.watch_properties(ward.TPM0)
    sandbox.kill(LINK)
    seen.wait(lambda signal: signal.args[1].get("State") == "unreachable")
    sandbox.start(LINK)
    seen.wait(lambda signal: signal.args[1].get("State") == "ready")


def test_loss_in_the_middle_of_a_command(sandbox, held, alice):
    waiting = alice.start("Pcrs.Read", "sau", BANK, [])
    alice.get("Tpm.State")
    sandbox.kill(LINK)
    assert held.first.error().name == UNREACHABLE
    assert waiting.error().name == UNREACHABLE


def test_first_call_after_the_return_works(sandbox, alice):
    """A TPM that was restarted within a second, so that nobody noticed."""
    alice.call("SelfTest.GetResult")
    sandbox.restart(LINK)
    assert alice.call("SelfTest.GetResult")[0] is True


def test_self_test_that_is_cut_off(sandbox, root, alice):
    root.call("SelfTest.Run", "s", "full")
    last_run = alice.get("SelfTest.LastRun")
    os.kill(sandbox.pid(LINK), signal.SIGSTOP)
    running = root.start("SelfTest.Run", "s", "full")
    ward.wait_until(lambda: alice.get("SelfTest.State") == "running", why="the test to run")
    sandbox.kill(LINK)
    assert running.error().name == UNREACHABLE
    assert (alice.get("SelfTest.State"), alice.get("SelfTest.LastRun")) == ("passed", last_run)


def test_killed_service_leaves_nothing_in_the_chip(sandbox, callers):
    before = loaded(sandbox)
    for _ in range(5):
        busy = [callers(user) for user in ("ward-alice", "ward-bob")]
        for caller in busy:
            for _ in range(20):
                caller.start("Tpm.GetRandom", "u", 4096)
                caller.start("Pcrs.Read", "sau", BANK, [])
        sandbox.kill("daemon")
        sandbox.start("daemon")
    assert loaded(sandbox) == before


def test_what_is_left_in_an_unshared_chip_is_flushed(sandbox, alice):
    """As a killed service may leave it: there is no other program that it could belong to."""
    sandbox.kill("daemon", signal.SIGTERM)
    sandbox.tpm2("tpm2_createprimary", "-Q", "-G", "ecc", "-c", str(ward.ROOT / "primary.context"))
    assert sandbox.tpm2("tpm2_getcap", "handles-transient").strip() != ""
    sandbox.start("daemon")
    assert alice.call("SelfTest.GetResult")[0] is True
    assert sandbox.tpm2("tpm2_getcap", "handles-transient").strip() == ""
