# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of keys are written with: calls in short, and openssl, by which they are checked."""

import fcntl
import hashlib
import os
import subprocess
import tempfile
from pathlib import Path

import ward
from families import ALGORITHM
from ward import caller

KINDS = {str: "s", bytes: "ay", bool: "b", dict: "a{sau}", list: "as"}
SIZES = {"sha1": 20, "sha256": 32, "sha384": 48, "sha512": 64}


def options(**values):
    return {name.replace("_", "-"): caller.Variant(KINDS[type(value)], value) for name, value in values.items()}


def handle(index):
    return caller.Variant("h", index)


def memfd(data=b"", sealed=False):
    fd = os.memfd_create("data", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.write(fd, data)
    if sealed:
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE)
    return fd


def a_label():
    return f"key {os.urandom(6).hex()}"


class Keys:
    """One of the two interfaces, as a caller sees it. “Sign” and its like are its methods sign() and sign_error()."""

    SIGNATURES = {
        "List": "", "ListAll": "", "Create": "ssa{sv}", "Import": "saya{sv}", "Describe": "s", "GetPublicKey": "ss",
        "Sign": "ssaya{sv}", "Decrypt": "saya{sv}", "Agree": "saya{sv}", "Export": "s", "SetLabel": "ss", "SetComment": "ss",
        "ChangeAuth": "sa{sv}", "Delete": "s", "Persist": "sua{sv}", "Evict": "ua{sv}", "ListPersistent": "",
    }  # fmt: skip

    def __init__(self, who, interface="Keys"):
        self.who = who
        self.interface = interface

    def start(self, method, *args, fds=(), interactive=False, **values):
        signature = self.SIGNATURES[method]
        if signature.endswith("a{sv}"):
            args = (*args, values if fds else options(**values))
        return self.who.start(f"{self.interface}.{method}", signature, *args, fds=fds, interactive=interactive)

    def call(self, method, *args, **values):
        return self.start(method, *args, **values).wait(120)

    def error(self, method, *args, **values):
        """The error's name without its prefix."""
        return self.full_error(method, *args, **values).name.removeprefix(ward.ERROR)

    def full_error(self, method, *args, **values):
        return self.start(method, *args, **values).error(120)

    def create(self, algorithm=ALGORITHM, label=None, **values):
        return self.call("Create", label or a_label(), algorithm, **values)

    def public(self, key, format_="pem"):
        return self.call("GetPublicKey", key, format_)

    def describe(self, key):
        return self.call("Describe", key)

    def labels(self):
        return [each["label"] for each in self.call("List")]


def cached(keys, algorithm, usage, made={}):  # noqa: B006: it is to outlive the call
    """A key that tests share, as RSA keys take long to make."""
    name = (keys.who.uid, keys.interface, algorithm, tuple(usage))
    for each in keys.call("List"):
        if each["id"] == made.get(name) and each["usable"]:
            return each["id"]
    made[name] = keys.create(algorithm, usage=usage)
    return made[name]


def openssl(*command, data=None, check=True, **files):
    """Runs openssl; each word {NAME} becomes the path of a file with what is given as NAME. Its output."""
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: Path(folder, name) for name in files}
        for name, content in files.items():
            paths[name].write_bytes(content if isinstance(content, bytes) else content.encode())
        words = [word.format(**paths) for word in command]
        done = subprocess.run(["openssl", *words], input=data, capture_output=True, check=False, timeout=60)
    if check:
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout
    return done.returncode


PSS = ["-pkeyopt", "rsa_padding_mode:pss", "-pkeyopt", "rsa_pss_saltlen:auto"]


def verifies(public, signature, digest, hash_, scheme=""):
    """Whether openssl takes the signature for one of the digest; hash_ None: the digest is signed as it is."""
    words = ["pkeyutl", "-verify", "-pubin", "-inkey", "{public}", "-sigfile", "{signature}", "-in", "{digest}"]
    words += ["-pkeyopt", f"digest:{hash_}"] if hash_ else []
    words += PSS if scheme == "rsapss" else []
    return openssl(*words, check=False, public=public, signature=signature, digest=digest) == 0


def digest_of(hash_, data=b"what is signed"):
    return hashlib.new(hash_, data).digest()


def private_key(algorithm):
    """A new private key by openssl, PEM of PKCS #8."""
    if algorithm.startswith("rsa"):
        return openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", f"rsa_keygen_bits:{algorithm[3:]}")
    return openssl("genpkey", "-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:P-{algorithm[5:]}")


def public_of(private, form="PEM", **values):
    return openssl("pkey", "-in", "{key}", "-pubout", "-outform", form, key=private, **values)
