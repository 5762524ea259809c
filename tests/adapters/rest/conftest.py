"""Fixtures of the REST tests."""

from collections.abc import Iterator

import pytest
import structlog
from structlog.typing import EventDict


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[EventDict]]:
    """What was logged, kept from the terminal."""
    with structlog.testing.capture_logs() as entries:
        yield entries
