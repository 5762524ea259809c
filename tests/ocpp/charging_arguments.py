"""Arguments for every command about charging, energy and what they cost."""

from typing import Any

AT = "2026-12-01T00:00:00+01:00"

_SCHEDULE = {"unit": "A", "periods": [{"start_s": 0, "limit": 16.19, "phases": 1}, {"start_s": 60, "limit": 6}]}
_PROFILE = {"id": 20, "purpose": "tx_default", "kind": "relative", "schedules": [_SCHEDULE]}
_AT_A_TIME = {**_PROFILE, "kind": "absolute", "schedules": [{**_SCHEDULE, "starts_at": AT}]}
_TIMED = {"priority": 1, "starts_at": AT, "duration_s": 60}
_CURVE = {
    **_TIMED,
    "points": [{"x": 1, "y": 2.5}],
    "y_unit": "pct_max_w",
    "response_time_s": 1,
    "hysteresis": {"high": 1, "low": 0.5, "delay_s": 2, "gradient_percent_per_s": 3},
    "reactive_power": {
        "reference_voltage_percent": 100,
        "autonomous_reference_voltage": True,
        "autonomous_reference_voltage_time_constant_s": 300,
    },
    "voltage": {
        "high_10_min_mean": 253,
        "high_10_min_mean_trip_delay_s": 3,
        "power_during_cessation": "reactive",
    },
}
_CURVE_TYPES = (
    *("freq_watt", "hf_must_trip", "hf_may_trip", "hv_must_trip", "hv_mom_cess", "hv_may_trip", "lf_must_trip"),
    *("lv_must_trip", "lv_mom_cess", "lv_may_trip", "power_monitoring_must_trip", "volt_var", "volt_watt"),
    *("watt_pf", "watt_var"),
)
_TAXES = [{"type": "VAT", "tax_percent": 19, "stack": 1}]
_WHEN = {
    "start_time_of_day": "20:00",
    "end_time_of_day": "06:00",
    "days_of_week": ["saturday", "sunday"],
    "valid_from_date": "2026-01-01",
    "valid_to_date": "2027-01-01",
    "evse_kind": "ac",
}
_RANGES = {
    f"{end}_{name}": 1
    for end in ("min", "max")
    for name in ("energy_wh", "current_a", "power_w", "time_s", "charging_time_s", "idle_time_s")
}


def _by_time() -> dict[str, Any]:
    return {"prices": [{"price_per_minute": 0.05, "conditions": {**_WHEN, **_RANGES}}], "tax_rates": _TAXES}


def _fee() -> dict[str, Any]:
    conditions = {**_WHEN, "payment_brand": "Visa", "payment_recognition": "CC"}
    return {"prices": [{"price": 1, "conditions": conditions}, {"price": 2}], "tax_rates": _TAXES}


_TARIFF = {
    "tariff_id": "t",
    "currency": "EUR",
    "description": [{"content": "Night"}, {"content": "<b>Nacht</b>", "format": "html", "language": "de"}],
    "valid_from": AT,
    "energy": {"prices": [{"price_per_kwh": 0.3, "conditions": {**_WHEN, **_RANGES}}], "tax_rates": _TAXES},
    "charging_time": _by_time(),
    "idle_time": _by_time(),
    "reservation_time": _by_time(),
    "fixed_fee": _fee(),
    "reservation_fixed": _fee(),
    "min_cost": {"excluding_tax": 1, "including_tax": 1.19, "tax_rates": _TAXES},
    "max_cost": {"including_tax": 100},
}
_BY_PHASE = {
    f"{name}{phase}": sign * 10.5
    for name, sign in (("limit", 1), ("discharge_limit", -1), ("setpoint", -1), ("setpoint_reactive", 1))
    for phase in ("", "_l2", "_l3")
}

RICH_PROFILE: dict[str, Any] = {
    "id": 7,
    "stack_level": 3,
    "purpose": "local_generation",
    "kind": "dynamic",
    "valid_from": "2026-12-01T00:00:00.000Z",
    "valid_to": "2026-12-02T00:00:00.000Z",
    "max_offline_duration_s": 60,
    "invalid_after_offline_duration": True,
    "dynamic_update_interval_s": 30,
    "dynamic_updated_at": "2026-12-01T00:00:00.000Z",
    "schedules": [
        {
            "id": 5,
            "unit": "W",
            "starts_at": "2026-12-01T00:00:00.000Z",
            "duration_s": 600,
            "min_rate": 6.5,
            "randomized_delay_s": 10,
            "use_local_time": False,
            "limit_at_soc": {"soc_percent": 80, "limit": 3000},
            "power_tolerance": 100,
            "periods": [
                {
                    "start_s": 0,
                    "phases": 3,
                    "phase_to_use": 2,
                    "preconditioning": True,
                    "evse_sleep": False,
                    "operation_mode": "central_frequency",
                    "v2x_baseline_w": 500,
                    "v2x_frequency_curve": [{"frequency_hz": 49.9, "power_w": -100}],
                    "v2x_signal_curve": [{"signal": 1, "power_w": -100}],
                    **_BY_PHASE,
                }
            ],
        }
    ],
}
"""All that OCPP 2.1 can hold, in the form in which a charger's own profiles are reported."""

CHARGING_ARGUMENTS: dict[str, list[dict[str, Any]]] = {
    "start": [
        {"token": "04AA"},
        {"token": "04AA", "evse_id": 2, "token_type": "ISO14443"},
        {
            "token": "04AA",
            "profile": {
                "id": 9,
                "purpose": "tx",
                "kind": "relative",
                "schedules": [{"unit": "A", "periods": [{"start_s": 0, "limit": 10}]}],
            },
        },
    ],
    "stop": [{}, {"transaction_id": "tx-1"}, {"transaction_id": "42"}, {"evse_id": 1}],
    "get_transaction_status": [{}, {"transaction_id": "tx-1"}, {"transaction_id": "long-gone"}],
    "update_cost": [{"total_cost": 0}, {"total_cost": 3.57, "transaction_id": "tx-1"}],
    "set_charging_limit": [
        {"current_a": 16},
        {"current_a": 0, "evse_id": 1, "phases": 3},
        {"power_w": 3680.55, "evse_id": 2, "until": AT},
    ],
    "clear_charging_limit": [{}, {"evse_id": 1}, {"evse_id": 2}],
    "pause": [{}, {"transaction_id": "tx-1"}, {"evse_id": 2}],
    "resume": [{}, {"transaction_id": "42"}, {"evse_id": 2}],
    "get_composite_schedule": [{}, {"evse_id": 1, "duration_s": 600, "unit": "W"}],
    "set_charging_profile": [
        {"profile": _PROFILE, "evse_id": 1},
        {"profile": {**_AT_A_TIME, "purpose": "charger_max", "valid_from": AT, "valid_to": AT}},
        {"profile": {**_PROFILE, "purpose": "tx"}, "evse_id": 1},
        {"profile": {**_PROFILE, "purpose": "tx", "transaction_id": "tx-1"}},
        {"profile": {**_AT_A_TIME, "kind": "recurring", "recurrency": "weekly"}, "evse_id": 2},
        {"profile": {**_PROFILE, "schedules": [{**_SCHEDULE, "duration_s": 60, "min_rate": 6.06}]}},
        {"profile": {**_PROFILE, "schedules": [_SCHEDULE] * 3}},
        {"profile": RICH_PROFILE},
    ],
    "clear_charging_profile": [
        {},
        {"profile_id": 20},
        {"evse_id": 1, "purpose": "tx_default", "stack_level": 0},
        {"purpose": "charger_max"},
    ],
    "get_charging_profiles": [
        {},
        {"profile_ids": [1, 1001]},
        {"evse_id": 0, "purpose": "external_constraints", "stack_level": 2, "sources": ["ems", "CSO"]},
        {"sources": ["grid-box"]},
    ],
    "update_dynamic_schedule": [{"profile_id": 1, "limit": 10}, {"profile_id": 1, **_BY_PHASE}],
    "use_priority_charging": [{}, {"transaction_id": "tx-1", "active": False}],
    "set_allowed_energy_transfer": [
        {"energy_transfers": ["ac_single_phase", "ac_two_phase", "ac_three_phase", "dc", "wpt", "dc"]},
        {"energy_transfers": ["ac_bpt", "ac_bpt_der", "ac_der", "dc_bpt", "dc_acdp", "dc_acdp_bpt"], "evse_id": 1},
    ],
    "send_afrr_signal": [{"signal": -3}, {"signal": 3, "at": AT}],
    "set_der_control": [
        *({"control_id": "c", "control_type": kind, "is_default": False, "curve": _CURVE} for kind in _CURVE_TYPES),
        *(
            {"control_id": "c", "control_type": kind, "is_default": False, argument: setting}
            for kind, argument, setting in (
                (
                    "enter_service",
                    "enter_service",
                    {
                        "priority": 0,
                        "high_voltage": 1.05,
                        "low_voltage": 0.9,
                        "high_frequency_hz": 50.1,
                        "low_frequency_hz": 49.5,
                        "delay_s": 300,
                        "random_delay_s": 1,
                        "ramp_rate_s": 300,
                    },
                ),
                ("fixed_pf_absorb", "fixed_power_factor", {**_TIMED, "displacement": 0.9, "under_excited": True}),
                ("fixed_pf_inject", "fixed_power_factor", {"priority": 1, "displacement": 1, "under_excited": False}),
                ("fixed_var", "fixed_var", {**_TIMED, "setpoint_percent": -50, "unit": "not_applicable"}),
                (
                    "freq_droop",
                    "freq_droop",
                    {
                        **_TIMED,
                        "over_frequency_hz": 50.2,
                        "under_frequency_hz": 49.8,
                        "over_droop": 0.05,
                        "under_droop": 0.05,
                        "response_time_s": 2,
                    },
                ),
                ("gradients", "gradient", {"priority": 0, "gradient_s": 0, "soft_gradient_s": 60}),
                (
                    "limit_max_discharge",
                    "limit_max_discharge",
                    {**_TIMED, "max_discharge_power_percent": 50, "must_trip_curve": _CURVE},
                ),
            )
        ),
    ],
    "get_der_control": [{}, {"control_id": "c"}, {"control_type": "watt_pf", "is_default": False}],
    "clear_der_control": [{"is_default": True}, {"is_default": False, "control_id": "c", "control_type": "volt_var"}],
    "request_battery_swap": [{"token": "04AA"}, {"token": "04AA", "token_type": "ISO14443", "request_id": 5}],
    "set_default_tariff": [{"tariff": _TARIFF}, {"tariff": {"tariff_id": "t", "currency": "EUR"}, "evse_id": 1}],
    "get_tariffs": [{}, {"evse_id": 1}],
    "clear_tariffs": [{}, {"tariff_ids": ["t"], "evse_id": 1}],
    "change_transaction_tariff": [{"tariff": _TARIFF}],
    "notify_web_payment_started": [{}, {"evse_id": 2, "timeout_s": 60}],
    "adjust_event_stream": [{"stream_id": 1, "interval_s": 60}, {"stream_id": 1, "interval_s": 1, "values": 5}],
    "get_event_streams": [{}],
}
