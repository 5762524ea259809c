"""What the chargers' rooms log while a test runs; a traceback fails the test."""

import logging
import subprocess
from collections.abc import Iterator, MutableMapping
from pathlib import Path
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
    tls,
    websocket,
)

Entries = list[MutableMapping[str, Any]]


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


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate chain for 127.0.0.1, and its key."""
    key, chain = tmp_path / "key.pem", tmp_path / "chain.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"]
    key_options = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subprocess.run(
        ["openssl", "req", "-x509", *key_options, "-keyout", str(key), "-out", str(chain), *subject],
        check=True,
        capture_output=True,
    )
    return chain, key
