# SPDX-License-Identifier: LGPL-2.1-or-later
"""Other programs that sign by the same TPM. A peer that cannot be had is missing, with the reason, and has no numbers."""

import shutil
from pathlib import Path

from service import USER, run

# Not one of those that the TCG gives to endorsement keys.
HANDLE = "0x81018001"
PIN = "12345678"
ECDSA, RSA = "bench-ecdsa", "bench-rsa"
MODULES = ("/usr/lib/*/pkcs11/libtpm2_pkcs11.so", "/usr/lib*/pkcs11/libtpm2_pkcs11.so", "/usr/lib/*/libtpm2_pkcs11.so.1")


def find_module():
    return next((str(path) for pattern in MODULES for path in Path("/").glob(pattern[1:])), None)


def need(*programs):
    for program in programs:
        if shutil.which(program) is None:
            raise RuntimeError(f"there is no {program}")


class Peers:
    """Sets them up while nobody else uses the TPM; measure() is then called in each round, likewise."""

    def __init__(self, tool, tcti, folder):
        self.tool = tool
        self.folder = folder
        folder.mkdir()
        self.digest = folder / "digest"
        self.digest.write_bytes(bytes(32))
        self.tcti = tcti
        self.environment = {
            "TPM2TOOLS_TCTI": tcti, "TPM2OPENSSL_TCTI": tcti, "TPM2_PKCS11_TCTI": tcti,
            "TPM2_PKCS11_STORE": str(folder), "TPM2_PKCS11_BACKEND": "esysdb",
        }  # fmt: skip
        self.missing = {}
        self.processes = {}
        self.module = None
        for names, set_up in (
            (("tpm2-sign",), self.set_up_tools),
            (("openssl",), self.set_up_openssl),
            (("pkcs11-tool",), self.set_up_token),
            (("pkcs11", "pkcs11-rsa"), self.set_up_session),
        ):
            try:
                set_up()
            except RuntimeError as error:
                self.missing.update(dict.fromkeys(names, str(error)))

    def run(self, *command):
        return run(*command, environment=self.environment)

    def add_process(self, name, *command):
        self.run(*command)
        self.processes[name] = command

    def set_up_tools(self):
        """A key at a persistent handle, which is quicker than one in files."""
        need("tpm2_createprimary", "tpm2_create", "tpm2_load", "tpm2_evictcontrol", "tpm2_flushcontext", "tpm2_sign")
        parent, key = self.folder / "parent", self.folder / "key"
        self.run("tpm2_createprimary", "-Q", "-C", "o", "-G", "ecc", "-c", parent)
        self.run("tpm2_create", "-Q", "-C", parent, "-G", "ecc:null", "-a", "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign",
                 "-u", f"{key}.pub", "-r", f"{key}.priv")  # fmt: skip
        self.run("tpm2_flushcontext", "-t")
        self.run("tpm2_load", "-Q", "-C", parent, "-u", f"{key}.pub", "-r", f"{key}.priv", "-c", key)
        self.run("tpm2_flushcontext", "-t")
        self.run("tpm2_evictcontrol", "-Q", "-C", "o", "-c", key, HANDLE)
        self.run("tpm2_flushcontext", "-t")
        self.add_process("tpm2-sign", "tpm2_sign", "-Q", "-c", HANDLE, "-g", "sha256", "-s", "ecdsa", "-d", "-f", "plain",
                         "-o", self.folder / "signature", self.digest)  # fmt: skip

    def set_up_openssl(self):
        need("openssl")
        if "tpm2-sign" in self.missing:
            raise RuntimeError(f"it is to use the key of tpm2_sign: {self.missing['tpm2-sign']}")
        self.add_process("openssl", "openssl", "pkeyutl", "-provider", "tpm2", "-provider", "default", "-propquery", "?provider=tpm2",
                         "-sign", "-inkey", f"handle:{HANDLE}", "-in", self.digest, "-out", self.folder / "signature")  # fmt: skip

    def set_up_token(self):
        need("pkcs11-tool", "tpm2_flushcontext")
        self.module = find_module()
        if self.module is None:
            raise RuntimeError("there is no libtpm2_pkcs11.so")
        # What a peer before it may have left would take the room that this one needs.
        self.run("tpm2_flushcontext", "-t")
        tool = ("pkcs11-tool", "--module", self.module)
        token = (*tool, "--token-label", "bench", "--login", "--pin", PIN)
        self.run(*tool, "--slot-index", "0", "--init-token", "--label", "bench", "--so-pin", PIN)
        self.run(*tool, "--token-label", "bench", "--init-pin", "--login", "--so-pin", PIN, "--pin", PIN)
        self.run(*token, "--keypairgen", "--key-type", "EC:prime256v1", "--label", ECDSA)
        self.run(*token, "--keypairgen", "--key-type", "rsa:2048", "--label", RSA)
        self.add_process("pkcs11-tool", *token, "--sign", "--mechanism", "ECDSA", "--label", ECDSA, "--input-file", self.digest,
                         "--output-file", self.folder / "signature")  # fmt: skip

    def set_up_session(self):
        if "pkcs11-tool" in self.missing:
            raise RuntimeError(f"it is to use the token of pkcs11-tool: {self.missing['pkcs11-tool']}")
        if not self.tool.pkcs11.exists():
            raise RuntimeError("ward-bench-pkcs11 was not built, for want of p11-kit's headers")
        self.measure_session("pkcs11", ECDSA, 1)
        self.measure_session("pkcs11-rsa", RSA, 1)

    def measure_session(self, name, label, count):
        return self.tool.measure(self.module, PIN, label, name, count, program=self.tool.pkcs11, environment=self.environment)

    def measure(self, count):
        measured = {}
        for name, command in self.processes.items():
            measured |= self.tool.measure("process", name, count // 15 + 1, *command, environment=self.environment)
        if "pkcs11" not in self.missing:
            measured |= self.measure_session("pkcs11", ECDSA, count // 3 + 1)
            measured |= self.measure_session("pkcs11-rsa", RSA, count // 6 + 1)
        return measured

    def measure_own(self, count, command):
        """Our own program as a process, while the service runs."""
        arguments = ("key", "sign", ECDSA, "--digest", self.digest, "--hash", "sha256", "--raw")
        return self.tool.measure("process", "cli-sign", count // 15 + 1, command, *arguments, user=USER)
