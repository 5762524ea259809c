"""Which chargers are announced, and when what changed is."""

import pytest
from structlog.testing import capture_logs

from adapters.homeassistant.adapter import HomeAssistantAdapter
from adapters.homeassistant.config import HomeAssistantConfig
from adapters.homeassistant.projection import PAUSE_SECONDS, SETTLE_SECONDS
from gateway.core.identity import ChargerId
from gateway.core.ports import Snapshot
from tests.adapters.homeassistant.announcing import BOX, Home, snapshot
from tests.adapters.rest.fakes import FakeGateway

SEEN = {"measurands": ["power_w"]}
OWN = "homeassistant/device/ocpp_WALLBOX-1/config"


def shows_power(home: Home) -> bool:
    return len(home.broker[OWN]["components"]["power"]) > 1


def test_a_new_charger_is_announced_once_it_has_settled() -> None:
    home = Home()
    assert home.see(snapshot()) == {}
    assert home.announcements.due_again(BOX) == SETTLE_SECONDS
    assert home.see(snapshot({}, {}), after=SETTLE_SECONDS - 0.5) == {}
    assert len(home.see(snapshot({}, {}), after=0.5)) == 3
    assert home.announcements.due_again(BOX) is None


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
