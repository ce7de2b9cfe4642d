# SPDX-License-Identifier: LGPL-2.1-or-later
"""Keys that come from elsewhere and go there, their auths, and the PCRs that they are bound to."""

import os

import pytest
import ward
from families import ALGORITHM, ALGORITHMS, EXPORT, IS_20, KINDS, clear_as_others_do, renew
from keys import Keys, a_label, digest_of, handle, memfd, openssl, options, private_key, public_of, verifies

DIGEST = digest_of("sha256")
COUNTED = {"auth": "sesame"}


@pytest.fixture
def mine(alice):
    return Keys(alice)


@pytest.fixture
def fresh(sandbox):
    renew(sandbox)
    return sandbox


def signs(keys, key, **values):
    return verifies(keys.public(key), keys.call("Sign", key, "sha256", DIGEST, **values), DIGEST, "sha256")


def forms(algorithm):
    """The same private key in each form, by openssl."""
    pem = private_key(algorithm)
    traditional = ["rsa", "-traditional"] if algorithm.startswith("rsa") else ["ec"]
    return pem, {
        "pkcs8-pem": pem,
        "pkcs8-der": openssl("pkcs8", "-topk8", "-nocrypt", "-outform", "DER", data=pem),
        "traditional-pem": openssl(*traditional, data=pem),
        "traditional-der": openssl(*traditional, "-outform", "DER", data=pem),
    }


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_import(mine, algorithm):
    pem, all_forms = forms(algorithm)
    for form, data in all_forms.items():
        key = mine.call("Import", a_label(), data, comment=form)
        told = mine.describe(key)
        assert told["public-key"] == public_of(pem, "DER"), form
        assert (told["imported"], told["algorithm"], told["comment"]) == (True, algorithm, form)
        assert (told["has-auth"], told["no-da"]) == (False, True)
        assert signs(mine, key)
        mine.call("Delete", key)


def test_import_with_options(fresh, mine):
    data = private_key("rsa2048")
    key = mine.call("Import", a_label(), data, usage=["sign", "decrypt"], pcrs={"sha256": [16]}, auth="sesame")
    told = mine.describe(key)
    assert (told["usage"], told["pcrs"], told["has-auth"], told["no-da"]) == (["sign", "decrypt"], {"sha256": [16]}, True, False)
    assert signs(mine, key, auth="sesame")
    assert mine.error("Sign", key, "sha256", DIGEST, auth="wrong") == "AuthenticationFailed"


@pytest.mark.parametrize("as_descriptor", [True, False])
def test_import_of_an_encrypted_key(mine, as_descriptor):
    pem = private_key(ALGORITHM)
    encrypted = openssl("pkcs8", "-topk8", "-v2", "aes-256-cbc", "-passout", "pass:open", data=pem)
    assert mine.error("Import", a_label(), encrypted) == "InvalidArgument"
    assert mine.error("Import", a_label(), encrypted, passphrase="wrong") == "InvalidArgument"
    if as_descriptor:
        fds = [memfd(encrypted, sealed=True), memfd(b"open", sealed=True)]
        key = mine.call("Import", a_label(), b"", fds=fds, data=handle(0), passphrase=handle(1))
    else:
        key = mine.call("Import", a_label(), encrypted, passphrase="open")
    assert mine.public(key) == public_of(pem)


def test_import_of_the_same_key_twice(mine):
    data = private_key(ALGORITHM)
    first, label = a_label(), a_label()
    mine.call("Import", first, data)
    error = mine.full_error("Import", label, data)
    assert error.name == ward.ERROR + "Exists" and first in error.message
    assert label not in mine.labels()
    mine.call("Delete", first)
    mine.call("Import", label, data)


def test_each_user_may_import_the_same_key(mine, bob):
    data = private_key(ALGORITHM)
    assert mine.call("Import", a_label(), data) == Keys(bob).call("Import", a_label(), data)


@pytest.mark.parametrize(
    "data, values, name",
    [
        (b"", {}, "InvalidArgument"),
        (b"nonsense", {}, "InvalidArgument"),
        (b"\x30\x82\xff\xff" + bytes(60000), {}, "InvalidArgument"),
        (bytes(65537), {}, "InvalidArgument"),
        (public_of, {}, "InvalidArgument"),
        (lambda pem: pem[: len(pem) // 2], {}, "InvalidArgument"),
        (lambda pem: pem + b"junk", {}, "InvalidArgument"),
        (lambda pem: pem, {"usage": ["decrypt"]}, "InvalidArgument"),
        (lambda pem: pem, {"usage": ["all"]}, "InvalidArgument"),
        (lambda pem: pem, {"auth": "x" * 65}, "InvalidArgument"),
        (lambda pem: pem, {"srk_auth": "x"}, "NotSupported"),
        (lambda pem: pem, {"password": "x"}, "InvalidArgument"),
        (lambda _: openssl("genpkey", "-algorithm", "ED25519"), {}, "NotSupported"),
        (lambda _: openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"), {}, "NotSupported"),
        (lambda _: openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"), {}, "NotSupported"),
    ],
)
def test_what_is_not_imported(mine, data, values, name):
    label = a_label()
    pem = data(private_key("ecc-p256")) if callable(data) else data
    assert mine.error("Import", label, pem, **values) == name
    assert label not in mine.labels()


def test_import_of_data_twice(mine):
    fds = [memfd(private_key(ALGORITHM), sealed=True)]
    assert mine.error("Import", a_label(), b"too", fds=fds, data=handle(0)) == "InvalidArgument"
    assert mine.call("Import", a_label(), b"", fds=fds, data=handle(0))


@pytest.mark.parametrize("algorithm", KINDS)
@pytest.mark.parametrize("auth", [None, "sesame"])
def test_export_and_import(mine, bob, algorithm, auth):
    """What was exported is the same key for whoever imports it on this TPM."""
    values = {"auth": auth} if auth else {}
    key = mine.create(algorithm, **values)
    text = mine.call("Export", key)
    assert text.startswith(f"-----BEGIN {EXPORT}-----\n") and text.endswith(f"-----END {EXPORT}-----\n")
    his = Keys(bob)
    assert his.call("Import", a_label(), text.encode(), comment="from Alice") == key
    told, original = his.describe(key), mine.describe(key)
    same = ("algorithm", "usage", "has-auth", "no-da", "pcrs", "imported", "parent", "public-key", "fingerprint")
    assert {name: told[name] for name in same} == {name: original[name] for name in same}
    assert signs(his, key, **values)


def test_what_an_export_says_of_auth_and_parent(fresh, mine, root, tmp_path):
    for auth, provisioned in ((False, False), (True, False), (False, True)):
        if provisioned:
            root.call("Ownership.ProvisionSrk", "a{sv}", {})
        key = mine.create(**(COUNTED if auth else {}))
        parsed = openssl("asn1parse", data=mine.call("Export", key).encode()).decode()
        assert "2.23.133.10.1.3" in parsed
        assert f"BOOLEAN           :{0 if auth else 255}" in parsed
        assert f"INTEGER           :{'81000001' if provisioned else '40000001'}" in parsed
        assert parsed.count("cont [") == 1, "emptyAuth, and nothing else that is optional"
        assert mine.describe(key)["parent"] == (0x81000001 if provisioned else 0x40000001)


@pytest.mark.parametrize("values", [{"auth": "x"}, {"usage": ["sign"]}, {"pcrs": {"sha256": [1]}}, {"no_da": True}, {"passphrase": "x"}])
def test_a_wrapped_key_brings_its_own_properties(mine, bob, values):
    text = mine.call("Export", mine.create())
    error = Keys(bob).full_error("Import", a_label(), text.encode(), **values)
    assert error.name == ward.ERROR + "InvalidArgument"
    assert next(iter(values)).replace("_", "-") in error.message


def test_wrapped_keys_that_are_damaged(fresh, mine, bob):
    text = mine.call("Export", mine.create())
    his = Keys(bob)
    lines = text.splitlines()
    for at in (1, 3, len(lines) - 2):
        changed = list(lines)
        changed[at] = changed[at][::-1] if len(set(changed[at])) > 1 else "AAAA"
        assert his.error("Import", a_label(), "\n".join(changed).encode()) in {"Corrupt", "InvalidArgument", "NotSupported"}
    clear_as_others_do(fresh)
    error = his.full_error("Import", a_label(), text.encode())
    assert error.name == ward.ERROR + "Corrupt"
    assert not his.describe(his.create())["imported"]


def test_auth(fresh, mine, alice):
    key = mine.create(**COUNTED)
    assert signs(mine, key, auth="sesame")
    error = mine.full_error("Sign", key, "sha256", DIGEST)
    assert error.name == ward.ERROR + "AuthenticationFailed" and "“auth”" in error.message
    assert alice.get("Lockout.Failures") == 0
    error = mine.full_error("Sign", key, "sha256", DIGEST, auth="wrong")
    assert error.name == ward.ERROR + "AuthenticationFailed" and "6 more tries" in error.message
    assert alice.get("Lockout.Failures") == 1
    assert signs(mine, key, auth="sesame")
    assert mine.describe(key)["uses"] == 2


def test_an_auth_is_forgotten_after_its_call(fresh, mine):
    key = mine.create(**COUNTED)
    assert signs(mine, key, auth="sesame")
    assert mine.error("Sign", key, "sha256", DIGEST) == "AuthenticationFailed"


def test_auth_where_none_is_needed(mine):
    key = mine.create()
    error = mine.full_error("Sign", key, "sha256", DIGEST, auth="some")
    assert error.name == ward.ERROR + "AuthenticationFailed" and "not tried" in error.message
    assert signs(mine, key, auth="")


def test_locked_out(fresh, mine, bob):
    """One user's tries are not all; a key without auth works on."""
    key, free = mine.create(**COUNTED), mine.create()
    his = Keys(bob)
    other = his.create(**COUNTED)
    names = [mine.error("Sign", key, "sha256", DIGEST, auth=f"wrong {i}") for i in range(8)]
    assert names == ["AuthenticationFailed"] * 7 + ["LockedOut"]
    assert mine.error("Sign", key, "sha256", DIGEST, auth="sesame") == "LockedOut"
    assert signs(mine, free)
    assert signs(his, other, auth="sesame")


def test_change_auth(fresh, mine):
    key = mine.create(**COUNTED)
    old_export = mine.call("Export", key)
    mine.call("ChangeAuth", key, old="sesame", new="other")
    assert signs(mine, key, auth="other")
    assert mine.error("Sign", key, "sha256", DIGEST, auth="sesame") == "AuthenticationFailed"
    assert mine.call("Export", key) != old_export
    mine.call("ChangeAuth", key, old="other", new="")
    assert not mine.describe(key)["has-auth"]
    assert signs(mine, key)
    mine.call("ChangeAuth", key, new="third")
    assert mine.describe(key)["has-auth"]
    fresh.restart("daemon")
    assert signs(mine, key, auth="third")


def test_an_export_keeps_its_auth(fresh, mine, bob):
    key = mine.create(**COUNTED)
    export = mine.call("Export", key)
    mine.call("ChangeAuth", key, old="sesame", new="other")
    his = Keys(bob)
    his.call("Import", a_label(), export.encode())
    assert signs(his, key, auth="sesame")
    assert signs(mine, key, auth="other")


def test_auths_that_are_not_changed(fresh, mine):
    key = mine.create(**COUNTED)
    error = mine.full_error("ChangeAuth", key, new="other")
    assert error.name == ward.ERROR + "AuthenticationFailed" and "“old”" in error.message
    assert mine.error("ChangeAuth", key, old="wrong", new="other") == "AuthenticationFailed"
    assert mine.error("ChangeAuth", key, old="sesame", new="x" * 65) == "InvalidArgument"
    assert mine.error("ChangeAuth", key, old="sesame", new=b"zero\0") == "InvalidArgument"
    assert mine.error("ChangeAuth", key, auth="sesame", new="other") == "InvalidArgument"
    assert signs(mine, key, auth="sesame")
    uncounted = mine.create()
    assert mine.error("ChangeAuth", uncounted, new="other") == "NotSupported"
    assert mine.error("ChangeAuth", uncounted, old="some", new="other") == "AuthenticationFailed"
    assert signs(mine, uncounted)
    bound = IS_20 and mine.create(pcrs={"sha256": [16]}, no_da=False)
    assert not bound or mine.error("ChangeAuth", bound, new="other") == "NotSupported"


@pytest.mark.parametrize("algorithm", ["rsa2048", "ecc-p256"])
def test_pcrs(fresh, mine, algorithm):
    key = mine.create(algorithm, pcrs={"sha256": [16, 23], "sha1": [16]})
    assert mine.describe(key)["pcrs"] == {"sha256": [16, 23], "sha1": [16]}
    fresh.tpm2("tpm2_pcrextend", "15:sha256=" + "11" * 32)
    assert signs(mine, key)
    fresh.tpm2("tpm2_pcrextend", "23:sha256=" + "11" * 32)
    error = mine.full_error("Sign", key, "sha256", DIGEST)
    assert error.name == ward.ERROR + "PolicyMismatch"
    assert "sha256:23" in error.message and ":16" not in error.message
    fresh.tpm2("tpm2_pcrreset", "23")
    assert signs(mine, key)


def test_pcrs_and_auth(fresh, mine, alice):
    key = mine.create(pcrs={"sha256": [23]}, usage=["sign", "agree"], **COUNTED)
    assert signs(mine, key, auth="sesame")
    assert mine.error("Sign", key, "sha256", DIGEST, auth="wrong") == "AuthenticationFailed"
    assert alice.get("Lockout.Failures") == 1
    mine.call("ChangeAuth", key, old="sesame", new="other")
    assert signs(mine, key, auth="other")
    fresh.tpm2("tpm2_pcrextend", "23:sha256=" + "11" * 32)
    peer = public_of(private_key("ecc-p256"), "DER")
    assert mine.error("Agree", key, peer, auth="other") == "PolicyMismatch"
    assert mine.error("Sign", key, "sha256", DIGEST, auth="wrong") == "PolicyMismatch"
    assert mine.error("ChangeAuth", key, old="other", new="third") == "PolicyMismatch"
    assert alice.get("Lockout.Failures") == 1


def test_an_export_of_a_bound_key_tells_no_pcrs(fresh, mine):
    """So nobody imports it: the formats of other programs have no word for them."""
    key = mine.create(pcrs={"sha256": [16]})
    text = mine.call("Export", key)
    mine.call("Delete", key)
    assert mine.error("Import", a_label(), text.encode()) == "NotSupported"


def test_owner_auth(fresh, mine, root):
    """Without a storage root key its like is made for the moment, which an owner auth forbids to who does not know it."""
    key = mine.create()
    fresh.tpm2("tpm2_changeauth", "-c", "owner", "own")
    assert mine.error("Create", a_label(), "ecc-p256") == "NotOwned"
    assert mine.error("Import", a_label(), private_key("ecc-p256")) == "NotOwned"
    assert mine.error("Sign", key, "sha256", DIGEST) == "NotOwned"
    assert mine.error("Sign", key, "sha256", DIGEST, owner_auth="wrong") == "AuthenticationFailed"
    assert signs(mine, key, owner_auth="own")
    assert signs(mine, mine.create(owner_auth="own"), owner_auth="own")
    other = mine.call("Import", a_label(), private_key("ecc-p256"), owner_auth="own")
    mine.call("ChangeAuth", other, owner_auth="own")
    root.call("Ownership.ProvisionSrk", "a{sv}", options(owner_auth="own"))
    assert signs(mine, mine.create())
    assert signs(mine, key)


def test_keys_from_before_a_clear(fresh, mine, root):
    key = mine.create()
    label = mine.describe(key)["label"]
    clear_as_others_do(fresh)
    assert mine.error("Sign", key, "sha256", DIGEST) == "Corrupt"
    for method, args in (("Describe", ()), ("GetPublicKey", ("pem",)), ("SetComment", ("of the past",))):
        mine.call(method, key, *args)
    assert mine.error("Create", label, ALGORITHM) == "Exists"
    mine.call("Delete", label)
    assert signs(mine, mine.create(label=label))


def test_a_key_file_that_is_damaged(sandbox, mine):
    key, other = mine.create(), mine.create()
    (path,) = ward.STATE.rglob(f"{key}.pem")
    content = path.read_bytes()
    sandbox.kill("daemon", ward.signal.SIGTERM)
    path.write_bytes(content[:-40] + os.urandom(40))
    sandbox.start("daemon")
    assert mine.error("Sign", key, "sha256", DIGEST) == "Corrupt"
    assert mine.error("Export", key) == "Corrupt"
    assert signs(mine, other)
    sandbox.kill("daemon", ward.signal.SIGTERM)
    path.write_bytes(content)
    sandbox.start("daemon")
    assert signs(mine, key)
