# SPDX-License-Identifier: LGPL-2.1-or-later
"""Keys of a TPM 1.2: what differs from a TPM 2.0's, and files of keys that go to other programs of libtspi and come from them."""

import base64
import subprocess

import pytest

import ward
from families import power_cycle, tool
from keys import Keys, a_label, digest_of, openssl, options, private_key, public_of, verifies
from test_tcsd import fresh_tpm, take  # noqa: F401: a fixture
from ward import ERROR

DIGEST = digest_of("sha256")
DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420") + DIGEST
with_and_without_auth = pytest.mark.parametrize(
    ("auth", "word"), [({}, ()), ({"auth": "sesame"}, ("--auth", "sesame"))], ids=["open", "auth"]
)


@pytest.mark.parametrize("algorithm", ["rsa3072", "ecc-p256", "ecc-p384"])
def test_algorithms_that_the_chip_lacks(alice, root, algorithm):
    take(root)
    error = Keys(alice).full_error("Create", "key", algorithm)
    assert error.name == ERROR + "NotSupported" and algorithm in error.message
    assert Keys(alice).call("List") == []


def test_secret_of_the_storage_root_key(alice, root):
    """Who does not know it makes nothing beneath the key, and uses nothing."""
    take(root, **{"srk-auth": "shared"})
    mine = Keys(alice)
    assert mine.error("Create", "key", "rsa2048") == "AuthenticationFailed"
    key = mine.create(label="key", srk_auth="shared")
    assert mine.error("Sign", key, "sha256", bytes(32)) == "AuthenticationFailed"
    assert verifies(mine.public(key), mine.call("Sign", key, "sha256", bytes(32), srk_auth="shared"), bytes(32), "sha256")
    blob = alice.call("Seal.Seal", "aya{sv}", b"data", options(**{"srk-auth": "shared"}))
    assert alice.error("Seal.Unseal", "sa{sv}", blob, {}).name == ERROR + "AuthenticationFailed"
    assert alice.call("Seal.Unseal", "sa{sv}", blob, options(**{"srk-auth": "shared"})) == b"data"
    error = mine.full_error("Sign", key, "sha256", bytes(32), owner_auth="own")
    assert error.name == ERROR + "NotSupported" and "srk-auth" in error.message


def test_import_where_others_took_ownership(alice, root):
    """The storage root key, by which a key is wrapped, is told by the TPM to its owner alone."""
    tool("tpm_takeownership", "-z", said="tools\ntools\n")
    root.call("Tpm.Refresh")
    mine, data = Keys(alice), private_key("rsa2048")
    error = mine.full_error("Import", "brought", data)
    assert error.name == ERROR + "AuthenticationFailed" and "owner-auth" in error.message and "Nothing was tried" in error.message
    assert mine.error("Import", "brought", data, owner_auth="wrong") == "AuthenticationFailed"
    key = mine.call("Import", "brought", data, owner_auth="tools", auth="sesame", usage=["decrypt"])
    told = mine.describe(key)
    assert (told["imported"], told["has-auth"], told["public-key"]) == (True, True, public_of(data, "DER"))
    assert verifies(mine.public(key), mine.call("Sign", key, "sha256", bytes(32), auth="sesame"), bytes(32), "sha256")
    assert mine.error("Import", "another", private_key("ecc-p256"), owner_auth="tools") == "NotSupported"


def test_import_after_the_storage_root_key_has_gone(sandbox, alice, root):
    """What is on record of it is gone, too, and another's is not taken for it."""
    take(root)
    Keys(alice).call("Import", "first", private_key("rsa2048"))
    root.call("Ownership.Clear", "a{sv}", options(auth="own", confirm="tpm0"))
    power_cycle(sandbox)
    assert Keys(alice).error("Import", "second", private_key("rsa2048")) == "AuthenticationFailed"
    take(root)
    sandbox.restart("daemon")
    assert Keys(alice).call("Import", "second", private_key("rsa2048"))


def peer(*command, data=None, fails=False):
    """ward-tspi-peer, which does what create_tpm_key does and the engine with its keys."""
    program = ward.ROOT / "build/tests/service/ward-tspi-peer"
    done = subprocess.run([program, *command], input=data, capture_output=True, check=False, timeout=60)
    assert (done.returncode != 0) == fails, done.stderr.decode()
    return done.stdout


def encrypted(public):
    return openssl("pkeyutl", "-encrypt", "-pubin", "-inkey", "{key}", data=b"what is encrypted", key=public)


def blob_of(pem):
    return base64.b64decode("".join(pem.splitlines()[1:-1]))


@with_and_without_auth
def test_what_create_tpm_key_makes(alice, root, tmp_path, auth, word):
    take(root)
    file, mine = tmp_path / "key.pem", Keys(alice)
    peer(*word, "make", file)
    key = mine.call("Import", a_label(), file.read_bytes())
    told = mine.describe(key)
    assert (told["usage"], told["has-auth"], told["imported"], told["usable"]) == (["sign", "decrypt"], bool(auth), False, True)
    signature = mine.call("Sign", key, "sha256", DIGEST, **auth)
    assert verifies(mine.public(key), signature, DIGEST, "sha256")
    assert peer(*word, "sign", file, data=DIGEST_INFO) == signature
    assert mine.call("Decrypt", key, encrypted(mine.public(key)), **auth) == b"what is encrypted"
    assert blob_of(mine.call("Export", key)) == blob_of(file.read_text())
    if auth:
        assert mine.error("Sign", key, "sha256", DIGEST) == "AuthenticationFailed"


@with_and_without_auth
def test_what_create_tpm_key_wraps(alice, root, tmp_path, auth, word):
    take(root)
    tool("tpm_restrictsrk", "-a", said="own\n")
    private, file, mine = tmp_path / "private.pem", tmp_path / "key.pem", Keys(alice)
    private.write_bytes(private_key("rsa2048"))
    peer(*word, "--migration-auth", "leaves", "--wrap", private, "make", file)
    key = mine.call("Import", a_label(), file.read_bytes())
    assert mine.describe(key)["imported"] is True
    assert mine.public(key) == public_of(private.read_bytes())
    assert verifies(mine.public(key), mine.call("Sign", key, "sha256", DIGEST, **auth), DIGEST, "sha256")


def test_what_create_tpm_key_makes_by_other_schemes(alice, root, tmp_path):
    take(root)
    file, mine = tmp_path / "key.pem", Keys(alice)
    peer("--oaep", "make", file)
    key = mine.call("Import", a_label(), file.read_bytes())
    assert mine.describe(key)["usage"] == ["sign"]
    assert verifies(mine.public(key), mine.call("Sign", key, "sha256", DIGEST), DIGEST, "sha256")
    assert mine.error("Decrypt", key, encrypted(mine.public(key))) == "InvalidArgument"
    peer("--sha1", "make", file)
    error = mine.full_error("Import", a_label(), file.read_bytes())
    assert error.name == ERROR + "NotSupported" and "signs in another way" in error.message


@with_and_without_auth
@pytest.mark.parametrize("imported", [False, True], ids=["made", "imported"])
def test_keys_of_ours_in_the_engine_of_create_tpm_key(alice, root, tmp_path, auth, word, imported):
    take(root)
    file, mine = tmp_path / "key.pem", Keys(alice)
    uses = {"usage": ["sign", "decrypt"], **auth}
    key = mine.call("Import", a_label(), private_key("rsa2048"), **uses) if imported else mine.create(**uses)
    file.write_text(mine.call("Export", key))
    assert peer(*word, "sign", file, data=DIGEST_INFO) == mine.call("Sign", key, "sha256", DIGEST, **auth)
    assert peer(*word, "decrypt", file, data=encrypted(mine.public(key))) == b"what is encrypted"
    peer("--auth", "wrong", "sign", file, data=DIGEST_INFO, fails=True)


def test_keys_that_were_changed(alice, bob, root):
    """A byte of what is exported: never another key, never a secret tried, whatever libtspi makes of it."""
    take(root)
    text = Keys(alice).call("Export", Keys(alice).create())
    der = blob_of(text)
    for at in range(len(der)):
        changed = der[:at] + bytes([der[at] ^ 0x41]) + der[at + 1 :]
        lines = base64.encodebytes(changed).decode()
        pem = f"-----BEGIN TSS KEY BLOB-----\n{lines}-----END TSS KEY BLOB-----\n"
        assert Keys(bob).error("Import", "changed", pem.encode()) in ("Corrupt", "NotSupported"), at
    assert Keys(bob).call("Import", "whole", text.encode())


def test_keys_from_before_a_clear_are_told(sandbox, alice, root):
    take(root)
    key = Keys(alice).create()
    root.call("Ownership.Clear", "a{sv}", options(auth="own", confirm="tpm0"))
    assert Keys(alice).describe(key)["usable"] is False  # nor while the TPM is disabled
    power_cycle(sandbox)
    assert Keys(alice).describe(key)["usable"] is False
    take(root)
    assert Keys(alice).describe(key)["usable"] is False
    assert Keys(alice).describe(Keys(alice).create())["usable"] is True
