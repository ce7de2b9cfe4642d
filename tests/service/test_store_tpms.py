# SPDX-License-Identifier: LGPL-2.1-or-later
"""Keys and their TPM: what becomes of them when it is cleared, or another takes its place, and what of that is told before."""

import shutil
import signal

import pytest
import ward
from keys import Keys, digest_of, private_key
from test_clear import clear, no_notice, preview  # noqa: F401: a fixture
from test_lockout import fresh_lockout  # noqa: F401: a fixture
from test_store import empty_store, folder_of, works  # noqa: F401: a fixture

DIGEST = digest_of("sha256")
SWTPM = ward.ROOT / "swtpm/state"


@pytest.fixture
def mine(alice):
    return Keys(alice)


def assert_dead(keys, key):
    """It is listed, and says why it cannot be used."""
    told = keys.describe(key)
    assert told["usable"] is False
    assert "another TPM" in told["problem"] and "cleared" in told["problem"]
    error = keys.full_error("Sign", key, "sha256", DIGEST)
    assert (error.name, error.message) == (ward.ERROR + "Corrupt", told["problem"])


@pytest.mark.parametrize("has_srk", [True, False], ids=["srk", "no-srk"])
def test_cleared(sandbox, root, alice, mine, has_srk):
    """It is told before Clear returns, and stays so; a new key of the same label must have the old one deleted."""
    if has_srk:
        root.call("Ownership.ProvisionSrk", "a{sv}", {})
    key = mine.create(label="mail")
    assert mine.describe(key)["parent"] == (0x81000001 if has_srk else 0x40000001)
    seen = alice.subscribe(interface="org.tpmward1.Keys", member="Changed")
    clear(root)
    assert_dead(mine, key)
    assert seen.all()
    files = sorted(folder_of(alice).iterdir())
    later = mine.create(label="post")
    assert works(mine, later)
    sandbox.restart("daemon")
    assert works(mine, later)
    # without a storage root key the chip is asked, which is no hindrance meanwhile
    ward.wait_until(lambda: not mine.describe(key)["usable"], why="the chip to be asked")
    assert_dead(mine, key)
    assert [path for path in files if not path.exists() and path.name != "uses"] == []
    assert mine.error("Create", "mail", "ecc-p256") == "Exists"
    mine.call("Delete", "mail")
    assert works(mine, mine.create(label="mail"))


def test_srk_comes_and_goes(sandbox, root, mine):
    """The key that is made for the moment and the one that is provisioned are the same."""
    key = mine.create()
    assert mine.describe(key)["parent"] == 0x40000001
    root.call("Ownership.ProvisionSrk", "a{sv}", {})
    assert mine.describe(key)["usable"] and works(mine, key)
    second = mine.create()
    assert mine.describe(second)["parent"] == 0x81000001
    sandbox.tpm2("tpm2_evictcontrol", "-Q", "-C", "o", "-c", "0x81000001")
    for each in (key, second):
        assert mine.describe(each)["usable"] and works(mine, each)


def test_cleared_behind_its_back(sandbox, mine):
    key = mine.create()
    sandbox.tpm2("tpm2_clear", "-c", "p")
    ward.wait_until(lambda: not mine.describe(key)["usable"], why="the chip to be asked")
    assert_dead(mine, key)


def test_cleared_while_it_runs(mine):
    """The first use that the chip refuses shows it."""
    key = mine.create()
    assert works(mine, key)
    assert ward.run_tpm2("tpm2_clear", "-c", "p").returncode == 0
    assert mine.error("Sign", key, "sha256", DIGEST) == "Corrupt"
    ward.wait_until(lambda: not mine.describe(key)["usable"], why="the chip to be looked at")
    assert_dead(mine, key)
    assert works(mine, mine.create())


@pytest.fixture
def swap(sandbox):
    """swap(): another TPM is in the place of this one, or this one again."""
    other = SWTPM.with_name("other")
    other.mkdir(mode=0o700)

    def exchange(keeps_service):
        if not keeps_service:
            sandbox.kill("daemon", signal.SIGTERM)
        sandbox.kill("swtpm")
        SWTPM.rename(SWTPM.with_name("third"))
        other.rename(SWTPM)
        SWTPM.with_name("third").rename(other)
        sandbox.start("swtpm")
        # these two, which are of one make and have no certificates, differ in how often they were switched on
        for _ in range(3 * exchange.count):
            sandbox.kill("swtpm")
            sandbox.start("swtpm")
        if not keeps_service:
            sandbox.start("daemon")
        exchange.count += 1

    exchange.count = 0
    yield exchange
    if exchange.count % 2:
        exchange(False)
    shutil.rmtree(other)


@pytest.mark.parametrize("keeps_service", [True, False], ids=["running", "restarted"])
@pytest.mark.parametrize("has_srk", [True, False], ids=["srk", "no-srk"])
def test_replaced(sandbox, root, alice, mine, swap, has_srk, keeps_service):
    """Another TPM cannot use its keys; when it is back they are used again."""
    if has_srk:
        root.call("Ownership.ProvisionSrk", "a{sv}", {})
    key = mine.create(label="mail")
    swap(keeps_service)
    alice.call("Tpm.Refresh")
    ward.wait_until(lambda: not mine.describe(key)["usable"], why="the chip to be asked")
    assert_dead(mine, key)
    if has_srk:
        root.call("Ownership.ProvisionSrk", "a{sv}", {})
    others = mine.create(label="post")
    assert works(mine, others)
    swap(keeps_service)
    alice.call("Tpm.Refresh")
    ward.wait_until(lambda: mine.describe(key)["usable"], why="the first TPM")
    assert works(mine, key)
    ward.wait_until(lambda: not mine.describe(others)["usable"], why="the chip to be asked")
    assert_dead(mine, others)


def test_away_for_a_moment(sandbox, alice, mine):
    key = mine.create()
    sandbox.kill("swtpm")
    ward.wait_until(lambda: alice.get("Tpm.State") == "unreachable", why="its absence to be seen")
    assert mine.describe(key)["usable"]
    assert mine.error("Sign", key, "sha256", DIGEST) == "Unreachable"
    sandbox.start("swtpm")
    ward.wait_until(lambda: alice.get("Tpm.State") == "ready", why="the TPM")
    assert works(mine, key)


def by_subject(entries):
    return {entry["subject"]: entry for entry in entries if entry["kind"] == "key"}


def test_preview(alice, bob, root, mine):
    """One's own and the machine's keys are named, others' are counted; an administrator has them named."""
    made = mine.create(label="made")
    mine.call("Import", "imported", private_key("ecc-p256"))
    Keys(root, "SystemKeys").create(label="the machine's")
    for label in ("bobs", "bobs second"):
        Keys(bob).create(label=label)

    entries = preview(alice)
    found = by_subject(entries)
    assert set(found) == {"made", "imported", "the machine's"}
    expected = {
        "owner": "ward-alice", "uid": alice.uid, "recoverable": "no", "algorithm": "ecc-p256", "id": made, "confidence": "sure",
    }  # fmt: skip
    assert expected.items() <= found["made"].items()
    assert found["imported"]["recoverable"] == "unknown" and "if the original was kept" in found["imported"]["reason"]
    assert (found["the machine's"]["owner"], found["the machine's"]["uid"]) == ("root", 0)
    (others,) = [entry for entry in entries if entry["kind"] == "other-users"]
    assert others["count"] == 2
    assert "bobs" not in str(entries)

    found = by_subject(preview(root, "PreviewClearAll"))
    assert set(found) == {"made", "imported", "the machine's", "bobs", "bobs second"}
    assert found["bobs"]["owner"] == "ward-bob"


def test_preview_after_a_clear(root, alice, mine):
    """What is gone already is not taken away again."""
    mine.create(label="old")
    clear(root)
    mine.create(label="new")
    assert set(by_subject(preview(alice))) == {"new"}
