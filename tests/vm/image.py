# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the virtual machine boots: Debian's stock kernel, an initial ramdisk, and a root file system, made once from Debian's packages.

The root has what a machine has on which a person installs TPM Ward: systemd, udev, D-Bus, polkit, tpm2-tools and Meson, but no compiler."""

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

PARTS = Path(__file__).resolve().parent / "parts"
SUITE = "bookworm"
USERS = ("ward-alice",)
PACKAGES = (
    # a machine
    "systemd-sysv", "dbus", "udev", "kmod", "passwd", "util-linux", "polkitd",
    # what the service and the command are linked with; tpm2-tools bring the TSS
    "libgudev-1.0-0", "libglib2.0-bin", "libjson-glib-1.0-0", "tpm2-tools",
    # what else lives on a TPM
    "cryptsetup-bin", "openssl", "openssh-client", "keyutils", "tpm2-openssl", "trousers", "libtspi1",
    # to install and to test
    "meson", "python3", "python3-pytest",
)  # fmt: skip
# Programs that SUITE has not, of a newer Debian, with the C library that they need.
NEWER_SUITE = "forky"
NEWER_PACKAGES = ("ssh-tpm-agent", "libc6")
NEWER_PROGRAMS = ("ssh-tpm-agent", "ssh-tpm-keygen")
# What the root disk and the shared folders need is loaded by the initial ramdisk, in this order.
BOOT_MODULES = ("virtio_pci", "virtio_blk", "crc32c_generic", "ext4", "9pnet_virtio", "9p", "overlay")
# A small set, so that udev loads no driver that the tests have no use for.
GUEST_MODULES = (
    *BOOT_MODULES, "autofs4", "binfmt_misc", "virtio_rng", "qemu_fw_cfg", "efivarfs",
    "loop", "dm_crypt", "algif_skcipher", "xts", "aes_generic", "sha256_generic",
)  # fmt: skip
OVMF = Path("/usr/share/OVMF")
TOOLS = {
    "qemu-system-x86_64": "qemu-system-x86", "swtpm": "swtpm", "mmdebstrap": "mmdebstrap", "mke2fs": "e2fsprogs",
    "busybox": "busybox-static", "modprobe": "kmod", "depmod": "kmod", "dpkg-deb": "dpkg",
}  # fmt: skip


class Unavailable(Exception):
    """Why there can be no virtual machine here."""


def check(firmware="seabios"):
    """Raises Unavailable unless a virtual machine can be had here that has the firmware."""
    if os.uname().machine != "x86_64":
        raise Unavailable(f"the virtual machine is an x86-64 one, and this is {os.uname().machine}")
    with open("/etc/os-release", encoding="utf-8") as file:
        if f"VERSION_CODENAME={SUITE}" not in file.read().splitlines():
            raise Unavailable(f"the virtual machine is Debian {SUITE}, which may not run what another system has built")
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    for tool, package in TOOLS.items():
        if shutil.which(tool) is None:
            raise Unavailable(f"there is no {tool} here (package {package}); ./dev vm installs it")
    if firmware == "ovmf" and not (OVMF / "OVMF_CODE_4M.fd").exists():
        raise Unavailable("there is no UEFI firmware for virtual machines here (package ovmf); ./dev vm installs it")
    if os.geteuid() != 0:
        raise Unavailable("only root can make its root file system")


def run(*command, **options):
    done = subprocess.run(
        [str(part) for part in command], check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, errors="replace", **options,
    )  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(f"{Path(command[0]).name} failed ({done.returncode}):\n{done.stdout}")
    return done.stdout


def host_sources():
    """Those of this machine's package sources that have SUITE, so that mirrors and proxies chosen here serve the guest too."""
    folder = Path("/etc/apt")
    has_suite = re.compile(rf"\b{SUITE}\b(?![-/]backports)")
    for file in sorted([*folder.glob("sources.list"), *folder.glob("sources.list.d/*.list")]):
        yield from (f"{line}\n" for line in file.read_text().splitlines() if line.startswith("deb ") and has_suite.search(line))
    for file in sorted(folder.glob("sources.list.d/*.sources")):
        for stanza in re.split(r"\n\s*\n", file.read_text()):
            if re.search(rf"(?m)^Suites:.*(?<![\w-]){SUITE}\b", stanza) and "deb" in stanza:
                yield f"\n{stanza.strip()}\n"


def make_root(work):
    """The root's files in WORK/root and the kernel's package in WORK."""
    sources = {}
    for entry in host_sources():
        kind = "list" if entry.startswith("deb ") else "sources"
        sources[kind] = sources.get(kind, "") + entry
    for kind, text in sources.items():
        (work / f"host.{kind}").write_text(text)
    command = [
        # What it mounts and starts goes away with it, however it ends; and its packages' scripts, which have polkitd and others end to be
        # started anew, see none of this machine's.
        "unshare", "--mount", "--pid", "--mount-proc", "--fork", "--kill-child", "mmdebstrap", "--quiet", "--mode=root", "--variant=essential", "--format=directory",
        f"--include={','.join(PACKAGES)}",
        "--aptopt=Acquire::Languages \"none\"", "--aptopt=APT::Install-Recommends \"false\"",
        "--dpkgopt=force-unsafe-io",
        *(f"--dpkgopt=path-exclude=/usr/share/{folder}/*" for folder in ("doc", "info", "locale", "man")),
        *(f"--customize-hook=chroot \"$1\" useradd --create-home --shell /bin/bash {user}" for user in USERS),
        f"--customize-hook=install -D -m 644 {PARTS / 'polkit.conf'} \"$1/etc/systemd/system/polkit.service.d/ward-vm.conf\"",
        # Each test that wants tcsd starts it: on a TPM 2.0 it fails.
        "--customize-hook=systemctl --root=\"$1\" disable tcsd.service",
        f"--customize-hook={PARTS / 'fetch-kernel'}",
        SUITE, work / "root", *(work / f"host.{kind}" for kind in sources),
    ]  # fmt: skip
    try:
        run(*command, cwd=work, env=dict(os.environ, WARD_WORK=str(work)))
    except RuntimeError as error:
        lines = str(error).splitlines()
        said = next((line for line in lines if line.startswith("E: ")), lines[-1])
        raise Unavailable(f"no root file system could be made of Debian's packages: {said}") from None


def newer_sources():
    """host_sources() for NEWER_SUITE, from where SUITE itself comes, without its updates."""
    for entry in host_sources():
        if entry.startswith("deb "):
            newer, count = re.subn(rf" {SUITE} ", f" {NEWER_SUITE} ", entry)
        else:
            newer, count = re.subn(rf"(?m)^Suites:.*(?<![\w-]){SUITE}(?![\w/-]).*$", f"Suites: {NEWER_SUITE}", entry)
        if count:
            yield newer


def fetch_newer(work):
    """NEWER_PACKAGES in a folder of their own in the root, and programs that run them; else a file that says why there are none."""
    state, folder = work / "newer", work / "root/opt/newer"
    for place in ("sources", "lists/partial", "cache/archives/partial"):
        (state / place).mkdir(parents=True)
    (state / "status").touch()
    for number, entry in enumerate(newer_sources()):
        (state / "sources" / f"{number}.{'list' if entry.startswith('deb ') else 'sources'}").write_text(entry)
    settings = {
        "Dir::Etc::SourceList": "/dev/null", "Dir::Etc::SourceParts": state / "sources", "Dir::State": state, "Dir::State::Lists": state / "lists",
        "Dir::State::Status": state / "status", "Dir::Cache": state / "cache", "APT::Sandbox::User": "root", "Acquire::Languages": "none",
    }  # fmt: skip
    apt = ["apt-get", "--quiet", *(f"--option={name}={value}" for name, value in settings.items())]
    folder.mkdir(parents=True)
    try:
        run(*apt, "update", "--error-on=any")
        run(*apt, "download", *NEWER_PACKAGES, cwd=state)
    except RuntimeError as error:
        (folder / "missing").write_text(f"{NEWER_PACKAGES[0]} of Debian {NEWER_SUITE} cannot be had: {str(error).splitlines()[-1]}")
        return
    for package in state.glob("*.deb"):
        run("dpkg-deb", "-x", package, folder)
    inside = Path("/") / folder.relative_to(work / "root")
    for name in NEWER_PROGRAMS:
        program = work / "root/usr/local/bin" / name
        loader = f"{inside}/usr/lib64/ld-linux-x86-64.so.2 --library-path {inside}/usr/lib/x86_64-linux-gnu"
        program.write_text(f'#!/bin/sh\nexec {loader} {inside}/usr/bin/{name} "$@"\n')
        program.chmod(0o755)


class Kernel:
    """The kernel's package, unpacked."""

    def __init__(self, work):
        (package,) = work.glob("linux-image-*.deb")
        self.folder = work / "kernel"
        run("dpkg-deb", "-x", package, self.folder)
        self.release = package.name.removeprefix("linux-image-").partition("_")[0]
        run("depmod", "-b", self.folder, self.release)

    @property
    def image(self):
        # Not the uncompressed one: started through PVH, QEMU puts the ramdisk where the firmware has the ACPI tables, and no TPM appears.
        return self.folder / "boot" / f"vmlinuz-{self.release}"

    def modules(self, names):
        """The files of modules and of those that they need, needed ones first."""
        said = "".join(run("modprobe", "-d", self.folder, "-S", self.release, "--show-depends", name) for name in names)
        return list(dict.fromkeys(Path(line.split()[1]) for line in said.splitlines() if line.startswith("insmod ")))

    def install_modules(self, root):
        target = root / "usr/lib/modules" / self.release
        source = self.folder / "lib/modules" / self.release
        for file in [*self.modules(GUEST_MODULES), *source.glob("modules.order"), *source.glob("modules.builtin*")]:
            copy = target / file.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, copy)
        run("depmod", "-b", root, self.release)


def make_initrd(work, kernel):
    root = work / "initrd"
    for folder in ("bin", "dev", "proc", "modules", "root"):
        (root / folder).mkdir(parents=True)
    shutil.copy(shutil.which("busybox"), root / "bin/busybox")
    shutil.copy(PARTS / "init", root / "init")
    files = kernel.modules(BOOT_MODULES)
    for file in files:
        shutil.copy(file, root / "modules")
    (root / "modules/order").write_text("".join(f"{file.name}\n" for file in files))
    run("sh", "-c", "find . | busybox cpio -o -H newc 2>/dev/null | gzip -1 >../initrd.gz", cwd=root)


def set_up_root(root, kernel):
    kernel.install_modules(root)
    units = root / "etc/systemd/system"
    for unit in ("ward-vm.service", "ward-vm.target"):
        shutil.copy(PARTS / unit, units)
    (units / "default.target").symlink_to("ward-vm.target")
    shutil.copy(PARTS / "run-command", root / "usr/local/sbin/ward-vm-run")
    (root / "etc/hostname").write_text("ward-vm\n")
    (root / "etc/hosts").write_text("127.0.0.1 localhost ward-vm\n::1 localhost\n")
    # Without an id of its own each boot would be a first one.
    (root / "etc/machine-id").write_text("77617264766d" + "0" * 19 + "1\n")


def stamp():
    """What an image is made from."""
    files = [Path(__file__), *sorted(PARTS.iterdir())]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def make(folder):
    for left in folder.glob("ward-vm-*"):
        shutil.rmtree(left)
    with tempfile.TemporaryDirectory(prefix="ward-vm-", dir=folder) as name:
        work = Path(name)
        work.chmod(0o755)
        make_root(work)
        fetch_newer(work)
        kernel = Kernel(work)
        make_initrd(work, kernel)
        set_up_root(work / "root", kernel)
        run(
            "mke2fs", "-q", "-F", "-t", "ext4", "-m", "0", "-O", "^has_journal", "-E", "lazy_itable_init=1",
            "-d", work / "root", work / "root.img", "2G",
        )  # fmt: skip
        shutil.copy(kernel.image, work / "vmlinuz")
        for file in ("vmlinuz", "initrd.gz", "root.img"):
            (work / file).rename(folder / file)


def is_current(folder):
    made = folder / "stamp"
    return made.exists() and made.read_text() == stamp()


@contextlib.contextmanager
def locked(path, operation):
    with open(path, "w", encoding="utf-8") as file:
        fcntl.flock(file, operation)
        yield


@contextlib.contextmanager
def ready(folder):
    """Sees to it that the folder has kernel, ramdisk and root of today's making, and keeps others from replacing them meanwhile."""
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as use:
        with locked(folder / "make.lock", fcntl.LOCK_EX):
            if not is_current(folder):
                with locked(folder / "use.lock", fcntl.LOCK_EX):
                    (folder / "stamp").unlink(missing_ok=True)
                    make(folder)
                    (folder / "stamp").write_text(stamp())
            use.enter_context(locked(folder / "use.lock", fcntl.LOCK_SH))
        yield
