"""Transactions and smart charging as OCPP 2.x calls; limits are in tests/ocpp/test_limits.py."""

from typing import Any

import pytest

from gateway.core.commands import Outcome
from gateway.core.errors import CommandInvalid, CommandUnsupported
from gateway.core.reports import ActiveTransaction
from gateway.ocpp.profile import Call, Ending, Station
from gateway.ocpp.v201.profile import PROFILE
from tests.ocpp.dialogue import Desk

DESK = Desk(PROFILE, Station([ActiveTransaction("tx-1", "abc", 1, 1)], next_id=lambda: 4711, evse_ids=(1, 2)))

SCHEDULE = {"unit": "W", "periods": [{"start_s": 0, "limit": 3680.06, "phases": 1, "phase_to_use": 2}]}
PROFILE_ = {"id": 20, "purpose": "tx", "kind": "relative", "schedules": [SCHEDULE, {**SCHEDULE, "id": 9}]}


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
        ("get_transaction_status", {}, Call("GetTransactionStatus", {})),
        ("get_transaction_status", {"transaction_id": "tx-1"}, Call("GetTransactionStatus", {"transactionId": "abc"})),
        ("get_transaction_status", {"transaction_id": "old"}, Call("GetTransactionStatus", {"transactionId": "old"})),
        ("update_cost", {"total_cost": 3.5}, Call("CostUpdated", {"totalCost": 3.5, "transactionId": "abc"})),
        ("clear_charging_profile", {"profile_id": 20}, Call("ClearChargingProfile", {"chargingProfileId": 20})),
        (
            "clear_charging_profile",
            {"evse_id": 0, "purpose": "charger_max"},
            Call(
                "ClearChargingProfile",
                {"chargingProfileCriteria": {"evseId": 0, "chargingProfilePurpose": "ChargingStationMaxProfile"}},
            ),
        ),
        (
            "get_charging_profiles",
            {"evse_id": 1, "sources": ["ems"], "profile_ids": [7]},
            Call(
                "GetChargingProfiles", {"requestId": 4711, "evseId": 1, "chargingProfile": {"chargingProfileId": [7]}}
            ),
        ),
        (
            "get_charging_profiles",
            {"purpose": "tx", "sources": ["ems"]},
            Call(
                "GetChargingProfiles",
                {
                    "requestId": 4711,
                    "chargingProfile": {"chargingProfilePurpose": "TxProfile", "chargingLimitSource": ["EMS"]},
                },
            ),
        ),
        (
            "get_charging_profiles",
            {"evse_id": 0},
            Call(
                "GetChargingProfiles",
                {
                    "requestId": 4711,
                    "evseId": 0,
                    "chargingProfile": {"chargingLimitSource": ["EMS", "Other", "SO", "CSO"]},
                },
            ),
        ),
        (
            "set_charging_profile",
            {"profile": PROFILE_},
            Call(
                "SetChargingProfile",
                {
                    "evseId": 1,
                    "chargingProfile": {
                        "id": 20,
                        "stackLevel": 0,
                        "chargingProfilePurpose": "TxProfile",
                        "chargingProfileKind": "Relative",
                        "transactionId": "abc",
                        "chargingSchedule": [
                            {
                                "id": number,
                                "chargingRateUnit": "W",
                                "chargingSchedulePeriod": [
                                    {"startPeriod": 0, "limit": 3680.0, "numberPhases": 1, "phaseToUse": 2}
                                ],
                            }
                            for number in (1, 9)
                        ],
                    },
                },
            ),
        ),
    ],
)
def test_one_call(command: str, arguments: dict[str, Any], call: Call) -> None:
    assert DESK.calls(command, **arguments) == [call]


@pytest.mark.parametrize(
    ("command", "arguments", "error", "told"),
    [
        ("start", {"token": "T" * 37}, CommandInvalid, "36"),
        ("start", {"token": "T", "token_type": "Magic"}, CommandInvalid, "eMAID"),
        ("start", {"token": "T", "evse_id": 0}, CommandInvalid, "from 1"),
        ("update_cost", {"total_cost": 1, "evse_id": 2}, CommandInvalid, "no such transaction"),
        ("get_charging_profiles", {"sources": ["grid"]}, CommandUnsupported, r"2\.1"),
        ("get_charging_profiles", {"purpose": "local_generation"}, CommandUnsupported, r"2\.1"),
        ("set_charging_profile", {"profile": {**PROFILE_, "kind": "dynamic"}}, CommandUnsupported, r"can: 2\.1"),
        ("set_charging_profile", {"profile": {**PROFILE_, "transaction_id": "z"}}, CommandInvalid, "tx-1"),
    ],
)
def test_what_2_0_1_cannot_carry_is_refused(
    command: str, arguments: dict[str, Any], error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        DESK.calls(command, **arguments)


def test_a_start_tells_its_remote_start_id_and_a_transaction_that_runs_already() -> None:
    ending = DESK.ended("start", {"token": "T"}, {"status": "Accepted", "transactionId": "abc"})
    assert ending == Ending(
        Outcome.ACCEPTED, None, {"status": "accepted", "remote_start_id": 4711, "ocpp_transaction_id": "abc"}
    )


def test_a_transactions_status_is_told() -> None:
    answer = {"ongoingIndicator": True, "messagesInQueue": False}
    ending = DESK.ended("get_transaction_status", {"transaction_id": "tx-1"}, answer)
    assert ending.result == {"ocpp_transaction_id": "abc", "ongoing": True, "messages_in_queue": False}


def test_a_composite_schedule_is_told_in_neutral_words() -> None:
    answer = {
        "status": "Accepted",
        "schedule": {
            "evseId": 1,
            "duration": 600,
            "scheduleStart": "2026-11-21T08:00:00Z",
            "chargingRateUnit": "W",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 3680.0, "numberPhases": 1, "phaseToUse": 2}],
        },
    }
    ending = DESK.ended("get_composite_schedule", {"evse_id": 1}, answer)
    assert ending.result == {
        "status": "accepted",
        "evse_id": 1,
        "starts_at": "2026-11-21T08:00:00.000Z",
        "duration_s": 600,
        "unit": "W",
        "periods": [{"start_s": 0, "limit": 3680, "phases": 1, "phase_to_use": 2}],
    }


def test_no_profiles_is_an_answer_and_others_are_waited_for() -> None:
    none = DESK.ended("get_charging_profiles", {}, {"status": "NoProfiles"})
    assert (none.outcome, none.final, (none.result or {})["profiles"]) == (Outcome.ACCEPTED, True, [])
    part = {"request_id": 4711, "profiles": [{"id": 1}], "complete": False}
    whole = {**part, "profiles": [{"id": 1}, {"id": 2}], "complete": True}
    answers = [{"status": "Accepted"}]
    assert DESK.followed("get_charging_profiles", {}, answers, part, {**whole, "request_id": 1}) is None
    ending = DESK.followed("get_charging_profiles", {}, answers, part, whole)
    assert ending is not None
    assert ending.result is not None
    assert ending.result["profiles"] == whole["profiles"]


def test_all_profiles_are_cleared_purpose_by_purpose() -> None:
    """K10.FR.02: a ClearChargingProfile that names nothing is none that a CSMS may send."""
    asked = [call.payload["chargingProfileCriteria"] for call in DESK.calls("clear_charging_profile")]
    assert asked == [
        {"chargingProfilePurpose": purpose}
        for purpose in ("ChargingStationMaxProfile", "TxDefaultProfile", "TxProfile")
    ]
    there, none = {"status": "Accepted"}, {"status": "Unknown"}
    assert DESK.ended("clear_charging_profile", {}, none, there, none).outcome is Outcome.ACCEPTED
    assert DESK.ended("clear_charging_profile", {}, none, none, none) == Ending(
        Outcome.REJECTED, "Unknown", {"status": "unknown"}
    )
    assert DESK.ended("clear_charging_profile", {}, there, {}, none).outcome is Outcome.ERROR


def test_external_constraints_are_not_the_gateways_to_clear() -> None:
    """K10.FR.06."""
    with pytest.raises(CommandInvalid, match="external constraints"):
        DESK.calls("clear_charging_profile", purpose="external_constraints")


AT_A_TIME = {**SCHEDULE, "starts_at": "2026-12-01T00:00:00.000Z"}


@pytest.mark.parametrize(
    ("profile", "told"),
    [
        ({"purpose": "external_constraints"}, "limits of others"),  # K01.FR.22
        ({"purpose": "charger_max", "kind": "absolute", "schedules": [AT_A_TIME]}, "evse_id 0"),
        ({"schedules": [{"unit": "A", "periods": [{"start_s": 5, "limit": 6}]}]}, "start_s 0"),  # FR.31
        ({"schedules": [{"unit": "A", "periods": [{"start_s": 0, "limit": 6}] * 2}]}, "greater start_s"),  # FR.35
        ({"kind": "absolute", "purpose": "tx_default"}, "absolute.*needs starts_at"),  # FR.40
        ({"kind": "recurring", "purpose": "tx_default", "recurrency": "daily"}, "recurring.*needs starts_at"),
        ({"schedules": [AT_A_TIME]}, "has no starts_at"),  # FR.41
    ],
)
def test_a_profile_that_no_csms_may_set_is_not_sent(profile: dict[str, Any], told: str) -> None:
    with pytest.raises(CommandInvalid, match=told):
        DESK.calls("set_charging_profile", evse_id=1, profile={**PROFILE_, **profile})


def test_the_maximum_of_the_station_is_relative_to_no_transaction() -> None:
    """K01.FR.38."""
    maximum = {**PROFILE_, "purpose": "charger_max"}
    with pytest.raises(CommandInvalid, match="cannot be relative"):
        DESK.calls("set_charging_profile", profile=maximum)
    (call,) = DESK.calls("set_charging_profile", profile={**maximum, "kind": "absolute", "schedules": [AT_A_TIME]})
    assert call.payload["evseId"] == 0
