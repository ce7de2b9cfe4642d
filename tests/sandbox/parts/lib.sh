# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What the start-* of a sandbox share; sourced by bash.
# shellcheck disable=SC2034 # for those who source it
sandbox=/run/tpmward-sandbox

# Whether PART runs. One that was just killed may take a moment to be gone.
running() {
  local pid stat tries=100
  read -r pid 2>/dev/null <"$sandbox/pids/$1" || return 1
  while ((tries--)); do
    read -r stat 2>/dev/null <"/proc/$pid/stat" || return 1
    [[ $stat == *") Z "* ]] && return 1
    sleep 0.005
  done
}

# Has CMD run as PART, away from the terminal, with its output in the log.
background() {
  local part=$1
  shift
  # shellcheck disable=SC2016
  setsid sh -c 'echo $$ >"$0" && exec "$@"' "$sandbox/pids/$part" "$@" >>"$sandbox/$part.log" 2>&1 </dev/null &
}

# Waits until CMD succeeds, as long as PART has not ended.
until_ready() {
  local part=$1 tries=1000
  shift
  until "$@" >/dev/null 2>&1; do
    if ! ((tries--)) || ! kill -0 $! 2>/dev/null; then
      echo "$part has not started:" >&2
      tail -n 20 "$sandbox/$part.log" >&2
      exit 1
    fi
    sleep 0.01
  done
}

# Whether PART listens on each of these sockets. Their files are there a moment earlier, and refuse; and other sandboxes have some of the same
# names.
listening() {
  local part=$1 socket named held
  shift
  held=$(readlink "/proc/$(<"$sandbox/pids/$part")/fd/"*)
  for socket in "$@"; do
    named=$(awk -v name="$socket" '$4 == "00010000" && $8 == name { print "socket:[" $7 "]" }' /proc/net/unix)
    [ -n "$named" ] && grep -Fxq -e "$named" <<<"$held" || return 1
  done
}
