"""Fixtures that every test package shares: real servers, each fresh for the test that asks for it."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, settings

from adapters.rest.app import create_app
from tests.support.servers import EmbeddedBroker, Mosquitto, Server, Valkey

# How long an example takes says how busy the machine is, and what is drawn is a matter of chance.
CHANCE = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large, HealthCheck.large_base_example]
settings.register_profile("gateway", deadline=None, suppress_health_check=CHANCE)
settings.load_profile("gateway")


@pytest.fixture(scope="session")
def rest_apps() -> list[FastAPI]:
    """REST's apps that no test uses just now."""
    return []


@pytest.fixture(autouse=True)
def few_rest_apps(monkeypatch: pytest.MonkeyPatch, rest_apps: list[FastAPI]) -> Iterator[None]:
    """Use an app again after the test that it was made for.

    FastAPI never lets go of one: after some hundred the garbage collector stops the tests, and the clients in them,
    for seconds.
    """
    used: list[FastAPI] = []

    def app() -> FastAPI:
        used.append(rest_apps.pop() if rest_apps else create_app())
        return used[-1]

    monkeypatch.setattr("adapters.rest.adapter.create_app", app)
    yield
    rest_apps += used


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
