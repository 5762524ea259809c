"""What OCPP 2.1 added for charging, energy and what they cost."""

from typing import Any

import pytest

from gateway.core.commands import Outcome
from gateway.core.errors import CommandInvalid
from gateway.core.reports import ActiveTransaction, Notice
from gateway.ocpp.profile import Call, Notes, Station
from gateway.ocpp.v21.profile import PROFILE
from tests.ocpp.charging_arguments import CHARGING_ARGUMENTS, RICH_PROFILE
from tests.ocpp.dialogue import Desk

NOW = "2026-11-21T08:00:00.000Z"
DESK = Desk(PROFILE, Station([ActiveTransaction("tx-1", "abc", 1, 1)], next_id=lambda: 4711, now=NOW))


def test_a_profile_is_reported_in_the_words_in_which_it_was_set() -> None:
    (call,) = DESK.calls("set_charging_profile", profile=RICH_PROFILE)
    report = {
        "requestId": 1,
        "chargingLimitSource": "CSO",
        "evseId": 0,
        "chargingProfile": [call.payload["chargingProfile"]],
    }
    notes = Notes()
    notice = PROFILE.inbound["ReportChargingProfiles"].translate(report, notes)
    assert isinstance(notice, Notice)
    assert notice.data["profiles"] == [{"evse_id": 0, "source": "cso", **RICH_PROFILE}]
    assert notes.violations == []


@pytest.mark.parametrize("arguments", CHARGING_ARGUMENTS["set_der_control"])
def test_a_der_control_is_reported_in_the_words_in_which_it_was_set(arguments: dict[str, Any]) -> None:
    (call,) = DESK.calls("set_der_control", **arguments)
    field = next(name for name in call.payload if name not in ("isDefault", "controlId", "controlType"))
    item: dict[str, Any] = {"id": "c", "isDefault": False, "isSuperseded": False}
    if field == "curve":
        item["curveType"] = call.payload["controlType"]
    item["fixedPF" if field.startswith("fixedPF") else field] = call.payload[field]
    notice = PROFILE.inbound["ReportDERControl"].translate({"requestId": 1, field: [item]}, Notes())
    assert isinstance(notice, Notice)
    (control,) = notice.data["controls"]
    (setting,) = (value for value in arguments.values() if isinstance(value, dict))
    assert control["control_type"] == arguments["control_type"]
    for name in setting.keys() - {"starts_at", "must_trip_curve"}:
        assert control[name] == setting[name], name


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"control_type": "volt_var"}, "needs curve.*given: none"),
        ({"control_type": "gradients", "curve": {"priority": 0, "y_unit": "pct_max_w", "points": [{"x": 1, "y": 1}]}},
         "gradients needs gradient"),
    ],
)  # fmt: skip
def test_a_der_control_needs_the_setting_of_its_type(given: dict[str, Any], told: str) -> None:
    with pytest.raises(CommandInvalid, match=told):
        DESK.calls("set_der_control", control_id="c", is_default=True, **given)


@pytest.mark.parametrize(
    ("command", "arguments", "call"),
    [
        (
            "update_dynamic_schedule",
            {"profile_id": 3, "limit": 10, "setpoint_l2": -1},
            Call(
                "UpdateDynamicSchedule",
                {"chargingProfileId": 3, "scheduleUpdate": {"limit": 10.0, "setpoint_L2": -1.0}},
            ),
        ),
        ("use_priority_charging", {}, Call("UsePriorityCharging", {"transactionId": "abc", "activate": True})),
        (
            "set_allowed_energy_transfer",
            {"energy_transfers": ["ac_three_phase", "dc_acdp_bpt"]},
            Call(
                "NotifyAllowedEnergyTransfer",
                {"transactionId": "abc", "allowedEnergyTransfer": ["AC_three_phase", "DC_ACDP_BPT"]},
            ),
        ),
        ("send_afrr_signal", {"signal": 5}, Call("AFRRSignal", {"timestamp": NOW, "signal": 5})),
        (
            "request_battery_swap",
            {"token": "T"},
            Call("RequestBatterySwap", {"idToken": {"idToken": "T", "type": "Central"}, "requestId": 4711}),
        ),
        (
            "adjust_event_stream",
            {"stream_id": 2, "values": 5},
            Call("AdjustPeriodicEventStream", {"id": 2, "params": {"values": 5}}),
        ),
        (
            "notify_web_payment_started",
            {"timeout_s": 60},
            Call("NotifyWebPaymentStarted", {"evseId": 1, "timeout": 60}),
        ),
        ("clear_tariffs", {}, Call("ClearTariffs", {})),
        (
            "set_default_tariff",
            {
                "tariff": {
                    "tariff_id": "t",
                    "currency": "EUR",
                    "energy": {
                        "prices": [{"price_per_kwh": 0.3, "conditions": {"days_of_week": ["monday"]}}],
                        "tax_rates": [{"type": "VAT", "tax_percent": 19}],
                    },
                }
            },
            Call(
                "SetDefaultTariff",
                {
                    "evseId": 0,
                    "tariff": {
                        "tariffId": "t",
                        "currency": "EUR",
                        "energy": {
                            "prices": [{"priceKwh": 0.3, "conditions": {"dayOfWeek": ["Monday"]}}],
                            "taxRates": [{"type": "VAT", "tax": 19.0}],
                        },
                    },
                },
            ),
        ),
    ],
)
def test_one_call(command: str, arguments: dict[str, Any], call: Call) -> None:
    assert DESK.calls(command, **arguments) == [call]


@pytest.mark.parametrize(
    ("command", "arguments"),
    [("update_dynamic_schedule", {"profile_id": 1}), ("adjust_event_stream", {"stream_id": 1})],
)
def test_an_update_of_nothing_is_invalid(command: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(CommandInvalid, match="give"):
        DESK.calls(command, **arguments)


def test_streams_are_told() -> None:
    stream = {"id": 1, "variableMonitoringId": 7, "params": {"interval": 60}}
    ending = DESK.ended("get_event_streams", {}, {"constantStreamData": [stream, {"id": 2}]})
    assert ending.result == {
        "streams": [
            {"stream_id": 1, "monitoring_id": 7, "interval_s": 60, "values": None},
            {"stream_id": 2, "monitoring_id": None, "interval_s": None, "values": None},
        ]
    }
    assert DESK.ended("get_event_streams", {}, {}).result == {"streams": []}


def test_tariffs_are_told_and_none_is_an_answer() -> None:
    assigned = {"tariffId": "t", "tariffKind": "DefaultTariff", "evseIds": [1, 2], "validFrom": "2026-11-21T08:00:00Z"}
    ending = DESK.ended("get_tariffs", {}, {"status": "Accepted", "tariffAssignments": [assigned]})
    assert ending.result == {
        "status": "accepted",
        "tariffs": [{"tariff_id": "t", "kind": "default_tariff", "valid_from": NOW, "tokens": [], "evse_ids": [1, 2]}],
    }
    none = DESK.ended("get_tariffs", {}, {"status": "NoTariff"})
    assert (none.outcome, (none.result or {})["tariffs"]) == (Outcome.ACCEPTED, [])


@pytest.mark.parametrize(
    ("arguments", "statuses", "outcome", "reason"),
    [
        ({"tariff_ids": ["a", "b"]}, ["Accepted", "Accepted"], Outcome.ACCEPTED, None),
        ({"tariff_ids": ["a", "b"]}, ["Accepted", "NoTariff"], Outcome.REJECTED, "b: NoTariff"),
        ({}, ["NoTariff"], Outcome.ACCEPTED, "NoTariff"),
        ({}, [], Outcome.REJECTED, "the answer names no tariff"),
    ],
)
def test_tariffs_cleared(arguments: dict[str, Any], statuses: list[str], outcome: Outcome, reason: str | None) -> None:
    results = [{"tariffId": name, "status": status} for name, status in zip("ab", statuses, strict=False)]
    ending = DESK.ended("clear_tariffs", arguments, {"clearTariffsResult": results})
    assert (ending.outcome, ending.reason) == (outcome, reason)


def test_a_der_control_tells_what_it_takes_the_place_of() -> None:
    arguments = CHARGING_ARGUMENTS["set_der_control"][0]
    ending = DESK.ended("set_der_control", arguments, {"status": "Accepted", "supersededIds": ["x"]})
    assert ending.result == {"status": "accepted", "superseded_ids": ["x"]}


def test_der_controls_are_waited_for() -> None:
    whole = {"request_id": 4711, "controls": [{"control_id": "c"}], "complete": True}
    ending = DESK.followed("get_der_control", {}, [{"status": "Accepted"}], {**whole, "complete": False}, whole)
    assert ending is not None
    assert ending.result is not None
    assert ending.result["controls"] == whole["controls"]
    assert DESK.ended("get_der_control", {}, {"status": "NotFound"}).final
