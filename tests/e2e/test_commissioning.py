"""A charger that we did not write is put into service: pending, it reports itself in parts, then it is accepted."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.foreign import Foreign, ForeignCharger, package
from tests.support.gateway_process import GatewayProcess
from tests.support.servers import EmbeddedBroker, Valkey

IDENTITY = "NEW-1"


@pytest.fixture
def gateway(tmp_path: Path, valkey: Valkey, embedded_broker: EmbeddedBroker) -> Iterator[GatewayProcess]:
    with GatewayProcess(tmp_path / "gateway", redis_url=valkey.url, mqtt_url=embedded_broker.url) as process:
        yield process


async def command(client: httpx.AsyncClient, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    answer = await client.post(f"/v1/chargers/{IDENTITY}/commands/{name}?wait=60", json=arguments)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def register(client: httpx.AsyncClient, status: str) -> None:
    answer = await client.put(f"/v1/chargers/{IDENTITY}/registration", json={"status": status})
    assert answer.status_code == 204, answer.text


async def test_a_pending_charger_reports_itself_before_it_is_accepted(gateway: GatewayProcess) -> None:
    kind = Foreign("2.0.1", package("ocpp_package_commissioning"))
    async with gateway.client() as client:
        await register(client, "pending")
        async with ForeignCharger(kind, gateway.charger_url, IDENTITY) as charger:
            await charger.until("pending")
            started = await command(client, "start", {"token": "DRIVER", "evse_id": 1})
            assert started["outcome"] == "invalid"
            assert "pending" in started["reason"]

            report = await command(client, "get_report", {"base": "full"})
            assert (await charger.until("asked"))["report_base"] == "FullInventory"
            assert report["outcome"] == "accepted", report
            told = [(item["variable"], item["attributes"][0]["value"]) for item in report["result"]["variables"]]
            assert told == [("Model", "0"), ("HeartbeatInterval", "1"), ("SecurityProfile", "2")]

            await register(client, "accepted")
            triggered = await command(client, "trigger", {"message": "BootNotification"})
            assert triggered["outcome"] == "accepted", triggered
            await charger.until("accepted")
            await charger.until("done")
            assert await charger.exit_code() == 0
