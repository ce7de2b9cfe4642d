#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Pictures of the application on a machine that is used: its pages in several looks, and what the walks of a beginner come to. It runs as
root in the sandbox, by ./dev screenshots."""

import argparse
import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path
from signal import SIGTERM

sys.dont_write_bytecode = True
sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "service")]

import desktop  # noqa: E402
import families  # noqa: E402
import person  # noqa: E402
import ward  # noqa: E402

USER = "ward-alice"
PAGES = ("overview", "ownership", "keys", "boot", "storage", "doctor")
NARROW, USUAL = (360, 680), (960, 680)
GERMAN = {"LANGUAGE": "de", "TPMWARD_LOCALE_DIR": str(ward.ROOT / "build/po")}
DARK = {"ADW_DEBUG_COLOR_SCHEME": "prefer-dark"}
LOOKS = {
    "light": (USUAL, {}),
    "dark": (USUAL, DARK),
    "narrow": (NARROW, {}),
    "german": (USUAL, GERMAN),
    "german-narrow": (NARROW, GERMAN),
}
SETTLE_SECONDS = 20
MAX_BYTES = 150_000
# Which stand in the README and are shown before somebody installs it, and their names there.
BEST = {
    "light-overview": "overview", "light-keys": "keys", "light-ownership": "ownership", "light-boot": "boot",
    "light-walk-key": "make-a-key", "light-walk-clear": "clear",
}  # fmt: skip

KEYS = (
    ("ssh at work", "--comment", "alice@laptop"),
    ("Git commits", "--password-file", "PASSWORD"),
    ("Backups", "--algorithm", "rsa2048", "--usage", "decrypt"),
    *([("Releases", "--pcrs", "sha256:7")] if families.IS_20 else []),
)
# What a firmware, a boot loader and Linux measure into; the values are of no matter.
MEASURED = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 14)


def tpmward(*arguments, user="root", data=None):
    command = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", "tpmward", *arguments]
    done = subprocess.run(command, input=data, capture_output=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(arguments)}: {done.stderr.decode()}")


def use_tpm20(machine):
    machine.kill("daemon", SIGTERM)
    for number in MEASURED:
        digests = (f"{bank}={hashlib.new(bank, b'%d' % number).hexdigest()}" for bank in ("sha1", "sha256", "sha384"))
        machine.tpm2("tpm2_pcrextend", f"{number}:{','.join(digests)}")
    machine.start("daemon")
    tpmward("own", "--generate", "--print", "--lockout")
    tpmward("nv", "define", "0x01800001", "32")
    tpmward("nv", "write", "--owner", "0x01800001", data=b"asset tag 4711\n")


def use_tpm12(machine):
    for number in MEASURED:
        families.extend(machine, number)
    tpmward("own", "--owner-fd", "0", data=b"own")
    tpmward("nv", "define", "--owner-fd", "0", "0x00011101", "32", data=b"own")


def use_machine(machine):
    """What a machine has after some weeks: it has started by measured boot, is owned, and keys and data are in the TPM."""
    if families.IS_20:
        use_tpm20(machine)
    else:
        use_tpm12(machine)
    password = Path("/run/user", "ward-password")
    password.write_text("correct horse")
    password.chmod(0o644)
    for label, *options in KEYS:
        options = [str(password) if option == "PASSWORD" else option for option in options]
        tpmward("key", "create", *options, label, user=USER)
    tpmward("key", "create", "--system", "Web server")
    tpmward("key", "sign", "ssh at work", user=USER, data=b"something")
    tpmward("selftest", "--full")


class Window:
    """The application, in a look."""

    def __init__(self, its_desktop, name, folder, size, environment):
        self.folder, self.name, self.desktop = folder, name, its_desktop
        self.program = ward.ROOT / "build/gui/tpmward-gui"
        self.process = its_desktop.start_in_session([self.program], f"app-{name}", **environment)
        self.user = person.Person(person.Program(its_desktop, self.process).wait_for_start())
        self.shown = None
        # Before it is dressed for its size, a window is not the one that it will be.
        self.settled(self.window())
        if size != USUAL:
            self.user.use("windowsize", self.window(), *map(str, size))

    def window(self):
        """The program's largest one."""
        return max(self.user.windows(), key=lambda window: window[1][2] * window[1][3])[0]

    @staticmethod
    def picture(window):
        done = subprocess.run(["import", "-window", window, "-depth", "8", "rgb:-"], capture_output=True, check=False)
        return done.stdout

    def settled(self, window):
        """Waits until nothing moves any more: the same pixels five times."""
        deadline = time.monotonic() + SETTLE_SECONDS
        last, same = None, 0
        while same < 5 and time.monotonic() < deadline:
            now = self.picture(window)
            same = same + 1 if now == last else 0
            last = now

    def take(self, name, window=None):
        """As a PNG of few colours, as these pages have."""
        window = window or self.window()
        self.settled(window)
        path = self.folder / f"{self.name}-{name}.png"
        subprocess.run(["import", "-window", window, "-dither", "None", "-colors", "255", "-strip", "-define",
                        "png:compression-level=9", f"PNG8:{path}"], check=True)  # fmt: skip
        print(path)

    def page(self, name):
        """By the command line: after keys, what has the focus would be framed."""
        before = self.picture(self.window())
        assert self.desktop.start([self.program, "--page", name], "pages").wait() == 0
        if self.shown not in (None, name):
            ward.wait_until(lambda: self.picture(self.window()) != before, why=f"the page {name}")
        self.shown = name

    def end(self):
        self.process.kill()
        self.process.wait()


def take_walk(window, page, button, keys, title, name):
    """The dialog that somebody comes to who presses that."""
    window.page(page)
    window.user.focus(button)
    for key in keys:
        window.user.key(key)
        window.settled("root")
    search = ["xdotool", "search", "--onlyvisible", "--name", f"^{title}$"]
    found = ward.wait_until(
        lambda: subprocess.run(search, capture_output=True, text=True, check=False, env=window.user.environment).stdout.split(),
        10, f"the window “{title}”",
    )  # fmt: skip
    window.take(name, found[0])
    window.user.key("Escape")
    window.user.wait_for_no("frame", title)


def take_look(its_desktop, name, folder):
    size, environment = LOOKS[name]
    window = Window(its_desktop, name, folder, size, environment)
    for page in PAGES:
        window.page(page)
        window.take(page)
    if name == "light":
        take_walk(window, "keys", "Add a Key", ["space", "Return"], "Make a Key", "walk-key")
        take_walk(window, "ownership", "Clear the TPM…", ["Return"], "Clear the TPM", "walk-clear")
    window.end()


def keep_best(folder, target):
    target.mkdir(exist_ok=True)
    for name, called in BEST.items():
        picture = (folder / f"{name}.png").read_bytes()
        if len(picture) > MAX_BYTES:
            raise RuntimeError(f"{name}.png has {len(picture)} bytes, more than {MAX_BYTES}")
        (target / f"{called}.png").write_bytes(picture)


def main():
    parser = argparse.ArgumentParser(prog="./dev screenshots", description="Takes pictures of the application's pages.")
    parser.add_argument("--folder", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="also put the best there, as data/screenshots has them")
    parser.add_argument("looks", nargs="*", metavar="LOOK", help=f"only these: {', '.join(LOOKS)}")
    arguments = parser.parse_args()
    if unknown := set(arguments.looks) - set(LOOKS):
        parser.error(f"there is no look “{unknown.pop()}”")
    arguments.folder.mkdir(parents=True, exist_ok=True)
    machine = ward.Sandbox()
    use_machine(machine)
    with desktop.Screen() as screen:
        its_desktop = desktop.Desktop(screen, USER)
        its_desktop.accessibility()
        for name in arguments.looks or LOOKS:
            take_look(its_desktop, name, arguments.folder)
        its_desktop.end()
    if arguments.keep:
        keep_best(arguments.folder, arguments.keep)


if __name__ == "__main__":
    os.umask(0o022)
    main()
