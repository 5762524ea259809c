"""Reservations, the local list and the cache as OCPP 1.6 calls."""

from typing import Any

import pytest

from gateway.core.commands import Outcome
from gateway.core.errors import CommandInvalid, CommandUnsupported
from gateway.ocpp.profile import Call, Ending, Quirks, Station
from gateway.ocpp.v16.profile import PROFILE
from tests.ocpp.dialogue import Desk

AT = "2026-12-01T00:00:00+01:00"
UTC = "2026-11-30T23:00:00.000Z"
DESK = Desk(PROFILE, Station([], next_id=lambda: 9))


def test_a_reservation() -> None:
    assert DESK.calls("reserve", token="T", until=AT, group="G", evse_id=2, reservation_id=5) == [
        Call(
            "ReserveNow",
            {"connectorId": 2, "expiryDate": UTC, "idTag": "T", "parentIdTag": "G", "reservationId": 5},
        )
    ]
    (call,) = DESK.calls("reserve", token="T", until=AT)
    assert (call.payload["connectorId"], call.payload["reservationId"]) == (0, 9)
    ending = DESK.ended("reserve", {"token": "T", "until": AT}, {"status": "Occupied"})
    assert ending == Ending(Outcome.REJECTED, "Occupied", {"status": "occupied", "reservation_id": 9})


def test_a_token_may_be_as_long_as_the_make_of_charger_allows() -> None:
    with pytest.raises(CommandInvalid, match="20"):
        DESK.calls("reserve", token="T" * 21, until=AT)
    lenient = Desk(PROFILE, Station([], next_id=lambda: 9, quirks=Quirks(id_tag_length=36)))
    assert lenient.calls("reserve", token="T" * 36, until=AT)


def test_a_local_list() -> None:
    tokens = [
        {"token": "A", "expires_at": AT, "group": "G"},
        {"token": "B", "status": "no_credit"},
        {"token": "C", "remove": True},
    ]
    assert DESK.calls("send_local_list", version=3, update="differential", tokens=tokens) == [
        Call(
            "SendLocalList",
            {
                "listVersion": 3,
                "updateType": "Differential",
                "localAuthorizationList": [
                    {"idTag": "A", "idTagInfo": {"status": "Accepted", "expiryDate": UTC, "parentIdTag": "G"}},
                    {"idTag": "B", "idTagInfo": {"status": "Invalid"}},
                    {"idTag": "C"},
                ],
            },
        )
    ]
    ending = DESK.ended("send_local_list", {"version": 3}, {"status": "VersionMismatch"})
    assert ending == Ending(Outcome.REJECTED, "VersionMismatch", {"status": "version_mismatch", "version": 3})


@pytest.mark.parametrize(
    ("command", "arguments", "error"),
    [
        ("reserve", {"token": "T", "until": AT, "connector_type": "cCCS2"}, CommandUnsupported),
        ("reserve", {"token": "T", "until": "tomorrow"}, CommandInvalid),
        ("send_local_list", {"version": 1, "tokens": [{"token": "A"}, {"token": "a"}]}, CommandInvalid),
        ("send_local_list", {"version": 1, "tokens": [{"token": "A", "remove": True}]}, CommandInvalid),
        ("send_local_list", {"version": 0}, CommandInvalid),
    ],
)
def test_what_makes_no_sense_is_refused(command: str, arguments: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        DESK.calls(command, **arguments)


@pytest.mark.parametrize(
    ("answer", "outcome", "version"),
    [
        ({"listVersion": 3}, Outcome.ACCEPTED, 3),
        ({"listVersion": 0}, Outcome.ACCEPTED, 0),
        ({"listVersion": -1}, Outcome.REJECTED, -1),
        ({}, Outcome.ERROR, None),
        ({"listVersion": "x"}, Outcome.ERROR, None),
    ],
)
def test_the_version_of_the_list(answer: dict[str, Any], outcome: Outcome, version: int | None) -> None:
    ending = DESK.ended("get_local_list_version", {}, answer)
    assert (ending.outcome, ending.result) == (outcome, {"version": version})
