"""What the chargers' rooms log while a test runs; a traceback fails the test."""

import asyncio
import logging
from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest
import structlog
from structlog.testing import LogCapture

from gateway.chargers import (
    admission_rate,
    connection,
    door,
    drain,
    giving_up,
    responsiveness,
    server,
    sleeping,
    tls,
    websocket,
)

Entries = list[MutableMapping[str, Any]]


@pytest.fixture(autouse=True)
def awake(monkeypatch: pytest.MonkeyPatch) -> None:
    """A node that slept asks for its chargers before it answers a heartbeat; here none does, busy as it may be."""
    monkeypatch.setattr(sleeping, "SLEPT", 3600.0)


@pytest.fixture(autouse=True)
def no_tales_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """What another test left is found by the garbage collector now and then, and told of by a loop that is closed."""
    tell = asyncio.BaseEventLoop.call_exception_handler

    def tell_of_this_test(loop: asyncio.BaseEventLoop, context: dict[str, Any]) -> None:
        if not loop.is_closed():
            tell(loop, context)

    monkeypatch.setattr(asyncio.BaseEventLoop, "call_exception_handler", tell_of_this_test)


@pytest.fixture(autouse=True)
def log(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[Entries]:
    """The log entries so far. Nothing that a charger does may leave a traceback there."""
    capture = LogCapture()
    logger = structlog.wrap_logger(None, processors=[capture])
    modules = (admission_rate, connection, door, drain, giving_up, responsiveness, server, tls, websocket)
    for module in modules:
        monkeypatch.setattr(module, "_log", logger)
    yield capture.entries
    assert [entry for entry in capture.entries if entry.get("exc_info")] == []
    assert [record for record in caplog.get_records("call") if record.levelno >= logging.ERROR] == []
