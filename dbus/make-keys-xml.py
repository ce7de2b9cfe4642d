#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes the XML of one of the two interfaces for keys of the one template.

@NAME@ becomes what the table has. Lines between “<?of Keys?>” or “<?of SystemKeys?>” and “<?end?>” are of that one alone."""

import re
import sys

VALUES = {
    "Keys": {
        "create": "org.tpmward.create-key",
        "use": "org.tpmward.use-key",
        "manage": "org.tpmward.use-key",
    },
    "SystemKeys": {
        "create": "org.tpmward.manage-keys",
        "use": "org.tpmward.use-system-key",
        "manage": "org.tpmward.manage-keys",
    },
}
BLOCK = re.compile(r"^ *<\?of (\w+)\?>\n(.*?)^ *<\?end\?>\n", re.S | re.M)


def make(template, name):
    values = {"interface": name, **VALUES[name]}
    text = BLOCK.sub(lambda match: match[2] if match[1] == name else "", template)
    return re.sub(r"@(interface|create|use|manage)@", lambda match: values[match[1]], text)


def main():
    source, target, name = sys.argv[1:]
    with open(source, encoding="utf-8") as file:
        text = make(file.read(), name)
    with open(target, "w", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    main()
