"""One gateway for all cases: a real process on a real Valkey and a real broker. Each test has charge points of its
own names and tokens of its own, so that tests may run in any order and side by side."""

import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import httpx
import pytest

from gateway.core.token_list import EMPTINESS_HOLDS
from tests.compliance.ocpp16.lab import STRICT, Lab
from tests.support.gateway_process import ADMIN_KEY, GatewayProcess
from tests.support.servers import EmbeddedBroker, Valkey


@dataclass(frozen=True)
class House:
    """The running gateway, and what it stands on."""

    gateway: GatewayProcess
    valkey: Valkey
    broker: EmbeddedBroker


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("lab16")
    valkey, broker = Valkey(folder / "valkey").start(), EmbeddedBroker(folder / "broker").start()
    quirks = folder / "strict.toml"
    quirks.write_text(f'[[profile]]\nname = "strict"\nmatch = {{ identity = "{STRICT}*" }}\nstrict = true\n')
    settings = {"chargers": {"quirks": str(quirks), "heartbeat_spread": 0}}
    gateway = GatewayProcess(folder / "gateway", redis_url=valkey.url, mqtt_url=broker.url, settings=settings)
    with gateway:
        # With the first token there is a list, and whoever is not on it is unknown.
        headers = {"Authorization": f"Bearer {ADMIN_KEY}"}
        url = f"{gateway.rest_url}/v1/tokens/FIRST"
        httpx.put(url, headers=headers, json={}, trust_env=False, timeout=60).raise_for_status()
        time.sleep(EMPTINESS_HOLDS)
        yield House(gateway, valkey, broker)
    broker.stop()
    valkey.stop()


@pytest.fixture
async def lab(house: House) -> AsyncIterator[Lab]:
    headers = {"Authorization": f"Bearer {ADMIN_KEY}"}
    # Nothing is verified without TLS, and to read the trusted certificates takes longer than most cases.
    async with httpx.AsyncClient(
        base_url=house.gateway.rest_url, headers=headers, timeout=90.0, trust_env=False, verify=False
    ) as client:
        yield Lab(house.gateway, client)


@pytest.fixture
def mqtt_port(house: House) -> int:
    """The broker's port: for business systems that come by MQTT."""
    return house.broker.port
