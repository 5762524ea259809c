"""One gateway for all cases of a session, with a token list and policies that the cases name their stations by."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from tests.compliance.laboratory import CHARGERS, POLICIES, STRICT_MAKE, TOKENS, Laboratory
from tests.support.gateway_process import ADMIN_KEY, GatewayProcess
from tests.support.servers import EmbeddedBroker, Valkey


@pytest.fixture(scope="session")
def lab_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedBroker]:
    server = EmbeddedBroker(tmp_path_factory.mktemp("lab") / "rumqttd")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def lab_valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    server = Valkey(tmp_path_factory.mktemp("lab") / "valkey")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def lab_gateway(
    tmp_path_factory: pytest.TempPathFactory, lab_broker: EmbeddedBroker, lab_valkey: Valkey
) -> Iterator[GatewayProcess]:
    folder: Path = tmp_path_factory.mktemp("lab")
    quirks = folder / "strict.toml"
    quirks.write_text(STRICT_MAKE)
    process = GatewayProcess(
        folder / "gateway",
        redis_url=lab_valkey.url,
        mqtt_url=lab_broker.url,
        settings={"chargers": {"quirks": str(quirks), **CHARGERS}, **POLICIES},
    )
    with process:
        _list_tokens(process)
        yield process


def _list_tokens(gateway: GatewayProcess) -> None:
    answer = httpx.post(
        f"{gateway.rest_url}/v1/tokens/import",
        content=TOKENS,
        headers={"Authorization": f"Bearer {ADMIN_KEY}", "Content-Type": "text/csv"},
        timeout=60.0,
        trust_env=False,
    )
    assert answer.status_code == 200, answer.text


@pytest.fixture
async def lab(lab_gateway: GatewayProcess, lab_broker: EmbeddedBroker) -> AsyncIterator[Laboratory]:
    """The laboratory: stations that connect to the gateway, and the operator and business system behind it."""
    headers = {"Authorization": f"Bearer {ADMIN_KEY}"}
    # Without TLS there is nothing to verify; reading the trusted certificates would take longer than most cases.
    async with httpx.AsyncClient(
        base_url=lab_gateway.rest_url, headers=headers, timeout=90.0, trust_env=False, verify=False
    ) as client:
        yield Laboratory(lab_gateway.charger_url, client, lab_broker.port)
