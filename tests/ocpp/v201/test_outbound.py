"""Neutral commands as OCPP 2.0.1 calls, and how their answers are read."""

from typing import Any

import pytest

from gateway.core.commands import Outcome, validated_arguments
from gateway.core.errors import CommandInvalid
from gateway.core.reports import ActiveTransaction
from gateway.ocpp.profile import Answered, Call, Ending, Station
from gateway.ocpp.v201.profile import PROFILE

STATION = Station([ActiveTransaction("tx-1", "abc", 1, 1)], next_id=lambda: 4711)


def calls(command: str, **arguments: Any) -> list[Call]:
    return PROFILE.outbound[command].calls(validated_arguments(command, arguments), STATION)


def ended(command: str, arguments: dict[str, Any], *answers: dict[str, Any]) -> Ending:
    made = calls(command, **arguments)
    return PROFILE.outbound[command].ending(made, [Answered(answer) for answer in answers])


@pytest.mark.parametrize(
    ("command", "arguments", "call"),
    [
        (
            "start",
            {"token": "T"},
            Call("RequestStartTransaction", {"idToken": {"idToken": "T", "type": "Central"}, "remoteStartId": 4711}),
        ),
        (
            "start",
            {"token": "T", "token_type": "Local", "evse_id": 2, "remote_start_id": 5},
            Call(
                "RequestStartTransaction",
                {"idToken": {"idToken": "T", "type": "Local"}, "remoteStartId": 5, "evseId": 2},
            ),
        ),
        ("stop", {}, Call("RequestStopTransaction", {"transactionId": "abc"})),
        (
            "set_charging_limit",
            {"current_a": 10, "evse_id": 1},
            Call(
                "SetChargingProfile",
                {
                    "evseId": 1,
                    "chargingProfile": {
                        "id": 1001,
                        "chargingProfilePurpose": "TxDefaultProfile",
                        "stackLevel": 0,
                        "chargingProfileKind": "Relative",
                        "chargingSchedule": [
                            {
                                "id": 1,
                                "chargingRateUnit": "A",
                                "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 10.0}],
                            }
                        ],
                    },
                },
            ),
        ),
    ],
)
def test_one_call(command: str, arguments: dict[str, Any], call: Call) -> None:
    assert calls(command, **arguments) == [call]


@pytest.mark.parametrize(
    ("command", "arguments", "error", "told"),
    [
        ("start", {"token": "T" * 37}, CommandInvalid, "36"),
        ("start", {"token": "T", "token_type": "Magic"}, CommandInvalid, "eMAID"),
        ("start", {"token": "T", "evse_id": 0}, CommandInvalid, "from 1"),
    ],
)
def test_what_2_0_1_cannot_carry_is_refused(
    command: str, arguments: dict[str, Any], error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        calls(command, **arguments)


def test_a_start_tells_its_remote_start_id_and_a_transaction_that_runs_already() -> None:
    ending = ended("start", {"token": "T"}, {"status": "Accepted", "transactionId": "abc"})
    assert ending == Ending(
        Outcome.ACCEPTED, None, {"status": "accepted", "remote_start_id": 4711, "ocpp_transaction_id": "abc"}
    )
