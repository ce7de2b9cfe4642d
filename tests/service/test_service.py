# SPDX-License-Identifier: LGPL-2.1-or-later
"""The life of the service: which TPMs it serves, when it ends, and what it says when there is none."""

import os
import signal
import subprocess
import time

import families
import pytest
import ward
from ward import ERROR, Caller, wait_until

NOWHERE = "swtpm:path=/nonexistent/tpm.sock"


@pytest.fixture
def start(sandbox):
    """start(OPTION…): the service with other options; afterwards it runs with the sandbox's own again."""
    sandbox.kill("daemon", signal.SIGTERM)
    yield lambda *options: sandbox.start("daemon", "--only", "--state-dir", str(ward.STATE), *options)
    sandbox.restart("daemon")


def run_daemon(*options):
    """Runs a second service by hand, which must end by itself."""
    program = ward.ROOT / "build/daemon/tpmward-daemon"
    return subprocess.run([program, *options], capture_output=True, text=True, check=False, timeout=20)


def test_no_tpm(start, alice):
    start("--no-discovery")
    assert alice.get("Manager.Tpms") == []
    assert "not to look" in alice.get("Manager.NoTpmReason")
    assert alice.call("org.freedesktop.DBus.ObjectManager.GetManagedObjects", path="/org/tpmward1") == {}


@pytest.mark.skipif(os.path.isdir("/sys/class/tpm/tpm0"), reason="this machine has a TPM of its own")
def test_no_tpm_is_explained(start, alice):
    """What this very machine shows: a sentence of why and one of what to do."""
    start()
    assert alice.get("Manager.Tpms") == []
    reason = alice.get("Manager.NoTpmReason")
    assert len(reason) > 40
    assert reason.endswith(".")


def test_named_tpms(start, alice):
    start("--no-discovery", "--tpm", f"tpm0={families.TRANSPORT}", "--tpm", f"spare={NOWHERE}")
    paths = ["/org/tpmward1/tpm/spare", ward.TPM0]
    assert alice.get("Manager.Tpms") == paths
    objects = alice.call("org.freedesktop.DBus.ObjectManager.GetManagedObjects", path="/org/tpmward1")
    assert sorted(objects) == paths
    spare = objects["/org/tpmward1/tpm/spare"]["org.tpmward1.Tpm"]
    assert (spare["Name"], spare["State"], spare["Transport"]) == ("spare", "unreachable", NOWHERE)
    assert NOWHERE in spare["StateDetail"]
    # one TPM that is away keeps nobody from the other
    assert alice.error("SelfTest.GetResult", path=paths[0]).name == ERROR + "Unreachable"
    assert alice.call("SelfTest.GetResult", path=paths[1])[0] is True


def test_configured_tpm(start, alice):
    config = ward.ROOT / "test.conf"
    config.write_text(f"[Service]\nDiscover=false\n[TPM main]\nTransport={families.TRANSPORT}\n")
    start("--config", str(config))
    assert alice.get("Manager.Tpms") == ["/org/tpmward1/tpm/main"]
    assert alice.call("SelfTest.GetResult", path="/org/tpmward1/tpm/main")[0] is True


@pytest.mark.parametrize(
    "options, word",
    [
        (["--tpm", "tpm0"], "tpm0"),
        (["--tpm", "a-b=swtpm"], "a-b"),
        (["--tpm", "x=swtpm", "--tpm", "x=mssim"], "x"),
        (["surplus"], "surplus"),
        (["--idle-exit", "-1"], "idle-exit"),
        (["--idle-exit", "soon"], "soon"),
        (["--frobnicate"], "frobnicate"),
    ],
)
def test_wrong_options_are_refused(options, word):
    done = run_daemon(*options)
    assert done.returncode in (1, 2)
    assert word in done.stderr
    assert done.stdout == ""


def test_wrong_configuration_is_refused():
    config = ward.ROOT / "wrong.conf"
    config.write_text("[Service]\nDiscovery=true\n")
    done = run_daemon("--config", str(config))
    assert done.returncode == 1
    assert "Discovery" in done.stderr and str(config) in done.stderr


def test_version():
    done = run_daemon("--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("tpmward-daemon ")


def test_second_service_says_why_it_ends():
    """Also root may not own the name: the bus policy is for the service's user."""
    done = run_daemon("--no-discovery")
    assert done.returncode == 1
    assert "org.tpmward1" in done.stderr


def test_runs_without_privileges(sandbox):
    with open(f"/proc/{sandbox.pid('daemon')}/status") as status:
        fields = dict(line.rstrip("\n").split(":\t", 1) for line in status if ":\t" in line)
    assert "0" not in fields["Uid"].split()
    assert {fields[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
    assert fields["NoNewPrivs"] == "1"


def idle_options():
    return ["--no-discovery", "--tpm", f"tpm0={families.TRANSPORT}", "--idle-exit", "1"]


def await_end(sandbox):
    wait_until(lambda: not sandbox.is_running("daemon"), timeout=5, why="the idle service to end")


def test_idle_service_ends_and_is_started_by_a_call(start, sandbox):
    start(*idle_options())
    sandbox.root.leave()
    try:
        await_end(sandbox)
    finally:
        sandbox.root = Caller("root")
    pid = sandbox.pid("daemon")
    assert sandbox.root.call("SelfTest.GetResult")[0] is True
    assert sandbox.pid("daemon") != pid
    assert "-WARNING" not in sandbox.log().rpartition("Idle for")[2]


def test_who_only_watches_keeps_the_service(start, sandbox, callers):
    """A status panel reads properties and waits for signals: it never calls a method."""
    start(*idle_options())
    watcher = callers("ward-alice")
    watcher.get("Tpm.State")
    pid = sandbox.pid("daemon")
    seen = watcher.watch_properties(ward.TPM0)
    with pytest.raises(AssertionError):
        wait_until(lambda: not sandbox.is_running("daemon"), timeout=2.5)
    assert sandbox.pid("daemon") == pid
    assert seen.all() == []


def test_waiting_call_keeps_the_service(start, sandbox, alice):
    start(*idle_options())
    os.kill(sandbox.pid(families.LINK), signal.SIGSTOP)
    waiting = alice.start("SelfTest.GetResult")
    with pytest.raises(AssertionError):
        wait_until(lambda: not sandbox.is_running("daemon"), timeout=2)
    os.kill(sandbox.pid(families.LINK), signal.SIGCONT)
    assert waiting.wait()[0] is True


def test_no_call_is_lost_to_the_idle_end(start, sandbox):
    """Calls that come just when the service gives its name back are answered, by it or by the next one."""
    start(*idle_options())
    sandbox.root.leave()
    for delay in (0.9, 0.95, 0.98, 0.99, 1.0, 1.0, 1.01, 1.02, 1.05):
        with Caller("ward-bob") as caller:
            assert caller.call("SelfTest.GetResult")[0] is True
        left = time.monotonic()
        wait_until(lambda: time.monotonic() - left > delay, timeout=3, why="the moment")  # noqa: B023
    sandbox.root = Caller("root")


def test_terminated_service_answers_what_has_arrived(start, sandbox, alice):
    start(*idle_options())
    os.kill(sandbox.pid(families.LINK), signal.SIGSTOP)
    waiting = alice.start("SelfTest.GetResult")
    alice.get("Tpm.State")
    os.kill(sandbox.pid("daemon"), signal.SIGTERM)
    wait_until(lambda: not sandbox.owner("org.tpmward1"), why="the name to be given back")
    os.kill(sandbox.pid(families.LINK), signal.SIGCONT)
    assert waiting.wait()[0] is True
    await_end(sandbox)


def test_terminated_service_answers_who_waits_for_polkit(sandbox, alice):
    """As when a password dialog is open: the call is not left to the bus to end."""
    os.kill(sandbox.pid("polkitd"), signal.SIGSTOP)
    waiting = alice.start("Tpm.GetRandom", "u", 8)
    alice.get("Tpm.State")
    sandbox.kill("daemon", signal.SIGTERM)
    os.kill(sandbox.pid("polkitd"), signal.SIGCONT)
    error = waiting.error()
    assert error.name == ERROR + "Cancelled"
    assert "service is ending" in error.message


def test_start_is_swift_and_complete(start, alice):
    """Who starts the service by a call finds a TPM that is known, not one that is about to be."""
    start("--no-discovery", "--tpm", f"tpm0={families.TRANSPORT}")
    assert alice.get("Tpm.State") == "ready"
    assert alice.get("Tpm.Manufacturer") == "IBM"
