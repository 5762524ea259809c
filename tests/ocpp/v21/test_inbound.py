"""What OCPP 2.1 calls mean that 2.0.1 does not have, or not so far."""

from typing import Any

from gateway.core.reports import Notice, Part, Transaction
from gateway.ocpp.profile import Notes
from gateway.ocpp.v21.profile import PROFILE
from tests.ocpp.payloads_21 import INBOUND_21

AT = "2026-01-01T00:00:00.000Z"


def notice(action: str, payload: dict[str, Any] | None = None) -> Notice:
    notes = Notes()
    report = PROFILE.inbound[action].translate(INBOUND_21[action] if payload is None else payload, notes)
    assert isinstance(report, Notice)
    assert notes.violations == []
    return report


def given(data: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if value not in (None, [])}


def test_controls_of_all_kinds_are_in_one_list() -> None:
    report = notice("ReportDERControl")
    assert report.part == Part("controls", 22, last=True)
    assert report.data["controls"] == [
        {
            "control_id": "der-1",
            "control_type": "freq_watt",
            "is_default": True,
            "is_superseded": False,
            "priority": 0,
            "y_unit": "pct_max_w",
            "points": [{"x": 50.2, "y": 100}, {"x": 51.5, "y": 40}],
        },
        {
            "control_id": "der-2",
            "control_type": "gradients",
            "is_default": None,
            "is_superseded": None,
            "priority": 1,
            "gradient_s": 10,
            "soft_gradient_s": 5,
        },
    ]


def test_what_an_ev_can_give_back() -> None:
    assert given(notice("NotifyEVChargingNeeds").data) == {
        "evse_id": 1,
        "max_schedule_tuples": 16,
        "requested_energy_transfer": "ac_bpt",
        "available_energy_transfers": ["ac_bpt", "ac_three_phase"],
        "control_mode": "dynamic_control",
        "mobility_needs_mode": "evcc_secc",
        "departure_at": "2026-11-21T18:00:00.000Z",
        "v2x": {
            "max_charge_power_w": 11000,
            "max_discharge_power_w": 8000,
            "target_energy_wh": 20000,
            "target_soc_percent": 80,
        },
    }


def test_prices_with_an_exponent_are_plain_numbers() -> None:
    rule = {
        "energyFee": {"exponent": -2, "value": 35},
        "powerRangeStart": {"exponent": 3, "value": 11},
        "parkingFee": {"value": 1},
    }
    schedule = {
        "id": 1,
        "chargingRateUnit": "W",
        "chargingSchedulePeriod": [{"startPeriod": 0, "setpoint_L2": -500, "operationMode": "CentralSetpoint"}],
        "absolutePriceSchedule": {"currency": "EUR", "priceRuleStacks": [{"duration": 60, "priceRule": [rule]}]},
    }
    report = notice("NotifyEVChargingSchedule", {"evseId": 1, "timeBase": AT, "chargingSchedule": schedule})
    assert report.data["schedule"] == {
        "id": 1,
        "unit": "W",
        "periods": [{"start_s": 0, "setpoint_l2": -500, "operation_mode": "central_setpoint"}],
        "absolute_prices": {
            "currency": "EUR",
            "stacks": [
                {
                    "duration_s": 60,
                    "rules": [{"energy_fee": 0.35, "power_range_start_w": 11000, "parking_fee": 1}],
                }
            ],
        },
    }


def test_a_price_that_is_no_number_is_left_out() -> None:
    for price in (7, {"exponent": 1000, "value": 1}, {"exponent": 1}, {"value": "a"}):
        notes = Notes()
        profile = {"chargingSchedule": [{"absolutePriceSchedule": {"minimumCost": price, "currency": "EUR"}}]}
        report = PROFILE.inbound["ReportChargingProfiles"].translate({"chargingProfile": [profile]}, notes)
        assert isinstance(report, Notice)
        assert report.data["profiles"][0]["schedules"][0]["absolute_prices"] == {"currency": "EUR"}
        assert {violation["code"] for violation in notes.violations} == {"field_unreadable"}


def test_what_a_transaction_costs() -> None:
    report = PROFILE.inbound["TransactionEvent"].translate(INBOUND_21["TransactionEvent"], Notes())
    assert isinstance(report, Transaction)
    assert report.details["costs"] == {
        "currency": "EUR",
        "type": "normal_cost",
        "total": {"excluding_tax": 1, "including_tax": 1.19},
        "usage": {"energy": 2500, "charging_time_s": 600, "idle_time_s": 0, "reservation_time_s": None},
        "periods": [],
        "failed": False,
        "failure": None,
    }


def test_batteries_are_swapped() -> None:
    data = notice("BatterySwap").data
    assert (data["event"], data["request_id"]) == ("battery_in", 20)
    assert data["token"].keys() == {"id", "type", "additional_info"}
    assert data["batteries"] == [
        {
            "evse_id": 1,
            "serial_number": "B-1",
            "soc_percent": 12.5,
            "state_of_health_percent": 98,
            "produced_at": "2026-11-21T08:00:00.000Z",
            "vendor_info": "x",
        }
    ]


def test_a_stream_is_opened_in_the_words_of_the_command() -> None:
    assert notice("OpenPeriodicEventStream").data == {
        "stream_id": 1,
        "monitoring_id": 3,
        "interval_s": 10,
        "values": 5,
    }


def test_a_settlement_is_as_old_as_it_says() -> None:
    report = notice("NotifySettlement")
    assert report.time == report.data["settled_at"] == "2026-11-21T18:00:00.000Z"
    assert (report.data["status"], report.data["amount"], report.data["company"]["city"]) == ("settled", 11.9, "Berlin")
