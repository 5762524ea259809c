"""One business script, unchanged against every OCPP version, over MQTT and over REST, with the same shapes."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.simulator import Version
from tests.e2e.doors import DOORS, Door
from tests.e2e.shapes import differences
from tests.e2e.virtual import VERSIONS, virtual_charger
from tests.support.gateway_process import GatewayProcess
from tests.support.servers import EmbeddedBroker, Valkey

FULL_W = 11_000
TEN_AMPERES_W = 10 * 3 * 230
SELDOM = 1_000_000.0
"""Seconds between samples: what is read of the meter was asked for."""


@pytest.fixture
def gateway(tmp_path: Path, valkey: Valkey, embedded_broker: EmbeddedBroker) -> Iterator[GatewayProcess]:
    with GatewayProcess(tmp_path / "gateway", redis_url=valkey.url, mqtt_url=embedded_broker.url) as process:
        yield process


async def charge(charger: Door) -> dict[str, Any]:
    """The script: start, limit to 10 A, read the meter, pause and resume, stop, read the session's energy."""
    read = ("trigger", {"message": "MeterValues", "evse_id": 1})
    told: dict[str, Any] = {"before": await charger.connector(lambda state: state["status"] == "available")}
    told["start"] = await charger.command("start", {"token": "DRIVER", "evse_id": 1})
    told["charging"] = await charger.connector(
        lambda state: state["status"] == "charging" and state["transaction"] is not None
    )
    told["limit"] = await charger.command("set_charging_limit", {"evse_id": 1, "current_a": 10})
    told["read"] = await charger.command(*read)
    told["limited"] = await charger.connector(
        lambda state: state["limit_a"] == 10 and state["power_w"] == TEN_AMPERES_W
    )
    told["pause"] = await charger.command("pause", {"evse_id": 1})
    told["paused"] = await charger.connector(
        lambda state: state["status"] == "suspended_evse" and state["paused_by"] is not None
    )
    told["resume"] = await charger.command("resume", {"evse_id": 1})
    told["resumed"] = await charger.connector(lambda state: state["status"] == "charging")
    told["lift"] = await charger.command("clear_charging_limit", {"evse_id": 1})
    told["read_again"] = await charger.command(*read)
    told["lifted"] = await charger.connector(lambda state: state["limit_a"] is None and state["power_w"] == FULL_W)
    told["stop"] = await charger.command("stop", {"evse_id": 1})
    told["ended"] = await charger.ended(told["charging"]["transaction"]["id"])
    told["after"] = await charger.connector(lambda state: state["status"] == "available")
    return told


RESULTS = ("start", "limit", "read", "pause", "resume", "lift", "read_again", "stop")
OF_THE_EVENT = {"transaction_id", "trigger", "offline", "samples", "raw", "violations"}
OF_THE_RESOURCE = {"id", "charger_id", "status", "updated_at"}
STATES = ("before", "charging", "limited", "paused", "resumed", "lifted", "after")


async def told_by(gateway: GatewayProcess, broker: EmbeddedBroker, door: str, version: Version) -> dict[str, Any]:
    identity = f"{door}/{version}"
    async with (
        virtual_charger(gateway, version, identity, interval=SELDOM),
        DOORS[door](gateway, broker.port, identity) as charger,
    ):
        return await charge(charger)


async def test_the_same_script_gives_the_same_shapes_by_every_version_and_door(
    gateway: GatewayProcess, embedded_broker: EmbeddedBroker
) -> None:
    ways = [(door, version) for door in DOORS for version in VERSIONS]
    runs = await asyncio.gather(*(told_by(gateway, embedded_broker, door, version) for door, version in ways))

    for way, told in zip(ways, runs, strict=True):
        assert {told[name]["outcome"] for name in RESULTS} == {"accepted"}, (way, told)
        ended = told["ended"]
        assert ended["energy_wh"] == ended["meter_stop_wh"] - ended["meter_start_wh"] > 0
        assert ended["suspect"] == []
    shown = [{**told, "ended": record_in(told["ended"])} for told in runs]
    for way, told in zip(ways, shown, strict=True):
        unlike = {name: differences(shown[0][name], told[name]) for name in (*RESULTS, *STATES, "ended")}
        assert {name: found for name, found in unlike.items() if found} == {}, way


def record_in(told: dict[str, Any]) -> dict[str, Any]:
    """A transaction's record, without what only its event (MQTT) or only the resource (REST) has beside it."""
    return {name: value for name, value in told.items() if name not in OF_THE_EVENT | OF_THE_RESOURCE}
