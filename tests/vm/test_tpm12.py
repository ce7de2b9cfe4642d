# SPDX-License-Identifier: LGPL-2.1-or-later
"""On a machine with a TPM 1.2: tcsd, as Debian ships it, and started as the user tss, as most distributions do, where it fails for want of
"chown tss:tss /dev/tpm* /var/lib/tpm", as the wikis tell. The tests build on each other, in order."""

import shutil
import socket
from pathlib import Path

import guest
import pytest
from guest import access, call, execute, findings, properties, repair, run, wait_until

TCSD = "tcsd.service"
PORT = 30003
LISTEN = "0A"  # of the kernel's states of a socket
CONFIG = Path("/etc/tcsd.conf")


def listens():
    """Not that a connection to it has been there until just now."""
    sockets = (line.split() for table in ("tcp", "tcp6") for line in Path("/proc/net", table).read_text().splitlines())
    return any(fields[1].endswith(f":{PORT:04X}") and fields[3] == LISTEN for fields in sockets)


def state():
    return guest.unit("ActiveState", of=TCSD)


def works():
    """Whether tcsd comes to listen for its clients when it is started."""
    run("systemctl", "stop", TCSD)
    execute("systemctl", "reset-failed", TCSD)
    execute("systemctl", "start", TCSD)
    wait_until(lambda: listens() or state() == "failed", "tcsd to work or to fail")
    return state() == "active"


def assert_used():
    assert state() == "active"
    wait_until(lambda: properties("Tpm")["State"] == "ready", "the TPM to be reached")
    assert len(call("Tpm.GetRandom", "u", 8)) == 8


def assert_repaired_with_one_call(*words, actions):
    # who asks all the time may be told for some seconds what was so before
    def found():
        finding = findings().get("tcsd-failed", {"detail": ""})
        return finding if all(word in finding["detail"] for word in words) else None

    finding = wait_until(found, "the finding to say why")
    assert (finding["severity"], finding["subject"]) == ("error", TCSD)
    assert repair("tcsd-failed", dry_run=True) == [*actions, "start tcsd.service"]
    assert state() == "failed"
    assert repair("tcsd-failed") == [*actions, "start tcsd.service"]
    assert_used()
    wait_until(lambda: "tcsd-failed" not in findings(), "the finding to be gone")


def test_debians_tcsd_is_started_when_the_tpm_is_asked_for():
    assert state() == "inactive"
    wait_until(lambda: properties("Tpm")["State"] == "ready", "the TPM to be reached")
    assert_used()


def test_and_stopped_with_the_service_which_has_started_it():
    with socket.create_connection(("127.0.0.1", PORT)):
        guest.stop()
        assert state() == "active"  # as another program uses it
    run("systemctl", "stop", TCSD)
    wait_until(lambda: properties("Tpm")["State"] == "ready", "tcsd to be started again")
    guest.stop()
    assert state() == "inactive"
    run("systemctl", "start", TCSD)
    assert_used()
    guest.stop()
    assert state() == "active"  # as somebody else has started it


def test_debians_tcsd_and_a_configuration_that_anybody_may_read():
    findings()  # the service runs from here on
    CONFIG.chmod(0o644)
    assert not works()
    # it ends at once, often before journald can see of which unit it is
    assert "must be mode 0640" in guest.journal("--identifier=TCSD", "--output=cat")
    assert_repaired_with_one_call("configuration", actions=["chmod 0640 /etc/tcsd.conf (was 0644)"])


@pytest.fixture(scope="module")
def tcsd_of_the_user_tss(installed):
    folder = Path(f"/etc/systemd/system/{TCSD}.d")
    if not folder.exists():
        folder.mkdir()
        (folder / "user.conf").write_text("[Service]\nType=simple\nUser=tss\nExecStart=\nExecStart=/usr/sbin/tcsd -f\n")
        run("systemctl", "daemon-reload")


def test_tcsd_of_the_user_tss_works_on_a_machine_that_is_set_up_right(tcsd_of_the_user_tss):
    # Debian's has made its file as root
    execute("tpmward", "repair", "wrong-access")
    assert works()
    assert_used()


@pytest.mark.parametrize(
    ("wrong", "status", "text", "word"),
    [
        ("/dev/tpm0", "137", "Could not find a device to open", "/dev/tpm0 does not belong to tss"),
        ("/var/lib/tpm", "4", "Permission denied", "system.data in it"),
        ("/var/lib/tpm/system.data", "4", "Permission denied", "system.data in it"),
    ],
)
def test_wrong_owner_is_why_tcsd_fails_and_one_call_repairs_it(tcsd_of_the_user_tss, wrong, status, text, word):
    findings()
    mode = access(wrong).split()[1]
    shutil.chown(wrong, "root", "root")
    assert not works()
    assert guest.unit("ExecMainStatus", of=TCSD) == status
    assert text in guest.journal("--unit=tcsd", "--output=cat")

    found = wait_until(lambda: findings("DiagnoseAll", user="root").get("wrong-access"), "the finding")
    assert wrong in found["detail"]
    assert "tcsd-on-tpm2" not in findings()
    assert_repaired_with_one_call(word, actions=[f"chown tss:tss {wrong} (was root:root 0{mode})"])
    assert access(wrong).startswith("tss:")


def test_device_that_another_holds_is_told_apart(tcsd_of_the_user_tss):
    run("systemctl", "stop", TCSD)
    with open("/dev/tpm0", "r+b", buffering=0):
        assert not works()
        found = wait_until(lambda: findings("DiagnoseAll", user="root").get("tcsd-failed"), "the finding")
        assert "held by python3" in found["detail"] and found["repair"] == ""
    assert_repaired_with_one_call("all right by now", actions=[])


def test_restart_of_the_machine_is_prepared_for():
    run("systemctl", "enable", TCSD)
    assert guest.complaints() == []


@pytest.mark.after_reboot
def test_tcsd_works_after_a_restart():
    wait_until(lambda: properties("Tpm")["State"] == "ready", "the TPM to be reached")
    assert_used()
    assert not {"tcsd-failed", "wrong-access"} & set(findings())


def test_the_journal_has_no_complaint():
    assert guest.complaints() == []


def test_nothing_on_the_machine_has_failed():
    assert run("systemctl", "list-units", "--failed", "--no-legend", "--plain") == ""
