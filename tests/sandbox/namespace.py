# SPDX-License-Identifier: LGPL-2.1-or-later
"""A private mount and PID namespace for the length of one function, ended with all its processes whatever happens to the caller."""

import ctypes
import os
import select
import signal
import sys

CLONE_NEWNS = 0x00020000
CLONE_NEWPID = 0x20000000
MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND, MS_REC, MS_PRIVATE = 1 << 1, 1 << 2, 1 << 3, 1 << 12, 1 << 14, 1 << 18
PR_SET_PDEATHSIG = 1
SI_KERNEL = 0x80

FORWARDED = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT}
WAITED = FORWARDED | {signal.SIGCHLD}

libc = ctypes.CDLL(None, use_errno=True)


def check(result, what):
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{what}: {os.strerror(error)}")


def mount(source, target, fstype=None, flags=0, data=None):
    arguments = [os.fsencode(value) if value else None for value in (source, target, fstype)]
    check(libc.mount(*arguments, ctypes.c_ulong(flags), data.encode() if data else None), f"mount on {target}")


def bind(source, target):
    mount(source, target, flags=MS_BIND | MS_REC)


def tmpfs(target, mode="755"):
    mount("tmpfs", target, "tmpfs", MS_NOSUID | MS_NODEV, f"mode={mode}")


def exit_code(status):
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def wait_for(child):
    """The exit code of the child, while signals meant for it are passed on and every other child is reaped.

    What the terminal sends (SI_KERNEL) goes to its whole foreground process group, so the child has it already.
    """
    while True:
        info = signal.sigwaitinfo(WAITED)
        if info.si_signo in FORWARDED:
            if info.si_code != SI_KERNEL:
                os.kill(child, info.si_signo)
            continue
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == child:
                return exit_code(status)
            if pid == 0:
                break


def run_as_init(function, alive):
    # The pipe tells of a caller that died before the signal was asked for.
    check(libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL), "prctl")
    if select.select([alive], [], [], 0)[0]:
        return 1
    mount(None, "/", flags=MS_REC | MS_PRIVATE)
    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    return function()


def give_terminal_back():
    """A shell that ended in there has left the terminal to a process group that is no more."""
    for fd in range(3):
        try:
            os.killpg(os.tcgetpgrp(fd), 0)
        except ProcessLookupError:
            signal.signal(signal.SIGTTOU, signal.SIG_IGN)
            os.tcsetpgrp(fd, os.getpgrp())
        except OSError:
            continue
        return


def run(function):
    """Runs function as the first process of new namespaces; returns what it returns. Signals are blocked meanwhile."""
    signal.pthread_sigmask(signal.SIG_BLOCK, WAITED)
    check(libc.unshare(CLONE_NEWNS | CLONE_NEWPID), "unshare")
    alive, kept_open = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(kept_open)
        code = 125
        try:
            code = run_as_init(function, alive)
        except (OSError, RuntimeError) as error:
            print(f"sandbox: {error}", file=sys.stderr)
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    os.close(alive)
    code = wait_for(child)
    give_terminal_back()
    return code
