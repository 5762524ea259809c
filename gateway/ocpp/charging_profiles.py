"""Charging profiles as commands give them, and what each version has of them.

The names are those under which a charger's own profiles are reported (`gateway.ocpp.v201.notices.schedules`). Limits,
setpoints and rates are in the schedule's `unit`, A or W.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from itertools import pairwise
from typing import Any

from gateway.core.errors import CommandInvalid, CommandUnsupported
from gateway.ocpp.fields import At, word
from gateway.ocpp.profile import Notes
from gateway.ocpp.writing import Form, Words, Written, each, one, time, words_of, write
from gateway.ocpp.writing import word as one_word

Values = Mapping[str, Any]

EXTERNAL = "external_constraints"
"""The purpose by which a charger reports what others than the CSMS have set."""

PURPOSES_16: Words = {
    "charger_max": "ChargePointMaxProfile",
    "tx_default": "TxDefaultProfile",
    "tx": "TxProfile",
}
PURPOSES_201: Words = {
    "charger_max": "ChargingStationMaxProfile",
    "tx_default": "TxDefaultProfile",
    "tx": "TxProfile",
    EXTERNAL: "ChargingStationExternalConstraints",
}
PURPOSES_21: Words = {
    **PURPOSES_201,
    "priority_charging": "PriorityCharging",
    "local_generation": "LocalGeneration",
}

SOURCES: Words = words_of("EMS", "Other", "SO", "CSO")
"""Who sets profiles: ChargingLimitSourceEnumType of 2.0.1; in 2.1 a source is free text."""

PURPOSES: Mapping[str, Words] = {"1.6": PURPOSES_16, "2.0.1": PURPOSES_201, "2.1": PURPOSES_21}


def given_purpose(purpose: str | None, version: str) -> dict[str, str]:
    """The field of a purpose where one is given. Raises CommandUnsupported where the version has no such purpose."""
    if purpose is None:
        return {}
    if purpose not in PURPOSES[version]:
        able = ", ".join(other for other, words in PURPOSES.items() if purpose in words)
        raise CommandUnsupported(f"OCPP {version} has no charging profiles of {purpose}; versions that have: {able}")
    return {"chargingProfilePurpose": PURPOSES[version][purpose]}


_NEUTRAL_PURPOSES = {ocpp: neutral for words in (PURPOSES_16, PURPOSES_21) for neutral, ocpp in words.items()}


def purpose(payload: Mapping[str, Any], name: str, notes: Notes, at: At = ()) -> str | None:
    """The purpose of a profile that a charger reports, under its neutral name."""
    ocpp = payload.get(name)
    known = _NEUTRAL_PURPOSES.get(ocpp) if isinstance(ocpp, str) else None
    return known or word(payload, name, notes, at)


def _by_phase(neutral: str, ocpp: str) -> dict[str, str]:
    return {neutral: ocpp, f"{neutral}_l2": f"{ocpp}_L2", f"{neutral}_l3": f"{ocpp}_L3"}


RATES_21: Form = {
    **_by_phase("limit", "limit"),
    **_by_phase("discharge_limit", "dischargeLimit"),
    **_by_phase("setpoint", "setpoint"),
    **_by_phase("setpoint_reactive", "setpointReactive"),
}
"""What a period of OCPP 2.1 holds in the schedule's unit."""

_PERIOD_16: Form = {"start_s": "startPeriod", "limit": "limit", "phases": "numberPhases"}
_PERIOD_201: Form = {**_PERIOD_16, "phase_to_use": "phaseToUse"}
_PERIOD_21: Form = {
    **_PERIOD_201,
    **RATES_21,
    "preconditioning": "preconditioningRequest",
    "evse_sleep": "evseSleep",
    "operation_mode": one_word(
        "operationMode",
        words_of(
            "Idle",
            "ChargingOnly",
            "CentralSetpoint",
            "ExternalSetpoint",
            "ExternalLimits",
            "CentralFrequency",
            "LocalFrequency",
            "LocalLoadBalancing",
        ),
    ),
    "v2x_baseline_w": "v2xBaseline",
    "v2x_frequency_curve": each("v2xFreqWattCurve", {"frequency_hz": "frequency", "power_w": "power"}),
    "v2x_signal_curve": each("v2xSignalWattCurve", {"signal": "signal", "power_w": "power"}),
}

_SCHEDULE_16: Form = {
    "unit": "chargingRateUnit",
    "starts_at": time("startSchedule"),
    "duration_s": "duration",
    "min_rate": "minChargingRate",
    "periods": each("chargingSchedulePeriod", _PERIOD_16),
}
_SCHEDULE_201: Form = {"id": "id", **_SCHEDULE_16, "periods": each("chargingSchedulePeriod", _PERIOD_201)}
_SCHEDULE_21: Form = {
    **_SCHEDULE_201,
    "periods": each("chargingSchedulePeriod", _PERIOD_21),
    "randomized_delay_s": "randomizedDelay",
    "use_local_time": "useLocalTime",
    "limit_at_soc": one("limitAtSoC", {"soc_percent": "soc", "limit": "limit"}),
    "power_tolerance": "powerTolerance",
}

_KINDS = words_of("Absolute", "Recurring", "Relative")


def _profile(id_name: str, purposes: Words, kinds: Words, schedule: Form) -> Form:
    return {
        "id": id_name,
        "stack_level": "stackLevel",
        "purpose": one_word("chargingProfilePurpose", purposes),
        "kind": one_word("chargingProfileKind", kinds),
        "recurrency": one_word("recurrencyKind", words_of("Daily", "Weekly")),
        "valid_from": time("validFrom"),
        "valid_to": time("validTo"),
        "schedules": each("chargingSchedule", schedule),
    }


PROFILES: Mapping[str, Form] = {
    # version → what a profile may hold; in 1.6 `chargingSchedule` is no list
    "1.6": _profile("chargingProfileId", PURPOSES_16, _KINDS, _SCHEDULE_16),
    "2.0.1": _profile("id", PURPOSES_201, _KINDS, _SCHEDULE_201),
    "2.1": {
        **_profile("id", PURPOSES_21, {**_KINDS, **words_of("Dynamic")}, _SCHEDULE_21),
        "max_offline_duration_s": "maxOfflineDuration",
        "invalid_after_offline_duration": "invalidAfterOfflineDuration",
        "dynamic_update_interval_s": "dynUpdateInterval",
        "dynamic_updated_at": time("dynUpdateTime"),
    },
}


@dataclass(frozen=True, slots=True)
class _Lack:
    """Something of a profile that a version does not have: where it is, and what it is called."""

    place: str
    name: str


def write_profile(values: Values, version: str, evse_id: int | None = None) -> dict[str, Any]:
    """A validated profile, without its transaction, as ChargingProfile of this version; its schedules as a list.

    `evse_id` is where it will be set, None where that is not known.
    Raises CommandUnsupported for what the version does not have, CommandInvalid for what makes no sense.
    """
    _check_purpose(values, version, evse_id)
    for schedule in values["schedules"]:
        _check_schedule(schedule, values["kind"], version)
    lacks = _lacking(values, version)
    if lacks:
        able = [other for other in PROFILES if not _lacking(values, other)]
        told = ", ".join(dict.fromkeys(f"{lack.name} ({lack.place})" for lack in lacks))
        raise CommandUnsupported(
            f"a charging profile of OCPP {version} cannot have: {told}; versions that can: {', '.join(able) or 'none'}"
        )
    if version != "2.1" and any(
        period["limit"] is None for schedule in values["schedules"] for period in schedule["periods"]
    ):
        raise CommandInvalid("profile: every period needs a limit")
    written = write(values, PROFILES[version], "profile")
    for place, schedule in enumerate(written["chargingSchedule"], start=1):
        if version != "1.6":
            schedule.setdefault("id", place)
        if version != "2.1":
            _round(schedule)
    return written


def profile_of_start(arguments: Values, version: str) -> dict[str, Any]:
    """The field of the profile that a transaction is started with, where one is given. Raises CommandInvalid."""
    profile = arguments["profile"]
    if profile is None:
        return {}
    if profile["purpose"] != "tx" or profile["transaction_id"] is not None:
        raise CommandInvalid("start: a profile must be of purpose tx, and names no transaction, for none runs yet")
    written = write_profile(profile, version)
    if version == "1.6":
        (written["chargingSchedule"],) = written["chargingSchedule"]
    return {"chargingProfile": written}


def _check_purpose(values: Values, version: str, evse_id: int | None) -> None:
    """1.6 section 3.13.1; 2.x part 2, K01.FR.22 and FR.38. Raises CommandInvalid."""
    if values["purpose"] == EXTERNAL:
        raise CommandInvalid("profile: external_constraints are limits of others, which a charger reports; set another")
    if values["purpose"] != "charger_max":
        return
    if evse_id:
        raise CommandInvalid("profile: one of charger_max is for the whole charger, evse_id 0")
    if version != "1.6" and values["kind"] == "relative":
        raise CommandInvalid("profile: one of charger_max cannot be relative, but absolute, with starts_at")


def _check_schedule(schedule: Values, kind: str, version: str) -> None:
    """1.6, type ChargingSchedule; 2.x part 2, K01.FR.31, FR.35, FR.40 and FR.41. Raises CommandInvalid."""
    begins = [period["start_s"] for period in schedule["periods"]]
    if begins[0] != 0:
        raise CommandInvalid("profile: the first period of a schedule has start_s 0")
    if any(later <= earlier for earlier, later in pairwise(begins)):
        raise CommandInvalid("profile: each period of a schedule has a greater start_s than the one before")
    starts_at = schedule["starts_at"]
    if version == "1.6":
        return
    if kind in ("absolute", "recurring") and starts_at is None:
        raise CommandInvalid(f"profile: it is {kind}, so that each of its schedules needs starts_at")
    if kind == "relative" and starts_at is not None:
        raise CommandInvalid("profile: a relative profile starts with its transaction, and has no starts_at")


def _round(schedule: dict[str, Any]) -> None:
    for period in schedule["chargingSchedulePeriod"]:
        period["limit"] = one_decimal(period["limit"])
    if "minChargingRate" in schedule:
        schedule["minChargingRate"] = one_decimal(schedule["minChargingRate"])


def one_decimal(rate: float) -> float:
    """A rate rounded towards zero to one decimal, which is all that OCPP 1.6 and 2.0.1 carry."""
    return float(Decimal(repr(rate)).quantize(Decimal("0.1"), ROUND_DOWN))


def _lacking(values: Values, version: str) -> list[_Lack]:
    schedules = values["schedules"]
    lacks = _lacking_in(values, PROFILES[version], "profile")
    if version == "1.6" and len(schedules) > 1:
        lacks.append(_Lack("profile", "several schedules"))
    return lacks


def _lacking_in(values: Values, form: Form, place: str) -> list[_Lack]:
    """What is given of an object, and of those in it, that the form does not have."""
    lacks: list[_Lack] = []
    for name, value in values.items():
        how = form.get(name)
        if value is None or name in _ELSEWHERE:
            continue
        if how is None:
            lacks.append(_Lack(place, name))
        elif isinstance(how, Written) and how.kind == "objects":
            lacks += [lack for item in value for lack in _lacking_in(item, how.form, name)]
        elif isinstance(how, Written) and how.kind == "word" and value not in how.words:
            lacks.append(_Lack(name, str(value)))
    return lacks


_ELSEWHERE = frozenset({"transaction_id"})
"""Written by the command itself."""
