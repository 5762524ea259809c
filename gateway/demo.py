"""`make demo`: a gateway, two virtual chargers, and what they do as MQTT messages and REST state.

Everything runs on this machine in a folder of its own, and is gone when the demo ends.
"""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import tempfile
import urllib.request
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiomqtt
from rich.console import Console
from rich.text import Text

from adapters.mqtt.config import MqttConfig
from gateway.cli.mqtt_access import Access
from gateway.cli.send import exchange
from gateway.cli.words import in_words
from gateway.core.errors import EmbeddedServerError, GatewayError
from gateway.embedded.process import GuardedProcess

_CHARGERS = {"DEMO-1": "1.6", "DEMO-2": "2.0.1"}
_START_PATIENCE = 60.0
_GATEWAY_PATIENCE = 20.0
_SIMULATOR_PATIENCE = 6.0
_COMMAND_AFTER_EVENTS = 3
"""Events of a charger's transaction that are shown before the demo stops it."""


@dataclass(frozen=True)
class Ports:
    """Where the demo's servers listen."""

    chargers: int
    rest: int
    mqtt: int

    @classmethod
    def choose(cls, console: Console) -> "Ports":
        """The usual ports; where one is taken, a free one, and says so."""

        def choose(what: str, usual: int) -> int:
            port = usual if _is_free(usual) else _free()
            if port != usual:
                console.print(f"Port {usual} ({what}) is taken on this machine; the demo uses {port} instead.")
            return port

        return cls(choose("chargers", 9000), choose("REST", 8080), choose("MQTT", 1883))


def main() -> int:
    """Run the demo; the exit code."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--seconds", type=float, help="end by itself after so many seconds; else with Ctrl-C")
    options = parser.parse_args()
    console = Console(highlight=False, soft_wrap=True)
    try:
        asyncio.run(_until_told(Demo(console).run(), options.seconds))
    except KeyboardInterrupt:
        pass
    except GatewayError as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print(Text(f"error: {error}", "bold red"))
        return 1
    console.print("\nThe demo has ended; nothing of it is left running.")
    return 0


async def _until_told(work: Any, seconds: float | None) -> None:
    """Run until the time is over, Ctrl-C or SIGTERM; then clean up."""
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError, TimeoutError):
        async with asyncio.timeout(seconds):
            await task


class Demo:
    """One demonstration; `run` works until it is cancelled."""

    def __init__(self, console: Console) -> None:
        self._console = console

    async def run(self) -> None:
        """Raises EmbeddedServerError where the gateway does not start."""
        async with AsyncExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ocpp-gateway-demo-")))
            ports = Ports.choose(self._console)
            self._console.print("Starting the gateway with a Valkey and an MQTT broker of its own ...")
            gateway = _gateway(folder, ports)
            await stack.enter_async_context(_running(gateway))
            await _until_ready(gateway, ports)
            self._explain(ports)
            try:
                await self._watch(folder, ports)
            except GatewayError as error:
                raise EmbeddedServerError(f"{error}\nThe gateway's last words:\n{gateway.last_words()}") from error

    def _explain(self, ports: Ports) -> None:
        mosquitto = f"mosquitto_sub -V mqttv5 -p {ports.mqtt} -v -t 'ocpp/#'"
        self._heading("The gateway runs")
        self._console.print(f"  chargers connect to  ws://127.0.0.1:{ports.chargers}/<charger id>", markup=False)
        self._console.print(f"  REST                 http://127.0.0.1:{ports.rest}/docs")
        self._console.print(f"  MQTT                 mqtt://127.0.0.1:{ports.mqtt}   try: {mosquitto}")
        told = " and ".join(f"{charger} (OCPP {version})" for charger, version in _CHARGERS.items())
        self._heading(f"Two virtual chargers: {told}. Each line is an MQTT message: topic, and what it says")

    @contextlib.asynccontextmanager
    async def _chargers(self, folder: Path, ports: Ports) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for charger, version in _CHARGERS.items():
                await stack.enter_async_context(_running(_simulator(folder, ports, charger, version)))
            yield

    async def _watch(self, folder: Path, ports: Ports) -> None:
        """Have the chargers come, and show every event; under a charge, show the state and send a command, too."""
        access = Access.of(MqttConfig(embedded_port=ports.mqtt))
        command: asyncio.Task[None] | None = None
        under_way = 0
        try:
            async with access.client() as client, AsyncExitStack() as stack:
                await client.subscribe(f"{access.prefix}/chargers/+/event/#", qos=1)
                # No sooner, or their first events may find nobody who hears them.
                await stack.enter_async_context(self._chargers(folder, ports))
                async for message in client.messages:
                    event = json.loads(message.payload if isinstance(message.payload, bytes) else b"{}")
                    self._show(str(message.topic), event)
                    under_way += _is_of_transaction(event, "DEMO-1")
                    if under_way == _COMMAND_AFTER_EVENTS and command is None:
                        command = asyncio.create_task(self._command(access, ports, "DEMO-1"), name="demo command")
        except aiomqtt.MqttError as error:
            raise access.unreachable(error) from error
        finally:
            if command is not None:
                command.cancel()
                await asyncio.wait({command})

    def _show(self, topic: str, event: dict[str, Any]) -> None:
        words = in_words(event["type"], event["data"])
        self._console.print(Text.assemble((f"{topic:<54}", "cyan"), "  ", words))

    async def _command(self, access: Access, ports: Ports, charger: str) -> None:
        url = f"http://127.0.0.1:{ports.rest}/v1/chargers/{charger}"
        try:
            state = await asyncio.to_thread(_fetch, url)
            self._heading(f"Its state by REST: curl {url}")
            self._console.print_json(data=state)
            self._heading(f"A command by MQTT: ocpp-gateway send {charger} stop")
            async with access.client() as client:
                result = await exchange(client, access, charger, "stop", {}, 30)
        except (GatewayError, aiomqtt.MqttError, OSError) as error:
            self._console.print(Text(f"that did not work: {error}", "red"))
            return
        self._console.print(f"outcome: {result.get('outcome')}", style="bold green")
        self._heading("What the charger makes of it, and so on until Ctrl-C")

    def _heading(self, text: str) -> None:
        self._console.print()
        self._console.print(Text(f"== {text}", "bold"))


# ---------------------------------------------------------------- the processes


def _gateway(folder: Path, ports: Ports) -> GuardedProcess:
    settings = {
        "GATEWAY__DATA_DIR": str(folder / "data"),
        "GATEWAY__LOG_FORMAT": "console",
        "CHARGERS__HOST": "127.0.0.1",
        "CHARGERS__PORT": str(ports.chargers),
        "REST__PORT": str(ports.rest),
        "MQTT__EMBEDDED_PORT": str(ports.mqtt),
    }
    return GuardedProcess(
        [sys.executable, "-P", "-m", "gateway", "serve", "--dev"],
        log_file=folder / "gateway.log",
        patience=_GATEWAY_PATIENCE,
        environment=_environment() | {f"OCPP_GATEWAY__{name}": value for name, value in settings.items()},
    )


def _simulator(folder: Path, ports: Ports, charger: str, version: str) -> GuardedProcess:
    url = f"ws://127.0.0.1:{ports.chargers}"
    options = ["--url", url, "--id", charger, "--version", version, "--interval", "2", "--idle-time", "4"]
    return GuardedProcess(
        [sys.executable, "-P", "-m", "gateway", "simulate", *options],
        log_file=folder / f"{charger}.log",
        patience=_SIMULATOR_PATIENCE,
        environment=_environment(),
    )


def _environment() -> dict[str, str]:
    """This environment without the settings of another gateway."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith("OCPP_GATEWAY") and name not in ("MQTT_URL", "REDIS_URL")
    }


@contextlib.asynccontextmanager
async def _running(process: GuardedProcess) -> AsyncIterator[None]:
    await process.start()
    try:
        yield
    finally:
        await process.stop()


async def _until_ready(gateway: GuardedProcess, ports: Ports) -> None:
    """Raises EmbeddedServerError with the gateway's own words where it does not come up."""
    deadline = asyncio.get_running_loop().time() + _START_PATIENCE
    while gateway.running and asyncio.get_running_loop().time() < deadline:
        with contextlib.suppress(OSError, ValueError):
            await asyncio.to_thread(_fetch, f"http://127.0.0.1:{ports.rest}/readyz")
            if not _is_free(ports.chargers):
                return
        await asyncio.sleep(0.1)
    raise EmbeddedServerError(f"the gateway did not start:\n{gateway.last_words()}")


def _is_of_transaction(event: dict[str, Any], charger: str) -> bool:
    return str(event["type"]).startswith("ocpp.transaction.") and bool(event["source"] == f"/chargers/{charger}")


def _fetch(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=5) as response:
        return json.load(response)


def _is_free(port: int) -> bool:
    """Whether nothing listens there, on any address."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError:
            return False
    return True


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
