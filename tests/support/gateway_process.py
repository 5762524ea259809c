"""The real gateway as a child process: `python -m gateway serve` with a configuration of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

import httpx

from tests.support.servers import free_port

ADMIN_KEY = "key-of-the-end-to-end-tests"
READY_TIMEOUT = 90.0
STOP_TIMEOUT = 60.0


class GatewayProcess:
    """One node on fixed ports, so that it can be killed and started again.

    `settings` are further options by section, e.g. `{"chargers": {"strict": True}}`; None as a URL lets the gateway
    start its own server.
    """

    program: tuple[str, ...] = ("gateway", "serve")
    """Module and arguments that start it; `--config` and the file's path are added."""

    own_session = False
    """Whether Ctrl-C on the terminal spares it."""

    def __init__(
        self,
        folder: Path,
        *,
        redis_url: str | None,
        mqtt_url: str | None,
        node: str = "node-1",
        settings: dict[str, dict[str, Any]] | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.node = node
        self.charger_port, self.rest_port = free_port(), free_port()
        self.log_file = folder / f"{node}.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._sections: dict[str, dict[str, Any]] = {
            "gateway": {"node": node, "data_dir": str(folder / "data"), "log_level": "debug", "log_format": "json"},
            "chargers": {"host": "127.0.0.1", "port": self.charger_port},
            "rest": {"host": "127.0.0.1", "port": self.rest_port, "admin_key": ADMIN_KEY},
            "redis": {} if redis_url is None else {"url": redis_url},
            "mqtt": {} if mqtt_url is None else {"url": mqtt_url},
        }
        for section, options in (settings or {}).items():
            self._sections.setdefault(section, {}).update(options)

    @property
    def charger_url(self) -> str:
        """Where chargers connect; they append `/` and their identity."""
        return f"ws://127.0.0.1:{self.charger_port}/ocpp"

    @property
    def rest_url(self) -> str:
        return f"http://127.0.0.1:{self.rest_port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def runs(self) -> bool:
        """Whether it was started and not ended since."""
        return self._process is not None

    @property
    def log(self) -> str:
        """All that it has logged, over restarts too."""
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def client(self) -> httpx.AsyncClient:
        """A REST client with the admin key; close it, or use it as a context."""
        headers = {"Authorization": f"Bearer {ADMIN_KEY}"}
        return httpx.AsyncClient(base_url=self.rest_url, headers=headers, timeout=90.0, trust_env=False)

    def start(self, *, ready: bool = True) -> Self:
        """Start the process and, if `ready`, wait until /readyz says 200 and chargers may connect."""
        config = self.folder / f"{self.node}.toml"
        config.write_text(_toml(self._sections))
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("OCPP_GATEWAY") and name not in ("REDIS_URL", "MQTT_URL")
        }
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *self.program, "--config", str(config)],
                cwd=Path(__file__).parents[2],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=self.own_session,
            )
        if ready:
            try:
                self.wait_ready()
            except BaseException:
                # Who could not start it will not stop it.
                process, self._process = self._process, None
                process.kill()
                process.wait(STOP_TIMEOUT)
                raise
        return self

    def wait_ready(self, seconds: float = READY_TIMEOUT) -> None:
        """Poll /readyz; fail with the gateway's own words where it died or did not come up."""
        deadline = time.monotonic() + seconds
        said = "nothing"
        while time.monotonic() < deadline:
            assert self._process is not None
            if self._process.poll() is not None:
                raise RuntimeError(f"the gateway ended with {self._process.returncode}: {self.log[-4000:]}")
            try:
                answer = httpx.get(f"{self.rest_url}/readyz", timeout=2.0, trust_env=False)
            except httpx.TransportError as error:
                said = str(error)
            else:
                said = answer.text
                # The REST door opens before the chargers' one.
                if answer.status_code == 200 and _listens(self.charger_port):
                    return
            time.sleep(0.05)
        raise RuntimeError(f"the gateway is not ready after {seconds:g} s ({said}): {self.log[-4000:]}")

    def stop(self, seconds: float = STOP_TIMEOUT) -> int | None:
        """End it as a service manager does; returns its exit code, None where it did not run."""
        return self._end(signal.SIGTERM, seconds)

    def kill(self) -> None:
        """End it with no time for farewells."""
        self._end(signal.SIGKILL)

    def send(self, number: signal.Signals) -> None:
        """Send a signal, and do not wait for what comes of it."""
        os.kill(self.pid, number)

    def _end(self, number: signal.Signals, seconds: float = STOP_TIMEOUT) -> int | None:
        if self._process is None:
            return None
        process, self._process = self._process, None
        if process.poll() is not None:
            raise RuntimeError(f"the gateway had ended by itself with {process.returncode}: {self.log[-4000:]}")
        process.send_signal(number)
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_TIMEOUT)
            raise RuntimeError(f"the gateway did not stop within {seconds:g} s: {self.log[-4000:]}") from None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _toml(sections: dict[str, dict[str, Any]]) -> str:
    # A JSON scalar or list is TOML, too; the settings nest no deeper.
    lines = []
    for name, options in sections.items():
        lines.append(f"[{name}]")
        lines.extend(f"{option} = {json.dumps(value)}" for option, value in options.items())
    return "\n".join(lines) + "\n"
