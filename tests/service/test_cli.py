# SPDX-License-Identifier: LGPL-2.1-or-later
"""tpmward, the command: its verbs, their output on terminals and in pipes, exit statuses, manual page and completion."""

import base64
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from pathlib import Path

import pytest

import ward

SOURCE = Path(__file__).resolve().parents[2] / "cli"
VERBS = ["status", "list", "selftest", "pcrs", "random", "properties", "lockout", "own", "change-auth", "release", "preview-clear",
         "clear", "enable", "disable", "activate", "deactivate", "key", "seal", "unseal", "nv", "doctor", "repair",
         "monitor"]  # fmt: skip
OPTIONS = {
    "selftest": ["--full", "--incremental", "--last", "--bytes"],
    "pcrs": ["--all"],
    "random": ["--hex", "--base64", "--raw"],
    "lockout": ["--max", "--recovery", "--lockout-recovery", "--auth-fd", "--well-known", "--force"],
    "own": ["--lockout", "--owner", "--endorsement", "--srk", "--generate", "--print", "--lockout-fd", "--owner-fd",
            "--endorsement-fd", "--srk-fd", "--srk-only", "--force"],
    "change-auth": ["--remove", "--generate", "--print", "--old-fd", "--new-fd", "--owner-fd", "--well-known", "--force"],
    "release": ["--lockout-fd", "--owner-fd", "--endorsement-fd", "--force"],
    "preview-clear": ["--all"],
    "enable": ["--auth-fd", "--well-known"],
    "disable": ["--yes", "--auth-fd", "--well-known"],
    "deactivate": ["--yes"],
    "clear": ["--confirm", "--auth-fd", "--well-known", "--physical-presence", "--cancel", "--all", "--force"],
    "seal": ["--output", "--password", "--password-file", "--pcrs", "--no-da", "--format", "--srk", "--srk-fd"],
    "unseal": ["--output", "--raw", "--base64", "--hex", "--password-file", "--srk", "--srk-fd"],
    "doctor": ["--all"],
    "repair": ["--dry-run", "--all"],
}
COMMON_OPTIONS = ["--tpm", "--json", "--help", "--version"]

OK, FAILURE, USAGE, NO_TPM, NOT_AUTHORIZED, UNREACHABLE, TEST_FAILED, NO_SERVICE, AUTH_FAILED, LOCKED_OUT = range(10)


def as_user(user):
    if user == "root":
        return []
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", "--"]


def environment(**changes):
    env = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "LC_ALL", "LANG")}
    env.update({"LANG": "C.UTF-8", "TERM": "xterm-256color"})
    env.update(changes)
    return env


def run(*args, user="root", binary=False, **env):
    """tpmward with pipes and no terminal."""
    return subprocess.run(
        [*as_user(user), "tpmward", *args], stdin=subprocess.DEVNULL, capture_output=True, text=not binary,
        timeout=60, env=environment(**env), check=False,
    )  # fmt: skip


def run_ok(*args, **options):
    done = run(*args, **options)
    assert done.returncode == OK, done.stderr
    assert not done.stderr
    return done.stdout


def run_json(*args, **options):
    return json.loads(run_ok(*args, "--json", **options))


def fails(status, *args, **options):
    """The one error message of a call that must fail with this status and print nothing."""
    done = run(*args, **options)
    assert done.returncode == status, done.stderr
    assert not done.stdout
    assert done.stderr.startswith("tpmward: ")
    assert done.stderr.splitlines()[0].endswith((".", "?"))
    return done.stderr


class Terminal:
    """A command on a terminal of its own, of so many columns."""

    def __init__(self, *args, columns=80, user="root", program="tpmward", **env):
        self.screen = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            try:
                fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
                signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests may have been started by nohup
                command = [*as_user(user), program, *args]
                os.execvpe(command[0], command, environment(**env))
            finally:
                os._exit(127)

    def read_until(self, pattern, timeout=20):
        """What is on the screen once it matches; None as the pattern waits for the command's end."""
        deadline = time.monotonic() + timeout
        while pattern is None or not re.search(pattern, self.screen):
            if not select.select([self.fd], [], [], max(0, deadline - time.monotonic()))[0]:
                raise AssertionError(f"not within {timeout} s: {pattern}\n{self.screen}")
            try:
                self.screen += os.read(self.fd, 65536).decode()
            except OSError:  # all have closed the terminal
                assert pattern is None, self.screen
                break
        return self.screen

    def type(self, text):
        os.write(self.fd, text.encode())

    def type_password(self, password):
        """Answers the prompt once the terminal shows nothing of it: what is typed before is thrown away."""
        self.read_until("Password: ")
        ward.wait_until(lambda: not termios.tcgetattr(self.fd)[3] & termios.ECHO, why="the password to be hidden")
        self.type(password + "\n")

    def finish(self):
        """The exit status and all output."""
        self.read_until(None)
        _, status = os.waitpid(self.pid, 0)
        os.close(self.fd)
        return os.waitstatus_to_exitcode(status), self.screen.replace("\r\n", "\n")


def on_terminal(*args, **options):
    return Terminal(*args, **options).finish()


class Monitor:
    """A running “tpmward monitor” that has told what is there."""

    def __init__(self, *args):
        self.process = subprocess.Popen(["tpmward", "monitor", *args], stdout=subprocess.PIPE, bufsize=0, env=environment())
        self.text = ""
        self.read_until("tpm0")

    def read_until(self, text, timeout=20):
        """The lines that have not been read yet, up to the first that has text in it."""
        deadline = time.monotonic() + timeout
        while not (found := re.match(rf"(?s:.*?){re.escape(text)}.*\n", self.text)):
            ready = select.select([self.process.stdout], [], [], max(0, deadline - time.monotonic()))[0]
            more = self.process.stdout.read(65536).decode() if ready else ""
            assert more, f"no “{text}” in {self.text}"
            self.text += more
        self.text = self.text[found.end() :]
        return found[0].splitlines()


@pytest.fixture
def monitor():
    """monitor(ARG…): a Monitor, gone after the test."""
    running = []

    def start(*args):
        running.append(Monitor(*args))
        return running[-1]

    yield start
    for started in running:
        started.process.kill()
        started.process.wait()
        started.process.stdout.close()


# status and list


def test_status_is_the_default_verb():
    assert run_ok() == run_ok("status")


def test_status_shows_what_the_bus_says(root):
    shown = run_ok("status")
    assert shown.startswith("● tpm0 is ready\n")
    for name in ("Manufacturer", "VendorString", "FirmwareVersion", "SpecRevision", "SpecDate", "Transport"):
        assert root.get(f"Tpm.{name}") in shown
    assert ", ".join(root.get("Tpm.KeyAlgorithms")) in shown
    assert ", ".join(root.get("Pcrs.Banks")) in shown
    assert root.get("Manager.Version") in shown


def test_status_in_json_is_every_property(root):
    status = run_json("status")
    assert status["version"] == root.get("Manager.Version")
    assert status["no_tpm_reason"] == ""
    (tpm,) = status["tpms"]
    everything = root.call("org.freedesktop.DBus.Properties.GetAll", "s", "org.tpmward1.Tpm")
    for name, value in everything.items():
        assert tpm[re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()] == value
    assert tpm["path"] == ward.TPM0
    assert tpm["pcrs"]["banks"] == root.get("Pcrs.Banks")
    assert tpm["lockout"]["max_failures"] == root.get("Lockout.MaxFailures")
    assert tpm["self_test"]["state"] == root.get("SelfTest.State")


def test_status_tells_of_the_last_self_test(root):
    root.call("SelfTest.Run", "s", "incremental")
    assert re.search(r"Self-test +✓ passed · incremental test (just now|\d+ seconds? ago), took ", run_ok("status"))


def test_a_list_has_one_line_for_each_tpm(root):
    titles, tpm = run_ok("list").splitlines()
    assert titles.split() == ["NAME", "STATE", "TPM", "MAKER", "DEVICE", "MODEL", "FIRMWARE"]
    assert tpm.split()[:4] == ["tpm0", "ready", root.get("Tpm.Family"), root.get("Tpm.Manufacturer")]
    assert run_json("list")[0]["firmware_version"] == root.get("Tpm.FirmwareVersion")


def test_status_tells_a_tpm_that_does_not_answer(sandbox):
    sandbox.kill("swtpm")
    ward.wait_until(lambda: run("status").returncode == UNREACHABLE, why="the status of a dead TPM")
    done = run("status")
    assert done.stdout.startswith("● tpm0 does not answer\n  ")
    fails(UNREACHABLE, "random", "8")
    sandbox.start("swtpm")
    assert len(run_ok("random", "8", "--hex")) == 17


def test_no_tpm(sandbox):
    sandbox.restart("daemon", "--only", "--idle-exit", "60")
    reason = run_json_of_failure("status")["no_tpm_reason"]
    assert reason
    assert run_json_of_failure("list") == []
    for verb in ("status", "list", "selftest", "pcrs", "properties"):
        assert reason in fails(NO_TPM, verb)
    assert reason in fails(NO_TPM, "random", "8")
    sandbox.restart("daemon")


def run_json_of_failure(*args):
    done = run(*args, "--json")
    assert done.returncode == NO_TPM
    assert done.stderr.startswith("tpmward: ")
    return json.loads(done.stdout)


# selftest


@pytest.mark.parametrize(("option", "mode"), [(None, "full"), ("--full", "full"), ("-i", "incremental")])
def test_selftest(root, option, mode):
    shown = run_ok("selftest", *([option] if option else []))
    assert shown.startswith(f"✓ tpm0 passed its {mode} self-test, in ")
    assert root.get("SelfTest.Mode") == mode
    assert root.get("SelfTest.Text") in shown


def test_selftest_in_json():
    result = run_json("selftest", "--incremental")
    assert (result["tpm"], result["mode"], result["passed"], result["code"]) == ("tpm0", "incremental", True, 0)
    assert bytes.fromhex(result["data"]) is not None


def test_the_last_self_test_is_shown_without_a_new_one(root):
    root.call("SelfTest.Run", "s", "full")
    before = root.get("SelfTest.LastRun")
    passed, code, text, data = root.call("SelfTest.GetResult")
    shown = run_ok("selftest", "--last", "--bytes")
    assert passed and code == 0 and text in shown
    assert bytes(data).hex(" ") in shown
    assert root.get("SelfTest.LastRun") == before


def test_selftest_takes_one_mode():
    assert "Only one of" in fails(USAGE, "selftest", "--full", "--last")


def test_selftest_of_a_user_without_a_terminal_is_refused():
    assert "password" in fails(NOT_AUTHORIZED, "selftest", user="ward-alice")


def test_a_user_on_a_terminal_is_asked_for_the_password():
    terminal = Terminal("selftest", user="ward-alice")
    terminal.type_password("adminpw")
    status, screen = terminal.finish()
    assert status == OK
    assert "adminpw" not in screen
    assert "tpm0 passed its full self-test" in screen


def test_a_wrong_password_is_refused():
    terminal = Terminal("selftest", user="ward-alice")
    terminal.type_password("wrong")
    status, screen = terminal.finish()
    assert status == NOT_AUTHORIZED
    assert "tpmward: " in screen


def test_no_password_is_asked_where_none_is_needed():
    status, screen = on_terminal("random", "8", user="ward-alice")
    assert status == OK
    assert re.fullmatch(r"[0-9a-f]{16}\n", screen)


def test_a_rule_that_refuses_is_told(sandbox):
    sandbox.write_rule("40-cli", 'if (action.id == "org.tpmward.use") return polkit.Result.NO;')
    fails(NOT_AUTHORIZED, "random", "8", user="ward-alice")


# pcrs


def test_pcrs_shows_the_values_of_the_sha256_bank(root):
    title, *rows = run_ok("pcrs").splitlines()
    assert title == "sha256"
    values = {index: bytes(value).hex() for index, value in root.call("Pcrs.Read", "sau", "sha256", [])}
    assert len(rows) == len(values) == 24
    for row in rows:
        assert values[int(row.split()[0])] == row.split()[-1]
    assert "Secure Boot" in rows[7]


def test_pcrs_in_json_of_all_banks(root):
    banks = run_json("pcrs", "--all")["banks"]
    assert sorted(banks) == sorted(root.get("Pcrs.Banks"))
    for bank, values in banks.items():
        expected = {str(i): bytes(value).hex() for i, value in root.call("Pcrs.Read", "sau", bank, [])}
        assert values == expected


def test_an_unknown_bank():
    message = fails(USAGE, "pcrs", "sha2")
    assert "Did you mean “sha256”?" in message
    assert "sha384" in message
    assert "cannot be given together" in fails(USAGE, "pcrs", "--all", "sha256")


# random


@pytest.mark.parametrize("count", [1, 32, 4096, 4097, 100000])
def test_random_bytes_in_a_pipe(count):
    done = run("random", str(count), binary=True)
    assert done.returncode == OK
    assert len(done.stdout) == count


def test_random_text():
    assert re.fullmatch(r"[0-9a-f]{64}\n", run_ok("random", "32", "--hex"))
    assert len(base64.b64decode(run_ok("random", "33", "--base64").strip(), validate=True)) == 33
    assert len(bytes.fromhex(run_json("random", "8")["hex"])) == 8


def test_random_bytes_differ():
    assert run_ok("random", "32", "--hex") != run_ok("random", "32", "--hex")


def test_random_is_hexadecimal_on_a_terminal():
    assert re.fullmatch(r"[0-9a-f]{64}\n", on_terminal("random", "32")[1])


@pytest.mark.parametrize("count", ["0", "1048577", "4294967297", "x", "", "8x", "1.5"])
def test_random_counts_that_are_none(count):
    assert "from 1 to 1048576" in fails(USAGE, "random", count)


def test_random_needs_a_count_and_one_format():
    assert "needs an argument" in fails(USAGE, "random")
    assert "Only one of" in fails(USAGE, "random", "8", "--hex", "--base64")


# properties


def test_properties(root):
    values = root.call("Tpm.GetProperties")
    rows = run_ok("properties").splitlines()[1:]
    assert {row.split()[0]: int(row.split()[1], 16) for row in rows} == values
    assert rows[0].split() == ["TPM_PT_FAMILY_INDICATOR", "0x322e3000", '"2.0"']


def test_properties_in_json(root):
    shown = run_json("properties")["properties"]
    assert {name: entry["value"] for name, entry in shown.items()} == root.call("Tpm.GetProperties")
    assert shown["TPM_PT_MANUFACTURER"]["meaning"].strip('" ') == root.get("Tpm.Manufacturer")


# monitor


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_monitor_sees_a_self_test_and_ends_well(monitor, root, end):
    watching = monitor()
    root.call("SelfTest.Run", "s", "full")
    lines = watching.read_until("full self-test passed in")
    assert re.fullmatch(r"\d\d:\d\d:\d\d  tpm0 +full self-test started", lines[0])
    watching.process.send_signal(end)
    assert watching.process.wait(10) == OK


def test_monitor_in_json_is_one_object_a_line(monitor, root):
    watching = monitor("--json")
    root.call("SelfTest.Run", "s", "full")
    root.call("SelfTest.Run", "s", "incremental")
    events = [json.loads(line) for line in watching.read_until('"value":"incremental"')]
    states = [event["value"] for event in events if event["property"] == "State"]
    assert states[:2] == ["running", "passed"]
    assert {event["event"] for event in events} == {"property-changed"}
    assert {event["interface"] for event in events} == {"org.tpmward1.SelfTest"}


def test_monitor_sees_the_service_end_and_start(monitor, sandbox):
    watching = monitor()
    sandbox.kill("daemon")
    told = watching.read_until("service   ended")
    sandbox.start("daemon")
    told = "\n".join(told + watching.read_until("tpm0      there"))
    assert told.index("tpm0      gone") < told.index("service   started")


def test_monitor_sees_a_tpm_stop_answering(monitor, sandbox):
    watching = monitor()
    sandbox.kill("swtpm")
    watching.read_until("state: ready → unreachable")
    sandbox.start("swtpm")
    run("random", "8", "--hex")
    watching.read_until("state: unreachable → ready")


def test_monitor_makes_no_calls(monitor, root):
    watching = monitor()
    rule = "type='method_call',destination='org.tpmward1'"
    with ward.Monitor(root, rule) as calls, ward.Caller("root") as other:
        other.call("SelfTest.Run", "s", "incremental")
        watching.read_until("self-test passed")
        assert {call["sender"] for call in calls.all()} == {other.name}


def test_monitor_ends_when_its_reader_leaves(monitor):
    watching = monitor()
    watching.process.stdout.close()
    assert watching.process.wait(10) == -signal.SIGPIPE


# terminals and pipes


@pytest.mark.parametrize("args", [["status"], ["list"], ["selftest"], ["pcrs"], ["properties"], ["--help"]])
def test_no_escapes_in_a_pipe(args):
    assert "\033" not in run_ok(*args)


def test_colour_on_a_terminal():
    assert "\033[32mis ready\033[0m" in on_terminal("status")[1]
    assert "\033" not in on_terminal("status", NO_COLOR="1")[1]
    assert "\033" not in on_terminal("status", TERM="dumb")[1]


@pytest.mark.parametrize("columns", [60, 80, 120])
@pytest.mark.parametrize("args", [["status"], ["list"], ["pcrs", "--all"], ["properties"], ["selftest"], ["--help"]])
def test_nothing_is_wider_than_the_terminal(args, columns):
    status, screen = on_terminal(*args, columns=columns, NO_COLOR="1")
    assert status == OK
    shown = re.sub(r"\033\[[0-9;]*[A-Za-z]", "", screen)
    assert max(len(line) for line in shown.splitlines()) <= columns


def test_plain_ascii_in_the_c_locale():
    assert run_ok("status", LC_ALL="C").isascii()
    assert run("statu", LC_ALL="C").stderr.isascii()


def test_a_reader_that_leaves():
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(["tpmward", "properties"], stdout=write, stderr=subprocess.PIPE, check=False, timeout=30)
    os.close(write)
    assert (done.returncode, done.stderr) == (-signal.SIGPIPE, b"")


def test_a_full_disk():
    with open("/dev/full", "wb") as full:
        done = subprocess.run(["tpmward", "list"], stdout=full, stderr=subprocess.PIPE, check=False, timeout=30)
    assert done.returncode == FAILURE
    assert done.stderr.startswith(b"tpmward: Cannot write")


# usage


def test_tpm_by_name():
    assert run_ok("--tpm", "tpm0", "list") == run_ok("list", "--tpm=tpm0") == run_ok("-t", "tpm0", "list")
    for args in (["status"], ["list"], ["random", "8"]):
        assert fails(NO_TPM, *args, "--tpm", "tpm7") == "tpmward: There is no TPM named “tpm7”; this machine has tpm0.\n"


def test_version(root):
    version = f"tpmward {root.get('Manager.Version')}\n"
    assert run_ok("--version") == run_ok("list", "--version") == version


def test_unknown_verbs_and_options():
    assert "There is no verb “statu”. Did you mean “status”?" in fails(USAGE, "statu")
    assert "Unknown option --jsn. Did you mean “--json”?" in fails(USAGE, "--jsn")
    assert "Did you mean “--bytes”?" in fails(USAGE, "selftest", "--byte")
    assert "does not take the argument “x”" in fails(USAGE, "list", "x")
    assert "Try “tpmward random --help”." in fails(USAGE, "random")


@pytest.mark.parametrize("verb", ["enable", "disable", "activate", "deactivate"])
def test_a_tpm_2_is_switched_on_and_off_by_its_firmware(verb):
    """It is said before anybody is asked for anything."""
    said = fails(FAILURE, verb)
    assert "switched on and off in the machine's firmware setup alone" in said and "Nothing was changed" not in said
    assert run(verb, user="ward-alice").stderr == said


def test_a_storage_root_keys_secret_is_of_tpm_1_2(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("srk")
    for verb in (["key", "create", "one"], ["seal", str(secret)]):
        with secret.open() as file:
            done = subprocess.run(["tpmward", *verb, "--srk-fd=0"], stdin=file, capture_output=True, text=True, check=False)
        assert done.returncode == FAILURE and "“srk-auth” is for a TPM 1.2" in done.stderr
    assert "“format” is for a TPM 1.2" in fails(FAILURE, "seal", str(secret), "--format=tpm-tools")
    assert "Only one of --srk and --srk-fd" in fails(USAGE, "key", "create", "one", "--srk", "--srk-fd=0")


def test_the_well_known_secret_is_of_tpm_1_2():
    for verb in (["clear", "--confirm=tpm0"], ["lockout", "reset"], ["change-auth", "lockout"]):
        assert "is a 2.0" in run(*verb, "--well-known").stderr


def test_no_bus():
    assert "The system bus" in fails(NO_SERVICE, "status", DBUS_SYSTEM_BUS_ADDRESS="unix:path=/nonexistent")


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_a_verb(verb):
    shown = run_ok(verb, "--help")
    assert shown == run_ok("--help", verb) == run_ok("help", verb)
    assert shown.startswith(f"Usage:\n  tpmward {verb} [OPTION…]")
    for option in [*OPTIONS.get(verb, []), *COMMON_OPTIONS]:
        assert option in shown


def test_help_names_all_verbs():
    shown = run_ok("--help")
    assert shown == run_ok("help")
    assert re.findall(r"^  ([a-z-]+)\b.*", shown, re.MULTILINE)[1 : len(VERBS) + 1] == VERBS


def test_the_manual_page_names_everything():
    page = re.sub(r"\\f[BIR]", "", (SOURCE / "tpmward.1").read_text().replace("\\-", "-"))
    for word in [*VERBS, *COMMON_OPTIONS, *sum(OPTIONS.values(), [])]:
        assert re.search(rf"(?<![\w-]){re.escape(word)}\b", page), word
    for status in range(11):
        assert f".TP\n.B {status}\n" in page


def complete(*words):
    """What bash offers for the last of words."""
    script = 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _tpmward; printf "%s\\n" "${COMPREPLY[@]}"'
    command = ["bash", "-c", script, "bash", SOURCE / "tpmward.bash-completion", "tpmward", *words]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment()).stdout.split()


def test_completion(root):
    assert complete("") == [*VERBS, "help"]
    assert complete("s") == ["status", "selftest", "seal"]
    assert complete("pre") == ["preview-clear"]
    assert complete("lockout", "") == ["reset", "set"]
    assert complete("change-auth", "o") == ["owner"]
    assert complete("repair", "srk") == ["srk-missing@tpm0"]
    assert complete("clear", "--confirm", "=", "t") == ["tpm0"]
    assert complete("pcrs", "") == root.get("Pcrs.Banks")
    assert complete("--tpm", "t") == complete("list", "--tpm", "=", "t") == complete("--tpm", "=") == ["tpm0"]
    for verb in VERBS:
        assert complete(verb, "--") == [*COMMON_OPTIONS, *OPTIONS.get(verb, [])]
