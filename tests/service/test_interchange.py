# SPDX-License-Identifier: LGPL-2.1-or-later
"""Keys and sealed data that go to other programs and come from them: tpm2-openssl, tpm2-tools, ssh-keygen; files such as
ssh-tpm-agent's, which itself takes a kernel's TPM alone: tests/vm/test_keys.py has it."""

import base64
import os
import re
import struct
import subprocess
from pathlib import Path

import pytest
import ward
from families import ALGORITHMS
from keys import Keys, a_label, digest_of, openssl, options, private_key, public_of, verifies

TSS2 = "TSS2 PRIVATE KEY"
LOADABLE, SEALED = "2.23.133.10.1.3", "2.23.133.10.1.5"
OWNER, ROOT_KEY = 0x40000001, 0x81000001
PROVIDERS = ["-provider", "tpm2", "-provider", "default", "-propquery", "?provider=tpm2"]
DIGEST = digest_of("sha256")
# What ssh-tpm-agent makes keys with: go-tpm-keyfiles has sign and decrypt in all of them, as the SHA-512 of RSA needs decrypt.
ITS_ATTRIBUTES = "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign|decrypt"


class Chip:
    """A chip as new, what lies beneath what on it, and the other programs at it."""

    def __init__(self, sandbox, folder, parent):
        self.sandbox = sandbox
        self.folder = folder
        self.parent = parent

    def path(self, name, content=None):
        file = self.folder / name
        if content is not None:
            file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(file)

    def read(self, name):
        return (self.folder / name).read_bytes()

    def tpm2(self, *command):
        return self.sandbox.tpm2(*command)

    def openssl(self, verb, *words):
        """What openssl does with the chip's help."""
        return self.tpm2("openssl", verb, *PROVIDERS, *words)

    def root_key(self):
        """What tpm2-tools call the key that all others lie beneath: by the template of the file format, the TCG's with nothing unique."""
        if self.parent == ROOT_KEY:
            return hex(ROOT_KEY)
        nothing = self.path("nothing", bytes(4))  # two coordinates of no length
        self.tpm2("tpm2_createprimary", "-Q", "-C", "o", "-G", "ecc256:null:aes128cfb", "-u", nothing, "-c", self.path("root"), "-a",
                  "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|restricted|decrypt")  # fmt: skip
        return self.path("root")

    def load(self, text, name="loaded"):
        """A key of a PEM, loaded by tpm2_load."""
        _, parts = parse(text)
        files = ["-u", self.path("public", parts[-2]), "-r", self.path("private", parts[-1])]
        self.tpm2("tpm2_load", "-Q", "-C", self.root_key(), *files, "-c", self.path(name))
        return self.path(name)


@pytest.fixture(params=[OWNER, ROOT_KEY], ids=["passing-root", "persistent-root"])
def chip(request, sandbox, root, tmp_path):
    sandbox.tpm2("tpm2_clear", "-c", "p")
    if request.param == ROOT_KEY:
        root.call("Ownership.ProvisionSrk", "a{sv}", {})
    return Chip(sandbox, tmp_path, request.param)


@pytest.fixture
def with_provider(chip):
    """Only where tpm2-openssl is."""
    modules = openssl("info", "-modulesdir").decode().strip()
    if not Path(modules, "tpm2.so").exists():
        pytest.skip("tpm2-openssl is not installed")
    return chip


@pytest.fixture
def mine(alice):
    return Keys(alice)


@pytest.fixture
def systems(root):
    return Keys(root, "SystemKeys")


def parse(text):
    """What openssl finds in a PEM: the types of the parts, in order, and the contents of the octet strings, None for others."""
    lines = openssl("asn1parse", "-in", "{pem}", pem=text).decode().splitlines()
    types, contents = [], []
    for line in lines:
        start, depth, head, length, kind = re.match(r" *(\d+):d=(\d+) +hl=(\d+) l= *(\d+) \w+: (.*?) *(?::|\[|$)", line).groups()
        types.append((int(depth), kind.strip()))
        der = base64.b64decode("".join(text.strip().splitlines()[1:-1]))
        contents.append(der[int(start) + int(head) :][: int(length)] if "OCTET" in kind else None)
    return types, contents


def write_pem(type_, parent, public, private, **optional):
    """A key file, written by openssl. Of optional, auth is whether it is said to be empty."""
    fields = {
        "type": f"OID:{type_}",
        **({"auth": f"EXPLICIT:0,BOOLEAN:{str(optional['empty_auth']).upper()}"} if "empty_auth" in optional else {}),
        **({"description": f"EXPLICIT:4,UTF8String:{optional['description']}"} if "description" in optional else {}),
        "parent": f"INTEGER:{parent:#x}",
        "public": f"FORMAT:HEX,OCTETSTRING:{public.hex()}",
        "private": f"FORMAT:HEX,OCTETSTRING:{private.hex()}",
    }
    config = "asn1=SEQUENCE:key\n[key]\n" + "".join(f"{name}={value}\n" for name, value in fields.items())
    der = openssl("asn1parse", "-genconf", "{config}", "-noout", "-out", "/dev/stdout", config=config)
    text = base64.b64encode(der).decode()
    return "\n".join([f"-----BEGIN {TSS2}-----", *(text[i : i + 64] for i in range(0, len(text), 64)), f"-----END {TSS2}-----", ""])


def with_auth(auth):
    return {"auth": auth} if auth else {}


def pass_in(auth):
    return ["-passin", f"pass:{auth}"] if auth else []


def signs_there(chip, text, public, auth=None):
    """Whether openssl signs with a key file."""
    files = ["-inkey", chip.path("key.pem", text), "-in", chip.path("digest", DIGEST), "-out", chip.path("signature")]
    chip.openssl("pkeyutl", "-sign", *files, "-pkeyopt", "digest:sha256", *pass_in(auth))
    return verifies(public, chip.read("signature"), DIGEST, "sha256")


def signs_here(keys, key, public, auth=None):
    return verifies(public, keys.call("Sign", key, "sha256", DIGEST, **with_auth(auth)), DIGEST, "sha256")


@pytest.mark.parametrize("auth", [None, "sesame", "a" * 40])
@pytest.mark.parametrize("algorithm", ["rsa2048", "ecc-p256", "ecc-p384"])
def test_our_keys_sign_in_openssl(with_provider, mine, algorithm, auth):
    key = mine.create(algorithm, **with_auth(auth))
    assert signs_there(with_provider, mine.call("Export", key), mine.public(key), auth)


def test_our_keys_decrypt_and_agree_in_openssl(with_provider, mine):
    key = mine.create("rsa2048", usage=["sign", "decrypt"], auth="sesame")
    chip = with_provider
    text = openssl("pkeyutl", "-encrypt", "-pubin", "-inkey", "{public}", public=mine.public(key), data=b"a secret")
    files = ["-inkey", chip.path("key.pem", mine.call("Export", key)), "-in", chip.path("text", text), "-out", chip.path("out")]
    chip.openssl("pkeyutl", "-decrypt", *files, *pass_in("sesame"))
    assert chip.read("out") == b"a secret"

    key = mine.create("ecc-p256", usage=["agree"])
    peer = private_key("ecc-p256")
    files = ["-inkey", chip.path("key.pem", mine.call("Export", key)), "-peerkey", chip.path("peer", public_of(peer))]
    files += ["-out", chip.path("out")]
    chip.openssl("pkeyutl", "-derive", *files)
    assert chip.read("out") == mine.call("Agree", key, public_of(peer, "DER"))


@pytest.mark.parametrize("algorithm", ["rsa2048", "ecc-p384"])
def test_keys_imported_here_sign_in_openssl(with_provider, mine, algorithm):
    plain = private_key(algorithm)
    key = mine.call("Import", a_label(), plain, auth="sesame")
    assert signs_there(with_provider, mine.call("Export", key), public_of(plain), "sesame")


def test_an_export_keeps_the_auth_of_its_time(with_provider, mine):
    key = mine.create(auth="sesame")
    before = mine.call("Export", key)
    mine.call("ChangeAuth", key, old="sesame", new="barley")
    assert signs_there(with_provider, before, mine.public(key), "sesame")
    assert signs_there(with_provider, mine.call("Export", key), mine.public(key), "barley")


@pytest.mark.parametrize("auth", [None, "sesame"])
@pytest.mark.parametrize("algorithm", ["rsa2048", "ecc-p256", "ecc-p384"])
def test_keys_generated_in_openssl_sign_here(with_provider, mine, algorithm, auth):
    chip = with_provider
    kind = ["RSA", "bits:2048"] if algorithm == "rsa2048" else ["EC", f"group:P-{algorithm[5:]}"]
    secret = ["-pkeyopt", f"user-auth:{auth}"] if auth else []
    chip.openssl("genpkey", "-algorithm", kind[0], "-pkeyopt", kind[1], *secret, "-out", chip.path("made.pem"))
    chip.openssl("pkey", "-in", chip.path("made.pem"), "-pubout", "-out", chip.path("public.pem"), *pass_in(auth))
    public = chip.read("public.pem")

    key = mine.call("Import", a_label(), chip.read("made.pem"))
    told = mine.describe(key)
    expected = {"algorithm": algorithm, "has-auth": bool(auth), "no-da": False, "imported": False, "usable": True}
    assert expected.items() <= told.items()
    # its keys name the owner hierarchy, of which the persistent root key is when it is made by the same template
    assert told["parent"] == chip.parent
    assert "sign" in told["usage"]
    assert mine.public(key) == public
    assert signs_here(mine, key, public, auth)
    if auth:
        assert mine.error("Sign", key, "sha256", DIGEST) == "AuthenticationFailed"
    # and back again, as it was
    assert signs_there(chip, mine.call("Export", key), public, auth)


@pytest.mark.parametrize("auth", [None, "sesame"])
def test_the_form_of_exports(chip, mine, auth):
    """What go-tpm-keyfiles reads (of ssh-tpm-agent), and tpm2-openssl: no policy, no description, and always whether the auth is empty."""
    text = mine.call("Export", mine.create(**with_auth(auth)))
    lines = text.splitlines()
    assert (lines[0], lines[-1], text[-1]) == (f"-----BEGIN {TSS2}-----", f"-----END {TSS2}-----", "\n")
    assert {len(line) for line in lines[1:-2]} == {64}
    shape, _ = parse(text)
    expected = ["SEQUENCE", "OBJECT", "cont", "BOOLEAN", "INTEGER", "OCTET STRING", "OCTET STRING"]
    assert [kind for _, kind in shape] == expected
    assert [depth for depth, _ in shape] == [0, 1, 1, 2, 1, 1, 1]
    dump = openssl("asn1parse", "-in", "{pem}", pem=text).decode()
    assert re.search(rf"OBJECT +:({re.escape(LOADABLE)}|.*loadable.*)\n", dump)
    assert f"BOOLEAN           :{0 if auth else 255}\n" in dump
    assert f"INTEGER           :{chip.parent:X}\n" in dump


def padded(digest_info, size):
    return b"\0\1" + b"\xff" * (size - len(digest_info) - 3) + b"\0" + digest_info


def test_our_rsa_keys_do_what_ssh_tpm_agent_asks_of_them(chip, mine):
    """It signs SHA-256 by TPM2_Sign, and SHA-512 by TPM2_RSA_Decrypt of what it has padded itself."""
    key = mine.create("rsa2048", usage=["sign", "decrypt"])
    loaded = chip.load(mine.call("Export", key))
    chip.tpm2("tpm2_sign", "-Q", "-c", loaded, "-g", "sha256", "-s", "rsassa", "-d", "-f", "plain", "-o", chip.path("signature"),
              chip.path("digest", DIGEST))  # fmt: skip
    assert verifies(mine.public(key), chip.read("signature"), DIGEST, "sha256")

    digest = digest_of("sha512")
    info = bytes.fromhex("3051300d060960864801650304020305000440") + digest
    chip.tpm2("tpm2_rsadecrypt", "-Q", "-c", loaded, "-s", "null", "-o", chip.path("signature"), chip.path("info", padded(info, 256)))
    assert verifies(mine.public(key), chip.read("signature"), digest, "sha512")


def test_our_ecc_keys_sign_in_tpm2_tools(chip, mine):
    key = mine.create(auth="sesame")
    loaded = chip.load(mine.call("Export", key))
    chip.tpm2("tpm2_sign", "-Q", "-c", loaded, "-p", "sesame", "-g", "sha256", "-d", "-f", "plain", "-o", chip.path("signature"),
              chip.path("digest", DIGEST))  # fmt: skip
    assert verifies(mine.public(key), chip.read("signature"), DIGEST, "sha256")


def made_by_tools(chip, algorithm, auth=None, attributes=ITS_ATTRIBUTES, parent=None):
    """The public and the private part of a key that tpm2_create makes, and its public key."""
    files = ["-u", chip.path("public"), "-r", chip.path("private"), "-f", "pem", "-o", chip.path("public.pem")]
    secret = ["-p", auth] if auth else []
    chip.tpm2("tpm2_create", "-Q", "-C", parent or chip.root_key(), "-G", algorithm, "-a", attributes, *files, *secret)
    return chip.read("public"), chip.read("private"), chip.read("public.pem")


@pytest.mark.parametrize("auth", [None, "sesame"])
@pytest.mark.parametrize(
    "theirs, ours, usage",
    [("rsa2048", "rsa2048", "decrypt"), ("ecc256", "ecc-p256", "agree"), ("ecc384", "ecc-p384", "agree")],
)
def test_key_files_as_ssh_tpm_agent_writes_them(chip, mine, theirs, ours, usage, auth):
    """It says that the auth is empty, or nothing of it, and has the comment of the key as its description."""
    public, private, pem = made_by_tools(chip, f"{theirs}:null:null", auth)
    said = {} if auth else {"empty_auth": True}
    text = write_pem(LOADABLE, chip.parent, public, private, description="alice@example", **said)
    key = mine.call("Import", a_label(), text.encode())
    told = mine.describe(key)
    expected = {"algorithm": ours, "usage": ["sign", usage], "has-auth": bool(auth), "no-da": False, "parent": chip.parent, "usable": True}
    assert expected.items() <= told.items()
    assert mine.public(key) == pem
    assert signs_here(mine, key, pem, auth)
    # ours of it has no description, and always whether there is an auth
    assert mine.call("Export", key) == write_pem(LOADABLE, chip.parent, public, private, empty_auth=not auth)


@pytest.mark.parametrize("auth", [None, "sesame"])
def test_keys_that_tpm2_tools_encode(chip, mine, auth):
    """tpm2_encodeobject of 5.4 says of each key that it has an auth (issues 3152 and 3458): where there is none, the empty one is right."""
    made_by_tools(chip, "ecc256:ecdsa-sha256:null", auth, ITS_ATTRIBUTES.replace("|decrypt", "|noda"))
    files = ["-u", chip.path("public"), "-r", chip.path("private"), "-o", chip.path("encoded")]
    chip.tpm2("tpm2_encodeobject", "-C", chip.root_key(), *files)
    key = mine.call("Import", a_label(), chip.read("encoded"))
    values = {"auth": auth or ""} if mine.describe(key)["has-auth"] else {}
    assert verifies(chip.read("public.pem"), mine.call("Sign", key, "sha256", DIGEST, **values), DIGEST, "sha256")


def handles(chip):
    return [int(handle, 16) for handle in re.findall(r"0x[0-9A-Fa-f]+", chip.tpm2("tpm2_getcap", "handles-persistent"))]


@pytest.mark.parametrize("algorithm", ["rsa2048", "ecc-p256"])
def test_persistent_keys_in_other_programs(with_provider, systems, algorithm):
    chip, handle = with_provider, 0x81010001
    key = systems.create(algorithm, auth="sesame")
    systems.call("Persist", key, handle)
    chip.tpm2("tpm2_readpublic", "-Q", "-c", hex(handle), "-f", "pem", "-o", chip.path("public.pem"))
    assert chip.read("public.pem") == systems.public(key)
    files = ["-inkey", f"handle:{handle:#x}?pass", "-in", chip.path("digest", DIGEST), "-out", chip.path("signature")]
    chip.openssl("pkeyutl", "-sign", *files, "-pkeyopt", "digest:sha256", *pass_in("sesame"))
    assert verifies(systems.public(key), chip.read("signature"), DIGEST, "sha256")
    assert handle in handles(chip)
    systems.call("Evict", handle)
    assert handle not in handles(chip)
    assert signs_here(systems, key, systems.public(key), "sesame")


def persistent(systems):
    return {each["handle"]: each for each in systems.call("ListPersistent")}


def test_what_tpm2_tools_have_persisted(chip, systems, mine):
    """Theirs, and a key of ours that they were given."""
    public, private, _ = made_by_tools(chip, "rsa2048:null:null")
    foreign = chip.load(write_pem(LOADABLE, chip.parent, public, private, empty_auth=True))
    chip.tpm2("tpm2_evictcontrol", "-Q", "-C", "o", "-c", foreign, "0x81010002")
    key = mine.create()
    ours = chip.load(mine.call("Export", key))
    chip.tpm2("tpm2_evictcontrol", "-Q", "-C", "o", "-c", ours, "0x81010003")

    listed = persistent(systems)
    assert sorted(listed) == sorted(handles(chip))
    for handle, algorithm in ((0x81010002, "rsa2048"), (0x81010003, "ecc-p256")):
        name = chip.tpm2("tpm2_readpublic", "-c", hex(handle)).split()[1]
        assert (listed[handle]["algorithm"], listed[handle]["name"]) == (algorithm, name)
    assert "key" not in listed[0x81010002]
    described = mine.describe(key)
    assert {name: listed[0x81010003][name] for name in ("key", "label", "uid", "scope")} == {
        "key": key, "label": described["label"], "uid": described["uid"], "scope": "user",
    }  # fmt: skip
    systems.call("Evict", 0x81010002)
    assert 0x81010002 not in handles(chip)


def ssh_keygen(*words, **options_):
    done = subprocess.run(["ssh-keygen", *words], capture_output=True, check=False, **options_)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_public_keys_in_ssh_keygen(mine, tmp_path, algorithm):
    label = f"{a_label()} of a key"
    key = mine.create(algorithm, label)
    line = tmp_path / "line"
    line.write_bytes(mine.public(key, "ssh"))
    bits, fingerprint, *comment, kind = ssh_keygen("-l", "-f", line).split()
    assert fingerprint == mine.describe(key)["fingerprint"]
    assert " ".join(comment) == label
    assert (bits, kind) == (algorithm[-4:], "(RSA)") if "rsa" in algorithm else (algorithm[-3:], "(ECDSA)")
    # to the form of OpenSSL and back
    assert public_of_pem(ssh_keygen("-e", "-m", "PKCS8", "-f", line)) == mine.public(key, "der")
    pem = tmp_path / "pem"
    pem.write_bytes(mine.public(key))
    assert ssh_keygen("-i", "-m", "PKCS8", "-f", pem).split() == line.read_text().split()[:2]


def public_of_pem(text):
    return openssl("pkey", "-pubin", "-outform", "DER", data=text.encode())


def ssh_string(data):
    return struct.pack(">I", len(data)) + data


def ssh_signature(keys, key, message, namespace):
    """What ssh-keygen -Y sign writes, with a signature of ours (OpenSSH's PROTOCOL.sshsig)."""
    blob = base64.b64decode(keys.public(key, "ssh").split()[1])
    head = ssh_string(namespace) + ssh_string(b"") + ssh_string(b"sha512")
    signed = b"SSHSIG" + head + ssh_string(digest_of("sha512", message))
    algorithm = keys.describe(key)["algorithm"]
    if algorithm.startswith("rsa"):
        name, value = b"rsa-sha2-512", keys.call("Sign", key, "sha512", digest_of("sha512", signed))
    else:
        name = f"ecdsa-sha2-nistp{algorithm[5:]}".encode()
        hash_ = {"ecc-p256": "sha256", "ecc-p384": "sha384"}[algorithm]
        signature = keys.call("Sign", key, hash_, digest_of(hash_, signed))
        # SEQUENCE of two INTEGERs, whose contents are as SSH has them; all are shorter than 128 bytes
        first = signature[4 : 4 + signature[3]]
        second = signature[6 + len(first) :]
        value = ssh_string(first) + ssh_string(second)
    whole = b"SSHSIG" + struct.pack(">I", 1) + ssh_string(blob) + head + ssh_string(ssh_string(name) + ssh_string(value))
    return f"-----BEGIN SSH SIGNATURE-----\n{base64.encodebytes(whole).decode()}-----END SSH SIGNATURE-----\n"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_signatures_in_ssh_keygen(mine, tmp_path, algorithm):
    key = mine.create(algorithm)
    signature, signers = tmp_path / "signature", tmp_path / "signers"
    signature.write_text(ssh_signature(mine, key, b"a message", b"file"))
    signers.write_bytes(b"alice@example " + mine.public(key, "ssh"))
    verify = ["ssh-keygen", "-Y", "verify", "-f", signers, "-I", "alice@example", "-n", "file", "-s", signature]
    for message, expected in ((b"a message", True), (b"another", False)):
        done = subprocess.run(verify, input=message, capture_output=True, check=False)
        assert (done.returncode == 0) == expected, done.stderr


@pytest.mark.parametrize("kind, bits", [("rsa", "2048"), ("rsa", "3072"), ("ecdsa", "256"), ("ecdsa", "384")])
def test_private_keys_of_ssh_keygen(mine, tmp_path, kind, bits):
    file, label = tmp_path / "id", a_label()
    ssh_keygen("-q", "-t", kind, "-b", bits, "-N", "", "-C", "its comment", "-f", file)
    key = mine.call("Import", label, file.read_bytes())
    its = (tmp_path / "id.pub").read_text().split()
    assert mine.public(key, "ssh").decode() == f"{its[0]} {its[1]} {label}\n"
    assert mine.describe(key)["fingerprint"] == ssh_keygen("-l", "-f", file).split()[1]
    assert signs_here(mine, key, mine.public(key))


def test_encrypted_private_keys_of_ssh_keygen(mine, tmp_path):
    """OpenSSH's own encryption is not undone here; what the error says to do helps."""
    file = tmp_path / "id"
    ssh_keygen("-q", "-t", "ecdsa", "-N", "open sesame", "-f", file)
    error = mine.full_error("Import", a_label(), file.read_bytes(), passphrase="open sesame")
    assert error.name == ward.ERROR + "NotSupported"
    words = re.search("“ssh-keygen (-p -m PKCS8 -f) COPY”", error.message)[1].split()
    ssh_keygen(*words, file, "-P", "open sesame", "-N", "open sesame")
    assert mine.error("Import", a_label(), file.read_bytes(), passphrase="wrong") == "InvalidArgument"
    key = mine.call("Import", a_label(), file.read_bytes(), passphrase="open sesame")
    assert mine.public(key, "ssh").split()[1] == (tmp_path / "id.pub").read_bytes().split()[1]


def test_sealed_data_is_no_key(chip, mine, alice):
    """Both are the same kind of file."""
    blob = alice.call("Seal.Seal", "aya{sv}", b"sealed", {})
    assert parse(blob)[0] == parse(mine.call("Export", mine.create()))[0]
    assert mine.error("Import", a_label(), blob.encode()) == "NotSupported"
    assert alice.error("Seal.Unseal", "sa{sv}", mine.call("Export", mine.create()), {}).name == ward.ERROR + "NotSupported"


@pytest.mark.parametrize("auth", [None, "sesame"])
def test_data_sealed_by_tpm2_tools(chip, alice, auth):
    """With and without an auth, in a file whose writer says which."""
    data = os.urandom(128)
    files = ["-i", chip.path("data", data), "-u", chip.path("public"), "-r", chip.path("private")]
    chip.tpm2("tpm2_create", "-Q", "-C", chip.root_key(), *files, *(["-p", auth] if auth else []))
    blob = write_pem(SEALED, chip.parent, chip.read("public"), chip.read("private"), empty_auth=not auth, description="a secret")
    assert alice.call("Seal.Unseal", "sa{sv}", blob, options(**with_auth(auth))) == data


def test_our_sealed_data_in_tpm2_tools(chip, alice):
    data = bytes(range(128))
    loaded = chip.load(alice.call("Seal.Seal", "aya{sv}", data, options(auth="sesame")))
    chip.tpm2("tpm2_unseal", "-Q", "-c", loaded, "-p", "sesame", "-o", chip.path("out"))
    assert chip.read("out") == data
