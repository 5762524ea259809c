"""Neutral commands as OCPP 1.6 calls, and how their answers are read."""

from typing import Any

import pytest

from gateway.core.commands import Outcome, validated_arguments
from gateway.core.errors import CommandInvalid, CommandUnsupported
from gateway.core.reports import ActiveTransaction
from gateway.ocpp.profile import Answered, Call, Ending, Station
from gateway.ocpp.v16.profile import PROFILE

STATION = Station([ActiveTransaction("tx-1", "42", 1, 1)], next_id=lambda: 1)


def calls(command: str, **arguments: Any) -> list[Call]:
    return PROFILE.outbound[command].calls(validated_arguments(command, arguments), STATION)


def ended(command: str, arguments: dict[str, Any], *answers: dict[str, Any]) -> Ending:
    made = calls(command, **arguments)
    return PROFILE.outbound[command].ending(made, [Answered(answer) for answer in answers])


@pytest.mark.parametrize(
    ("command", "arguments", "call"),
    [
        ("start", {"token": "T"}, Call("RemoteStartTransaction", {"idTag": "T"})),
        ("start", {"token": "T", "evse_id": 2}, Call("RemoteStartTransaction", {"idTag": "T", "connectorId": 2})),
        ("stop", {}, Call("RemoteStopTransaction", {"transactionId": 42})),
    ],
)
def test_one_call(command: str, arguments: dict[str, Any], call: Call) -> None:
    assert calls(command, **arguments) == [call]


def test_a_limit_for_the_whole_charger() -> None:
    assert calls("set_charging_limit", current_a=16.19, until="2026-12-01T00:00:00+01:00") == [
        Call(
            "SetChargingProfile",
            {
                "connectorId": 0,
                "csChargingProfiles": {
                    "chargingProfileId": 1,
                    "chargingProfilePurpose": "ChargePointMaxProfile",
                    "stackLevel": 0,
                    "chargingProfileKind": "Absolute",
                    "validTo": "2026-11-30T23:00:00.000Z",
                    "chargingSchedule": {
                        "chargingRateUnit": "A",
                        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.1}],
                        "startSchedule": "2020-01-01T00:00:00.000Z",
                    },
                },
            },
        )
    ]


def test_a_limit_for_one_connector() -> None:
    (call,) = calls("set_charging_limit", power_w=3680, evse_id=2, phases=1)
    assert call.payload["connectorId"] == 2
    profile = call.payload["csChargingProfiles"]
    assert profile["chargingProfilePurpose"] == "TxDefaultProfile"
    assert profile["chargingSchedule"] == {
        "chargingRateUnit": "W",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 3680.0, "numberPhases": 1}],
    }


@pytest.mark.parametrize(
    ("command", "arguments", "error"),
    [
        ("start", {"token": "T" * 21}, CommandInvalid),
        ("start", {"token": "T", "evse_id": 0}, CommandInvalid),
        ("start", {"token": "T", "remote_start_id": 1}, CommandUnsupported),
    ],
)
def test_what_1_6_cannot_carry_is_refused(command: str, arguments: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        calls(command, **arguments)


@pytest.mark.parametrize(
    ("command", "arguments", "answer", "outcome", "reason"),
    [
        ("start", {"token": "T"}, {"status": "Accepted"}, Outcome.ACCEPTED, None),
        ("start", {"token": "T"}, {"status": "Rejected"}, Outcome.REJECTED, "Rejected"),
    ],
)
def test_the_chargers_word_is_the_outcome(
    command: str, arguments: dict[str, Any], answer: dict[str, Any], outcome: Outcome, reason: str | None
) -> None:
    ending = ended(command, arguments, answer)
    assert (ending.outcome, ending.reason) == (outcome, reason)
