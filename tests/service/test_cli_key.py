# SPDX-License-Identifier: LGPL-2.1-or-later
"""tpmward key: making, importing, showing, changing and deleting keys, its help and its completion."""

import base64
import json
import os
import re
import stat
import subprocess

import pytest
from cli_keys import describe, make, new_chip, openssl, run_ok_with, run_with, usage_error, write  # noqa: F401: a fixture
from families import clear
from test_cli import (
    AUTH_FAILED,
    COMMON_OPTIONS,
    FAILURE,
    NO_SERVICE,
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

HANDLE = 0x81020001
KEY_VERBS = ["create", "import", "list", "show", "public", "sign", "decrypt", "agree", "rename", "comment", "passwd", "export",
             "delete", "persist", "evict"]  # fmt: skip
MAKE = ["--system", "--usage", "--password", "--password-file", "--pcrs", "--no-da", "--comment", "--owner-fd", "--srk",
        "--srk-fd"]  # fmt: skip
USE = ["--output", "--raw", "--base64", "--hex", "--system", "--password-file", "--owner-fd", "--srk", "--srk-fd"]
OPTIONS = {
    "create": ["--algorithm", *MAKE],
    "import": ["--passphrase", "--passphrase-file", *MAKE],
    "list": ["--system", "--all", "--persistent"],
    "show": ["--system"],
    "public": ["--pem", "--der", "--ssh", "--output", "--system"],
    "sign": ["--file", "--digest", "--hash", "--scheme", *USE],
    "decrypt": ["--file", "--scheme", "--hash", "--oaep-label", *USE],
    "agree": USE,
    "rename": ["--system"],
    "comment": ["--system"],
    "passwd": ["--remove", "--old-password-file", "--new-password-file", "--system", "--owner-fd", "--srk", "--srk-fd"],
    "export": ["--output", "--system"],
    "delete": ["--yes", "--system"],
    "persist": ["--owner-fd"],
    "evict": ["--yes", "--owner-fd"],
}


@pytest.fixture
def password(tmp_path):
    return write(tmp_path, "password", "sesame")


# create


def test_create_makes_a_key_of_the_default_algorithm(root):
    label = f"deploy-{os.urandom(3).hex()}"
    shown = run_ok("key", "create", label)
    key = root.call("Keys.Describe", "s", label)
    assert (key["algorithm"], key["usage"], key["has-auth"]) == ("ecc-p256", ["sign"], False)
    assert shown.startswith(f"✓ The key “{label}” was made.\n")
    assert key["id"] in shown and key["fingerprint"] in shown
    for command in re.findall(r"^  (tpmward key public .*)$", shown, re.MULTILINE):
        assert subprocess.run(command, shell=True, capture_output=True, check=True).stdout


@pytest.mark.parametrize("algorithm", ["ecc-p256", "ecc-p384", "rsa2048"])
def test_create_in_json_is_what_describe_tells(root, algorithm):
    label = f"{algorithm} ü {os.urandom(3).hex()}"
    made = run_json("key", "create", label, "-a", algorithm, "--comment", "for “tests”")
    key = root.call("Keys.Describe", "s", label)
    assert made.pop("public_key") == bytes(key.pop("public-key")).hex()
    assert made == {name.replace("-", "_"): value for name, value in key.items()}
    assert (made["algorithm"], made["comment"]) == (algorithm, "for “tests”")


@pytest.mark.parametrize(
    ("options", "algorithm", "usage"),
    [
        (["--usage=agree"], "ecc-p256", ["agree"]),
        (["--usage=sign,agree"], "ecc-p256", ["sign", "agree"]),
        (["--usage=decrypt"], "rsa2048", ["decrypt"]),
        (["--usage=sign,decrypt"], "rsa2048", ["sign", "decrypt"]),
    ],
)
def test_what_a_key_is_for_chooses_its_algorithm(options, algorithm, usage):
    key = describe(make(*options))
    assert (key["algorithm"], key["usage"]) == (algorithm, usage)


def test_create_with_protection(password):
    key = describe(make("--password-file", password, "--pcrs=sha256:16,7"))
    assert (key["has_auth"], key["no_da"], key["pcrs"]) == (True, False, {"sha256": [7, 16]})
    assert describe(make("--password-file", password, "--no-da"))["no_da"] is True


def test_create_asks_twice_for_a_password(password):
    terminal = Terminal("key", "create", "asked", "--password")
    type_twice(terminal, "password of the key", "sesame", "sesam")
    terminal.read_until("The two differ")
    type_twice(terminal, "password of the key", "sesame")
    status, screen = terminal.finish()
    assert status == OK
    assert "sesam" not in screen
    assert run_ok_with(b"data", "key", "sign", "asked", "--password-file", password)


def test_a_password_with_nobody_to_type_it():
    done = run_with(b"", "key", "create", "nobody-types", "--password")
    assert (done.returncode, done.stdout) == (AUTH_FAILED, b"")
    assert "Give it by --password-file." in done.stderr.decode()
    assert "no key" in fails(FAILURE, "key", "show", "nobody-types")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["create"], "key create needs an argument: LABEL"),
        (["create", "a", "b"], "does not take the argument “b”"),
        (["create", "a", "--password", "--password-file=x"], "Only one of --password and --password-file"),
        (["create", "a", "--pcrs=x"], "names no PCRs"),
        (["creat"], "key has no verb “creat”. Did you mean “create”?"),
        (["list", "--all", "--persistent"], "Only one of --all and --persistent"),
        (["public", "a", "--pem", "--ssh"], "Only one of --pem, --der and --ssh"),
        (["import", "a"], "key import needs an argument: LABEL FILE"),
        (["import", "a", "-", "--passphrase-file=-"], "Only one thing can be read from standard input"),
        (["import", "a", "b", "--passphrase", "--passphrase-file=c"], "Only one of --passphrase and --passphrase-file"),
        (["passwd", "a", "--remove", "--new-password-file=x"], "Only one of --remove and --new-password-file"),
        (["passwd", "a", "--old-password-file=-", "--new-password-file=-"], "standard input"),
        (["persist", "a", "0x80000000"], "HANDLE is from 0x81000000 to 0x817fffff, such as 0x81020001, not “0x80000000”"),
        (["evict", "0x81800000"], "HANDLE is from"),
        (["evict", "x"], "HANDLE is from"),
    ],
)
def test_wrong_usage(args, message):
    assert message in usage_error("key", *args)


def test_what_the_service_refuses_to_make():
    label = make()
    assert "Choose another label" in fails(FAILURE, "key", "create", label)
    assert "empty" in fails(FAILURE, "key", "create", "")
    for bad in ("x" * 129, "a\nb", "0" * 32):
        fails(FAILURE, "key", "create", bad)
    assert "rsa512" in fails(FAILURE, "key", "create", "bad", "-a", "rsa512")
    assert "“fly” is no usage" in fails(FAILURE, "key", "create", "bad", "--usage=fly")
    fails(FAILURE, "key", "create", "bad", "--usage=decrypt", "-a", "ecc-p256")
    assert "no key" in fails(FAILURE, "key", "show", "bad")


def test_a_key_whose_label_looks_like_an_option():
    run_ok("key", "create", "--", "-odd")
    assert run_ok("key", "show", "--", "-odd").startswith("● -odd can be used\n")
    run_ok("key", "delete", "--yes", "--", "-odd")


# list and show


def rows(*options, **kwargs):
    return run_ok("key", "list", *options, **kwargs).splitlines()


def test_list_is_the_default_verb():
    make()
    assert run_ok("key") == run_ok("key", "list")


def test_no_keys():
    assert run_ok("key", user="ward-bob") == "You have no keys in tpm0. “tpmward key create LABEL” makes one.\n"
    assert json.loads(run_ok("key", "--json", user="ward-bob")) == []


def test_a_list_has_one_line_for_each_key(root, password):
    label = make("--password-file", password, "--pcrs=16", "--usage=sign,agree")
    titles, *keys = rows()
    assert re.split("  +", titles) == ["LABEL", "ALGORITHM", "USAGE", "PROTECTION", "USABLE", "LAST USED"]
    assert [re.split("  +", row)[0] for row in keys] == [key["label"] for key in root.call("Keys.List")]
    (row,) = [row for row in keys if row.startswith(label)]
    assert re.split("  +", row)[1:] == ["ecc-p256", "sign, agree", "password, PCRs", "yes", "never"]
    run_ok_with(b"data", "key", "sign", label, "--password-file", password)
    assert re.search(rf"{label} .* (just now|\d+ seconds? ago)\n", run_ok("key"))


def test_a_list_in_json(root):
    make()
    keys = root.call("Keys.List")
    assert [key["id"] for key in run_json("key", "list")] == [key["id"] for key in keys]


def test_each_user_has_keys_of_their_own():
    label = make(user="ward-alice")
    assert label in run_ok("key", user="ward-alice")
    assert label not in run_ok("key")
    assert "no key" in fails(FAILURE, "key", "show", label)
    assert re.search(rf"^ward-alice +{label} ", run_ok("key", "list", "--all"), re.MULTILINE)
    run_ok("key", "delete", label, "--yes", user="ward-alice")


def test_only_an_administrator_sees_all_keys():
    for option in ("--all", "--persistent"):
        fails(NOT_AUTHORIZED, "key", "list", option, user="ward-alice")


def test_a_long_label_leaves_room_for_the_rest():
    label = "long " * 25
    run_ok("key", "create", label)
    assert label in run_ok("key")
    for columns in (60, 80, 120):
        _, screen = on_terminal("key", columns=columns, NO_COLOR="1")
        assert max(len(line) for line in screen.splitlines()) <= columns
        assert "long l" in screen and "…" in screen and "PROTECTION" in screen
    run_ok("key", "delete", label, "--yes")


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("verb", [["key", "show"], ["key", "create"]])
def test_nothing_is_wider_than_the_terminal(verb, columns):
    label = make("--comment", "a comment " * 20) if verb[1] == "show" else f"x{os.urandom(4).hex()} " + "long " * 20
    status, screen = on_terminal(*verb, label, columns=columns, NO_COLOR="1")
    assert status == OK
    shown = re.sub(r"\033\[[0-9;]*[A-Za-z]|.*\r", "", screen)
    suggested = re.compile(r"^  tpmward key ")  # to be copied, so never wrapped
    assert max(len(line) for line in shown.splitlines() if not suggested.match(line)) <= columns


def test_show_tells_all(root, password):
    label = make("--password-file", password, "--pcrs=sha1:16+sha256:7,16", "--comment", "for tests")
    shown = run_ok("key", "show", label)
    key = root.call("Keys.Describe", "s", label)
    assert shown.startswith(f"● {label} can be used\n")
    for text in (key["id"], key["fingerprint"], "for tests", "ecc-p256", "sign", "root", "password", "sha256:7,16", "sha1:16"):
        assert text in shown
    assert re.search(r"Used +never\n", shown)
    for _ in range(2):
        run_ok_with(b"data", "key", "sign", label, "--password-file", password)
    assert re.search(r"Used +2 times, last (just now|\d+ seconds? ago)\n", run_ok("key", "show", label))


def test_public_keys(tmp_path):
    label = make()
    pem = run_ok("key", "public", label)
    assert pem == run_ok("key", "public", label, "--pem") == run_json("key", "public", label)["pem"] + "\n"
    der = run("key", "public", label, "--der", binary=True).stdout
    assert openssl("pkey", "-pubin", "-inform", "DER", data=der).decode() == pem
    assert run_json("key", "public", label, "--der")["der"] == der.hex() == describe(label)["public_key"]
    line = run_ok("key", "public", label, "--ssh")
    assert line.endswith(f" {label}\n")
    path = tmp_path / "authorized_keys"
    run_ok("key", "public", label, "--ssh", "--output", str(path))
    assert path.read_text() == line
    told = subprocess.run(["ssh-keygen", "-l", "-f", path], capture_output=True, text=True, check=True).stdout
    assert told.split()[1] == describe(label)["fingerprint"]


# change


def test_rename():
    label, new = make(), f"new-{os.urandom(3).hex()}"
    id_ = describe(label)["id"]
    assert run_ok("key", "rename", label, new) == f"✓ The key “{label}” is called “{new}” now.\n"
    assert describe(new)["id"] == id_
    assert "no key" in fails(FAILURE, "key", "show", label)
    assert run_json("key", "rename", new, label)["label"] == label
    assert "Choose another label" in fails(FAILURE, "key", "rename", make(), label)


def test_comment():
    label = make()
    assert run_ok("key", "comment", label, "für Anna") == f"✓ The key “{label}” has this comment now: für Anna\n"
    assert describe(label)["comment"] == "für Anna"
    assert run_json("key", "comment", label, "")["comment"] == ""
    fails(FAILURE, "key", "comment", label, "x" * 1025)


def test_passwd_by_files(tmp_path, password):
    label, other = make("--password-file", password), write(tmp_path, "other", "barley")
    changed = run_ok("key", "passwd", label, "--old-password-file", password, "--new-password-file", other)
    assert changed == f"✓ The password of the key “{label}” was changed.\n"
    assert run_with(b"", "key", "sign", label, "--password-file", password).returncode == AUTH_FAILED
    assert run_ok_with(b"", "key", "sign", label, "--password-file", other)
    assert run_json("key", "passwd", label, "--old-password-file", other, "--remove")["has_auth"] is False
    assert run_ok_with(b"", "key", "sign", label)
    run_ok("key", "passwd", label, "--new-password-file", password)
    assert describe(label)["has_auth"] is True


def test_passwd_asks(password):
    label = make("--password-file", password)
    terminal = Terminal("key", "passwd", label)
    type_secret(terminal, "The present password of the key, which is not shown: ", "sesame")
    type_twice(terminal, "password of the key", "barley")
    assert terminal.finish()[0] == OK
    assert run_ok_with(b"barley", "key", "sign", label, "--password-file=-", "--digest", "00" * 32)


def test_passwd_with_a_wrong_one(tmp_path, password):
    label, wrong = make("--password-file", password), write(tmp_path, "wrong", "open")
    assert "tries" in fails(AUTH_FAILED, "key", "passwd", label, "--old-password-file", wrong, "--remove")
    empty = write(tmp_path, "empty", "")
    refused = fails(AUTH_FAILED, "key", "passwd", label, "--old-password-file", password, "--new-password-file", empty)
    assert "takes --remove" in refused
    assert run_ok_with(b"", "key", "sign", label, "--password-file", password)


def test_passwd_of_a_key_that_can_have_none(password):
    label = make()
    assert "nothing to remove" in fails(FAILURE, "key", "passwd", label, "--remove")
    assert "Make another key with --password" in words(fails(FAILURE, "key", "passwd", label, "--new-password-file", password))


def test_export_and_import_again(tmp_path, password):
    label = make("--password-file", password)
    path = tmp_path / "key.pem"
    run_ok("key", "export", label, "--output", str(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = run_ok("key", "export", label)
    assert text.startswith("-----BEGIN TSS2 PRIVATE KEY-----\n")
    assert text == path.read_text() == run_json("key", "export", label)["pem"]
    run_ok("key", "delete", label, "--yes")
    run_ok("key", "import", label, str(path))
    assert run_ok_with(b"", "key", "sign", label, "--password-file", password)


# delete


def test_delete_asks_and_tells_what_is_lost():
    label = make("--usage=sign,agree")
    run_ok_with(b"", "key", "sign", label)
    terminal = Terminal("key", "delete", label)
    answer(terminal, "Delete it for good?", "no")
    status, screen = terminal.finish()
    assert status == FAILURE
    assert "was used once, just now" in words(screen) and "cannot be brought back" in words(screen)
    assert "authorized_keys" in screen and "What was encrypted to it is lost then." in words(screen)
    assert describe(label)["uses"] == 1
    terminal = Terminal("key", "delete", label)
    answer(terminal, "Delete it for good?", "yes")
    assert terminal.finish()[0] == OK
    assert "no key" in fails(FAILURE, "key", "show", label)


def test_delete_without_anybody_to_ask():
    label = make()
    for options in ([], ["--json"]):
        assert "by --yes" in fails(FAILURE, "key", "delete", label, *options)
    deleted = run_json("key", "delete", label, "--yes")
    assert deleted["label"] == label
    assert "no key" in fails(FAILURE, "key", "delete", label, "--yes")


# the machine's keys


@pytest.fixture
def system_key():
    label = make("--system")
    yield label
    run_ok("key", "delete", label, "--system", "--yes")


def test_system_keys(tmp_path, system_key):
    assert system_key in run_ok("key", "list", "--system")
    assert system_key not in run_ok("key", "list")
    assert re.search(r"Owner +the machine", run_ok("key", "show", system_key, "--system"))
    assert re.search(rf"^system +{system_key} ", run_ok("key", "list", "--all"), re.MULTILINE)
    signature = write(tmp_path, "sig", run_ok_with(b"data", "key", "sign", system_key, "--system"))
    pem = write(tmp_path, "pem", run_ok("key", "public", system_key, "--system"))
    data = write(tmp_path, "data", b"data")
    assert openssl("dgst", "-sha256", "-verify", pem, "-signature", signature, data) == b"Verified OK\n"
    assert "no key" in fails(FAILURE, "key", "sign", system_key, "--digest", "00" * 32)


def test_users_may_not_use_system_keys(system_key):
    assert system_key in run_ok("key", "list", "--system", user="ward-alice")
    fails(NOT_AUTHORIZED, "key", "sign", system_key, "--system", "--digest", "00" * 32, user="ward-alice")
    fails(NOT_AUTHORIZED, "key", "delete", system_key, "--system", "--yes", user="ward-alice")
    fails(NOT_AUTHORIZED, "key", "create", "x", "--system", user="ward-alice")
    fails(NOT_AUTHORIZED, "key", "persist", system_key, hex(HANDLE), user="ward-alice")


def test_an_administrator_on_a_terminal_is_asked_for_the_password(system_key):
    terminal = Terminal("key", "sign", system_key, "--system", "--digest", "00" * 32, user="ward-alice")
    terminal.type_password("adminpw")
    status, screen = terminal.finish()
    assert status == OK
    shown = re.sub(r"\033\[[0-9;]*m", "", screen.splitlines()[-1])
    assert len(base64.b64decode(shown, validate=True)) >= 68


def test_persist_and_evict(sandbox, system_key):
    kept = run_ok("key", "persist", system_key, hex(HANDLE))
    assert kept == f"✓ The key “{system_key}” is in the TPM at 0x{HANDLE:08x} now.\n"
    assert hex(HANDLE) in sandbox.tpm2("tpm2_getcap", "handles-persistent").lower()
    assert re.search(rf"0x{HANDLE:08x} +ecc-p256 +the machine's key “{system_key}”\n", run_ok("key", "list", "--persistent"))
    assert HANDLE in [entry["handle"] for entry in run_json("key", "list", "--persistent")]
    assert "Nothing was taken out" in fails(FAILURE, "key", "evict", hex(HANDLE))
    terminal = Terminal("key", "evict", hex(HANDLE))
    answer(terminal, "Take it out of the TPM?", "no")
    status, screen = terminal.finish()
    assert status == FAILURE and system_key in words(screen)
    terminal = Terminal("key", "evict", str(HANDLE))
    answer(terminal, "Take it out of the TPM?", "yes")
    assert terminal.finish()[0] == OK
    assert "There is nothing at that handle" in fails(FAILURE, "key", "evict", hex(HANDLE), "--yes")
    run_ok("key", "persist", system_key, hex(HANDLE), "--json")
    assert run_json("key", "evict", hex(HANDLE), "--yes") == {"handle": HANDLE}


def test_persist_by_the_owner_auth(sandbox, system_key):
    sandbox.tpm2("tpm2_changeauth", "-c", "owner", "landlord")
    try:
        done = run_with(b"", "key", "persist", system_key, hex(HANDLE))
        assert done.returncode == AUTH_FAILED and b"--owner-fd" in done.stderr
        done = run_with_secrets({"--owner-fd": b"tenant"}, "key", "persist", system_key, hex(HANDLE))
        assert done.returncode == AUTH_FAILED
        terminal = Terminal("key", "persist", system_key, hex(HANDLE))
        type_secret(terminal, "The owner auth, which is not shown: ", "landlord")
        assert terminal.finish()[0] == OK
        assert run_with_secrets({"--owner-fd": b"landlord"}, "key", "evict", hex(HANDLE), "--yes").returncode == OK
    finally:
        sandbox.tpm2("tpm2_changeauth", "-c", "owner", "-p", "landlord", "")


# keys that cannot be used


def test_keys_from_before_a_clear(sandbox):
    label = make()
    clear(sandbox)
    new = make()
    titles, *keys = rows()
    assert re.search(rf"^{label} .* no ", "\n".join(keys), re.MULTILINE)
    assert re.search(rf"^{new} .* yes ", "\n".join(keys), re.MULTILINE)
    assert keys[-1] == "“tpmward key show KEY” tells why one cannot be used."
    shown = run_ok("key", "show", label)
    key = describe(label)
    assert shown.startswith(f"● {label} cannot be used\n  ") and key["usable"] is False
    assert key["problem"] in shown
    done = run_with(b"data", "key", "sign", label)
    assert (done.returncode, done.stdout) == (FAILURE, b"")
    for stale in run_json("key", "list"):
        run_ok("key", "delete", stale["id"], "--yes")
    assert run_json("key", "list") == []


# without a service or a TPM


def test_no_service():
    for args in (["list"], ["create", "x"], ["sign", "x", "--digest", "00" * 32]):
        assert "The system bus" in fails(NO_SERVICE, "key", *args, DBUS_SYSTEM_BUS_ADDRESS="unix:path=/nonexistent")


def test_no_tpm(sandbox):
    assert "no TPM named “tpm7”; this machine has tpm0" in fails(NO_TPM, "key", "list", "--tpm=tpm7")
    assert run_ok("key", "list", "--tpm=tpm0") == run_ok("--tpm=tpm0", "key", "list")
    sandbox.restart("daemon", "--only", "--idle-exit", "60")
    fails(NO_TPM, "key", "list")
    sandbox.restart("daemon")


# help, the manual page and completion


@pytest.mark.parametrize("verb", KEY_VERBS)
def test_help_of_a_verb(verb):
    shown = run_ok("key", verb, "--help")
    assert shown == run_ok("--help", "key", verb) == run_ok("help", "key", verb) == run_ok("key", "help", verb)
    assert shown.startswith(f"Usage:\n  tpmward key {verb} [OPTION…]")
    assert re.findall(r"^ +(?:-\w, )?(--[a-z0-9-]+)", shown, re.MULTILINE) == [*OPTIONS[verb], *COMMON_OPTIONS]


def test_help_names_all_verbs():
    shown = run_ok("key", "--help")
    assert shown == run_ok("help", "key") == run_ok("key", "help")
    assert re.findall(r"^  ([a-z-]+)\b.*", shown, re.MULTILINE)[1 : len(KEY_VERBS) + 1] == KEY_VERBS


def test_the_manual_page_names_everything():
    page = re.sub(r"\\f[BIR]", "", (SOURCE / "tpmward.1").read_text().replace("\\-", "-"))
    for verb in KEY_VERBS:
        assert f"key {verb}" in page
    for option in sum(OPTIONS.values(), []):
        assert re.search(rf"(?<![\w-]){re.escape(option)}\b", page), option


def test_plain_ascii_in_the_c_locale():
    make()
    for args in (["key"], ["key", "--help"], ["key", "create", f"c-{os.urandom(3).hex()}"]):
        assert run_ok(*args, LC_ALL="C").isascii()


def test_completion(tmp_path):
    label, spaced, system = make(), make(label=f"a \\ “b” 'c' {os.urandom(3).hex()}"), make("--system")
    assert complete("key", "") == KEY_VERBS
    assert complete("key", "si") == ["sign"]
    assert complete("help", "key", "si") == ["sign"]
    assert complete("key", "sign", label[:8]) == [label]
    quoted = subprocess.run(["bash", "-c", 'printf "%q" "$1"', "bash", spaced], capture_output=True, text=True, check=True).stdout
    assert complete("key", "show", "a \\ ") == quoted.split()
    assert system in complete("key", "sign", "--system", "") and label not in complete("key", "sign", "--system", "")
    assert complete("key", "create", "") == []
    assert complete("key", "create", "--usage", "=", "s") == ["sign"]
    assert "ecc-p256" in complete("key", "create", "-a", "ecc")
    assert complete("key", "sign", label, "--file", "=", str(tmp_path)) == [str(tmp_path)]
    for verb in KEY_VERBS:
        assert complete("key", verb, "--") == [*COMMON_OPTIONS, *OPTIONS[verb]]
    run_ok("key", "delete", spaced, "--yes")
    run_ok("key", "delete", system, "--system", "--yes")
