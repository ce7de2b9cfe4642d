# SPDX-License-Identifier: LGPL-2.1-or-later
"""tpmward preview-clear and clear: what they show, and that nothing is destroyed by accident."""

import json
import re

import pytest
from fake_service import entry, fakes  # noqa: F401: a fixture
from test_cli import (
    AUTH_FAILED,
    FAILURE,
    LOCKED_OUT,
    NOT_AUTHORIZED,
    OK,
    UNREACHABLE,
    USAGE,
    Terminal,
    fails,
    on_terminal,
    run,
)
from test_cli_own import run_with_secrets, type_secret, words
from test_lockout import fresh_lockout, set_lockout_auth  # noqa: F401: a fixture
from test_ownership import SRK

PROMPT = "The lockout auth, which is not shown: "
LEDGER = [
    entry(kind="luks-volume", subject="/dev/sda3", owner="root", uid=0, detail="Unlocked by systemd alone.", recoverable="no",
          reason="No other key slot opens it."),
    entry(kind="key", subject="/srv/alice/.ssh/id.tpm", owner="alice", uid=1000, detail="A key.", recoverable="no",
          confidence="likely", reason="It is wrapped by this TPM."),
    entry(kind="other-users", subject="", count=12, detail="12 more.", recoverable="unknown"),
    entry(kind="persistent-handle", subject="0x81000001", owner="", handle=SRK, recoverable="yes", detail="The SRK.",
          reason="It is made again."),
]  # fmt: skip


@pytest.fixture
def fake(fakes):  # noqa: F811
    """fake(properties, replies): a service with that ledger."""
    known = {"PreviewClear": ("(aa{sv})", (LEDGER,)), "Clear": ("(s)", ("cleared",))}
    return lambda properties=None, **replies: fakes(properties or {}, {**known, **replies})


def at(service):
    return {"DBUS_SYSTEM_BUS_ADDRESS": service.address}


# preview-clear


def test_preview_is_in_three_groups(fake):
    done = run("preview-clear", **at(fake()))
    assert (done.returncode, done.stderr) == (OK, "")
    lines = [line.strip() for line in done.stdout.splitlines()]
    assert lines == [
        "If tpm0 is cleared: 2 lost for good, 12 perhaps lost, 1 not lost.",
        "",
        "Lost for good (2)",
        "✗ /dev/sda3 · encrypted disk",
        "Unlocked by systemd alone.",
        "No other key slot opens it.",
        "✗ /srv/alice/.ssh/id.tpm · probably a key of alice",
        "A key.",
        "It is wrapped by this TPM.",
        "",
        "Perhaps lost (12)",
        "? other users",
        "12 more.",
        "",
        "Not lost: there is another way in, or it is made again by itself (1)",
        "✓ 0x81000001 · persistent handle",
        "The SRK.",
        "It is made again.",
    ]


def test_preview_has_colour_on_a_terminal(fake):
    status, screen = on_terminal("preview-clear", **at(fake()))
    assert status == OK
    assert "\033[1;31mLost for good (2)\033[0m" in screen
    assert "\033[32m✓\033[0m" in screen
    assert "\033" not in on_terminal("preview-clear", NO_COLOR="1", **at(fake()))[1]


@pytest.mark.parametrize("columns", [40, 80])
def test_preview_fits_the_terminal(fake, columns):
    _, screen = on_terminal("preview-clear", columns=columns, NO_COLOR="1", **at(fake()))
    assert max(len(line) for line in screen.splitlines()) <= max(columns, len("  ✗ /srv/alice/.ssh/id.tpm · probably a key of alice"))


def test_preview_in_the_c_locale(fake):
    done = run("preview-clear", LC_ALL="C", **at(fake()))
    assert done.stdout.isascii()


def test_preview_of_nothing(fake):
    done = run("preview-clear", **at(fake(PreviewClear=("(aa{sv})", ([],)))))
    assert (done.returncode, done.stdout) == (OK, "If tpm0 is cleared: nothing was found that depends on it.\n")


def test_preview_in_json(fake):
    service = fake(PreviewClearAll=("(aa{sv})", (LEDGER[:1],)))
    shown = json.loads(run("preview-clear", "--json", **at(service)).stdout)
    assert shown["tpm"] == "tpm0"
    assert [dependent["recoverable"] for dependent in shown["dependents"]] == ["no", "no", "unknown", "yes"]
    assert shown["dependents"][3]["handle"] == SRK
    shown = json.loads(run("preview-clear", "--all", "--json", **at(service)).stdout)
    assert [dependent["subject"] for dependent in shown["dependents"]] == ["/dev/sda3"]


def test_preview_is_the_services(root):
    """Of this machine and its chip, whatever there is."""
    root.call("Ownership.ProvisionSrk", "a{sv}", {})
    shown = json.loads(run("preview-clear", "--json").stdout)["dependents"]
    told = root.call("Ownership.PreviewClear")
    assert [dependent["subject"] for dependent in shown] == [dependent["subject"] for dependent in told]
    assert any("81000001" in dependent["subject"] for dependent in shown)
    assert run("preview-clear", user="ward-alice").returncode == OK
    fails(NOT_AUTHORIZED, "preview-clear", "--all", user="ward-alice")


# clear


def test_nothing_is_cleared_by_default(root):
    root.call("Ownership.ProvisionSrk", "a{sv}", {})
    assert "given by --confirm" in fails(USAGE, "clear")
    assert "given by --confirm" in fails(USAGE, "clear", "--json")
    assert "names “tpm1”, but the TPM is tpm0" in fails(USAGE, "clear", "--confirm=tpm1")
    assert "names “”" in fails(USAGE, "clear", "--confirm=")
    assert root.get("Ownership.SrkPresent") is True


def test_clear_shows_what_is_lost_and_has_the_name_typed(root):
    root.call("Ownership.ProvisionSrk", "a{sv}", {})
    for typed in ("tpm1", "yes", "", "tpm0 "):
        terminal = Terminal("clear")
        terminal.read_until("type the TPM's name, tpm0: $")
        assert "If tpm0 is cleared: " in terminal.screen
        assert "cannot be undone" in words(terminal.screen)
        terminal.type(typed + "\n")
        status, screen = terminal.finish()
        assert status == FAILURE
        assert "nothing was done" in screen
        assert root.get("Ownership.SrkPresent") is True

    terminal = Terminal("clear")
    terminal.read_until("type the TPM's name, tpm0: $")
    terminal.type("tpm0\n")
    status, screen = terminal.finish()
    assert status == OK
    assert "tpm0 was cleared." in screen
    assert root.get("Ownership.SrkPresent") is False


def test_clear_with_the_lockout_auth(sandbox, root):
    set_lockout_auth(sandbox, "sesame")
    terminal = Terminal("clear")
    terminal.read_until("tpm0: $")
    terminal.type("tpm0\n")
    type_secret(terminal, PROMPT, "sesame")
    status, screen = terminal.finish()
    assert status == OK
    assert "sesame" not in screen
    assert "even the right one for" in words(screen)
    assert root.get("Ownership.LockoutAuthSet") is False


def test_clear_in_a_script(sandbox, root):
    set_lockout_auth(sandbox, "sesame")
    done = run_with_secrets({"--auth-fd": b"sesame"}, "clear", "--confirm=tpm0", "--json")
    assert (done.returncode, done.stderr) == (OK, "")
    shown = json.loads(done.stdout)
    assert (shown["tpm"], shown["outcome"]) == ("tpm0", "cleared")
    assert isinstance(shown["dependents"], list)
    assert root.get("Ownership.LockoutAuthSet") is False


def test_clear_with_a_wrong_auth(sandbox, root):
    set_lockout_auth(sandbox, "sesame")
    done = run_with_secrets({"--auth-fd": b""}, "clear", "--confirm=tpm0")
    assert done.returncode == AUTH_FAILED
    assert root.get("Lockout.LockoutAuthBarredUntil") == 0
    done = run_with_secrets({"--auth-fd": b"wrong"}, "clear", "--confirm=tpm0")
    assert done.returncode == AUTH_FAILED
    assert "The TPM now refuses even the right lockout auth until " in done.stderr
    done = run_with_secrets({"--auth-fd": b"sesame"}, "clear", "--confirm=tpm0")
    assert done.returncode == LOCKED_OUT
    assert "--force" in done.stderr
    assert root.get("Ownership.LockoutAuthSet") is True


def test_clear_where_it_is_switched_off(sandbox):
    sandbox.tpm2("tpm2_clearcontrol", "-C", "l", "s")
    assert "refuse to be cleared" in fails(UNREACHABLE, "clear", "--confirm=tpm0")
    sandbox.tpm2("tpm2_clearcontrol", "-C", "p", "c")


def test_clear_is_for_administrators(root):
    done = run("clear", "--confirm=tpm0", user="ward-alice")
    assert done.returncode == NOT_AUTHORIZED


def test_clear_though_nobody_can_look(fake):
    service = fake(PreviewClear="NotSupported")
    done = run("clear", "--confirm=tpm0", "--json", **at(service))
    assert done.returncode == OK
    assert "cannot be told what would be lost" in done.stderr
    assert json.loads(done.stdout)["dependents"] is None


def test_secret_and_name_reach_the_service(fake):
    service = fake({"Ownership.LockoutAuthSet": True})
    done = run_with_secrets({"--auth-fd": b"sesame"}, "clear", "--confirm=tpm0", **at(service))
    assert done.returncode == OK
    names = [call[0] for call in service.called("PreviewClear", "Clear")]
    assert names == ["PreviewClear", "Clear"]
    (call,) = service.called("Clear")
    assert call[1][0]["confirm"] == "tpm0"
    assert set(call[1][0]) == {"confirm", "auth"}
    assert call[2] == {"auth": b"sesame"}


# the firmware


def test_firmware_that_takes_no_request():
    message = fails(FAILURE, "clear", "--physical-presence", "--confirm=tpm0")
    assert "takes no request" in message


@pytest.mark.parametrize(
    ("presence", "told"), [("prompt", "someone at the machine has to press"), ("immediate", "does not ask again")]
)
def test_clear_by_the_firmware(fake, presence, told):
    service = fake({"Ownership.PhysicalPresence": presence, "Ownership.LockoutAuthSet": True}, Clear=("(s)", ("reboot-required",)))
    terminal = Terminal("clear", "--physical-presence", **at(service))
    terminal.read_until("tpm0: $")
    assert told in words(terminal.screen)
    assert not service.called("Clear")
    terminal.type("tpm0\n")
    status, screen = terminal.finish()
    assert status == OK
    assert "not shown" not in screen
    assert "will be cleared at the next restart" in words(screen)
    (call,) = service.called("Clear")
    assert call[1][0] == {"confirm": "tpm0", "physical-presence": True}


def test_cancel(fake):
    service = fake({"Ownership.ClearPending": True})
    done = run("clear", "--cancel", **at(service))
    assert done.returncode == OK
    assert "was withdrawn" in done.stdout
    assert service.called("CancelClear") and not service.called("Clear")
    assert "tpmward: " in fails(FAILURE, "clear", "--cancel")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["clear", "--cancel", "--physical-presence"], "takes no other option"),
        (["clear", "--physical-presence", "--force", "--confirm=tpm0"], "needs no secret"),
        (["clear", "tpm0"], "does not take the argument “tpm0”"),
        (["clear", "--confirm=tpm0", "--auth-fd=99"], "the number of an open file descriptor"),
    ],
)
def test_wrong_usage(args, message):
    assert message in fails(USAGE, *args)


def test_ledger_of_hostile_names(fake):
    """What other users call their files steers no terminal."""
    hostile = [entry(kind="key\033[2J", subject="/srv/\033]0;x\007", owner="eve\r", detail="a\033[1mb", recoverable="no")]
    status, screen = on_terminal("preview-clear", NO_COLOR="1", **at(fake(PreviewClear=("(aa{sv})", (hostile,)))))
    assert status == OK
    assert not re.search("[\033\007\r]", screen)
