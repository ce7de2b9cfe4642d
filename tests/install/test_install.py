#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What `meson install` puts where, and that those who will read it understand it.

Needs WARD_BUILD, the build folder, WARD_SOURCE, that of its sources, WARD_PREFIX, its prefix, and WARD_MAN and WARD_GUI, not empty if it
has man pages and the application for desktops."""

import glob
import grp
import os
import pwd
import re
import shutil
import stat
import subprocess
import tempfile
import unittest

BUILD = os.environ["WARD_BUILD"]
PREFIX = os.environ["WARD_PREFIX"]
MAX_EXPOSURE = {"tpmward.service": 1.6, "tpmward-helper.service": 2.5}
BUS_CONFIG = """<busconfig>
  <type>system</type>
  <listen>unix:path={socket}</listen>
  <policy context="default">
    <allow user="*"/>
    <allow send_destination="org.freedesktop.DBus"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow own="org.example.Free"/>
  </policy>
  <include>{policy}</include>
</busconfig>
"""


def run(*command, **options):
    return subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)


def needs(tool, package):
    return unittest.skipUnless(shutil.which(tool), f"there is no {tool} here (package {package})")


def install(root):
    result = run("meson", "install", "-C", BUILD, "--no-rebuild", env=dict(os.environ, DESTDIR=root))
    if result.returncode:
        raise AssertionError(result.stdout)
    return result.stdout


class Installed(unittest.TestCase):
    """One installation into an empty folder, which the tests only read."""

    @classmethod
    def setUpClass(cls):
        cls.root = tempfile.mkdtemp(prefix="ward-install-")
        cls.addClassCleanup(shutil.rmtree, cls.root)
        cls.output = install(cls.root)

    def find(self, name, folder=""):
        found = [
            os.path.join(place, name)
            for place, _, names in os.walk(self.root)
            if name in names and place.endswith(folder)
        ]
        self.assertEqual(len(found), 1, f"{folder}/{name} is installed {len(found)} times")
        return found[0]

    def read(self, name, folder=""):
        with open(self.find(name, folder), encoding="utf-8") as file:
            return file.read()

    def inside(self, path):
        return self.root + path

    def assert_runs(self, *command, **options):
        result = run(*command, **options)
        self.assertEqual(result.returncode, 0, result.stdout)
        return result.stdout


class Places(Installed):
    def assert_file(self, path, mode=0o644):
        self.assertEqual(oct(stat.S_IMODE(os.stat(self.inside(path)).st_mode)), oct(mode), path)

    def test_what_only_has_one_place_is_there(self):
        self.assert_file("/usr/share/polkit-1/actions/org.tpmward.policy")
        self.assert_file("/usr/share/dbus-1/system.d/org.tpmward1.conf")

    def test_programs_are_below_the_prefix(self):
        for program in ("tpmward-daemon", "tpmward-helper", "tpmward-tspi"):
            self.assert_file(f"{PREFIX}/libexec/{program}", 0o755)

    def test_the_activation_file_is_where_the_bus_looks(self):
        for name in ("org.tpmward1.service", "org.tpmward1.Helper.service"):
            path = self.find(name, "dbus-1/system-services")
            self.assertIn(os.path.dirname(path)[len(self.root) :].split("/share/")[0], ("/usr", "/usr/local"))

    def test_unit_users_folders_and_rules_are_where_systemd_looks(self):
        lib = "(/usr/local/lib|/usr/lib|/lib)"
        for name, folder in (
            ("tpmward.service", "systemd/system"),
            ("tpmward-helper.service", "systemd/system"),
            ("tpmward.conf", "sysusers.d"),
            ("tpmward.conf", "tmpfiles.d"),
            ("60-tpmward.rules", "udev/rules.d"),
        ):
            path = self.find(name, folder)[len(self.root) :]
            with self.subTest(path):
                self.assertRegex(path, f"^{lib}/{folder}/")
                self.assert_file(path)

    def test_interfaces_are_there_for_other_programs(self):
        names = sorted(os.path.basename(path) for path in glob.glob(self.inside(f"{PREFIX}/share/dbus-1/interfaces/*")))
        sources = glob.glob(os.path.join(os.path.dirname(__file__), "..", "..", "dbus", "*.xml"))
        expected = {os.path.basename(source) for source in sources} - {"org.tpmward1.Helper.xml"}
        self.assertEqual(names, sorted(expected | {"org.tpmward1.Keys.xml", "org.tpmward1.SystemKeys.xml"}))

    def test_nothing_can_be_written_by_others_and_nothing_is_setuid(self):
        for folder, _, names in os.walk(self.root):
            for name in names:
                mode = os.stat(os.path.join(folder, name)).st_mode
                self.assertFalse(mode & 0o6022, os.path.join(folder, name))

    def test_no_placeholder_is_left(self):
        for folder, _, names in os.walk(self.root):
            for name in names:
                with open(os.path.join(folder, name), "rb") as file:
                    content = file.read()
                # types of D-Bus look the same in a program
                if not content.startswith(b"\x7fELF"):
                    self.assertIsNone(re.search(rb"@[a-z]+@", content), name)

    def test_an_edited_configuration_is_kept(self):
        path = self.inside("/etc/tpmward/tpmward.conf")
        with open(path, "a", encoding="utf-8") as file:
            file.write("[Service]\nDiscover=false\n")
        install(self.root)
        with open(path, encoding="utf-8") as file:
            self.assertIn("\nDiscover=false\n", file.read())

    def test_it_says_what_it_did_and_leaves_this_machine_alone(self):
        self.assertIn(f"tpmward: installed: {self.root}/etc/tpmward/tpmward.conf", self.output)
        self.assertNotIn("done:", self.output)


class PostInstall(Installed):
    """The script's part that is for a machine, with tools that only write down how they were called."""

    def post_install(self, tools):
        folder = tempfile.mkdtemp(prefix="ward-tools-")
        self.addCleanup(shutil.rmtree, folder)
        for tool in ("id", "install", "sh"):
            os.symlink(shutil.which(tool), os.path.join(folder, tool))
        for tool, code in tools.items():
            with open(os.path.join(folder, tool), "w", encoding="utf-8") as file:
                file.write(f'#!/bin/sh\necho "called {tool} $*" >>{folder}/calls\nexit {code}\n')
            os.chmod(os.path.join(folder, tool), 0o755)
        script = os.path.join(os.path.dirname(__file__), "..", "..", "data", "post-install.sh")
        example = self.find("tpmward.conf", "doc/tpmward")
        # In a shell that stands for meson, since the script speaks where its parent does.
        command = ["sh", "-c", '"$@"; exit $?', "meson", "sh", script, "/s.conf", "/t.conf", example, f"{folder}/etc/c.conf"]
        result = run(*command, env={"PATH": folder})
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertTrue(os.path.exists(f"{folder}/etc/c.conf"))
        return result.stdout

    @unittest.skipUnless(os.geteuid() == 0, "only root has users and folders made")
    def test_users_come_before_folders(self):
        said = self.post_install({"systemd-sysusers": 0, "systemd-tmpfiles": 0})
        self.assertIn("done: systemd-sysusers /s.conf\ntpmward: done: systemd-tmpfiles --create /t.conf", said)

    @unittest.skipUnless(os.geteuid() == 0, "only root has users and folders made")
    def test_missing_tools_are_said_and_do_not_fail_the_installation(self):
        self.assertIn("skipped, as there is no systemd-sysusers here", self.post_install({}))

    @unittest.skipUnless(os.geteuid() == 0, "only root has users and folders made")
    def test_failing_tools_are_said_and_do_not_fail_the_installation(self):
        self.assertIn("failed: systemd-sysusers /s.conf", self.post_install({"systemd-sysusers": 1}))


class Bus(Installed):
    @needs("xmllint", "libxml2-utils")
    def test_the_interfaces_are_valid(self):
        if run("xmlcatalog", "/etc/xml/catalog", "http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd").returncode:
            self.skipTest("the DTD of interfaces is not here (package libdbus-1-dev)")
        for path in glob.glob(self.inside(f"{PREFIX}/share/dbus-1/interfaces/*")):
            self.assert_runs("xmllint", "--noout", "--nonet", "--valid", path)

    # The DTD of bus policies lacks what every policy has, so a bus reads it.
    @needs("dbus-daemon", "dbus-daemon")
    @needs("gdbus", "libglib2.0-bin")
    def test_a_bus_reads_the_policy_and_gives_the_name_to_nobody_else(self):
        with tempfile.TemporaryDirectory() as folder:
            config = os.path.join(folder, "bus.conf")
            with open(config, "w", encoding="utf-8") as file:
                file.write(BUS_CONFIG.format(socket=f"{folder}/socket", policy=self.find("org.tpmward1.conf")))
            command = ["dbus-daemon", f"--config-file={config}", "--nofork", "--nopidfile", "--print-address"]
            pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
            with subprocess.Popen(command, **pipes) as bus:
                address = bus.stdout.readline().strip()
                ours = self.request_name(address, "org.tpmward1")
                helpers = self.request_name(address, "org.tpmward1.Helper") if os.geteuid() else "AccessDenied"
                free = self.request_name(address, "org.example.Free")
                bus.terminate()
                self.assertTrue(address, bus.stderr.read())
        self.assertIn("AccessDenied", ours)
        self.assertIn("AccessDenied", helpers)  # but for root
        self.assertIn("(uint32 1,)", free)

    @staticmethod
    def request_name(address, name):
        where = ["--dest", "org.freedesktop.DBus", "--object-path", "/org/freedesktop/DBus"]
        method = ["--method", "org.freedesktop.DBus.RequestName", name, "uint32 0"]
        return run("gdbus", "call", "--address", address, *where, *method).stdout

    def test_the_activation_files_agree_with_the_units(self):
        for name, service in (("org.tpmward1", "tpmward.service"), ("org.tpmward1.Helper", "tpmward-helper.service")):
            activation = self.read(f"{name}.service", "system-services")
            unit = self.read(service, "systemd/system")
            user = re.search("(?m)^User=(.*)", unit)
            with self.subTest(name):
                self.assertIn(f"\nSystemdService={service}\n", activation)
                self.assertIn(f"\nName={name}\n", activation)
                self.assertIn(f"\nBusName={name}\n", unit)
                self.assertEqual(re.search("(?m)^Exec=(.*)", activation)[1], re.search("(?m)^ExecStart=(.*)", unit)[1])
                self.assertEqual(re.search("(?m)^User=(.*)", activation)[1], user[1] if user else "root")

    def test_the_programs_that_they_start_are_installed(self):
        for name in ("org.tpmward1", "org.tpmward1.Helper"):
            program = re.search("(?m)^Exec=(\\S+)", self.read(f"{name}.service", "system-services"))[1]
            self.assertTrue(os.access(self.inside(program), os.X_OK))


class Polkit(Installed):
    DTD = "/usr/share/polkit-1/policyconfig-1.dtd"

    @needs("xmllint", "libxml2-utils")
    @unittest.skipUnless(os.path.exists(DTD), "polkit's DTD is not here (package libpolkit-gobject-1-dev)")
    def test_the_policy_is_valid(self):
        self.assert_runs("xmllint", "--noout", "--nonet", "--dtdvalid", self.DTD, self.find("org.tpmward.policy"))


class Systemd(Installed):
    @needs("systemd-analyze", "systemd")
    def test_the_units_are_understood(self):
        # With the program's path as it is here: verify looks whether it can be run.
        for name in MAX_EXPOSURE:
            with self.subTest(name), tempfile.TemporaryDirectory() as folder:
                unit = os.path.join(folder, name)
                text = self.read(name, "systemd/system").replace("ExecStart=", f"ExecStart={self.root}")
                with open(unit, "w", encoding="utf-8") as file:
                    file.write(text)
                said = self.assert_runs("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", unit)
                self.assertEqual([line for line in said.splitlines() if "tpmward" in line], [])

    @needs("systemd-analyze", "systemd")
    def test_the_units_are_exposed_as_little_as_promised(self):
        for name, most in MAX_EXPOSURE.items():
            unit = self.find(name, "systemd/system")
            said = self.assert_runs("systemd-analyze", "security", "--offline=yes", "--no-pager", unit)
            with self.subTest(name):
                self.assertLessEqual(float(re.search(r"exposure level for \S+: ([0-9.]+)", said)[1]), most)

    def test_the_helper_has_the_rights_of_its_acts_and_no_others(self):
        unit = self.read("tpmward-helper.service", "systemd/system")
        rights = re.search("(?m)^CapabilityBoundingSet=(.*)", unit)[1].split()
        self.assertEqual(rights, ["CAP_CHOWN", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_SYS_PTRACE"])
        self.assertEqual(re.findall("(?m)^DeviceAllow=(.*)", unit), ["block-* r"])
        writable = " ".join(re.findall("(?m)^ReadWritePaths=(.*)", unit)).split()
        self.assertEqual(writable, ["-/var/lib/tpm", "-/etc/tcsd.conf", *(f"-/sys/class/tpm/tpm{number}" for number in range(8))])
        self.assertEqual(re.search("(?m)^ReadOnlyPaths=(.*)", unit)[1].split(), ["/proc", "/sys"])

    def test_the_unit_allows_every_tpm_wherever_its_number_comes_from(self):
        allowed = re.findall("(?m)^DeviceAllow=(.*)", self.read("tpmward.service", "systemd/system"))
        self.assertEqual(allowed, ["char-tpm rw", "/dev/char/10:224 rw"])

    def test_the_folder_of_the_unit_is_that_of_the_program(self):
        self.assertIn("\nStateDirectory=tpmward\n", self.read("tpmward.service", "systemd/system"))
        with open(os.path.join(BUILD, "ward-config.h"), encoding="utf-8") as file:
            self.assertIn('"/var/lib/tpmward"', file.read())

    @needs("systemd-sysusers", "systemd")
    @needs("systemd-tmpfiles", "systemd")
    @unittest.skipUnless(os.geteuid() == 0, "only root can give folders to users")
    def test_users_and_folders_are_made(self):
        with tempfile.TemporaryDirectory() as root:
            os.makedirs(f"{root}/etc")
            self.assert_runs("systemd-sysusers", f"--root={root}", self.find("tpmward.conf", "sysusers.d"))
            users = self.database(f"{root}/etc/passwd")
            groups = self.database(f"{root}/etc/group")
            self.assertEqual(groups["tss"][3], "tpmward")
            self.assertEqual(users["tpmward"][3], groups["tpmward"][2])
            self.assertIn("nologin", users["tpmward"][6])
            self.assert_runs("systemd-tmpfiles", f"--root={root}", "--create", self.find("tpmward.conf", "tmpfiles.d"))
            for folder, user in (("/var/lib/tpmward", "tpmward"), ("/var/lib/tpm", "tss")):
                state = os.stat(root + folder)
                self.assertEqual(oct(stat.S_IMODE(state.st_mode)), oct(0o700))
                self.assertEqual((state.st_uid, state.st_gid), (int(users[user][2]), int(groups[user][2])))

    @staticmethod
    def database(path):
        with open(path, encoding="utf-8") as file:
            return {line.split(":")[0]: line.rstrip("\n").split(":") for line in file}


class Udev(Installed):
    CLAUSE = r'(SUBSYSTEM|KERNEL)=="[^"]+"|TAG\+="[^"]+"|(OWNER|GROUP|MODE)="[^"]+"'

    def rules(self):
        lines = self.read("60-tpmward.rules").splitlines()
        return [line for line in lines if line and not line.startswith("#")]

    def test_every_clause_is_understood(self):
        for rule in self.rules():
            with self.subTest(rule):
                self.assertRegex(rule, rf"^({self.CLAUSE})(, ({self.CLAUSE}))*$")

    def test_only_the_resource_manager_is_open_to_the_group(self):
        groups = [re.search('KERNEL=="([a-z]+)', rule)[1] for rule in self.rules() if 'GROUP="tss"' in rule]
        self.assertEqual(groups, ["tpmrm"])

    def test_they_come_after_those_of_the_distribution(self):
        self.assertGreater("60-tpmward.rules", "60-tpm-udev.rules")

    @needs("udevadm", "udev")
    @unittest.skipUnless(os.path.exists("/sys/devices/virtual/mem/null"), "there is no /sys here to try rules on")
    @unittest.skipUnless(run("unshare", "-m", "true").returncode == 0, "no mount namespace can be made here")
    def test_udev_reads_them(self):
        # udevadm 252 has no "verify"; its "test" reads all rules and says what is wrong with them.
        script = (
            "mount -t tmpfs none /run && mkdir -p /run/udev/rules.d && cp $0 /run/udev/rules.d"
            " && udevadm test /sys/devices/virtual/mem/null"
        )
        said = self.assert_runs("unshare", "-m", "sh", "-c", script, self.find("60-tpmward.rules"))
        about_ours = [line for line in said.splitlines() if "60-tpmward.rules" in line]
        self.assertEqual(about_ours, ["Reading rules file: /run/udev/rules.d/60-tpmward.rules"])


@unittest.skipUnless(os.environ.get("WARD_GUI"), "the build has no application for desktops (option gui)")
class Desktop(Installed):
    """What makes the application one of the desktop's."""

    ID = "org.tpmward.Manager"

    def test_all_of_it_is_there(self):
        share = f"{PREFIX}/share"
        for path in (
            f"{PREFIX}/bin/tpmward-gui",
            f"{share}/applications/{self.ID}.desktop",
            f"{share}/dbus-1/services/{self.ID}.service",
            f"{share}/glib-2.0/schemas/{self.ID}.gschema.xml",
            f"{share}/icons/hicolor/scalable/apps/{self.ID}.svg",
            f"{share}/icons/hicolor/symbolic/apps/{self.ID}-symbolic.svg",
            f"{share}/locale/de/LC_MESSAGES/tpmward.mo",
            f"{share}/metainfo/{self.ID}.metainfo.xml",
        ):
            with self.subTest(path):
                self.assertTrue(os.path.isfile(self.inside(path)))

    @needs("appstreamcli", "appstream")
    def test_software_centers_understand_the_tree(self):
        tree = tempfile.mkdtemp(prefix="ward-tree-")
        self.addCleanup(shutil.rmtree, tree)
        os.symlink(self.inside(PREFIX), os.path.join(tree, "usr"))
        said = self.assert_runs("appstreamcli", "validate-tree", "--no-net", tree)
        self.assertIn("Validation was successful", said)

    def test_it_is_translated(self):
        self.assertIn("\nName[de]=TPM-Verwaltung\n", self.read(f"{self.ID}.desktop"))
        self.assertIn('<name xml:lang="de">TPM-Verwaltung</name>', self.read(f"{self.ID}.metainfo.xml"))

    def test_the_bus_starts_the_program_that_is_installed(self):
        service = self.read(f"{self.ID}.service", "dbus-1/services")
        self.assertEqual(re.search("(?m)^Name=(.*)", service)[1], self.ID)
        program, option = re.search("(?m)^Exec=(.*)", service)[1].split()
        self.assertTrue(os.access(self.inside(program), os.X_OK))
        self.assertEqual(option, "--gapplication-service")

    @needs("glib-compile-schemas", "libglib2.0-bin")
    def test_the_settings_can_be_compiled(self):
        folder = os.path.dirname(self.find(f"{self.ID}.gschema.xml"))
        self.assert_runs("glib-compile-schemas", "--strict", "--dry-run", folder)

    def test_the_pictures_of_the_metainfo_are_those_that_are_kept(self):
        named = re.findall("/screenshots/([^<]+)</image>", self.read(f"{self.ID}.metainfo.xml"))
        kept = os.listdir(os.path.join(os.environ["WARD_SOURCE"], "data/screenshots"))
        self.assertTrue(named)
        self.assertEqual(set(named) - set(kept), set())


class WithoutDesktop(unittest.TestCase):
    def test_a_build_without_the_application_needs_no_gtk(self):
        with tempfile.TemporaryDirectory() as folder:
            # Where no GTK is found.
            environment = dict(os.environ, PKG_CONFIG_PATH=folder)
            for name in ("gtk4", "libadwaita-1"):
                with open(os.path.join(folder, f"{name}.pc"), "w", encoding="utf-8") as file:
                    file.write(f"Name: {name}\nDescription: not here\nVersion: 0.1\n")
            build = os.path.join(folder, "build")
            done = run("meson", "setup", "-Dgui=disabled", "-Dtests=false", build, os.environ["WARD_SOURCE"], env=environment)
            self.assertEqual(done.returncode, 0, done.stdout)
            plan = run("meson", "introspect", "--install-plan", build).stdout
            self.assertIn("tpmward-daemon", plan)
            for name in ("tpmward-gui", "org.tpmward.Manager", "tpmward.mo"):
                self.assertNotIn(name, plan)
            done = run("meson", "setup", "-Dgui=enabled", "-Dtests=false", f"{build}-gui", os.environ["WARD_SOURCE"], env=environment)
            self.assertNotEqual(done.returncode, 0)


@unittest.skipUnless(os.environ.get("WARD_MAN"), "the build has no man pages (option man)")
class Man(Installed):
    def pages(self):
        pages = glob.glob(self.inside(f"{PREFIX}/share/man/man*/*"))
        self.assertLessEqual({"tpmward-daemon.8", "tpmward-helper.8", "tpmward.conf.5", "org.tpmward1.5"}, set(map(os.path.basename, pages)))
        return [(os.path.basename(page), page) for page in pages]

    @needs("mandoc", "mandoc")
    def test_mandoc_has_no_objection(self):
        for page, path in self.pages():
            said = run("mandoc", "-T", "lint", "-W", "warning", path).stdout.splitlines()
            with self.subTest(page):
                self.assertEqual([line for line in said if "missing date" not in line], [])

    @needs("man", "man-db")
    def test_man_has_no_objection(self):
        for page, path in self.pages():
            environment = dict(os.environ, LC_ALL="C.UTF-8", MANWIDTH="80", MANROFFSEQ="")
            result = subprocess.run(
                ["man", "--warnings", "-E", "UTF-8", "-l", path], check=False, capture_output=True, text=True, env=environment
            )
            with self.subTest(page):
                self.assertEqual((result.returncode, result.stderr), (0, ""))

    def test_the_interface_page_has_every_member_with_its_action(self):
        from test_interfaces import ACTION, annotations, members

        text = self.read("org.tpmward1.5")
        for name, node in members("method", "property", "signal"):
            with self.subTest(name):
                self.assertIn(f"\n\\fB{node.getAttribute('name')}\\fR", text)
        actions = [annotations(node)[ACTION].replace("-", "\\-") for _, node in members("method")]
        self.assertEqual(re.findall(r"(?m)^Action: \\fI(.*)\\fR$", text), actions)


if __name__ == "__main__":
    unittest.main()
