"""The documents by which Home Assistant knows chargers."""

import itertools
import json
from typing import Any, get_args

import pytest

from adapters.homeassistant.config import Language
from adapters.homeassistant.naming import object_id
from adapters.homeassistant.words import Words
from gateway.core.identity import ChargerId
from tests.adapters.homeassistant.announcing import BOX, Home, Names, snapshot

OWN = "homeassistant/device/ocpp_WALLBOX-1/config"
EVERYTHING = {
    "measurands": [
        "power_w",
        "soc_percent",
        "temperature_c",
        *(f"{name}.l{n}" for name in ("current_a", "voltage_v", "power_by_phase_w") for n in (1, 2, 3)),
    ],
    "energy_register_wh": 1000,
    "transaction": {"id": "t", "cost": 1.5, "currency": "CHF"},
}
KNOWN = {"vendor": "Example", "model": "Box 11", "serial_number": "0001", "firmware_version": "1.0"}
ALWAYS = {
    *("status", "charging", "limit", "lift_limit", "paused", "enabled", "transaction_energy", "token", "duration"),
    *("stop_reason", "plugged", "error", "problem", "transaction", "unlock", "trigger_status", "trigger_meter"),
    *("reboot", "clear_cache", "trigger_boot", "connectivity", "last_boot", "last_seen", "tag", "tag_scanner"),
}
WHEN_SEEN = {
    *("power", "energy", "soc", "temperature", "cost", "firmware"),
    *(f"{name}_l{n}" for name in ("current", "voltage", "power") for n in (1, 2, 3)),
}


def test_a_charger_with_one_connector_is_one_device() -> None:
    documents = Home(chargers={"WALLBOX-1": {"name": "Wallbox", "area": "Garage"}}).announced(snapshot({}, **KNOWN))
    assert list(documents) == [OWN]
    document = documents[OWN]
    assert document["device"] == {
        "identifiers": ["ocpp_WALLBOX-1"],
        "name": "Wallbox",
        "manufacturer": "Example",
        "model": "Box 11",
        "serial_number": "0001",
        "sw_version": "1.0",
        "suggested_area": "Garage",
    }
    assert document["origin"]["sw_version"] == "1.2.3"
    assert document["availability_mode"] == "all"
    assert document["availability"] == [
        {"topic": "ocpp/status"},
        {"topic": "ocpp/chargers/WALLBOX-1/availability"},
    ]


def test_connectors_of_a_charger_with_several_are_devices_behind_it() -> None:
    documents = Home().announced(snapshot({}, {}, {"evse_id": 2, "connector_id": 2}))
    assert list(documents) == [
        OWN,
        *(f"homeassistant/device/ocpp_WALLBOX-1--{place}/config" for place in ("1-1", "2-1", "2-2")),
    ]
    devices = [document["device"] for document in documents.values()]
    assert [device["name"] for device in devices] == [
        "WALLBOX-1",
        "WALLBOX-1 Connector 1",
        "WALLBOX-1 Connector 2",
        "WALLBOX-1 Connector 2.2",
    ]
    assert {device["via_device"] for device in devices[1:]} == {"ocpp_WALLBOX-1"}
    topics = {document["components"].get("charging", {}).get("command_topic") for document in documents.values()}
    assert "ocpp/chargers/WALLBOX-1/evse/2/connector/2/set/charging" in topics
    own = documents[OWN]["components"]
    assert own["limit"]["command_topic"] == "ocpp/chargers/WALLBOX-1/set/limit_a"
    assert own["charging"] == {"platform": "switch"}, "what it had as a single device goes away"


def test_what_becomes_of_a_button_is_told_where_its_device_shows_problems() -> None:
    alone, several = Home().announced(snapshot({})), Home().announced(snapshot({}, {}))
    found = []
    for components in (document["components"] for document in (*alone.values(), *several.values())):
        for one in components.values():
            branch, is_command, _ = one.get("command_topic", "").partition("/command/")
            if is_command:
                problem_at = json.loads(one["payload_press"])["problem_at"]
                topic = f"{branch}/problem" if problem_at == "charger" else f"{branch}/{problem_at}/problem"
                assert components["problem"]["state_topic"] == topic
                found.append(problem_at)
    assert sorted(found) == sorted(["charger"] * 3 + ["evse/1/connector/1"] * (6 + 3) + ["evse/2/connector/1"] * 3)


def test_what_was_never_seen_is_not_shown_and_appears_when_it_is() -> None:
    home = Home()
    assert home.components(snapshot({})).keys() == ALWAYS
    assert home.components(snapshot(EVERYTHING, **KNOWN)).keys() == ALWAYS | WHEN_SEEN
    # Idle again, with a state that tells less.
    assert home.components(snapshot({}, **KNOWN)).keys() == ALWAYS | WHEN_SEEN


def test_what_is_not_shown_is_listed_with_its_platform_so_that_it_goes_away() -> None:
    document = Home().announced(snapshot({}))[OWN]
    assert {key: document["components"][key] for key in WHEN_SEEN} == {
        key: {"platform": "update" if key == "firmware" else "sensor"} for key in WHEN_SEEN
    }


def test_the_energy_register_fits_the_energy_dashboard() -> None:
    energy = Home().components(snapshot(EVERYTHING))["energy"]
    assert (energy["device_class"], energy["state_class"], energy["unit_of_measurement"]) == (
        "energy",
        "total_increasing",
        "kWh",
    )


@pytest.mark.parametrize(
    ("configured", "offered", "expected"),
    [
        ({}, None, (6, 32)),
        ({}, 16.4, (6, 16)),
        ({}, 0, (6, 32)),
        ({"max_a": 20}, 16, (6, 20)),
        ({"min_a": 0, "max_a": 63}, None, (0, 63)),
        ({"max_a": 5}, None, (5, 5)),
        ({"min_a": 40}, None, (40, 40)),
    ],
)
def test_the_limit_has_the_bounds_that_are_configured_or_were_seen(
    configured: dict[str, float], offered: float | None, expected: tuple[float, float]
) -> None:
    limit = Home(chargers={"WALLBOX-1": configured}).components(snapshot({"max_offered_a": offered}))["limit"]
    assert (limit["min"], limit["max"]) == expected


def test_a_cost_has_the_currency_that_was_told_or_is_configured() -> None:
    told = Home(currency="EUR").components(snapshot(EVERYTHING))["cost"]
    assert (told["device_class"], told["unit_of_measurement"]) == ("monetary", "CHF")
    plain = {**EVERYTHING, "transaction": {"cost": 1.5, "currency": None}}
    assert Home(currency="EUR").components(snapshot(plain))["cost"]["unit_of_measurement"] == "EUR"
    assert "device_class" not in Home().components(snapshot(plain))["cost"]


def test_a_firmware_is_installed_only_where_one_is_configured() -> None:
    assert "command_topic" not in Home().components(snapshot({}, **KNOWN))["firmware"]
    known = {"firmware_url": "https://example.com/2.bin", "firmware_version": "2.0"}
    firmware = Home(chargers={"WALLBOX-1": known}).components(snapshot({}, **KNOWN))["firmware"]
    assert firmware["command_topic"] == "ocpp/chargers/WALLBOX-1/command/update_firmware"
    payload = {"location": "https://example.com/2.bin", "problem_at": "evse/1/connector/1"}
    assert json.loads(firmware["payload_install"]) == payload


# ---------------------------------------------------------------- names


IDENTITIES = ["a/b", "a_b", "a b", "a-b", "A_B", "a", "ä", "a--1-1", "a_1_1", "a+b", "%", "/"]


def test_no_two_chargers_share_a_name() -> None:
    marked = [object_id(ChargerId(one), "ocpp").removeprefix("ocpp_") for one in IDENTITIES]
    identities = sorted({*IDENTITIES, *marked})
    chargers = [ChargerId(one, tenant) for one in identities for tenant in ("", "t")]
    names = [object_id(charger, prefix) for charger in chargers for prefix in ("ocpp", "ocpp/2", "ocpp_2")]
    assert len(set(names)) == len(names)
    assert all(name.replace("-", "").replace("_", "").isalnum() and name.isascii() for name in names)


def test_no_two_entities_share_a_unique_id() -> None:
    seen = [
        part["unique_id"]
        for identity, places in itertools.product(IDENTITIES, ([{}], [{}, {}]))
        if (charger := ChargerId(f"{identity}{len(places)}"))
        for document in Home().announced(snapshot(*({} for _ in places), charger=charger)).values()
        for part in document["components"].values()
        if "unique_id" in part
    ]
    assert len(set(seen)) == len(seen) > 100


def test_older_and_newer_versions_of_home_assistant_get_the_same_entity_id() -> None:
    for part in Home().components(snapshot(EVERYTHING)).values():
        if part["platform"] != "tag":
            assert part["default_entity_id"] == f"{part['platform']}.{part['object_id']}"


def test_another_prefix_of_the_gateway_and_of_discovery_is_kept_to() -> None:
    home = Home(Names("site/ocpp"), discovery_prefix="ha")
    (topic,) = home.announced(snapshot({}))
    assert topic.startswith("ha/device/ocpp_WALLBOX-1_")
    text = json.dumps(home.broker)
    assert '"site/ocpp/chargers/WALLBOX-1/evse/1/connector/1/state"' in text
    assert '"ocpp/' not in text


# ---------------------------------------------------------------- languages


@pytest.mark.parametrize("language", get_args(Language))
def test_every_language_has_every_word(language: Any) -> None:
    english, words = Words.load("en"), Words.load(language)
    assert words.entities.keys() == english.entities.keys()
    assert words.statuses.keys() == english.statuses.keys()
    assert all([words.connector, *words.entities.values(), *words.statuses.values()])
    assert len(set(words.statuses.values())) == len(words.statuses), "an option is chosen by its word"
    parts = Home(language=language).components(snapshot(EVERYTHING, **KNOWN))
    assert {part["name"] for part in parts.values() if "name" in part} <= set(words.entities.values())
    assert parts["status"]["options"] == list(words.statuses.values())


def test_no_word_is_left_over() -> None:
    home = Home()
    shown = (
        home.components(snapshot(EVERYTHING, **KNOWN)).keys() | home.components(snapshot({}, {}, charger=BOX)).keys()
    )
    assert Words.load("en").entities.keys() == shown - {"tag_scanner"}
