"""The foreign chargers as child processes whose steps a test can await."""

import asyncio
import json
import sys
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.node import NODE_FOLDER

ROOT = Path(__file__).parents[2]
STEP_TIMEOUT = 60.0


@dataclass(frozen=True, slots=True)
class Foreign:
    """A charger that we did not write: OCPP version, and the command that runs it."""

    version: str
    command: tuple[str, ...]

    @property
    def needs_node(self) -> bool:
        return self.command[0] == "node"


def package(module: str) -> tuple[str, ...]:
    """The command that runs a client of `tests.e2e.clients`."""
    return (sys.executable, "-m", f"tests.e2e.clients.{module}")


FOREIGN = {
    "ocpp-package-1.6": Foreign("1.6", package("ocpp_package_16")),
    "ocpp-package-2.0.1": Foreign("2.0.1", package("ocpp_package_201")),
    "ocpp-rpc-1.6": Foreign("1.6", ("node", str(NODE_FOLDER / "ocpp-rpc-1.6.mjs"))),
    "ocpp-rpc-2.0.1": Foreign("2.0.1", ("node", str(NODE_FOLDER / "ocpp-rpc-2.0.1.mjs"))),
    "ocpp-ws-io-2.1": Foreign("2.1", ("node", str(NODE_FOLDER / "ocpp-ws-io-2.1.mjs"))),
}


class ForeignCharger(AbstractAsyncContextManager["ForeignCharger"]):
    """A running foreign charger; it serves `rounds` remote charges, then leaves."""

    def __init__(self, kind: Foreign, url: str, identity: str, *, rounds: int = 2) -> None:
        self._command = (*kind.command, url, identity, str(rounds))
        self._process: asyncio.subprocess.Process | None = None
        self.steps: list[dict[str, Any]] = []

    async def __aenter__(self) -> "ForeignCharger":
        self._process = await asyncio.create_subprocess_exec(
            *self._command, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        process = self._running
        if process.returncode is None:
            process.kill()
        await process.communicate()

    @property
    def _running(self) -> asyncio.subprocess.Process:
        assert self._process is not None
        return self._process

    async def until(self, name: str) -> dict[str, Any]:
        """The next step of that name; fails with the charger's own reason where it gave up."""
        stdout, stderr = self._running.stdout, self._running.stderr
        assert stdout is not None
        assert stderr is not None
        async with asyncio.timeout(STEP_TIMEOUT):
            while True:
                line = await stdout.readline()
                if not line:
                    pytest.fail(f"the charger ended before {name!r}: {(await stderr.read()).decode()}; {self.steps}")
                step: dict[str, Any] = json.loads(line)
                self.steps.append(step)
                if step["step"] == name:
                    return step
                if step["step"] == "failed":
                    pytest.fail(f"the charger failed before {name!r}: {step['reason']}; {self.steps}")

    async def exit_code(self) -> int:
        async with asyncio.timeout(STEP_TIMEOUT):
            return await self._running.wait()
