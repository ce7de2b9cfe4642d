# SPDX-License-Identifier: LGPL-2.1-or-later
"""tpmward nv: what it shows of NV indices, reads from them and writes to them, and what it asks before one is destroyed."""

import base64
import json
import os
import re
import stat

import pytest
from cli_keys import run_bytes, run_ok_with, run_with, usage_error, write
from families import clear
from test_cli import (
    AUTH_FAILED,
    COMMON_OPTIONS,
    FAILURE,
    LOCKED_OUT,
    NO_TPM,
    NOT_AUTHORIZED,
    OK,
    SOURCE,
    Terminal,
    complete,
    fails,
    on_terminal,
    run,
    run_json,
    run_ok,
)
from test_cli_own import answer, run_with_secrets, type_secret, type_twice, words
from test_nv import EK_CERTIFICATE, MAX, RESERVED

import ward

INDEX, OTHER = "0x01800200", "0x01800201"
PASSWORD_PROMPT = "The password of the NV index, which is not shown: "
OWNER_PROMPT = "The owner auth, which is not shown: "
VERBS = ["list", "read", "write", "define", "undefine"]
USE = ["--offset", "--password-file", "--no-password", "--owner", "--owner-fd", "--well-known"]
OPTIONS = {
    "list": [],
    "read": [*USE, "--size", "--output", "--raw", "--base64", "--hex"],
    "write": [*USE, "--force"],
    "define": ["--attributes", "--password", "--password-file", "--owner-fd", "--well-known", "--force"],
    "undefine": ["--yes", "--owner-fd", "--well-known", "--force"],
}


@pytest.fixture(autouse=True)
def fresh(sandbox):
    """A chip as new."""
    clear(sandbox)


@pytest.fixture
def password(tmp_path):
    return write(tmp_path, "password", "sesame")


def define(index=INDEX, size=8, *options):
    run_ok("nv", "define", index, str(size), *options)


def numbers():
    return [f"0x{entry['index']:08x}" for entry in run_json("nv", "list")]


def own_entry(index=INDEX):
    return next(entry for entry in run_json("nv") if entry["index"] == int(index, 16))


# what it does


@pytest.mark.parametrize("size", [1, 1025, MAX])
def test_what_was_written_comes_back(tmp_path, size):
    data = os.urandom(size)
    source, back = write(tmp_path, "data", data), tmp_path / "back"
    assert run_ok("nv", "define", INDEX, str(size)) == f"✓ The NV index {INDEX} of {size} bytes was defined.\n"
    assert run_ok("nv", "write", INDEX, source) == f"✓ {size} bytes were written to the NV index {INDEX}.\n"
    assert run_ok("nv", "read", INDEX, "--output", str(back)) == ""
    assert back.read_bytes() == data
    assert stat.S_IMODE(back.stat().st_mode) == 0o600
    assert run_ok("nv", "undefine", INDEX, "--yes") == f"✓ The NV index {INDEX} is no more.\n"
    assert INDEX not in numbers()


@pytest.mark.parametrize("names", [[], ["-"]])
def test_by_pipes(names):
    define()
    run_ok_with(b"a secret", "nv", "write", INDEX, *names)
    assert run_bytes("nv", "read", INDEX) == b"a secret"


def test_parts():
    define()
    run_ok_with(b"a secret", "nv", "write", INDEX)
    run_ok_with(b"XY", "nv", "write", "25166336", "--offset=3")
    assert run_bytes("nv", "read", INDEX) == b"a sXYret"
    assert run_bytes("nv", "read", INDEX, "--offset=5") == b"ret"
    assert run_bytes("nv", "read", INDEX, "--offset=0x2", "--size=3") == b"sXY"
    assert "8 bytes" in fails(FAILURE, "nv", "read", INDEX, "--offset=7", "--size=2")


def test_the_forms_of_what_is_read():
    data = b"\0\1secret"
    define()
    run_ok_with(data, "nv", "write", INDEX)
    assert run_bytes("nv", "read", INDEX, "--raw") == data
    assert run_ok("nv", "read", INDEX, "--hex") == data.hex() + "\n"
    assert run_ok("nv", "read", INDEX, "--base64") == base64.b64encode(data).decode() + "\n"
    assert run_json("nv", "read", INDEX) == {"hex": data.hex()}
    assert on_terminal("nv", "read", INDEX) == (OK, base64.b64encode(data).decode() + "\n")
    run_ok_with(b"a secret", "nv", "write", INDEX)
    assert on_terminal("nv", "read", INDEX) == (OK, "a secret\n")


def test_list():
    define()
    shown = run_ok("nv", user="ward-bob")
    assert shown == run_ok("nv", "list")
    assert re.search(rf"^{INDEX}  8 +no +ownerwrite, ownerread, no_da$", shown, re.MULTILINE)
    assert "the certificate of the endorsement key (RSA)" in shown
    run_ok_with(b"x", "nv", "write", INDEX)
    assert re.search(rf"^{INDEX}  8 +yes ", run_ok("nv"), re.MULTILINE)
    status, screen = on_terminal("nv", columns=70)
    assert status == OK
    assert all(len(re.sub(r"\x1b\[\d*m", "", line)) <= 70 for line in screen.splitlines())


def test_json():
    done = json.loads(run_ok("nv", "define", INDEX, "8", "-a", "ownerread|authwrite", "-a", "no_da", "--json"))
    assert done == own_entry()
    assert done["attributes"] == ["authwrite", "ownerread", "no_da"] and done["size"] == 8 and done["written"] is False
    assert json.loads(run_ok_with(b"x", "nv", "write", INDEX, "--json"))["written"] is True
    assert run_json("nv", "undefine", INDEX, "--yes") == {"index": int(INDEX, 16)}


def test_beside_tpm2_tools(sandbox, tmp_path):
    out = tmp_path / "out"
    define()
    run_ok_with(b"a secret", "nv", "write", INDEX)
    sandbox.tpm2("tpm2_nvread", INDEX, "-C", "o", "-o", str(out))
    assert out.read_bytes() == b"a secret"
    sandbox.tpm2("tpm2_nvdefine", OTHER, "-s", "4")
    sandbox.tpm2("tpm2_nvwrite", OTHER, "-C", "o", "-i", write(tmp_path, "data", "data"))
    assert run_bytes("nv", "read", OTHER) == b"data"
    sandbox.tpm2("tpm2_nvread", hex(EK_CERTIFICATE), "-C", "o", "-o", str(out))
    assert run_bytes("nv", "read", hex(EK_CERTIFICATE)) == out.read_bytes()


# secrets


def test_a_password_from_a_file(password):
    define(INDEX, 8, "--password-file", password)
    assert own_entry()["attributes"] == ["authwrite", "authread"]
    run_ok_with(b"a secret", "nv", "write", INDEX, "--password-file", password)
    assert run_bytes("nv", "read", INDEX, "--password-file", password) == b"a secret"
    assert run_ok_with(b"sesame", "nv", "read", INDEX, "--password-file=-") == b"a secret"


def test_a_password_is_asked_for(root):
    terminal = Terminal("nv", "define", INDEX, "8", "--password")
    type_twice(terminal, "password", "sesame")
    status, screen = terminal.finish()
    assert status == OK and "sesame" not in screen
    terminal = Terminal("bash", "-c", f"printf 'a secret' | tpmward nv write {INDEX}", program="env")
    type_secret(terminal, PASSWORD_PROMPT, "sesame")
    assert terminal.finish()[0] == OK
    # to be asked costs no try, a wrong answer one
    assert root.get("Lockout.Failures") == 0
    terminal = Terminal("nv", "read", INDEX)
    type_secret(terminal, PASSWORD_PROMPT, "open")
    type_secret(terminal, PASSWORD_PROMPT, "sesame")
    status, screen = terminal.finish()
    assert status == OK
    assert "tries" in screen and screen.endswith("\na secret\n")
    assert root.get("Lockout.Failures") == 1


def test_without_the_password(tmp_path, password, root):
    output = tmp_path / "back"
    define(INDEX, 8, "--password-file", password)
    run_ok_with(b"a secret", "nv", "write", INDEX, "--password-file", password)
    message = fails(AUTH_FAILED, "nv", "read", INDEX, "--output", str(output))
    assert "The password of the NV index is needed." in message and "--password-file" in message
    assert root.get("Lockout.Failures") == 0
    done = run_with(b"open", "nv", "read", INDEX, "--output", str(output), "--password-file=-")
    assert (done.returncode, done.stdout) == (AUTH_FAILED, b"")
    assert "tries" in done.stderr.decode()
    assert not output.exists()
    assert run_with(b"", "nv", "read", INDEX, "--password-file=-").returncode == AUTH_FAILED
    assert root.get("Lockout.Failures") == 1


def test_an_index_without_a_password():
    """Where the TPM would count a wrong one the empty one is tried only if somebody says so."""
    define(INDEX, 8, "--attributes=authread|authwrite")
    done = run_with(b"a secret", "nv", "write", INDEX)
    assert done.returncode == AUTH_FAILED
    run_ok_with(b"a secret", "nv", "write", INDEX, "--no-password")
    assert run_bytes("nv", "read", INDEX, "--no-password") == b"a secret"


def test_locked_out(sandbox, password):
    define(INDEX, 8, "--password-file", password)
    run_ok_with(b"a secret", "nv", "write", INDEX, "--password-file", password)
    for _ in range(32):
        run_with(b"open", "nv", "read", INDEX, "--password-file=-")
    done = run("nv", "read", INDEX, "--password-file", password)
    assert done.returncode == LOCKED_OUT


@pytest.fixture
def owner_auth(root):
    auth = ward.caller.Variant("s", "own")
    force = ward.caller.Variant("b", True)
    root.call("Ownership.TakeOwnership", "a{sv}", {"owner-auth": auth, "force": force})
    return {"--owner-fd": b"own"}


def test_the_owner_auth_from_a_descriptor(owner_auth):
    assert run_with_secrets(owner_auth, "nv", "define", INDEX, "8").returncode == OK
    source = "/dev/null"
    assert run_with_secrets(owner_auth, "nv", "write", INDEX, source).returncode == FAILURE
    assert run_with_secrets({"--owner-fd": b"other"}, "nv", "undefine", INDEX, "--yes").returncode == AUTH_FAILED
    assert INDEX in numbers()
    assert run_with_secrets(owner_auth, "nv", "undefine", INDEX, "--yes").returncode == OK
    assert INDEX not in numbers()


def test_the_owner_auth_is_asked_for(owner_auth, tmp_path):
    source = write(tmp_path, "data", "a secret")
    for verb in (["define", INDEX, "8"], ["write", INDEX, source], ["read", INDEX], ["undefine", INDEX, "--yes"]):
        terminal = Terminal("nv", *verb)
        type_secret(terminal, OWNER_PROMPT, "own")
        status, screen = terminal.finish()
        assert status == OK, screen
    assert INDEX not in numbers()


def test_either_right(owner_auth, password):
    """The index's password is asked for, unless the owner's is meant."""
    done = run_with_secrets(owner_auth, "nv", "define", INDEX, "8", "--password-file", password, "-a",
                            "ownerread|ownerwrite|authread|authwrite")  # fmt: skip
    assert done.returncode == OK
    run_ok_with(b"a secret", "nv", "write", INDEX, "--password-file", password)
    for option, prompt, secret in ((), PASSWORD_PROMPT, "sesame"), (("--owner",), OWNER_PROMPT, "own"):
        terminal = Terminal("nv", "read", INDEX, *option)
        type_secret(terminal, prompt, secret)
        status, screen = terminal.finish()
        assert status == OK and screen.endswith("a secret\n")


# what is destroyed


def test_undefine_tells_what_is_lost_and_asks():
    define()
    run_ok_with(b"a secret", "nv", "write", INDEX)
    for reply in "no", "", INDEX:
        terminal = Terminal("nv", "undefine", INDEX)
        answer(terminal, "Destroy it for good?", reply)
        status, screen = terminal.finish()
        assert status == FAILURE
        assert f"{INDEX} has 8 bytes, which are lost then" in words(screen) and "Nothing was undefined." in screen
        assert INDEX in numbers()
    terminal = Terminal("nv", "undefine", INDEX)
    answer(terminal, "Destroy it for good?", "yes")
    assert terminal.finish()[0] == OK
    assert INDEX not in numbers()


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_undefine_where_nobody_can_be_asked(options):
    define()
    assert "--yes" in fails(FAILURE, "nv", "undefine", INDEX, *options)
    assert INDEX in numbers()


def test_reserved_numbers():
    reserved = f"0x{RESERVED:08x}"
    assert "force" in fails(FAILURE, "nv", "define", reserved, "8")
    define(reserved, 8, "--force")
    run_ok_with(b"a", "nv", "write", reserved)
    assert run_with(b"b", "nv", "write", reserved).returncode == FAILURE
    run_ok_with(b"b", "nv", "write", reserved, "--force")
    assert run_bytes("nv", "read", reserved, "--size=1") == b"b"
    assert "force" in fails(FAILURE, "nv", "undefine", reserved, "--yes")
    terminal = Terminal("nv", "undefine", reserved)
    answer(terminal, "Type its number", "yes")
    status, screen = terminal.finish()
    assert status == FAILURE
    assert "the nonce of the endorsement key's template (ECC)" in words(screen)
    assert reserved in numbers()
    terminal = Terminal("nv", "undefine", reserved)
    answer(terminal, "Type its number", reserved)
    assert terminal.finish()[0] == OK
    assert reserved not in numbers()


def test_what_the_maker_has_defined_stays():
    assert "firmware" in fails(FAILURE, "nv", "undefine", hex(EK_CERTIFICATE), "--yes", "--force")
    assert f"0x{EK_CERTIFICATE:08x}" in numbers()


# errors


@pytest.mark.parametrize(
    "args",
    [
        ("read",),
        ("read", "0x00ffffff"),
        ("read", "0x02000000"),
        ("read", "index"),
        ("read", INDEX, "--size=0"),
        ("read", INDEX, "--size=65536"),
        ("read", INDEX, "--offset=-1"),
        ("read", INDEX, "--offset=1x"),
        ("read", INDEX, "--hex", "--raw"),
        ("read", INDEX, "--owner", "--no-password"),
        ("read", INDEX, "--owner", "--password-file=/dev/null"),
        ("read", INDEX, "--no-password", "--password-file=/dev/null"),
        ("write", INDEX, "--password-file=-"),
        ("define", INDEX),
        ("define", INDEX, "0"),
        ("define", INDEX, "65536"),
        ("define", INDEX, "8", "--password", "--password-file=/dev/null"),
        ("undefine",),
        ("undefine", INDEX, OTHER),
        ("undefined", INDEX),
    ],
    ids=" ".join,
)
def test_usage(args):
    usage_error("nv", *args)


def test_what_is_and_is_not_there(tmp_path):
    source = write(tmp_path, "data", "123456789")
    assert "no NV index" in fails(FAILURE, "nv", "read", INDEX)
    assert "no NV index" in fails(FAILURE, "nv", "undefine", INDEX, "--yes")
    define()
    assert "already" in fails(FAILURE, "nv", "define", INDEX, "8")
    assert "nothing was written" in fails(FAILURE, "nv", "read", INDEX)
    assert "8 bytes" in fails(FAILURE, "nv", "write", INDEX, source)
    assert "at most 2048" in fails(FAILURE, "nv", "define", OTHER, "2049")
    assert "attribute" in fails(FAILURE, "nv", "define", OTHER, "8", "-a", "ownerread|anything")
    assert "No such file" in fails(FAILURE, "nv", "write", INDEX, str(tmp_path / "none"))
    assert fails(NO_TPM, "nv", "list", "--tpm=tpm9")


def test_users_may_list_only(tmp_path):
    define()
    for args in (["read", INDEX], ["write", INDEX, "/etc/hostname"], ["define", OTHER, "8"], ["undefine", INDEX, "--yes"]):
        fails(NOT_AUTHORIZED, "nv", *args, user="ward-bob")
    assert INDEX in numbers() and OTHER not in numbers()


# help, the manual page and completion


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_a_verb(verb):
    shown = run_ok("nv", verb, "--help")
    assert shown == run_ok("--help", "nv", verb) == run_ok("help", "nv", verb) == run_ok("nv", "help", verb)
    assert shown.startswith(f"Usage:\n  tpmward nv {verb} [OPTION…]")
    assert re.findall(r"^ +(?:-\w, )?(--[a-z0-9-]+)", shown, re.MULTILINE) == [*OPTIONS[verb], *COMMON_OPTIONS]


def test_help_names_all_verbs():
    shown = run_ok("nv", "--help")
    assert shown == run_ok("help", "nv") == run_ok("nv", "help")
    assert re.findall(r"^  ([a-z-]+)\b.*", shown, re.MULTILINE)[1 : len(VERBS) + 1] == VERBS


def test_the_manual_page_names_everything():
    page = re.sub(r"\\f[BIR]", "", (SOURCE / "tpmward.1").read_text().replace("\\-", "-"))
    section = page[page.index("\nnv [") : page.index("\ndoctor [")]
    for verb in VERBS:
        assert f"nv {verb}" in section
    for option in sum(OPTIONS.values(), []):
        assert re.search(rf"(?<![\w-]){re.escape(option)}\b", section), option


def test_plain_ascii_in_the_c_locale():
    for args in (["nv"], ["nv", "--help"], ["nv", "define", INDEX, "8"]):
        assert run_ok(*args, LC_ALL="C").isascii()


def test_completion(tmp_path):
    define()
    assert complete("n") == ["nv"]
    assert complete("nv", "") == VERBS
    assert complete("nv", "un") == ["undefine"]
    assert complete("help", "nv", "un") == ["undefine"]
    assert complete("nv", "read", INDEX[:-1]) == [INDEX]
    assert complete("nv", "define", "") == []
    assert complete("nv", "define", INDEX, "8", "-a", "ownerr") == ["ownerread"]
    assert str(tmp_path) in complete("nv", "write", INDEX, str(tmp_path)[:-1])
    assert str(tmp_path) in complete("nv", "read", INDEX, "--output", "=", str(tmp_path)[:-1])
    for verb in VERBS:
        assert complete("nv", verb, "--") == [*COMMON_OPTIONS, *OPTIONS[verb]]
