# SPDX-License-Identifier: LGPL-2.1-or-later
"""How soon a sandbox starts, where nothing else is at work."""

import time

import pytest
from test_sandbox import output

START_SECONDS = 2
TCSD_SECONDS = 1.5  # more, where there is a TPM 1.2


@pytest.mark.parametrize("tpm, seconds", [("2.0", START_SECONDS), ("both", START_SECONDS + TCSD_SECONDS)])
def test_it_starts_soon(tpm, seconds):
    times = []
    for _ in range(3):
        started = time.monotonic()
        output("--tpm", tpm, "--", "true")
        times.append(time.monotonic() - started)
    print(f"start to end: {', '.join(f'{seconds:.2f} s' for seconds in times)}")
    assert min(times) < seconds
