# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs all tests: those that Meson knows, the sandbox's, the service's and the application's, each file of those in a sandbox of its own,
and those of the virtual machine, each file in one of its own.

The last line is the sum. A program that crashes, hangs or says nothing counts as one that failed."""

import argparse
import concurrent.futures
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import NamedTuple

TOP = Path(__file__).resolve().parents[2]
PYTEST = [sys.executable, "-B", "-m", "pytest", "-q", "--tb=short", "--color=no"]
JOBS = 2
# Of what runs in sandboxes: a part of their time they wait.
SANDBOX_JOBS = 3
FILE_SECONDS = 900
# Those that take longest begin first, in this order, so that nothing waits for one of them at the end; of sandboxes, and of virtual machines.
LONGEST = (
    "test_walks", "test_tcsd", "test_sandbox", "test_audit", "test_key_isolation",
    "test_firmware", "test_tpm12", "test_keys", "test_access", "test_kernel_tpm", "test_ownership",
)  # fmt: skip
# It measures time.
ALONE = {"test_start"}
# The sandboxes that are not the usual one.
SANDBOXES = {name: ["--tpm", "1.2"] for name in ("test_app_tpm12", "test_cli_tpm12", "test_tcsd", "test_tcsd_care", "test_tcsd_keys")}
# The suite of both families, whose files are run on a TPM 1.2, too; tests/service/families.py has what differs.
BOTH_FAMILIES = {
    "test_bad_input", "test_gate", "test_key_bad_input", "test_key_isolation", "test_key_secrets", "test_keys", "test_keys_change",
    "test_keys_use", "test_nv", "test_ownership", "test_seal", "test_service", "test_store", "test_system_keys", "test_tpm", "test_worker",
}  # fmt: skip
# Of those, what takes long and has little to do with the chip: on a TPM 1.2 only when it is asked for by its name.
ON_12_BY_NAME = {"test_gate", "test_service", "test_store"}
# Of those, with the sanitizers: where a TPM 1.2 has code of its own for what callers give.
SANITIZED_ON_12 = {"test_key_bad_input", "test_keys", "test_keys_change", "test_keys_use", "test_seal"}
# The virtual machines that are not.
MACHINES = {"test_no_tpm": ["--tpm", "none"], "test_tpm12": ["--tpm", "1.2"], "test_firmware": ["--firmware", "ovmf"]}
# What these do to the service others do, too, and the sanitizers make it slow.
WITHOUT_SANITIZERS = {
    "test_clear", "test_cli", "test_cli_clear", "test_cli_doctor", "test_cli_key", "test_cli_key_use", "test_cli_lockout", "test_cli_nv",
    "test_cli_own", "test_cli_seal", "test_cli_tpm12", "test_doctor", "test_harness", "test_interchange", "test_key_isolation", "test_key_secrets",
    "test_lockout", "test_nv", "test_service", "test_store", "test_store_scale", "test_store_tpms", "test_tcsd_keys",
}  # fmt: skip
SKIPPED = 77
MESON_BAD = {"FAIL", "TIMEOUT", "ERROR", "INTERRUPT", "UNEXPECTEDPASS"}
SANITIZERS = {
    "ASAN_OPTIONS": "detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
}


class Outcome(NamedTuple):
    """What came of a program or file of tests."""

    name: str
    passed: int
    failed: list  # what failed, by name
    skipped: list  # (what, why)
    output: str
    seconds: float


def parse_tap(text):
    for line in text.splitlines():
        if match := re.match(r"(not )?ok\b *\d* *(?:- )?(.*)", line):
            name, _, directive = match[2].partition(" # ")
            if directive.upper().startswith("SKIP"):
                yield name, "skipped", directive[4:].strip()
            else:
                yield name, "failed" if match[1] else "passed", ""


def parse_unittest(text):
    """The lines of unittest -v; a test with a docstring has its name on the line before."""
    name = ""
    for line in text.splitlines():
        name = line.split()[0] if re.match(r"test\w* \(", line) else name
        if match := re.search(r"\.\.\. (ok|FAIL|ERROR|skipped (.*))$", line):
            kind = "skipped" if match[2] else "passed" if match[1] == "ok" else "failed"
            yield name, kind, (match[2] or "").strip("'\"")


def meson_outcome(entry):
    """From a line of Meson's log: the tests within the program as far as it tells of them, else the program as one."""
    output = f"{entry.get('stdout', '')}{entry.get('stderr', '')}"
    tests = list(parse_tap(entry.get("stdout", ""))) or list(parse_unittest(output))
    name = entry["name"].partition(":")[2] or entry["name"]
    if not tests:
        last = (output.strip() or "it does not say why").splitlines()[-1]
        kind = {"OK": "passed", "EXPECTEDFAIL": "passed", "SKIP": "skipped"}.get(entry["result"], "failed")
        tests = [(name, kind, last.removeprefix("skipped: "))]
    failed = [test for test, kind, _ in tests if kind == "failed"]
    if entry["result"] in MESON_BAD and not failed:
        failed = [f"{name} ({entry['result'].lower()})"]
    skipped = [(test, why) for test, kind, why in tests if kind == "skipped"]
    return Outcome(name, sum(kind == "passed" for _, kind, _ in tests), failed, skipped, output, entry["duration"])


def list_meson_tests(build):
    listed = subprocess.run(["meson", "test", "-C", build, "--no-rebuild", "--list"], stdout=subprocess.PIPE, text=True)
    return [line.rpartition(" / ")[2].rpartition(":")[2].strip() for line in listed.stdout.splitlines() if line.strip()]


def run_meson(build, names, sanitize):
    """Meson's own progress passes through; its last summary is ours to make."""
    command = ["meson", "test", "-C", build, "--no-rebuild", "--num-processes", str(JOBS), *names]
    if sanitize:
        command += ["--no-suite", "lint", "--no-suite", "install", "--timeout-multiplier", "4"]
    log = build / "meson-logs/testlog.json"
    log.unlink(missing_ok=True)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    said = []
    for line in process.stdout:
        said.append(line)
        if re.match(r"\s*\d+/\d+ ", line):
            print(line, end="", flush=True)
    process.wait()
    if not log.exists():
        return [Outcome("meson test", 0, ["meson test"], [], "".join(said), 0)]
    return [meson_outcome(json.loads(line)) for line in log.read_text(errors="replace").splitlines()]


def junit_outcome(name, results, output, code, seconds):
    passed, failed, skipped = 0, [], []
    cases = ElementTree.parse(results).iter("testcase") if results.exists() else ()
    for case in cases:
        if case.find("failure") is not None or case.find("error") is not None:
            failed.append(case.get("name"))
        elif (skip := case.find("skipped")) is not None:
            skipped.append((case.get("name"), skip.get("message") or "it does not say why"))
        else:
            passed += 1
    if code == SKIPPED and not results.exists():
        skipped = [(name, (output.strip() or "it does not say why").removeprefix("skipped: "))]
    elif code != 0 and not failed:
        failed = [f"{name} (exit status {code})"]
    return Outcome(name, passed, failed, skipped, output, seconds)


def run_pytest(file, build, selection, folder, on_12=False):
    name = f"{file.parent.name}/{file.stem}" + (" on 1.2" if on_12 else "")
    results = Path(folder, name.replace("/", "-") + ".xml")
    command = [*PYTEST, f"--junitxml={results}", str(file)]
    if selection:
        command += ["-k", " or ".join(selection)]
    if file.parent.name in ("service", "gui"):
        machine = ["--build", str(build), *(["--tpm", "1.2"] if on_12 else SANDBOXES.get(file.stem, []))]
        command = [sys.executable, str(TOP / "tests/sandbox/sandbox"), *machine, "--", *command]
    elif file.parent.name == "vm":
        machine = ["--build", str(build), *MACHINES.get(file.stem, []), "--share", folder]
        command = [sys.executable, str(TOP / "tests/vm/vm"), *machine, "--", *command]
    started = time.monotonic()
    environment = dict(os.environ, PYTHONDONTWRITEBYTECODE="1", TPMWARD_BUILD=str(build), TPMWARD_BUILT="1")
    try:
        done = subprocess.run(
            command, cwd=TOP, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, errors="replace", timeout=FILE_SECONDS,
        )  # fmt: skip
        output, code = done.stdout, done.returncode
    except subprocess.TimeoutExpired as error:
        output = (error.stdout or b"").decode(errors="replace") + f"\nnot done after {FILE_SECONDS} s"
        code = "timeout"
    return junit_outcome(name, results, output, code, time.monotonic() - started)


def show(outcome):
    counts = f"{outcome.passed} passed"
    if outcome.failed:
        counts += f", {len(outcome.failed)} failed"
    if outcome.skipped:
        counts += f", {len(outcome.skipped)} skipped"
    print(f"{outcome.name:<40}{counts}  ({outcome.seconds:.1f} s)", flush=True)
    for measured in re.findall(r"(?m)^measured: .*", outcome.output):
        print(f"  {measured}", flush=True)


def select(names, build, folders):
    """What the names fit: Meson's tests, and files with the names of tests to run in them (none: all)."""
    meson = list_meson_tests(build) if folders != ["vm"] else []
    files = {file: [] for folder in folders for file in sorted((TOP / "tests" / folder).glob("test_*.py"))}
    if not names:
        return meson, files
    chosen, chosen_files = [], {}
    for name in names:
        stem = Path(name).stem.removeprefix("test_")
        fitting = [test for test in meson if test == name]
        whole = [file for file in files if file.stem == f"test_{stem}"]
        # A part of a name boots no virtual machine unless that is asked for.
        searched = [file for file in files if file.parent.name != "vm" or folders == ["vm"]]
        within = [file for file in searched if re.search(rf"def test_\w*{re.escape(stem)}", file.read_text())]
        if not (fitting or whole or within):
            sys.exit(f"no test fits “{name}”")
        chosen += fitting
        for file in whole:
            chosen_files[file] = []
        for file in within if not (whole or fitting) else ():
            chosen_files.setdefault(file, []).append(stem)
    return chosen, chosen_files


def turn(file):
    return LONGEST.index(file.stem) if file.stem in LONGEST else len(LONGEST)


@contextlib.contextmanager
def made_ready(build, files):
    """What virtual machines boot from is made beside, while others wait, if there are files for them. What comes of it they say themselves."""
    if not files:
        yield lambda: None
        return
    command = ["nice", sys.executable, str(TOP / "tests/vm/vm"), "--build", str(build)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield process.wait
        finally:
            process.terminate()


def run_all(arguments):
    # The build with the sanitizers has no application, and the sandbox's own tests are not about the service.
    folders = ["service"] if arguments.sanitize else ["gui", "service", "sandbox", "vm"]
    folders = ["vm"] if arguments.vm else folders
    meson, files = select(arguments.names, arguments.build, folders)
    if arguments.sanitize and not arguments.names:
        files = {file: selection for file, selection in files.items() if file.stem not in WITHOUT_SANITIZERS}
    outcomes = run_meson(arguments.build, arguments.names and meson, arguments.sanitize) if meson else []
    alone = [file for file in files if file.stem in ALONE]
    heavy = [file for file in files if file.parent.name == "vm"]  # they would slow others down
    with tempfile.TemporaryDirectory() as folder, made_ready(arguments.build, heavy) as await_machine:

        def run(file, on_12=False):
            outcome = run_pytest(file, arguments.build, files[file], folder, on_12)
            show(outcome)
            return outcome

        with concurrent.futures.ThreadPoolExecutor(SANDBOX_JOBS) as pool:
            light = [file for file in files if file not in (*alone, *heavy)]
            stems = SANITIZED_ON_12 if arguments.sanitize else BOTH_FAMILIES if arguments.names else BOTH_FAMILIES - ON_12_BY_NAME
            both = [file for file in light if file.parent.name == "service" and file.stem in stems]
            runs = [(file, False) for file in light] + [(file, True) for file in both]
            outcomes += pool.map(run, *zip(*sorted(runs, key=lambda run: turn(run[0]))))
        outcomes += [run(file) for file in alone]
        await_machine()
        with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
            outcomes += pool.map(run, sorted(heavy, key=turn))
    return outcomes


def report(outcomes):
    for outcome in outcomes:
        if outcome.failed:
            print(f"\n=== {outcome.name}: {', '.join(outcome.failed)}\n{outcome.output.rstrip()}")
    skipped = [(f"{outcome.name}: {test}", why) for outcome in outcomes for test, why in outcome.skipped]
    if skipped:
        print()
    for test, why in skipped:
        print(f"skipped: {test}: {why}")
    passed = sum(outcome.passed for outcome in outcomes)
    failed = sum(len(outcome.failed) for outcome in outcomes)
    print(f"\n{passed} passed, {failed} failed, {len(skipped)} skipped")
    return 1 if failed or not passed else 0


def main():
    # what is started in a shell's background ignores these, and so would the programs under test
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    parser = argparse.ArgumentParser(prog="./dev test", description=__doc__)
    parser.add_argument("--build", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--sanitize", action="store_true", help="with the address and undefined behaviour sanitizers")
    parser.add_argument("--vm", action="store_true", help="only what runs in a virtual machine")
    parser.add_argument("names", nargs="*", metavar="NAME", help="a test of Meson's, a file, or part of a test's name")
    arguments = parser.parse_args()
    if arguments.sanitize:
        os.environ.update(SANITIZERS)
    return report(run_all(arguments))


if __name__ == "__main__":
    sys.exit(main())
