# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of “tpmward key”, “seal” and “unseal” share: a chip as new, keys, and standard input."""

import json
import os
import subprocess

import pytest
from families import clear
from test_cli import OK, as_user, environment, fails, run, run_ok


@pytest.fixture(scope="module", autouse=True)
def new_chip(machine):
    """The file's tests begin with a chip as new, and no keys that can be used."""
    clear(machine)


def run_with(data, *args, user="root"):
    """tpmward with this on its standard input, as bytes, and no terminal."""
    return subprocess.run(
        [*as_user(user), "tpmward", *args], input=data, capture_output=True, timeout=120, env=environment(), check=False,
        start_new_session=True,
    )  # fmt: skip


def run_ok_with(data, *args, user="root"):
    done = run_with(data, *args, user=user)
    assert (done.returncode, done.stderr) == (OK, b"")
    return done.stdout


def run_bytes(*args):
    """The output of tpmward without a terminal, as bytes."""
    done = run(*args, binary=True)
    assert (done.returncode, done.stderr) == (OK, b"")
    return done.stdout


def make(*options, user="root", label=None):
    """A new key's label."""
    label = label or f"key-{os.urandom(4).hex()}"
    run_ok("key", "create", label, *options, user=user)
    return label


def describe(label, *options, user="root"):
    return json.loads(run_ok("key", "show", label, "--json", *options, user=user))


def usage_error(*args):
    """The message of a call that is refused before anybody is asked."""
    return fails(2, *args)


def write(folder, name, data):
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return str(path)


def openssl(*args, data=None):
    done = subprocess.run(["openssl", *args], input=data, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout
