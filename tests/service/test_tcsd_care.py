# SPDX-License-Identifier: LGPL-2.1-or-later
"""The service looks after tcsd, with a systemd that is played: it has it started when the TPM is asked for, stopped when nobody needs it,
and finds and repairs what keeps it from starting."""

import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import pytest

import ward
from played_systemd import PlayedSystemd
from test_doctor import diagnose, repair
from ward import ERROR, wait_until

CONFIG = Path("/etc/tcsd.conf")
STATE = Path("/var/lib/tpm")
START = ["/run/tpmward-sandbox/start-tcsd"]
START_LATE = ["sh", "-c", f"(sleep 2; exec {START[0]}) >/dev/null 2>&1 &"]
STOP = ["sh", "-c", "kill $(cat /run/tpmward-sandbox/pids/tcsd)"]


@pytest.fixture(autouse=True)
def tidy(sandbox):
    """Each test begins with a tcsd that does not run, and a service that knows."""
    text = CONFIG.read_text()
    sandbox.kill("daemon", signal.SIGTERM)
    if sandbox.is_running("tcsd"):
        sandbox.kill("tcsd")
    sandbox.start("daemon")
    yield
    CONFIG.write_text(text)
    shutil.chown(CONFIG, "root", "tss")
    CONFIG.chmod(0o640)
    for path in (STATE, *STATE.iterdir()):
        shutil.chown(path, "tss", "tss")
    sandbox.start("tcsd")


def systemd(**tcsd):
    return PlayedSystemd(tcsd=tcsd, commands=[START, STOP])


def await_unreachable(someone):
    wait_until(lambda: someone.get("Tpm.State") == "unreachable", why="the TPM to be missed")


def starts(played):
    return [asked for asked in played.changes() if asked[0] == "StartUnit"]


def test_it_is_started_once_for_all_who_ask(sandbox, alice, bob):
    with systemd() as played:
        await_unreachable(alice)
        assert alice.get("Tpm.State") == "unreachable" and starts(played) == []  # nobody has asked
        calls = [caller.start("Tpm.GetRandom", "u", 8) for caller in (alice, bob) for _ in range(4)]
        assert [len(call.wait()) for call in calls] == [8] * 8
        assert starts(played) == [["StartUnit", "tcsd.service", "replace"]]
        assert alice.get("Tpm.State") == "ready"


def test_it_is_waited_for_until_it_listens(alice, bob):
    with PlayedSystemd(tcsd={}, commands=[START_LATE, STOP]) as played:
        await_unreachable(alice)
        early = alice.start("Tpm.GetRandom", "u", 8)
        played.wait_for("Unsubscribe")  # the helper has started it
        assert len(bob.call("Tpm.GetRandom", "u", 8)) == 8
        assert len(early.wait()) == 8
        assert len(starts(played)) == 1


def test_repair_waits_until_it_listens(alice, root):
    with PlayedSystemd(tcsd={"ActiveState": "failed"}, commands=[START_LATE, STOP]):
        wait_until(lambda: diagnose(alice).get("tcsd-failed"), why="the finding")
        assert repair(root, "tcsd-failed") == ["start tcsd.service"]
        assert alice.get("Tpm.State") == "ready"


def test_one_that_dies_is_not_waited_for(alice):
    with PlayedSystemd(tcsd={}, commands=[["true"], STOP], dies=True) as played:
        await_unreachable(alice)
        assert alice.error("Tpm.GetRandom", "u", 8).name == ERROR + "Unreachable"
        assert len(starts(played)) == 1
        asked = [name for name, *_ in played.seen]
        assert asked[asked.index("Unsubscribe") + 1 :] == ["LoadUnit"]  # of the service, which looks no further


def test_it_is_stopped_when_nobody_needs_it(sandbox, callers):
    sandbox.kill("daemon", signal.SIGTERM)
    sandbox.start("daemon", "--idle-exit", "1")
    alice = callers("ward-alice")
    with systemd() as played:
        await_unreachable(alice)
        assert len(alice.call("Tpm.GetRandom", "u", 8)) == 8
        with socket.create_connection(("127.0.0.1", int(os.environ["TSS_TCSD_PORT"]))):
            # another program uses it
            alice.leave()
            with pytest.raises(AssertionError):
                wait_until(lambda: not sandbox.is_running("daemon"), timeout=2)
            assert sandbox.is_running("tcsd")
        wait_until(lambda: not sandbox.is_running("daemon"), why="the service to end")
        assert not sandbox.is_running("tcsd")
        assert played.changes()[-1] == ["StopUnit", "tcsd.service", "replace"]


def test_it_is_stopped_with_the_service(sandbox, alice):
    with systemd():
        await_unreachable(alice)
        alice.call("Tpm.GetRandom", "u", 8)
        sandbox.kill("daemon", signal.SIGTERM)
        assert not sandbox.is_running("tcsd")


def test_start_that_comes_too_late_is_undone(sandbox, alice):
    with PlayedSystemd(tcsd={}, commands=[START, STOP], waits=True) as played:
        await_unreachable(alice)
        alice.start("Tpm.GetRandom", "u", 8)
        played.wait_for("StartUnit")
        os.kill(sandbox.pid("daemon"), signal.SIGTERM)
        wait_until(lambda: not sandbox.owner("org.tpmward1"), why="the service to give its name back")
        played.end_job()
        played.wait_for("StopUnit")
        played.end_job()
        wait_until(lambda: not sandbox.is_running("daemon"), why="the service to end")
        assert not sandbox.is_running("tcsd")


@pytest.mark.parametrize("when", ["before", "since"])
def test_what_others_have_started_is_not_stopped(sandbox, alice, root, when):
    with systemd() as played:
        await_unreachable(alice)
        if when == "since":
            alice.call("Tpm.GetRandom", "u", 8)
        for job in ("StopUnit", "StartUnit"):
            root.call(
                f"org.freedesktop.systemd1.Manager.{job}", "ss", "tcsd.service", "replace",
                destination="org.freedesktop.systemd1", path="/org/freedesktop/systemd1",
            )  # fmt: skip
            wait_until(lambda job=job: sandbox.is_running("tcsd") == (job == "StartUnit"), why=job)
        stops = str(played.changes()).count("StopUnit")
        wait_until(lambda: alice.get("Tpm.State") == "ready", why="the TPM to be used")
        sandbox.kill("daemon", signal.SIGTERM)
        assert sandbox.is_running("tcsd")
        assert str(played.changes()).count("StopUnit") == stops


def test_it_cannot_be_started(alice):
    with PlayedSystemd(tcsd={}, commands=[["false"], STOP]) as played:
        await_unreachable(alice)
        error = alice.error("Tpm.GetRandom", "u", 8)
        assert error.name == ERROR + "Unreachable"
        assert "could not be started" in error.message and "tpmward doctor" in error.message
        # not for every call
        for _ in range(10):
            assert alice.error("Tpm.GetRandom", "u", 8).name == ERROR + "Unreachable"
        assert len(starts(played)) == 1
        assert "tcsd-failed" in diagnose(alice)


def test_it_is_not_installed(alice):
    with PlayedSystemd():
        await_unreachable(alice)
        assert "trousers" in alice.error("Tpm.GetRandom", "u", 8).message
        finding = wait_until(lambda: diagnose(alice).get("tcsd-missing"), why="the finding")
        assert finding["severity"] == "error" and not finding["repair"]


def test_configuration_that_it_does_not_start_with(sandbox, alice, root):
    CONFIG.write_text(CONFIG.read_text() + "num_threads = none\n")
    shutil.chown(CONFIG, "tss", "tss")
    CONFIG.chmod(0o600)
    assert subprocess.run(START, capture_output=True, check=False).returncode != 0
    found = wait_until(lambda: diagnose(alice).get("tcsd-config"), why="the finding")
    assert (found["severity"], found["subject"]) == ("error", str(CONFIG))
    expected = [
        "chown root:tss /etc/tcsd.conf (was tss:tss 0600)",
        "chmod 0640 /etc/tcsd.conf (was 0600)",
        "comment out line 2 of /etc/tcsd.conf: num_threads = none",
    ]
    assert repair(root, "tcsd-config", dry_run=True) == expected
    assert CONFIG.owner() == "tss"
    assert repair(root, "tcsd-config") == expected
    assert (CONFIG.owner(), CONFIG.group(), CONFIG.stat().st_mode & 0o7777) == ("root", "tss", 0o640)
    sandbox.start("tcsd")
    assert "tcsd-config" not in diagnose(alice)


def listens():
    port = f":{int(os.environ['TSS_TCSD_PORT']):04X}"
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [line[1].removesuffix(port) for line in lines if line[1].endswith(port) and line[3] == "0A"]


def test_it_listens_to_the_world(alice, root):
    CONFIG.write_text(CONFIG.read_text() + "remote_ops = seal,unseal\n")
    with PlayedSystemd(tcsd={}, commands=[["sh", "-c", f"{' '.join(STOP[2:])} 2>/dev/null; {START[0]}"], STOP]) as played:
        await_unreachable(alice)
        alice.call("Tpm.GetRandom", "u", 8)
        assert listens() == ["00000000"]
        finding = diagnose(alice)["tcsd-exposed"]
        assert finding["severity"] == "warning" and "network" in finding["title"]
        expected = ["comment out line 2 of /etc/tcsd.conf: remote_ops = seal,unseal"]
        assert repair(root, "tcsd-exposed", dry_run=True) == expected
        assert repair(root, "tcsd-exposed") == expected
        assert played.changes()[-1] == ["RestartUnit", "tcsd.service", "replace"]
        assert listens() == ["0100007F"]
        assert "tcsd-exposed" not in diagnose(alice)


def test_failure_is_explained_and_repaired_with_one_call(sandbox, alice, root):
    sandbox.start("tcsd")  # makes its file
    sandbox.kill("tcsd")
    for path in (STATE / "system.data", STATE):
        shutil.chown(path, "root", "root")
    CONFIG.chmod(0o644)
    with systemd() as played:
        await_unreachable(alice)
        assert alice.error("Tpm.GetRandom", "u", 8).name == ERROR + "Unreachable"
        found = wait_until(lambda: diagnose(alice).get("tcsd-failed"), why="the finding")
        assert (found["severity"], found["subject"]) == ("error", "tcsd.service")
        assert "system.data" in found["detail"] and "configuration" in found["detail"]
        expected = [
            "chown tss:tss /var/lib/tpm/system.data (was root:root 0600)",
            "chown tss:tss /var/lib/tpm (was root:root 0700)",
            "chmod 0640 /etc/tcsd.conf (was 0644)",
            "start tcsd.service",
        ]
        tried = len(starts(played))
        assert repair(root, "tcsd-failed", dry_run=True) == expected
        assert len(starts(played)) == tried
        assert repair(root, "tcsd-failed") == expected
        assert alice.get("Tpm.State") == "ready"
        assert "tcsd-failed" not in diagnose(alice)
        # a person has wanted it to run: it is not stopped
        sandbox.kill("daemon", signal.SIGTERM)
        assert sandbox.is_running("tcsd")


def test_repair_that_does_not_help_says_so(alice, root):
    with PlayedSystemd(tcsd={"ActiveState": "failed"}, commands=[["false"], STOP]):
        wait_until(lambda: diagnose(alice).get("tcsd-failed"), why="the finding")
        error = root.error("Manager.Repair", "sa{sv}", "tcsd-failed", {})
        assert error.name == ERROR + "Failed"
        assert "“failed”" in error.message
