# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes tests of the cases of a program, which is written with gui-fixture.h."""

import os
import subprocess
from pathlib import Path

import pytest
import ward

SECONDS = 120
PROGRAMS = Path(os.environ.get("TPMWARD_BUILD", "/nonexistent"), "tests/gui")


def list_cases(program):
    listed = subprocess.run([PROGRAMS / program, "-l"], capture_output=True, text=True, check=True)
    return [line for line in listed.stdout.splitlines() if line.startswith("/")]


def run_case(desktop, program, case, folder, **environment):
    """Runs one case in a process of its own."""
    environment["GTK_A11Y"] = "test"
    environment["GUI_PICTURE"] = os.environ.get("GUI_PICTURE", str(folder / "screen.png"))
    log = case.strip("/").replace("/", "-")
    process = desktop.start([ward.ROOT / "build/tests/gui" / program, "-p", case], log, **environment)
    try:
        code = process.wait(SECONDS)
    finally:
        process.kill()
    said = desktop.log(log)
    assert code == 0, f"{program} -p {case}: exit status {code}\n{said}"
    assert "\nok 1 " in said and "# SKIP" not in said, said


def cases(program, user="root"):
    """A test for each case, in a process of its own, on a fresh TPM."""
    if not (PROGRAMS / program).exists():
        pytest.skip("this build has no application", allow_module_level=True)

    @pytest.mark.parametrize("case", list_cases(program))
    def test_case(case, desktops, fresh_tpm, tmp_path):
        run_case(desktops(user), program, case, tmp_path)

    return test_case
