# SPDX-License-Identifier: LGPL-2.1-or-later
"""Signatures, decryption and agreement, each beside openssl; and what keys are not used for."""

import os
import struct

import caller
import pytest
import ward
from families import ALGORITHM, ALGORITHMS, DECRYPTION_SCHEMES, IS_20, OTHER_USAGE, PADDING, SIGNING_SCHEMES
from keys import SIZES, Keys, cached, digest_of, handle, memfd, openssl, private_key, public_of, verifies

RSA = [algorithm for algorithm in ALGORITHMS if algorithm.startswith("rsa")]
ECC = [algorithm for algorithm in ALGORITHMS if algorithm not in RSA]


@pytest.fixture
def mine(alice):
    return Keys(alice)


def usages(algorithm):
    return ["sign", "decrypt" if algorithm in RSA else "agree"]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("hash_", SIZES)
@pytest.mark.parametrize("scheme", [None, "rsassa", "rsapss", "ecdsa"])
def test_signatures(mine, algorithm, hash_, scheme):
    key = cached(mine, algorithm, ["sign"])
    digest = digest_of(hash_)
    values = {"scheme": scheme} if scheme else {}
    if scheme and (scheme == "ecdsa") != (algorithm in ECC):
        assert mine.error("Sign", key, hash_, digest, **values) == "InvalidArgument"
        return
    if scheme and scheme not in SIGNING_SCHEMES:
        assert mine.error("Sign", key, hash_, digest, **values) == "NotSupported"
        return
    signature = mine.call("Sign", key, hash_, digest, **values)
    public = mine.public(key)
    assert verifies(public, signature, digest, hash_, scheme)
    assert not verifies(public, signature, digest_of(hash_, b"another"), hash_, scheme)


# DigestInfo of SHA-256 and of SHA3-256, which a TPM 2.0 of 2019 does not know.
SHA256_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
SHA3_256_INFO = bytes.fromhex("3031300d060960864801650304020805000420")


def test_digest_info_of_a_known_hash(mine):
    key = cached(mine, "rsa2048", ["sign"])
    digest = digest_of("sha256")
    signature = mine.call("Sign", key, "none", SHA256_INFO + digest)
    assert signature == mine.call("Sign", key, "sha256", digest)


def test_digest_info_of_another_hash(mine):
    digest = os.urandom(32)
    key = cached(mine, "rsa2048", ["sign", "decrypt"])
    signature = mine.call("Sign", key, "none", SHA3_256_INFO + digest, scheme="rsassa")
    assert verifies(mine.public(key), signature, SHA3_256_INFO + digest, None)
    if IS_20:  # whose keys that only sign know of their own hashes alone
        only_signs = cached(mine, "rsa2048", ["sign"])
        assert mine.error("Sign", only_signs, "none", SHA3_256_INFO + digest) == "InvalidArgument"


@pytest.mark.parametrize("algorithm", ECC)
@pytest.mark.parametrize("size", SIZES.values())
def test_bare_digest(mine, algorithm, size):
    key = cached(mine, algorithm, ["sign"])
    digest = os.urandom(size)
    assert verifies(mine.public(key), mine.call("Sign", key, "none", digest), digest, None)


@pytest.mark.parametrize(
    "hash_, digest, values",
    [
        ("sha256", bytes(31), {}),
        ("sha256", bytes(33), {}),
        ("sha256", b"", {}),
        ("sha1", bytes(32), {}),
        ("md5", bytes(16), {}),
        ("SHA256", bytes(32), {}),
        ("", bytes(32), {}),
        ("none", bytes(33), {}),
        ("none", bytes(32), {"scheme": "rsapss"}),
        ("sha256", bytes(32), {"scheme": "ecschnorr"}),
        ("sha256", bytes(32), {"hash": "sha256"}),
        ("sha256", bytes(32), {"auth": "x" * 65}),
        ("sha256", bytes(32), {"output": "x"}),
    ],
)
def test_what_is_not_signed(mine, hash_, digest, values):
    key = cached(mine, ALGORITHM, ["sign"])
    assert mine.error("Sign", key, hash_, digest, **values) == "InvalidArgument"


@pytest.mark.parametrize("algorithm", RSA)
@pytest.mark.parametrize("scheme", [None, "oaep", "rsaes"])
def test_decryption(mine, algorithm, scheme):
    key = cached(mine, algorithm, ["decrypt"])
    if scheme and scheme not in DECRYPTION_SCHEMES:
        assert mine.error("Decrypt", key, bytes(256), scheme=scheme) == "NotSupported"
        return
    padding = ["pkcs1"] if scheme == "rsaes" else PADDING
    ciphertext = encrypt(mine.public(key), b"a secret", *padding)
    assert mine.call("Decrypt", key, ciphertext, **({"scheme": scheme} if scheme else {})) == b"a secret"


def encrypt(public, data, mode, *more):
    settings = [word for setting in (f"rsa_padding_mode:{mode}", *more) for word in ("-pkeyopt", setting)]
    return openssl("pkeyutl", "-encrypt", "-pubin", "-inkey", "{public}", *settings, public=public, data=data)


@pytest.mark.parametrize("hash_", SIZES)
@pytest.mark.parametrize("label", [None, b"abc\0"])
def test_decryption_by_hash_and_label(mine, hash_, label):
    key = cached(mine, "rsa2048", ["decrypt"])
    settings = [f"rsa_oaep_md:{hash_}", f"rsa_mgf1_md:{hash_}", *([f"rsa_oaep_label:{label.hex()}"] if label else [])]
    ciphertext = encrypt(mine.public(key), b"by label", "oaep", *settings)
    values = {"hash": hash_, **({"label": label} if label else {})}
    assert mine.call("Decrypt", key, ciphertext, **values) == b"by label"
    assert mine.error("Decrypt", key, ciphertext, hash=hash_, label=b"other\0") == "InvalidArgument"


def test_longest_and_shortest_plaintext(mine):
    key = cached(mine, "rsa2048", ["decrypt"])
    for data in (b"", bytes(256 - 11)):
        assert mine.call("Decrypt", key, encrypt(mine.public(key), data, "pkcs1"), scheme="rsaes") == data


@pytest.mark.parametrize(
    "values",
    [
        {"scheme": "rsassa"},
        {"scheme": "rsaes", "hash": "sha256"},
        {"hash": "none"},
        {"hash": "md5"},
        {"label": b"abc"},
        {"label": b"\0" * 65},
        {"label": "abc"},
    ],
)
def test_what_is_not_decrypted(mine, values):
    key = cached(mine, "rsa2048", ["decrypt"])
    assert mine.error("Decrypt", key, bytes(256), **values) == "InvalidArgument"


@pytest.mark.parametrize("size", [0, 1, 255, 257, 4096])
def test_ciphertext_of_another_length(mine, size):
    key = cached(mine, "rsa2048", ["decrypt"])
    assert mine.error("Decrypt", key, bytes(size)) == "InvalidArgument"


@pytest.mark.parametrize("scheme", DECRYPTION_SCHEMES)
def test_tampered_ciphertext(mine, alice, scheme):
    """The chip says that it has failed, which it has not."""
    key = cached(mine, "rsa2048", ["decrypt"])
    padding = ["pkcs1"] if scheme == "rsaes" else ["oaep", "rsa_oaep_md:sha256"]
    ciphertext = bytearray(encrypt(mine.public(key), b"a secret", *padding))
    ciphertext[100] ^= 1
    assert mine.error("Decrypt", key, bytes(ciphertext), scheme=scheme) == "InvalidArgument"
    assert alice.get("Tpm.State") == "ready"


@pytest.mark.parametrize("algorithm", ECC)
def test_agreement(mine, algorithm):
    key = cached(mine, algorithm, ["agree"])
    ours = private_key(algorithm)
    secret = mine.call("Agree", key, public_of(ours, "DER"))
    theirs = openssl("pkeyutl", "-derive", "-inkey", "{ours}", "-peerkey", "{peer}", ours=ours, peer=mine.public(key))
    assert secret == theirs
    assert len(secret) == (32 if algorithm == "ecc-p256" else 48)


def off_the_curve():
    peer = bytearray(public_of(private_key("ecc-p256"), "DER"))
    peer[-1] ^= 1
    return bytes(peer)


# The point at infinity is one zero byte.
AT_INFINITY = bytes.fromhex("3019301306072a8648ce3d020106082a8648ce3d03010703020000")


@pytest.mark.parametrize(
    "peer",
    [
        lambda: b"",
        lambda: b"nonsense",
        lambda: public_of(private_key("ecc-p384"), "DER"),
        lambda: public_of(private_key("rsa2048"), "DER"),
        lambda: public_of(private_key("ecc-p256"), "DER") + b"\0",
        lambda: public_of(private_key("ecc-p256"), "DER")[:-1],
        lambda: public_of(private_key("ecc-p256"), "PEM"),
        off_the_curve,
        lambda: AT_INFINITY,
    ],
    ids=["empty", "nonsense", "other-curve", "rsa", "longer", "shorter", "pem", "off-curve", "infinity"],
)
def test_peers_that_are_none(mine, peer):
    key = cached(mine, "ecc-p256", ["agree"])
    assert mine.error("Agree", key, peer()) == "InvalidArgument"


def test_uses_that_a_key_was_not_made_for(mine):
    peer = public_of(private_key("ecc-p256"), "DER")
    for algorithm, usage in {(ALGORITHM, OTHER_USAGE), ("rsa2048", "decrypt")} if IS_20 else ():
        assert mine.error("Sign", cached(mine, algorithm, [usage]), "sha256", bytes(32)) == "InvalidArgument"
    for algorithm in {ALGORITHM, "rsa2048"}:
        key = cached(mine, algorithm, ["sign"])
        assert mine.error("Decrypt", key, bytes(256)) == "InvalidArgument"
        assert mine.error("Agree", key, peer) == "InvalidArgument"


def test_output_gets_the_result(mine):
    key = cached(mine, "rsa2048", ["decrypt"])
    ciphertext = encrypt(mine.public(key), b"for the descriptor", "pkcs1")
    output = memfd()
    sent = {"output": handle(0), "scheme": caller.Variant("s", "rsaes")}
    assert mine.call("Decrypt", key, ciphertext, fds=[output], **sent) == b""
    assert os.pread(output, 100, 0) == b"for the descriptor"
    os.close(output)

    if not IS_20:
        return
    key = cached(mine, "ecc-p256", ["agree"])
    peer = public_of(private_key("ecc-p256"), "DER")
    output = memfd()
    assert mine.call("Agree", key, peer, fds=[output], output=handle(0)) == b""
    assert os.pread(output, 100, 0) == mine.call("Agree", key, peer)
    os.close(output)


def test_outputs_that_are_refused(mine):
    key = cached(mine, "rsa2048", ["decrypt"])
    ciphertext = encrypt(mine.public(key), b"for nobody", "pkcs1")
    for fd in (memfd(b"x", sealed=True), os.open("/usr/bin/env", os.O_RDONLY)):
        sent = {"output": handle(0), "scheme": caller.Variant("s", "rsaes")}
        assert mine.error("Decrypt", key, ciphertext, fds=[fd], **sent) == "InvalidArgument"
        os.close(fd)


def use_other(keys, key):
    """What the key can do beside signing."""
    if OTHER_USAGE == "agree":
        keys.call("Agree", key, public_of(private_key(ALGORITHM), "DER"))
    else:
        keys.call("Decrypt", key, encrypt(keys.public(key), b"", "pkcs1"))


def test_uses_are_counted(mine):
    key = mine.create(usage=["sign", OTHER_USAGE])
    before = mine.describe(key)
    assert (before["uses"], before["last-used"]) == (0, 0)
    mine.call("Sign", key, "sha256", bytes(32))
    use_other(mine, key)
    mine.error("Sign", key, "sha256", bytes(31))
    after = mine.describe(key)
    assert after["uses"] == 2
    assert after["last-used"] > after["created"]


def test_uses_are_remembered_over_a_restart(sandbox, mine):
    key = mine.create()
    for _ in range(3):
        mine.call("Sign", key, "sha256", bytes(32))
    last = mine.describe(key)
    sandbox.restart("daemon")
    again = mine.describe(key)
    assert (again["uses"], again["last-used"]) == (3, last["last-used"])


def test_a_signature_needs_polkit_once(mine, root):
    """The key's private half is in memory, and polkit's yes is remembered."""
    key = mine.create()
    mine.call("Sign", key, "sha256", bytes(32))
    rule = "type='method_call',interface='org.freedesktop.PolicyKit1.Authority',member='CheckAuthorization'"
    with ward.Monitor(root, rule) as monitor:
        for _ in range(10):
            mine.call("Sign", key, "sha256", bytes(32))
        assert not monitor.all()


def test_many_keys_in_turn(mine):
    """More than a chip holds at a time."""
    keys = [mine.create() for _ in range(6)]
    publics = {key: mine.public(key) for key in keys}
    for round_ in range(3):
        digest = digest_of("sha256", struct.pack("I", round_))
        calls = [(key, mine.start("Sign", key, "sha256", digest)) for key in keys]
        for key, call in calls:
            assert verifies(publics[key], call.wait(), digest, "sha256")
