# SPDX-License-Identifier: LGPL-2.1-or-later
"""tpmward key import: private keys of other programs, and their passphrases."""

import os
import subprocess

import pytest
from cli_keys import describe, new_chip, openssl, run_ok_with, write  # noqa: F401: a fixture
from test_cli import FAILURE, OK, Terminal, fails, on_terminal, run_json, run_ok
from test_cli_own import type_secret

import ward


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A folder with a key of OpenSSL's in many forms, of which “passphrase” opens the encrypted ones."""
    folder = tmp_path_factory.mktemp("plain")
    path = str(folder / "pkcs8")
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path)
    passphrase = ["-passout", "pass:passphrase"]
    write(folder, "der", openssl("pkey", "-in", path, "-outform", "DER"))
    write(folder, "encrypted", openssl("pkcs8", "-topk8", "-in", path, *passphrase))
    write(folder, "encrypted-der", openssl("pkcs8", "-topk8", "-in", path, "-outform", "DER", *passphrase))
    write(folder, "traditional", openssl("ec", "-in", path, "-aes256", *passphrase))
    for name, secret in (("openssh", ""), ("openssh-encrypted", "passphrase")):
        command = ["ssh-keygen", "-q", "-t", "ecdsa", "-N", secret, "-C", "", "-f", folder / name]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return folder


def imports(name, *options, data=None, folder=None):
    """Imports a key and deletes it again: it can be there once."""
    label = f"imported-{os.urandom(3).hex()}"
    made = run_json("key", "import", label, str(folder / name), *options)
    run_ok("key", "delete", label, "--yes")
    return made


@pytest.mark.parametrize("name", ["pkcs8", "der", "openssh"])
def test_import_of_a_plain_key(plain, name):
    key = imports(name, "--usage=sign,agree", folder=plain)
    assert (key["imported"], key["algorithm"], key["usage"]) == (True, "ecc-p256", ["sign", "agree"])


@pytest.mark.parametrize("name", ["encrypted", "encrypted-der", "traditional"])
def test_import_of_an_encrypted_key(tmp_path, plain, name):
    right, wrong = write(tmp_path, "right", "passphrase"), write(tmp_path, "wrong", "password")
    assert imports(name, "--passphrase-file", right, folder=plain)["imported"]
    assert "passphrase is wrong" in fails(FAILURE, "key", "import", "x", str(plain / name), "--passphrase-file", wrong)


@pytest.mark.parametrize("name", ["encrypted", "traditional", "encrypted-der"])
def test_the_passphrase_is_asked_for(plain, name):
    label = f"typed-{os.urandom(3).hex()}"
    options = ["--passphrase"] if name == "encrypted-der" else []
    terminal = Terminal("key", "import", label, str(plain / name), *options, NO_COLOR="1")
    type_secret(terminal, "The passphrase of the private key, which is not shown: ", "passphrase")
    status, screen = terminal.finish()
    assert status == OK, screen
    assert f"✓ The key “{label}” was imported." in screen
    run_ok("key", "delete", label, "--yes")


@pytest.mark.parametrize("name", ["pkcs8", "openssh"])
def test_no_passphrase_is_asked_for_a_plain_key(plain, name):
    label = f"plain-{os.urandom(3).hex()}"
    status, screen = on_terminal("key", "import", label, str(plain / name))
    assert status == OK
    assert "passphrase" not in screen
    run_ok("key", "delete", label, "--yes")


def test_import_from_standard_input(plain):
    run_ok_with((plain / "pkcs8").read_bytes(), "key", "import", "piped", "-")
    assert describe("piped")["imported"]
    assert "This key is there already" in fails(FAILURE, "key", "import", "twice", str(plain / "der"))
    run_ok("key", "delete", "piped", "--yes")


def test_a_private_key_passes_by_a_descriptor(root, plain):
    with ward.Monitor(root, "type='method_call',interface='org.tpmward1.Keys',member='Import'") as messages:
        imports("pkcs8", folder=plain)
        (call,) = messages.all()
    assert call["payload"]["data"][1] == []
    assert call["payload"]["data"][2]["data"]["type"] == "h"


def test_what_cannot_be_imported(tmp_path, plain):
    text = (plain / "pkcs8").read_bytes()
    for data in (b"", b"x", text[:100], text[:-30], b"\x30\x82" + bytes(100)):
        fails(FAILURE, "key", "import", "bad", write(tmp_path, "key", data))
    assert "too long" in fails(FAILURE, "key", "import", "bad", write(tmp_path, "key", bytes(65537)))
    assert "No such file" in fails(FAILURE, "key", "import", "bad", str(tmp_path / "missing"))
    assert "encrypted" in fails(FAILURE, "key", "import", "bad", str(plain / "encrypted-der"))
    assert "ssh-keygen -p" in fails(FAILURE, "key", "import", "bad", str(plain / "openssh-encrypted"))
    assert "no key" in fails(FAILURE, "key", "show", "bad")
