#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""How soon the application shows its first frame, beside the least window of libadwaita's, and what it takes while nobody touches it. It runs
as root in the sandbox, by ./dev bench --window. Both are painted by the cairo renderer, in turn."""

import argparse
import json
import os
import statistics
import sys
import time
from pathlib import Path

sys.dont_write_bytecode = True
sys.path[:0] = [str(Path(__file__).resolve().parents[1] / name) for name in ("service", "gui")]

import desktop  # noqa: E402
import table  # noqa: E402
import ward  # noqa: E402

USER = "ward-alice"
PROGRAM = ward.ROOT / "build/tests/bench/ward-bench-window"
TARGET_MS = 300
SETTLE_SECONDS, IDLE_SECONDS = 5, 20


def start(its_desktop, which):
    """The process, and the milliseconds from before its start to its first frame."""
    log = its_desktop.folder / f"{which}.log"
    log.unlink(missing_ok=True)
    before = time.monotonic()
    process = its_desktop.start_in_session([PROGRAM, which], which) if which == "manager" else its_desktop.start([PROGRAM, which], which)
    ward.wait_until(lambda: log.exists() and log.read_text().endswith("\n"), why=f"the first frame of {which}")
    return process, float(log.read_text().split()[-1]) - before * 1e3


def end(process):
    process.kill()
    process.wait()


def cpu_ms(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1e3 / os.sysconf("SC_CLK_TCK")


def rss_mb(pid):
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(lines["VmRSS"].split()[0]) / 1024


def measure(its_desktop, rounds):
    numbers = {"manager": [], "minimal": []}
    for which in numbers:
        end(start(its_desktop, which)[0])  # the first finds nothing in the caches
    for _ in range(rounds):
        for which, values in numbers.items():
            process, milliseconds = start(its_desktop, which)
            end(process)
            values.append(milliseconds)
    process, _ = start(its_desktop, "manager")
    time.sleep(SETTLE_SECONDS)
    used = cpu_ms(process.pid)
    time.sleep(IDLE_SECONDS)
    used = cpu_ms(process.pid) - used
    numbers["idle_percent"] = used / IDLE_SECONDS / 10
    numbers["rss_mb"] = rss_mb(process.pid)
    end(process)
    return numbers


def main():
    parser = argparse.ArgumentParser(prog="./dev bench --window", description="Measures the application. Never a test.")
    parser.add_argument("--rounds", type=int, default=12, help="how often each is started (%(default)s)")
    parser.add_argument("--json", type=Path, required=True, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    with desktop.Screen() as screen:
        its_desktop = desktop.Desktop(screen, USER)
        numbers = measure(its_desktop, arguments.rounds)
        its_desktop.end()
    ours, least = (statistics.median(numbers[which]) for which in ("manager", "minimal"))
    ratio = statistics.median(a / b for a, b in zip(numbers["manager"], numbers["minimal"]))
    verdict = table.verdict(ours, (table.AT_MOST, TARGET_MS))
    table.print_line("what", "median", "beside", "its median", "ratio", "best", "target", "")
    table.print_line("Start to the first frame", f"{ours:.0f} ms", "least window of libadwaita’s", f"{least:.0f} ms", f"{ratio:.2f}",
                     f"{min(numbers['manager']) / min(numbers['minimal']):.2f}", f"≤ {TARGET_MS} ms", verdict)  # fmt: skip
    table.print_line("Processor while idle", f"{numbers['idle_percent']:.2f} %", "", "", "", "", "0 %",
                     table.verdict(numbers["idle_percent"], (table.AT_MOST, 0)))  # fmt: skip
    table.print_line("Memory (RSS)", f"{numbers['rss_mb']:.1f} MB", *[""] * 6)
    arguments.json.write_text(json.dumps(numbers, indent=2) + "\n", encoding="utf-8")
    print(f"\nMeasured on {os.cpu_count()} CPUs with a load average of {os.getloadavg()[0]:.1f}. All numbers: {arguments.json}")


if __name__ == "__main__":
    main()
