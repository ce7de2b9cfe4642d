# SPDX-License-Identifier: LGPL-2.1-or-later
"""On a machine with UEFI firmware, which takes requests to clear its TPM 2.0, and asks who sits before it. The tests build on each other,
in order."""

from pathlib import Path

import guest
import pytest
from guest import call, options, properties, refusal, run

PPI = Path("/sys/class/tpm/tpm0/ppi")
KEY = Path("/run/ward-vm/key")
LOCKOUT = "a lockout auth of many words"
SRK = 0x81000001


def request():
    """The number of the operation that the kernel says the firmware will do."""
    return int((PPI / "request").read_text().split()[0])


def ask():
    return call("Ownership.Clear", "a{sv}", *options(confirm="tpm0", physical_presence=True), user="root")


def told(*names):
    return [properties("Ownership")[name] for name in names]


def test_the_firmware_is_said_to_ask():
    assert "\n5 3: User required\n" in (PPI / "tcg_operations").read_text()
    assert told("PhysicalPresence", "ClearPending") == ["prompt", False]


def test_clear_is_asked_of_the_firmware():
    call("Ownership.TakeOwnership", "a{sv}", *options(lockout_auth=LOCKOUT), user="root")
    assert refusal("Ownership.Clear", "{'confirm': <'tpm0'>, 'physical-presence': <true>}", user=guest.USER)[0] == "NotAuthorized"
    assert request() == 0
    assert ask() == "reboot-required"
    assert request() == 5
    assert told("ClearPending", "LockoutAuthSet", "SrkPresent") == [True, True, True]
    assert guest.findings()["clear-pending@tpm0"]["repair"] != ""


def test_the_request_is_withdrawn():
    assert refusal("Ownership.CancelClear", user=guest.USER)[0] == "NotAuthorized"
    call("Ownership.CancelClear", user="root")
    assert request() == 0
    assert told("ClearPending") == [False]
    assert refusal("Ownership.CancelClear")[0] == "NotFound"


def test_the_command_asks_too():
    said = run("tpmward", "clear", "--physical-presence", "--confirm", "tpm0")
    assert "restart" in said
    assert told("ClearPending") == [True]
    run("tpmward", "clear", "--cancel")
    assert (request(), told("ClearPending")) == (0, [False])


def test_request_whose_question_is_answered_with_no():
    assert ask() == "reboot-required"
    KEY.write_text("esc")
    assert guest.complaints() == []


@pytest.mark.after_reboot
def test_refused_clear_has_changed_nothing_and_is_said():
    assert "User Abort" in (PPI / "response").read_text()
    assert told("ClearPending", "LockoutAuthSet", "SrkPresent") == [False, True, True]
    run("tpm2_dictionarylockout", "-c", "-p", LOCKOUT)
    found = guest.findings()["physical-presence-response@tpm0"]
    assert found["severity"] == "warning"
    assert properties("Tpm")["StateDetail"] == ""


def test_request_whose_question_is_answered_with_yes():
    assert ask() == "reboot-required"
    KEY.write_text("f12")
    assert guest.complaints() == []


@pytest.mark.after_reboot
def test_granted_clear_has_cleared_the_tpm_and_is_no_news():
    assert told("Owned", "LockoutAuthSet", "SrkPresent", "ClearPending") == [False, False, False, False]
    assert guest.variables()["lockoutAuthSet"] == 0
    assert guest.handles("persistent") == []
    assert properties("Tpm")["StateDetail"] == ""
    found = guest.findings()
    assert "tpm-cleared@tpm0" not in found
    assert found["physical-presence-response@tpm0"]["severity"] == "info"
    assert "has cleared this TPM, as it was asked on" in guest.journal(f"--unit={guest.UNIT}", "--output=cat")


def test_cleared_tpm_is_taken_again():
    call("Ownership.TakeOwnership", "a{sv}", *options(lockout_auth=LOCKOUT), user="root")
    assert guest.handles("persistent") == [SRK]
    run("tpm2_dictionarylockout", "-c", "-p", LOCKOUT)


def test_the_journal_has_no_complaint():
    assert guest.complaints() == []


def test_nothing_on_the_machine_has_failed():
    assert run("systemctl", "list-units", "--failed", "--no-legend", "--plain") == ""
