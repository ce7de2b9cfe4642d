# SPDX-License-Identifier: LGPL-2.1-or-later
"""Ten thousand keys: of one user, and of a thousand users. What is measured is printed; what is asserted holds on a busy machine too."""

import base64
import hashlib
import os
import re
import shutil
import signal
import statistics
import time
from pathlib import Path

import pytest
import ward
from keys import Keys, digest_of
from test_store import empty_store, folder_of  # noqa: F401: a fixture

MANY = 10000
DIGEST = digest_of("sha256")


def number(meta, n, uid):
    """The description of a key like another one; its public key is on no curve, which nobody looks at before it is used."""
    public = base64.b64decode(re.search(r"^PublicKey=(.*)$", meta, re.MULTILINE)[1])[:-4] + n.to_bytes(4, "big")
    key = hashlib.sha256(public).hexdigest()[:32]
    values = {"Id": key, "Label": f"number {n}", "Uid": str(uid), "PublicKey": base64.b64encode(public).decode()}
    text = meta.partition("\n[Check]")[0]
    for name, value in values.items():
        text = re.sub(rf"^{name}=.*$", f"{name}={value}", text, flags=re.MULTILINE)
    return key, f"{text}\n[Check]\nDigest={hashlib.sha256(text.encode()).hexdigest()}\n"


def add_many(sandbox, folder, key, n_users):
    """Keys like that one, of the folder's user and those with the uids after his."""
    sandbox.kill("daemon", signal.SIGTERM)
    meta = (folder / f"{key}.meta").read_text()
    pem = (folder / f"{key}.pem").read_bytes()
    for n in range(MANY):
        uid = int(folder.name) + n % n_users
        place = folder.with_name(str(uid))
        place.mkdir(mode=0o700, exist_ok=True)
        made, text = number(meta, n, uid)
        for name, data in ((f"{made}.meta", text.encode()), (f"{made}.pem", pem)):
            (place / name).write_bytes(data)
            (place / name).chmod(0o600)
    for path in folder.parent.rglob("*"):
        shutil.chown(path, "tpmward", "tpmward")


def memory_of(pid):
    """In MB, what is its own."""
    return int(re.search(r"RssAnon:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) / 1024


def processor_ms(pid):
    """For how long the processor has worked for it."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def median_ms(call, rounds):
    times = []
    for _ in range(rounds):
        began = time.monotonic()
        call()
        times.append((time.monotonic() - began) * 1000)
    return statistics.median(times)


def start_ms(sandbox, call):
    """From the start to the name, and to the first answer about keys."""
    began = time.monotonic()
    sandbox.start("daemon")
    named = time.monotonic()
    call()
    return (named - began) * 1000, (time.monotonic() - began) * 1000


@pytest.mark.parametrize("n_users", [1, 1000])
def test_many(sandbox, alice, root, n_users, capsys):
    mine = Keys(alice)
    systems = Keys(root, "SystemKeys")
    systems.call("Persist", systems.create(label="the machine's"), 0x81020001)
    key = mine.create(label="the first")
    sign = lambda: mine.call("Sign", key, "sha256", DIGEST)  # noqa: E731
    sign()
    few = {"sign": median_ms(sign, 50), "memory": memory_of(sandbox.pid("daemon"))}
    folder = folder_of(alice)
    sandbox.kill("daemon", signal.SIGTERM)
    started = start_ms(sandbox, lambda: mine.describe(key))
    add_many(sandbox, folder, key, n_users)
    started_many = start_ms(sandbox, lambda: mine.describe(key))
    sign()
    many = {"sign": median_ms(sign, 50), "memory": memory_of(sandbox.pid("daemon"))}
    worked = processor_ms(sandbox.pid("daemon"))
    mine.call("List")
    listing = processor_ms(sandbox.pid("daemon")) - worked
    with capsys.disabled():
        print(f"\n{MANY} keys of {n_users}: start to name {started_many[0]:.0f} ms (one key: {started[0]:.0f}), to the first answer",
              f"{started_many[1]:.0f} ms ({started[1]:.0f}), Sign {many['sign']:.2f} ms ({few['sign']:.2f}), memory",
              f"{many['memory']:.1f} MB ({few['memory']:.1f}), List of {MANY // n_users}: {listing:.0f} ms of the processor")  # fmt: skip

    labels = mine.labels()
    assert len(labels) == MANY // n_users + 1
    assert labels == sorted(labels)
    assert mine.describe(f"number {MANY - n_users}")["usable"]
    assert started_many[0] < 3000 and started_many[1] < 10000
    assert many["sign"] < 3 * few["sign"] + 5
    assert sandbox.is_sanitized() or many["memory"] - few["memory"] < 40
    # one more is made, and is found
    assert mine.describe(mine.create(label="the last"))["label"] == "the last"
    # the first call waits until all are read
    sandbox.kill("daemon", signal.SIGTERM)
    sandbox.start("daemon")
    assert "the machine's" in [entry.get("label") for entry in systems.call("ListPersistent")]
    systems.call("Evict", 0x81020001)
