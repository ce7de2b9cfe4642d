# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the application takes while it is open for long."""

import time
from pathlib import Path

import pytest
from cases import cases
from ward import wait_until

QUIET_SECONDS = 2

test_leaks = cases("gui-leaks")


def processor_ticks(app):
    """What the process has used of the processor so far, all its threads together."""
    fields = Path(f"/proc/{app.program.process.pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def wait_until_quiet(app, timeout=30):
    """Until the process has used nothing for a while, though time went on."""
    last, since = processor_ticks(app), time.monotonic()

    def is_quiet():
        nonlocal last, since
        if (now := processor_ticks(app)) != last:
            last, since = now, time.monotonic()
        return time.monotonic() - since >= QUIET_SECONDS

    wait_until(is_quiet, timeout, f"{QUIET_SECONDS} s in which the application does nothing")


@pytest.mark.parametrize("page", ["Overview", "Ownership", "Keys", "Boot State", "Storage", "Doctor"])
def test_idle(app, page):
    app.click("list item", page)
    app.wait_for("label", page)
    wait_until_quiet(app)
    quiet = processor_ticks(app)
    for _ in range(20):  # what is counted does count
        app.key("F5")
    wait_until(lambda: processor_ticks(app) > quiet, why="the application to use the processor")
