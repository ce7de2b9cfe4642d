# SPDX-License-Identifier: LGPL-2.1-or-later
"""A user's keys: how they are made, told of, found, renamed and deleted, and what cannot be."""

import base64
import hashlib
import os
import pwd
import signal
import time
from pathlib import Path

import pytest
import ward
from caller import Variant
from families import ALGORITHM, ALGORITHMS, KINDS, PARENT
from keys import Keys, a_label, handle, memfd, openssl, options, verifies

DESCRIPTION = {
    "id": str, "label": str, "algorithm": str, "usage": list, "scope": str, "uid": int, "has-auth": bool, "pcrs": dict, "no-da": bool,
    "imported": bool, "parent": int, "created": int, "last-used": int, "uses": int, "comment": str, "fingerprint": str, "public-key": bytes,
    "usable": bool,
}  # fmt: skip
UNKNOWN_ID = "0123456789abcdef" * 2


@pytest.fixture
def mine(alice):
    return Keys(alice)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_description(mine, alice, algorithm):
    label = a_label()
    before = time.time_ns() // 1000
    key = mine.create(algorithm, label, comment="for “tests”")
    told = mine.describe(label)
    assert {name: type(value) for name, value in told.items()} == DESCRIPTION
    assert told == mine.describe(key) == mine.describe(key.upper())
    spki = told["public-key"]
    expected = {
        "id": hashlib.sha256(spki).hexdigest()[:32], "label": label, "algorithm": algorithm, "usage": ["sign"], "scope": "user",
        "uid": alice.uid, "has-auth": False, "pcrs": {}, "no-da": True, "imported": False, "last-used": 0,
        "parent": alice.get("Ownership.SrkHandle") or PARENT,
        "uses": 0, "comment": "for “tests”", "usable": True,
    }  # fmt: skip
    assert expected.items() <= told.items()
    assert key == told["id"]
    assert before <= told["created"] <= time.time_ns() // 1000
    assert openssl("pkey", "-pubin", "-inform", "DER", "-noout", "-text", data=spki)
    line = mine.public(key, "ssh").split()
    assert told["fingerprint"] == "SHA256:" + fingerprint(line[1])


def fingerprint(blob):
    return base64.b64encode(hashlib.sha256(base64.b64decode(blob)).digest()).decode().rstrip("=")


@pytest.mark.parametrize("algorithm", KINDS)
def test_public_keys(mine, algorithm):
    label = a_label()
    key = mine.create(algorithm, label)
    spki = mine.describe(key)["public-key"]
    assert mine.public(key, "der") == spki
    assert openssl("pkey", "-pubin", "-inform", "DER", "-outform", "PEM", "-pubout", data=spki) == mine.public(key, "pem")
    kind, _, comment = mine.public(key, "ssh").decode().split(" ", 2)
    assert kind == ("ecdsa-sha2-nistp256" if algorithm == "ecc-p256" else "ssh-rsa")
    assert comment == label + "\n"
    for format_ in ("", "PEM", "jwk"):
        assert mine.error("GetPublicKey", key, format_) == "InvalidArgument"


@pytest.mark.parametrize("usage", [["sign"], ["agree"], ["agree", "sign"], ["sign", "sign"]])
def test_usage(mine, usage):
    assert mine.describe(mine.create(usage=usage))["usage"] == sorted(set(usage), key=["sign", "decrypt", "agree"].index)


@pytest.mark.parametrize(
    "values, expected",
    [
        ({}, (False, True)),
        ({"auth": ""}, (False, True)),
        ({"auth": "sesame"}, (True, False)),
        ({"auth": "sesame", "no_da": True}, (True, True)),
        ({"no_da": False}, (False, False)),
    ],
)
def test_whether_wrong_auths_count(mine, values, expected):
    told = mine.describe(mine.create(**values))
    assert (told["has-auth"], told["no-da"]) == expected


def test_secret_as_descriptor(mine):
    fds = [memfd(b"sesame", sealed=True)]
    key = mine.call("Create", a_label(), ALGORITHM, fds=fds, auth=handle(0))
    assert verifies(mine.public(key), mine.call("Sign", key, "sha256", bytes(32), auth="sesame"), bytes(32), "sha256")
    assert mine.call("Sign", key, "sha256", bytes(32), fds=fds, auth=handle(0))
    assert mine.error("Sign", key, "sha256", bytes(32), fds=fds, auth=handle(1)) == "InvalidArgument"
    assert mine.error("Sign", key, "sha256", bytes(32), fds=fds * 2, auth=handle(0)) == "InvalidArgument"
    assert mine.error("Sign", key, "sha256", bytes(32), fds=fds, **options(auth="sesame")) == "InvalidArgument"


@pytest.mark.parametrize(
    "algorithm, values, name",
    [
        ("", {}, "InvalidArgument"),
        ("rsa1024", {}, "InvalidArgument"),
        ("ECC-P256", {}, "InvalidArgument"),
        ("ecc-p521", {}, "InvalidArgument"),
        ("ecc-p256", {"usage": ["decrypt"]}, "InvalidArgument"),
        ("rsa2048", {"usage": ["sign", "agree"]}, "InvalidArgument"),
        ("ecc-p256", {"usage": []}, "InvalidArgument"),
        ("ecc-p256", {"usage": ["Sign"]}, "InvalidArgument"),
        ("ecc-p256", {"usage": "sign"}, "InvalidArgument"),
        ("ecc-p256", {"auth": "x" * 65}, "InvalidArgument"),
        ("ecc-p256", {"auth": b"zero\0"}, "InvalidArgument"),
        ("ecc-p256", {"owner_auth": "x" * 65}, "InvalidArgument"),
        ("ecc-p256", {"comment": "x" * 1025}, "InvalidArgument"),
        ("ecc-p256", {"comment": "a\nb"}, "InvalidArgument"),
        ("ecc-p256", {"pcrs": {}}, "InvalidArgument"),
        ("ecc-p256", {"pcrs": {"sha256": [24]}}, "InvalidArgument"),
        ("ecc-p256", {"pcrs": {"md5": [0]}}, "InvalidArgument"),
        ("ecc-p256", {"pcrs": {"sha512": [0]}}, "NotSupported"),
        ("ecc-p256", {"srk_auth": "x"}, "NotSupported"),
        ("ecc-p256", {"data": "x"}, "InvalidArgument"),
        ("ecc-p256", {"no-Da": True}, "InvalidArgument"),
    ],
)
def test_keys_that_are_not_made(mine, algorithm, values, name):
    label = a_label()
    assert mine.error("Create", label, algorithm, **values) == name
    assert label not in mine.labels()


@pytest.mark.parametrize(
    "label",
    ["", "x" * 129, "a\nb", "a\tb", "a\x7fb", "\x1b[31mred", "\u202eevil", "a\u2028b", "0123456789abcdef" * 2, "0123456789ABCDEF" * 2],
    ids=lambda label: repr(label)[:20],
)
def test_labels_that_are_none(mine, label):
    key = mine.create()
    assert mine.error("Create", label, ALGORITHM) == "InvalidArgument"
    assert mine.error("SetLabel", key, label) == "InvalidArgument"
    assert mine.error("Import", label, b"any") == "InvalidArgument"


def test_longest_label_in_other_letters(mine):
    label = ("ключ🗝" * 26)[:120] + os.urandom(4).hex()
    assert len(label) == 128
    key = mine.create(label=label)
    assert mine.describe(label)["id"] == key
    mine.call("Delete", label)


def test_a_label_is_one_keys(mine):
    label, other = a_label(), a_label()
    mine.create(label=label)
    error = mine.full_error("Create", label, ALGORITHM)
    assert error.name == ward.ERROR + "Exists" and label in error.message
    mine.create(label=other)
    assert mine.error("SetLabel", other, label) == "Exists"
    mine.call("SetLabel", label, label)
    mine.call("Delete", label)
    mine.call("SetLabel", other, label)


def test_of_two_keys_of_a_label_at_once_one_is_made(mine):
    label = a_label()
    calls = [mine.start("Create", label, ALGORITHM) for _ in range(6)]
    made = []
    for call in calls:
        try:
            made.append(call.wait())
        except ward.DBusError as error:
            assert error.name == ward.ERROR + "Exists"
    assert len(made) == 1
    assert mine.describe(label)["id"] == made[0]


def test_rename_and_comment(mine):
    label, other = a_label(), a_label()
    key = mine.create(label=label)
    mine.call("SetLabel", label, other)
    mine.call("SetComment", other, "what it is for")
    told = mine.describe(key)
    assert (told["label"], told["comment"]) == (other, "what it is for")
    assert mine.error("Describe", label) == "NotFound"
    mine.call("SetComment", key, "")
    assert mine.describe(key)["comment"] == ""
    for comment in ("x" * 1025, "a\x00b"[:1] + "\x01", "\u2066"):
        assert mine.error("SetComment", key, comment) == "InvalidArgument"


def test_delete(mine):
    key = mine.create()
    mine.call("Delete", key)
    assert mine.error("Describe", key) == "NotFound"
    assert mine.error("Sign", key, "sha256", bytes(32)) == "NotFound"
    assert mine.error("Delete", key) == "NotFound"
    assert key not in [each["id"] for each in mine.call("List")]


def test_list_is_sorted_by_label(mine):
    stem = a_label()
    for end in ("b", "Z", "ä", "a"):
        mine.create(label=stem + end)
    assert [label for label in mine.labels() if label.startswith(stem)] == [stem + end for end in ("Z", "a", "b", "ä")]
    assert mine.labels() == sorted(mine.labels())
    for each in mine.call("List"):
        assert each == mine.describe(each["id"])


def test_long_lists(mine, callers):
    """They are put together aside, one at a time for each user, and others are served meanwhile."""
    calls = [mine.start("Create", a_label(), ALGORITHM, comment="x" * 500) for _ in range(60)]
    calls += [call.wait() and mine.start("Create", a_label(), ALGORITHM) for call in calls]
    last = [call.wait() for call in calls[60:]][-1]
    lists = [mine.start("List") for _ in range(20)]
    assert mine.call("Sign", last, "sha256", bytes(32))
    first = lists[0].wait()
    assert len(first) >= 120
    assert {each["id"]: each for each in first}[last].keys() == DESCRIPTION.keys()
    for call in lists[1:]:
        assert [each["id"] for each in call.wait()] == [each["id"] for each in first]
    leaving = callers("ward-alice")
    for _ in range(5):
        Keys(leaving).start("List")
    leaving.leave()
    assert mine.labels() == [each["label"] for each in first]
    for each in first:
        mine.call("Delete", each["id"])


WITH_A_KEY = {
    "Describe": (), "GetPublicKey": ("pem",), "Sign": ("sha256", bytes(32)), "Decrypt": (bytes(256),), "Export": (), "SetLabel": ("new",),
    "SetComment": ("new",), "ChangeAuth": (), "Delete": (),
}  # fmt: skip


@pytest.mark.parametrize("method", WITH_A_KEY)
def test_somebody_elses_key_is_like_none(mine, bob, method):
    label = a_label()
    key = mine.create(label=label, usage=["sign"])
    before = mine.describe(key)
    his = Keys(bob)
    for taken, free in ((key, UNKNOWN_ID), (label, a_label())):
        error, other = his.full_error(method, taken, *WITH_A_KEY[method]), his.full_error(method, free, *WITH_A_KEY[method])
        assert (error.name, error.message) == (other.name, other.message)
        assert error.name == ward.ERROR + "NotFound"
    assert mine.describe(key) == before
    assert his.create(label=label) != key


@pytest.mark.parametrize("method", WITH_A_KEY)
def test_names_that_are_no_keys(mine, method):
    for name in ("", "no such key", UNKNOWN_ID, "x" * 5000, "../../etc/passwd", "a\nb"):
        error = mine.full_error(method, name, *WITH_A_KEY[method])
        assert error.name == ward.ERROR + "NotFound"
        assert len(error.message) < 300


def test_user_ids_that_are_somebody_elses_tomorrow(callers):
    keys = Keys(callers("nobody"))
    assert pwd.getpwnam("nobody").pw_uid == 65534
    assert keys.error("List") == "NotSupported"
    assert keys.error("Create", "label", ALGORITHM) == "NotSupported"
    assert keys.error("Sign", "label", "sha256", bytes(32)) == "NotSupported"
    assert isinstance(Keys(keys.who, "SystemKeys").call("List"), list)


def test_keys_outlive_the_service(sandbox, mine):
    key = mine.create(comment="stays")
    before = mine.describe(key)
    sandbox.restart("daemon")
    assert mine.describe(key) == before
    assert verifies(mine.public(key), mine.call("Sign", key, "sha256", bytes(32)), bytes(32), "sha256")


def test_killed_right_after_a_reply(sandbox, mine):
    key = mine.create()
    sandbox.kill("daemon")
    sandbox.start("daemon")
    assert mine.call("Sign", key, "sha256", bytes(32))
    mine.call("Delete", key)
    sandbox.kill("daemon")
    sandbox.start("daemon")
    assert mine.error("Describe", key) == "NotFound"


def test_changes_are_told_to_the_owner_before_the_reply(mine, alice, bob, callers):
    other, stranger = callers("ward-alice"), callers("ward-alice")
    Keys(other).call("List")
    Keys(bob).call("List")
    watched = [who.subscribe(interface="org.tpmward1.Keys", member="Changed") for who in (alice, other, bob, stranger)]
    key = None
    for change in (
        lambda: mine.create(),
        lambda: mine.call("SetLabel", key, a_label()),
        lambda: mine.call("SetComment", key, "another"),
        lambda: mine.call("ChangeAuth", key),
        lambda: mine.call("Delete", key),
    ):
        key = change() or key
        assert watched[0].all(), "no signal before the reply"
        assert watched[1].wait().path == ward.TPM0
        for signals in watched:
            signals.clear()
    mine.create()
    watched[1].wait()
    # whatever was sent to the others has arrived before the answers to these
    Keys(bob).call("List")
    stranger.call("org.freedesktop.DBus.GetId", destination="org.freedesktop.DBus", path="/org/freedesktop/DBus")
    assert not watched[2].all() and not watched[3].all()


def test_a_failed_change_is_not_told(mine, alice):
    key = mine.create()
    signals = alice.subscribe(interface="org.tpmward1.Keys", member="Changed")
    mine.error("SetLabel", key, "")
    mine.error("Create", a_label(), "rsa1024")
    mine.error("ChangeAuth", key, old="not this")
    mine.call("Sign", key, "sha256", bytes(32))
    assert not signals.all()


def test_a_rule_can_take_keys_away(sandbox, mine, bob):
    key = mine.create()
    sandbox.write_rule("40-test", f'if (action.lookup("key") == "{key}") return polkit.Result.NO;')
    assert mine.error("Sign", key, "sha256", bytes(32)) == "NotAuthorized"
    assert mine.error("Delete", key) == "NotAuthorized"
    assert mine.describe(key)["usable"]
    sandbox.write_rule("40-test", 'if (action.id == "org.tpmward.create-key" && subject.user == "ward-alice") return polkit.Result.NO;')
    assert mine.error("Create", a_label(), ALGORITHM) == "NotAuthorized"
    assert Keys(bob).create()


def while_a_password_is_typed(sandbox, root, mine, label, change):
    """Signs with the key of that label; what becomes of it when change() is made before the right password is given."""
    rule = f'if (action.id == "org.tpmward.use-key" && action.lookup("key-label") == "{label}") return polkit.Result.AUTH_ADMIN;'
    sandbox.write_rule("40-test", rule)
    with ward.Monitor(root, "member='BeginAuthentication'") as monitor, ward.Agent(mine.who, "adminpw") as agent:
        agent.process.send_signal(signal.SIGSTOP)
        call = mine.start("Sign", label, "sha256", bytes(32), interactive=True)
        ward.wait_until(monitor.all, why="the dialog")
        sandbox.remove_rules()
        change()
        assert not call.is_done()
        agent.process.send_signal(signal.SIGCONT)
        ward.wait_until(call.is_done, why="the reply")
        return call


def test_a_key_that_stays_while_a_password_is_typed(sandbox, root, mine):
    label = a_label()
    key = mine.create(label=label)
    call = while_a_password_is_typed(sandbox, root, mine, label, lambda: mine.call("SetComment", key, "another"))
    assert verifies(mine.public(key), call.wait(), bytes(32), "sha256")


def test_a_key_that_goes_while_a_password_is_typed(sandbox, root, mine):
    """Its label passes to another key, of which polkit was not told."""
    label = a_label()
    key = mine.create(label=label)

    def change():
        mine.call("Delete", key)
        mine.create(label=label)

    call = while_a_password_is_typed(sandbox, root, mine, label, change)
    assert call.error().name == ward.ERROR + "NotFound"


def test_no_secret_or_plain_key_is_on_the_disk(mine):
    key = mine.create(auth="a very secret sesame")
    files = [path for path in Path(ward.STATE).rglob(f"{key}.*")]
    assert sorted(path.suffix for path in files) == [".meta", ".pem"]
    for path in files:
        assert path.stat().st_mode & 0o7777 == 0o600
        assert b"very secret sesame" not in path.read_bytes()


@pytest.mark.parametrize("method", ["List", "Describe", "GetPublicKey"])
def test_what_is_public_asks_polkit_nothing(mine, root, method):
    key = mine.create()
    args = {"List": (), "Describe": (key,), "GetPublicKey": (key, "pem")}[method]
    rule = "type='method_call',interface='org.freedesktop.PolicyKit1.Authority',member='CheckAuthorization'"
    with ward.Monitor(root, rule) as monitor:
        mine.call(method, *args)
        assert not monitor.all()


def test_a_call_with_descriptors_that_it_does_not_take(mine):
    fd = memfd(b"x", sealed=True)
    call = mine.who.start("Keys.Describe", "s", mine.create(), fds=[fd])
    assert call.error().name == ward.ERROR + "InvalidArgument"
    unknown = mine.start("Create", a_label(), ALGORITHM, fds=[fd], comment=Variant("s", "text"))
    assert unknown.error().name == ward.ERROR + "InvalidArgument"
