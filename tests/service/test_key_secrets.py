# SPDX-License-Identifier: LGPL-2.1-or-later
"""Secrets that come and go by descriptors: none is left in the service's memory or log, on the bus, or plain on the way to the chip.

Each search has a control, which finds what is known to be there.
"""

import contextlib
import os
import re
import select
import signal
import socket
import subprocess
import threading

import pytest

import ward
from families import ALGORITHM, ALGORITHMS, IS_20, PADDING, clear, renew
from keys import Keys, a_label, digest_of, handle, memfd, openssl, private_key, public_of
from test_keys_use import encrypt
from test_seal import count_in_memory
from ward import caller

DIGEST = digest_of("sha256")
NV_INDEX = 0x01800016
SECRETIVE = a_label()


@pytest.fixture
def mine(alice):
    return Keys(alice)


def a_secret(size=24):
    """Text, so that it can be typed, of which no part is anything else."""
    return os.urandom(size).hex()[:size].encode()


@contextlib.contextmanager
def descriptors(**secrets):
    """fds= and the options for a call, each secret in a sealed memfd."""
    fds = [memfd(value, sealed=True) for value in secrets.values()]
    try:
        yield {"fds": fds, **{name.replace("_", "-"): handle(index) for index, name in enumerate(secrets)}}
    finally:
        for fd in fds:
            os.close(fd)


def call(keys, method, *args, values=None, **secrets):
    """A call whose secrets are all sent as h; values: other options, by their names."""
    with descriptors(**secrets) as sent:
        return keys.call(method, *args, **sent, **(values or {}))


def output_of(keys, method, *args, values=None, **secrets):
    """What a call writes to its descriptor “output”."""
    with descriptors(**secrets) as sent:
        output = memfd()
        sent["fds"].append(output)
        assert keys.call(method, *args, **sent, **(values or {}), output=handle(len(secrets))) == b""
        return os.pread(output, 4096, 0)


def variant(kind, value):
    return caller.Variant(kind, value)


def integers(der):
    """The numbers in a sequence of DER, and the octet strings, as bytes."""
    found, at = [], 0

    def header(at):
        length, size = der[at + 1], 2
        if length & 0x80:
            size += length & 0x7F
            length = int.from_bytes(der[at + 2 : at + size], "big")
        return at + size, length

    at, length = header(at)
    end = at + length
    while at < end:
        tag = der[at]
        at, length = header(at)
        if tag in (0x02, 0x04):
            found.append(der[at : at + length].lstrip(b"\0"))
        at += length
    return found


def private_numbers(private):
    """What of a private key in PEM nobody may know: d, p, q, d mod p - 1, d mod q - 1 and the coefficient, or the scalar."""
    der = openssl("pkey", "-in", "{key}", "-traditional", "-outform", "DER", key=private)
    numbers = [number for number in integers(der) if len(number) > 20]
    # the first of an RSA key is its modulus
    return numbers[1:] if len(numbers) > 2 else numbers[:1]


def marks_of(*secrets):
    """Parts of secrets that are looked for, also from behind, as numbers are in OpenSSL's memory.

    What is freed begins with pointers of the allocator's: so parts of the middle and of the end are among them.
    """
    marks = set()
    for secret in secrets:
        parts = {secret[:16], secret[-16:], secret[len(secret) // 2 :][:16]}
        marks |= parts | {part[::-1] for part in parts}
    return sorted(marks)


def service_of(sandbox):
    """Its processes: of a TPM 1.2 there is a companion."""
    daemon = sandbox.pid("daemon")
    companions = subprocess.run(["pgrep", "-P", str(daemon), "tpmward-tspi"], capture_output=True, text=True, check=False).stdout.split()
    assert len(companions) == (0 if IS_20 else 1)
    return [daemon, *map(int, companions)]


def assert_forgotten(sandbox, *secrets):
    """Soon: the last copy goes when the reply has gone."""
    marks = marks_of(*secrets)

    def is_clean():
        return not any(sum(count_in_memory(pid, marks).values()) for pid in service_of(sandbox))

    ward.wait_until(is_clean, why="the service to forget what was secret")


@pytest.fixture
def searchable(sandbox):
    with open(f"/proc/{sandbox.pid('daemon')}/maps") as maps:
        if "libasan" in maps.read():
            pytest.skip("AddressSanitizer holds back what was freed")
    renew(sandbox)
    return sandbox


FORMS = {
    "pkcs8": lambda key: key,
    "pkcs8-der": lambda key: openssl("pkcs8", "-topk8", "-nocrypt", "-in", "{key}", "-outform", "DER", key=key),
    "traditional": lambda key: openssl("pkey", "-in", "{key}", "-traditional", key=key),
    "traditional-der": lambda key: openssl("pkey", "-in", "{key}", "-traditional", "-outform", "DER", key=key),
    "encrypted": lambda key: openssl("pkcs8", "-topk8", "-v2", "aes-256-cbc", "-passout", "pass:open-sesame", "-in", "{key}", key=key),
    "openssh": lambda key: by_ssh_keygen(key),
}


def by_ssh_keygen(key):
    path = f"/run/{a_label().replace(' ', '-')}"
    with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
        file.write(key)
    subprocess.run(["ssh-keygen", "-q", "-p", "-N", "", "-f", path], check=True, capture_output=True)
    with open(path, "rb") as file:
        text = file.read()
    os.unlink(path)
    assert b"OPENSSH" in text
    return text


@pytest.mark.parametrize("algorithm", [algorithm for algorithm in ALGORITHMS if algorithm != "rsa3072"])
@pytest.mark.parametrize("form", FORMS)
def test_imported_private_keys_are_forgotten(searchable, mine, algorithm, form):
    private = private_key(algorithm)
    data = FORMS[form](private)
    passphrase = {"passphrase": b"open-sesame"} if form == "encrypted" else {}
    key = call(mine, "Import", a_label(), b"", data=data, **passphrase)
    assert mine.public(key) == public_of(private)
    # before the private numbers stands what is public, but in keys of ECC in these forms
    text = [] if "der" in form or form == "openssh" else data.split(b"\n")[1:-2]
    at = 0 if "ecc" in algorithm else len(text) * 2 // 3
    assert_forgotten(searchable, *private_numbers(private), *text[at : at + 1])


def test_a_private_key_that_is_refused_is_forgotten(searchable, mine):
    taken, refused, damaged = private_key(ALGORITHM), private_key("rsa2048"), bytearray(private_key("rsa2048"))
    label = a_label()
    call(mine, "Import", label, b"", data=taken)
    with descriptors(data=refused) as sent:
        assert mine.error("Import", label, b"", **sent) == "Exists"
    with descriptors(data=taken) as sent:
        assert mine.error("Import", a_label(), b"", **sent) == "Exists"
    numbers = private_numbers(bytes(damaged))
    at = len(damaged) * 2 // 3  # in one of the primes
    damaged[at] = ord("A") if damaged[at] != ord("A") else ord("B")
    with descriptors(data=bytes(damaged)) as sent:
        assert mine.error("Import", a_label(), b"", **sent) == "InvalidArgument"
    assert_forgotten(searchable, *private_numbers(taken), *private_numbers(refused), numbers[0], *numbers[3:])


def test_control_of_imported_keys(searchable, mine):
    """The same search finds a key that came through the buffers of the bus."""
    private = private_key(ALGORITHM)
    der = FORMS["pkcs8-der"](private)
    mine.call("Import", a_label(), der)
    counts = count_in_memory(searchable.pid("daemon"), marks_of(*private_numbers(private)))
    assert sum(counts.values()) > 0


def test_auths_and_results_are_forgotten(searchable, mine):
    auth, other, passphrase, message = a_secret(), a_secret(), a_secret(), a_secret(64)
    signs, decrypts = a_label(), a_label()
    call(mine, "Create", signs, ALGORITHM, auth=auth)
    encrypted = openssl("pkcs8", "-topk8", "-v2", "aes-256-cbc", "-passout", f"pass:{passphrase.decode()}", "-in", "{key}", key=private_key("rsa2048"))
    call(mine, "Import", decrypts, b"", data=encrypted, passphrase=passphrase, auth=auth, values={"usage": variant("as", ["decrypt"])})
    ciphertext = encrypt(mine.public(decrypts), message, *PADDING)
    for _ in range(2):
        assert call(mine, "Sign", signs, "sha256", DIGEST, auth=auth)
        assert output_of(mine, "Decrypt", decrypts, ciphertext, auth=auth) == message
        call(mine, "ChangeAuth", signs, old=auth, new=other)
        call(mine, "ChangeAuth", signs, old=other, new=auth)
        with descriptors(auth=other) as sent:
            assert mine.error("Sign", signs, "sha256", DIGEST, **sent) == "AuthenticationFailed"
    assert_forgotten(searchable, auth, other, passphrase, message)

    control, result = a_secret(64), a_secret(64)
    mine.create(auth=control)
    ciphertext = encrypt(mine.public(decrypts), result, *PADDING)
    with descriptors(auth=auth) as sent:
        assert mine.call("Decrypt", decrypts, ciphertext, **sent) == result
    assert sum(count_in_memory(searchable.pid("daemon"), marks_of(control, result)).values()) > 0


def test_shared_secrets_are_forgotten(searchable, mine):
    auth, ours = a_secret(), private_key("ecc-p256")
    key = call(mine, "Create", a_label(), "ecc-p256", auth=auth, values={"usage": variant("as", ["agree"])})
    shared = openssl("pkeyutl", "-derive", "-inkey", "{ours}", "-peerkey", "{peer}", ours=ours, peer=mine.public(key))
    for _ in range(2):
        assert output_of(mine, "Agree", key, public_of(ours, "DER"), auth=auth) == shared
    assert_forgotten(searchable, auth, shared)


def test_nv_data_is_forgotten(searchable, root):
    auth, data, control = a_secret(), a_secret(64), a_secret(64)
    options = ["ownerwrite", "ownerread", "authwrite", "authread"]
    with descriptors(auth=auth) as sent:
        fds = sent.pop("fds")
        root.call("Nv.Define", "uuasa{sv}", NV_INDEX, 64, options, sent, fds=fds)
        with descriptors(data=data) as written:
            root.call("Nv.Write", "uaya{sv}", NV_INDEX, b"", {"data": handle(0), "auth": handle(1)}, fds=[*written["fds"], *fds])
        output = memfd()
        root.call("Nv.Read", "ua{sv}", NV_INDEX, {"auth": handle(0), "output": handle(1)}, fds=[*fds, output])
        assert os.pread(output, 100, 0) == data
    assert_forgotten(searchable, auth, data)
    root.call("Nv.Write", "uaya{sv}", NV_INDEX, control, {"owner": variant("b", True)})
    assert sum(count_in_memory(searchable.pid("daemon"), marks_of(control)).values()) > 0
    root.call("Nv.Undefine", "ua{sv}", NV_INDEX, {})


def as_bytes(payload):
    """All that is in a message as busctl's JSON has it, strings and arrays of bytes, one after the other."""
    if isinstance(payload, str):
        return payload.encode() + b"\n"
    if isinstance(payload, dict):
        return b"".join(as_bytes(value) for value in payload.values())
    if isinstance(payload, list):
        if payload and all(isinstance(item, int) and not isinstance(item, bool) and 0 <= item < 256 for item in payload):
            return bytes(payload) + b"\n"
        return b"".join(map(as_bytes, payload))
    return b""


def test_nothing_of_it_is_on_the_bus_or_in_the_log(sandbox, mine, root, alice):
    renew(sandbox)
    auth, wrong, passphrase, message, control = a_secret(), a_secret(), a_secret(), a_secret(64), a_secret()
    private = private_key("rsa2048")
    encrypted = openssl("pkcs8", "-topk8", "-v2", "aes-256-cbc", "-passout", f"pass:{passphrase.decode()}", "-in", "{key}", key=private)
    with ward.Monitor(root, "sender='org.tpmward1'") as replies, ward.Monitor(root, "destination='org.tpmward1'") as calls:
        call(mine, "Import", SECRETIVE, b"", data=encrypted, passphrase=passphrase, auth=auth, values={"usage": variant("as", ["sign", "decrypt"])})
        ciphertext = encrypt(mine.public(SECRETIVE), message, *PADDING)
        assert output_of(mine, "Decrypt", SECRETIVE, ciphertext, auth=auth) == message
        assert call(mine, "Sign", SECRETIVE, "sha256", DIGEST, auth=auth)
        with descriptors(auth=wrong) as sent:
            assert mine.error("Sign", SECRETIVE, "sha256", DIGEST, **sent) == "AuthenticationFailed"
        with descriptors(data=encrypted, passphrase=wrong) as sent:
            assert mine.error("Import", a_label(), b"", **sent) == "InvalidArgument"
        mine.call("Create", a_label(), ALGORITHM, auth=control.decode())
        managed = alice.call("org.freedesktop.DBus.ObjectManager.GetManagedObjects", path="/org/tpmward1")
        seen = as_bytes([message["payload"] for message in (*replies.all(), *calls.all())])
    assert control in seen and SECRETIVE.encode() in seen
    secrets = [auth, wrong, passphrase, message, *private_numbers(private)]
    for mark in marks_of(*secrets):
        assert mark not in seen
    told = repr(managed)
    assert SECRETIVE not in told
    log = sandbox.log()
    for secret in (auth, wrong, passphrase, message, control):
        assert secret.decode() not in told and secret.decode() not in log
    assert not re.search("PRIVATE KEY|" + "|".join(number.hex()[:32] for number in private_numbers(private)), log)


class Recorder:
    """Stands between the service and the TPM, and writes down all that passes before it passes it on.

    A process of its own, so that no caller's inherits its sockets and keeps them open.
    """

    def __init__(self):
        self.path = f"{ward.ROOT}/recorded.sock"
        self.file = os.open(ward.ROOT / "recorded", os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
        listeners = [self._listen(self.path + suffix) for suffix in ("", ".ctrl")]
        self.pid = os.fork()
        if self.pid == 0:
            for listener, suffix in zip(listeners, ("", ".ctrl"), strict=True):
                threading.Thread(target=self._serve, args=(listener, f"{ward.ROOT}/swtpm.sock{suffix}")).start()
            signal.pause()
            os._exit(0)
        for listener in listeners:
            listener.close()

    def _listen(self, path):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        os.chmod(path, 0o666)
        listener.listen()
        return listener

    def _serve(self, listener, target):
        while True:
            near, _ = listener.accept()
            threading.Thread(target=self._relay, args=(near, target)).start()

    def _relay(self, near, target):
        with near, socket.socket(socket.AF_UNIX) as far, contextlib.suppress(ConnectionError):
            far.connect(target)
            while True:
                for source in select.select([near, far], [], [])[0]:
                    data = source.recv(65536)
                    if not data:
                        return
                    os.write(self.file, data)
                    (far if source is near else near).sendall(data)

    @property
    def said(self):
        return os.pread(self.file, 1 << 30, 0)

    def close(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.file)


@pytest.fixture
def recorded(sandbox):
    """The service reaches its TPM through the recorder."""
    clear(sandbox)
    sandbox.kill("daemon", signal.SIGTERM)
    recorder = Recorder()
    sandbox.start("daemon", "--only", "--state-dir", str(ward.STATE), "--no-discovery", "--tpm", f"tpm0=swtpm:path={recorder.path}")
    yield recorder
    sandbox.kill("daemon", signal.SIGTERM)
    recorder.close()
    sandbox.start("daemon")


def assert_not_said(recorded, *secrets):
    said = recorded.said
    for mark in marks_of(*secrets):
        assert mark not in said, mark


@pytest.mark.parametrize("provisioned", [False, True], ids=["transient-srk", "persistent-srk"])
def test_nothing_of_it_crosses_plain_to_the_chip(recorded, mine, root, provisioned):
    if provisioned:
        root.call("Ownership.ProvisionSrk", "a{sv}", {})
    auth, other, passphrase, message, sealed = a_secret(), a_secret(), a_secret(), a_secret(64), a_secret(100)
    privates = {algorithm: private_key(algorithm) for algorithm in ("rsa2048", "ecc-p256", "ecc-p384")}
    names = {}
    for algorithm, private in privates.items():
        usage = {"usage": variant("as", ["sign", "decrypt" if algorithm == "rsa2048" else "agree"])}
        names[algorithm] = call(mine, "Import", a_label(), b"", data=private, auth=auth, values=usage)
        assert call(mine, "Sign", names[algorithm], "sha256", DIGEST, auth=auth)
    made = call(mine, "Create", a_label(), "ecc-p256", auth=auth)
    call(mine, "ChangeAuth", made, old=auth, new=other)
    assert call(mine, "Sign", made, "sha256", DIGEST, auth=other)
    bound = call(mine, "Create", a_label(), "ecc-p256", auth=auth, values={"pcrs": variant("a{sau}", {"sha256": [0, 7]})})
    assert call(mine, "Sign", bound, "sha256", DIGEST, auth=auth)
    with descriptors(auth=passphrase) as sent:
        assert mine.error("Sign", made, "sha256", DIGEST, **sent) == "AuthenticationFailed"

    ours = private_key("ecc-p256")
    shared = output_of(mine, "Agree", names["ecc-p256"], public_of(ours, "DER"), auth=auth)
    assert shared == openssl("pkeyutl", "-derive", "-inkey", "{ours}", "-peerkey", "{peer}", ours=ours, peer=mine.public(names["ecc-p256"]))
    ciphertext = openssl("pkeyutl", "-encrypt", "-pubin", "-inkey", "{public}", "-pkeyopt", "rsa_padding_mode:oaep",
                         "-pkeyopt", "rsa_oaep_md:sha256", public=mine.public(names["rsa2048"]), data=message)  # fmt: skip
    assert output_of(mine, "Decrypt", names["rsa2048"], ciphertext, auth=auth) == message
    with descriptors(data=sealed, auth=auth) as sent:
        fds = sent.pop("fds")
        blob = mine.who.call("Seal.Seal", "aya{sv}", b"", sent, fds=fds)
        output = memfd()
        mine.who.call("Seal.Unseal", "sa{sv}", blob, {"output": handle(1), "auth": handle(0)}, fds=[fds[1], output])
        assert os.pread(output, 200, 0) == sealed

    # what is known to cross: the digest that is signed, and what was encrypted
    assert DIGEST in recorded.said and ciphertext in recorded.said
    assert_not_said(recorded, auth, other, passphrase, message, sealed, shared, *(n for key in privates.values() for n in private_numbers(key)))


def test_no_nv_data_crosses_plain_to_the_chip(recorded, root):
    auth, data = a_secret(), a_secret(64)
    with descriptors(data=data, auth=auth) as sent:
        fds = sent.pop("fds")
        attributes = ["ownerwrite", "ownerread", "authwrite", "authread"]
        root.call("Nv.Define", "uuasa{sv}", NV_INDEX, 64, attributes, {"auth": handle(0)}, fds=fds[1:])
        root.call("Nv.Write", "uaya{sv}", NV_INDEX, b"", sent, fds=fds)
        assert root.call("Nv.Read", "ua{sv}", NV_INDEX, {"auth": handle(0)}, fds=fds[1:]) == data
    root.call("Nv.Undefine", "ua{sv}", NV_INDEX, {})
    assert NV_INDEX.to_bytes(4, "big") in recorded.said
    assert_not_said(recorded, auth, data)
