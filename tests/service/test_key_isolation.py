# SPDX-License-Identifier: LGPL-2.1-or-later
"""What one user cannot learn of another's keys, nor do with them; and that users do not stand in each other's way."""

import base64
import hashlib
import os
import shutil
import signal
import statistics
import subprocess
import time
from pathlib import Path

import pytest

import ward
from families import ALGORITHM, LINK, OTHER_USAGE, PARENT, renew
from keys import Keys, a_label, digest_of, openssl, private_key, public_of, verifies
from test_keys_use import use_other
from test_worker import in_receive
from ward import Caller

DIGEST = digest_of("sha256")
DIGESTS = [digest_of("sha256", bytes([number])) for number in range(64)]
NEVER = "0123456789abcdef0123456789abcdef"

# each method that takes a key, with arguments that are right for one that signs, decrypts or agrees
ATTEMPTS = [
    ("Describe",), ("GetPublicKey", "pem"), ("Sign", "sha256", DIGEST), ("Decrypt", bytes(256)),
    ("Agree", public_of(private_key("ecc-p256"), "DER")), ("Export",), ("SetLabel", "taken over"), ("SetComment", "was here"),
    ("ChangeAuth",), ("Delete",),
]  # fmt: skip
WITH_AUTH = {"Sign": "auth", "Decrypt": "auth", "Agree": "auth", "ChangeAuth": "old"}


@pytest.fixture
def hers(alice):
    return Keys(alice)


@pytest.fixture
def his(bob):
    return Keys(bob)


@pytest.fixture
def held(sandbox):
    """The TPM ends no command until held.release ()."""

    class Held:
        def hold(self):
            os.kill(sandbox.pid(LINK), signal.SIGSTOP)
            self.first = sandbox.root.start("SelfTest.GetResult")
            ward.wait_until(lambda: in_receive(sandbox), why="the worker to wait for the TPM")

        def release(self):
            os.kill(sandbox.pid(LINK), signal.SIGCONT)
            assert self.first.wait()[0] is True

    return Held()


def same_error(keys, method, name, never, *arguments, **values):
    """The error for a key by that name is to the letter the one for a key that was never made."""
    error = keys.full_error(method, name, *arguments, **values)
    expected = keys.full_error(method, never, *arguments, **values)
    assert (error.name, error.message) == (expected.name, expected.message), method
    assert error.name == ward.ERROR + "NotFound"
    assert name not in error.message


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda attempt: attempt[0])
@pytest.mark.parametrize("interface", ["Keys", "SystemKeys"])
def test_anothers_key_is_like_one_that_never_was(sandbox, alice, bob, attempt, interface):
    method, *arguments = attempt
    label = a_label()
    key = Keys(alice).create(label=label, usage=["sign", OTHER_USAGE], auth="sesame", comment="hers")
    before = Keys(alice).describe(key)
    failures = alice.get("Lockout.Failures")
    his = Keys(bob, interface)
    same_error(his, method, key, NEVER, *arguments)
    same_error(his, method, key.upper(), NEVER.upper(), *arguments)
    same_error(his, method, label, a_label(), *arguments)
    if method in WITH_AUTH:
        same_error(his, method, key, NEVER, *arguments, **{WITH_AUTH[method]: "sesame"})
        same_error(his, method, key, NEVER, *arguments, **{WITH_AUTH[method]: "wrong"})
    assert Keys(alice).describe(key) == before
    assert alice.get("Lockout.Failures") == failures
    assert Keys(alice).call("Sign", key, "sha256", DIGEST, auth="sesame")


def test_lists_are_apart(hers, his):
    mine, other = hers.create(), his.create()
    assert mine in [each["id"] for each in hers.call("List")] and other not in [each["id"] for each in hers.call("List")]
    assert {each["uid"] for each in his.call("List")} == {his.who.uid}
    assert his.who.error("SystemKeys.ListAll").name == ward.ERROR + "NotAuthorized"


def test_the_same_private_key_of_two_users(hers, his):
    """They have the same id, and what one does with it is nothing to the other."""
    private = private_key(ALGORITHM)
    label = a_label()
    key = hers.call("Import", label, private)
    assert his.call("Import", label, private) == key
    his.call("SetLabel", key, "his own")
    his.call("ChangeAuth", key)
    his.call("Delete", key)
    assert his.error("Describe", key) == "NotFound"
    assert hers.describe(key)["label"] == label
    assert verifies(hers.public(key), hers.call("Sign", key, "sha256", DIGEST), DIGEST, "sha256")


def test_signals_tell_nobody_else(sandbox, root, hers, his, alice, bob):
    """Nothing at all reaches bob, whatever he listens to; and on the bus it is addressed to alice alone."""
    hers.call("List")
    his.call("List")
    heard = bob.subscribe()
    expected = alice.subscribe(interface="org.tpmward1.Keys", member="Changed")
    with ward.Monitor(root, "type='signal',interface='org.tpmward1.Keys'") as monitor:
        key = hers.create()
        hers.call("SetLabel", key, a_label())
        hers.call("ChangeAuth", key)
        hers.call("Sign", key, "sha256", DIGEST)
        hers.call("Delete", key)
        assert len(expected.all()) == 4
        bob.get("Tpm.State")
        assert [seen for seen in heard.all() if "Keys" in seen.interface] == []
        messages = monitor.all()
    assert len(messages) == 4
    assert {message.get("destination") for message in messages} == {alice.name}


def test_time_does_not_tell(hers, his):
    """The set that is searched is bob's own whichever name he gives: alice's hundred keys and their use change nothing."""
    label = a_label()
    key = hers.create(label=label)
    for _ in range(20):
        hers.create()
    for method, *arguments in (("Describe",), ("Sign", "sha256", DIGEST)):
        for there, never in ((key, NEVER), (label, a_label())):
            taken = {there: [], never: []}
            for turn in range(100):
                hers.call("Sign", key, "sha256", DIGEST)
                # each as often right after that call as the other
                for name in (there, never, never, there) if turn % 2 else (never, there, there, never):
                    start = time.perf_counter()
                    his.full_error(method, name, *arguments)
                    taken[name].append(time.perf_counter() - start)
            first, second = (statistics.median(times) for times in taken.values())
            assert abs(first - second) < 0.2 * max(first, second), (method, first, second)


def in_group(user, group):
    subprocess.run(["groupadd", "--force", group], check=True)
    subprocess.run(["gpasswd", "--add", user, group], check=True, capture_output=True)


def test_a_system_key_is_usable_by_exactly_whom_a_rule_allows(sandbox, root, callers, alice):
    system = Keys(root, "SystemKeys")
    label = a_label()
    key, other = system.create(label=label, usage=["sign", OTHER_USAGE]), system.create()
    in_group("ward-bob", "ward-signers")
    bob = callers("ward-bob")  # whose groups are read anew
    sandbox.write_rule(
        "40-signers",
        f"""if (action.id == "org.tpmward.use-system-key" && action.lookup("key") == "{key}"
            && action.lookup("key-label") == "{label}" && action.lookup("tpm") == "tpm0" && subject.isInGroup("ward-signers"))
          return polkit.Result.YES;""",
    )
    by_bob, by_alice = Keys(bob, "SystemKeys"), Keys(alice, "SystemKeys")
    for name in (key, label):
        assert verifies(system.public(key), by_bob.call("Sign", name, "sha256", DIGEST), DIGEST, "sha256")
        use_other(by_bob, name)
        assert by_alice.error("Sign", name, "sha256", DIGEST) == "NotAuthorized"
    assert by_bob.error("Sign", other, "sha256", DIGEST) == "NotAuthorized"
    for method, *arguments in (("Export",), ("SetLabel", a_label()), ("SetComment", ""), ("ChangeAuth",), ("Delete",)):
        assert by_bob.error(method, key, *arguments) == "NotAuthorized", method

    # the rule is about this key by this name: neither the one nor the other alone will do
    system.call("SetLabel", key, a_label())
    system.call("SetLabel", other, label)
    for name in (key, other, label):
        assert by_bob.error("Sign", name, "sha256", DIGEST) == "NotAuthorized"
    sandbox.remove_rules()
    system.call("SetLabel", other, a_label())
    system.call("SetLabel", key, label)
    assert by_bob.error("Sign", key, "sha256", DIGEST) == "NotAuthorized"


def rename_user(old, new):
    path = Path("/etc/passwd")
    lines = [line if line.split(":")[0] != old else ":".join([new, *line.split(":")[1:]]) for line in path.read_text().splitlines()]
    path.write_text("\n".join(lines) + "\n")


@pytest.fixture
def carol(sandbox):
    """A user of a new uid, whose entry goes after the test."""
    path = Path("/etc/passwd")
    before = path.read_text()
    path.write_text(before + "ward-carol:x:1510:1510::/nonexistent:/bin/bash\n")
    yield "ward-carol"
    path.write_text(before)


def test_a_uid_that_has_passed_to_another_user(sandbox, carol):
    """Who has the uid now sees what is left there, and may clear it away, but uses nothing of it."""
    with Caller(carol) as who:
        label = a_label()
        key = Keys(who).create(label=label, usage=["sign", OTHER_USAGE])
        assert Keys(who).describe(key)["usable"] is True
    rename_user(carol, "ward-dave")
    sandbox.restart("daemon")  # names are looked up again a minute later, or by a new service
    with Caller("ward-dave") as who:
        keys = Keys(who)
        told = keys.describe(label)
        assert told["usable"] is False and "ward-carol" in told["problem"] and "ward-dave" in told["problem"]
        assert [each["id"] for each in keys.call("List")] == [key]
        for method, *arguments in (
            ("Sign", "sha256", DIGEST),
            ("Agree", public_of(private_key("ecc-p256"), "DER")),
            ("Export",),
            ("ChangeAuth",),
        ):
            assert keys.error(method, key, *arguments) == "NotAuthorized", method
        own = keys.create()
        assert keys.call("Sign", own, "sha256", DIGEST)
    rename_user("ward-dave", carol)
    sandbox.restart("daemon")
    with Caller(carol) as who:
        assert Keys(who).call("Sign", key, "sha256", DIGEST)
        assert Keys(who).describe(own)["usable"] is False
        Keys(who).call("Delete", own)


def test_a_withdrawn_creation_leaves_nothing(held, hers, alice):
    label = a_label()
    held.hold()
    waiting = hers.start("Create", label, ALGORITHM)
    alice.get("Tpm.State")
    alice.call("Manager.Cancel", "u", waiting.serial)
    assert waiting.error().name == ward.ERROR + "Cancelled"
    # the place is free at once
    again = hers.start("Create", label, ALGORITHM)
    held.release()
    key = again.wait()
    assert [each["id"] for each in hers.call("List") if each["label"] == label] == [key]


def test_creations_of_who_leaves_leave_nothing_or_a_whole_key(sandbox, held, hers):
    labels = [a_label() for _ in range(12)]
    held.hold()
    with Caller("ward-alice") as leaver:
        for label in labels:
            Keys(leaver).start("Create", label, ALGORITHM)
        assert hers.start("Create", labels[0], ALGORITHM).error().name == ward.ERROR + "Exists"
    # their places are free once the service has seen that they left
    mine = []

    def taken_again():
        call = hers.start("Create", labels[0], ALGORITHM)
        hers.who.get("Tpm.State")
        mine.append(call)
        return not call.is_done()

    ward.wait_until(taken_again, why="the calls of who has left to be dropped")
    held.release()
    key = mine[-1].wait()
    assert [each["id"] for each in hers.call("List") if each["label"] in labels] == [key]
    assert hers.call("Sign", key, "sha256", DIGEST)


@pytest.mark.parametrize("at", range(4))
def test_who_leaves_while_the_chip_is_at_it(sandbox, hers, at):
    """Without a place to hold it: whatever was under way ends well or not at all."""
    labels = [a_label() for _ in range(8)]
    with Caller("ward-alice") as leaver:
        calls = [Keys(leaver).start("Create", label, ALGORITHM) for label in labels]
        calls[at].wait()
    label = a_label()
    hers.create(label=label)  # behind all of them
    made = {each["label"]: each["id"] for each in hers.call("List") if each["label"] in labels}
    assert set(labels[: at + 1]) <= set(made)
    for key in made.values():
        assert verifies(hers.public(key), hers.call("Sign", key, "sha256", DIGEST), DIGEST, "sha256")
    sandbox.restart("daemon")
    assert {each["label"] for each in hers.call("List") if each["label"] in labels} == set(made)


def test_a_flood_of_one_users_leaves_another_their_turn(hers, his, callers):
    """sixty slow calls of alice's over three connections, and bob's is done after one or two of them."""
    key = his.create()
    his.call("Sign", key, "sha256", DIGEST)
    others = [hers, Keys(callers("ward-alice")), Keys(callers("ward-alice"))]
    many = [others[index % 3].start("Create", a_label(), "rsa2048") for index in range(60)]
    done = sum(call.is_done() for call in many)
    waits = []
    for _ in range(3):
        his.call("Sign", key, "sha256", DIGEST)
        waits.append(sum(call.is_done() for call in many))
    for each in others:
        each.who.leave()
    assert waits[0] - done <= 3 and waits[2] - done <= 9, (done, waits)


def test_eight_callers_are_served_evenly(sandbox, held, callers):
    users = ["root", "ward-admin", "ward-alice", "ward-bob"] * 2
    everybody = [Keys(callers(user)) for user in users]
    names = [keys.create() for keys in everybody]
    for keys, name in zip(everybody, names, strict=True):
        keys.call("Sign", name, "sha256", DIGEST)
    held.hold()
    calls = [[keys.start("Sign", name, "sha256", digest) for digest in DIGESTS[:25]] for keys, name in zip(everybody, names, strict=True)]
    for keys in everybody:
        keys.who.get("Tpm.State")
    held.release()
    ward.wait_until(lambda: any(all(call.is_done() for call in each) for each in calls), why="somebody's last call")
    counts = [sum(call.is_done() for call in each) for each in calls]
    assert min(counts) >= 18, counts
    for keys, name, each in zip(everybody, names, calls, strict=True):
        public = keys.public(name)
        assert len({call.wait() for call in each}) == 25
        assert verifies(public, each[0].wait(), DIGESTS[0], "sha256")


def test_a_user_may_have_64_calls(held, hers, his):
    key, other = hers.create(), his.create()
    held.hold()
    waiting = [hers.start("Sign", key, "sha256", digest) for digest in DIGESTS]
    assert hers.start("Sign", key, "sha256", DIGEST).error().name == ward.ERROR + "Busy"
    assert hers.error("List") == "Busy"
    assert his.describe(other)["id"] == other
    held.release()
    assert len({call.wait() for call in waiting}) == 64


STORED = """[Key]
Version=1
Id={id}
Label={label}
Comment={comment}
UserName=ward-alice
Tpm=tpm0
ParentName={parent}
Fingerprint=SHA256:none
PrivateDigest={digest}
HasAuth=false
NoDa=true
Imported=false
Usage=sign;
Algorithm={algorithm}
Scope=user
Uid=1500
Parent={parent_handle}
Created=1
PublicKey={public}
"""


@pytest.fixture
def full(request, sandbox, hers):
    """alice has 20,000 keys, each with a comment of so many characters; one can be used."""
    sandbox.kill("daemon", signal.SIGTERM)
    for folder in ward.STATE.glob(f"*/{hers.who.uid}"):
        shutil.rmtree(folder)
    sandbox.start("daemon")
    renew(sandbox)
    key = hers.create(label="the real one")
    sandbox.kill("daemon", signal.SIGTERM)
    (meta,) = ward.STATE.glob(f"*/{hers.who.uid}/{key}.meta")
    folder, text = meta.parent, meta.read_text()
    pem = meta.with_suffix(".pem").read_bytes()
    uid, gid = meta.stat().st_uid, meta.stat().st_gid
    digest = hashlib.sha256(pem).hexdigest()
    for number in range(19_999):
        public = b"a public key %d" % number
        id_ = hashlib.sha256(public).hexdigest()[:32]
        fields = {"id": id_, "label": f"key {number}", "comment": "\U0001f511" * request.param, "parent": folder.parent.name}
        text = STORED.format(**fields, digest=digest, public=base64.b64encode(public).decode(), algorithm=ALGORITHM, parent_handle=PARENT)
        text += f"\n[Check]\nDigest={hashlib.sha256(text.encode()).hexdigest()}\n"
        for name, content in ((f"{id_}.meta", text.encode()), (f"{id_}.pem", pem)):
            fd = os.open(folder / name, os.O_WRONLY | os.O_CREAT, 0o600)
            os.fchown(fd, uid, gid)
            os.write(fd, content)
            os.close(fd)
    sandbox.start("daemon")
    yield hers
    sandbox.kill("daemon", signal.SIGTERM)
    shutil.rmtree(folder.parent)
    sandbox.start("daemon")


@pytest.mark.parametrize("full", [1024], indirect=True)
def test_the_most_keys_that_a_user_may_have(sandbox, full, root):
    """They are the most, and their list, which the bus would not carry, does not end the service."""
    pid = sandbox.pid("daemon")
    assert full.error("Create", a_label(), ALGORITHM) == "NoSpace"
    assert full.error("Import", a_label(), private_key(ALGORITHM)) == "NoSpace"
    assert full.call("Sign", "the real one", "sha256", DIGEST)
    assert full.error("List") == "NoSpace"
    assert Keys(root, "SystemKeys").error("ListAll") == "NoSpace"
    full.call("Delete", "the real one")
    assert full.create()
    assert full.error("Create", a_label(), ALGORITHM) == "NoSpace"
    assert sandbox.pid("daemon") == pid and sandbox.is_running("daemon")


@pytest.mark.parametrize("full", [0, 1024], indirect=True)
def test_long_lists_keep_nobody_else_waiting(full, his, callers):
    key = his.create()
    his.call("Sign", key, "sha256", DIGEST)
    other = Keys(callers("ward-alice"))
    for _ in range(40):
        other.start("List")
    waits = []
    for _ in range(5):
        start = time.monotonic()
        his.call("Sign", key, "sha256", DIGEST)
        waits.append(time.monotonic() - start)
    other.who.leave()
    assert statistics.median(waits) < 0.5 and max(waits) < 2, waits
