"""An embedded MQTT 5 broker: rumqttd (PyPI `iotcore`) on loopback.

It speaks MQTT 5 only: where rumqttd serves 3.1.1 too, a message with properties ends the connections of every
3.1.1 subscriber. Whoever has clients of 3.1.1 runs a broker of his own.
"""

import asyncio
import socket
import sys
from pathlib import Path

import structlog

from gateway.core.errors import EmbeddedServerError
from gateway.embedded.process import FolderLock, GuardedProcess

_log = structlog.get_logger(__name__)

_STOP_PATIENCE = 5.0
_LOCK_PATIENCE = _STOP_PATIENCE + 2
_START_PATIENCE = 20.0
_HOST = "127.0.0.1"

_PROGRAM = """
import logging, sys
from iotcore.iotcore import IotCoreBroker
logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
logging.getLogger("rumqttd").setLevel(logging.CRITICAL)
IotCoreBroker(config_path=sys.argv[1]).run_forever()
"""
"""rumqttd reports every packet as an error record, so that only its critical ones are let through."""

# Each filter that somebody subscribed to keeps its last `max_segment_count` segments in memory, 2 MiB: some thousand
# events for a subscriber that is slow or away. Home Assistant has a filter for each entity, and a home 200 MB for all.
_CONFIGURATION = """\
id = 0

[router]
id = 0
max_connections = 10000
max_outgoing_packet_count = 1000
max_segment_size = 524288
max_segment_count = 4

[v5.1]
name = "v5"
listen = "{host}:{port}"
next_connection_delay_ms = 0

    [v5.1.connections]
    connection_timeout_ms = 60000
    max_payload_size = 4194304
    max_inflight_count = 200
    dynamic_filters = true
"""


class EmbeddedBroker:
    """A broker on 127.0.0.1 that speaks MQTT 5; retained messages and sessions live as long as it does."""

    def __init__(self, data_dir: Path, port: int = 1883) -> None:
        self._folder = data_dir.absolute() / "broker"
        self._port = port
        self._lock = FolderLock(self._folder)
        self._process: GuardedProcess | None = None

    @property
    def log_file(self) -> Path:
        return self._folder / "broker.log"

    async def start(self) -> str:
        """Start the broker, again after it died; returns its URL once it accepts connections.

        Raises EmbeddedServerError, also where the port is taken.
        """
        self._prepare()
        await self._lock.acquire(_LOCK_PATIENCE)
        try:
            self._check_port()
            self._process = GuardedProcess(
                [sys.executable, "-P", "-c", _PROGRAM, str(self._write_configuration())],
                log_file=self.log_file,
                keep=[self._lock.descriptor],
                patience=_STOP_PATIENCE,
            )
            await self._process.start()
            await self._until_ready(self._process)
        except BaseException:
            await self.stop()
            raise
        _log.info("embedded MQTT broker started; it speaks MQTT 5 only", port=self._port)
        return f"mqtt://{_HOST}:{self._port}"

    async def wait_died(self) -> int:
        """Return the exit status when the broker has ended without being told to; `start` starts it again."""
        if self._process is None:
            raise RuntimeError("the broker was not started")
        return await self._process.wait()

    async def stop(self) -> None:
        """End the broker and free its port."""
        if self._process is not None:
            await self._process.stop()
            self._process = None
        self._lock.release()

    def _prepare(self) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._folder.chmod(0o700)
        except OSError as error:
            raise EmbeddedServerError(
                f"cannot use {self._folder} for data: {error.strerror}; choose another with gateway.data_dir"
            ) from error

    def _write_configuration(self) -> Path:
        path = self._folder / "rumqttd.toml"
        try:
            path.write_text(_CONFIGURATION.format(host=_HOST, port=self._port))
        except OSError as error:
            raise EmbeddedServerError(f"cannot write {path}: {error.strerror}") from error
        return path

    def _check_port(self) -> None:
        if _listens(self._port) or not _can_bind(self._port):
            raise EmbeddedServerError(
                f"port {self._port} is taken; an MQTT broker seems to run there already. To use it, set "
                f"MQTT_URL=mqtt://{_HOST}:{self._port}; to run the embedded one beside it, set mqtt.embedded_port "
                "(OCPP_GATEWAY__MQTT__EMBEDDED_PORT) to a free port"
            )

    async def _until_ready(self, process: GuardedProcess) -> None:
        deadline = asyncio.get_running_loop().time() + _START_PATIENCE
        while not _listens(self._port):
            if not process.running:
                raise EmbeddedServerError(f"the embedded MQTT broker did not start: {process.last_words()}")
            if asyncio.get_running_loop().time() >= deadline:
                raise EmbeddedServerError(
                    f"the embedded MQTT broker does not listen after {_START_PATIENCE:.0f} s: {process.last_words()}"
                )
            await asyncio.sleep(0.02)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((_HOST, port)) == 0


def _can_bind(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError:
            return False
        return True
