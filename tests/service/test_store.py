# SPDX-License-Identifier: LGPL-2.1-or-later
"""The store of keys on disk: what outlives a kill at any moment, a full disk, and files that are not the service's."""

import base64
import hashlib
import os
import pwd
import random
import re
import shutil
import signal
import subprocess
import time

import pytest
import ward
from families import ALGORITHM, IS_20, OWNER_AUTH
from keys import Keys, a_label, digest_of, private_key, public_of, verifies
from ward import DBusError, wait_until

ROUNDS = 200 if IS_20 else 60
OWN_NAME = re.compile(r"[0-9a-f]{32}\.(meta|pem)|uses")
PARENT_NAME = re.compile(r"([0-9a-f]{2}){4,}")
DIGEST = digest_of("sha256")


def parents():
    return [path for path in ward.STATE.iterdir() if PARENT_NAME.fullmatch(path.name)]


def remove_all_keys(sandbox):
    if sandbox.is_running("daemon"):
        sandbox.kill("daemon", signal.SIGTERM)
    for path in parents():
        if path.is_symlink() or not path.is_dir():
            path.unlink()
        else:
            shutil.rmtree(path)


@pytest.fixture(autouse=True)
def empty_store(sandbox):
    remove_all_keys(sandbox)
    sandbox.start("daemon")
    yield
    remove_all_keys(sandbox)
    sandbox.start("daemon")


@pytest.fixture
def mine(alice):
    return Keys(alice)


@pytest.fixture
def his(bob):
    return Keys(bob)


def folder_of(who):
    """Where a user's keys are, who has some."""
    (folder,) = [parent / str(who.uid) for parent in parents() if (parent / str(who.uid)).is_dir()]
    return folder


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def files_of(ids):
    return sorted(f"{each}.{suffix}" for each in ids for suffix in ("meta", "pem"))


def works(keys, key, public=None):
    return verifies(public or keys.public(key), keys.call("Sign", key, "sha256", DIGEST), DIGEST, "sha256")


# The 200 rounds.


class Importable:
    """A private key to import, in the place of a label."""

    def __init__(self):
        self.pem = private_key(ALGORITHM)
        self.id = hashlib.sha256(public_of(self.pem, "DER")).hexdigest()[:32]
        self.is_used = False


class Change:
    """A change under way: what it makes of which keys, by their ids, and of which labels, where the id is not known yet."""

    def __init__(self, pending, key, label, on_done):
        self.pending, self.key, self.label, self.on_done = pending, key, label, on_done

    def settle(self):
        """Whether the service has said that it is done. An error that it gives is none that it may."""
        try:
            value = self.pending.wait()
        except DBusError as error:
            assert not error.name.startswith("org.tpmward1"), error
            return False
        self.on_done(value)
        return True


class Model:
    """What the service has acknowledged: id → label."""

    def __init__(self, keys, importables):
        self.keys = keys
        self.labels = {}
        self.importables = importables
        self.acknowledged = self.interrupted = 0
        self.undecided = []

    def create(self):
        label = a_label()
        pending = self.keys.start("Create", label, ALGORITHM)
        return Change(pending, None, label, lambda key: self.labels.update({key: label}))

    def import_(self):
        one = next(each for each in self.importables if not each.is_used and each.id not in self.labels)
        one.is_used = True
        label = a_label()
        pending = self.keys.start("Import", label, one.pem)
        return Change(pending, one.id, label, lambda key: self.labels.update({key: label}))

    def set_label(self, key):
        label = a_label()
        return Change(self.keys.start("SetLabel", key, label), key, label, lambda _: self.labels.update({key: label}))

    def delete(self, key):
        return Change(self.keys.start("Delete", key), key, None, lambda _: self.labels.pop(key))

    def begin(self, chance):
        """Some changes of different keys, one after the other without waiting."""
        targets = chance.sample(sorted(self.labels), min(len(self.labels), 2))
        # never as many keys that there is none left to import
        grown = len(self.labels) >= len(self.importables) - 4
        changes = [] if grown else [self.create if len(self.labels) < 12 else self.import_, self.import_]
        changes += [lambda key=key: chance.choice((self.set_label, self.delete))(key) for key in targets]
        chance.shuffle(changes)
        return [change() for change in changes[: chance.randint(1, 4)]]

    def settle(self, changes):
        for change in changes:
            if change.settle():
                self.acknowledged += 1
            else:
                self.interrupted += 1
                self.undecided.append(change)

    def take(self, listed):
        """What was under way may have come to be or not; all else is as it was acknowledged."""
        found = {each["id"]: each["label"] for each in listed}
        for change in self.undecided:
            key = change.key or next((key for key, label in found.items() if label == change.label), None)
            if change.label is None and key not in found:
                self.labels.pop(key)
            elif key in found and found[key] == change.label:
                self.labels[key] = change.label
        self.undecided = []
        for one in self.importables:
            one.is_used = False
        assert found == self.labels
        assert all(each["usable"] for each in listed)


def test_kill(sandbox, alice, mine):
    """Killed at any moment: each key that was acknowledged works, no other is there, and nothing is left lying about."""
    seed = int.from_bytes(os.urandom(4), "big")
    print(f"seed {seed}")
    chance = random.Random(seed)
    model = Model(mine, [Importable() for _ in range(24)])
    longest = 0.03
    for _ in range(ROUNDS):
        before = model.acknowledged
        changes = model.begin(chance)
        moment = time.monotonic() + chance.random() * longest
        wait_until(lambda: time.monotonic() >= moment, why="the moment")  # noqa: B023: it is waited for here
        sandbox.kill("daemon")
        model.settle(changes)
        sandbox.start("daemon")
        model.take(mine.call("List"))
        if model.labels:
            assert names_in(folder_of(alice)) == files_of(model.labels)
            assert works(mine, chance.choice(sorted(model.labels)))
        # however fast the machine is just now, some are done and some are not
        longest = min(longest * 1.2, 1) if model.acknowledged == before else max(longest * 0.9, 0.01)
    print(f"{model.acknowledged} changes were acknowledged, and {model.interrupted} interrupted")
    assert model.acknowledged > ROUNDS / 10 and model.interrupted > ROUNDS / 10
    assert all(works(mine, key) for key in model.labels)


# Full disks.


@pytest.fixture
def small_disk(sandbox):
    """The service's state lies on a disk with little room."""
    sandbox.kill("daemon", signal.SIGTERM)
    user = pwd.getpwnam("tpmward")
    settings = f"size=192k,mode=0700,uid={user.pw_uid},gid={user.pw_gid}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", settings, "tmpfs", ward.STATE], check=True)
    sandbox.start("daemon")
    yield
    if sandbox.is_running("daemon"):
        sandbox.kill("daemon", signal.SIGTERM)
    subprocess.run(["umount", ward.STATE], check=True)
    sandbox.start("daemon")


def fill(mine):
    """Makes keys until there is no room for more."""
    made = []
    while len(made) < 100:
        try:
            made.append(mine.create())
        except DBusError as error:
            assert error.name == ward.ERROR + "NoSpace"
            assert "Make room" in error.message
            return made
    raise AssertionError("the disk does not become full")


def test_no_space(sandbox, alice, mine, small_disk):
    """Nothing is lost, and nothing half is left; what frees room goes on working."""
    made = fill(mine)
    assert len(made) > 5
    labels = mine.labels()
    for _ in range(2):
        assert mine.error("Create", "one more", ALGORITHM) == "NoSpace"
        assert mine.error("Import", "one more", private_key(ALGORITHM), **OWNER_AUTH) == "NoSpace"
        for key in made[:3]:
            label = mine.describe(key)["label"]
            # at the end of a disk there may be room for one small file, and none for more
            try:
                mine.call("SetLabel", key, label + "'" * 90)
                mine.call("SetLabel", key, label)
            except DBusError as error:
                assert error.name == ward.ERROR + "NoSpace"
        assert mine.labels() == labels
        assert all(works(mine, key) for key in made)
        assert [name for name in names_in(folder_of(alice)) if name != "uses"] == files_of(made)
        sandbox.restart("daemon")
    mine.call("Delete", made[0])
    key = mine.create()
    assert works(mine, key)
    assert mine.error("Describe", made[0]) == "NotFound"


# Files that are not as the service has left them.


def give(path):
    shutil.chown(path, "tpmward", "tpmward")


def write(path, data, mode=0o600):
    path.write_bytes(data)
    path.chmod(mode)
    give(path)


def truncate(path):
    os.truncate(path, 40)


def empty(path):
    os.truncate(path, 0)


def change_one_byte(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def let_others_write(path):
    path.chmod(0o666)


def give_away(path):
    os.chown(path, 1, 1)


def link(path):
    target = path.with_name("elsewhere")
    path.rename(target)
    path.symlink_to(target)


def make_pipe(path):
    path.unlink()
    os.mkfifo(path, 0o600)
    give(path)


def make_folder(path):
    path.unlink()
    path.mkdir(mode=0o700)
    give(path)


def grow(path):
    write(path, path.read_bytes() + b"#" * 1024 * 1024)


HARMS = [truncate, empty, change_one_byte, let_others_write, give_away, link, make_pipe, make_folder, grow, os.unlink]


def findings(who, method="Diagnose"):
    return {each["id"]: each for each in who.call(f"Manager.{method}")}


def snapshot(folder):
    return {path.name: path.lstat()[:7] for path in folder.iterdir()}


@pytest.mark.parametrize("suffix", ["pem", "meta"])
@pytest.mark.parametrize("harm", HARMS, ids=lambda harm: harm.__name__)
def test_damaged(sandbox, alice, bob, root, mine, his, harm, suffix):
    """It is told of to whose it is, kept, and in nobody's way."""
    sound, hurt, bobs = mine.create(), mine.create(label="hurt"), his.create()
    folder = folder_of(alice)
    path = folder / f"{hurt}.{suffix}"
    sandbox.kill("daemon", signal.SIGTERM)
    harm(path)
    before = snapshot(folder)
    sandbox.start("daemon")

    assert works(mine, sound) and works(his, bobs)
    if suffix == "pem":
        told = mine.describe("hurt")
        assert told["usable"] is False
        assert str(path) in told["problem"] and "damaged" in told["problem"]
        error = mine.full_error("Sign", hurt, "sha256", DIGEST)
        assert (error.name, error.message) == (ward.ERROR + "Corrupt", told["problem"])
        assert mine.error("Export", hurt) == "Corrupt"
    else:
        assert mine.error("Describe", "hurt") == "NotFound"
    reported = path if suffix == "pem" or harm is not os.unlink else path.with_suffix(".pem")
    finding = findings(alice)["store-damaged"]
    assert finding["severity"] == "warning" and finding["repair"] == ""
    assert str(reported) in finding["detail"]
    assert str(folder) not in str(findings(bob)["store-damaged"])
    assert "other users" in findings(bob)["store-damaged"]["detail"]
    assert str(reported) in findings(root, "DiagnoseAll")["store-damaged"]["detail"]
    assert "store-damaged" not in sandbox.log().partition("CRITICAL")[2]
    after = snapshot(folder)
    after.pop("uses", None)
    assert after == before


def test_damaged_is_deleted(sandbox, alice, mine):
    """And then its label is free, and nothing is told of it any more."""
    hurt = mine.create(label="hurt")
    sandbox.kill("daemon", signal.SIGTERM)
    truncate(folder_of(alice) / f"{hurt}.pem")
    sandbox.start("daemon")
    assert mine.error("Create", "hurt", ALGORITHM) == "Exists"
    assert "store-damaged" in findings(alice)
    mine.call("Delete", "hurt")
    again = mine.create(label="hurt")
    assert works(mine, again)
    assert names_in(folder_of(alice)) == files_of([again])
    wait_until(lambda: "store-damaged" not in findings(alice), why="the finding to go")


def test_damaged_while_it_runs(alice, mine):
    """What the service does not look at any more goes on working; what it must look at is told of."""
    key = mine.create(label="hurt", auth="secret")
    path = folder_of(alice) / f"{key}.pem"
    truncate(path)
    seen = alice.subscribe(interface="org.tpmward1.Keys", member="Changed")
    results = []
    for _ in range(2):
        try:
            mine.call("Export", key)
            results.append("")
        except DBusError as error:
            results.append(error.name)
    assert results[0] == results[1]
    if results[0]:
        assert results[0] == ward.ERROR + "Corrupt"
        assert mine.describe(key)["usable"] is False
        seen.wait()
        assert str(path) in findings(alice)["store-damaged"]["detail"]


def test_restored(sandbox, alice, mine):
    """What comes back from a backup is used again."""
    key = mine.create()
    path = folder_of(alice) / f"{key}.pem"
    backup = path.read_bytes()
    for content, usable in ((b"x", False), (backup, True)):
        sandbox.kill("daemon", signal.SIGTERM)
        write(path, content)
        sandbox.start("daemon")
        assert mine.describe(key)["usable"] is usable
    assert works(mine, key)


def test_foreign_files(sandbox, alice, root, mine):
    """At each place of the tree there are things that are no keys."""
    key = mine.create()
    folder = folder_of(alice)
    parent = folder.parent
    sandbox.kill("daemon", signal.SIGTERM)
    write(folder / "README", b"x")
    os.mkfifo(folder / "pipe")
    (folder / "sub").mkdir()
    (folder / f"{'0' * 32}.meta").symlink_to("/etc/passwd")
    (folder / "new\nline \xff.meta".encode("latin-1").decode("utf-8", "surrogateescape")).touch()
    (parent / "01500").mkdir()
    (parent / "root").mkdir()
    (parent / "1501").symlink_to(folder)
    (parent / "1502").mkdir()
    write(parent / "1503", b"x")
    (ward.STATE / ("0" * 68)).symlink_to(parent)
    sandbox.start("daemon")

    assert works(mine, key)
    assert [each["id"] for each in mine.call("List")] == [key]
    detail = findings(root, "DiagnoseAll")["store-damaged"]["detail"]
    assert "it bears no name that the service gives to a file" in detail
    told = [line for line in detail.splitlines() if line.startswith(str(ward.STATE))]
    # those that are too many are counted
    assert len(told) + int(re.search(r"And (\d+) more", detail)[1]) == 11
    assert (folder / "README").exists() and (parent / "1501").is_symlink()


def test_modes(alice, root, mine):
    """Nobody but the service gets at the files, whatever was read from others."""
    system = Keys(root, "SystemKeys")
    mine.create()
    system.create()
    user = pwd.getpwnam("tpmward").pw_uid
    paths = [path for parent in parents() for path in (parent, *parent.rglob("*"))]
    assert len(paths) == 1 + 2 * 3
    for path in paths:
        status = path.lstat()
        assert status.st_uid == user
        assert status.st_mode & 0o7777 == (0o700 if path.is_dir() else 0o600), path
    assert not os.access(ward.STATE, os.R_OK, effective_ids=True) or os.geteuid() == 0
    done = subprocess.run(["runuser", "-u", "ward-alice", "--", "ls", ward.STATE], capture_output=True, check=False)
    assert done.returncode != 0


def test_files_are_what_others_read(alice, mine):
    """The private half is the PEM that Export gives, and of what is known of a key nothing is secret."""
    key = mine.create(auth="the secret", comment="a comment")
    folder = folder_of(alice)
    assert (folder / f"{key}.pem").read_text() == mine.call("Export", key)
    meta = (folder / f"{key}.meta").read_text()
    assert "a comment" in meta
    for text in (b"the secret", hashlib.sha256(b"the secret").digest(), base64.b64encode(b"the secret")):
        assert text not in meta.encode() and text not in (folder / f"{key}.pem").read_bytes()


def test_uses_outlive_a_restart(sandbox, mine):
    key = mine.create()
    for _ in range(3):
        mine.call("Sign", key, "sha256", DIGEST)
    before = mine.describe(key)
    assert before["uses"] == 3
    sandbox.restart("daemon")
    after = mine.describe(key)
    assert (after["uses"], after["last-used"]) == (3, before["last-used"])
