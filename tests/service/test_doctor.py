# SPDX-License-Identifier: LGPL-2.1-or-later
"""The doctor: what it finds on a machine, who is told what, and what its repairs do."""

import os
import shutil
import signal
from pathlib import Path

import pytest

import ward
from played_systemd import PlayedSystemd
from test_lockout import set_lockout_auth
from test_ownership import no_helper  # noqa: F401: a fixture
from ward import ERROR, Agent, Monitor, caller, wait_until

TSS_FOLDER = Path("/var/lib/tpm")
POLKIT_RULE = "type='method_call',interface='org.freedesktop.PolicyKit1.Authority',member='CheckAuthorization'"
HELPER_RULE = "type='method_call',interface='org.tpmward1.Helper'"
KEYS = {"id", "severity", "title", "detail", "subject", "repair"}
SEVERITIES = ["error", "warning", "info", "ok"]
SRK = "srk-missing@tpm0"
LONG_ID = "x" * 1_000_000
NEVER_RUN = "self-test-never-run@tpm0"
SRK_ACTION = ["make the storage root key of tpm0 and keep it at 0x81000001"]


@pytest.fixture(autouse=True)
def fresh_machine(sandbox):
    """Each test begins with a chip that was just cleared, a service that knows nothing of it yet, and right owners."""
    sandbox.kill("daemon", signal.SIGTERM)
    for pattern in ("*.lockout-guard", "*.chip*", "*.self-test"):
        for record in ward.STATE.glob(pattern):
            record.unlink()
    sandbox.restart("swtpm")
    sandbox.tpm2("tpm2_clear", "-c", "p")
    sandbox.tpm2("tpm2_dictionarylockout", "-s", "-n", "3", "-t", "1000", "-l", "1000")
    sandbox.start("daemon")
    yield
    for entry in TSS_FOLDER.iterdir():
        entry.unlink()


def diagnose(who, method="Diagnose"):
    return {finding["id"]: finding for finding in who.call(f"Manager.{method}")}


def options(dry_run):
    return {"dry-run": caller.Variant("b", True)} if dry_run else {}


def repair(who, finding, dry_run=False):
    return who.call("Manager.Repair", "sa{sv}", finding, options(dry_run))


def refusal(who, finding, given=None, **more):
    return who.error("Manager.Repair", "sa{sv}", finding, given or {}, **more)


def make_wrong(name="system.data"):
    path = TSS_FOLDER / name
    path.write_text("wrong")
    path.chmod(0o644)
    return path


def test_findings(alice):
    findings = alice.call("Manager.Diagnose")
    assert all(set(finding) == KEYS and finding["title"] and finding["detail"] for finding in findings)
    severities = [SEVERITIES.index(finding["severity"]) for finding in findings]
    assert severities == sorted(severities)
    told = {finding["id"]: finding["severity"] for finding in findings}
    assert told == {SRK: "warning", NEVER_RUN: "info", "not-owned@tpm0": "info"}


def test_all_is_well_once_all_is_repaired(root, alice):
    repair(root, SRK)
    repair(root, NEVER_RUN)
    findings = diagnose(alice)
    assert set(findings) == {"not-owned@tpm0", "all-well"}
    assert findings["all-well"]["severity"] == "ok"


def test_only_an_administrator_is_told_all(alice):
    assert alice.error("Manager.DiagnoseAll").name == ERROR + "NotAuthorized"
    with Agent(alice, "adminpw") as agent:
        assert alice.call("Manager.DiagnoseAll", interactive=True)
        assert "org.tpmward.inspect" in agent.dialogs()[0]


def test_only_an_administrator_repairs(alice):
    for dry_run in (False, True):
        assert refusal(alice, SRK, options(dry_run)).name == ERROR + "NotAuthorized"
    assert alice.get("Ownership.SrkPresent") is False
    with Agent(alice, "adminpw") as agent:
        assert alice.call("Manager.Repair", "sa{sv}", SRK, {}, interactive=True) == SRK_ACTION
        assert "org.tpmward.repair" in agent.dialogs()[0]
    assert alice.get("Ownership.SrkPresent") is True


def test_rules_are_told_what_is_to_be_repaired(sandbox, alice):
    sandbox.write_rule(
        "srk-only",
        'if (action.id == "org.tpmward.repair" && action.lookup("finding") == "srk-missing@tpm0" && action.lookup("tpm") == "tpm0")'
        " return polkit.Result.YES;",
    )
    assert refusal(alice, NEVER_RUN).name == ERROR + "NotAuthorized"
    assert repair(alice, SRK) == SRK_ACTION


def test_wrong_access_is_found_and_repaired(sandbox, root, alice):
    path = make_wrong()
    shutil.chown(TSS_FOLDER, "root", "root")
    expected = [
        "chown tss:tss /var/lib/tpm/system.data (was root:root 0644)",
        "chmod 0600 /var/lib/tpm/system.data (was 0644)",
        "chown tss:tss /var/lib/tpm (was root:root 0700)",
    ]
    try:
        finding = wait_until(lambda: diagnose(alice).get("wrong-access"), why="the finding")
        assert finding["severity"] == "warning" and finding["repair"]
        assert repair(root, "wrong-access", dry_run=True) == expected
        assert (path.owner(), TSS_FOLDER.owner()) == ("root", "root")
        assert repair(root, "wrong-access") == expected
    finally:
        shutil.chown(TSS_FOLDER, "tss", "tss")
    assert (path.owner(), path.stat().st_mode & 0o777) == ("tss", 0o600)
    assert "wrong-access" not in diagnose(alice)
    assert repair(root, "wrong-access") == []


def test_names_in_a_closed_folder_are_told_to_administrators_only(root, alice):
    make_wrong("diary")
    finding = wait_until(lambda: diagnose(alice).get("wrong-access"), why="the finding")
    assert "diary" not in str(finding)
    assert "diary" in diagnose(root, "DiagnoseAll")["wrong-access"]["detail"]


def test_srk_is_made(root, alice):
    assert diagnose(alice)[SRK]["repair"]
    assert repair(root, SRK, dry_run=True) == SRK_ACTION
    assert alice.get("Ownership.SrkPresent") is False
    assert repair(root, SRK) == SRK_ACTION
    assert alice.get("Ownership.SrkPresent") is True
    assert SRK not in diagnose(alice)
    assert repair(root, SRK) == []


def test_srk_beneath_an_owner_auth_is_not_made(sandbox, root):
    sandbox.tpm2("tpm2_changeauth", "-c", "owner", "own")
    error = refusal(root, SRK)
    assert error.name == ERROR + "NotSupported"
    assert "ProvisionSrk" in error.message
    assert diagnose(root)[SRK]["repair"] == ""


def test_lockout_near_and_reached(sandbox, root, alice):
    assert "lockout-near@tpm0" not in diagnose(alice)
    sandbox.fail_authorizations(2)
    assert diagnose(alice)["lockout-near@tpm0"]["severity"] == "warning"
    action = ["reset the lockout of tpm0 with the empty lockout auth"]
    assert repair(root, "lockout-near@tpm0", dry_run=True) == action
    assert alice.get("Lockout.Failures") == 2
    assert repair(root, "lockout-near@tpm0") == action
    assert alice.get("Lockout.Failures") == 0

    sandbox.fail_authorizations(3)
    findings = diagnose(alice)
    assert findings["lockout-reached@tpm0"]["severity"] == "error"
    assert "lockout-near@tpm0" not in findings
    assert repair(root, "lockout-reached@tpm0") == action
    assert alice.get("Lockout.LockedOut") is False


def test_lockout_with_an_auth_is_not_reset(sandbox, root):
    set_lockout_auth(sandbox, "sesame")
    sandbox.fail_authorizations(3)
    error = refusal(root, "lockout-reached@tpm0")
    assert error.name == ERROR + "NotSupported"
    assert "tpmward lockout reset" in error.message
    assert (root.get("Lockout.LockedOut"), root.get("Lockout.LockoutAuthBarredUntil")) == (True, 0)


def test_self_test(root, alice):
    assert repair(root, NEVER_RUN, dry_run=True) == ["run a full self-test of tpm0"]
    assert alice.get("SelfTest.State") == "never-run"
    (line,) = repair(root, NEVER_RUN)
    assert line.startswith("run a full self-test of tpm0: it passed")
    assert (alice.get("SelfTest.State"), alice.get("SelfTest.Mode")) == ("passed", "full")
    assert NEVER_RUN not in diagnose(alice)


def test_damaged_guard(sandbox, root):
    sandbox.kill("daemon", signal.SIGTERM)
    record = ward.STATE / "tpm0.lockout-guard"
    record.write_bytes(b"\xff\0nonsense")
    os.chown(record, *(ward.pwd.getpwnam("tpmward")[2:4]))
    sandbox.start("daemon")
    assert diagnose(root)["guard-damaged@tpm0"]["severity"] == "warning"
    repair(root, "guard-damaged@tpm0", dry_run=True)
    assert record.exists()
    repair(root, "guard-damaged@tpm0")
    assert not record.exists()
    assert "guard-damaged@tpm0" not in diagnose(root)


def test_clear_behind_our_back(sandbox, root, alice):
    repair(root, SRK)
    sandbox.tpm2("tpm2_clear", "-c", "p")
    assert diagnose(alice)["tpm-cleared@tpm0"]["severity"] == "warning"
    assert "cleared" in alice.get("Tpm.StateDetail")
    repair(root, "tpm-cleared@tpm0", dry_run=True)
    assert "tpm-cleared@tpm0" in diagnose(alice)
    repair(root, "tpm-cleared@tpm0")
    assert "tpm-cleared@tpm0" not in diagnose(alice)
    assert alice.get("Tpm.StateDetail") == ""
    sandbox.restart("daemon")
    assert "tpm-cleared@tpm0" not in diagnose(alice)


def test_unreachable(sandbox, root, alice):
    sandbox.kill("swtpm")
    finding = diagnose(alice)["tpm-unreachable@tpm0"]
    assert (finding["severity"], finding["repair"]) == ("error", "")
    error = refusal(root, "tpm-unreachable@tpm0")
    assert error.name == ERROR + "NotSupported"
    assert finding["detail"] in error.message


def test_tcsd_on_a_tpm2(root, alice):
    with PlayedSystemd(tcsd={"ActiveState": "failed", "UnitFileState": "enabled", "Result": "exit-code"}) as systemd:
        finding = wait_until(lambda: diagnose(alice).get("tcsd-on-tpm2"), why="the finding")
        assert finding["severity"] == "error" and finding["subject"] == "tcsd.service"
        assert "Inappropriate ioctl for device" in finding["detail"]
        assert repair(root, "tcsd-on-tpm2", dry_run=True)
        assert systemd.changes() == []
        assert "disable tcsd.service (was enabled)" in repair(root, "tcsd-on-tpm2")
        assert ["DisableUnitFiles", ["tcsd.service"], False] in systemd.changes()
        assert "tcsd-on-tpm2" not in diagnose(alice)


def test_tcsd_that_waits_for_the_next_start(alice):
    with PlayedSystemd(tcsd={"UnitFileState": "enabled"}):
        finding = wait_until(lambda: diagnose(alice).get("tcsd-on-tpm2"), why="the finding")
        assert finding["severity"] == "warning"


def test_systemd_without_such_services(alice):
    with PlayedSystemd():
        assert set(diagnose(alice)) == {SRK, NEVER_RUN, "not-owned@tpm0"}


def test_without_the_helper(alice, no_helper):  # noqa: F811
    finding = wait_until(lambda: diagnose(alice).get("helper-missing"), why="the finding")
    assert finding["severity"] == "warning"


def test_without_a_tpm(sandbox, alice):
    sandbox.kill("daemon", signal.SIGTERM)
    sandbox.start("daemon", "--only", "--state-dir", str(ward.STATE), "--no-discovery")
    assert {name: finding["severity"] for name, finding in diagnose(alice).items()} == {"tpm-unused": "warning"}
    sandbox.kill("daemon", signal.SIGTERM)
    sandbox.start("daemon", "--only", "--state-dir", str(ward.STATE))
    assert diagnose(alice).keys() & {"no-acpi", "no-driver", "tpm-unused"}
    assert "all-well" not in diagnose(alice)


@pytest.mark.parametrize("finding", ["", "@tpm0", "srk-missing@", "a b", "../../etc/passwd", "srk-missing@tpm0@tpm0", LONG_ID], ids=lambda finding: finding[:16] or "empty")
def test_what_is_no_id(alice, root, finding):
    with Monitor(root, POLKIT_RULE) as monitor:
        error = refusal(alice, finding, interactive=True)
        assert monitor.all() == []
    assert error.name == ERROR + "InvalidArgument"
    assert len(error.message) < 500


@pytest.mark.parametrize("finding", ["nonsense", "wrong-access@tpm0", "srk-missing", "advisory-CVE-0000-0000@tpm0"])
def test_id_of_no_finding(alice, root, finding):
    with Monitor(root, POLKIT_RULE) as monitor:
        assert refusal(alice, finding, interactive=True).name == ERROR + "NotFound"
        assert monitor.all() == []


def test_id_of_another_tpm(root):
    assert refusal(root, "srk-missing@tpm7").name == ERROR + "NotFound"


@pytest.mark.parametrize("given", [{"dry_run": caller.Variant("b", True)}, {"dry-run": caller.Variant("s", "yes")}])
def test_bad_options(alice, given):
    error = refusal(alice, SRK, given)
    assert error.name == ERROR + "InvalidArgument"
    assert alice.get("Ownership.SrkPresent") is False


@pytest.mark.parametrize("finding", ["lockout-reached@tpm0", "wrong-access", "no-driver", "tcsd-on-tpm2", "advisory-CVE-2017-15361@tpm0"])
def test_what_is_not_there_needs_nothing(root, finding):
    assert repair(root, finding) == []


def test_what_has_no_repair_says_what_to_do(root):
    error = refusal(root, "not-owned@tpm0")
    assert error.name == ERROR + "NotSupported"
    assert "tpmward own" in error.message


def test_many_share_a_look(callers, root):
    others = [callers("ward-alice") for _ in range(4)]
    with Monitor(root, HELPER_RULE) as monitor:
        calls = [other.start("Manager.Diagnose") for other in others for _ in range(16)]
        findings = [call.wait() for call in calls]
        asked = [message["member"] for message in monitor.all()]
    assert all(told == findings[0] for told in findings)
    assert asked.count("ScanDependents") == asked.count("Inspect") == asked.count("RepairAccess") <= 4


def test_asking_all_the_time_is_cheap(alice, root):
    with Monitor(root, HELPER_RULE) as monitor:
        for _ in range(100):
            alice.call("Manager.Diagnose")
        asked = [message["member"] for message in monitor.all()]
    assert 4 <= asked.count("RepairAccess") <= 12


def test_what_was_changed_is_seen_at_once(alice):
    assert "wrong-access" not in diagnose(alice)
    path = make_wrong()
    assert "wrong-access" in diagnose(alice)
    path.unlink()
    assert "wrong-access" not in diagnose(alice)


def test_caller_that_leaves_has_nothing_repaired(sandbox, callers, alice):
    leaver = callers("root")
    os.kill(sandbox.pid("swtpm"), signal.SIGSTOP)
    leaver.start("Manager.Repair", "sa{sv}", SRK, {})
    leaver.leave()
    os.kill(sandbox.pid("swtpm"), signal.SIGCONT)
    alice.call("Tpm.Refresh")
    assert SRK in diagnose(alice)
