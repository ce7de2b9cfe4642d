# SPDX-License-Identifier: LGPL-2.1-or-later
"""tpmward seal and unseal: files, pipes and terminals, passwords and PCRs, and what is left when it fails."""

import base64
import json
import os
import stat

import pytest
from cli_keys import new_chip, run_bytes, run_ok_with, run_with, usage_error, write  # noqa: F401: a fixture
from test_cli import AUTH_FAILED, FAILURE, NO_TPM, OK, Terminal, fails, on_terminal, run_ok
from test_cli_own import type_secret, type_twice, words

import ward

MIB = 1024 * 1024
PASSWORD_PROMPT = "The password of the sealed data, which is not shown: "


@pytest.fixture
def password(tmp_path):
    return write(tmp_path, "password", "sesame")


def seal(data, *options):
    return run_ok_with(data, "seal", *options)


@pytest.mark.parametrize("size", [1, 128, 129, MIB])
def test_what_was_sealed_comes_back(tmp_path, size):
    data = os.urandom(size)
    source, sealed, back = write(tmp_path, "data", data), str(tmp_path / "sealed"), tmp_path / "back"
    assert run_ok("seal", source, "--output", sealed) == ""
    assert run_ok("unseal", sealed, "--output", str(back)) == ""
    assert back.read_bytes() == data
    for path in (sealed, back):
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600


@pytest.mark.parametrize("names", [[], ["-"]])
def test_by_pipes(names):
    blob = seal(b"a secret\n", *names)
    assert blob.startswith(b"-----BEGIN TSS2 PRIVATE KEY-----\n")
    assert b"a secret" not in blob
    assert run_ok_with(blob, "unseal", *names) == b"a secret\n"


def test_the_forms_of_what_comes_back(tmp_path):
    sealed = write(tmp_path, "sealed", seal(b"\0\1secret"))
    assert run_bytes("unseal", sealed, "--raw") == b"\0\1secret"
    assert run_ok("unseal", sealed, "--hex") == b"\0\1secret".hex() + "\n"
    assert run_ok("unseal", sealed, "--base64") == base64.b64encode(b"\0\1secret").decode() + "\n"
    assert json.loads(run_ok("unseal", sealed, "--json")) == {"hex": b"\0\1secret".hex()}
    assert on_terminal("unseal", sealed) == (OK, base64.b64encode(b"\0\1secret").decode() + "\n")
    assert on_terminal("unseal", write(tmp_path, "text", seal(b"a secret"))) == (OK, "a secret\n")


def test_a_blob_in_json():
    blob = json.loads(seal(b"a secret", "--json"))["blob"]
    assert run_ok_with(blob.encode(), "unseal") == b"a secret"


def test_with_a_password_from_a_file(tmp_path, password):
    sealed = write(tmp_path, "sealed", seal(b"a secret", "--password-file", password))
    assert run_bytes("unseal", sealed, "--password-file", password) == b"a secret"
    assert run_ok_with(b"sesame", "unseal", sealed, "--password-file=-") == b"a secret"


def test_without_the_password(tmp_path, password):
    sealed = write(tmp_path, "sealed", seal(b"a secret", "--password-file", password))
    output = str(tmp_path / "back")
    done = run_with(b"", "unseal", sealed, "--output", output)
    assert (done.returncode, done.stdout) == (AUTH_FAILED, b"")
    assert "The password of the sealed data is needed." in done.stderr.decode()
    done = run_with(b"open", "unseal", sealed, "--output", output, "--password-file=-")
    assert (done.returncode, done.stdout) == (AUTH_FAILED, b"")
    assert "tries" in done.stderr.decode()
    assert not os.path.exists(output)


def test_a_password_is_asked_for(tmp_path):
    sealed = str(tmp_path / "sealed")
    terminal = Terminal("seal", write(tmp_path, "data", "a secret"), "--password", "--output", sealed)
    type_twice(terminal, "password", "sesame")
    status, screen = terminal.finish()
    assert status == OK
    assert "sesame" not in screen
    terminal = Terminal("unseal", sealed)
    type_secret(terminal, PASSWORD_PROMPT, "open")
    type_secret(terminal, PASSWORD_PROMPT, "sesame")
    status, screen = terminal.finish()
    assert status == OK
    assert "tries" in screen
    assert screen.endswith("\na secret\n")


def test_to_pcrs(tmp_path, sandbox):
    sealed = write(tmp_path, "sealed", seal(b"a secret", "--pcrs=sha256:7,16+sha1:16"))
    output = tmp_path / "back"
    assert run_bytes("unseal", sealed) == b"a secret"
    sandbox.tpm2("tpm2_pcrextend", "16:sha256=" + "01" * 32)
    message = fails(FAILURE, "unseal", sealed, "--output", str(output))
    assert "PCR" in message and "16" in message
    assert not output.exists()
    sandbox.tpm2("tpm2_pcrreset", "16")
    assert run_bytes("unseal", sealed) == b"a secret"


def test_the_bank_is_sha256_where_none_is_named(tmp_path, sandbox):
    sealed = write(tmp_path, "sealed", seal(b"a secret", "--pcrs=16"))
    sandbox.tpm2("tpm2_pcrextend", "16:sha1=" + "01" * 20)
    assert run_bytes("unseal", sealed) == b"a secret"
    sandbox.tpm2("tpm2_pcrextend", "16:sha256=" + "01" * 32)
    assert "sha256" in fails(FAILURE, "unseal", sealed)
    sandbox.tpm2("tpm2_pcrreset", "16")


def failures(root):
    root.call("Tpm.Refresh")
    return root.get("Lockout.Failures")


def test_wrong_passwords_are_counted_or_not(tmp_path, root, password):
    wrong = write(tmp_path, "wrong", "open")
    counted = write(tmp_path, "counted", seal(b"a secret", "--password-file", password))
    free = write(tmp_path, "free", seal(b"a secret", "--password-file", password, "--no-da"))
    before = failures(root)
    assert run_with(b"", "unseal", free, "--password-file", wrong).returncode == AUTH_FAILED
    assert failures(root) == before
    assert run_with(b"", "unseal", counted, "--password-file", wrong).returncode == AUTH_FAILED
    assert failures(root) == before + 1


def test_sizes_that_cannot_be_sealed(tmp_path):
    sealed = str(tmp_path / "sealed")
    for data, message in ((b"", "at least 1 byte"), (bytes(MIB + 1), "at most 1048576 bytes")):
        done = run_with(data, "seal", "--output", sealed)
        assert (done.returncode, done.stdout) == (FAILURE, b"")
        assert message in done.stderr.decode()
        assert not os.path.exists(sealed)


def test_what_is_no_sealed_data(tmp_path):
    output = tmp_path / "back"
    output.write_text("what was there")
    for data in (b"", b"\xff\xfe", b"x", b"-----BEGIN TSS2 PRIVATE KEY-----\nAAAA\n-----END TSS2 PRIVATE KEY-----\n"):
        fails(FAILURE, "unseal", write(tmp_path, "sealed", data), "--output", str(output))
    damaged = seal(bytes(300)).replace(b"M", b"N", 1)
    fails(FAILURE, "unseal", write(tmp_path, "sealed", damaged), "--output", str(output))
    assert "too long" in fails(FAILURE, "unseal", write(tmp_path, "sealed", b"x" * (2 * MIB + 1)))
    assert output.read_text() == "what was there"
    assert sorted(os.listdir(tmp_path)) == ["back", "sealed"]


def test_files_that_cannot_be_read_or_written(tmp_path):
    sealed = write(tmp_path, "sealed", seal(b"a secret"))
    missing = str(tmp_path / "missing")
    assert "No such file or directory" in fails(FAILURE, "seal", missing)
    assert "No such file or directory" in fails(FAILURE, "unseal", missing)
    assert "Is a directory" in fails(FAILURE, "unseal", str(tmp_path))
    assert "No such file or directory" in fails(FAILURE, "unseal", sealed, "--output", missing + "/x")
    assert "No space left on device" in fails(FAILURE, "unseal", sealed, "--output=/dev/full")
    assert "No such file or directory" in fails(FAILURE, "unseal", sealed, "--password-file", missing)


@pytest.mark.parametrize("verb", ["seal", "unseal"])
def test_nothing_is_read_from_a_terminal(verb):
    status, screen = on_terminal(verb)
    assert status == 2
    assert "give a file, or pass it to standard input by a pipe" in words(screen)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["seal", "--pcrs=x"], "“x” names no PCRs. Write them as sha256:7,11."),
        (["seal", "--pcrs="], "names no PCRs"),
        (["seal", "--pcrs=sha256:"], "names no PCRs"),
        (["seal", "--pcrs=:7"], "names no PCRs"),
        (["seal", "--pcrs=sha256:7+"], "names no PCRs"),
        (["seal", "--pcrs=sha256:32"], "names no PCRs"),
        (["seal", "--pcrs=7+sha256:8"], "names a bank twice"),
        (["seal", "--password", "--password-file=x"], "Only one of --password and --password-file"),
        (["seal", "--password-file=-"], "Not both the password and the data"),
        (["unseal", "--password-file=-"], "Not both the password and the data"),
        (["unseal", "--hex", "--raw"], "Only one of --raw, --base64, --hex and --json"),
        (["seal", "--json", "-o", "x"], "Only one of --json and --output"),
        (["seal", "a", "b"], "seal does not take the argument “b”"),
    ],
)
def test_wrong_usage(tmp_path, args, message):
    source = [write(tmp_path, "data", "x")] if any(arg.startswith("--pcrs") for arg in args) else []
    assert message in usage_error(*args, *source)


def test_an_empty_password_is_none(tmp_path):
    done = run_with(b"a secret", "seal", "--password-file", write(tmp_path, "empty", ""))
    assert (done.returncode, done.stdout) == (AUTH_FAILED, b"")
    assert "empty password" in done.stderr.decode()


def test_a_password_that_is_too_long(tmp_path):
    done = run_with(b"a secret", "seal", "--password-file", write(tmp_path, "long", "x" * 65))
    assert done.returncode == FAILURE
    assert "64" in done.stderr.decode()


def test_an_unknown_bank():
    done = run_with(b"a secret", "seal", "--pcrs=sha3:7")
    assert done.returncode == FAILURE
    assert "bank" in done.stderr.decode()


def test_no_such_tpm(tmp_path):
    assert "no TPM named “tpm7”" in fails(NO_TPM, "seal", write(tmp_path, "data", "x"), "--tpm=tpm7")


def test_secrets_pass_by_descriptors(root, password):
    with ward.Monitor(root, "type='method_call',interface='org.tpmward1.Seal'") as messages:
        blob = seal(b"a secret", "--password-file", password)
        run_ok_with(blob, "unseal", "--password-file", password)
        sealing, unsealing = messages.all()
    data, options = sealing["payload"]["data"]
    assert data == []
    assert {name: value["type"] for name, value in options.items()} == {"data": "h", "auth": "h"}
    assert {name: value["type"] for name, value in unsealing["payload"]["data"][1].items()} == {"auth": "h", "output": "h"}


def test_an_interruption_leaves_no_file(tmp_path, password):
    sealed = write(tmp_path, "sealed", seal(b"a secret", "--password-file", password))
    terminal = Terminal("unseal", sealed, "--output", str(tmp_path / "back"))
    terminal.read_until("not shown: $")
    terminal.type("\x03")
    assert terminal.finish()[0] == -ward.signal.SIGINT
    assert sorted(os.listdir(tmp_path)) == ["password", "sealed"]
