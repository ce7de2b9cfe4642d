# SPDX-License-Identifier: LGPL-2.1-or-later
"""tpmward key sign, decrypt and agree: beside OpenSSL, by files, pipes and terminals, with and without a password."""

import base64
import hashlib
import json
import os
import re
import stat

import pytest
from cli_keys import make, new_chip, openssl, run_bytes, run_ok_with, run_with, usage_error, write  # noqa: F401: a fixture
from test_cli import AUTH_FAILED, FAILURE, NO_TPM, OK, Terminal, fails, on_terminal, run, run_ok
from test_cli_own import type_secret, words

import ward

DATA = b"what is to be signed\n"


@pytest.fixture(scope="module")
def ecc():
    return make()


@pytest.fixture(scope="module")
def rsa():
    return make("-a", "rsa2048", "-u", "sign,decrypt")


@pytest.fixture(scope="module")
def agreeing():
    return make("--usage=agree")


@pytest.fixture(scope="module")
def locked(tmp_path_factory):
    """A key with the password “sesame”."""
    return make("--password-file", write(tmp_path_factory.mktemp("locked"), "password", "sesame"))


def public(tmp_path, label):
    path = str(tmp_path / "public.pem")
    run_ok("key", "public", label, "--output", path)
    return path


def verifies(tmp_path, label, signature, data=DATA, hash_="sha256", *options):
    """Whether OpenSSL takes the signature for the data's, and not for another's."""
    path = write(tmp_path, "signature", signature)
    command = ["dgst", f"-{hash_}", "-verify", public(tmp_path, label), "-signature", path, *options]
    assert openssl(*command, write(tmp_path, "data", data)) == b"Verified OK\n"
    return True


# sign


@pytest.mark.parametrize("hash_", ["sha1", "sha256", "sha384", "sha512"])
@pytest.mark.parametrize("scheme", ["ecdsa", "rsassa", "rsapss"])
def test_a_signature_of_a_file_verifies(tmp_path, ecc, rsa, scheme, hash_):
    label = ecc if scheme == "ecdsa" else rsa
    signature = run_bytes("key", "sign", label, "--file", write(tmp_path, "f", DATA), "--hash", hash_, "--scheme", scheme)
    pss = ["-sigopt", "rsa_padding_mode:pss"] if scheme == "rsapss" else []
    assert verifies(tmp_path, label, signature, DATA, hash_, *pss)


def test_sha256_is_the_default_hash(tmp_path, ecc):
    assert verifies(tmp_path, ecc, run_ok_with(DATA, "key", "sign", ecc))


@pytest.mark.parametrize("option", [[], ["--file=-"], ["-f", "-"]])
def test_standard_input_is_signed(tmp_path, rsa, option):
    expected = run_bytes("key", "sign", rsa, "--file", write(tmp_path, "f", DATA))
    assert run_ok_with(DATA, "key", "sign", rsa, *option) == expected
    assert run_ok_with(b"", "key", "sign", rsa, *option) != expected


@pytest.mark.parametrize("hash_", ["sha1", "sha256", "sha384", "sha512"])
def test_a_digest_is_signed(tmp_path, rsa, hash_):
    digest = hashlib.new(hash_, DATA)
    expected = run_bytes("key", "sign", rsa, "--file", write(tmp_path, "f", DATA), "--hash", hash_)
    assert run_bytes("key", "sign", rsa, "--digest", digest.hexdigest()) == expected
    assert run_bytes("key", "sign", rsa, "--digest", digest.hexdigest().upper(), "--hash", hash_) == expected
    assert run_bytes("key", "sign", rsa, "--digest", write(tmp_path, "digest", digest.digest())) == expected
    assert run_ok_with(digest.digest(), "key", "sign", rsa, "--digest=-") == expected


def test_what_is_hashed_already_is_signed_as_it_is(tmp_path, ecc, rsa):
    info = bytes.fromhex("3031300d060960864801650304020105000420") + hashlib.sha256(DATA).digest()
    expected = run_bytes("key", "sign", rsa, "--file", write(tmp_path, "f", DATA))
    assert run_ok_with(info, "key", "sign", rsa, "--hash=none") == expected
    assert verifies(tmp_path, ecc, run_ok_with(hashlib.sha256(DATA).digest(), "key", "sign", ecc, "--hash=none"))


def test_a_signature_is_written_as_it_is_asked_for(tmp_path, rsa):
    sign = ["key", "sign", rsa, "--file", write(tmp_path, "f", DATA)]
    raw = run_bytes(*sign)
    assert len(raw) == 256
    assert run_bytes(*sign, "--raw") == raw
    assert run_ok(*sign, "--hex") == raw.hex() + "\n"
    assert run_ok(*sign, "--base64") == base64.b64encode(raw).decode() + "\n"
    assert json.loads(run_ok(*sign, "--json")) == {"key": rsa, "hash": "sha256", "signature": raw.hex()}


def test_a_signature_on_a_terminal_is_base64(tmp_path, rsa):
    sign = ["key", "sign", rsa, "--file", write(tmp_path, "f", DATA)]
    status, screen = on_terminal(*sign)
    assert (status, base64.b64decode(screen, validate=False)) == (OK, run_bytes(*sign))


def test_a_signature_is_written_to_a_file(tmp_path, rsa):
    path = tmp_path / "f.sig"
    path.write_text("what was there")
    link = tmp_path / "link"
    link.symlink_to("f.sig")
    sign = ["key", "sign", rsa, "--file", write(tmp_path, "f", DATA)]
    assert run_ok(*sign, "--output", str(link)) == ""
    assert path.read_bytes() == run_bytes(*sign)
    assert link.is_symlink()
    assert sorted(os.listdir(tmp_path)) == ["f", "f.sig", "link"]


def test_an_output_that_cannot_be_written(tmp_path, ecc):
    sign = ["key", "sign", ecc, "--file", write(tmp_path, "f", DATA), "--output"]
    missing = str(tmp_path / "missing" / "f.sig")
    assert fails(FAILURE, *sign, missing) == f"tpmward: Cannot write to “{missing}”: No such file or directory.\n"
    assert "Is a directory" in fails(FAILURE, *sign, str(tmp_path))
    assert "No space left on device" in fails(FAILURE, *sign, "/dev/full")
    assert stat.S_ISCHR(os.stat("/dev/full").st_mode)


SPARSE_SIZE = 200_000_000


@pytest.fixture
def sparse(tmp_path):
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        file.truncate(SPARSE_SIZE)
    return str(path)


def zeros_digest():
    digest, block = hashlib.sha256(), bytes(1_000_000)
    for _ in range(SPARSE_SIZE // len(block)):
        digest.update(block)
    return digest.hexdigest()


def test_a_large_file_is_hashed_with_a_bar(tmp_path, rsa, sparse):
    output = tmp_path / "sparse.sig"
    status, screen = on_terminal("key", "sign", rsa, "--file", sparse, "--output", str(output))
    assert status == OK
    bars = re.findall(r"\rHashing  \[(#*)(\.*)\] +(\d+) % +(\d+\.\d) MB of 200\.0 MB\033\[K", screen)
    assert bars, screen
    (width,) = {len(done) + len(left) for done, left, _, _ in bars}
    for done, _, percent, size in bars:
        assert abs(len(done) / width - int(percent) / 100) < 0.05
        assert abs(float(size) / 200 - int(percent) / 100) < 0.02
    assert screen.endswith("\r\033[K")
    assert output.read_bytes() == run_bytes("key", "sign", rsa, "--digest", zeros_digest())


@pytest.mark.parametrize("columns", [40, 60, 80])
def test_a_bar_fits_into_the_terminal(rsa, sparse, columns):
    _, screen = on_terminal("key", "sign", rsa, "--file", sparse, "--output=/dev/null", columns=columns)
    bars = re.findall(r"\r(Hashing[^\r\033]*)", screen)
    assert bars and max(len(bar) for bar in bars) < columns


def test_what_has_no_known_size_is_counted(tmp_path, rsa):
    script = f"head -c {SPARSE_SIZE} /dev/zero | tpmward key sign {rsa} -o {tmp_path}/sig"
    status, screen = Terminal("-c", script, program="sh").finish()
    assert status == OK
    assert re.search(r"\rHashing  \d+\.\d MB\033\[K", screen)
    assert (tmp_path / "sig").read_bytes() == run_bytes("key", "sign", rsa, "--digest", zeros_digest())


def test_no_bar_where_there_is_no_terminal(rsa, sparse):
    assert run("key", "sign", rsa, "--file", sparse, binary=True).stderr == b""


def test_an_interruption_leaves_no_file(tmp_path, rsa, sparse):
    terminal = Terminal("key", "sign", rsa, "--file", sparse, "--output", str(tmp_path / "sig"))
    terminal.read_until("Hashing")
    terminal.type("\x03")
    assert terminal.finish()[0] == -ward.signal.SIGINT
    assert os.listdir(tmp_path) == ["sparse"]


def test_a_large_file_is_not_hashed_for_no_key(sparse):
    status, screen = on_terminal("key", "sign", "nobody", "--file", sparse)
    assert status == FAILURE
    assert "Hashing" not in screen
    assert "There is no key with this label" in screen


def test_files_that_cannot_be_signed(tmp_path, ecc):
    missing = str(tmp_path / "missing")
    assert "No such file or directory" in fails(FAILURE, "key", "sign", ecc, "--file", missing)
    assert "Is a directory" in fails(FAILURE, "key", "sign", ecc, "--file", str(tmp_path))
    assert "too long" in run_with(bytes(1025), "key", "sign", ecc, "--digest=-").stderr.decode()


def test_nothing_is_read_from_a_terminal(ecc):
    status, screen = on_terminal("key", "sign", ecc)
    assert status == 2
    assert "give a file, or pass it to standard input by a pipe" in words(screen)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--hash=sha2"], "Did you mean “sha256”?"),
        (["--hash=md5"], "takes sha1, sha256, sha384, sha512 or none, not “md5”"),
        (["--file=f", "--digest=00"], "Only one of --file and --digest"),
        (["--digest", "00" * 33], "The digest has 33 bytes, which no hash gives"),
        (["--hex", "--base64"], "Only one of --raw, --base64, --hex and --json"),
        (["--json", "--output=f"], "Only one of --json and --output"),
        (["--password-file=-"], "Not both the password and the data"),
        (["other"], "key sign does not take the argument “other”"),
        (["--fiel=f"], "Did you mean “--file”?"),
    ],
)
def test_wrong_usage_of_sign(ecc, options, message):
    assert message in usage_error("key", "sign", ecc, *options)


def test_what_the_service_refuses_to_sign(ecc, rsa, agreeing):
    digest = hashlib.sha256(DATA).hexdigest()
    assert "64 bytes" in fails(FAILURE, "key", "sign", ecc, "--digest", digest, "--hash=sha512")
    assert "rsapss" in fails(FAILURE, "key", "sign", ecc, "--digest", digest, "--scheme=rsapss")
    assert "not made to sign" in fails(FAILURE, "key", "sign", agreeing, "--digest", digest)
    assert "no key" in fails(FAILURE, "key", "sign", "nobody", "--digest", digest)
    assert "no key" in fails(FAILURE, "key", "sign", "0" * 32, "--digest", digest)


def test_a_key_goes_by_its_id_too(tmp_path, rsa):
    key = json.loads(run_ok("key", "show", rsa, "--json"))
    digest = hashlib.sha256(DATA).hexdigest()
    assert run_bytes("key", "sign", key["id"], "-d", digest) == run_bytes("key", "sign", rsa, "-d", digest)


def test_no_such_tpm(ecc):
    assert "no TPM named “tpm7”" in fails(NO_TPM, "key", "sign", ecc, "--tpm=tpm7", "-d", "00" * 32)


# passwords


def test_a_password_from_a_file(tmp_path, locked):
    password = write(tmp_path, "password", "sesame")
    signature = run_ok_with(DATA, "key", "sign", locked, "--password-file", password)
    assert verifies(tmp_path, locked, signature)
    sign = ["key", "sign", locked, "--file", write(tmp_path, "f", DATA), "--password-file=-"]
    assert verifies(tmp_path, locked, run_ok_with(b"sesame", *sign))


def test_a_wrong_password_from_a_file(tmp_path, locked):
    done = run_with(DATA, "key", "sign", locked, "--password-file", write(tmp_path, "password", "sesame\n"))
    assert (done.returncode, done.stdout) == (AUTH_FAILED, b"")
    assert "Careful: the secret that --password-file gave ends in a line's end" in done.stderr.decode()
    assert "tries" in done.stderr.decode()


def test_no_password_and_nobody_to_ask(locked):
    done = run_with(DATA, "key", "sign", locked)
    assert (done.returncode, done.stdout) == (AUTH_FAILED, b"")
    message = done.stderr.decode()
    assert f"The password of the key “{locked}” is needed." in message
    assert "Give it by --password-file." in message


def test_a_password_where_none_is_needed(tmp_path, ecc):
    done = run_with(DATA, "key", "sign", ecc, "--password-file", write(tmp_path, "password", "sesame"))
    assert (done.returncode, done.stdout) == (AUTH_FAILED, b"")


def test_a_password_is_asked_for(tmp_path, locked):
    terminal = Terminal("key", "sign", locked, "--file", write(tmp_path, "f", DATA), "--output", str(tmp_path / "sig"))
    type_secret(terminal, f"The password of the key “{locked}”, which is not shown: ", "sesame")
    status, screen = terminal.finish()
    assert status == OK
    assert "sesame" not in screen
    assert verifies(tmp_path, locked, (tmp_path / "sig").read_bytes())


def test_a_wrong_password_is_asked_for_again(tmp_path, locked):
    terminal = Terminal("key", "sign", locked, "--file", write(tmp_path, "f", DATA), "--output", str(tmp_path / "sig"))
    prompt = f"The password of the key “{locked}”, which is not shown: "
    type_secret(terminal, prompt, "open")
    type_secret(terminal, prompt, "sesame")
    status, screen = terminal.finish()
    assert status == OK
    assert "tries" in screen
    assert verifies(tmp_path, locked, (tmp_path / "sig").read_bytes())


def test_three_wrong_passwords_are_enough(tmp_path, locked):
    terminal = Terminal("key", "sign", locked, "--file", write(tmp_path, "f", DATA), "--output", str(tmp_path / "sig"))
    for _ in range(3):
        type_secret(terminal, f"The password of the key “{locked}”, which is not shown: ", "open")
    assert terminal.finish()[0] == AUTH_FAILED
    assert os.listdir(tmp_path) == ["f"]


def test_an_empty_password_is_not_tried(root, locked):
    failures = root.get("Lockout.Failures")
    terminal = Terminal("key", "sign", locked, "--digest", "00" * 32)
    type_secret(terminal, f"The password of the key “{locked}”, which is not shown: ", "")
    assert terminal.finish()[0] == AUTH_FAILED
    root.call("Tpm.Refresh")
    assert root.get("Lockout.Failures") == failures


# decrypt


def encrypt(tmp_path, label, data, *options):
    options = [part for option in options for part in ("-pkeyopt", option)]
    return openssl("pkeyutl", "-encrypt", "-pubin", "-inkey", public(tmp_path, label), *options, data=data)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ([], ["rsa_padding_mode:oaep", "rsa_oaep_md:sha256"]),
        (["--hash=sha1"], ["rsa_padding_mode:oaep", "rsa_oaep_md:sha1"]),
        (["--scheme=oaep", "--hash=sha512"], ["rsa_padding_mode:oaep", "rsa_oaep_md:sha512"]),
        (["--scheme=rsaes"], ["rsa_padding_mode:pkcs1"]),
        (["--oaep-label=box"], ["rsa_padding_mode:oaep", "rsa_oaep_md:sha256", "rsa_oaep_label:626f7800"]),
    ],
)
def test_what_openssl_encrypts_is_decrypted(tmp_path, rsa, ours, theirs):
    data = os.urandom(64)
    ciphertext = encrypt(tmp_path, rsa, data, *theirs)
    assert run_ok_with(ciphertext, "key", "decrypt", rsa, *ours) == data
    assert run_bytes("key", "decrypt", rsa, "--file", write(tmp_path, "c", ciphertext), *ours) == data


@pytest.fixture
def encrypted(tmp_path, rsa):
    """encrypted(DATA): a file with it."""
    options = ["rsa_padding_mode:oaep", "rsa_oaep_md:sha256"]
    return lambda data: write(tmp_path, "encrypted", encrypt(tmp_path, rsa, data, *options))


def test_decrypted_text_is_shown_on_a_terminal(rsa, encrypted):
    assert on_terminal("key", "decrypt", rsa, "-f", encrypted(b"a secret")) == (OK, "a secret\n")
    assert on_terminal("key", "decrypt", rsa, "-f", encrypted("zwei\nZeilen – ü\n".encode())) == (OK, "zwei\nZeilen – ü\n")


@pytest.mark.parametrize("data", [b"\0", b"bell \a", b"\033[31mred", b"\xff\xfe", "\u202eturned".encode(), b"\r\n"])
def test_what_could_steer_a_terminal_is_shown_as_base64(rsa, encrypted, data):
    path = encrypted(data)
    assert on_terminal("key", "decrypt", rsa, "-f", path) == (OK, base64.b64encode(data).decode() + "\n")
    assert run_bytes("key", "decrypt", rsa, "-f", path) == data


def test_decrypted_data_in_other_forms(tmp_path, rsa, encrypted):
    decrypt = ["key", "decrypt", rsa, "--file", encrypted(b"a secret")]
    assert json.loads(run_ok(*decrypt, "--json")) == {"hex": b"a secret".hex()}
    assert run_ok(*decrypt, "--hex") == b"a secret".hex() + "\n"
    assert run_ok(*decrypt, "--base64") == "YSBzZWNyZXQ=\n"
    assert on_terminal(*decrypt, "--raw")[1] == "a secret"
    assert run_ok(*decrypt, "--output", str(tmp_path / "plain")) == ""
    assert (tmp_path / "plain").read_bytes() == b"a secret"
    assert stat.S_IMODE((tmp_path / "plain").stat().st_mode) == 0o600


def test_what_is_not_encrypted_to_the_key(tmp_path, rsa, ecc):
    decrypt = ["key", "decrypt", rsa, "--output", str(tmp_path / "plain"), "--file"]
    assert "256 bytes" in fails(FAILURE, *decrypt, write(tmp_path, "c", bytes(255)))
    fails(FAILURE, *decrypt, write(tmp_path, "c", bytes(255) + b"x"))
    assert "too long" in fails(FAILURE, *decrypt, write(tmp_path, "c", bytes(1025)))
    assert not (tmp_path / "plain").exists()
    assert "not made to decrypt" in fails(FAILURE, "key", "decrypt", ecc, "--file", write(tmp_path, "c", bytes(256)))


def test_what_is_decrypted_passes_by_a_descriptor(root, rsa, encrypted):
    path = encrypted(b"a secret")
    with ward.Monitor(root, "type='method_call',interface='org.tpmward1.Keys',member='Decrypt'") as messages:
        run_ok("key", "decrypt", rsa, "--file", path)
        (call,) = messages.all()
    assert {name: value["type"] for name, value in call["payload"]["data"][2].items()} == {"output": "h"}


# agree


@pytest.fixture
def peer(tmp_path):
    """A key of OpenSSL's: the path of its public half, as PEM, and of its private half."""
    private = str(tmp_path / "peer")
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", private)
    return write(tmp_path, "peer.pem", openssl("pkey", "-in", private, "-pubout")), private


def test_the_same_secret_as_by_openssl(tmp_path, agreeing, peer):
    theirs, private = peer
    expected = openssl("pkeyutl", "-derive", "-inkey", private, "-peerkey", public(tmp_path, agreeing))
    der = write(tmp_path, "peer.der", openssl("pkey", "-in", private, "-pubout", "-outform", "DER"))
    with open(theirs, "rb") as file:
        text = file.read()
    assert run_bytes("key", "agree", agreeing, theirs) == expected
    assert run_bytes("key", "agree", agreeing, der) == expected
    assert run_ok_with(b"# mine\n" + text, "key", "agree", agreeing, "-") == expected
    assert json.loads(run_ok("key", "agree", agreeing, theirs, "--json")) == {"hex": expected.hex()}
    assert run_ok("key", "agree", agreeing, theirs, "-o", str(tmp_path / "secret")) == ""
    assert (tmp_path / "secret").read_bytes() == expected
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600


def test_peers_that_are_none(tmp_path, agreeing, ecc, rsa, peer):
    for data in (b"", b"x", b"-----BEGIN PUBLIC KEY-----\n!!!\n-----END PUBLIC KEY-----\n", b"-----BEGIN PUBLIC KEY-----\nAAAA"):
        assert "SubjectPublicKeyInfo" in fails(FAILURE, "key", "agree", agreeing, write(tmp_path, "x", data))
    assert "SubjectPublicKeyInfo" in fails(FAILURE, "key", "agree", agreeing, public(tmp_path, rsa))
    assert "not made to agree" in fails(FAILURE, "key", "agree", ecc, peer[0])
    assert "needs an argument: KEY PEER" in usage_error("key", "agree", agreeing)
    assert "too long" in fails(FAILURE, "key", "agree", agreeing, write(tmp_path, "x", bytes(20000)))
