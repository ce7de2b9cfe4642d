# SPDX-License-Identifier: LGPL-2.1-or-later
"""tpmward own, change-auth and release: how they ask, what they show, and what they set."""

import json
import os
import re
import subprocess
import termios
from pathlib import Path

import pytest
from fake_service import SHA1, GLib, entry, fakes  # noqa: F401: a fixture
from test_cli import (
    AUTH_FAILED,
    FAILURE,
    LOCKED_OUT,
    NOT_AUTHORIZED,
    OK,
    USAGE,
    Terminal,
    environment,
    fails,
    run,
)
from test_lockout import fresh_lockout  # noqa: F401: a fixture
from test_ownership import SRK, UNOWNED, no_helper, state  # noqa: F401: a fixture

import ward

GENERATED = re.compile(r"\b[2-9a-hjkmnp-rtvwx]{7}(?:-[2-9a-hjkmnp-rtvwx]{7}){3}\b")
LOCKOUT_OWNED = (True, False, False, True, True)


def run_with_secrets(secrets, *args, **env):
    """tpmward with each of {option: secret} at the other end of a descriptor, and no terminal."""
    readers, options = [], []
    for option, secret in secrets.items():
        readers.append(os.memfd_create("secret"))
        os.write(readers[-1], secret)
        os.lseek(readers[-1], 0, os.SEEK_SET)
        options.append(f"{option}={readers[-1]}")
    done = subprocess.run(
        ["tpmward", *args, *options], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
        pass_fds=readers, start_new_session=True, env=environment(**env), check=False,
    )  # fmt: skip
    for reader in readers:
        os.close(reader)
    return done


def type_secret(terminal, prompt, secret):
    """Answers the prompt, the last thing on the screen, once nothing is shown of it."""
    terminal.read_until(re.escape(prompt) + "$")
    ward.wait_until(lambda: not termios.tcgetattr(terminal.fd)[3] & termios.ECHO, why="the secret to be hidden")
    terminal.screen += "…"  # or the next prompt of that text would be taken for this one
    terminal.type(secret + "\n")


def type_twice(terminal, what, first, second=None):
    type_secret(terminal, f"The new {what}, which is not shown: ", first)
    type_secret(terminal, f"The new {what} once more: ", second or first)


def answer(terminal, question, text):
    terminal.read_until(re.escape(question) + r"[^:]*: $")
    terminal.type(text + "\n")


def words(text):
    """Text as it was before it was wrapped."""
    return " ".join(text.split())


def opens(sandbox, which, secret):
    """Whether tpm2-tools change that auth with the secret."""
    sandbox.tpm2("tpm2_changeauth", "-c", which, "-p", secret, secret)
    return True


# own


def test_own_sets_the_lockout_auth(sandbox, root):
    terminal = Terminal("own")
    type_twice(terminal, "lockout auth", "sesame")
    status, screen = terminal.finish()
    assert status == OK, screen
    assert "sesame" not in screen
    assert "tpm0 is owned: now set is its lockout auth.\n" in screen
    assert "0x81000001" in screen
    assert "may lift a lockout and clear the TPM" in words(screen)
    assert state(root) == LOCKOUT_OWNED
    assert opens(sandbox, "lockout", "sesame")


def test_own_asks_again_while_the_secrets_differ(sandbox, root):
    terminal = Terminal("own")
    type_twice(terminal, "lockout auth", "sesame", "sesam")
    terminal.read_until("The two differ")
    type_twice(terminal, "lockout auth", "barley")
    assert terminal.finish()[0] == OK
    assert opens(sandbox, "lockout", "barley")


def test_own_gives_up_after_three_pairs_that_differ(root):
    terminal = Terminal("own")
    for _ in range(3):
        type_twice(terminal, "lockout auth", "sesame", "sesam")
    status, screen = terminal.finish()
    assert status == AUTH_FAILED
    assert "nothing was done" in screen
    assert state(root) == UNOWNED


def test_own_refuses_an_empty_secret(root):
    terminal = Terminal("own")
    type_secret(terminal, "The new lockout auth, which is not shown: ", "")
    assert terminal.finish()[0] == AUTH_FAILED
    done = run_with_secrets({"--lockout-fd": b""}, "own")
    assert done.returncode == AUTH_FAILED
    assert "--lockout-fd gave an empty secret" in done.stderr
    assert state(root) == UNOWNED


def test_own_says_how_long_a_secret_may_be(root):
    terminal = Terminal("own")
    type_secret(terminal, "The new lockout auth, which is not shown: ", "x" * 65)
    terminal.read_until("at most 64 bytes")
    type_twice(terminal, "lockout auth", "x" * 64)
    assert terminal.finish()[0] == OK
    assert state(root) == LOCKOUT_OWNED


def test_own_that_is_cancelled(root):
    terminal = Terminal("own")
    terminal.read_until("which is not shown: $")
    ward.wait_until(lambda: not termios.tcgetattr(terminal.fd)[3] & termios.ECHO, why="the secret to be hidden")
    terminal.type("\x04")
    assert terminal.finish()[0] == AUTH_FAILED
    assert state(root) == UNOWNED


def test_own_without_a_terminal_names_the_option(root):
    done = run_with_secrets({}, "own")
    assert done.returncode == AUTH_FAILED
    assert "There is no terminal to ask on. Give it by --lockout-fd." in done.stderr
    assert state(root) == UNOWNED


def test_own_in_a_script(sandbox, root):
    secrets = {"--lockout-fd": b"lock", "--owner-fd": b"own", "--endorsement-fd": b"endorse"}
    done = run_with_secrets(secrets, "own", "--force", "--json")
    assert (done.returncode, done.stderr) == (OK, "")
    shown = json.loads(done.stdout)
    assert (shown["tpm"], shown["lockout_auth_set"], shown["srk_handle"]) == ("tpm0", True, SRK)
    assert state(root) == (True, True, True, True, True)
    for option, secret in secrets.items():
        assert opens(sandbox, option[2:-3], secret.decode())


def test_one_descriptor_is_not_two(root):
    reader = os.memfd_create("secret")
    os.write(reader, b"sesame")
    done = subprocess.run(
        ["tpmward", "own", f"--lockout-fd={reader}", f"--endorsement-fd={reader}"],
        pass_fds=[reader], capture_output=True, text=True, check=False, env=environment(),
    )  # fmt: skip
    assert done.returncode in (USAGE, AUTH_FAILED)
    assert state(root) == UNOWNED
    os.close(reader)


def test_own_twice(root):
    assert run_with_secrets({"--lockout-fd": b"sesame"}, "own").returncode == OK
    done = run_with_secrets({"--lockout-fd": b"barley"}, "own")
    assert done.returncode == FAILURE
    assert "is set already" in done.stderr
    assert "tpmward change-auth lockout" in done.stderr
    assert "not shown" not in Terminal("own").finish()[1]


def test_own_needs_an_administrator():
    done = run("own", "--srk-only", user="ward-alice")
    assert done.returncode == NOT_AUTHORIZED


def test_secrets_are_in_no_arguments_and_no_environment(sandbox):
    """While polkit's password is asked for, by another process, the secret is known and on nobody's display."""
    terminal = Terminal("own", user="ward-alice")
    type_twice(terminal, "lockout auth", "open-barley")
    terminal.read_until("Password: ")
    for process in Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "environ"):
            try:
                assert b"open-barley" not in (process / name).read_bytes(), process
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
    terminal.type_password("adminpw")
    status, screen = terminal.finish()
    assert status == OK
    assert "open-barley" not in screen
    assert "open-barley" not in sandbox.log()


def test_srk_only(root):
    assert run("own", "--srk-only").stdout == "✓ Its storage root key is at 0x81000001.\n"
    assert state(root) == (False, False, False, False, True)
    done = run("own", "--srk-only")
    assert (done.returncode, done.stdout) == (OK, "It was there already: its storage root key is at 0x81000001.\n")


def test_srk_only_with_an_owner_auth(sandbox, root):
    sandbox.tpm2("tpm2_changeauth", "-c", "owner", "open")
    terminal = Terminal("own", "--srk-only")
    type_secret(terminal, "The owner auth, which is not shown: ", "shut")
    assert terminal.finish()[0] == AUTH_FAILED
    assert run_with_secrets({"--owner-fd": b"open"}, "own", "--srk-only").returncode == OK
    assert root.get("Ownership.SrkHandle") == SRK


# what would stop working


BREAKING = [
    entry(kind="luks-volume", subject="/dev/sda3", owner="root", detail="It is unlocked by clevis.", recoverable="yes",
          reason="There is a passphrase.", uses_owner_empty_auth=True),
    entry(kind="key", subject="/etc/ssh/ek.pem", recoverable="no", uses_endorsement_empty_auth=True),
]  # fmt: skip


@pytest.fixture
def fake(fakes):  # noqa: F811
    """fake(properties, replies): a service beside which things would stop working."""
    return lambda properties=None, **replies: fakes(properties or {}, {"PreviewOwnership": ("(aa{sv})", (BREAKING,)), **replies})


def test_what_would_stop_working_is_shown_and_asked_about(fake):
    service = fake()
    terminal = Terminal("own", "--owner", DBUS_SYSTEM_BUS_ADDRESS=service.address)
    answer(terminal, "Set the auth all the same?", "no")
    status, screen = terminal.finish()
    assert status == FAILURE
    assert "/dev/sda3" in screen and "It is unlocked by clevis." in screen
    assert "ek.pem" not in screen
    assert "not shown" not in screen
    assert not service.called("TakeOwnership")


def test_a_person_may_insist(fake):
    service = fake()
    terminal = Terminal("own", "--owner", DBUS_SYSTEM_BUS_ADDRESS=service.address)
    answer(terminal, "Set the auth all the same?", "yes")
    type_twice(terminal, "owner auth", "open")
    assert terminal.finish()[0] == OK
    (call,) = service.called("TakeOwnership")
    assert call[1][0]["force"] is True
    assert call[2] == {"owner-auth": b"open"}


def test_a_script_needs_force(fake):
    service = fake()
    env = {"DBUS_SYSTEM_BUS_ADDRESS": service.address}
    done = run_with_secrets({"--endorsement-fd": b"x"}, "own", **env)
    assert done.returncode == FAILURE
    assert "ek.pem" in done.stdout and "/dev/sda3" not in done.stdout
    assert "--force" in done.stderr
    done = run_with_secrets({"--owner-fd": b"x"}, "own", "--json", **env)
    assert (done.returncode, done.stdout) == (FAILURE, "")
    assert "/dev/sda3" in done.stderr
    done = run_with_secrets({"--new-fd": b"x"}, "change-auth", "owner", **env)
    assert done.returncode == FAILURE
    assert not service.called("TakeOwnership", "ChangeAuth")
    assert run_with_secrets({"--owner-fd": b"x"}, "own", "--force", **env).returncode == OK
    assert run_with_secrets({"--new-fd": b"x"}, "change-auth", "owner", "--force", **env).returncode == OK
    assert [call[1][-1]["force"] for call in service.called("TakeOwnership", "ChangeAuth")] == [True, True]


def test_the_lockout_auth_breaks_nothing(fake):
    service = fake()
    done = run_with_secrets({"--lockout-fd": b"x"}, "own", DBUS_SYSTEM_BUS_ADDRESS=service.address)
    assert done.returncode == OK
    assert not service.called("PreviewOwnership")
    assert "force" not in service.called("TakeOwnership")[0][1][0]


def test_unseen_is_not_unbroken(root, no_helper):  # noqa: F811
    done = run_with_secrets({"--owner-fd": b"x"}, "own")
    assert done.returncode == FAILURE
    assert "not known what would stop working" in done.stderr
    assert state(root) == UNOWNED


# own --generate


def test_a_generated_auth_is_shown_before_it_is_set(sandbox, root):
    terminal = Terminal("own", "--generate")
    answer(terminal, "Is it written down?", "yes")
    status, screen = terminal.finish()
    assert status == OK
    (secret,) = GENERATED.findall(screen)
    assert state(root) == LOCKOUT_OWNED
    assert opens(sandbox, "lockout", secret)
    assert secret not in sandbox.log()
    for text in ("TPM recovery sheet", os.uname().nodename, "tpm0", "The lockout auth"):
        assert text in screen


def test_nothing_is_set_until_it_is_written_down(root):
    terminal = Terminal("own", "-g")
    terminal.read_until(r"go on: $")
    assert GENERATED.search(terminal.screen)
    assert state(root) == UNOWNED
    terminal.type("no\n")
    assert terminal.finish()[0] == FAILURE
    assert state(root) == UNOWNED


def test_each_generated_auth_is_another(fake):
    service = fake()
    args = ["own", "-g", "--json", "--lockout", "--owner", "--endorsement", "--force"]
    done = run(*args, DBUS_SYSTEM_BUS_ADDRESS=service.address)
    assert (done.returncode, done.stderr) == (OK, "")
    auths = json.loads(done.stdout)["auths"]
    assert sorted(auths) == ["endorsement", "lockout", "owner"]
    assert all(GENERATED.fullmatch(auth) for auth in auths.values())
    assert len(set(auths.values())) == 3
    (call,) = service.called("TakeOwnership")
    assert call[2] == {f"{name}-auth": auth.encode() for name, auth in auths.items()}


@pytest.mark.parametrize("args", [["own"], ["change-auth", "lockout"]])
def test_no_secret_in_a_pipe_unasked(root, args):
    assert "--print" in fails(USAGE, *args, "--generate")
    assert state(root) == UNOWNED


def test_a_sheet_for_a_printer(sandbox, root):
    done = run("own", "--generate", "--print")
    assert (done.returncode, done.stderr) == (OK, "")
    (secret,) = GENERATED.findall(done.stdout)
    assert opens(sandbox, "lockout", secret)


def test_a_sheet_that_cannot_be_printed_sets_nothing(root):
    for args in (["--print"], ["--json"]):
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                ["tpmward", "own", "--generate", *args], stdout=full, stderr=subprocess.PIPE, env=environment(),
                stdin=subprocess.DEVNULL, check=False, timeout=60,
            )  # fmt: skip
        assert done.returncode == FAILURE
        assert b"The recovery sheet cannot be written" in done.stderr
        assert state(root) == UNOWNED


def test_a_sheet_is_void_if_the_call_fails(fake):
    service = fake(TakeOwnership="NotAuthorized")
    done = run("own", "-g", "--json", DBUS_SYSTEM_BUS_ADDRESS=service.address)
    assert done.returncode == NOT_AUTHORIZED
    assert "was not set, and is of no use" in done.stderr
    service = fake(TakeOwnership="Unreachable")
    done = run("own", "-g", "--json", DBUS_SYSTEM_BUS_ADDRESS=service.address)
    assert "Keep what the sheet shows" in done.stderr


def test_a_tpm_of_short_auths(fake):
    properties = ("(a{sv})", ({"TPM_PT_CONTEXT_HASH": GLib.Variant("u", SHA1)},))
    service = fake(GetProperties=properties)
    done = run("own", "-g", "--json", DBUS_SYSTEM_BUS_ADDRESS=service.address)
    assert (done.returncode, done.stdout) == (FAILURE, "")
    assert "at most 20 bytes" in done.stderr


# change-auth


def test_change_of_the_lockout_auth(sandbox, root):
    assert run_with_secrets({"--new-fd": b"first"}, "change-auth", "lockout").returncode == OK
    terminal = Terminal("change-auth", "lockout")
    type_secret(terminal, "The present lockout auth, which is not shown: ", "first")
    type_twice(terminal, "lockout auth", "second")
    status, screen = terminal.finish()
    assert status == OK
    assert "The lockout auth of tpm0 was changed.\n" in screen
    assert "even the right one for" in words(screen)
    assert opens(sandbox, "lockout", "second")
    done = run_with_secrets({"--old-fd": b"second"}, "change-auth", "lockout", "--remove")
    assert done.stdout == "✓ The lockout auth of tpm0 was removed.\n"
    assert state(root)[3] is False


def test_change_with_a_wrong_lockout_auth(root):
    run_with_secrets({"--new-fd": b"first"}, "change-auth", "lockout")
    done = run_with_secrets({"--old-fd": b"wrong", "--new-fd": b"x"}, "change-auth", "lockout")
    assert done.returncode == AUTH_FAILED
    assert "The TPM now refuses even the right lockout auth until " in done.stderr
    done = run_with_secrets({"--old-fd": b"first", "--new-fd": b"x"}, "change-auth", "lockout")
    assert done.returncode == LOCKED_OUT
    assert "--force" in done.stderr


def test_an_empty_old_secret_is_not_spent(root):
    run_with_secrets({"--new-fd": b"first"}, "change-auth", "lockout")
    done = run_with_secrets({"--old-fd": b"", "--new-fd": b"x"}, "change-auth", "lockout")
    assert done.returncode == AUTH_FAILED
    assert "--old-fd gave an empty secret" in done.stderr
    assert root.get("Lockout.LockoutAuthBarredUntil") == 0


@pytest.mark.parametrize("which", ["owner", "endorsement"])
def test_change_of_another_auth(sandbox, root, which):
    assert run_with_secrets({"--new-fd": b"first"}, "change-auth", which, "--force").returncode == OK
    done = run_with_secrets({"--old-fd": b"wrong", "--new-fd": b"x"}, "change-auth", which)
    assert done.returncode == AUTH_FAILED
    done = run_with_secrets({"--old-fd": b"first", "--new-fd": b"second"}, "change-auth", which, "--json")
    assert json.loads(done.stdout)[f"{which}_auth_set"] is True
    assert opens(sandbox, which, "second")
    terminal = Terminal("change-auth", which, "--remove")
    type_secret(terminal, f"The present {which} auth, which is not shown: ", "second")
    assert terminal.finish()[0] == OK
    assert state(root) == UNOWNED


def test_change_to_a_generated_auth(sandbox):
    run_with_secrets({"--new-fd": b"first"}, "change-auth", "lockout")
    done = run_with_secrets({"--old-fd": b"first"}, "change-auth", "lockout", "--generate", "--json")
    assert done.returncode == OK, done.stderr
    assert opens(sandbox, "lockout", json.loads(done.stdout)["auths"]["lockout"])


def test_nothing_to_remove(root):
    assert "nothing to remove" in fails(FAILURE, "change-auth", "owner", "--remove")
    done = run_with_secrets({"--new-fd": b""}, "change-auth", "lockout")
    assert done.returncode == AUTH_FAILED
    assert "takes --remove" in done.stderr


# release


def test_release_removes_all(root):
    secrets = {"--lockout-fd": b"lock", "--owner-fd": b"own", "--endorsement-fd": b"endorse"}
    assert run_with_secrets(secrets, "own", "--force").returncode == OK
    terminal = Terminal("release")
    type_secret(terminal, "The endorsement auth, which is not shown: ", "endorse")
    type_secret(terminal, "The owner auth, which is not shown: ", "own")
    type_secret(terminal, "The lockout auth, which is not shown: ", "lock")
    status, screen = terminal.finish()
    assert status == OK
    assert "removed is its endorsement auth, owner auth, lockout auth.\n" in screen
    assert state(root) == (False, False, False, False, True)
    done = run("release")
    assert (done.returncode, done.stdout) == (OK, "tpm0 has no auth values, so there is nothing to release.\n")


def test_release_goes_on_where_it_stopped(root):
    secrets = {"--lockout-fd": b"lock", "--endorsement-fd": b"endorse"}
    run_with_secrets(secrets, "own", "--force")
    done = run_with_secrets({**secrets, "--lockout-fd": b"wrong"}, "release")
    assert done.returncode == AUTH_FAILED
    assert "Removed before that: endorsement auth." in done.stderr
    assert "The TPM now refuses even the right lockout auth" in done.stderr
    assert state(root) == (True, False, False, True, True)


def test_release_spends_no_lockout_auth_after_another_failed(root):
    secrets = {"--lockout-fd": b"lock", "--owner-fd": b"own"}
    run_with_secrets(secrets, "own", "--force")
    done = run_with_secrets({"--lockout-fd": b"wrong", "--owner-fd": b"wrong"}, "release")
    assert done.returncode == AUTH_FAILED
    assert root.get("Lockout.LockoutAuthBarredUntil") == 0
    assert run_with_secrets(secrets, "release", "--json").returncode == OK


def test_release_of_what_is_not_set(root):
    run_with_secrets({"--lockout-fd": b"lock"}, "own")
    done = run_with_secrets({"--lockout-fd": b"lock", "--owner-fd": b"own"}, "release")
    assert done.returncode == FAILURE
    assert "has no owner auth" in done.stderr
    assert state(root) == LOCKOUT_OWNED


# status


def test_status_tells_who_owns_it(root):
    shown = run("status").stdout
    assert re.search(r"Ownership +no auth value is set \(“tpmward own” sets one\)\n", shown)
    assert re.search(r"Storage key +none ", shown)
    run_with_secrets({"--lockout-fd": b"lock", "--owner-fd": b"own"}, "own", "--force")
    shown = run("status").stdout
    assert re.search(r"Ownership +lockout auth set · owner auth set\n", shown)
    assert re.search(r"Storage key +0x81000001\n", shown)
    assert json.loads(run("status", "--json").stdout)["tpms"][0]["ownership"]["srk_handle"] == SRK


def test_status_tells_of_a_clear_that_waits(fake):
    shown = run("status", DBUS_SYSTEM_BUS_ADDRESS=fake({"Ownership.ClearPending": True}).address).stdout
    assert "“tpmward clear --cancel” withdraws it" in shown
    assert "Clear" not in run("status").stdout


# usage


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["own", "--srk-only", "--lockout"], "takes --owner-fd alone"),
        (["own", "--print"], "--print belongs to --generate"),
        (["own", "--generate", "--print", "--json"], "without --json"),
        (["own", "--lockout-fd=x"], "the number of an open file descriptor"),
        (["own", "now"], "does not take the argument “now”"),
        (["change-auth"], "needs an argument: WHICH"),
        (["change-auth", "lockuot"], "Did you mean “lockout”?"),
        (["change-auth", "owner", "--remove", "--generate"], "Only one of"),
        (["release", "--owner-fd=99"], "the number of an open file descriptor"),
    ],
)
def test_wrong_usage(args, message):
    assert message in fails(USAGE, *args)
