# SPDX-License-Identifier: LGPL-2.1-or-later
"""What differs between TPM 2.0 and TPM 1.2, for tests that are run on both: ./dev test runs their files on each."""

import ctypes
import os
import shutil
import signal
import subprocess

import ward
from caller import Variant

FAMILY = "1.2" if (ward.ROOT / "swtpm12").is_dir() and not (ward.ROOT / "swtpm").is_dir() else "2.0"
IS_20 = FAMILY == "2.0"

# All that the chip has; those of one kind each; that which tests take where it does not matter.
ALGORITHMS = ["rsa2048", "rsa3072", "ecc-p256", "ecc-p384"] if IS_20 else ["rsa2048"]
KINDS = ["rsa3072", "ecc-p256"] if IS_20 else ["rsa2048"]
ALGORITHM = "ecc-p256" if IS_20 else "rsa2048"
# What that one can do beside signing.
OTHER_USAGE = "agree" if IS_20 else "decrypt"
DECRYPTION_SCHEMES = ["oaep", "rsaes"] if IS_20 else ["rsaes"]
# By which Decrypt takes what openssl has encrypted, where nothing is said of it.
PADDING = ["oaep", "rsa_oaep_md:sha256", "rsa_mgf1_md:sha256"] if IS_20 else ["pkcs1"]
SIGNING_SCHEMES = ["rsassa", "rsapss", "ecdsa"] if IS_20 else ["rsassa"]
BANK = "sha256" if IS_20 else "sha1"
# Whose auth value it is by which the chip is owned, where nobody asks for another.
OWNER = "lockout" if IS_20 else "owner"
# The part that the service talks to, how it is told of it, and what it says when that is not there.
LINK = "swtpm" if IS_20 else "tcsd"
TRANSPORT = ward.TCTI if IS_20 else f"tcsd:port={os.environ.get('TSS_TCSD_PORT')}"
NO_LINK = "0xa000a" if IS_20 else "0x3011"
# What is sealed, where it is short, begins with it; what is exported with the other.
SEALED = "TSS2 PRIVATE KEY" if IS_20 else "TPMWARD SEALED DATA"
EXPORT = "TSS2 PRIVATE KEY" if IS_20 else "TSS KEY BLOB"
# What keys lie beneath where nobody has made a storage root key: what is made for the moment; a TPM 1.2 has no keys then.
PARENT = 0x40000001 if IS_20 else 0x40000000

# Of NV: the first of many free numbers; one that is reserved, and for what; numbers and sizes of no index; what is there from the beginning.
NV_INDEX = 0x01800100 if IS_20 else 0x00001100
NV_RESERVED = 0x01C0000B if IS_20 else 0x0000F001
NV_RESERVED_FOR = "the nonce of the endorsement key's template (ECC)" if IS_20 else "the certificate of the TPM's conformance"
NV_NO_INDICES = [0, 0x00FFFFFF, 0x02000000, 0x81000001, 0x40000001, 0xFFFFFFFF] if IS_20 else [0, 0x10000001, 0xFFFFFFFF]
NV_SIZE = 2048
NV_NO_SIZES = [0, NV_SIZE + 1, 65535, 65536, 0xFFFFFFFF] if IS_20 else [0, 65536, 0xFFFFFFFF]
# What tells who the chip's owner is: of a TPM 1.2 there always is one, with a secret.
OWNER_AUTH = {} if IS_20 else {"owner_auth": "own"}

# Tests of what a TPM 1.2 has not, by their file; with what it is that it lacks.
NOT_ON_12 = {
    "test_tpm": {
        "test_fixed_properties_are_the_chips": "tpm2-tools",
        "test_variable_properties_are_the_chips": "tpm2-tools",
        "test_identity_is_the_chips": "tpm2-tools",
        "test_key_algorithms_are_the_chips": "tpm2-tools",
        "test_banks_are_the_chips": "tpm2-tools",
        "test_pcrs_are_the_chips": "tpm2-tools",
        "test_result_is_the_chips": "tpm2-tools",
        "test_self_test_incremental": "an incremental self-test that tcsd can ask for",
    },
    "test_ownership": {
        "test_properties_are_the_chips": "tpm2-tools",
        "test_recommended_ownership": "a lockout auth",
        "test_srk_is_the_one_that_systemd_makes": "a storage root key that is made without taking ownership",
        "test_all_three": "auths of hierarchies",
        "test_change_of_the_lockout_auth": "a lockout auth",
        "test_change_of_another_auth": "auths that are set without taking ownership",
        "test_owner_auth_is_not_set_unseen": "an owner without whose auth others can do their work",
    },
    "test_worker": {
        "test_what_is_left_in_an_unshared_chip_is_flushed": "a chip that one program has for itself",
    },
    "test_keys": {
        "test_usage": "elliptic curves",
        "test_whether_wrong_auths_count": "keys with an auth whose wrong tries do not count",
        "test_keys_that_are_not_made": "algorithms to choose from",
        "test_long_lists": "keys that are made within milliseconds",
    },
    "test_keys_use": {
        "test_bare_digest": "elliptic curves",
        "test_decryption_by_hash_and_label": "OAEP of another hash than SHA-1",
        "test_agreement": "elliptic curves",
        "test_peers_that_are_none": "elliptic curves",
    },
    "test_keys_change": {
        "test_import_with_options": "keys bound to PCRs",
        "test_what_is_not_imported": "algorithms to choose from",
        "test_what_an_export_says_of_auth_and_parent": "a word on either in its format",
        "test_auth": "a count of wrong tries that can be read",
        "test_locked_out": "limits of failed tries that can be set",
        "test_pcrs": "keys bound to PCRs",
        "test_pcrs_and_auth": "keys bound to PCRs",
        "test_an_export_of_a_bound_key_tells_no_pcrs": "keys bound to PCRs",
        "test_owner_auth": "a storage root key that is made for the moment",
    },
    "test_system_keys": {
        "test_persist": "keys of users in the chip itself",
        "test_what_others_have_persisted": "keys of users in the chip itself",
        "test_the_storage_root_key_stays": "keys of users in the chip itself",
        "test_persist_with_an_owner_auth": "keys of users in the chip itself",
    },
    "test_key_bad_input": {
        "test_peers_that_would_give_the_key_away": "elliptic curves",
        "test_compressed_peer": "elliptic curves",
        "test_out_of_the_lockout_and_back": "limits of failed tries that can be set",
        "test_killing_the_service_costs_no_try": "a count of wrong tries that can be read",
        "test_eight_callers_with_more_keys_than_the_chip_holds": "keys bound to PCRs",
    },
    "test_key_isolation": {
        "test_time_does_not_tell": "signatures that are made within a millisecond",
    },
    "test_key_secrets": {
        "test_shared_secrets_are_forgotten": "elliptic curves",
        "test_nv_data_is_forgotten": "NV indices that are defined without the owner's secret",
        "test_nothing_of_it_crosses_plain_to_the_chip": "a connection between the service and the chip without tcsd",
        "test_no_nv_data_crosses_plain_to_the_chip": "a connection between the service and the chip without tcsd",
    },
    "test_nv": {
        "test_what_the_maker_has_defined_stays": "certificates that a swtpm is made with",
        "test_auth": "a count of wrong tries that can be read",
        "test_wrong_auths_are_the_user_s_own": "limits of failed tries that can be set",
        "test_wrong_auths_until_lockout_and_out_of_it": "limits of failed tries that can be set",
        "test_wrong_auths_that_do_not_count": "indices with an auth whose wrong tries do not count",
        "test_empty_auth_that_counts": "indices with an auth that is empty",
        "test_owner_auth": "an owner without an auth",
        "test_attributes_by_tpm2_tools_names": "tpm2-tools",
        "test_tpm2_tools_read_what_was_written": "tpm2-tools",
        "test_what_tpm2_tools_have_defined_and_written": "tpm2-tools",
        "test_counter_of_tpm2_tools": "tpm2-tools",
        "test_locked_by_tpm2_tools": "tpm2-tools",
        "test_policy_of_tpm2_tools": "tpm2-tools",
    },
    "test_seal": {
        "test_options_that_are_refused": "PCRs of other banks",
        "test_auth": "a count of wrong tries that can be read",
        "test_wrong_auths_that_do_not_count": "data with an auth whose wrong tries do not count",
        "test_empty_auth_that_counts": "data without an auth that the lockout shuts",
        "test_pcrs_and_auth": "a count of wrong tries that can be read",
        "test_owner_auth_without_srk": "a storage root key that is made for the moment",
        "test_beside_tpm2_tools": "tpm2-tools",
        "test_what_is_sealed_by_tpm2_tools": "tpm2-tools",
        "test_one_user_does_not_use_up_all_tries": "limits of failed tries that can be set",
        "test_last_try_is_roots": "limits of failed tries that can be set",
        "test_damaged_record_of_tries": "limits of failed tries that can be set",
    },
}


def is_left_out(item):
    return not IS_20 and getattr(item, "originalname", item.name) in NOT_ON_12.get(item.path.stem, ())


def clear(sandbox, *, tries=32):
    """A chip as new, which forgives nothing while a test lasts, and a service that knows of no wrong auths."""
    sandbox.kill("daemon", signal.SIGTERM)
    for record in (*ward.STATE.glob("*.budgets"), *ward.STATE.glob("*.lockout-guard")):
        record.unlink()
    sandbox.restart("swtpm")
    sandbox.tpm2("tpm2_clear", "-c", "p")
    sandbox.tpm2("tpm2_dictionarylockout", "-s", "-n", str(tries), "-t", "1000", "-l", "1000")
    sandbox.start("daemon")


def deliver(sandbox):
    """A TPM 1.2 without an owner, as its maker has delivered it."""
    state = ward.ROOT / "swtpm12/state"
    kept = ward.ROOT / "swtpm12/delivered"
    sandbox.kill("daemon", signal.SIGTERM)
    sandbox.kill("tcsd")
    sandbox.kill("swtpm12")
    if not kept.exists():
        shutil.copytree(state, kept)
    shutil.rmtree(state)
    shutil.copytree(kept, state)
    for record in [*ward.STATE.glob("tpm0.*"), *ward.Path("/var/lib/tpm").iterdir()]:
        record.unlink()
    sandbox.start("swtpm12")
    sandbox.start("tcsd")
    sandbox.start("daemon")


def tool(*command, said="", fails=False):
    """Runs one of tpm-tools, which ask for passwords on the terminal or, without one, on standard input."""
    done = subprocess.run(
        ["setsid", "-w", *command], input=said, capture_output=True, check=False, text=True, errors="replace", timeout=60
    )
    assert (done.returncode != 0) == fails, f"{' '.join(command)}: {done.stdout}{done.stderr}"
    return done.stdout


def power_cycle(sandbox):
    """The machine is switched off and on, by somebody who enables the TPM in its firmware."""
    for part in ("daemon", "tcsd", "swtpm12"):
        if sandbox.is_running(part):
            os.kill(sandbox.pid(part), signal.SIGCONT)
            sandbox.kill(part, signal.SIGKILL)
    sandbox.start("swtpm12", "enable")
    sandbox.start("tcsd")


def disown(sandbox):
    """A chip as new, without an owner."""
    if IS_20:
        clear(sandbox)
    else:
        deliver(sandbox)


def renew(sandbox):
    """Nothing that was done to the chip is left, and keys can be made."""
    disown(sandbox)
    take_ownership(sandbox.root)


def take_ownership(root):
    """A TPM 1.2 has no keys without an owner. The storage root key's secret is the well-known one."""
    if not IS_20 and not root.get("Ownership.Owned"):
        root.call("Ownership.TakeOwnership", "a{sv}", {"owner-auth": Variant("s", "own")})


def clear_as_others_do(sandbox):
    """What is made from then on lies beneath another storage root key."""
    if IS_20:
        sandbox.tpm2("tpm2_clear", "-c", "p")
        return
    tool("tpm_clear", said="own\n")
    power_cycle(sandbox)
    take_ownership(sandbox.root)


def loaded(sandbox):
    """What the chip has in memory for those who use it; of a TPM 1.2, how much room is left for that."""
    if IS_20:
        kinds = ("handles-transient", "handles-loaded-session", "handles-saved-session")
        return [line for kind in kinds for line in sandbox.tpm2("tpm2_getcap", kind).split()]
    told = sandbox.root.call("Tpm.GetProperties")
    return {name: told[f"TPM_CAP_PROP_{name}"] for name in ("KEYS", "SESSIONS", "AUTHSESS", "TRANSESS")}


def extend(sandbox, pcr):
    """Something is measured into a PCR. A TPM 1.2's tools cannot."""
    if IS_20:
        sandbox.tpm2("tpm2_pcrextend", f"{pcr}:sha256=" + "11" * 32)
        return
    tspi = ctypes.CDLL("libtspi.so.1")
    context, tpm, size, value = ctypes.c_uint32(), ctypes.c_uint32(), ctypes.c_uint32(), ctypes.c_void_p()
    for result in (
        tspi.Tspi_Context_Create(ctypes.byref(context)),
        tspi.Tspi_Context_Connect(context, None),
        tspi.Tspi_Context_GetTpmObject(context, ctypes.byref(tpm)),
        tspi.Tspi_TPM_PcrExtend(tpm, pcr, 20, bytes(20), None, ctypes.byref(size), ctypes.byref(value)),
        tspi.Tspi_Context_Close(context),
    ):
        assert result == 0, hex(result)
