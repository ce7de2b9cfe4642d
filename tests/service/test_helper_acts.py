# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the helper does beside the repair of access: requests to the firmware, the look at who has a TPM, drivers and services."""

import os
import pwd
import signal
import subprocess
from pathlib import Path

import pytest

import ward
from played_systemd import PlayedSystemd
from ward import ERROR, wait_until

NAME = "org.tpmward1.Helper"
PATH = "/org/tpmward1/Helper"
DENIED = "org.freedesktop.DBus.Error.AccessDenied"
CLASSES = Path("/sys/class")
ACTS = {
    "RepairAccess": ("b", True),
    "ScanDependents": ("",),
    "RequestClear": ("s", "tpm0"),
    "WithdrawClear": ("s", "tpm0"),
    "Inspect": ("",),
    "LoadDriver": ("b", True),
    "DisableService": ("sb", "tcsd", True),
    "RepairTcsdConfig": ("b", True),
    "CloseTcsd": ("b", True),
    "StartTcsd": ("",),
    "StopTcsd": ("s", ""),
}


@pytest.fixture(autouse=True)
def no_helper_left(sandbox):
    yield
    if sandbox.is_running("helper"):
        os.kill(sandbox.pid("helper"), signal.SIGTERM)
    wait_until(lambda: not sandbox.is_running("helper"), why="the helper to end")


@pytest.fixture
def service(callers):
    """Someone with the rights of the service."""
    return callers("tpmward")


@pytest.fixture
def tpm():
    """The folder of a TPM tpm0 that the machine seems to have, whose node is really /dev/null."""
    subprocess.run(["mount", "-t", "tmpfs", "none", CLASSES], check=True)
    folder = CLASSES / "tpm/tpm0"
    (folder / "ppi").mkdir(parents=True)
    status = os.stat("/dev/null")
    (folder / "dev").write_text(f"{os.major(status.st_rdev)}:{os.minor(status.st_rdev)}\n")
    (folder / "tpm_version_major").write_text("2\n")
    (folder / "ppi/tcg_operations").write_text("5 3: User required\n")
    (folder / "ppi/request").write_text("0\n")
    yield folder
    subprocess.run(["umount", CLASSES], check=True)


@pytest.fixture
def node():
    """A device node that is called like a TPM's."""
    path = ward.ROOT / "tpm0"
    path.touch()
    subprocess.run(["mount", "--bind", "/dev/null", path], check=True)
    yield path
    subprocess.run(["umount", path], check=True)
    path.unlink()


RUNS = {"ActiveState": "active", "UnitFileState": "enabled"}


def start(caller, act, *args):
    return caller.start(f"{NAME}.{act}", *(args or ACTS[act]), destination=NAME, path=PATH)


@pytest.mark.parametrize("user", ["root", "ward-alice", "ward-bob"])
@pytest.mark.parametrize("act", ACTS)
def test_nobody_but_the_service_may_call(callers, user, act):
    assert start(callers(user), act).error().name == DENIED


@pytest.mark.parametrize("act", ["RequestClear", "WithdrawClear"])
@pytest.mark.parametrize("name", ["", "tpm", "../tpm0", "tpm0/ppi", "tpm0/../tpm0", "tpmrm0", "tpm" + "1" * 300])
def test_what_is_no_name_of_a_tpm_is_refused(service, tpm, act, name):
    assert start(service, act, "s", name).error().name == ERROR + "InvalidArgument"


@pytest.mark.parametrize("act", ["RequestClear", "WithdrawClear"])
def test_a_tpm_that_is_not_there(service, tpm, act):
    assert start(service, act, "s", "tpm9").error().name == ERROR + "NotFound"


def test_firmware_that_takes_no_request(service, tpm):
    (tpm / "ppi/tcg_operations").write_text("")
    error = start(service, "RequestClear").error()
    assert error.name == ERROR + "NotSupported"
    assert "firmware's setup" in error.message


def test_only_a_file_of_the_kernels_is_written(service, tpm):
    """All seems right, but it does not lie in sysfs."""
    assert start(service, "RequestClear").error().name == ERROR + "Failed"
    assert (tpm / "ppi/request").read_text() == "0\n"
    (tpm / "ppi/request").write_text("5\n")
    assert start(service, "WithdrawClear").error().name == ERROR + "Failed"
    assert (tpm / "ppi/request").read_text() == "5\n"


def test_no_request_waits(service, tpm):
    assert start(service, "WithdrawClear").error().name == ERROR + "NotFound"


def test_who_has_a_tpm_open_is_named(service, tpm, node):
    entry = pwd.getpwnam("ward-alice")
    holder = subprocess.Popen(
        ["sleep", "60"], stdin=node.open(), stdout=node.open("w"), user=entry.pw_uid, group=entry.pw_gid, extra_groups=[]
    )
    try:
        wait_until(lambda: Path(f"/proc/{holder.pid}/comm").read_text() == "sleep\n", why="the holder")
        holders, journal = start(service, "Inspect").wait()
        mine = [found for found in holders if found["pid"] == holder.pid]
        assert mine == [{"device": "/dev/tpm0", "pid": holder.pid, "uid": entry.pw_uid, "command": "sleep"}]
        assert isinstance(journal, list)
    finally:
        holder.kill()
        holder.wait()
    assert [found for found in start(service, "Inspect").wait()[0] if found["pid"] == holder.pid] == []


def test_who_has_another_device_open_is_not(service, tpm):
    with open("/dev/null"):
        assert start(service, "Inspect").wait()[0] == []


def test_no_driver_is_missing_where_there_is_a_tpm(service, tpm):
    assert start(service, "LoadDriver", "b", False).wait() == []


@pytest.mark.parametrize("dry_run", [True, False])
def test_without_systemd_no_service_can_be_disabled(service, tpm, dry_run):
    error = start(service, "DisableService", "sb", "tcsd", dry_run).error()
    assert error.name == ERROR + "NotSupported"
    assert "systemd" in error.message


@pytest.mark.parametrize("name", ["", "ssh", "tcsd.service", "../tcsd", "x" * 1000])
def test_other_services_cannot_be_disabled(service, tpm, name):
    with PlayedSystemd(tcsd=RUNS) as systemd:
        assert start(service, "DisableService", "sb", name, False).error().name == ERROR + "InvalidArgument"
        assert systemd.seen == [["ready"]]


def test_tcsd_is_stopped_then_disabled(sandbox, service, tpm):
    with PlayedSystemd(tcsd=RUNS, waits=True) as systemd:
        call = start(service, "DisableService", "sb", "tcsd", False)
        systemd.wait_for("StopUnit")
        start(service, "RepairAccess").wait()  # which waits for nothing of this
        assert not call.is_done()
        systemd.end_job()
        assert call.wait() == ["stop tcsd.service (was active)", "disable tcsd.service (was enabled)"]
        expected = [["StopUnit", "tcsd.service", "replace"], ["DisableUnitFiles", ["tcsd.service"], False], ["Reload"]]
        assert systemd.changes() == expected
    assert sandbox.log("helper").count("Services: stop tcsd.service (was active)\n") == 1


def test_a_dry_run_changes_nothing(service, tpm):
    with PlayedSystemd(tcsd={"ActiveState": "failed", "UnitFileState": "enabled"}) as systemd:
        assert "disable tcsd.service (was enabled)" in start(service, "DisableService", "sb", "tcsd", True).wait()
        assert systemd.changes() == []


def test_what_does_not_stop_is_told(service, tpm):
    with PlayedSystemd(tcsd=RUNS, job="timeout", waits=True) as systemd:
        call = start(service, "DisableService", "sb", "tcsd", False)
        systemd.wait_for("StopUnit")
        systemd.end_job()
        error = call.error()
        assert error.name == ERROR + "Failed"
        assert "stop tcsd.service" in error.message and "timeout" in error.message
        assert systemd.changes() == [["StopUnit", "tcsd.service", "replace"]]


def test_tcsd_is_left_to_a_tpm_12(service, tpm):
    (tpm / "tpm_version_major").write_text("1\n")
    with PlayedSystemd(tcsd=RUNS) as systemd:
        assert start(service, "DisableService", "sb", "tcsd", False).error().name == ERROR + "WouldBreak"
        assert systemd.seen == [["ready"]]


def test_tcsd_is_not_started_for_a_tpm_2(service, tpm):
    with PlayedSystemd(tcsd={}) as systemd:
        assert start(service, "StartTcsd").error().name == ERROR + "WouldBreak"
        assert systemd.seen == [["ready"]]


@pytest.mark.parametrize(("unit", "error"), [(None, "NotFound"), ({"LoadState": "masked"}, "NotSupported")], ids=["none", "masked"])
def test_no_tcsd_to_start(service, unit, error):
    with PlayedSystemd(tcsd=unit) as systemd:
        assert start(service, "StartTcsd").error().name == ERROR + error
        assert systemd.changes() == []


def test_tcsd_that_has_failed_is_started(service):
    with PlayedSystemd(tcsd={"ActiveState": "failed"}) as systemd:
        assert len(start(service, "StartTcsd").wait()) == 32
        assert systemd.changes() == [["ResetFailedUnit", "tcsd.service"], ["StartUnit", "tcsd.service", "replace"]]
        assert start(service, "StartTcsd").wait() == ""  # as it runs


def test_only_the_start_of_ones_own_is_stopped(service):
    with PlayedSystemd(tcsd={}) as systemd:
        mine = start(service, "StartTcsd").wait()
        for other in ("", "0" * 32, mine[:-1], mine + "0"):
            start(service, "StopTcsd", "s", other).wait()
        assert "StopUnit" not in str(systemd.changes())
        start(service, "StopTcsd", "s", mine).wait()
        start(service, "StopTcsd", "s", mine).wait()
        assert str(systemd.changes()).count("StopUnit") == 1
