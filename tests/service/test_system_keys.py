# SPDX-License-Identifier: LGPL-2.1-or-later
"""The machine's keys: who manages them, who may use them, and what is kept in the TPM itself."""

import pytest
import ward
from families import ALGORITHM, IS_20, clear
from keys import Keys, a_label, digest_of, handle, memfd, openssl, options, private_key, public_of, verifies

DIGEST = digest_of("sha256")
HANDLE = 0x81000010
MANAGING = {
    "ListAll": (), "Create": (a_label(), ALGORITHM), "Import": (a_label(), private_key(ALGORITHM)), "Export": ("KEY",), "SetLabel": ("KEY", "new"),
    "SetComment": ("KEY", "new"), "ChangeAuth": ("KEY",), "Delete": ("KEY",),
}  # fmt: skip
USING = {"Sign": ("KEY", "sha256", DIGEST), "Decrypt": ("KEY", bytes(256))}
if IS_20:
    MANAGING |= {"Persist": ("KEY", HANDLE), "Evict": (HANDLE,), "ListPersistent": ()}
    USING["Agree"] = ("KEY", public_of(private_key("ecc-p256"), "DER"))


@pytest.fixture
def system(root):
    return Keys(root, "SystemKeys")


@pytest.fixture
def fresh(sandbox):
    clear(sandbox)
    return sandbox


def signs(keys, key, **values):
    return verifies(keys.public(key), keys.call("Sign", key, "sha256", DIGEST, **values), DIGEST, "sha256")


def test_root_has_both_sets(system, root):
    label = a_label()
    own = Keys(root)
    key, other = system.create(label=label), own.create(label=label)
    assert key != other
    told = system.describe(label)
    assert (told["id"], told["scope"], told["uid"]) == (key, "system", 0)
    assert own.describe(label)["scope"] == "user"
    assert own.error("Describe", key) == system.error("Describe", other) == "NotFound"
    assert signs(system, key)


def test_everybody_sees_them(system, alice):
    key = system.create(comment="seen")
    hers = Keys(alice, "SystemKeys")
    assert hers.describe(key) == system.describe(key)
    assert key in [each["id"] for each in hers.call("List")]
    assert hers.public(key) == system.public(key)
    assert key not in [each["id"] for each in Keys(alice).call("List")]


@pytest.mark.parametrize("method", [*MANAGING, *USING])
def test_users_may_do_nothing_with_them_by_default(system, alice, method):
    usage = {"Decrypt": ["decrypt"], "Agree": ["agree"]}.get(method, ["sign"])
    key = system.create("rsa2048" if method == "Decrypt" else ALGORITHM, usage=usage)
    before = system.describe(key)
    arguments = [key if argument == "KEY" else argument for argument in {**MANAGING, **USING}[method]]
    assert Keys(alice, "SystemKeys").error(method, *arguments) == "NotAuthorized"
    assert system.describe(key) == before
    system.call("Delete", key)


@pytest.mark.parametrize("by", ["key", "key-label"])
def test_a_rule_hands_one_key_to_one_user(sandbox, system, alice, bob, by):
    key, other = system.create(), system.create()
    value = {"key": key, "key-label": system.describe(key)["label"]}[by]
    sandbox.write_rule(
        "40-test",
        f'if (action.id == "org.tpmward.use-system-key" && action.lookup("{by}") == "{value}" && subject.user == "ward-bob")'
        " return polkit.Result.YES;",
    )
    his, hers = Keys(bob, "SystemKeys"), Keys(alice, "SystemKeys")
    assert signs(his, key)
    assert his.error("Sign", other, "sha256", DIGEST) == "NotAuthorized"
    assert his.error("Export", key) == "NotAuthorized"
    assert his.error("Delete", key) == "NotAuthorized"
    assert hers.error("Sign", key, "sha256", DIGEST) == "NotAuthorized"


def test_a_rule_for_managers(sandbox, bob):
    sandbox.write_rule("40-test", 'if (action.id == "org.tpmward.manage-keys" && subject.user == "ward-bob") return polkit.Result.YES;')
    his = Keys(bob, "SystemKeys")
    key = his.create()
    his.call("SetLabel", key, a_label())
    assert his.error("Sign", key, "sha256", DIGEST) == "NotAuthorized"
    his.call("Delete", key)


def test_an_administrators_password(system, alice):
    key = system.create()
    hers = Keys(alice, "SystemKeys")
    with ward.Agent(alice, "adminpw", "CANCEL") as agent:
        assert hers.call("Sign", key, "sha256", DIGEST, interactive=True)
        (dialog,) = agent.dialogs()
        # never kept
        assert hers.error("Sign", key, "sha256", DIGEST, interactive=True) == "Cancelled"
    assert dialog.startswith("dialog org.tpmward.use-system-key ")
    assert system.describe(key)["label"] in dialog


def test_no_dialog_for_what_cannot_be(system, alice):
    key, label = system.create(), a_label()
    system.create(label=label)
    hers = Keys(alice, "SystemKeys")
    with ward.Agent(alice, "adminpw") as agent:
        for name, method, *arguments in (
            ("NotFound", "Sign", "no such key", "sha256", DIGEST),
            ("InvalidArgument", "Sign", key, "sha256", b"short"),
            ("InvalidArgument", "Decrypt", key, bytes(256)),
            ("Exists", "Create", label, ALGORITHM),
            ("InvalidArgument", "Create", a_label(), "rsa512"),
            ("Exists", "SetLabel", key, label),
            ("NotFound", "Delete", "no such key"),
            ("InvalidArgument", "Persist", key, 0x81000001),
            ("InvalidArgument", "Evict", 0x40000001),
        ):
            assert hers.error(method, *arguments, interactive=True) == name, method
        assert not agent.dialogs()


def test_a_label_is_not_held_while_a_password_is_typed(system, alice):
    label = a_label()
    with ward.Agent(alice, "HANG") as agent:
        Keys(alice, "SystemKeys").start("Create", label, ALGORITHM, interactive=True)
        agent.wait_for("dialog")
        assert system.create(label=label)


def test_changes_are_told_to_everybody(system, alice):
    signals = alice.subscribe(interface="org.tpmward1.SystemKeys", member="Changed")
    own = alice.subscribe(interface="org.tpmward1.Keys", member="Changed")
    key = system.create()
    signals.wait()
    signals.clear()
    system.call("Delete", key)
    assert signals.wait().path == ward.TPM0
    Keys(alice).create()
    assert own.all() and len(signals.all()) == 1


def test_list_all(sandbox, system, alice, bob):
    hers, his, ours = (keys.create() for keys in (Keys(alice), Keys(bob), system))
    sandbox.restart("daemon")  # who the users are is not known yet
    told = system.call("ListAll")
    by_id = {each["id"]: each for each in told}
    assert [by_id[key]["uid"] for key in (hers, his)] == [alice.uid, bob.uid]
    assert [by_id[key]["scope"] for key in (hers, his, ours)] == ["user", "user", "system"]
    assert all(by_id[key]["usable"] for key in (hers, his, ours))
    order = [(each["scope"] == "system", each["uid"], each["label"]) for each in told]
    assert order == sorted(order)
    assert by_id[hers] == Keys(alice).describe(hers)
    assert system.error("Describe", hers) == "NotFound"


def test_a_secret_as_descriptor(system):
    fds = [memfd(b"sesame", sealed=True)]
    key = system.call("Create", a_label(), ALGORITHM, fds=fds, auth=handle(0))
    assert system.call("Sign", key, "sha256", DIGEST, fds=fds, auth=handle(0))


def persistent(system, at=HANDLE):
    return next((each for each in system.call("ListPersistent") if each["handle"] == at), None)


@pytest.mark.parametrize("algorithm", ["rsa2048", "ecc-p384"])
def test_persist(fresh, system, tmp_path, algorithm):
    """The very key is at the handle, by tpm2_readpublic."""
    key = system.create(algorithm)
    assert persistent(system) is None
    system.call("Persist", key, HANDLE)
    told = persistent(system)
    expected = {"handle": HANDLE, "algorithm": algorithm, "key": key, "label": system.describe(key)["label"], "scope": "system", "uid": 0}
    assert expected.items() <= told.items()
    assert told["attributes"] & 1 << 18, "it signs"
    pem = tmp_path / "public.pem"
    printed = fresh.tpm2("tpm2_readpublic", "-c", hex(HANDLE), "-f", "pem", "-o", str(pem))
    assert f"name: {told['name']}" in printed
    assert openssl("pkey", "-pubin", "-pubout", data=pem.read_bytes()) == system.public(key)

    assert system.error("Persist", key, HANDLE) == "Exists"
    assert system.error("Evict", HANDLE + 1) == "NotFound"
    assert signs(system, key)
    system.call("Evict", HANDLE)
    assert persistent(system) is None
    assert signs(system, key)
    assert system.error("Evict", HANDLE) == "NotFound"


def test_what_others_have_persisted(fresh, system, root, alice, tmp_path):
    """A user's key, whoever put it there, and a key that the service does not know."""
    root.call("Ownership.ProvisionSrk", "a{sv}", {})
    key = Keys(alice).create()
    text = tmp_path / "key.pem"
    text.write_text(Keys(alice).call("Export", key))
    again = system.call("Import", a_label(), text.read_bytes())
    assert again == key
    system.call("Persist", again, HANDLE)
    system.call("Delete", again)
    told = persistent(system)
    assert (told["key"], told["scope"], told["uid"]) == (key, "user", alice.uid)
    srk = persistent(system, 0x81000001)
    assert srk["description"] == "the storage root key" and "key" not in srk
    system.call("Evict", HANDLE)
    fresh.tpm2("tpm2_createprimary", "-Q", "-C", "o", "-c", str(tmp_path / "context"))
    fresh.tpm2("tpm2_evictcontrol", "-Q", "-C", "o", "-c", str(tmp_path / "context"), hex(HANDLE))
    told = persistent(system)
    assert told["description"] == "" and "key" not in told
    system.call("Evict", HANDLE)


def test_the_storage_root_key_stays(fresh, system, root):
    root.call("Ownership.ProvisionSrk", "a{sv}", {})
    assert system.error("Evict", 0x81000001) == "WouldBreak"
    assert root.get("Ownership.SrkPresent") is True


@pytest.mark.parametrize("at", [0, 0x80FFFFFF, 0x81000001, 0x81800000, 0x40000001, 0x80000000, 0xFFFFFFFF])
def test_handles_that_are_not_the_owners(system, at):
    key = system.create()
    assert system.error("Persist", key, at) == "InvalidArgument"
    if at != 0x81000001:
        assert system.error("Evict", at) == "InvalidArgument"


def test_persist_with_an_owner_auth(fresh, system, root):
    root.call("Ownership.ProvisionSrk", "a{sv}", {})
    root.call("Ownership.ChangeAuth", "sa{sv}", "owner", options(new="own", force=True))
    key = system.create()
    assert system.error("Persist", key, HANDLE) == "AuthenticationFailed"
    assert system.error("Persist", key, HANDLE, owner_auth="wrong") == "AuthenticationFailed"
    system.call("Persist", key, HANDLE, owner_auth="own")
    assert system.error("Evict", HANDLE, owner_auth="wrong") == "AuthenticationFailed"
    assert persistent(system)["key"] == key
    system.call("Evict", HANDLE, owner_auth="own")


def test_persist_options(system):
    key = system.create()
    assert system.error("Persist", key, HANDLE, auth="x") == "InvalidArgument"
    assert system.error("Evict", HANDLE, force=True) == "InvalidArgument"


def test_export_of_a_system_key(system, alice):
    """What a manager exports anybody who has it may import as their own."""
    key = system.create()
    text = system.call("Export", key)
    assert Keys(alice).call("Import", a_label(), text.encode()) == key
    assert signs(Keys(alice), key)
