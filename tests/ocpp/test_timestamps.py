"""Timestamps as chargers write them (quirk 21)."""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ocpp.profile import Notes, Quirks
from gateway.ocpp.timestamps import read_timestamp


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000Z"),
        ("2026-01-01T00:00:00.123Z", "2026-01-01T00:00:00.123Z"),
        ("2026-01-01T00:00:00.1Z", "2026-01-01T00:00:00.100Z"),
        ("2026-01-01T00:00:00.123999999Z", "2026-01-01T00:00:00.123Z"),
        ("2026-01-01T01:00:00+01:00", "2026-01-01T00:00:00.000Z"),
        ("2026-01-01T02:00:00+02", "2026-01-01T00:00:00.000Z"),
        ("2026-01-01T02:00:00+0200", "2026-01-01T00:00:00.000Z"),
        ("2025-12-31T18:30:00.5-05:30", "2026-01-01T00:00:00.500Z"),
        ("2026-01-01 00:00:00Z", "2026-01-01T00:00:00.000Z"),
        ("2026-01-01 00:00:00 +00:00", "2026-01-01T00:00:00.000Z"),
        ("2026-01-01t00:00:00z", "2026-01-01T00:00:00.000Z"),
        (" 2026-01-01T00:00:00Z\n", "2026-01-01T00:00:00.000Z"),
        ("2026-1-1T0:00Z", "2026-01-01T00:00:00.000Z"),
        ("2028-02-29T00:00:00Z", "2028-02-29T00:00:00.000Z"),
        ("2026-12-31T23:59:60Z", "2027-01-01T00:00:00.000Z"),
        ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z"),
    ],
)
def test_what_can_be_read_is_utc_with_milliseconds(written: str, read: str) -> None:
    notes = Notes()
    assert read_timestamp(written, notes, ()) == read
    assert notes.violations == []


@pytest.mark.parametrize(
    "written",
    [
        "",
        "now",
        0,
        1767225600,
        True,
        {},
        [],
        "2026-13-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "2027-02-29T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:00:61Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+10:00",
        "9999-12-31T23:59:59-10:00",
        "2026-01-01T00:00:00+99:00",
        "2026-01-01",
        "2026-01-01T00:00:00Z" * 100,
        "٢٠٢٦-01-01T00:00:00Z",
    ],
)
def test_what_cannot_be_read_is_left_out_and_noted_with_its_place(written: Any) -> None:
    notes = Notes()
    assert read_timestamp(written, notes, ("meterValue", 0, "timestamp")) is None
    assert [(found["code"], found["path"]) for found in notes.violations] == [
        ("timestamp_unreadable", "/meterValue/0/timestamp")
    ]
    assert len(notes.violations[0]["message"]) < 100


def test_a_missing_timestamp_is_the_schema_checks_to_name() -> None:
    notes = Notes()
    assert read_timestamp(None, notes, ()) is None
    assert notes.violations == []


def test_without_a_zone_it_is_noted_and_not_guessed() -> None:
    notes = Notes()
    assert read_timestamp("2026-07-01T12:00:00", notes, ("timestamp",)) is None
    assert [found["code"] for found in notes.violations] == ["timestamp_without_zone"]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-07-01T12:00:00", "2026-07-01T10:00:00.000Z"),
        ("2026-01-01 12:00:00.25", "2026-01-01T11:00:00.250Z"),
        ("2026-07-01T12:00:00Z", "2026-07-01T12:00:00.000Z"),
    ],
)
def test_a_charger_with_a_known_time_zone_may_send_local_time(written: str, read: str) -> None:
    notes = Notes(quirks=Quirks(time_zone=ZoneInfo("Europe/Berlin")))
    assert read_timestamp(written, notes, ()) == read
    assert notes.violations == []


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-07-01T12:00:00Z", "2026-07-01T10:00:00.000Z"),
        ("2026-01-01T12:00:00.250Z", "2026-01-01T11:00:00.250Z"),
        ("2026-01-01T12:00:00+05:00", "2026-01-01T11:00:00.000Z"),
    ],
)
def test_a_zone_that_is_known_to_be_wrong_is_passed_over_and_that_is_told_once(written: str, read: str) -> None:
    notes = Notes(quirks=Quirks(time_zone=ZoneInfo("Europe/Berlin"), ignore_zone=True))
    assert [read_timestamp(written, notes, ("a",)), read_timestamp(written, notes, ("b",))] == [read, read]
    assert [(found["code"], found["path"]) for found in notes.violations] == [("zone_ignored", "/a")]


def test_a_wrong_zone_without_a_known_one_is_the_best_there_is() -> None:
    notes = Notes(quirks=Quirks(ignore_zone=True))
    assert read_timestamp("2026-07-01T12:00:00Z", notes, ()) == "2026-07-01T12:00:00.000Z"


@given(
    st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2105, 1, 1)),  # noqa: DTZ001
    st.integers(-14 * 60, 14 * 60),
)
def test_any_moment_in_any_zone_is_read_as_it_is(local: datetime, offset: int) -> None:
    moment = local.replace(tzinfo=timezone(timedelta(minutes=offset)))
    read = read_timestamp(moment.isoformat(), Notes(), ())
    assert read is not None
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", read)
    assert timedelta(0) <= moment - datetime.fromisoformat(read) < timedelta(milliseconds=1)
    assert datetime.fromisoformat(read).tzinfo == UTC
