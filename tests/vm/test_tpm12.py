# SPDX-License-Identifier: LGPL-2.1-or-later
"""On a machine with a TPM 1.2: tcsd, which is started as the user tss, as most distributions do, and fails for want of
"chown tss:tss /dev/tpm* /var/lib/tpm", as the wikis tell. The tests build on each other, in order."""

import shutil
from pathlib import Path

import guest
import pytest
from guest import access, execute, findings, repair, run, wait_until

TCSD = "tcsd.service"
PORT = 30003


@pytest.fixture(scope="module", autouse=True)
def tcsd_of_the_user_tss(installed):
    folder = Path(f"/etc/systemd/system/{TCSD}.d")
    folder.mkdir()
    (folder / "user.conf").write_text("[Service]\nType=simple\nUser=tss\nExecStart=\nExecStart=/usr/sbin/tcsd -f\n")
    run("systemctl", "daemon-reload")


def listens():
    sockets = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
    return f":{PORT:04X} " in sockets


def works():
    """Whether tcsd comes to listen for its clients."""
    execute("systemctl", "reset-failed", TCSD)
    run("systemctl", "start", TCSD)
    wait_until(lambda: listens() or guest.unit("ActiveState", of=TCSD) == "failed", "tcsd to work or to fail")
    return guest.unit("ActiveState", of=TCSD) == "active"


def test_tcsd_works_on_a_machine_that_is_set_up_right():
    assert works()
    run("systemctl", "stop", TCSD)
    # the service has looked after the access at its start
    assert guest.call("Manager.Diagnose") != []
    wait_until(lambda: guest.unit("ActiveState", of=guest.HELPER_UNIT) == "inactive", "the helper to end")


@pytest.mark.parametrize(
    ("wrong", "status", "text"),
    [("/dev/tpm0", "137", "Could not find a device to open"), ("/var/lib/tpm", "4", "Permission denied")],
)
def test_wrong_owner_is_why_tcsd_fails_and_one_call_repairs_it(wrong, status, text):
    for path in (wrong, *Path(wrong).glob("*")):
        shutil.chown(path, "root", "root")
    assert not works()
    assert guest.unit("ExecMainStatus", of=TCSD) == status
    assert text in guest.journal("--unit=tcsd", "--output=cat")

    found = findings()
    assert wrong in found["wrong-access"]["detail"]
    assert "tcsd-on-tpm2" not in found
    assert any(action.startswith(f"chown tss:tss {wrong}") for action in repair("wrong-access"))
    assert access(wrong).startswith("tss:")
    assert works()
    run("systemctl", "stop", TCSD)


def test_the_journal_has_no_complaint():
    assert guest.complaints() == []


def test_nothing_on_the_machine_has_failed():
    assert run("systemctl", "list-units", "--failed", "--no-legend", "--plain") == ""
