# SPDX-License-Identifier: LGPL-2.1-or-later
"""The page Storage, beside a TPM in which other programs keep something."""

import pytest
from cases import cases, run_case

PROGRAM = "gui-storage"


@pytest.fixture
def fresh_tpm(fresh_tpm, machine, tmp_path):
    """An open NV index that was written, one with a password, and a persistent key, all by tpm2-tools."""
    data, context = tmp_path / "data", tmp_path / "primary.ctx"
    data.write_bytes(b"hello, TPM\n")
    machine.tpm2("tpm2_nvdefine", "0x01800100", "-s", "11", "-a", "ownerread|ownerwrite|no_da")
    machine.tpm2("tpm2_nvwrite", "0x01800100", "-C", "o", "-i", str(data))
    machine.tpm2("tpm2_nvdefine", "0x01800101", "-s", "8", "-a", "authread|authwrite", "-p", "sesame")
    machine.tpm2("tpm2_createprimary", "-G", "ecc", "-c", str(context))
    machine.tpm2("tpm2_evictcontrol", "-c", str(context), "0x81000777")
    context.unlink()


test_storage = cases(PROGRAM)


def test_what_is_for_administrators_only(desktops, fresh_tpm, tmp_path):
    run_case(desktops("ward-alice"), PROGRAM, "/storage/nobody-special", tmp_path)
