# SPDX-License-Identifier: LGPL-2.1-or-later
"""The sandbox from outside: what passes through, what is within, and that nothing is left of it."""

import glob
import os
import pty
import select
import shutil
import signal
import subprocess
import termios
import time
from contextlib import suppress
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
DEV = str(TOP / "dev")


def sandbox(*arguments, **options):
    options = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, "timeout": 60, "check": False} | options
    return subprocess.run([DEV, "sandbox", *arguments], **options)


def output(*arguments):
    done = sandbox(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def shell(script, *options):
    return output(*options, "--", "bash", "-euc", script)


def wait_until(condition, why, timeout=15):
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        assert time.monotonic() < deadline, f"{why}: not within {timeout} s"
        time.sleep(0.01)
    return value


def processes_with(marker):
    """The folders of processes of any namespace that have the marker in their environment, and their names."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it may end at any time
            if marker.encode() in (entry / "environ").read_bytes():
                found[entry] = (entry / "comm").read_text().strip()
    return found


def processes_with_name(name, display):
    """The folders of processes of that name on that display."""
    return [entry for entry, its_name in processes_with(f"DISPLAY={display}\0").items() if its_name == name]


def host_state():
    """What a sandbox could leave behind, as seen from outside of it, where others may be at work too."""
    mounts = sorted(line.split(" ", 1)[1] for line in Path("/proc/self/mountinfo").read_text().splitlines())
    accounts = [Path("/etc", name).read_bytes() for name in ("passwd", "group", "shadow")]
    tss = [(path, path.stat().st_mtime_ns) for path in (Path("/etc/tcsd.conf"), Path("/var/lib/tpm")) if path.exists()]
    folders = ("/run", "/run/dbus", "/run/user", "/var/lib", "/etc", "/etc/polkit-1/rules.d", "/home")
    ours = [path for folder in folders for path in glob.glob(f"{folder}/*ward*") + glob.glob(f"{folder}/150[012]")]
    return mounts, accounts, tss, ours


class Terminal:
    """A program, ./dev if no other, on a terminal of its own."""

    def __init__(self, *arguments, program=DEV, **environment):
        self.seen = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            screens = ("DISPLAY", "WAYLAND_DISPLAY")
            inherited = {name: value for name, value in os.environ.items() if name not in screens}
            os.execvpe(program, [program, *arguments], {**inherited, "TERM": "dumb", **environment})

    def type(self, text):
        os.write(self.fd, text.encode())

    def type_password(self, text):
        """Typed once it is not shown any more: what comes before is thrown away."""
        wait_until(lambda: not termios.tcgetattr(self.fd)[3] & termios.ECHO, "a terminal that shows no password")
        self.type(text)

    def expect(self, text, timeout=30):
        """Reads on until text has come; returns what came before it."""
        deadline = time.monotonic() + timeout
        while text not in self.seen:
            ready = select.select([self.fd], [], [], max(0, deadline - time.monotonic()))[0]
            assert ready, f"no “{text}” in: {self.seen}"
            try:
                self.seen += os.read(self.fd, 65536).decode(errors="replace")
            except OSError:
                raise AssertionError(f"it ended without “{text}”: {self.seen}") from None
        before, _, self.seen = self.seen.partition(text)
        return before

    def end(self, timeout=30):
        deadline = time.monotonic() + timeout
        while not (ended := os.waitpid(self.pid, os.WNOHANG))[0]:
            assert time.monotonic() < deadline, "it has not ended"
            time.sleep(0.01)
        os.close(self.fd)
        return os.waitstatus_to_exitcode(ended[1])


def test_status_and_output_pass_through():
    done = sandbox("--", "bash", "-c", "cat; echo out; echo err >&2; exit 7", input="in\n", stdin=None)
    assert (done.returncode, done.stdout, done.stderr) == (7, "in\nout\n", "err\n")


@pytest.mark.parametrize(
    "command, status", [(["sh", "-c", "kill -KILL $$"], 137), (["/nonexistent"], 127), (["/etc/passwd"], 126)]
)
def test_status_of_what_does_not_exit(command, status):
    assert sandbox("--", *command).returncode == status


def test_options_end_with_the_command():
    assert output("echo", "--user", "x", "--") == "--user x --"


@pytest.mark.parametrize("arguments", [[], ["--tpm", "3.0", "--", "true"], ["--user", "nobody-at-all", "--", "true"]])
def test_nonsense_is_refused(arguments):
    done = sandbox(*arguments)
    assert done.returncode != 0
    assert done.stderr


def test_the_service_answers():
    assert "tpm0" in shell("tpmward list")
    assert shell("busctl call org.tpmward1 /org/tpmward1/tpm/tpm0 org.tpmward1.Tpm GetRandom u 4").startswith("ay 4 ")


@pytest.mark.parametrize("user, uid", [("ward-alice", 1500), ("ward-bob", 1501), ("ward-admin", 1502)])
def test_users(user, uid):
    script = "id -u; id -un; echo $HOME $XDG_RUNTIME_DIR $USER; touch $HOME/a $XDG_RUNTIME_DIR/a; stat -c '%a %U' $HOME $XDG_RUNTIME_DIR"
    lines = shell(script, "--user", user).splitlines()
    assert lines[:2] == [str(uid), user]
    assert lines[2].endswith(f"/home/{user} /run/user/{uid} {user}")
    assert lines[3:] == [f"700 {user}"] * 2


def test_only_the_administrator_is_one():
    assert "sudo" in shell("id -Gn", "--user", "ward-admin").split()
    assert "sudo" not in shell("id -Gn", "--user", "ward-alice").split()


def test_the_service_has_no_privileges():
    status = shell("cat /proc/$(cat $TPMWARD_SANDBOX/pids/daemon)/status; id -u tpmward; getent group tss | cut -d: -f3")
    *lines, uid, tss = status.splitlines()
    fields = dict(line.split(":", 1) for line in lines)
    assert fields["Uid"].split() == [uid] * 4
    assert fields["Groups"].split() == [tss]
    assert [int(fields[f"Cap{kind}"], 16) for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")] == [0] * 5
    assert fields["NoNewPrivs"].strip() == "1"


def test_parts_start_again():
    script = """
    cd $TPMWARD_SANDBOX
    for part in polkitd swtpm daemon; do
      before=$(cat pids/$part)
      kill -9 $before
      ./start-$part
      [ $(cat pids/$part) != $before ]
      kill -0 $(cat pids/$part)
      tpmward random 4 --hex
    done
    """
    assert len(shell(script).split()) == 3


def test_the_tpm_keeps_its_state():
    read = "TPM2TOOLS_TCTI=swtpm:path=swtpm.sock tpm2_nvreadpublic 0x1c00002"  # the endorsement certificate
    script = f"""
    cd $TPMWARD_SANDBOX
    kill $(cat pids/daemon); while kill -0 $(cat pids/daemon) 2>/dev/null; do :; done
    {read} | md5sum
    kill -9 $(cat pids/swtpm)
    ./start-swtpm
    {read} | md5sum
    """
    first, second = shell(script).splitlines()
    assert first == second


def test_a_tpm_12_brings_its_own_tcsd():
    script = """
    cd $TPMWARD_SANDBOX
    ls pids | xargs
    stat -c '%U:%G %a' /etc/tcsd.conf /var/lib/tpm /var/lib/tpm/system.data | xargs
    grep -c "^port = $TSS_TCSD_PORT$" /etc/tcsd.conf
    tail -n 1 daemon.args
    """
    parts, owners, ports, argument = shell(script, "--tpm", "1.2").splitlines()
    assert parts.split() == ["daemon", "dbus", "polkitd", "swtpm12", "tcsd"]
    assert owners == "root:tss 640 tss:tss 700 tss:tss 600"
    assert ports == "1"
    assert argument.startswith("tpm0=tcsd:port=")
    assert output("bash", "-c", "ls $TPMWARD_SANDBOX/pids; env | grep ^TSS_ || true").split() == ["daemon", "dbus", "polkitd", "swtpm"]


def test_tcsd_and_its_tpm_start_again():
    """Whichever of them has died: what is started is used by whoever asks next."""
    script = """
    cd $TPMWARD_SANDBOX
    for died in tcsd swtpm12 "tcsd swtpm12"; do
      for part in $died; do kill -9 $(cat pids/$part); done
      ./start-swtpm12
      ./start-tcsd
      before=$(cat pids/tcsd)
      ./start-tcsd
      [ $(cat pids/tcsd) = $before ]
      tpm_version 2>&1 | grep -a -c 'Chip Version'
    done
    """
    assert shell(script, "--tpm", "1.2").split() == ["1", "1", "1"]


def test_a_tpm_12_is_enabled_at_its_start():
    script = """
    cd $TPMWARD_SANDBOX
    enabled() { tpm_getpubek -z 2>&1 | grep -a -o 'TPM is disabled' || echo enabled; }
    tpm_takeownership -y -z
    tpm_clear -z | grep -o 'need to reboot'
    enabled
    ! ./start-swtpm12 enable 2>/dev/null
    kill -9 $(cat pids/swtpm12)
    ./start-swtpm12 enable
    ./start-tcsd
    enabled
    tpm_takeownership -y -z && echo taken
    """
    assert shell(script, "--tpm", "1.2").splitlines() == ["need to reboot", "TPM is disabled", "enabled", "taken"]


def test_each_tcsd_has_a_port_to_itself():
    """Also while it is stopped: what takes ports meanwhile does not get that one."""
    script = """
    cd $TPMWARD_SANDBOX
    kill -9 $(cat pids/tcsd)
    python3 -c '
import os, socket
port = int(os.environ["TSS_TCSD_PORT"])
try:
    socket.create_connection(("127.0.0.1", port))
except ConnectionRefusedError:
    print("refused")
try:
    socket.socket().bind(("127.0.0.1", port))
except OSError as error:
    print(error.strerror)
'
    ./start-tcsd
    tpm_getpubek | md5sum
    echo $TSS_TCSD_PORT
    """
    command = [DEV, "sandbox", "--tpm", "1.2", "--", "bash", "-euc", script]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    first, second = ([*process.communicate(timeout=60)[0].splitlines()] for process in processes)
    assert [process.returncode for process in processes] == [0, 0]
    assert first[:2] == second[:2] == ["refused", "Address already in use"]
    assert first[2] != second[2], "they are one TPM"
    assert first[3] != second[3]


def test_a_machine_can_have_both():
    script = """
    for n in 0 1; do
      busctl get-property org.tpmward1 /org/tpmward1/tpm/tpm$n org.tpmward1.Tpm Family
      tpmward --tpm tpm$n random 4 --hex
    done
    """
    first, _, second, _ = shell(script, "--tpm", "both").splitlines()
    assert (first, second) == ('s "2.0"', 's "1.2"')


def test_arguments_of_the_service_are_for_one_start():
    script = """
    cd $TPMWARD_SANDBOX
    for arguments in "--tpm tpm7=swtpm:path=/nonexistent" ""; do
      kill -9 $(cat pids/daemon)
      ./start-daemon $arguments
      busctl get-property org.tpmward1 /org/tpmward1/Manager org.tpmward1.Manager Tpms
    done
    """
    first, second = shell(script).splitlines()
    assert "tpm7" in first and "tpm0" in first
    assert "tpm7" not in second and "tpm0" in second


def test_the_bus_starts_the_service():
    script = "kill -9 $(cat $TPMWARD_SANDBOX/pids/daemon); sleep 0.2; tpmward random 4 --hex"
    assert len(shell(script)) == 8


def test_the_bus_does_not_start_polkitd():
    script = "kill -9 $(cat $TPMWARD_SANDBOX/pids/polkitd); busctl --activatable list --no-legend | cut -d' ' -f1"
    assert shell(script).split() == ["org.freedesktop.DBus", "org.tpmward1", "org.tpmward1.Helper"]


def test_the_bus_refuses_by_default():
    done = sandbox("--", "gdbus", "call", "--system", "--dest", "org.freedesktop.DBus", "--object-path", "/",
                   "--method", "org.freedesktop.DBus.RequestName", "org.example.Any", "0")  # fmt: skip
    assert "AccessDenied" in done.stderr


def test_no_tpm():
    assert shell("busctl get-property org.tpmward1 /org/tpmward1/Manager org.tpmward1.Manager Tpms", "--tpm", "none") == "ao 0"


def test_the_state_is_the_services_alone():
    assert shell("stat -c '%U %a' /var/lib/tpmward") == "tpmward 700"


def test_a_fault_in_the_log_is_a_failure():
    done = sandbox("--", "bash", "-c", "echo '==1==ERROR: LeakSanitizer: detected memory leaks' >>$TPMWARD_SANDBOX/daemon.log")
    assert done.returncode == 124
    assert "LeakSanitizer" in done.stderr


@pytest.mark.parametrize("how", ["end", "interrupt", "terminate", "kill"])
def test_nothing_is_left(how):
    before = host_state()
    marker = f"WARD_MARKER={os.getpid()}-{how}"
    environment = dict(os.environ, **dict([marker.split("=")]))
    command = "setsid sleep 1000 & echo ready; " + ("exit 0" if how == "end" else "sleep 1000")
    process = subprocess.Popen([DEV, "sandbox", "--tpm", "both", "--", "bash", "-c", command], stdout=subprocess.PIPE, env=environment)
    assert process.stdout.readline() == b"ready\n"
    if how != "end":
        assert len(processes_with(marker)) > 4
        process.send_signal({"interrupt": signal.SIGINT, "terminate": signal.SIGTERM, "kill": signal.SIGKILL}[how])
    code = process.wait(30)
    wait_until(lambda: not processes_with(marker), "the end of all processes")
    assert code == {"end": 0, "interrupt": 130, "terminate": 143, "kill": -9}[how]
    assert host_state() == before


def test_kill_while_it_starts_leaves_nothing():
    before = host_state()
    marker = f"WARD_MARKER={os.getpid()}-start"
    environment = dict(os.environ, **dict([marker.split("=")]))
    process = subprocess.Popen([DEV, "sandbox", "--", "true"], env=environment)
    wait_until(lambda: len(processes_with(marker)) > 3, "the start of something")
    process.kill()
    process.wait()
    wait_until(lambda: not processes_with(marker), "the end of all processes")
    assert host_state() == before


def test_two_at_once():
    processes = [subprocess.Popen([DEV, "sandbox", "--", "tpmward", "random", "4", "--hex"], stdout=subprocess.PIPE) for _ in range(2)]
    values = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert values[0] != values[1]


def test_an_interactive_shell_has_job_control():
    terminal = Terminal("sandbox", "--", "bash", "--norc", "-i")
    terminal.type("PS1='ward''> '\n")
    terminal.expect("ward> ")
    terminal.type("""bash -c 'trap "echo resu""med" CONT; echo rea""dy; while :; do sleep 0.1; done'\n""")
    terminal.expect("ready")
    terminal.type("\x1a")
    terminal.expect("Stopped")
    terminal.expect("ward> ")
    terminal.type("fg\n")
    terminal.expect("resumed")
    terminal.type("\x03")
    terminal.expect("ward> ")
    terminal.type("exit 9\n")
    assert terminal.end() == 9


def test_a_suspended_sandbox_goes_on():
    terminal = Terminal("--norc", "-i", program="bash")
    terminal.type(f"PS1='host''> '; {DEV} sandbox -- bash -c 'echo rea\"\"dy; read line; echo got $line'\n")
    terminal.expect("ready")
    terminal.type("\x1a")
    terminal.expect("Stopped")
    terminal.expect("host> ")
    terminal.type("fg\n")
    terminal.expect("sandbox")
    terminal.type("this\n")
    terminal.expect("got this")
    terminal.expect("host> ")
    terminal.type("exit 3\n")
    assert terminal.end() == 3


def test_ctrl_c_ends_the_command():
    terminal = Terminal("sandbox", "--", "bash", "-c", "echo ready; sleep 1000")
    terminal.expect("ready")
    terminal.type("\x03")
    assert terminal.end() == 130


def test_run_shows_the_status_and_asks_for_passwords():
    terminal = Terminal("run", "--user", "ward-alice")
    status = terminal.expect("ward-alice@")
    assert "tpm0" in status
    assert "adminpw" in status
    terminal.type("busctl call org.tpmward1 /org/tpmward1/tpm/tpm0 org.tpmward1.SelfTest Run s full\n")
    terminal.expect("Password:")
    terminal.type_password("adminpw\n")
    terminal.expect("AUTHENTICATION COMPLETE")
    terminal.expect("busay true")
    terminal.type("exit\n")
    assert terminal.end() == 0


def test_run_has_an_agent_for_a_command():
    terminal = Terminal("run", "--user", "ward-bob", "tpmward", "selftest", "--full")
    terminal.expect("Password:")
    terminal.type_password("adminpw\n")
    terminal.expect("AUTHENTICATION COMPLETE")
    assert terminal.end() == 0


def names_of_windows(display):
    command = ["xdotool", "search", "--onlyvisible", "--name", "."]
    found = subprocess.run(command, env=dict(os.environ, DISPLAY=display), capture_output=True, text=True, check=False)
    named = (
        subprocess.run(["xdotool", "getwindowname", number], env=dict(os.environ, DISPLAY=display), capture_output=True, text=True, check=False)
        for number in found.stdout.split()
    )
    return [each.stdout.strip() for each in named]


@pytest.fixture
def display():
    """An X server that nobody sees."""
    if not shutil.which("Xvfb") or not shutil.which("xdotool"):
        pytest.skip("there is no Xvfb or xdotool here")
    reading, writing = os.pipe()
    with subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-nolisten", "tcp", "-ac"], pass_fds=[writing], stderr=subprocess.DEVNULL
    ) as server:
        os.close(writing)
        with os.fdopen(reading) as number:
            yield f":{number.readline().strip()}"
        server.kill()


def test_run_opens_the_application_where_there_is_a_screen(display):
    """For someone in a session, with a desktop's agent for passwords: it is what is clicked on that asks for one."""
    terminal = Terminal("run", "--user", "ward-alice", DISPLAY=display, GSK_RENDERER="cairo", LC_ALL="C.UTF-8")
    terminal.expect("TPM Manager opens")
    wait_until(lambda: "TPM Manager" in names_of_windows(display), "the application's window")
    wait_until(lambda: processes_with_name("polkit-gnome-au", display), "the agent")
    (app,) = processes_with_name("tpmward-gui", display)
    assert os.stat(app).st_uid == 1500
    assert b"org.tpmward.Manager.Devel" in (app / "cmdline").read_bytes()
    os.kill(int(app.name), signal.SIGTERM)
    assert terminal.end() == 128 + signal.SIGTERM
