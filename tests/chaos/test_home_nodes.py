"""What a home sets has its outcome whatever becomes of the nodes, and the last value reaches the charger."""

import pytest

from tests.chaos.charger import HandCharger
from tests.chaos.conftest import MakeNode, start
from tests.chaos.subscriber import Subscriber
from tests.chaos.waiting import until
from tests.support.gateway_process import GatewayProcess
from tests.support.servers import EmbeddedBroker, Valkey

CHARGER = "WALLBOX"
PLACE = f"ocpp/chargers/{CHARGER}/evse/1/connector/1"

Nodes = tuple[GatewayProcess, GatewayProcess]


@pytest.fixture
async def nodes(make_node: MakeNode, valkey: Valkey, embedded_broker: EmbeddedBroker) -> Nodes:
    settings = {"mqtt": {"set_interval": 60}, "redis": {"node_term": 5}}
    first, second = (
        make_node(valkey.url, embedded_broker.url, name=name, settings=settings) for name in ("node-1", "node-2")
    )
    await start(first, second)
    return first, second


def outcomes(home: Subscriber) -> list[str]:
    return [heard.json["outcome"] for heard in home.on(f"ocpp/chargers/{CHARGER}/result/set_charging_limit")]


def limits(*chargers: HandCharger) -> list[float]:
    """The limits that a charger was given, connection after connection."""
    return [
        payload["csChargingProfiles"]["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"]
        for charger in chargers
        for action, payload in charger.commands
        if action == "SetChargingProfile"
    ]


async def test_a_limit_that_waits_for_its_pace_outlives_its_node(nodes: Nodes, home_subscriber: Subscriber) -> None:
    first, second = nodes
    async with HandCharger(first.charger_url, CHARGER) as before:
        await before.boot()
        home_subscriber.publish(f"{PLACE}/set", {"limit_a": 6})
        await until(lambda: outcomes(home_subscriber) == ["accepted"], "the first limit is set")
        for amperes in (7, 8, 9):
            home_subscriber.publish(f"{PLACE}/set", {"limit_a": amperes})
        await until(lambda: outcomes(home_subscriber).count("superseded") == 2, "the last one waits")
        first.kill()
    async with HandCharger(second.charger_url, CHARGER) as after:
        await after.boot()
        await until(lambda: len(outcomes(home_subscriber)) == 4, "all have ended")
        assert sorted(outcomes(home_subscriber)) == ["accepted", "accepted", "superseded", "superseded"]
        assert limits(before) == [6]
        # After its boot it may have been told once more what held before.
        assert limits(after)[-1] == 9
        assert set(limits(after)) <= {6, 9}
        await until(lambda: shown(home_subscriber) == 9, "the state shows it")


def shown(home: Subscriber) -> float | None:
    heard = home.on(f"{PLACE}/state")
    limit: float | None = heard[-1].json["limit_a"] if heard else None
    return limit
