# SPDX-License-Identifier: LGPL-2.1-or-later
"""tpmward on a TPM 1.2: the verbs that only it has, and that the others ask for its owner's secret and speak of what it has."""

import json
import re
from pathlib import Path

import pytest
from cli_keys import openssl
from test_cli import AUTH_FAILED, FAILURE, OK, SOURCE, UNREACHABLE, USAGE, Terminal, fails, run, run_ok
from test_cli_own import GENERATED, answer, run_with_secrets, type_secret, type_twice, words
from test_lockout import options
from test_tcsd import fresh_tpm, power_cycle, tool  # noqa: F401: a fixture

import ward


@pytest.fixture
def owned(root):
    root.call("Ownership.TakeOwnership", "a{sv}", options(**{"owner-auth": "own"}))


def is_owners(secret):
    """Whether tpm-tools take it for the owner's secret."""
    return "Disabled: false" in tool("tpm_setclearable", "--status", said=f"{secret}\n")


def switches(root):
    return root.get("Ownership.Enabled"), root.get("Ownership.Active")


def test_a_person_takes_ownership(root):
    terminal = Terminal("own")
    type_twice(terminal, "owner's secret", "sesame")
    status, screen = terminal.finish()
    assert status == OK, screen
    assert "tpm0 has an owner now, and a storage root key.\n" in screen
    assert "lift a lockout, and to disable and to clear" in words(screen)
    assert "hierarch" not in screen and "lockout auth" not in screen
    assert is_owners("sesame")

    shown = run("own", "--owner")
    assert (shown.returncode, shown.stdout) == (FAILURE, "")
    assert "has an owner already" in shown.stderr and "tpmward change-auth owner" in shown.stderr


def test_a_sheet_with_both_secrets(root):
    done = run_with_secrets({}, "own", "--srk", "--generate", "--json")
    assert done.returncode == OK, done.stderr
    auths = json.loads(done.stdout)["auths"]
    assert sorted(auths) == ["owner", "srk"]
    assert all(GENERATED.fullmatch(auth) for auth in auths.values())
    assert is_owners(auths["owner"])
    plain = ward.ROOT / "plain"
    plain.write_text("text")
    sealing = ["tpm_sealdata", "-i", str(plain), "-o", str(ward.ROOT / "sealed")]
    tool(*sealing, "-z", fails=True)
    tool(*sealing, said=f"{auths['srk']}\n")


def test_secrets_are_changed(root):
    run_with_secrets({"--owner-fd": b"own", "--srk-fd": b"srk"}, "own")
    terminal = Terminal("change-auth", "owner")
    type_secret(terminal, "The present owner's secret, which is not shown: ", "own")
    type_twice(terminal, "owner's secret", "barley")
    status, screen = terminal.finish()
    assert status == OK and "The owner's secret of tpm0 was changed.\n" in screen
    assert "Careful" not in screen
    assert is_owners("barley")

    terminal = Terminal("change-auth", "srk", "--remove")
    type_secret(terminal, "The owner's secret, which is not shown: ", "barley")
    assert terminal.finish()[0] == OK
    plain = ward.ROOT / "plain"
    plain.write_text("text")
    tool("tpm_sealdata", "-z", "-i", str(plain), "-o", str(ward.ROOT / "sealed"))


def test_an_owner_with_the_well_known_secret(root, owned):
    done = run_with_secrets({"--old-fd": b"own"}, "change-auth", "owner", "--remove")
    assert done.stdout == "✓ The owner's secret of tpm0 was changed to the well-known one, which everybody has.\n"
    assert "Disabled: false" in tool("tpm_setclearable", "--status", "--well-known")
    done = run_with_secrets({"--auth-fd": b""}, "lockout", "reset")
    assert done.returncode == AUTH_FAILED and "by --well-known" in done.stderr
    assert "Only one of" in run_with_secrets({"--auth-fd": b"own"}, "lockout", "reset", "-z").stderr
    assert run_ok("lockout", "reset", "--well-known") == "✓ tpm0 has forgiven all failures and is not locked out.\n"
    assert run_with_secrets({"--new-fd": b"own"}, "change-auth", "owner", "--well-known").returncode == OK
    assert is_owners("own")


def test_a_lockout_is_reset_by_the_owner(root, owned):
    assert "How many wrong secrets a TPM 1.2 has counted is not told" in words(run_ok("lockout"))
    assert json.loads(run_ok("lockout", "--json"))["lockout_auth_set"] is None
    terminal = Terminal("lockout", "reset")
    type_secret(terminal, "The owner's secret, which is not shown: ", "own")
    status, screen = terminal.finish()
    assert status == OK and "Careful" not in screen
    done = run_with_secrets({"--auth-fd": b"wrong"}, "lockout", "reset")
    assert done.returncode == AUTH_FAILED
    assert "whose maker has fixed" in fails(FAILURE, "lockout", "set", "--max", "5")


def test_it_is_disabled_and_enabled(root, owned):
    assert "nobody to ask" in run_with_secrets({"--auth-fd": b"own"}, "disable").stderr
    terminal = Terminal("disable")
    answer(terminal, "Disable it?", "no")
    assert terminal.finish()[0] == FAILURE
    assert switches(root) == (True, True)

    terminal = Terminal("disable")
    answer(terminal, "Disable it?", "yes")
    type_secret(terminal, "The owner's secret, which is not shown: ", "own")
    status, screen = terminal.finish()
    assert status == OK and "It keeps all of that." in words(screen)
    assert root.get("Ownership.Enabled") is False
    shown = run("status")
    assert shown.returncode == UNREACHABLE
    assert "no: disabled (“tpmward enable”" in shown.stdout

    assert run_with_secrets({"--auth-fd": b"wrong"}, "enable").returncode == AUTH_FAILED
    done = run_with_secrets({"--auth-fd": b"own"}, "enable", "--json")
    assert json.loads(done.stdout)["enabled"] is True
    assert switches(root) == (True, True)


def test_who_is_not_at_the_machine_activates_nothing(root):
    for verb in (["activate"], ["deactivate", "--yes"]):
        assert "somebody to be present" in fails(FAILURE, *verb)
    assert "nobody to ask" in fails(FAILURE, "deactivate")
    assert switches(root) == (True, True)


def test_clear(sandbox, root, owned, tmp_path):
    """An NV index that is not the owner's outlives it."""
    password = tmp_path / "password"
    password.write_text("password")
    for index, *more in (["0x11101"], ["0x11102", f"--password-file={password}"]):
        assert run_with_secrets({"--owner-fd": b"own"}, "nv", "define", index, "5", *more).returncode == OK
    terminal = Terminal("clear")
    answer(terminal, "To clear it, type the TPM's name, tpm0", "tpm0")
    type_secret(terminal, "The owner's secret, which is not shown: ", "own")
    status, screen = terminal.finish()
    assert status == OK, screen
    assert "0x00011101" in screen and "0x00011102" not in screen and "tpm0 · not searched" not in screen
    assert "sealed data of this TPM and its owner" in words(screen)
    assert "enable and activate it in the firmware's setup" in words(screen)
    assert "lockout auth" not in screen
    assert "takes no owner like that" in run("own").stderr
    assert "has no owner, so that nobody can enable it from here" in fails(FAILURE, "enable")

    power_cycle(sandbox)
    sandbox.start("daemon")
    assert run_with_secrets({"--owner-fd": b"again"}, "own").returncode == OK
    assert is_owners("again")
    assert re.findall(r"(?m)^0x\d+", run_ok("nv")) == ["0x00011102"]


@pytest.mark.parametrize(
    "verb",
    [["lockout", "reset"], ["change-auth", "owner"], ["change-auth", "srk"], ["clear", "--confirm=tpm0"]],
    ids=lambda verb: "-".join(verb[:2]),
)
def test_what_takes_an_owner_says_that_there_is_none(verb):
    assert "has no owner" in fails(FAILURE, *verb)


def test_what_a_tpm_2_has(root, owned):
    """It is said before anybody is asked for a secret."""
    for verb in (["own", "--lockout"], ["own", "--endorsement", "--generate", "--json"], ["change-auth", "endorsement"]):
        assert re.search(r"is a TPM 1\.2, which has no (lockout|endorsement) auth", run(*verb).stderr), verb
    assert "when it gets an owner" in fails(FAILURE, "own", "--srk-only")
    assert "has its owner until “tpmward clear”" in fails(FAILURE, "release")
    assert "the others take --old-fd" in fails(USAGE, "change-auth", "owner", "--owner-fd=0")


HINT = "If the TPM's storage root key has a secret of its own, --srk asks for it."


def test_keys_beneath_a_storage_root_key_with_a_secret(root, tmp_path):
    run_with_secrets({"--owner-fd": b"own", "--srk-fd": b"srk"}, "own")
    assert HINT in run("key", "create", "deploy").stderr
    assert HINT in run("seal", str(SOURCE / "tpmward.1")).stderr

    terminal = Terminal("key", "create", "deploy", "--srk")
    type_secret(terminal, "The secret of the storage root key, which is not shown: ", "srk")
    status, screen = terminal.finish()
    assert status == OK and "rsa2048" in screen, screen
    message, signature, public = (str(tmp_path / name) for name in ("message", "signature", "public"))
    Path(message).write_text("hello")
    sign = ["key", "sign", "deploy", "--file", message, "-o", signature]
    assert HINT in run(*sign).stderr
    assert run_with_secrets({"--srk-fd": b"srk"}, *sign).returncode == OK
    run_ok("key", "public", "deploy", "-o", public)
    assert openssl("dgst", "-sha256", "-verify", public, "-signature", signature, message) == b"Verified OK\n"

    sealed = str(tmp_path / "sealed")
    assert run_with_secrets({"--srk-fd": b"srk"}, "seal", message, "--pcrs=7", "-o", sealed).returncode == OK
    done = run("unseal", sealed)
    assert done.returncode == AUTH_FAILED and HINT in done.stderr
    assert run_with_secrets({"--srk-fd": b"srk"}, "unseal", sealed).stdout == "hello"


def test_a_wrong_password_of_a_key_is_told_of_without_numbers(owned, tmp_path):
    """A TPM 1.2 does not say how many tries are left."""
    right, wrong = tmp_path / "right", tmp_path / "wrong"
    right.write_text("right")
    wrong.write_text("wrong")
    assert run("key", "create", "closed", f"--password-file={right}").returncode == OK
    done = run("key", "sign", "closed", "--file", str(right), f"--password-file={wrong}")
    assert done.returncode == AUTH_FAILED and "refuses all for a while" in done.stderr
    assert "tries" not in done.stderr and "seconds" not in done.stderr
    assert run("key", "sign", "closed", "--file", str(right), "--hex", f"--password-file={right}").returncode == OK


def test_nv(root, owned, tmp_path):
    data = tmp_path / "data"
    data.write_text("hello")
    terminal = Terminal("nv", "define", "0x11101", "5")
    type_secret(terminal, "The owner's secret, which is not shown: ", "own")
    status, screen = terminal.finish()
    assert status == OK, screen
    assert "0x00011101" in run_ok("nv")
    secret = {"--owner-fd": b"own"}
    assert run_with_secrets(secret, "nv", "write", "0x11101", str(data)).returncode == OK
    assert run_with_secrets(secret, "nv", "read", "0x11101").stdout == "hello"
    done = run_with_secrets({"--owner-fd": b""}, "nv", "undefine", "0x11101", "--yes")
    assert done.returncode == AUTH_FAILED and "by --well-known" in done.stderr
    assert run("nv", "undefine", "0x11101", "--yes", "--well-known").returncode == AUTH_FAILED
    assert run_with_secrets(secret, "nv", "undefine", "0x11101", "--yes").returncode == OK
    assert "0x00011101" not in run_ok("nv")


def test_properties_in_words():
    shown = run_ok("properties")
    assert re.search(r'TPM_CAP_PROP_MANUFACTURER +0x49424d00 +"IBM"\n', shown)
    assert re.search(r"TPM_CAP_PROP_PCR +0x00000018 +24\n", shown)
    assert re.search(r"TPM_CAP_PROP_ACTIVE_COUNTER +0xffffffff +none set\n", shown)
