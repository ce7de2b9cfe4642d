#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A service for one family of TPMs alone: it is built without the other's library, and says so of the other's TPMs.

Needs WARD_SOURCE, the folder of the sources. Builds from nothing, as fast as a compiler can."""

import contextlib
import os
import re
import subprocess
import tempfile
import unittest

SOURCE = os.environ["WARD_SOURCE"]
LEAN = ["-Dtests=false", "-Dgui=disabled", "-Dman=disabled", "-Dcryptsetup=disabled", "-Doptimization=0", "-Ddebug=false", "--werror"]
TPMS = {"2.0": "tpm0=device:/nonexistent", "1.2": "tpm1=tcsd:port=1"}
PATHS = {"2.0": "/org/tpmward1/tpm/tpm0", "1.2": "/org/tpmward1/tpm/tpm1"}


def run(*command, **options):
    result = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if result.returncode:
        raise AssertionError(f"{' '.join(command)}\n{result.stdout}")
    return result.stdout


@contextlib.contextmanager
def running(*command, **options):
    """A process that is ended, and whose output is read to its end, afterwards."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options)
    try:
        yield process
    finally:
        process.terminate()
        process.communicate()


class Family(unittest.TestCase):
    def build(self, without, *programs):
        """The service alone: nothing else that is installed knows of these libraries."""
        folder = tempfile.mkdtemp(prefix="ward-family-")
        self.addCleanup(run, "rm", "-r", folder)
        run("meson", "setup", f"-D{without}=disabled", *LEAN, folder, SOURCE)
        run("ninja", "-C", folder, *(f"daemon/{program}" for program in programs))
        return folder

    def needed(self, folder, program):
        return re.findall(r"\(NEEDED\).*\[(.*)\]", run("readelf", "-d", os.path.join(folder, "daemon", program)))

    def states(self, folder):
        """What the service that was built says of a TPM of each family: its state, and why."""
        with running("dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address", stderr=subprocess.DEVNULL) as bus:
            environment = dict(os.environ, DBUS_SYSTEM_BUS_ADDRESS=bus.stdout.readline().strip())
            command = [os.path.join(folder, "daemon/tpmward-daemon"), "--no-discovery", "--state-dir", os.path.join(folder, "state")]
            os.mkdir(os.path.join(folder, "state"), mode=0o700)
            with running(*command, *(f"--tpm={tpm}" for tpm in TPMS.values()), env=environment, stderr=subprocess.DEVNULL):
                run("gdbus", "wait", "--system", "--timeout=20", "org.tpmward1", env=environment)
                return {family: self.state(PATHS[family], environment) for family in TPMS}

    def state(self, path, environment):
        get = ["gdbus", "call", "--system", "--dest=org.tpmward1", f"--object-path={path}",
               "--method=org.freedesktop.DBus.Properties.GetAll", "org.tpmward1.Tpm"]  # fmt: skip
        properties = dict(re.findall(r"'(\w+)': <[\"'](.*?)[\"']>", run(*get, env=environment)))
        return properties["State"], properties["StateDetail"]

    def assert_serves(self, folder, served, library):
        for family, (state, why) in self.states(folder).items():
            self.assertEqual(state, "unreachable", why)
            if family == served:
                self.assertNotIn("built without", why)
                self.assertTrue(why)
            else:
                self.assertIn("built without support for that family", why)
                self.assertIn(library, why)

    def test_tpm_1_2_without_tpm2_tss(self):
        folder = self.build("tpm2", "tpmward-daemon", "tpmward-tspi")
        self.assertNotIn("/tss2/", run("ninja", "-C", folder, "-t", "deps"))
        self.assertFalse([name for name in self.needed(folder, "tpmward-daemon") if name.startswith("libtss2")])
        self.assertTrue([name for name in self.needed(folder, "tpmward-tspi") if name.startswith("libtspi")])
        self.assert_serves(folder, "1.2", "tpm2-tss")

    def test_tpm_2_0_without_trousers(self):
        folder = self.build("tpm12", "tpmward-daemon")
        self.assertNotRegex(run("ninja", "-C", folder, "-t", "deps"), r"/(tss|trousers)/")
        self.assertFalse([name for name in self.needed(folder, "tpmward-daemon") if name.startswith("libtspi")])
        self.assertTrue([name for name in self.needed(folder, "tpmward-daemon") if name.startswith("libtss2-esys")])
        self.assertNotIn("tpmward-tspi", run("ninja", "-C", folder, "-t", "targets", "all"))
        self.assert_serves(folder, "2.0", "TrouSerS")

    def test_neither_is_no_service(self):
        with tempfile.TemporaryDirectory(prefix="ward-family-") as folder:
            with self.assertRaisesRegex(AssertionError, "nothing to serve"):
                run("meson", "setup", "-Dtpm2=disabled", "-Dtpm12=disabled", *LEAN, folder, SOURCE)


if __name__ == "__main__":
    unittest.main()
