#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Run by `meson install`: makes an installation on this machine work at once. What cannot be done here is said and skipped.
set -eu

# Meson may keep what a script says to itself (1.0 does): say it where meson speaks.
parent=/proc/$PPID/fd/1
if { [ -c "$parent" ] || [ -p "$parent" ]; } && (: >>"$parent") 2>/dev/null; then
  exec >>"$parent"
fi

sysusers=$1 tmpfiles=$2 example=$3 config=$4 gui_datadir=${5-} # the last one with the application for desktops

say () { echo "tpmward: $*"; }

run () {
  if ! command -v "$1" >/dev/null; then
    say "skipped, as there is no $1 here: $*"
  elif "$@" >/dev/null; then
    say "done: $*"
  else
    say "failed: $*"
  fi
}

# Not left to meson, which would overwrite the administrator's edits.
if [ -e "${DESTDIR:-}$config" ]; then
  say "kept: ${DESTDIR:-}$config"
else
  install -D -m 0644 "$example" "${DESTDIR:-}$config"
  say "installed: ${DESTDIR:-}$config"
fi

[ -z "${DESTDIR:-}" ] || exit 0
# A machine without a desktop has none of these, and needs none.
run_on_desktop () {
  ! command -v "$1" >/dev/null || run "$@"
}

if [ -n "$gui_datadir" ]; then
  run_on_desktop glib-compile-schemas "$gui_datadir/glib-2.0/schemas"
  run_on_desktop gtk4-update-icon-cache -q -t -f "$gui_datadir/icons/hicolor"
  run_on_desktop update-desktop-database -q "$gui_datadir/applications"
fi
if [ "$(id -u)" != 0 ]; then
  say "skipped users, folders and reloads: only root can do that"
  exit 0
fi

run systemd-sysusers "$sysusers"
run systemd-tmpfiles --create "$tmpfiles"

if [ -S /run/udev/control ]; then
  run udevadm control --reload
  run udevadm trigger --action=change --subsystem-match=tpm --subsystem-match=tpmrm
else
  say "skipped: udev is not running"
fi

# A bus that read the policy before the user existed refuses the name until it reads it again.
if [ -S /run/dbus/system_bus_socket ]; then
  run gdbus call --system --timeout 10 --dest org.freedesktop.DBus --object-path /org/freedesktop/DBus \
    --method org.freedesktop.DBus.ReloadConfig
else
  say "skipped: the system bus is not running"
fi

if [ -d /run/systemd/system ]; then
  run systemctl daemon-reload
  run systemctl try-restart tpmward.service
else
  say "skipped: systemd is not running"
fi
