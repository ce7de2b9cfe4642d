# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who may call what: the service's gate with the real polkitd, for a user without a session unless it says otherwise."""

import signal
import time

import pytest

import ward
from families import BANK
from ward import ERROR, Agent, Monitor

NOT_AUTHORIZED = ERROR + "NotAuthorized"
CANCELLED = ERROR + "Cancelled"
SELF_TEST = ("SelfTest.Run", "s", "full")
RANDOM = ("Tpm.GetRandom", "u", 8)


def refuse(action):
    return f'if (action.id == "{action}" && subject.user == "ward-alice") return polkit.Result.NO;'


def allow(action):
    return f'if (action.id == "{action}" && subject.user == "ward-alice") return polkit.Result.YES;'


@pytest.fixture
def checks(root):
    """The calls by which polkit is asked, seen on the bus."""
    rule = "type='method_call',interface='org.freedesktop.PolicyKit1.Authority',member='CheckAuthorization'"
    with Monitor(root, rule) as monitor:
        yield monitor


def test_allowed_by_default(alice):
    assert len(alice.call(*RANDOM)) == 8


def test_allowed_by_a_rule(sandbox, alice):
    sandbox.write_rule("40-test", allow("org.tpmward.self-test"))
    passed, *_ = alice.call(*SELF_TEST)
    assert passed


def test_denied_by_a_rule(sandbox, alice, bob):
    sandbox.write_rule("40-test", refuse("org.tpmward.use"))
    error = alice.error(*RANDOM)
    assert error.name == NOT_AUTHORIZED
    assert len(bob.call(*RANDOM)) == 8


def test_denied_by_a_rule_for_the_tpm_it_names(sandbox, alice):
    sandbox.write_rule("40-test", 'if (action.lookup("tpm") == "tpm0") return polkit.Result.NO;')
    assert alice.error(*RANDOM).name == NOT_AUTHORIZED
    sandbox.write_rule("40-test", 'if (action.lookup("tpm") == "tpm7") return polkit.Result.NO;')
    assert len(alice.call(*RANDOM)) == 8


def test_denied_by_default(alice):
    last_run = alice.get("SelfTest.LastRun")
    error = alice.error(*SELF_TEST)
    assert error.name == NOT_AUTHORIZED
    assert alice.get("SelfTest.LastRun") == last_run


def test_root_is_not_asked(root):
    passed, *_ = root.call(*SELF_TEST)
    assert passed


def test_allowed_in_an_active_session(alice):
    ward.activate_session(alice)
    passed, *_ = alice.call(*SELF_TEST)
    assert passed


def test_authorized_with_an_administrators_password(alice):
    with Agent(alice, "adminpw") as agent:
        passed, *_ = alice.call(*SELF_TEST, interactive=True)
        assert passed
        (dialog,) = agent.dialogs()
    assert dialog.startswith("dialog org.tpmward.self-test ")
    assert "tpm0" in dialog
    assert "identity=unix-user:ward-admin" in dialog


def test_a_kept_authorization_needs_no_second_password(alice):
    with Agent(alice, "adminpw"):
        alice.call(*SELF_TEST, interactive=True)
    passed, *_ = alice.call(*SELF_TEST)
    assert passed


def test_a_kept_authorization_is_the_callers_alone(alice, callers):
    with Agent(alice, "adminpw"):
        alice.call(*SELF_TEST, interactive=True)
    assert callers("ward-alice").error(*SELF_TEST).name == NOT_AUTHORIZED


def test_wrong_password(alice):
    with Agent(alice, "wrong") as agent:
        error = alice.error(*SELF_TEST, interactive=True)
        agent.wait_for("completed refused")
    assert error.name == NOT_AUTHORIZED


def test_dismissed(alice):
    with Agent(alice, "CANCEL") as agent:
        error = alice.error(*SELF_TEST, interactive=True)
        assert len(agent.dialogs()) == 1
    assert error.name == CANCELLED


def test_no_agent(alice):
    assert alice.error(*SELF_TEST, interactive=True).name == NOT_AUTHORIZED


def test_no_dialog_without_the_interactive_flag(alice):
    with Agent(alice, "adminpw") as agent:
        assert alice.error(*SELF_TEST).name == NOT_AUTHORIZED
        assert not agent.dialogs()


def test_no_dialog_for_bad_arguments(alice):
    with Agent(alice, "adminpw") as agent:
        error = alice.error("SelfTest.Run", "s", "thorough", interactive=True)
        assert not agent.dialogs()
    assert error.name == ERROR + "InvalidArgument"


def test_others_are_served_while_a_dialog_is_open(alice, bob):
    with Agent(alice, "HANG") as agent:
        waiting = alice.start(*SELF_TEST, interactive=True)
        agent.wait_for("dialog")
        assert len(bob.call(*RANDOM)) == 8
        assert len(alice.call(*RANDOM)) == 8
        assert not waiting.is_done()


def test_the_dialog_goes_with_its_caller(callers):
    caller = callers()
    with Agent(caller, "HANG") as agent:
        caller.start(*SELF_TEST, interactive=True)
        agent.wait_for("dialog")
        caller.leave()
        agent.wait_for("withdrawn")


def test_a_rule_changed_while_running(sandbox, alice):
    assert len(alice.call(*RANDOM)) == 8
    sandbox.write_rule("40-test", refuse("org.tpmward.use"))
    assert alice.error(*RANDOM).name == NOT_AUTHORIZED
    sandbox.remove_rules()
    assert len(alice.call(*RANDOM)) == 8


def test_polkitd_killed(sandbox, alice):
    assert len(alice.call(*RANDOM)) == 8
    sandbox.kill("polkitd")
    started = time.monotonic()
    assert alice.error(*RANDOM).name == NOT_AUTHORIZED
    assert alice.error(*SELF_TEST, interactive=True).name == NOT_AUTHORIZED
    assert time.monotonic() - started < 5
    assert alice.call("Pcrs.Read", "sau", BANK, [0])
    assert alice.get("Tpm.State") == "ready"
    sandbox.start("polkitd")
    assert len(alice.call(*RANDOM)) == 8


def test_polkitd_hangs(sandbox, alice):
    sandbox.kill("polkitd", signal.SIGSTOP)
    started = time.monotonic()
    refused = [alice.start(*RANDOM), alice.start(*SELF_TEST, interactive=True)]
    assert alice.call("Pcrs.Read", "sau", BANK, [0])
    assert alice.get("Tpm.State") == "ready"
    assert time.monotonic() - started < 5
    assert not any(call.is_done() for call in refused)
    assert [call.error(20).name for call in refused] == [NOT_AUTHORIZED] * 2
    assert 8 < time.monotonic() - started < 15


def test_a_plain_yes_is_remembered(alice, checks):
    for _ in range(20):
        alice.call(*RANDOM)
    assert len(checks.all()) == 1


def test_a_remembered_yes_is_one_callers(alice, bob, checks):
    alice.call(*RANDOM)
    bob.call(*RANDOM)
    assert len(checks.all()) == 2


def test_a_remembered_yes_is_forgotten_when_rules_change(sandbox, alice, checks):
    alice.call(*RANDOM)
    sandbox.write_rule("40-test", "return polkit.Result.NOT_HANDLED;")
    alice.call(*RANDOM)
    assert len(checks.all()) == 2


def test_a_remembered_yes_is_forgotten_with_polkitd(sandbox, alice):
    assert len(alice.call(*RANDOM)) == 8
    sandbox.kill("polkitd")
    assert alice.error(*RANDOM).name == NOT_AUTHORIZED


def test_only_uses_are_remembered(sandbox, alice, checks):
    sandbox.write_rule("40-test", allow("org.tpmward.self-test"))
    for _ in range(3):
        alice.call(*SELF_TEST)
    assert len(checks.all()) == 3


def test_public_methods_ask_nobody(alice, checks):
    alice.call("Pcrs.Read", "sau", BANK, [0])
    alice.call("Tpm.GetProperties")
    alice.call("SelfTest.GetResult")
    assert not checks.all()
