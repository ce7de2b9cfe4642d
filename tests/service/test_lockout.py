# SPDX-License-Identifier: LGPL-2.1-or-later
"""The protection against dictionary attacks, its reset and its parameters, and the guard before the lockout auth."""

import fcntl
import os
import time

import pytest

import ward
from ward import ERROR, Monitor, caller

NEVER_BARRED = 0
UNTIL_RESET = 2**64 - 1
LOCKED_OUT = ERROR + "LockedOut"
AUTH_FAILED = ERROR + "AuthenticationFailed"


def options(**values):
    """{'auth': …, 'force': …} as a{sv}."""
    kinds = {str: "s", bytes: "ay", bool: "b"}
    return {name: caller.Variant(kinds[type(value)], value) for name, value in values.items()}


def sealed_memfd(data):
    fd = os.memfd_create("secret", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.write(fd, data)
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE)
    return fd


@pytest.fixture(autouse=True)
def fresh_lockout(sandbox):
    """Each test begins with a chip without a lockout auth, with the default parameters and without failures."""
    sandbox.kill("daemon", ward.signal.SIGTERM)
    for record in ward.STATE.glob("*.lockout-guard"):
        record.unlink()
    sandbox.restart("swtpm")
    # the platform may always clear: a software TPM leaves its hierarchy to whoever comes
    sandbox.tpm2("tpm2_clear", "-c", "p")
    sandbox.tpm2("tpm2_dictionarylockout", "-s", "-n", "3", "-t", "1000", "-l", "1000")
    sandbox.start("daemon")


def set_lockout_auth(sandbox, auth):
    sandbox.tpm2("tpm2_changeauth", "-c", "lockout", auth)


def chip(sandbox):
    """What tpm2_getcap says of the lockout."""
    text = sandbox.tpm2("tpm2_getcap", "properties-variable")
    words = dict(line.split(":", 1) for line in text.replace("  ", "").splitlines() if ":" in line)
    return {name.strip(): value.strip() for name, value in words.items()}


def test_properties_are_the_chips(sandbox, alice):
    sandbox.fail_authorizations(1)
    names = ("MaxFailures", "RecoverySeconds", "LockoutRecoverySeconds", "Failures", "LockedOut")
    told = {name: alice.get(f"Lockout.{name}") for name in names}
    raw = chip(sandbox)
    assert told == {
        "MaxFailures": int(raw["TPM2_PT_MAX_AUTH_FAIL"], 16),
        "RecoverySeconds": int(raw["TPM2_PT_LOCKOUT_INTERVAL"], 16),
        "LockoutRecoverySeconds": int(raw["TPM2_PT_LOCKOUT_RECOVERY"], 16),
        "Failures": int(raw["TPM2_PT_LOCKOUT_COUNTER"], 16),
        "LockedOut": raw["inLockout"] == "1",
    }
    assert told["Failures"] == 1


def test_lockout_and_reset(sandbox, root, alice):
    sandbox.fail_authorizations(3)
    now = time.time() * 1e6
    assert (alice.get("Lockout.LockedOut"), alice.get("Lockout.Failures")) == (True, 3)
    recovery = alice.get("Lockout.RecoverySeconds") * 1e6
    assert now <= alice.get("Lockout.NextRecovery") <= now + recovery + 10e6

    seen = root.watch_properties(ward.TPM0)
    assert root.call("Lockout.Reset", "a{sv}", {}) is None
    changes = [signal.args[1] for signal in seen.all() if signal.args[0] == "org.tpmward1.Lockout"]
    assert {"LockedOut": False, "Failures": 0, "NextRecovery": 0}.items() <= changes[-1].items()


@pytest.mark.parametrize("kind", ["s", "ay", "h"])
def test_reset_with_the_lockout_auth(sandbox, root, kind):
    set_lockout_auth(sandbox, "sesame")
    sandbox.fail_authorizations(3)
    fds = [sealed_memfd(b"sesame")] if kind == "h" else []
    value = {"s": "sesame", "ay": b"sesame", "h": 0}[kind]
    root.call("Lockout.Reset", "a{sv}", {"auth": caller.Variant(kind, value)}, fds=fds)
    assert root.get("Lockout.LockedOut") is False


def test_next_failure_is_forgiven_by_a_timer(sandbox, root, alice):
    """Nobody asks, and the property changes when the time has come."""
    root.call("Lockout.SetParameters", "uuua{sv}", 3, 2, 1000, {})
    sandbox.fail_authorizations(1)
    seen = alice.watch_properties(ward.TPM0)
    assert alice.get("Lockout.Failures") == 1
    seen.wait(lambda signal: signal.args[1].get("Failures") == 0, timeout=10)
    assert alice.get("Lockout.NextRecovery") == 0


def test_parameters(sandbox, root):
    root.call("Lockout.SetParameters", "uuua{sv}", 31, 600, 86400, {})
    assert [root.get(f"Lockout.{name}") for name in ("MaxFailures", "RecoverySeconds", "LockoutRecoverySeconds")] == [31, 600, 86400]
    raw = chip(sandbox)
    assert int(raw["TPM2_PT_MAX_AUTH_FAIL"], 16) == 31
    assert int(raw["TPM2_PT_LOCKOUT_INTERVAL"], 16) == 600


@pytest.mark.parametrize("arguments", [(0, 600, 600), (3, 0, 600)])
def test_parameters_that_would_harm(root, arguments):
    before = root.get("Lockout.MaxFailures"), root.get("Lockout.RecoverySeconds")
    error = root.error("Lockout.SetParameters", "uuua{sv}", *arguments, {}, interactive=True)
    assert error.name == ERROR + "InvalidArgument"
    assert (root.get("Lockout.MaxFailures"), root.get("Lockout.RecoverySeconds")) == before


def test_wrong_lockout_auth_is_remembered(sandbox, root):
    """One wrong try bars the chip for long: the second is not made, also by a service that was started anew, until told to."""
    set_lockout_auth(sandbox, "sesame")
    now = time.time() * 1e6
    assert root.error("Lockout.Reset", "a{sv}", options(auth="wrong")).name == AUTH_FAILED
    barred = root.get("Lockout.LockoutAuthBarredUntil")
    assert now + 990e6 <= barred <= time.time() * 1e6 + 1010e6

    for start_anew in (False, True):
        if start_anew:
            sandbox.restart("daemon")
        for method, arguments in (("Reset", ()), ("SetParameters", (5, 5, 5))):
            signature = "u" * len(arguments) + "a{sv}"
            error = root.error(f"Lockout.{method}", signature, *arguments, options(auth="sesame"))
            assert error.name == LOCKED_OUT
            assert "force" in error.message
    assert root.get("Lockout.LockoutAuthBarredUntil") == barred

    # the chip refuses even the right one, and its bar has not become longer by that
    assert root.error("Lockout.Reset", "a{sv}", options(auth="sesame", force=True)).name == LOCKED_OUT
    assert root.get("Lockout.LockoutAuthBarredUntil") == barred


def test_bar_until_a_reset(sandbox, root):
    root.call("Lockout.SetParameters", "uuua{sv}", 3, 1000, 0, {})
    set_lockout_auth(sandbox, "sesame")
    assert root.error("Lockout.Reset", "a{sv}", options(auth="wrong")).name == AUTH_FAILED
    assert root.get("Lockout.LockoutAuthBarredUntil") == UNTIL_RESET

    sandbox.restart("swtpm")
    root.call("Tpm.Refresh")
    assert root.get("Lockout.LockoutAuthBarredUntil") == NEVER_BARRED
    assert root.error("Lockout.Reset", "a{sv}", options(auth="sesame")).name == LOCKED_OUT
    root.call("Lockout.Reset", "a{sv}", options(auth="sesame", force=True))
    root.call("Lockout.Reset", "a{sv}", options(auth="sesame"))


def test_auth_where_none_is_set_is_not_spent(root):
    error = root.error("Lockout.Reset", "a{sv}", options(auth="surplus"))
    assert error.name == AUTH_FAILED
    assert root.get("Lockout.LockoutAuthBarredUntil") == NEVER_BARRED
    root.call("Lockout.Reset", "a{sv}", {})


@pytest.mark.parametrize(
    "given",
    [
        {"atuh": caller.Variant("s", "x")},
        {"auth": caller.Variant("u", 1)},
        {"auth": caller.Variant("ay", b"x\0")},
        {"auth": caller.Variant("h", 0)},
        {"auth": caller.Variant("h", -1)},
        {"force": caller.Variant("s", "yes")},
    ],
)
def test_bad_options(root, alice, given):
    rule = "type='method_call',interface='org.freedesktop.PolicyKit1.Authority',member='CheckAuthorization'"
    with Monitor(root, rule) as monitor:
        assert alice.error("Lockout.Reset", "a{sv}", given, interactive=True).name == ERROR + "InvalidArgument"
        assert monitor.all() == []


def test_descriptors_where_a_secret_belongs(root):
    reader, writer = os.pipe()
    unsealed = os.memfd_create("x", os.MFD_ALLOW_SEALING)
    too_long = sealed_memfd(b"a" * (64 * 1024 + 1))
    for fds in ([reader], [unsealed], [too_long], [sealed_memfd(b"x"), sealed_memfd(b"y")]):
        error = root.error("Lockout.Reset", "a{sv}", {"auth": caller.Variant("h", 0)}, fds=fds)
        assert error.name == ERROR + "InvalidArgument"
    os.close(writer)
    assert root.get("Lockout.LockoutAuthBarredUntil") == NEVER_BARRED


def test_too_long_an_auth_is_not_spent(sandbox, root):
    set_lockout_auth(sandbox, "sesame")
    assert root.error("Lockout.Reset", "a{sv}", options(auth="a" * 65)).name == ERROR + "InvalidArgument"
    assert root.get("Lockout.LockoutAuthBarredUntil") == NEVER_BARRED
    root.call("Lockout.Reset", "a{sv}", options(auth="sesame"))


def test_damaged_record_counts_as_a_failed_try(sandbox, root):
    sandbox.kill("daemon", ward.signal.SIGTERM)
    record = ward.STATE / "tpm0.lockout-guard"
    record.write_bytes(b"\xff\0nonsense")
    os.chown(record, *(ward.pwd.getpwnam("tpmward")[2:4]))
    sandbox.start("daemon")
    assert root.error("Lockout.Reset", "a{sv}", {}).name == LOCKED_OUT
    root.call("Lockout.Reset", "a{sv}", options(force=True))
    assert not record.exists()


def test_needs_an_administrator(alice):
    for method, arguments in (("Reset", ()), ("SetParameters", (5, 5, 5))):
        error = alice.error(f"Lockout.{method}", "u" * len(arguments) + "a{sv}", *arguments, {})
        assert error.name == ERROR + "NotAuthorized"


def test_no_secret_in_the_log(sandbox, root):
    set_lockout_auth(sandbox, "sesame")
    root.error("Lockout.Reset", "a{sv}", options(auth="open-barley"))
    root.error("Lockout.Reset", "a{sv}", options(auth="sesame"))
    for secret in ("sesame", "open-barley"):
        assert secret not in sandbox.log()
