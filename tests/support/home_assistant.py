"""A real Home Assistant as a child process: what it shows is followed, and what it is asked to do is awaited."""

import asyncio
import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import pytest

from tests.support.servers import free_port

FOLDER = Path(__file__).parents[1] / "e2e" / "homeassistant"
PATIENCE = 45.0
STOP_SECONDS = 20.0

NOISE = (
    "zlib_ng and isal are not available",
    "async_forward_entry_setups",
    "No device components to cleanup",
    "paho.mqtt.client: ",
    "homeassistant.components.mqtt.client: ",
    "The client is not currently connected",
    "'server_host' option is deprecated",
)
"""Home Assistant's own warnings: of what its core lacks here, of a race in how its MQTT integration starts, of the
empty messages that it publishes itself when a device goes with entities that were disabled, of a broker that is away,
and of the address that keeps it to this machine."""


def home_assistant_python() -> Path:
    """The Python that has Home Assistant; the test is skipped, with the reason, where there is none."""
    if not (FOLDER / ".venv" / ".stamp").exists():
        why = FOLDER / ".venv" / "why"
        pytest.skip(
            why.read_text().strip() if why.exists() else "Home Assistant is not installed (sh .ci/homeassistant)"
        )
    return FOLDER / ".venv" / "bin" / "python"


class HomeAssistant:
    """Home Assistant on its own configuration folder, connected to a broker; it may be ended and started again."""

    def __init__(self, folder: Path, broker_port: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "configuration.yaml").touch()
        self._folder, self._broker_port = folder, broker_port
        self._python = home_assistant_python()
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._changed = threading.Condition()
        self._answers: dict[int, dict[str, Any]] = {}
        self._asked = 0
        self.version = ""
        self.states: dict[str, str] = {}
        self.attributes: dict[str, dict[str, Any]] = {}
        self.history: list[tuple[str, str]] = []
        """Every state of every entity, in the order they came."""
        self.tags: list[str] = []
        self.logged: list[str] = []

    # ------------------------------------------------------------ its life

    def start(self) -> Self:
        """Start it, and wait until it is up."""
        self.version = ""
        self.states.clear()
        with (self._folder / "stderr.log").open("ab") as errors:
            self._process = subprocess.Popen(
                [
                    str(self._python),
                    str(FOLDER / "headless.py"),
                    str(self._folder),
                    str(self._broker_port),
                    str(free_port()),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        self._reader = threading.Thread(target=self._follow, args=(self._process,), name="home assistant", daemon=True)
        self._reader.start()
        self._wait(lambda: self.version, "Home Assistant is up")
        return self

    def stop(self) -> None:
        """Let it shut down in an orderly way."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_SECONDS)
        if self._reader is not None:
            self._reader.join(STOP_SECONDS)

    def _follow(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            with self._changed:
                self._take(json.loads(line))
                self._changed.notify_all()
        with self._changed:
            self._changed.notify_all()

    def _take(self, told: dict[str, Any]) -> None:
        match told.pop("kind"):
            case "ready":
                self.version = told["version"]
            case "state":
                self.states[told["entity"]] = told["state"]
                self.attributes[told["entity"]] = told["attributes"]
                self.history.append((told["entity"], told["state"]))
            case "gone":
                self.states.pop(told["entity"], None)
            case "tag":
                self.tags.append(told["tag_id"])
            case "log":
                line = f"{told['level']} {told['logger']}: {told['text']}"
                if not any(noise in line for noise in NOISE):
                    self.logged.append(line)
            case "answer":
                self._answers[told["id"]] = told

    # ------------------------------------------------------------ what tests do

    async def until(self, condition: Callable[[], object], told: str) -> None:
        """Wait until a condition over what it shows holds."""
        await asyncio.to_thread(self._wait, condition, told)

    async def shows(self, entity: str, state: str) -> None:
        await self.until(lambda: self.states.get(entity) == state, f"{entity} is {state}")

    def number(self, entity: str) -> float:
        """The state of a sensor as a number, NaN while it is unknown."""
        try:
            return float(self.states.get(entity, ""))
        except ValueError:
            return float("nan")

    async def call(self, service: str, entity: str, **data: Any) -> None:
        """Call a service of an entity, as a dashboard or an automation does."""
        domain, name = service.split(".")
        await self.ask("call", domain=domain, service=name, data={"entity_id": entity, **data})

    async def entities(self) -> dict[str, dict[str, Any]]:
        """What is registered, by entity id."""
        return {one["entity"]: one for one in await self.ask("entities")}

    async def devices(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = await self.ask("devices")
        return found

    async def ask(self, do: str, **what: Any) -> Any:
        return await asyncio.to_thread(self._ask, do, what)

    def _ask(self, do: str, what: dict[str, Any]) -> Any:
        process = self._process
        assert process is not None
        assert process.stdin is not None
        with self._changed:
            self._asked += 1
            number = self._asked
        process.stdin.write(json.dumps({"id": number, "do": do, **what}) + "\n")
        process.stdin.flush()
        self._wait(lambda: number in self._answers, f"an answer to {do}")
        answer = self._answers.pop(number)
        assert "error" not in answer, f"{do} {what}: {answer['error']}"
        return answer["result"]

    def _wait(self, condition: Callable[[], object], told: str) -> None:
        deadline = time.monotonic() + PATIENCE
        with self._changed:
            while not condition():
                if self._process is None or self._process.poll() is not None:
                    raise RuntimeError(f"Home Assistant ended; waited for: {told}\n{self._errors()}")
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError(f"waited in vain for: {told}; it shows {self.states}; logged {self.logged[-5:]}")
                self._changed.wait(min(left, 1.0))

    def _errors(self) -> str:
        return (self._folder / "stderr.log").read_text(errors="replace")[-4000:]


def started_home(folder: Path, broker_port: int) -> Iterator[HomeAssistant]:
    """For fixtures: Home Assistant, started, and ended with the test."""
    home = HomeAssistant(folder, broker_port)
    home.start()
    try:
        yield home
    finally:
        home.stop()
