"""A server as a guarded child of this process, and the lock of the folder in which it works."""

import asyncio
import contextlib
import fcntl
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import structlog

from gateway.core.errors import EmbeddedServerError

_log = structlog.get_logger(__name__)

_GUARD = Path(__file__).with_name("guard.py")
_LOG_LIMIT = 1024 * 1024


class FolderLock:
    """Keeps a folder for one server: held as long as this process or the server that it started lives.

    The lock's file descriptor is inherited by the server, so that a server which outlived a crash of its gateway
    still holds it.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "lock"
        self._descriptor: int | None = None

    @property
    def descriptor(self) -> int:
        if self._descriptor is None:
            raise RuntimeError("the lock is not held")
        return self._descriptor

    async def acquire(self, patience: float) -> None:
        """Take the lock, waiting for the server of a gateway that has just died.

        Raises EmbeddedServerError where another one still has it after `patience` seconds.
        """
        if self._descriptor is not None:
            return
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise EmbeddedServerError(f"cannot use {self._path}: {error.strerror}") from error
        began = asyncio.get_running_loop().time()
        try:
            waiting = False
            while not _try_lock(descriptor):
                if asyncio.get_running_loop().time() >= began + patience:
                    raise EmbeddedServerError(self._taken(descriptor))
                if not waiting:
                    _log.info("data folder is in use, waiting for the server of an earlier gateway to end")
                    waiting = True
                await asyncio.sleep(0.05)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _taken(self, descriptor: int) -> str:
        holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip()
        return (
            f"another gateway uses this data folder ({self._path.parent}; process {holder or 'unknown'}): stop it, "
            "or give this one a folder of its own with gateway.data_dir (OCPP_GATEWAY__GATEWAY__DATA_DIR)"
        )


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class GuardedProcess:
    """A child in a session of its own (Ctrl-C at the terminal does not reach it), ended with this process.

    Its output is appended to `log_file`. `patience` is how long (seconds) it may take to end on SIGTERM.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        log_file: Path,
        patience: float,
        keep: Sequence[int] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._command = command
        self._environment = environment
        self._log_file = log_file
        self._keep = keep
        self._patience = patience
        self._guard: asyncio.subprocess.Process | None = None

    @property
    def running(self) -> bool:
        return self._guard is not None and self._guard.returncode is None

    @property
    def group(self) -> int:
        """The process group in which guard and server run."""
        if self._guard is None:
            raise RuntimeError("the process was not started")
        return self._guard.pid

    async def start(self) -> None:
        """Start guard and server. Raises EmbeddedServerError where the system gives no process or no log file."""
        try:
            await self._start()
        except OSError as error:
            raise EmbeddedServerError(f"cannot start a server in {self._log_file.parent}: {error}") from error

    async def _start(self) -> None:
        _rotate(self._log_file)
        guard = [sys.executable, "-I", "-S", str(_GUARD), str(self._patience), ",".join(map(str, self._keep))]
        with self._log_file.open("ab") as log:
            self._guard = await asyncio.create_subprocess_exec(
                *guard,
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=self._log_file.parent,
                env=self._environment,
                pass_fds=self._keep,
                start_new_session=True,
            )

    async def wait(self) -> int:
        """The server's exit status, once it has ended; 128 + n where signal n ended it."""
        if self._guard is None:
            raise RuntimeError("the process was not started")
        status = await self._guard.wait()
        self._end_group()
        return status

    async def stop(self) -> None:
        """End the server; return when it is gone."""
        if self._guard is None:
            return
        if self._guard.stdin is not None:
            self._guard.stdin.close()
        try:
            await asyncio.wait_for(self._guard.wait(), self._patience + 2)
        except TimeoutError:
            _log.warning("embedded server does not end, killing it", log_file=str(self._log_file))
        finally:
            self._end_group()
        await self._guard.wait()

    def _end_group(self) -> None:
        """Leave nothing behind, not even where the guard itself was killed."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.group, signal.SIGKILL)

    def last_words(self) -> str:
        """The end of what the server wrote, for an error message."""
        try:
            return self._log_file.read_text(errors="replace")[-1000:].strip()
        except OSError:
            return ""


def _rotate(log_file: Path) -> None:
    """Keep one older log, so that the file does not grow for ever."""
    if log_file.exists() and log_file.stat().st_size > _LOG_LIMIT:
        log_file.replace(log_file.with_suffix(".old.log"))
