"""Runs a server and ends it as soon as the process that started the guard is gone, even by SIGKILL.

Started as a script: `python guard.py SECONDS FD,FD,... COMMAND [ARGUMENT ...]`. The guard ends the server when its
standard input closes (the starter holds the other end and never writes) or on SIGTERM: first with SIGTERM, after
SECONDS with SIGKILL. It exits with the server's status, 128 + n where signal n ended it. The file descriptors named
are handed on to the server. It uses the standard library only, and imports little, as it lives as long as the server.
"""

import os
import select
import signal
import sys
import time

_PR_SET_PDEATHSIG = 1


def _die_with_guard() -> None:
    """Have Linux end the server if the guard itself is killed; elsewhere the starter ends the process group."""
    if sys.platform != "linux":
        return
    try:
        import ctypes

        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    except (ImportError, OSError, AttributeError):
        return


def _spawn(command: list[str], keep: list[int]) -> int:
    child = os.fork()
    if child:
        return child
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        _die_with_guard()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for descriptor in keep:
            os.set_inheritable(descriptor, True)
        os.execvp(command[0], command)
    except OSError as error:
        os.write(2, f"cannot start {command[0]}: {error}\n".encode())
    finally:
        os._exit(127)


def _status(child: int) -> int | None:
    pid, status = os.waitpid(child, os.WNOHANG)
    if pid == 0:
        return None
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _watch(child: int, patience: float, wakeup: int) -> int:
    """Wait for the server's end, and bring it about when the starter goes or asks."""
    wanted_end = False
    kill_at = float("inf")
    while True:
        status = _status(child)
        if status is not None:
            return status
        left = max(0.0, kill_at - time.monotonic())
        if wanted_end and left == 0:
            os.kill(child, signal.SIGKILL)
            kill_at = float("inf")
            continue
        waiting = [wakeup] if wanted_end else [0, wakeup]
        ready, _, _ = select.select(waiting, [], [], None if left == float("inf") else left)
        asked = 0 in ready and not os.read(0, 4096)
        if wakeup in ready:
            asked = asked or signal.SIGTERM in os.read(wakeup, 4096)
        if asked and not wanted_end:
            wanted_end = True
            kill_at = time.monotonic() + patience
            os.kill(child, signal.SIGTERM)


def main(arguments: list[str]) -> int:
    """Run the command of the arguments to its end; the exit status."""
    patience, descriptors, *command = arguments
    wakeup, signalled = os.pipe()
    os.set_blocking(wakeup, False)
    os.set_blocking(signalled, False)
    signal.set_wakeup_fd(signalled, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, lambda _number, _frame: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    child = _spawn(command, [int(descriptor) for descriptor in descriptors.split(",") if descriptor])
    return _watch(child, float(patience), wakeup)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
