# SPDX-License-Identifier: LGPL-2.1-or-later
"""The machine that a sandboxed command finds itself on. All of it lies on tmpfs of the namespace: nothing outlives it."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import namespace

SOURCE = Path(__file__).resolve().parents[2]
PARTS = Path(__file__).resolve().parent / "parts"

ROOT = Path("/run/tpmward-sandbox")
BUILD = ROOT / "build"
STATE = Path("/var/lib/tpmward")

# tpm-tools and the service reach it by that port of the host's loopback device, on which other sandboxes have theirs.
TCSD_CONFIG = Path("/etc/tcsd.conf")

USERS = {"ward-alice": 1500, "ward-bob": 1501, "ward-admin": 1502}
ADMIN_HASH = (  # adminpw
    "$6$tpmward$82PmL0Hy/re6Ff.OV7F0tN7N2bhVSkXw0qmUykFVGzYjSBAvRBMEyIL7e5GAN/0AiJo73jz7e/b3bcSrkz4RX0"
)

# A wrong password is told at once instead of after two seconds.
PAM_POLKIT = "#%PAM-1.0\nauth required pam_unix.so nodelay\naccount required pam_unix.so\n"

# polkit looks for sessions only if these are there when it starts; a test may put one in.
LOGIND_FOLDERS = ("sessions", "users", "seats", "machines")

# Holds tcsd's port for as long as the sandbox lives.
port_keeper = socket.socket()

SANITIZER_REPORT = re.compile(r"ERROR: (Address|Leak)Sanitizer|runtime error:")
STOP_SECONDS = 10


def run(*command, **options):
    """Runs a command to its end; returns what it says, and shows it when it fails."""
    result = subprocess.run(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_SETMASK, []),
        **options,
    )
    if result.returncode != 0:
        raise RuntimeError(f"{Path(command[0]).name} failed ({result.returncode}):\n{result.stdout}")
    return result.stdout


def make_folder(path, owner="root", mode=0o755):
    path.mkdir(parents=True)
    shutil.chown(path, owner, owner)
    path.chmod(mode)


def set_up_run():
    """A /run without logind, so that polkit sees no sessions whatever the host has; the caller's own folder stays."""
    host_users = os.open("/run/user", os.O_PATH | os.O_DIRECTORY) if os.path.isdir("/run/user") else None
    namespace.tmpfs("/run")
    for folder in ("dbus", "lock", "user", *(f"systemd/{kind}" for kind in LOGIND_FOLDERS)):
        make_folder(Path("/run", folder))
    os.chmod("/run/lock", 0o1777)
    caller = os.environ.get("SUDO_UID", "0")
    if host_users is not None and os.path.isdir(f"/proc/self/fd/{host_users}/{caller}"):
        Path("/run/user", caller).mkdir(exist_ok=True)
        namespace.bind(f"/proc/self/fd/{host_users}/{caller}", f"/run/user/{caller}")
    make_folder(ROOT)
    make_folder(ROOT / "pids")


def set_up_build(build):
    if not (build / "build.ninja").exists():
        raise RuntimeError(f"{build} is no build folder")
    BUILD.mkdir()
    # A checkout may lie where the sandbox's users cannot go.
    namespace.bind(build, BUILD)


def set_up_etc():
    copy = ROOT / "etc"
    run("cp", "-a", "/etc", copy)
    namespace.bind(copy, "/etc")
    shutil.rmtree("/etc/tpmward", ignore_errors=True)
    Path("/etc/pam.d/polkit-1").write_text(PAM_POLKIT)


def set_up_var_lib():
    """/var/lib with folders of its own: the host's are linked to, as a mount point cannot be made among them."""
    host = ROOT / "var-lib"
    host.mkdir()
    namespace.bind("/var/lib", host)
    namespace.tmpfs("/var/lib")
    for entry in host.iterdir():
        if entry.name not in ("tpm", "tpmward"):
            Path("/var/lib", entry.name).symlink_to(entry)


def set_up_no_devices():
    """The machine's own TPM is no business of the sandbox."""
    for folder in ("/sys/class/tpm", "/sys/class/tpmrm"):
        if os.path.isdir(folder):
            namespace.tmpfs(folder)


def add_users():
    """Users of the host's that have the name or the number of one of ours are not in here."""
    numbers = {str(uid) for uid in USERS.values()}
    for name, keep in (
        ("passwd", lambda f: f[0] not in USERS and f[2] not in numbers),
        ("group", lambda f: f[0] not in USERS and f[2] not in numbers),
        ("shadow", lambda f: f[0] not in USERS),
        ("gshadow", lambda f: f[0] not in USERS),
    ):
        path = Path("/etc", name)
        lines = [line for line in path.read_text().splitlines() if keep(line.split(":"))]
        for user, uid in USERS.items():
            password = ADMIN_HASH if user == "ward-admin" else "!"
            lines.append(
                {
                    "passwd": f"{user}:x:{uid}:{uid}::{ROOT}/home/{user}:/bin/bash",
                    "group": f"{user}:x:{uid}:",
                    "shadow": f"{user}:{password}:19000:0:99999:7:::",
                    "gshadow": f"{user}:!::",
                }[name]
            )
        path.write_text("\n".join(lines) + "\n")
    run("systemd-sysusers", SOURCE / "data/tpmward.sysusers")
    run("gpasswd", "--add", "ward-admin", "sudo")


def set_up_homes():
    for user in USERS:
        make_folder(ROOT / "home" / user, user, 0o700)
    make_folder(STATE, "tpmward", 0o700)
    make_folder(Path("/var/lib/tpm"), "tss", 0o700)


def make_runtime_folder(user):
    """XDG_RUNTIME_DIR, as the login would have made it."""
    path = Path("/run/user", str(user.pw_uid))
    if not path.exists():
        path.mkdir(mode=0o700)
        os.chown(path, user.pw_uid, user.pw_gid)


def set_up_polkit():
    actions = Path("/usr/share/polkit-1/actions")
    shutil.copytree(actions, ROOT / "actions")
    shutil.copy(BUILD / "polkit/org.tpmward.policy", ROOT / "actions")
    namespace.bind(ROOT / "actions", actions)
    make_folder(ROOT / "rules.d", "polkitd")
    rules = Path("/etc/polkit-1/rules.d")
    rules.mkdir(parents=True, exist_ok=True)
    namespace.bind(ROOT / "rules.d", rules)


def set_up_bus():
    """The distribution's own configuration, but that the bus starts services by itself, and only ours."""
    distribution = Path("/usr/share/dbus-1/system.conf")
    tree = ElementTree.parse(distribution)
    config = tree.getroot()
    for tag in ("user", "fork", "syslog", "pidfile", "servicehelper", "standard_system_servicedirs"):
        for element in config.findall(tag):
            config.remove(element)
    for tag in ("include", "includedir"):
        for element in config.findall(tag):
            element.text = str(distribution.parent / element.text)
    ElementTree.SubElement(config, "servicedir").text = str(ROOT / "services")
    ElementTree.SubElement(config, "include").text = str(BUILD / "dbus/org.tpmward1.conf")
    tree.write(ROOT / "bus.conf")

    make_folder(ROOT / "services")
    for name, part in (("org.tpmward1", "daemon"), ("org.tpmward1.Helper", "helper")):
        (ROOT / f"services/{name}.service").write_text(
            f"[D-BUS Service]\nName={name}\nExec={ROOT}/launch-{part}\nUser=root\n"
        )


def has_tpm2(tpm):
    return tpm in ("2.0", "both")


def has_tpm12(tpm):
    return tpm in ("1.2", "both")


def set_up_tcsd():
    """tcsd with what its distribution sets, at a port of its own."""
    # A socket that is bound and does not listen keeps others from the port, also while tcsd is stopped, but not tcsd.
    port_keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    port_keeper.bind(("127.0.0.1", 0))
    port = port_keeper.getsockname()[1]
    TCSD_CONFIG.write_text(f"port = {port}\n")
    shutil.chown(TCSD_CONFIG, "root", "tss")
    TCSD_CONFIG.chmod(0o640)


def tcsd_port():
    return TCSD_CONFIG.read_text().removeprefix("port = ").strip()


def tss_environment():
    """By which a program finds this machine's tcsd."""
    if not (ROOT / "tcsd.log").exists():
        return {}
    return {"TSS_TCSD_HOSTNAME": "127.0.0.1", "TSS_TCSD_PORT": tcsd_port()}


def set_up_parts(tpm):
    for part in PARTS.iterdir():
        shutil.copy(part, ROOT)
    (ROOT / "agents").mkdir()
    for program in ("busctl", "gdbus"):
        (ROOT / "agents" / program).symlink_to("../with-agent")
    for part in ("dbus", "polkitd", "daemon", "helper"):
        (ROOT / f"{part}.log").touch()
    arguments = ["--state-dir", str(STATE)]
    if tpm != "none":
        arguments.append("--no-discovery")
    if has_tpm2(tpm):
        arguments += ["--tpm", f"tpm0=swtpm:path={ROOT}/swtpm.sock"]
    if has_tpm12(tpm):
        set_up_tcsd()
        (ROOT / "tcsd.log").touch()
        arguments += ["--tpm", f"{'tpm1' if has_tpm2(tpm) else 'tpm0'}=tcsd:port={tcsd_port()}"]
    (ROOT / "daemon.args").write_text("".join(argument + "\n" for argument in arguments))


def make_tpm():
    """A TPM as its maker would deliver it, with certificates by an authority of its own."""
    folder = ROOT / "swtpm"
    make_folder(folder / "state")
    make_folder(folder / "ca")
    (folder / "localca.conf").write_text(
        f"statedir = {folder}/ca\nsigningkey = {folder}/ca/signkey.pem\n"
        f"issuercert = {folder}/ca/issuercert.pem\ncertserial = {folder}/ca/certserial\n"
    )
    (folder / "localca.options").write_text(
        "--platform-manufacturer TPMWard\n--platform-version 1\n--platform-model Sandbox\n"
    )
    (folder / "setup.conf").write_text(
        f"create_certs_tool = {shutil.which('swtpm_localca')}\ncreate_certs_tool_config = {folder}/localca.conf\n"
        f"create_certs_tool_options = {folder}/localca.options\n"
    )
    said = run(
        "swtpm_setup", "--tpm2", "--tpmstate", folder / "state", "--config", folder / "setup.conf",
        "--create-ek-cert", "--create-platform-cert", "--lock-nvram", "--pcr-banks", "sha1,sha256,sha384",
        env=dict(os.environ, XDG_CONFIG_HOME=str(folder), HOME=str(folder)),
    )  # fmt: skip
    (ROOT / "swtpm.log").write_text(said)


def make_tpm12():
    """Likewise; what a TPM 1.2 comes with is an endorsement key."""
    folder = ROOT / "swtpm12"
    make_folder(folder / "state")
    said = run("swtpm_setup", "--tpmstate", folder / "state", "--createek", env=dict(os.environ, XDG_CONFIG_HOME=str(folder), HOME=str(folder)))
    (ROOT / "swtpm12.log").write_text(said)


class Meanwhile(threading.Thread):
    """Something that takes time and needs nobody; join() raises what it raised."""

    def __init__(self, function):
        super().__init__(daemon=True)
        self.function = function
        self.error = None
        self.start()

    def run(self):
        try:
            self.function()
        except (OSError, RuntimeError) as error:
            self.error = error

    def join(self, timeout=None):
        super().join(timeout)
        if self.error:
            raise self.error


def set_up(build, tpm):
    os.umask(0o022)
    set_up_run()
    set_up_etc()
    tpm_made = Meanwhile(make_tpm) if has_tpm2(tpm) else None
    tpm12_made = Meanwhile(make_tpm12) if has_tpm12(tpm) else None
    set_up_build(build)
    set_up_var_lib()
    set_up_no_devices()
    add_users()
    set_up_homes()
    set_up_polkit()
    set_up_bus()
    set_up_parts(tpm)
    run(ROOT / "start-dbus")
    run(ROOT / "start-polkitd")
    if tpm_made:
        tpm_made.join()
        run(ROOT / "start-swtpm")
    if tpm12_made:
        tpm12_made.join()
        run(ROOT / "start-swtpm12")
        run(ROOT / "start-tcsd")
    run(ROOT / "start-daemon")


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def stop_daemon():
    """Ends the service as an administrator would, so that a sanitizer comes to look for leaks."""
    try:
        pid = int((ROOT / "pids/daemon").read_text())
        os.kill(pid, signal.SIGTERM)
    except (OSError, ValueError):
        return
    deadline = time.monotonic() + STOP_SECONDS
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.005)
        try:
            os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            pass


def tear_down():
    """Returns an exit code that is not 0 if a sanitizer has found something in the service."""
    stop_daemon()
    log = "".join((ROOT / f"{part}.log").read_text(errors="replace") for part in ("daemon", "helper"))
    if not SANITIZER_REPORT.search(log):
        return 0
    print(f"sandbox: the service has faults:\n{log}", file=sys.stderr)
    return 124
