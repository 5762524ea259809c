"""Which chargers are announced, and when what changed is."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import permutations

import pytest
from structlog.testing import capture_logs

from adapters.homeassistant.adapter import HomeAssistantAdapter
from adapters.homeassistant.chosen import Chosen
from adapters.homeassistant.config import HomeAssistantConfig
from adapters.homeassistant.projection import PAUSE_SECONDS, SETTLE_SECONDS
from gateway.core.identity import ChargerId
from gateway.core.ports import Snapshot
from tests.adapters.homeassistant.announcing import BOX, HandClock, Home, Names, snapshot
from tests.adapters.rest.fakes import FakeGateway
from tests.cluster.support import eventually

SEEN = {"measurands": ["power_w"]}
OWN = "homeassistant/device/ocpp_WALLBOX-1/config"


def shows_power(home: Home) -> bool:
    return len(home.broker[OWN]["components"]["power"]) > 1


def test_a_new_charger_is_announced_once_it_has_settled() -> None:
    home = Home()
    assert home.see(snapshot(vendor="Acme")) == {}
    assert home.announcements.due_again(BOX) == SETTLE_SECONDS
    assert home.see(snapshot({}, {}), after=SETTLE_SECONDS - 0.5) == {}
    assert len(home.see(snapshot({}, {}), after=0.5)) == 3
    assert home.announcements.due_again(BOX) is None


def test_who_only_connected_and_said_nothing_of_himself_is_no_device() -> None:
    home = Home()
    assert home.see(snapshot()) == {}
    assert home.announcements.due_again(BOX) is None
    assert home.see(snapshot(), after=SETTLE_SECONDS + 1) == {}
    assert home.see(snapshot(model="One")) != {}


def test_what_changes_soon_after_is_announced_when_home_assistant_has_had_time() -> None:
    home = Home()
    home.announced(snapshot({}))
    home.see(snapshot({}), after=60)
    home.see(snapshot(SEEN))
    assert shows_power(home)
    home.see(snapshot({**SEEN, "max_offered_a": 16}), after=1)
    assert home.broker[OWN]["components"]["limit"]["max"] == 32
    assert home.announcements.due_again(BOX) == PAUSE_SECONDS - 1
    home.see(snapshot({**SEEN, "max_offered_a": 16}), after=PAUSE_SECONDS - 1)
    assert home.broker[OWN]["components"]["limit"]["max"] == 16


def test_measured_values_change_no_document() -> None:
    home = Home()
    home.announced(snapshot({**SEEN, "power_w": 1}))
    before = list(home.announcements.messages(snapshot({**SEEN, "power_w": 1}), home.names))
    after = list(home.announcements.messages(snapshot({**SEEN, "power_w": 2}), home.names))
    assert [one[1] for one in after] == [one[1] for one in before]
    assert all(one[1] is other[1] for one, other in zip(before, after, strict=True))


def test_a_fleet_is_not_announced_and_the_log_says_so_once() -> None:
    home = Home(max_chargers=2)
    with capture_logs() as logs:
        for number in range(5):
            home.announced(snapshot({}, charger=ChargerId(f"CP{number}")))
    assert list(home.broker) == [f"homeassistant/device/ocpp_CP{number}/config" for number in range(2)]
    assert [line["limit"] for line in logs] == [2]
    assert home.announcements.due_again(ChargerId("CP4")) is None


@pytest.mark.parametrize("order", [*permutations(("CP1", "CP2", "CP3", "CP4"))])
def test_the_same_chargers_are_announced_whatever_comes_first_and_those_of_the_home_before_all(
    order: tuple[str, ...],
) -> None:
    home = Home(max_chargers=2, chargers={"CP3": {"name": "Garage"}})
    seen = [snapshot({}, {}, charger=ChargerId(identity)) for identity in order]
    for one in (*seen, *seen):
        home.announced(one)
    devices = {topic.split("/")[2].split("--")[0] for topic in home.broker}
    assert devices == {"ocpp_CP1", "ocpp_CP3"}
    assert len(home.broker) == 6
    assert [home.announcements.due_again(one.charger) for one in seen] == [None] * 4


def test_the_room_that_one_left_goes_to_the_next_in_line_whichever_comes_first() -> None:
    home = Home(max_chargers=1)
    one, two, three = (snapshot({}, charger=ChargerId(identity)) for identity in ("CP1", "CP2", "CP3"))
    for each in (one, two, three):
        home.announced(each)
    for topic, _ in home.announcements.clearing(one.charger, [(1, 1)], home.names):
        del home.broker[topic]
    home.announced(three)
    assert home.broker == {}
    counted = Chosen(HomeAssistantConfig(max_chargers=1))
    assert [counted.admit(each.charger) for each in (three, two)] == [True, True]
    assert not home.announcements.choose(counted)
    assert list(home.announced(two)) == ["homeassistant/device/ocpp_CP2/config"]


async def test_the_chargers_of_all_nodes_are_counted_and_those_beyond_withdrawn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("adapters.homeassistant.adapter.COUNT_SECONDS", 0.01)
    known, again = [ChargerId("CP2")], asyncio.Event()

    async def known_chargers() -> AsyncIterator[ChargerId]:
        for charger in known:
            yield charger

    context = replace(FakeGateway().context, known_chargers=known_chargers, clock=HandClock())
    adapter = HomeAssistantAdapter(HomeAssistantConfig(max_chargers=1), context)
    (projection,) = context.projections
    context.projections.follow(lambda one, seconds: again.set())
    cp2, names = snapshot({}, charger=ChargerId("CP2")), Names()
    assert list(projection.messages(cp2, names)) == []
    assert projection.due_again(cp2.charger) == SETTLE_SECONDS
    task = asyncio.create_task(adapter.run(lambda: None), name="adapter")
    try:
        await eventually(lambda: projection.due_again(cp2.charger) is None)
        projection.messages(cp2, names)
        context.clock.time += SETTLE_SECONDS  # type: ignore[attr-defined]
        assert all(payload for _, payload in projection.messages(cp2, names))
        known.append(ChargerId("CP1"))
        async with asyncio.timeout(60):
            await again.wait()
        own = "homeassistant/device/ocpp_CP2/config"
        assert list(projection.messages(cp2, names)) == [(own, b"")]
    finally:
        task.cancel()


def test_a_charger_that_goes_makes_room_for_another() -> None:
    home = Home(max_chargers=1)
    home.announced(snapshot({}))
    list(home.announcements.clearing(BOX, [(1, 1)], home.names))
    assert len(home.announced(snapshot({}, charger=ChargerId("CP2")))) == 2


@pytest.mark.parametrize("known", [True, False])
def test_a_removed_charger_is_cleared_once_its_connectors_first(known: bool) -> None:
    home = Home()
    if known:
        home.announced(snapshot({}, {}))
    cleared = list(home.announcements.clearing(BOX, [(1, 1), (2, 1)], home.names))
    assert cleared == [
        ("homeassistant/device/ocpp_WALLBOX-1--1-1/config", b""),
        ("homeassistant/device/ocpp_WALLBOX-1--2-1/config", b""),
        (OWN, b""),
    ]
    assert list(home.announcements.clearing(BOX, [], home.names)) == []


@pytest.mark.parametrize("field", [b"", b"null", b"[]", b"{", b'{"connectors":7,"vendor":8}'])
def test_a_state_that_cannot_be_read_announces_what_it_can(field: bytes) -> None:
    home = Home()
    damaged = Snapshot(BOX, {"charger": field, "connector/1/1": field})
    home.announced(damaged)
    assert len(home.broker) in (0, 1)
    assert home.announced(snapshot({}))


def test_the_birth_of_home_assistant_has_all_published_again() -> None:
    context = FakeGateway().context
    HomeAssistantAdapter(HomeAssistantConfig(discovery_prefix="ha"), context)
    again: list[str] = []
    context.projections.follow(lambda projection, seconds: again.append(projection.name))
    (listener,) = context.listeners.of("ha/status")
    for payload in (b"offline", b"online"):
        listener("ha/status", payload)
    assert again == ["homeassistant"]


def test_nothing_is_announced_where_it_is_turned_off() -> None:
    context = FakeGateway().context
    HomeAssistantAdapter(HomeAssistantConfig(enabled=False), context)
    assert (list(context.projections), context.listeners.filters) == ([], ())
