# SPDX-License-Identifier: LGPL-2.1-or-later
"""Nonsense and malice about keys: the right error, the service unharmed, and no right use that suffers from it."""

import base64
import fcntl
import os
import random
import threading
import time

import pytest

import ward
from families import ALGORITHM, DECRYPTION_SCHEMES, clear
from keys import Keys, a_label, cached, digest_of, handle, memfd, openssl, options, private_key, public_of, verifies
from test_seal import with_der
from ward import Caller, caller

DIGEST = digest_of("sha256")
COUNTED = {"auth": "sesame"}


@pytest.fixture
def mine(alice):
    return Keys(alice)


@pytest.fixture
def fresh(sandbox):
    clear(sandbox)
    return sandbox


@pytest.fixture(autouse=True)
def unharmed(request, sandbox, callers):
    """The same process serves before and after, with nothing left open, and another user's key works."""
    if "fresh" in request.fixturenames:
        yield  # these restart it
        return
    pid = sandbox.pid("daemon")
    his = Keys(callers("ward-bob"))
    key = cached(his, ALGORITHM, ["sign"])
    his.call("Sign", key, "sha256", DIGEST)
    open_before = len(os.listdir(f"/proc/{pid}/fd"))
    yield
    assert sandbox.pid("daemon") == pid and sandbox.is_running("daemon")
    assert his.call("Sign", key, "sha256", DIGEST)
    ward.wait_until(lambda: len(os.listdir(f"/proc/{pid}/fd")) <= open_before, why="descriptors to be closed")


def pipe():
    reader, writer = os.pipe()
    os.write(writer, b"sesame")
    os.close(writer)
    return reader


def file_with(data):
    fd = os.open(f"/run/{os.urandom(8).hex()}", os.O_RDWR | os.O_CREAT)
    os.unlink(os.readlink(f"/proc/self/fd/{fd}"))
    os.write(fd, data)
    return fd


BAD_SECRETS = {
    "unsealed": lambda: memfd(b"sesame"),
    "pipe": pipe,
    "file": lambda: file_with(b"sesame"),
    "device": lambda: os.open("/dev/zero", os.O_RDONLY),
    "folder": lambda: os.open("/", os.O_RDONLY),
    "65 bytes": lambda: memfd(b"x" * 65, sealed=True),
    "64 KiB and one": lambda: memfd(b"x" * 65537, sealed=True),
    "zero at the end": lambda: memfd(b"sesame\0", sealed=True),
    "gigabytes": lambda: sparse(1 << 40),
}


def sparse(size):
    fd = os.memfd_create("data", os.MFD_ALLOW_SEALING)
    os.ftruncate(fd, size)
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE)
    return fd


@pytest.mark.parametrize("make", BAD_SECRETS.values(), ids=BAD_SECRETS)
def test_descriptors_that_are_no_secret(mine, make):
    key = cached(mine, ALGORITHM, ["sign"])
    for method, *arguments, name in (
        ("Create", a_label(), ALGORITHM, "auth"),
        ("Import", a_label(), private_key(ALGORITHM), "auth"),
        ("Sign", key, "sha256", DIGEST, "auth"),
        ("ChangeAuth", key, "new"),
        ("Sign", key, "sha256", DIGEST, "owner-auth"),
    ):
        fd = make()
        assert mine.error(method, *arguments, fds=[fd], **{name: handle(0)}) == "InvalidArgument", method
        os.close(fd)


@pytest.mark.parametrize("size", [65537, (1 << 20) + 1, 1 << 40])
def test_private_keys_that_are_too_long(mine, size):
    fd = sparse(size)
    assert mine.error("Import", a_label(), b"", fds=[fd], data=handle(0)) == "InvalidArgument"
    os.close(fd)


@pytest.mark.parametrize("index", [-1, 1, 7, 2147483647, -2147483648])
def test_handles_outside_of_the_message(mine, index):
    key = cached(mine, ALGORITHM, ["sign"])
    fd = memfd(b"sesame", sealed=True)
    assert mine.error("Sign", key, "sha256", DIGEST, fds=[fd], auth=handle(index)) == "InvalidArgument"
    assert mine.who.error("Keys.Sign", "ssaya{sv}", key, "sha256", DIGEST, {"auth": handle(index)}).name == ward.ERROR + "InvalidArgument"
    os.close(fd)


@pytest.mark.parametrize("kind, value", [("u", 1), ("b", True), ("as", ["sesame"]), ("v", caller.Variant("s", "sesame")), ("a{sv}", {}), ("d", 1.0)])
@pytest.mark.parametrize("option", ["auth", "owner-auth", "scheme"])
def test_options_of_another_type(mine, option, kind, value):
    key = cached(mine, ALGORITHM, ["sign"])
    error = mine.who.error("Keys.Sign", "ssaya{sv}", key, "sha256", DIGEST, {option: caller.Variant(kind, value)})
    assert error.name == ward.ERROR + "InvalidArgument" and option in error.message


@pytest.mark.parametrize("text", ["ä" * 5_000_000, "\U0001f511" * 200, "%s%n" * 50, "a\nb" * 100], ids=["long", "wide", "format", "lines"])
def test_words_that_come_back_in_errors_are_cut(mine, text):
    """Whatever stands in place of a hash, a scheme, a format, an algorithm or a key."""
    key = cached(mine, ALGORITHM, ["sign"])
    for method, *arguments, values in (
        ("Sign", key, text, DIGEST, {}),
        ("Sign", key, "sha256", DIGEST, {"scheme": text}),
        ("Decrypt", key, bytes(256), {"hash": text}),
        ("Decrypt", key, bytes(256), {"scheme": text}),
        ("GetPublicKey", key, text, {}),
        ("Create", a_label(), text, {}),
        ("Create", text, ALGORITHM, {}),
        ("Create", a_label(), ALGORITHM, {"usage": [text]}),
        ("Create", a_label(), ALGORITHM, {"pcrs": {text: [0]}}),
        ("Describe", text, {}),
        ("SetLabel", key, text, {}),
    ):
        error = mine.full_error(method, *arguments, **values)
        assert error.name in {ward.ERROR + "InvalidArgument", ward.ERROR + "NotFound"}, method
        assert len(error.message) < 500, method


INFO = {  # of SHA-256
    "right": "3031300d060960864801650304020105000420{digest}",
    "without NULL": "302f300b0609608648016503040201 0420{digest}",
    "junk after it": "3031300d060960864801650304020105000420{digest}00",
    "junk in it": "3033300d060960864801650304020105000420{digest}0500",
    "long form of lengths": "308131300d060960864801650304020105000420{digest}",
    "no end": "3080300d060960864801650304020105000420{digest}0000",
    "one byte less": "3030300d06096086480165030402010500041f{short}",
    "name of SHA-384": "3031300d060960864801650304020205000420{digest}",
    "no digest": "3011300d060960864801650304020105000400",
    "no hash": "3024300006000420{digest}",
    "no DigestInfo": "0420{digest}",
    "digest alone": "{digest}",
    "nothing": "",
    "long": "3082012c" + "00" * 300,
}


@pytest.mark.parametrize("form", INFO)
def test_forms_of_digest_info(mine, form):
    """An ordinary signature comes of what is one, whatever its form; the rest is refused."""
    key = cached(mine, "rsa2048", ["sign"])
    info = bytes.fromhex(INFO[form].format(digest=DIGEST.hex(), short=DIGEST[:31].hex()))
    try:
        signature = mine.call("Sign", key, "none", info, scheme="rsassa")
    except ward.DBusError as error:
        assert form != "right" and error.name == ward.ERROR + "InvalidArgument"
    else:
        assert form in {"right", "without NULL", "long form of lengths", "no end"}
        assert verifies(mine.public(key), signature, DIGEST, "sha256")


def test_every_length_of_a_digest(mine):
    key = cached(mine, ALGORITHM, ["sign"])
    for hash_, right in (("sha1", {20}), ("sha256", {32}), ("sha384", {48}), ("sha512", {64}), ("none", {20, 32, 48, 64})):
        for size in (0, 1, 16, 19, 20, 21, 31, 32, 33, 47, 48, 49, 63, 64, 65, 128, 1 << 20):
            if size not in right:
                assert mine.error("Sign", key, hash_, bytes(size)) == "InvalidArgument", (hash_, size)


def test_garbage_as_ciphertext(mine):
    key = cached(mine, "rsa2048", ["decrypt"])
    for scheme in DECRYPTION_SCHEMES:
        for ciphertext in (bytes(256), b"\xff" * 256, bytes(255) + b"\1", *(os.urandom(256) for _ in range(5))):
            try:
                mine.call("Decrypt", key, ciphertext, scheme=scheme)
            except ward.DBusError as error:
                assert error.name == ward.ERROR + "InvalidArgument"
            else:
                assert scheme == "rsaes"  # a random block may look like a padded one
    assert mine.who.get("Tpm.State") == "ready"


def spki(point, curve="2a8648ce3d030107"):
    algorithm = bytes.fromhex("06072a8648ce3d0201" + f"06{len(curve) // 2:02x}" + curve)
    algorithm = b"\x30" + bytes([len(algorithm)]) + algorithm
    bits = b"\x03" + bytes([len(point) + 1, 0]) + point
    return b"\x30" + bytes([len(algorithm + bits)]) + algorithm + bits


def test_peers_that_would_give_the_key_away(mine):
    """Off the curve, at infinity, with coordinates beyond the field, and of curves that have the same length."""
    key = cached(mine, "ecc-p256", ["agree"])
    p = 2**256 - 2**224 + 2**192 + 2**96 - 1
    whole = public_of(private_key("ecc-p256"), "DER")[-64:]
    x, y = whole[:32], whole[32:]
    beyond = (p + 5).to_bytes(32, "big")
    brainpool = openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:brainpoolP256r1")
    for name, peer in {
        "zero": spki(b"\4" + bytes(64)),
        "infinity": spki(b"\0"),
        "infinity, filled up": spki(b"\0" + bytes(64)),
        "no point": spki(b""),
        "x and x": spki(b"\4" + x + x),
        "negative y off by one": spki(b"\4" + x + (p - int.from_bytes(y, "big") + 1).to_bytes(32, "big")),
        "beyond the field": spki(b"\4" + beyond + y),
        "x alone": spki(b"\4" + x),
        "three": spki(b"\4" + x + y + y),
        "hybrid with the wrong bit": spki(bytes([7 - (y[-1] & 1)]) + x + y),
        "secp256k1": public_of(openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"), "DER"),
        "brainpool": public_of(brainpool, "DER"),
        "P-256's point by the name of secp256k1": spki(b"\4" + x + y, "2b8104000a"),
        "explicit": openssl("ec", "-in", "{key}", "-pubout", "-param_enc", "explicit", "-outform", "DER", key=brainpool),
        "X25519": public_of(openssl("genpkey", "-algorithm", "X25519"), "DER"),
        "megabyte": spki(b"\4" + x + y) + bytes(1 << 20),
    }.items():
        assert mine.error("Agree", key, peer) == "InvalidArgument", name


def test_compressed_peer(mine):
    """It is the same point."""
    key = cached(mine, "ecc-p256", ["agree"])
    ours = private_key("ecc-p256")
    compressed = openssl("ec", "-in", "{key}", "-pubout", "-conv_form", "compressed", "-outform", "DER", key=ours)
    assert len(compressed) < 70
    try:
        secret = mine.call("Agree", key, compressed)
    except ward.DBusError as error:
        assert error.name == ward.ERROR + "InvalidArgument"
    else:
        assert secret == mine.call("Agree", key, public_of(ours, "DER"))


def test_wrapped_keys_with_a_bit_changed(mine, bob):
    """A bit of every second byte: it is refused, or the very same key comes of it; never another, and no try is lost."""
    key = mine.create()
    text = mine.call("Export", key)
    public = mine.public(key)
    length = len(base64.b64decode("".join(text.strip().splitlines()[1:-1])))
    his = Keys(bob)
    failures = bob.get("Lockout.Failures")

    def changed(at):
        return with_der(text, lambda der: der.__setitem__(at, der[at] ^ (1 << at % 8))).encode()

    for first in range(0, length, 80):
        calls = [(at, his.start("Import", f"changed {at}", changed(at))) for at in range(first, min(first + 80, length), 2)]
        for at, call in calls:
            try:
                made = call.wait()
            except ward.DBusError as error:
                assert error.name.removeprefix(ward.ERROR) in {"Corrupt", "NotSupported", "InvalidArgument", "Exists"}, (at, error)
            else:
                assert made == key and his.public(made) == public, at
                his.call("Delete", made)
    assert bob.get("Lockout.Failures") == failures
    assert verifies(public, mine.call("Sign", key, "sha256", DIGEST), DIGEST, "sha256")


def test_what_others_import_beside_slow_keys(mine, bob, callers):
    """However long passphrases are stretched, and whatever has to be computed of a stranger's numbers: the chip is not held up."""
    his = Keys(bob)
    key = cached(his, ALGORITHM, ["sign"])
    his.call("Sign", key, "sha256", DIGEST)
    slow = openssl("pkcs8", "-topk8", "-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA512", "-iter", "1000000", "-passout", "pass:x", "-in", "{key}",
                   key=private_key(ALGORITHM))  # fmt: skip
    start = time.monotonic()
    mine.error("Import", a_label(), slow, passphrase="wrong")
    once = time.monotonic() - start
    calls = [mine.start("Import", a_label(), slow, passphrase="wrong") for _ in range(6)]
    mine.who.get("Tpm.State")
    start = time.monotonic()
    his.call("Sign", key, "sha256", DIGEST)
    waited = time.monotonic() - start
    for call in calls:
        mine.who.call("Manager.Cancel", "u", call.serial) if not call.is_done() else None
    assert {call.error().name.removeprefix(ward.ERROR) for call in calls} <= {"InvalidArgument", "Cancelled"}
    assert waited < max(once / 2, 0.3), (waited, once)


def lock_out(root, key):
    """The chip itself, by root, whose tries are all that there are."""
    for count in range(40):
        if root.error("Sign", key, "sha256", DIGEST, auth="wrong") == "LockedOut":
            return count
    raise AssertionError("the chip does not lock itself")


def test_out_of_the_lockout_and_back(fresh, mine, root):
    """While the chip is locked out, keys without auth sign, decrypt and agree, and keys are made; Reset brings the others back."""
    system = Keys(root, "SystemKeys")
    trap, counted = system.create(**COUNTED), mine.create(**COUNTED)
    free, decrypts, uncounted = mine.create(usage=["sign", "agree"]), mine.create("rsa2048", usage=["decrypt"]), mine.create(auth="sesame", no_da=True)
    mine.call("Sign", counted, "sha256", DIGEST, auth="sesame")
    assert lock_out(system, trap) >= 28
    assert root.get("Lockout.LockedOut") is True
    assert mine.error("Sign", counted, "sha256", DIGEST, auth="sesame") == "LockedOut"
    assert system.error("Sign", trap, "sha256", DIGEST, auth="sesame") == "LockedOut"
    for _ in range(3):
        assert verifies(mine.public(free), mine.call("Sign", free, "sha256", DIGEST), DIGEST, "sha256")
    assert mine.call("Agree", free, public_of(private_key("ecc-p256"), "DER"))
    ciphertext = openssl("pkeyutl", "-encrypt", "-pubin", "-inkey", "{public}", public=mine.public(decrypts), data=b"still")
    assert mine.call("Decrypt", decrypts, ciphertext, scheme="rsaes") == b"still"
    assert mine.call("Sign", uncounted, "sha256", DIGEST, auth="sesame")
    assert mine.call("Sign", mine.create(), "sha256", DIGEST)
    fresh.restart("daemon")
    assert mine.call("Sign", free, "sha256", DIGEST)
    assert mine.error("Sign", counted, "sha256", DIGEST, auth="sesame") == "LockedOut"

    root.call("Lockout.Reset", "a{sv}", {})
    assert root.get("Lockout.LockedOut") is False
    assert verifies(mine.public(counted), mine.call("Sign", counted, "sha256", DIGEST, auth="sesame"), DIGEST, "sha256")
    assert system.call("Sign", trap, "sha256", DIGEST, auth="sesame")


def test_killing_the_service_costs_no_try(fresh, mine):
    """In the middle of right uses, again and again: neither the chip nor the user's budget counts a failure."""
    key = mine.create(**COUNTED)
    assert mine.error("Sign", key, "sha256", DIGEST, auth="wrong") == "AuthenticationFailed"
    before = mine.full_error("Sign", key, "sha256", DIGEST, auth="wrong").message
    assert "5 more tries" in before and mine.who.get("Lockout.Failures") == 2
    dice = random.Random(4)
    for _ in range(12):
        with Caller("ward-alice") as other:
            for _ in range(30):
                Keys(other).start("Sign", key, "sha256", DIGEST, auth="sesame")
            timer = threading.Timer(dice.uniform(0.01, 0.08), fresh.kill, ["daemon"])
            timer.start()
            timer.join()
        fresh.start("daemon")
    assert mine.call("Sign", key, "sha256", DIGEST, auth="sesame")
    assert mine.who.get("Lockout.Failures") == 2
    assert "4 more tries" in mine.full_error("Sign", key, "sha256", DIGEST, auth="wrong").message


def test_eight_callers_with_more_keys_than_the_chip_holds(fresh, callers):
    """Four keys, one with an auth and one bound to PCRs, while others are made and deleted: every signature verifies."""
    users = ["root", "ward-admin", "ward-alice", "ward-bob"]
    shared = {}
    kinds = ({}, {"auth": "sesame"}, {"pcrs": {"sha256": [0, 16]}}, {"auth": "open", "pcrs": {"sha256": [7]}})
    for user, values in zip(users, kinds, strict=True):
        owner = Keys(callers(user))
        key = owner.create(**values)
        shared[user] = (key, {"auth": values["auth"]} if "auth" in values else {}, owner.public(key))
    everybody = [Keys(callers(user)) for user in users * 2]
    done, made = [], []
    for round_ in range(6):
        for keys in everybody:
            key, values, public = shared[keys.who.user]
            for turn in range(3):
                digest = digest_of("sha256", b"%d %d" % (round_, turn))
                done.append((keys.start("Sign", key, "sha256", digest, **values), public, digest))
        made += [everybody[round_ % 8].start("Create", a_label(), ALGORITHM) for _ in range(2)]
        if round_ % 2:
            for call in made:
                call.owner.call("Keys.Delete", "s", call.wait())
            made = []
    signatures = [(call.wait(60), public, digest) for call, public, digest in done]
    assert len(signatures) == 6 * 8 * 3
    # openssl takes its time: of each round and key one by openssl, and all are different
    assert len({signature for signature, _, _ in signatures}) == len(signatures)
    for signature, public, digest in signatures[::3]:
        assert verifies(public, signature, digest, "sha256")
