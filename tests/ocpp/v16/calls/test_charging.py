"""Transactions and smart charging as OCPP 1.6 calls; limits are in tests/ocpp/test_limits.py."""

from typing import Any

import pytest

from gateway.core.commands import Outcome
from gateway.core.errors import CommandInvalid, CommandUnsupported
from gateway.core.reports import ActiveTransaction
from gateway.ocpp.profile import Call, Station
from gateway.ocpp.v16.profile import PROFILE
from tests.ocpp.dialogue import Desk

DESK = Desk(PROFILE, Station([ActiveTransaction("tx-1", "42", 1, 1)], next_id=lambda: 4711, evse_ids=(1, 2)))

SCHEDULE = {"unit": "A", "periods": [{"start_s": 0, "limit": 16.19}, {"start_s": 60, "limit": 6, "phases": 1}]}
PROFILE_ = {"id": 20, "purpose": "tx_default", "kind": "relative", "schedules": [SCHEDULE]}
WRITTEN = {
    "chargingProfileId": 20,
    "stackLevel": 0,
    "chargingProfileKind": "Relative",
    "chargingSchedule": {
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [
            {"startPeriod": 0, "limit": 16.1},
            {"startPeriod": 60, "limit": 6.0, "numberPhases": 1},
        ],
    },
}


def set_profile(connector: int, **fields: Any) -> Call:
    return Call("SetChargingProfile", {"connectorId": connector, "csChargingProfiles": {**WRITTEN, **fields}})


@pytest.mark.parametrize(
    ("command", "arguments", "call"),
    [
        ("start", {"token": "T"}, Call("RemoteStartTransaction", {"idTag": "T"})),
        ("start", {"token": "T", "evse_id": 2}, Call("RemoteStartTransaction", {"idTag": "T", "connectorId": 2})),
        (
            "start",
            {"token": "T", "profile": {**PROFILE_, "purpose": "tx"}},
            Call(
                "RemoteStartTransaction",
                {"idTag": "T", "chargingProfile": {**WRITTEN, "chargingProfilePurpose": "TxProfile"}},
            ),
        ),
        ("stop", {}, Call("RemoteStopTransaction", {"transactionId": 42})),
        (
            "get_composite_schedule",
            {"evse_id": 1, "duration_s": 60, "unit": "W"},
            Call("GetCompositeSchedule", {"connectorId": 1, "duration": 60, "chargingRateUnit": "W"}),
        ),
        (
            "set_charging_profile",
            {"profile": PROFILE_, "evse_id": 2},
            set_profile(2, chargingProfilePurpose="TxDefaultProfile"),
        ),
        (
            "set_charging_profile",
            {"profile": {**PROFILE_, "purpose": "charger_max", "kind": "absolute"}},
            set_profile(0, chargingProfilePurpose="ChargePointMaxProfile", chargingProfileKind="Absolute"),
        ),
        (
            "set_charging_profile",
            {"profile": {**PROFILE_, "purpose": "tx", "transaction_id": "tx-1"}},
            set_profile(1, chargingProfilePurpose="TxProfile", transactionId=42),
        ),
        (
            "set_charging_profile",
            {"profile": {**PROFILE_, "purpose": "tx"}, "evse_id": 2},
            set_profile(2, chargingProfilePurpose="TxProfile"),
        ),
        ("clear_charging_profile", {}, Call("ClearChargingProfile", {})),
        ("clear_charging_profile", {"profile_id": 20, "evse_id": 1}, Call("ClearChargingProfile", {"id": 20})),
        (
            "clear_charging_profile",
            {"evse_id": 1, "purpose": "tx", "stack_level": 2},
            Call("ClearChargingProfile", {"connectorId": 1, "chargingProfilePurpose": "TxProfile", "stackLevel": 2}),
        ),
    ],
)
def test_one_call(command: str, arguments: dict[str, Any], call: Call) -> None:
    assert DESK.calls(command, **arguments) == [call]


@pytest.mark.parametrize(
    ("command", "arguments", "error", "told"),
    [
        ("start", {"token": "T" * 21}, CommandInvalid, "20"),
        ("start", {"token": "T", "evse_id": 0}, CommandInvalid, "from 1"),
        ("start", {"token": "T", "remote_start_id": 1}, CommandUnsupported, r"2\.0\.1, 2\.1"),
        (
            "set_charging_profile",
            {"profile": {**PROFILE_, "schedules": [SCHEDULE, SCHEDULE]}},
            CommandUnsupported,
            r"several schedules.*versions that can: 2\.0\.1, 2\.1",
        ),
        (
            "set_charging_profile",
            {"profile": {**PROFILE_, "purpose": "local_generation"}},
            CommandUnsupported,
            r"local_generation \(purpose\).*can: 2\.1",
        ),
        (
            "set_charging_profile",
            {"profile": {**PROFILE_, "schedules": [{**SCHEDULE, "use_local_time": True, "id": 1}]}},
            CommandUnsupported,
            r"use_local_time \(schedules\).*can: 2\.1",
        ),
        (
            "set_charging_profile",
            {"profile": {**PROFILE_, "schedules": [{"unit": "A", "periods": [{"start_s": 0, "setpoint": 1}]}]}},
            CommandUnsupported,
            r"setpoint \(periods\).*can: 2\.1",
        ),
        (
            "set_charging_profile",
            {"profile": {**PROFILE_, "schedules": [{"unit": "A", "periods": [{"start_s": 0}]}]}},
            CommandInvalid,
            "limit",
        ),
        (
            "set_charging_profile",
            {"profile": {**PROFILE_, "purpose": "charger_max"}, "evse_id": 1},
            CommandInvalid,
            "evse_id 0",
        ),
        (
            "set_charging_profile",
            {"profile": {**PROFILE_, "schedules": [{"unit": "A", "periods": [{"start_s": 1, "limit": 6}]}]}},
            CommandInvalid,
            "start_s 0",
        ),
        ("set_charging_profile", {"profile": {**PROFILE_, "valid_to": "soon"}}, CommandInvalid, "profile.valid_to"),
        ("clear_charging_profile", {"purpose": "priority_charging"}, CommandUnsupported, r"that have: 2\.1"),
    ],
)
def test_what_1_6_cannot_carry_is_refused(
    command: str, arguments: dict[str, Any], error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        DESK.calls(command, **arguments)


def test_a_transaction_without_a_number_cannot_be_stopped() -> None:
    odd = Desk(PROFILE, Station([ActiveTransaction("tx-1", "abc", 1, 1)], next_id=lambda: 1))
    with pytest.raises(CommandInvalid, match="abc"):
        odd.calls("stop")


def test_a_composite_schedule_is_told_in_neutral_words() -> None:
    answer = {
        "status": "Accepted",
        "connectorId": 1,
        "scheduleStart": "2026-11-21T09:00:00+01:00",
        "chargingSchedule": {
            "duration": 600,
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.0, "numberPhases": 3}],
        },
    }
    ending = DESK.ended("get_composite_schedule", {"evse_id": 1}, answer)
    assert (ending.outcome, ending.result) == (
        Outcome.ACCEPTED,
        {
            "status": "accepted",
            "evse_id": 1,
            "starts_at": "2026-11-21T08:00:00.000Z",
            "duration_s": 600,
            "unit": "A",
            "periods": [{"start_s": 0, "limit": 16, "phases": 3}],
        },
    )
    refused = DESK.ended("get_composite_schedule", {"evse_id": 1}, {"status": "Rejected"})
    assert (refused.outcome, (refused.result or {})["periods"]) == (Outcome.REJECTED, [])
