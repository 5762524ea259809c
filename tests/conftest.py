"""Fixtures that every test package shares: real servers, each fresh for the test that asks for it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.servers import EmbeddedBroker, Mosquitto, Server, Valkey


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Valkey]:
    """A Valkey of this test's own; it may be killed and started again."""
    server = Valkey(tmp_path / "valkey")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def embedded_broker(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    """A rumqttd of this test's own."""
    server = EmbeddedBroker(tmp_path / "rumqttd")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """A mosquitto of this test's own; the test is skipped where the machine has none."""
    if Mosquitto.binary() is None:
        pytest.skip("mosquitto is not installed (apt-get install mosquitto)")
    server = Mosquitto(tmp_path / "mosquitto")
    server.start()
    yield server
    server.stop()


@pytest.fixture(params=["embedded", "mosquitto"])
def broker(request: pytest.FixtureRequest) -> Server:
    """Both brokers, one after the other."""
    found = request.getfixturevalue("embedded_broker" if request.param == "embedded" else "mosquitto")
    assert isinstance(found, Server)
    return found
