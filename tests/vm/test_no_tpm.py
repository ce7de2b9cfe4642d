# SPDX-License-Identifier: LGPL-2.1-or-later
"""On a machine without a TPM: the service is there all the same, and says why there is nothing for it to serve."""

import json
import re
from pathlib import Path

import guest
from guest import execute, properties, run

NO_TPM = 3


def test_the_machine_has_no_tpm():
    assert guest.tpm_name() is None
    assert list(Path("/dev").glob("tpm*")) == []


def test_installation_does_all_that_it_can(installed):
    said = [line for line in installed.splitlines() if line.startswith("tpmward:")]
    assert [line for line in said if not re.match("tpmward: (done|installed): ", line)] == []


def test_first_call_of_a_user_starts_the_service():
    assert guest.unit("ActiveState") == "inactive"
    assert properties("Manager")["Tpms"] == []
    assert guest.unit("ActiveState") == "active"


def test_the_reason_is_told_in_words():
    reason = properties("Manager")["NoTpmReason"]
    assert reason.startswith("This is a virtual machine, and it was given no TPM. ")
    assert "swtpm" in reason


def test_command_tells_it_too():
    reason = properties("Manager")["NoTpmReason"]
    shown = execute("tpmward", user=guest.USER)
    assert shown.returncode == NO_TPM
    assert reason in re.sub(r"\s+", " ", shown.stdout + shown.stderr)
    told = json.loads(execute("tpmward", "--json", user=guest.USER).stdout)
    assert told["tpms"] == []


def test_one_systemctl_line_starts_it_too():
    guest.stop()
    run("systemctl", "start", guest.UNIT)
    assert guest.unit("ActiveState") == "active"
    guest.stop()
    assert guest.unit("Result", "ExecMainStatus") == ["success", "0"]


def test_the_journal_has_no_complaint():
    assert guest.complaints() == []


def test_nothing_on_the_machine_has_failed():
    assert run("systemctl", "list-units", "--failed", "--no-legend", "--plain") == ""
