# SPDX-License-Identifier: LGPL-2.1-or-later
"""tpmward lockout: what it shows, and how it asks for the lockout auth, hands it on and keeps people from barring their TPM."""

import json
import os
import re
import signal
import subprocess
import termios
import time
from pathlib import Path

import pytest
from test_cli import (
    AUTH_FAILED,
    LOCKED_OUT,
    NOT_AUTHORIZED,
    OK,
    USAGE,
    Monitor,
    Terminal,
    environment,
    fails,
    on_terminal,
    run,
    run_json,
    run_ok,
)
from test_lockout import NEVER_BARRED, UNTIL_RESET, fresh_lockout, set_lockout_auth  # noqa: F401

import ward

PROMPT = "The lockout auth, which is not shown: "
INTERRUPT, END_OF_INPUT, SUSPEND = "\x03", "\x04", "\x1a"


def run_with_secret(secret, *args):
    """tpmward with the secret at the other end of descriptor 3, and no terminal."""
    reader = os.memfd_create("secret")  # a pipe may be too small
    os.write(reader, secret)
    os.lseek(reader, 0, os.SEEK_SET)
    command = f'exec tpmward "$@" --auth-fd=3 3<&{reader} {reader}<&-'
    done = subprocess.run(
        ["bash", "-c", command, "bash", *args], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
        pass_fds=[reader], start_new_session=True, env=environment(), check=False,
    )  # fmt: skip
    os.close(reader)
    return done


def run_detached(*args):
    """tpmward without any terminal, also none that the tests may have been started on."""
    return subprocess.run(
        ["tpmward", *args], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
        start_new_session=True, env=environment(), check=False,
    )  # fmt: skip


def shows_input(terminal):
    return bool(termios.tcgetattr(terminal.fd)[3] & termios.ECHO)


def wait_until_hidden(terminal):
    terminal.read_until(re.escape(PROMPT) + "$")
    ward.wait_until(lambda: not shows_input(terminal), why="the secret to be hidden")


def type_secret(terminal, secret):
    wait_until_hidden(terminal)
    terminal.type(secret + "\n")


def words(text):
    """Text as it was before it was wrapped."""
    return " ".join(text.split())


def is_barred(root):
    return root.get("Lockout.LockoutAuthBarredUntil") != NEVER_BARRED


# what it shows


def test_lockout_of_a_tpm_that_is_well():
    shown = run_ok("lockout")
    assert shown.startswith("● tpm0 is not locked out\n")
    assert re.search(r"Failures +none of 3\n", shown)
    assert re.search(r"Locks after +3 failures\n", shown)
    assert re.search(r"Forgives +one failure every 16 minutes 40 seconds\n", shown)
    assert re.search(r"Lockout auth +none", shown)
    assert "forgiven" not in shown and "Barred" not in shown
    assert "Lockout" not in run_ok("status")


def test_failures_are_shown(sandbox):
    sandbox.fail_authorizations(1)
    shown = run_ok("lockout")
    assert re.search(r"Failures +1 of 3\n", shown)
    assert re.search(r"Next forgiven +at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d, in 16 minutes( \d+ seconds?)? at the latest\n", shown)
    assert re.search(r"Lockout +1 of 3 failures · one is forgiven at ", run_ok("status"))


def test_failures_that_the_service_has_not_seen_are_shown(sandbox):
    """It looks at the chip, and does not repeat what it was told when the service started."""
    run_ok("lockout")
    sandbox.fail_authorizations(2)
    assert "2 of 3" in run_ok("lockout")


def test_a_lockout_is_shown_in_red(sandbox):
    sandbox.fail_authorizations(3)
    status, screen = on_terminal("lockout")
    assert status == LOCKED_OUT
    assert "\033[1;31mis locked out\033[0m" in screen
    status, screen = on_terminal("status", columns=200)
    assert status == OK
    assert "\033[1;31mlocked out · 3 of 3 failures" in screen


def test_lockout_in_json(sandbox, root):
    everything = root.call("org.freedesktop.DBus.Properties.GetAll", "s", "org.tpmward1.Lockout")
    shown = run_json("lockout")
    for name, value in everything.items():
        assert shown[re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()] == value
    assert (shown["tpm"], shown["lockout_auth_set"]) == ("tpm0", False)
    set_lockout_auth(sandbox, "sesame")
    assert run_json("lockout")["lockout_auth_set"] is True


def test_monitor_sees_a_lockout_end(sandbox):
    sandbox.fail_authorizations(3)
    watching = Monitor()
    try:
        run_ok("lockout", "reset")
        told = "\n".join(watching.read_until("next recovery: ") + watching.read_until("failures: "))
        assert "failures: 3 → 0" in told
        assert re.search(r"next recovery: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d → none", told)
    finally:
        watching.process.kill()
        watching.process.wait()
        watching.process.stdout.close()


# reset


def test_reset_asks_for_nothing_where_no_auth_is_set(sandbox, root):
    sandbox.fail_authorizations(3)
    done = run_detached("lockout", "reset")
    assert (done.returncode, done.stderr) == (OK, "")
    assert done.stdout == "✓ tpm0 has forgiven all failures and is not locked out.\n"
    assert root.get("Lockout.LockedOut") is False


def test_reset_in_json(sandbox):
    sandbox.fail_authorizations(3)
    shown = run_json("lockout", "reset")
    assert (shown["locked_out"], shown["failures"]) == (False, 0)


def test_reset_asks_without_showing_what_is_typed(sandbox, root):
    set_lockout_auth(sandbox, "sesame")
    sandbox.fail_authorizations(3)
    terminal = Terminal("lockout", "reset")
    type_secret(terminal, "sesame")
    status, screen = terminal.finish()
    assert status == OK
    assert "sesame" not in screen
    assert "even the right one for 16 minutes 40 seconds" in words(screen)
    assert screen.index("Careful") < screen.index(PROMPT)
    assert root.get("Lockout.LockedOut") is False


def test_the_prompt_is_on_the_terminal_and_not_in_the_output(sandbox, tmp_path):
    set_lockout_auth(sandbox, "sesame")
    output = tmp_path / "output"
    terminal = Terminal("-c", f'tpmward lockout reset --json >"{output}" 2>&1 </dev/null', program="bash")
    type_secret(terminal, "sesame")
    status, screen = terminal.finish()
    assert (status, words(screen)) == (OK, PROMPT.strip())
    warning, brace, rest = output.read_text().partition("{")
    assert warning.startswith("Careful: ")
    assert json.loads(brace + rest)["locked_out"] is False


def test_reset_with_a_secret_from_a_descriptor(sandbox, root):
    set_lockout_auth(sandbox, "sesame")
    sandbox.fail_authorizations(3)
    done = run_with_secret(b"sesame", "lockout", "reset")
    assert (done.returncode, done.stderr) == (OK, "")
    assert root.get("Lockout.LockedOut") is False


def test_a_line_end_is_part_of_the_secret(sandbox):
    set_lockout_auth(sandbox, "sesame\n")
    done = run_with_secret(b"sesame\n", "lockout", "reset")
    assert done.returncode == OK
    assert "ends in a line's end" in done.stderr


def test_a_secret_with_any_bytes(sandbox):
    set_lockout_auth(sandbox, "hex:00ff0aff")
    assert run_with_secret(b"\x00\xff\x0a\xff", "lockout", "reset").returncode == OK


def test_no_secret_in_arguments_or_environments(sandbox):
    """While polkit's password is asked for, by another process, the secret is known and on nobody's display."""
    set_lockout_auth(sandbox, "open-barley")
    terminal = Terminal("lockout", "reset", user="ward-alice")
    type_secret(terminal, "open-barley")
    terminal.read_until("Password: ")
    seen = 0
    for process in Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "environ"):
            try:
                text = (process / name).read_bytes()
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
            assert b"open-barley" not in text, process
            seen += b"pkttyagent" in text
    assert seen
    terminal.type_password("adminpw")
    status, screen = terminal.finish()
    assert status == OK
    assert "open-barley" not in screen
    assert "open-barley" not in sandbox.log()


def test_reset_is_for_administrators():
    fails(NOT_AUTHORIZED, "lockout", "reset", user="ward-alice")
    assert run("lockout", user="ward-alice").returncode == OK


# what keeps people from barring their TPM


def test_a_wrong_auth(sandbox, root):
    set_lockout_auth(sandbox, "sesame")
    done = run_with_secret(b"wrong", "lockout", "reset")
    assert done.returncode == AUTH_FAILED
    assert done.stdout == ""
    assert "The TPM now refuses even the right lockout auth until " in done.stderr
    assert is_barred(root)
    assert re.search(r"Barred +until ", run("lockout").stdout)

    done = run_with_secret(b"sesame", "lockout", "reset")
    assert done.returncode == LOCKED_OUT
    assert "--force" in done.stderr
    # the chip itself refuses, and nobody is asked a question that would not help
    assert run_with_secret(b"sesame", "lockout", "reset", "--force").returncode == LOCKED_OUT


def test_a_barred_tpm_is_not_tried_unless_the_person_insists(sandbox):
    set_lockout_auth(sandbox, "sesame")
    run_with_secret(b"wrong", "lockout", "reset")
    terminal = Terminal("lockout", "reset")
    terminal.read_until("to go on: ")
    terminal.type("no\n")
    status, screen = terminal.finish()
    assert status == LOCKED_OUT
    assert PROMPT not in screen

    terminal = Terminal("lockout", "reset")
    terminal.read_until("to go on: ")
    terminal.type("yes\n")
    type_secret(terminal, "sesame")
    assert terminal.finish()[0] == LOCKED_OUT


def bar_and_wait(sandbox, root):
    """A wrong lockout auth on record, of which the chip knows nothing any more."""
    root.call("Lockout.SetParameters", "uuua{sv}", 3, 1000, 1, {})
    set_lockout_auth(sandbox, "sesame")
    assert run_with_secret(b"wrong", "lockout", "reset").returncode == AUTH_FAILED
    until = root.get("Lockout.LockoutAuthBarredUntil")
    ward.wait_until(lambda: time.time() * 1e6 > until + 1e6, why="the bar's end")


def test_force(sandbox, root):
    bar_and_wait(sandbox, root)
    done = run_with_secret(b"sesame", "lockout", "reset")
    assert done.returncode == LOCKED_OUT
    assert "on record" in done.stderr
    assert run_with_secret(b"sesame", "lockout", "reset", "--force").returncode == OK
    assert run_with_secret(b"sesame", "lockout", "reset").returncode == OK


def test_force_is_offered_on_a_terminal(sandbox, root):
    bar_and_wait(sandbox, root)
    terminal = Terminal("lockout", "reset")
    type_secret(terminal, "sesame")
    terminal.read_until("to go on: ")
    terminal.type("yes\n")
    status, screen = terminal.finish()
    assert status == OK
    assert screen.count(PROMPT) == 1


def test_a_bar_until_a_reset(sandbox, root):
    run_ok("lockout", "set", "--recovery", "500")
    root.call("Lockout.SetParameters", "uuua{sv}", 3, 1000, 0, {})
    set_lockout_auth(sandbox, "sesame")
    run_with_secret(b"wrong", "lockout", "reset")
    assert root.get("Lockout.LockoutAuthBarredUntil") == UNTIL_RESET
    assert json.loads(run("lockout", "--json").stdout)["lockout_auth_barred_until"] == 2**63 - 1
    assert "until the TPM is reset, at the next restart of the machine" in words(run("lockout").stdout)


def test_an_empty_secret_is_never_tried_where_one_is_set(sandbox, root):
    set_lockout_auth(sandbox, "sesame")
    done = run_with_secret(b"", "lockout", "reset")
    assert done.returncode == AUTH_FAILED
    assert "empty" in done.stderr

    terminal = Terminal("lockout", "reset")
    type_secret(terminal, "")
    status, screen = terminal.finish()
    assert status == AUTH_FAILED
    assert "nothing was done" in screen
    assert not is_barred(root)


def test_a_secret_where_none_is_set_is_not_spent(root):
    assert run_with_secret(b"surplus", "lockout", "reset").returncode == AUTH_FAILED
    assert not is_barred(root)


@pytest.mark.parametrize("secret", [b"a" * (64 * 1024 + 1), b"a" * 65, b"a\0"])
def test_secrets_that_are_none(sandbox, root, secret):
    set_lockout_auth(sandbox, "sesame")
    done = run_with_secret(secret, "lockout", "reset")
    assert done.returncode == 1, done.stderr
    assert not is_barred(root)


def test_no_terminal_to_ask_on(sandbox, root):
    set_lockout_auth(sandbox, "sesame")
    done = run_detached("lockout", "reset")
    assert done.returncode == AUTH_FAILED
    assert "There is no terminal to ask on. Give it by --auth-fd." in done.stderr
    assert not is_barred(root)


# the terminal


def test_end_of_input(sandbox):
    set_lockout_auth(sandbox, "sesame")
    terminal = Terminal("lockout", "reset")
    wait_until_hidden(terminal)
    terminal.type(END_OF_INPUT)
    terminal.read_until("was not answered")
    assert shows_input(terminal)
    assert terminal.finish()[0] == AUTH_FAILED


def test_too_long_a_line(sandbox, root):
    set_lockout_auth(sandbox, "sesame")
    terminal = Terminal("lockout", "reset")
    type_secret(terminal, "x" * 2000)
    status, screen = terminal.finish()
    assert status == AUTH_FAILED
    assert "too long" in screen
    assert not is_barred(root)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_at_the_prompt(sandbox, number):
    set_lockout_auth(sandbox, "sesame")
    terminal = Terminal("lockout", "reset")
    kept = os.open(f"/proc/{terminal.pid}/fd/0", os.O_RDWR | os.O_NOCTTY)  # or its modes are gone with the process
    wait_until_hidden(terminal)
    if number == signal.SIGINT:
        terminal.type(INTERRUPT)
    else:
        os.kill(terminal.pid, number)
    _, status = os.waitpid(terminal.pid, 0)
    assert os.waitstatus_to_exitcode(status) == -number
    assert shows_input(terminal)
    os.close(kept)
    os.close(terminal.fd)


def test_a_stop_at_the_prompt(sandbox, root):
    """Another command finds the terminal as it was, and what goes on asks again."""
    set_lockout_auth(sandbox, "sesame")
    script = "set -m; tpmward lockout reset; stty -a; echo stopped; fg"
    terminal = Terminal("-c", script, program="bash")
    wait_until_hidden(terminal)
    terminal.type("ses")
    terminal.type(SUSPEND)
    terminal.read_until("stopped\r\n")
    assert re.search(r"(?<!-)\becho\b", terminal.screen)
    terminal.read_until(r"stopped(?s:.*)which is not shown: ")
    type_secret(terminal, "sesame")
    status, screen = terminal.finish()
    assert status == OK
    assert "sesame" not in screen
    assert not is_barred(root)


# set


def test_set_keeps_what_is_not_given(root):
    assert re.search(r"Locks after +5 failures\n", run_ok("lockout", "set", "--max=5"))
    run_ok("lockout", "set", "--recovery", "7200", "--lockout-recovery", "86400")
    names = ("MaxFailures", "RecoverySeconds", "LockoutRecoverySeconds")
    assert [root.get(f"Lockout.{name}") for name in names] == [5, 7200, 86400]
    assert run_json("lockout", "set", "--max", "6")["max_failures"] == 6


def test_set_with_the_lockout_auth(sandbox, root):
    set_lockout_auth(sandbox, "sesame")
    assert run_with_secret(b"sesame", "lockout", "set", "--max=9").returncode == OK
    assert root.get("Lockout.MaxFailures") == 9


def test_set_warns_of_what_is_risky(sandbox):
    sandbox.fail_authorizations(2)
    done = run("lockout", "set", "--max=2", "--lockout-recovery=0")
    assert done.returncode == OK
    assert "--max=2 locks the TPM at once" in done.stderr
    assert "until the machine is restarted" in done.stderr


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["rest"], "Did you mean “reset”?"),
        (["reset", "set"], "does not take the argument “set”"),
        (["set"], "needs at least one of"),
        (["set", "--max=0"], "from 1 to 4294967295, not “0”"),
        (["set", "--recovery=0"], "from 1 to 4294967295, not “0”"),
        (["set", "--lockout-recovery=x"], "from 0 to 4294967295, not “x”"),
        (["set", "--max=4294967296"], "not “4294967296”"),
        (["reset", "--max=3"], "belong to “lockout set”"),
        (["--force"], "belong to “lockout reset”"),
        (["reset", "--auth-fd=x"], "the number of an open file descriptor"),
        (["reset", "--auth-fd=99"], "the number of an open file descriptor"),
        (["reset", "--auth-fd=-1"], "the number of an open file descriptor"),
    ],
)
def test_wrong_usage(args, message):
    assert message in fails(USAGE, "lockout", *args)


def test_a_terminal_is_no_descriptor_for_secrets():
    status, screen = on_terminal("lockout", "reset", "--auth-fd=0")
    assert status == USAGE
    assert "names a terminal" in screen
