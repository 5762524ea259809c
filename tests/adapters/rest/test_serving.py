"""The adapter as it really runs: uvicorn on a socket, in this event loop."""

import asyncio
import shutil
import signal
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from adapters.rest import RestAdapter, RestConfig
from adapters.rest.first_key import ensure_first_key
from gateway.core.errors import ConfigurationError
from tests.adapters.rest.client import assert_problem
from tests.adapters.rest.fakes import FakeGateway
from tests.support.servers import free_port


@asynccontextmanager
async def running(gateway: FakeGateway, **settings: Any) -> AsyncIterator[tuple[RestAdapter, asyncio.Task[None]]]:
    """The adapter, listening on a free port; stopped by cancellation at the end."""
    adapter = RestAdapter(RestConfig(**{"port": 0, **settings}), gateway.context)
    started = asyncio.Event()
    task = asyncio.create_task(adapter.run(started.set), name="adapter under test")
    try:
        await asyncio.wait_for(started.wait(), 60)
        yield adapter, task
    finally:
        task.cancel()
        done, _ = await asyncio.wait({task}, timeout=60)
        assert done, "the adapter does not stop"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed (apt-get install openssl)")
    folder = tmp_path_factory.mktemp("tls")
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    names = "-addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout key.pem -out certificate.pem"
    subprocess.run([*command.split(), *names.split()], cwd=folder, check=True, capture_output=True)
    return folder / "certificate.pem", folder / "key.pem"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_an_encoded_identity_survives_a_real_server(host: str) -> None:
    gateway = FakeGateway()
    for identity in ("a/b", "x y", "ü#1"):
        gateway.state.add(identity)
    async with (
        running(gateway, host=host) as (adapter, _),
        httpx.AsyncClient(headers=gateway.key("read"), timeout=60) as client,
    ):
        for path, identity in (("a%2Fb", "a/b"), ("a%2fb", "a/b"), ("x%20y", "x y"), ("%C3%BC%231", "ü#1")):
            response = await client.get(f"http://{host}:{adapter.port}/v1/chargers/{path}")
            assert response.json()["id"] == identity
        assert_problem(await client.get(f"http://{host}:{adapter.port}/v1/chargers/a/b"), 404, "not-found")


async def test_signal_handlers_stay_the_gateways_own() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    async with running(FakeGateway()):
        assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


async def test_a_bug_keeps_the_connection_and_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = FakeGateway(dev=True)

    async def broken() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(gateway.state, "nodes", broken)
    async with (
        running(gateway) as (adapter, _),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{adapter.port}", timeout=60) as client,
    ):
        assert_problem(await client.get("/v1/nodes"), 500, "internal-error")
        assert (await client.get("/healthz")).status_code == 200


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
async def test_tls_is_1_2_or_newer(certificate: tuple[Path, Path]) -> None:
    settings = {"tls_certificate": certificate[0], "tls_key": certificate[1]}
    async with running(FakeGateway(), **settings) as (adapter, _):
        trusting = ssl.create_default_context(cafile=str(certificate[0]))
        async with httpx.AsyncClient(verify=trusting, timeout=60) as client:
            assert (await client.get(f"https://127.0.0.1:{adapter.port}/healthz")).json() == {"status": "ok"}
        old = ssl.create_default_context(cafile=str(certificate[0]))
        old.set_ciphers("ALL:@SECLEVEL=0")
        old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        old.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await asyncio.open_connection("127.0.0.1", adapter.port, ssl=old)


async def test_a_busy_port_is_a_configuration_error_that_says_what_to_set() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        adapter = RestAdapter(RestConfig(port=taken.getsockname()[1]), FakeGateway().context)
        with pytest.raises(ConfigurationError, match=r"set rest\.host and rest\.port"):
            await adapter.run(lambda: None)


async def test_a_certificate_that_does_not_load_is_a_configuration_error(tmp_path: Path) -> None:
    (tmp_path / "c.pem").write_text("no certificate")
    for certificate in (tmp_path / "c.pem", tmp_path / "missing.pem"):
        adapter = RestAdapter(RestConfig(tls_certificate=certificate, tls_key=certificate), FakeGateway().context)
        with pytest.raises(ConfigurationError, match="tls_certificate"):
            await adapter.run(lambda: None)


def test_certificate_and_key_go_together_and_unknown_settings_are_refused() -> None:
    for settings in ({"tls_certificate": "c.pem"}, {"tls_key": "k.pem"}, {"colour": "red"}, {"admin_key": "short"}):
        with pytest.raises(ValidationError):
            RestConfig.model_validate(settings)


async def test_a_stop_answers_waiting_clients_and_frees_the_port() -> None:
    gateway = FakeGateway(dev=True)
    charger = gateway.connect("CP-1")
    charger.answering.clear()
    # No port that the system may give to somebody's outgoing connection in between.
    async with running(gateway, port=free_port()) as (adapter, task), httpx.AsyncClient(timeout=60) as client:
        url = f"http://127.0.0.1:{adapter.port}/v1/chargers/CP-1/commands/stop?wait=120&timeout=600"
        waiting = asyncio.create_task(client.post(url), name="waiting client")
        async with asyncio.timeout(60):
            while not charger.executed:
                await asyncio.wait({waiting}, timeout=0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        response = await waiting
        assert response.status_code == 202
        assert gateway.commands.ended[response.json()["id"]].outcome.value == "timeout"
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", adapter.port))


async def test_a_client_that_never_ends_its_request_does_not_hold_up_the_stop() -> None:
    async with running(FakeGateway(), stop_timeout=1) as (adapter, _):
        _, writer = await asyncio.open_connection("127.0.0.1", adapter.port)
        writer.write(b"POST /v1/api-keys HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{")
        await writer.drain()
    writer.close()


async def test_the_first_key_is_shown_once_all_has_started(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = FakeGateway()
    keys = gateway.context.api_keys
    for key in await keys.list():
        await keys.revoke(key.id)
    shown = asyncio.Event()

    async def shows(*arguments: Any, **more: Any) -> None:
        await ensure_first_key(*arguments, **more)
        shown.set()

    monkeypatch.setattr("adapters.rest.adapter.ensure_first_key", shows)
    async with running(gateway) as (adapter, _):
        async with httpx.AsyncClient(timeout=60) as client:
            response = await client.get(f"http://127.0.0.1:{adapter.port}/v1/chargers")
        assert_problem(response, 401, "api-key-required")
        assert await keys.list() == []
        gateway.context.opened.set()
        await shown.wait()
    assert f"http://127.0.0.1:{adapter.port}/v1/chargers" in capfd.readouterr().err


async def test_a_start_that_fails_shows_no_key(capfd: pytest.CaptureFixture[str]) -> None:
    gateway = FakeGateway()
    for key in await gateway.context.api_keys.list():
        await gateway.context.api_keys.revoke(key.id)
    async with running(gateway):
        pass
    assert "API key" not in capfd.readouterr().err
    assert await gateway.context.api_keys.list() == []
