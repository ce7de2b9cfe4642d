# SPDX-License-Identifier: LGPL-2.1-or-later
"""tpmward doctor and repair: what they show, ask and do."""

import json
import re

import pytest
from fake_service import entry, fakes  # noqa: F401: a fixture
from test_cli import FAILURE, NO_TPM, NOT_AUTHORIZED, OK, USAGE, Terminal, fails, on_terminal, run, run_json
from test_lockout import fresh_lockout  # noqa: F401: a fixture

PROBLEMS = 10
ACCESS = entry(
    id="wrong-access", severity="error", title="The service may not open the TPM", subject="/dev/tpmrm0",
    detail="It belongs to root.", repair="Gives it to tss.",
)  # fmt: skip
SRK = entry(
    id="srk-missing@tpm0", severity="warning", title="No storage root key", subject="tpm0", detail="", repair="Makes it."
)
OTHER = entry(id="lockout-near@tpm1", severity="warning", title="Many failures", subject="tpm1", detail="", repair="")
INFO = entry(id="not-owned@tpm0", severity="info", title="Not owned", subject="tpm0", detail="Set one.", repair="")
WELL = entry(id="all-well", severity="ok", title="All is well", subject="", detail="", repair="")


@pytest.fixture
def fake(fakes):  # noqa: F811
    """fake(finding…, replies): a service with these findings."""
    known = {"Repair": ("(as)", (["made x"],))}
    return lambda *found, **replies: fakes({}, {"Diagnose": ("(aa{sv})", (list(found),)), **known, **replies})


def at(service):
    return {"DBUS_SYSTEM_BUS_ADDRESS": service.address}


# doctor


def test_findings_are_shown_with_their_repairs(fake):
    done = run("doctor", **at(fake(ACCESS, SRK, INFO)))
    assert (done.returncode, done.stderr) == (PROBLEMS, "")
    assert [line.strip() for line in done.stdout.splitlines()] == [
        "✗  Error: The service may not open the TPM",
        "It belongs to root.",
        "wrong-access · /dev/tpmrm0",
        "Repair: Gives it to tss.",
        "tpmward repair wrong-access",
        "",
        "!  Warning: No storage root key",
        "srk-missing@tpm0 · tpm0",
        "Repair: Makes it.",
        "tpmward repair srk-missing@tpm0",
        "",
        "·  Not owned",
        "Set one.",
        "not-owned@tpm0 · tpm0",
        "",
        "1 error, 1 warning.",
    ]


@pytest.mark.parametrize(
    ("findings", "status"),
    [((ACCESS, INFO), PROBLEMS), ((SRK,), PROBLEMS), ((INFO, WELL), OK), ((WELL,), OK), ((), OK)],
)
def test_exit_status_tells_of_problems(fake, findings, status):
    service = fake(*findings)
    assert run("doctor", **at(service)).returncode == status
    done = run("doctor", "--json", **at(service))
    assert done.returncode == status
    assert [finding["id"] for finding in json.loads(done.stdout)] == [str(finding["id"])[1:-1] for finding in findings]


def test_doctor_has_colour_on_a_terminal(fake):
    status, screen = on_terminal("doctor", **at(fake(ACCESS, SRK, WELL)))
    assert status == PROBLEMS
    assert "\033[1;31m ✗\033[0m" in screen
    assert "\033[33m !\033[0m" in screen
    assert "\033[32m ✓\033[0m" in screen
    assert "\033" not in on_terminal("doctor", NO_COLOR="1", **at(fake(ACCESS)))[1]
    assert run("doctor", LC_ALL="C", **at(fake(ACCESS, INFO))).stdout.isascii()


def test_other_tpms_are_left_out_by_name(fake):
    service = fake(ACCESS, OTHER, SRK)
    shown = json.loads(run("doctor", "--json", "--tpm=tpm0", **at(service)).stdout)
    assert [finding["id"] for finding in shown] == ["wrong-access", "srk-missing@tpm0"]
    fails(NO_TPM, "doctor", "--tpm=tpm7", **at(service))


def test_doctor_is_the_services(root):
    told = root.call("Manager.Diagnose")
    done = run("doctor", "--json", user="ward-alice")
    shown = json.loads(done.stdout)
    assert {finding["id"] for finding in shown} == {finding["id"] for finding in told}
    assert "srk-missing@tpm0" in {finding["id"] for finding in shown}
    assert done.returncode == PROBLEMS
    fails(NOT_AUTHORIZED, "doctor", "--all", user="ward-alice")
    assert run("doctor", "--all").returncode == PROBLEMS


def test_doctor_without_a_tpm(sandbox):
    """That is a finding, and not the end."""
    sandbox.restart("daemon", "--only", "--idle-exit", "60")
    done = run("doctor")
    assert done.returncode in (OK, PROBLEMS)
    assert done.stdout and not done.stderr
    sandbox.restart("daemon")


@pytest.mark.parametrize("columns", [40, 80])
def test_doctor_fits_the_terminal(columns):
    _, screen = on_terminal("doctor", columns=columns, NO_COLOR="1")
    shown = re.sub(r"\033\[[0-9;]*[A-Za-z]", "", screen.replace("\r", "\n"))
    longest = max(shown.splitlines(), key=len)
    assert len(longest) <= columns or " " not in longest.strip() or longest.strip().startswith("tpmward repair ")


# repair


def test_repair(root):
    assert root.get("Ownership.SrkPresent") is False
    planned = run("repair", "srk-missing@tpm0", "--dry-run")
    assert (planned.returncode, planned.stderr) == (OK, "")
    assert root.get("Ownership.SrkPresent") is False
    done = run("repair", "srk-missing@tpm0")
    assert done.returncode == OK
    assert done.stdout.startswith("✓ ")
    assert root.get("Ownership.SrkPresent") is True
    assert "srk-missing@tpm0" not in {finding["id"] for finding in json.loads(run("doctor", "--json").stdout)}


def test_repair_in_json(fake):
    service = fake()
    assert run_json("repair", "wrong-access", **at(service)) == [{"id": "wrong-access", "error": "", "actions": ["made x"]}]
    assert run_json("repair", "wrong-access", "--dry-run", **at(service))
    assert [call[1] for call in service.called("Repair")] == [("wrong-access", {}), ("wrong-access", {"dry-run": True})]


def test_repair_of_what_is_no_finding():
    fails(FAILURE, "repair", "no-such-thing")
    done = run("repair", "no-such-thing", "--json")
    assert done.returncode == FAILURE
    (told,) = json.loads(done.stdout)
    assert told["id"] == "no-such-thing" and told["error"]


def test_repair_is_for_administrators():
    fails(NOT_AUTHORIZED, "repair", "srk-missing@tpm0", user="ward-alice")


def test_nothing_to_do_is_said(fake):
    service = fake(Repair=("(as)", ([],)))
    assert run("repair", "wrong-access", **at(service)).stdout == "There was nothing to do.\n"
    assert run("repair", "wrong-access", "-n", **at(service)).stdout == "There is nothing that would be done.\n"


def test_repairs_are_listed_and_not_done_unasked(fake):
    service = fake(ACCESS, SRK, INFO)
    done = run("repair", **at(service))
    assert done.returncode == OK
    assert "No storage root key" in done.stdout and "Not owned" not in done.stdout
    assert "that takes an ID, or --all" in done.stdout
    assert [finding["id"] for finding in run_json("repair", **at(service))] == ["wrong-access", "srk-missing@tpm0"]
    assert not service.called("Repair")


def test_a_person_is_asked_for_each(fake):
    service = fake(ACCESS, SRK)
    terminal = Terminal("repair", **at(service))
    terminal.read_until("go on: $")
    terminal.type("no\n")
    terminal.read_until(r"storage root key(?s:.*)go on: $")
    terminal.type("yes\n")
    status, screen = terminal.finish()
    assert status == OK
    assert "made x" in screen
    assert [call[1][0] for call in service.called("Repair")] == ["srk-missing@tpm0"]


def test_all_are_repaired_though_one_fails(fake):
    service = fake(ACCESS, SRK, Repair=["NotSupported", ("(as)", (["made x"],))])
    done = run("repair", "--all", "--json", **at(service))
    assert done.returncode == FAILURE
    assert "This is what NotSupported says." in done.stderr
    first, second = json.loads(done.stdout)
    assert first == {"id": "wrong-access", "error": "This is what NotSupported says."}
    assert second == {"id": "srk-missing@tpm0", "error": "", "actions": ["made x"]}


def test_a_dry_run_of_all(fake):
    service = fake(ACCESS, SRK)
    done = run("repair", "--dry-run", **at(service))
    assert done.returncode == OK
    assert done.stdout.count("· made x") == 2
    assert all(call[1][1] == {"dry-run": True} for call in service.called("Repair"))


def test_nothing_that_can_be_repaired(fake):
    assert "Nothing was found that could be repaired" in run("repair", **at(fake(INFO))).stdout
    assert run_json("repair", **at(fake(INFO))) == []


def test_wrong_usage():
    assert "cannot be given together" in fails(USAGE, "repair", "wrong-access", "--all")
    assert "does not take the argument “x”" in fails(USAGE, "doctor", "x")
