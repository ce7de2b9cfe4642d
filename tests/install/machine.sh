#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# machine.sh BUILD-FOLDER: installs without DESTDIR onto a copy of this machine's files, beside a running system bus, and calls the
# service. The copy is an overlay in a mount namespace of its own: the machine itself is not changed, and nothing of it is left.
set -eu
build=$1

for tool in busctl dbus-daemon gdbus systemd-sysusers systemd-tmpfiles unshare; do
  command -v "$tool" >/dev/null || { echo "skipped: there is no $tool here"; exit 77; }
done
[ -e /usr/share/dbus-1/system.conf ] || { echo "skipped: there is no system bus to be started here (package dbus)"; exit 77; }

if [ -z "${WARD_INSIDE:-}" ]; then
  [ "$(id -u)" = 0 ] || { echo "skipped: only root can make namespaces"; exit 77; }
  export WARD_INSIDE=1
  exec unshare --mount --pid --fork --kill-child --mount-proc --propagation private -- "$0" "$build"
fi

mount -t tmpfs none /mnt
for folder in etc usr var; do
  mkdir -p "/mnt/$folder/upper" "/mnt/$folder/work"
  mount -t overlay none -o "lowerdir=/$folder,upperdir=/mnt/$folder/upper,workdir=/mnt/$folder/work" "/$folder" ||
    { echo "skipped: no overlay can be mounted here"; exit 77; }
done
# Devices cannot be copied: without these, nothing is taken for a TPM whose owner to change.
for folder in /sys/class/tpm /sys/class/tpmrm; do
  [ ! -d "$folder" ] || mount -t tmpfs none "$folder"
done
mount -t tmpfs none /run
mkdir /run/dbus

# As on a machine that never had it.
sed -i '/^tpmward:/d; s/\btpmward\b//' /etc/passwd /etc/group /etc/shadow /etc/gshadow

# The bus is there first, so that it reads the policy before the user exists.
dbus-daemon --system --fork --nopidfile
meson install -C "$build" --no-rebuild | grep '^tpmward:'

fail () { echo "failed: $*"; exit 1; }

id tpmward | grep -q '(tss)' || fail "tpmward is not in the group tss"
[ "$(stat -c '%U:%G %a' /var/lib/tpmward)" = "tpmward:tpmward 700" ] || fail "/var/lib/tpmward is not tpmward's alone"
[ "$(stat -c '%U:%G %a' /var/lib/tpm)" = "tss:tss 700" ] || fail "/var/lib/tpm is not tss's alone"

manager=(org.tpmward1 /org/tpmward1/Manager org.tpmward1.Manager)
version=$(busctl --system --timeout=20 get-property "${manager[@]}" Version) || fail "the bus cannot start the service"
echo "the service's version: $version"

owner=$(busctl --system call org.freedesktop.DBus / org.freedesktop.DBus GetConnectionUnixUser s org.tpmward1)
[ "$owner" = "u $(id -u tpmward)" ] || fail "the service runs as another user: $owner"

# The helper, as the service calls it, gives the folder back to tss; and nobody else may.
helper=(call org.tpmward1.Helper /org/tpmward1/Helper org.tpmward1.Helper RepairAccess b false)
chown root:root /var/lib/tpm
! busctl --system --timeout=20 "${helper[@]}" 2>/dev/null || fail "root may call the helper"
setpriv --reuid=tpmward --regid=tpmward --clear-groups busctl --system --timeout=20 "${helper[@]}" |
  grep -q 'chown tss:tss /var/lib/tpm (was root:root 0700)' || fail "the helper does not say that it repairs access"
[ "$(stat -c '%U:%G %a' /var/lib/tpm)" = "tss:tss 700" ] || fail "the helper does not repair access"

said=$(meson install -C "$build" --no-rebuild)
[[ $said == *"tpmward: kept: /etc/tpmward/tpmward.conf"* ]] || fail "a second installation does not keep the configuration: $said"
