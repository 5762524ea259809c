"""Which quirk profiles apply to a charger, and what they say."""

from datetime import UTC, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from gateway.ocpp.profile import STANDARD
from gateway.ocpp.quirks.catalog import Catalog, Make, built_in
from gateway.ocpp.quirks.tables import ProfileTable, QuirkFile


def profile(name: str, match: dict[str, Any], **options: Any) -> ProfileTable:
    return ProfileTable.model_validate({"name": name, "match": match, **options})


@pytest.mark.parametrize(
    ("match", "fits"),
    [
        ({"vendor": "Acme"}, True),
        ({"vendor": "acme"}, True),
        ({"vendor": "Ac"}, False),
        ({"vendor": "Ac*"}, True),
        ({"vendor": ["Other", "A?me"]}, True),
        ({"model": "X[0-9]"}, True),
        ({"firmware": "1.2*"}, True),
        ({"firmware": "1.3*"}, False),
        ({"identity": "CP-*"}, True),
        ({"identity": "cp-*"}, False),  # two chargers may differ in nothing but case
        ({"vendor": "Acme", "model": "Y*"}, False),
        ({"vendor": "Acme", "model": "X*", "firmware": "*", "identity": "*"}, True),
    ],
)
def test_every_field_that_is_named_must_fit(match: dict[str, Any], fits: bool) -> None:
    quirks = Catalog.of([profile("p", match, strict=True)]).quirks(Make("CP-1", "Acme", "X1", "1.2.3"))
    assert (quirks.name, quirks.strict) == (("p", True) if fits else ("standard", None))


def test_what_a_charger_did_not_say_fits_nothing() -> None:
    catalog = Catalog.of([profile("p", {"vendor": "*"})])
    assert catalog.quirks(Make("CP-1")) is STANDARD
    assert catalog.quirks(Make("CP-1", vendor="")).name == "p"


def test_profiles_that_fit_apply_together_and_the_more_specific_wins() -> None:
    units = [{"measurand": "Power.Active.Import", "written": "W", "is": "kW"}]
    catalog = Catalog.of(
        [
            profile("both", {"vendor": "A*", "model": "X"}, max_stack_level=1, phases=3),
            profile("vendor", {"vendor": "A*"}, max_stack_level=0, voltage_v=230, units=units),
        ]
    )
    quirks = catalog.quirks(Make("CP-1", "Acme", "X"))
    assert (quirks.name, quirks.max_stack_level, quirks.phases, quirks.voltage_v) == ("vendor + both", 1, 3, 230)
    assert quirks.units == {("Power.Active.Import", "W"): ("W", 3)}


def test_an_operator_s_profile_wins_over_ours_however_specific_that_is() -> None:
    ours = profile("ours", {"vendor": "A*", "model": "X"}, strict=False, id_tag_length=21)
    operators = profile("theirs", {"identity": "*"}, strict=True)
    quirks = Catalog.of([ours], [operators]).quirks(Make("CP-1", "Acme", "X"))
    assert (quirks.name, quirks.strict, quirks.id_tag_length) == ("ours + theirs", True, 21)


def test_of_equals_the_later_wins() -> None:
    catalog = Catalog.of([profile("a", {"vendor": "A*"}, phases=1), profile("b", {"vendor": "*e"}, phases=3)])
    assert catalog.quirks(Make("CP-1", "Acme")).phases == 3


@pytest.mark.parametrize(
    ("written", "zone"),
    [
        ("Europe/Berlin", ZoneInfo("Europe/Berlin")),
        ("+02:00", timezone(timedelta(hours=2))),
        ("-0530", timezone(-timedelta(hours=5, minutes=30))),
        ("UTC", UTC),
    ],
)
def test_a_time_zone_is_a_name_or_an_offset(written: str, zone: Any) -> None:
    assert profile("p", {"vendor": "*"}, time_zone=written).time_zone == zone


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"time_zone": "Mars/Olympus"}, "no time zone is called"),
        ({"time_zone": "../etc/passwd"}, "no time zone is called"),
        ({"time_zone": ""}, "no time zone is called"),
        ({"time_zone": "+30:00"}, "more than a day"),
        ({"time_zone": 2}, "a time zone is text"),
        ({"match": {}}, "name at least one of"),
        ({"match": {"vendor": []}}, "at least 1 item"),
        ({"units": [{"measurand": "E", "written": "Wh", "is": "parsec"}]}, "no unit that is known"),
        ({"default_subprotocol": "ocpp3"}, "ocpp1.6"),
        ({"id_tag_length": 5}, "greater than or equal to 20"),
        ({"colour": "red"}, "Extra inputs"),
    ],
)
def test_a_mistake_is_named(options: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        QuirkFile.model_validate({"profile": [{"name": "p", "match": {"vendor": "*"}, **options}]})


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (Make("GRS-1700003fb5d"), "grizzl-e"),
        (Make("x", "OpenEVSE", "Advanced Series", "v4.2.2"), "openevse-4.2"),
        (Make("x", "OpenEVSE", "Advanced Series", "v5.1.0"), "standard"),
        (Make("x", "Growatt", "THOR_11AS", "THOR_11AS-V5.2.4-20230307-NOVO"), "growatt-thor"),
        (Make("x", "Wall Box Chargers", "PLP2-M-2-4", "6.6.12"), "wallbox"),
        (Make("x", "ABB", "CDT_TACW22::NET_WIFI", "TAC3Z9119006710273::V1.8.21"), "abb-terra-ac"),
        (Make("x", "Anker", "Anker"), "anker"),
        (Make("x", "", "ACChargePoint"), "standard"),
    ],
)
def test_the_makes_that_ship_are_known_by_what_they_say(make: Make, name: str) -> None:
    assert Catalog.of(built_in()).quirks(make).name == name
