# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is compared, with which targets, and how it is printed."""

import statistics

AT_MOST, AT_LEAST = "≤", "≥"

# What is measured, its name, what it stands beside (measured names, added up) and the target, if there is one: whether the ratio of the two is
# to be at most so much of the other's time, or ours is to be at least so many times faster, which is marked by ×.
ROWS = [
    ("Bus alone: a call to dbus-daemon", "bus-driver", [], None),
    ("GDBus floor: echo of 32 bytes", "echo", [], None),
    ("polkit floor: CheckAuthorization", "polkit", [], None),
    ("Property read", "property", ["echo"], None),
    ("GetRandom(32)", "random", ["raw-random"], None),
    ("GetRandom(32)", "random", ["raw-random", "echo"], None),
    ("GetRandom(32), a new caller's first", "first-random", ["raw-random", "echo", "polkit"], None),
    ("Read of one PCR", "pcr", ["raw-pcr"], None),
    ("Read of 24 PCRs", "all-pcrs", ["raw-all-pcrs"], None),
    ("Sign ECDSA P-256", "sign", ["raw-sign"], (AT_MOST, 1.8)),
    ("Sign ECDSA P-256", "sign", ["signer"], None),
    ("Least service signs ECDSA P-256", "signer", ["raw-sign"], None),
    ("Sign ECDSA P-256, auth", "sign-auth", ["raw-sign-auth"], (AT_MOST, 1.8)),
    ("Sign RSA-2048", "sign-rsa", ["raw-sign-rsa"], (AT_MOST, 1.2)),
    ("Sign ECDSA P-256", "sign", ["pkcs11"], (AT_LEAST, 3.5)),
    ("Sign ECDSA P-256, auth", "sign-auth", ["pkcs11"], (AT_LEAST, 3.5)),
    ("Sign RSA-2048", "sign-rsa", ["pkcs11-rsa"], (AT_LEAST, None)),
    ("tpmward key sign, process", "cli-sign", ["tpm2-sign"], (AT_LEAST, 1)),
    ("tpmward key sign, process", "cli-sign", ["openssl"], (AT_LEAST, 1)),
    ("tpmward key sign, process", "cli-sign", ["pkcs11-tool"], (AT_LEAST, 1)),
    ("Eight callers: throughput", "callers-turn", ["raw-callers-turn"], (AT_LEAST, 0.75)),
    ("Eight callers: slowest caller's mean", "callers-slowest", ["callers-wait"], (AT_MOST, 2)),
    ("Eight callers: longest single wait", "callers-longest", ["callers-wait"], (AT_MOST, 2)),
    ("Eight raw threads: longest wait", "raw-callers-longest", ["raw-callers-wait"], None),
    ("Sign ECDSA, 10,000 keys stored", "many-sign", ["few-sign"], (AT_MOST, 1.05)),
    ("List of 10 keys", "few-list", [], None),
    ("List of 10,000 keys", "many-list", ["many-list-decoding"], None),
]
# Single numbers: what, its key in the JSON, the unit, and the target.
SINGLE_ROWS = [
    ("List of 10,000 keys, per 1,000", "list_per_1000", "ms", 20),
    ("Start of the service to its name", "start", "ms", 50),
    ("… with 10,000 keys stored", "start_many", "ms", 300),
    ("… of the least service with a TPM", "signer_start", "ms", None),
    ("First call when it does not run", "activation", "ms", 100),
    ("Memory (RSS) after the calls", "rss", "MB", 20),
    ("… with 10,000 keys, listed", "rss_many", "MB", None),
    ("… of the least service with a TPM", "signer_rss", "MB", None),
]
NAMES = {
    "raw-random": "raw ESYS", "raw-pcr": "raw ESYS", "raw-all-pcrs": "raw ESYS", "raw-sign": "raw ESYS, key resident",
    "raw-sign-auth": "raw ESYS, session kept", "raw-sign-rsa": "raw ESYS, key resident", "signer": "least service that signs",
    "pkcs11": "tpm2-pkcs11, C_Sign", "pkcs11-rsa": "tpm2-pkcs11, C_Sign", "tpm2-sign": "tpm2_sign, process",
    "openssl": "openssl + tpm2-openssl, process", "pkcs11-tool": "pkcs11-tool, process", "raw-callers-turn": "raw ESYS, eight threads",
    "callers-wait": "their average wait", "raw-callers-wait": "their average wait", "few-sign": "10 keys stored",
    "many-list-decoding": "the caller's GDBus decodes it",
}  # fmt: skip
LINE = "{:<38}{:>10}  {:<34}{:>10}{:>8}{:>8}{:>9}  {}"


def summarize(rounds, missing):
    """A row for each that was measured, or that would have been but for a missing peer. Ratios are the medians of the rounds' own; the best
    is that of each side's best round, which says more where the machine is busy with something else."""

    def over_rounds(names):
        return [sum(measured[name]["median_us"] for name in names) for measured in rounds]

    rows = []
    for title, name, beside, target in ROWS:
        reasons = [missing[peer] for peer in beside if peer in missing]
        if not all(each in rounds[0] for each in [name, *([] if reasons else beside)]):
            continue
        own = over_rounds([name])
        row = {"what": title, "name": name, "median_us": statistics.median(own), "beside": beside, "target": target}
        if reasons:
            row["missing"] = reasons[0]
        elif beside:
            others = over_rounds(beside)
            is_faster = target is not None and target[0] == AT_LEAST
            ratios = [b / a if is_faster else a / b for a, b in zip(own, others)]
            best = min(others) / min(own) if is_faster else min(own) / min(others)
            row |= {"beside_us": statistics.median(others), "ratio": statistics.median(ratios), "ratios": ratios, "best_ratio": best}
        rows.append(row)
    return rows


def verdict(value, target):
    sense, limit = target or (AT_MOST, None)
    if limit is None:
        return ""
    return "met" if (value <= limit if sense == AT_MOST else value >= limit) else "MISSED"


def print_line(*cells):
    print(LINE.format(*cells).rstrip())


def print_call(row, has_targets):
    cells = [row["what"], f"{row['median_us']:.0f} µs", "", "", "", "", "", ""]
    sense, limit = row["target"] or (AT_MOST, None)
    mark = "×" if sense == AT_LEAST else ""
    if row["beside"]:
        cells[2] = " + ".join(NAMES.get(name, name) for name in row["beside"])
    if limit and has_targets:
        cells[6] = f"{sense} {limit}{mark}"
    if "missing" in row:
        cells[7] = "missing"
    elif "ratio" in row:
        cells[3:6] = f"{row['beside_us']:.0f} µs", f"{row['ratio']:.2f}{mark}", f"{row['best_ratio']:.2f}{mark}"
        cells[7] = verdict(row["ratio"], row["target"]) if has_targets else ""
    print_line(*cells)


def print_table(summary, has_targets):
    """has_targets: they are those of a software TPM; where a processor is emulated, all but the TPM is many times slower."""
    print_line("what", "median", "beside", "its median", "ratio", "best", "target", "")
    for row in summary["calls"]:
        print_call(row, has_targets)
    for title, key, unit, limit in SINGLE_ROWS:
        if key in summary:
            median = summary[key]["median"]
            target = (AT_MOST, limit) if limit and has_targets else None
            print_line(title, f"{median:.1f} {unit}", "", "", "", "", f"≤ {limit}" if target else "", verdict(median, target))
    for name, reason in summary["missing"].items():
        print(f"missing: {NAMES.get(name, name)}: {reason.splitlines()[-1]}")
