# SPDX-License-Identifier: LGPL-2.1-or-later
"""Wrong owners and modes of what leads to the TPM: found and repaired when the service starts, by its helper, and still right after a
restart of the machine. The tests build on each other, in order."""

import os
import re
import shutil
from pathlib import Path

import guest
import pytest
from guest import access, call, execute, properties, run, wait_until

HELPER = "org.tpmward1.Helper"
STATE = Path("/var/lib/tpm")
RIGHT = {
    "/dev/tpm0": "tss:root 660",
    "/dev/tpmrm0": "tss:tss 660",
    "/var/lib/tpm": "tss:tss 700",
    "/var/lib/tpm/system.data": "tss:tss 600",
}
MAX_HELPER_EXPOSURE = 2.5


def found():
    return {path: access(path) for path in RIGHT}


def make_wrong():
    """As root's own hand leaves them."""
    (STATE / "system.data").write_bytes(b"of tcsd")
    for path, mode in zip(RIGHT, (0o600, 0o644, 0o755, 0o644), strict=True):
        shutil.chown(path, "root", "root")
        os.chmod(path, mode)


def helper_is_active():
    return guest.unit("ActiveState", of=guest.HELPER_UNIT) != "inactive"


def test_wrong_owners_and_modes_are_repaired_when_the_service_starts():
    guest.stop()
    make_wrong()
    assert properties("Manager")["Tpms"] == ["/org/tpmward1/tpm/tpm0"]
    wait_until(lambda: found() == {**RIGHT, "/dev/tpm0": "tss:tss 660"}, "the repair")
    wait_until(lambda: properties("Tpm")["State"] == "ready", "the TPM")


def test_all_that_was_done_is_in_the_journal():
    said = guest.journal(f"_SYSTEMD_UNIT={guest.UNIT}", "--output=cat")
    done = sorted(re.findall(r"Access to the TPM: (.*)", said))
    assert done == [
        "chmod 0600 /var/lib/tpm/system.data (was 0644)",
        "chmod 0660 /dev/tpm0 (was 0600)",
        "chmod 0660 /dev/tpmrm0 (was 0644)",
        "chmod 0700 /var/lib/tpm (was 0755)",
        "chown tss:tss /dev/tpm0 (was root:root 0600)",
        "chown tss:tss /dev/tpmrm0 (was root:root 0644)",
        "chown tss:tss /var/lib/tpm (was root:root 0755)",
        "chown tss:tss /var/lib/tpm/system.data (was root:root 0644)",
    ]


def test_the_helper_is_confined():
    assert guest.exposure(guest.HELPER_UNIT) <= MAX_HELPER_EXPOSURE


@pytest.mark.parametrize("user", ["root", guest.USER, "tss"])
def test_the_helper_answers_nobody_else(user):
    before = found()
    for method, *args in (("RepairAccess", "b", "false"), ("ScanDependents",)):
        done = execute("busctl", "--system", "call", HELPER, "/org/tpmward1/Helper", HELPER, method, *args, user=user)
        assert done.returncode != 0
        assert "Access denied" in done.stderr or "Sender is not authorized" in done.stderr
    assert found() == before


def test_the_helper_ends_by_itself():
    wait_until(lambda: not helper_is_active(), "the helper to end")
    assert guest.unit("Result", "ExecMainStatus", of=guest.HELPER_UNIT) == ["success", "0"]
    assert guest.pid() != 0


def test_what_is_right_is_left_alone():
    guest.stop()
    before = found()
    journal = guest.journal(f"_SYSTEMD_UNIT={guest.HELPER_UNIT}", "--output=cat")
    started = guest.unit("InvocationID", of=guest.HELPER_UNIT)
    assert len(call("Tpm.GetRandom", "u", 8)) == 8
    wait_until(lambda: guest.unit("InvocationID", of=guest.HELPER_UNIT) != started, "the helper to be started")
    wait_until(lambda: not helper_is_active(), "the helper to end")
    assert found() == before
    assert guest.journal(f"_SYSTEMD_UNIT={guest.HELPER_UNIT}", "--output=cat") == journal


def test_restart_of_the_machine_is_prepared_for():
    """Debian's own rule for the nodes, out of the way of the proof, and a folder that is wrong again."""
    Path("/etc/udev/rules.d/60-tpm-udev.rules").symlink_to("/dev/null")
    guest.stop()
    make_wrong()
    assert guest.complaints() == []


@pytest.mark.after_reboot
def test_after_a_restart_they_are_right_before_the_service_starts():
    assert len(Path("/run/ward-vm/boots").read_text().split()) == 2
    assert guest.unit("ActiveState") == "inactive"
    assert found() == {**RIGHT, "/var/lib/tpm/system.data": "root:root 644"}


def test_after_a_restart_the_service_repairs_what_the_start_of_a_machine_does_not():
    assert properties("Tpm")["State"] == "ready"
    wait_until(lambda: found() == RIGHT, "the repair")
    assert len(call("Tpm.GetRandom", "u", 8)) == 8


def test_the_journal_has_no_complaint():
    assert guest.complaints() == []


def test_nothing_on_the_machine_has_failed():
    assert run("systemctl", "list-units", "--failed", "--no-legend", "--plain") == ""
