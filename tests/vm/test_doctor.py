# SPDX-License-Identifier: LGPL-2.1-or-later
"""What keeps a TPM 2.0 from working on a real machine: found, explained and repaired with one call. The tests build on each other, in
order."""

import json
import shutil
import subprocess
from pathlib import Path

import guest
import pytest
from guest import access, execute, findings, properties, refusal, repair, run, wait_until

DRIVER = Path("/sys/bus/acpi/drivers/tpm_crb")
TCSD = "tcsd.service"
ONLY_INFORMATION = {"info", "ok"}


def await_finding(name):
    """What has just come about: who asks all the time may be told for some seconds what was so before."""
    return wait_until(lambda: findings().get(name), f"the finding {name}")


def await_all_well():
    wait_until(lambda: {finding["severity"] for finding in findings().values()} <= ONLY_INFORMATION, "all to be well")


def test_new_machine_lacks_only_what_nobody_has_made_yet():
    found = findings()
    assert set(found) == {"srk-missing@tpm0", "self-test-never-run@tpm0", "not-owned@tpm0"}
    assert all(finding["title"] and finding["detail"] for finding in found.values())


def test_repairs_make_what_is_missing():
    assert refusal("Manager.Repair", "srk-missing@tpm0", "{}", user=guest.USER)[0] == "NotAuthorized"
    for finding in ("srk-missing@tpm0", "self-test-never-run@tpm0"):
        dry = repair(finding, dry_run=True)
        assert dry and finding in findings()
        assert len(repair(finding)) == len(dry)
    assert guest.handles("persistent") == [0x81000001]
    assert set(findings()) == {"not-owned@tpm0", "all-well"}


def test_finding_without_a_repair_says_what_a_person_can_do():
    name, message = refusal("Manager.Repair", "not-owned@tpm0", "{}")
    assert name == "NotSupported"
    assert "tpmward own" in message
    assert refusal("Manager.Repair", "no-such-finding", "{}")[0] == "NotFound"


@pytest.fixture(scope="module")
def tcsd(installed):
    """As after the installation of TrouSerS on a machine with a TPM 2.0."""
    run("systemctl", "enable", TCSD)
    assert execute("systemctl", "start", TCSD).returncode != 0


def test_tcsd_fails_on_a_tpm_2_as_the_wikis_tell(tcsd):
    assert guest.unit("ActiveState", "Result", of=TCSD) == ["failed", "exit-code"]
    said = guest.journal("--unit=tcsd", "--output=cat")
    assert "Inappropriate ioctl for device" in said
    assert "status=132" in said


def test_tcsd_is_found_and_explained(tcsd):
    found = await_finding("tcsd-on-tpm2")
    assert (found["severity"], found["subject"]) == ("error", TCSD)
    assert "TPM 1.2" in found["detail"] and "Inappropriate ioctl for device" in found["detail"]
    assert "disables" in found["repair"]


def test_administrator_sees_what_tcsd_has_said(tcsd):
    assert "TCS GetCapability failed with result" in findings("DiagnoseAll", user="root")["tcsd-on-tpm2"]["detail"]
    assert "with result" not in findings()["tcsd-on-tpm2"]["detail"]
    assert refusal("Manager.DiagnoseAll", user=guest.USER)[0] == "NotAuthorized"


def test_tcsd_is_disabled_with_one_call(tcsd):
    assert repair("tcsd-on-tpm2", dry_run=True) != []
    assert execute("systemctl", "is-enabled", TCSD).stdout == "enabled\n"
    assert repair("tcsd-on-tpm2") != []
    assert execute("systemctl", "is-enabled", TCSD).stdout == "disabled\n"
    assert guest.unit("ActiveState", of=TCSD) == "inactive"
    assert repair("tcsd-on-tpm2") == []


def test_what_tcsd_has_left_as_root_is_repaired_too(tcsd):
    await_finding("wrong-access")
    assert repair("wrong-access") == ["chown tss:tss /var/lib/tpm/system.data (was root:root 0600)"]
    await_all_well()


def test_wrong_access_is_found_and_repaired():
    for path in ("/dev/tpmrm0", "/var/lib/tpm"):
        shutil.chown(path, "root", "root")
    found = await_finding("wrong-access")
    assert found["severity"] == "error"
    assert "/dev/tpmrm0" in found["detail"]
    expected = ["chown tss:tss /dev/tpmrm0 (was root:root 0660)", "chown tss:tss /var/lib/tpm (was root:root 0700)"]
    assert sorted(repair("wrong-access", dry_run=True)) == expected
    assert access("/dev/tpmrm0") == "root:root 660"
    assert sorted(repair("wrong-access")) == expected
    assert [access(path) for path in ("/dev/tpmrm0", "/var/lib/tpm")] == ["tss:tss 660", "tss:tss 700"]
    await_all_well()


@pytest.fixture
def holder():
    with open("/dev/tpm0", "r+b", buffering=0) as device, subprocess.Popen(["sleep", "infinity"], stdin=device) as process:
        yield process
        process.kill()


def test_process_that_holds_the_chip_is_named(holder):
    await_finding("device-held")
    found = findings("DiagnoseAll", user="root")["device-held"]
    assert found["subject"] == "/dev/tpm0"
    assert f"sleep (process {holder.pid} of user 0) has /dev/tpm0 open" in found["detail"]
    assert str(holder.pid) not in str(findings())


def test_lockout_is_found_and_lifted():
    guest.guess_wrongly(3)
    found = await_finding("lockout-reached@tpm0")
    assert found["severity"] == "error"
    assert repair("lockout-reached@tpm0") != []
    assert properties("Lockout")["LockedOut"] is False
    assert guest.variables()["inLockout"] == 0


def test_command_examines_and_repairs():
    shutil.chown("/dev/tpmrm0", "root", "root")
    await_finding("wrong-access")
    shown = execute("tpmward", "doctor", user=guest.USER)
    assert "wrong-access" in shown.stdout
    told = json.loads(execute("tpmward", "doctor", "--json", user=guest.USER).stdout)
    assert "wrong-access" in json.dumps(told)
    assert "chown tss:tss /dev/tpmrm0" in run("tpmward", "repair", "wrong-access")
    assert access("/dev/tpmrm0") == "tss:tss 660"
    await_all_well()


def test_missing_driver_is_found_and_no_module_promised_that_would_not_help():
    """tpm_crb is built into this kernel: it was there, and has been taken off."""
    (DRIVER / "unbind").write_text("MSFT0101:00")
    wait_until(lambda: properties("Manager")["Tpms"] == [], "the TPM to be withdrawn")
    found = await_finding("no-driver")
    assert (found["severity"], found["subject"]) == ("error", "MSFT0101:00")
    assert "tpm_crb" in found["detail"]
    assert found["repair"] == ""
    name, message = refusal("Manager.Repair", "no-driver", "{}")
    assert (name, "journalctl" in message) == ("NotSupported", True)
    (DRIVER / "bind").write_text("MSFT0101:00")
    wait_until(lambda: properties("Manager")["Tpms"] == ["/org/tpmward1/tpm/tpm1"], "the TPM to be announced")
    wait_until(lambda: "no-driver" not in findings(), "the finding to be gone")


def test_the_journal_has_no_complaint():
    assert guest.complaints() == []


def test_nothing_on_the_machine_has_failed():
    assert run("systemctl", "list-units", "--failed", "--no-legend", "--plain") == ""
