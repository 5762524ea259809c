"""Smart charging (functional block K)."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from gateway.core.commands import Outcome
from gateway.core.errors import CommandInvalid, CommandUnsupported
from gateway.ocpp import limits
from gateway.ocpp.abilities import Abilities, level_of, units_of
from gateway.ocpp.arguments import at_most, one_transaction, running_on
from gateway.ocpp.charging_profiles import EXTERNAL, PURPOSES, PURPOSES_201, SOURCES, given_purpose, write_profile
from gateway.ocpp.composite import composite_result
from gateway.ocpp.endings import ending, items, status_result
from gateway.ocpp.fields import mapping
from gateway.ocpp.limits import Attempt, LimitDialect
from gateway.ocpp.profile import Answered, Call, Ending, Notes, Station
from gateway.ocpp.v201.calls.shapes import V201, Arguments, Dialect, given
from gateway.ocpp.writing import write

_UNIT_VARIABLE = ("SmartChargingCtrlr", "RateUnit")
_LEVEL_VARIABLE = ("SmartChargingCtrlr", "ProfileStackLevel")


def get_composite_schedule(arguments: Arguments, station: Station) -> list[Call]:
    """Use case K08."""
    asked = given(duration=arguments["duration_s"], chargingRateUnit=arguments["unit"], evseId=arguments["evse_id"])
    return [Call("GetCompositeSchedule", asked)]


def got_composite_schedule(calls: list[Call], answers: list[Answered]) -> Ending:
    payload = answers[0].payload
    schedule = mapping(payload, "schedule", Notes())
    asked = calls[0].payload
    result = composite_result(
        schedule,
        evse_id=schedule.get("evseId", asked["evseId"]),
        starts_at=schedule.get("scheduleStart"),
        asked_duration_s=asked["duration"],
    )
    return ending(payload, status_result(payload) | result)


def set_charging_profile(arguments: Arguments, station: Station, dialect: Dialect = V201) -> list[Call]:
    """Use cases K01 to K04. A TxProfile names its transaction (K01.FR.03), by default the one on the EVSE."""
    profile, evse_id = arguments["profile"], arguments["evse_id"]
    written = write_profile(profile, dialect.version, evse_id)
    if profile["purpose"] == "tx":
        wanted = profile["transaction_id"]
        running = running_on(evse_id, station) if wanted is None and evse_id else None
        if running is None:
            named = {"transaction_id": wanted, "evse_id": None}
            running = one_transaction(named, station, "set_charging_profile")
        evse_id = evse_id or running.evse_id
        if not evse_id:
            raise CommandInvalid("set_charging_profile: name the evse_id, for a tx profile is of one EVSE")
        written["transactionId"] = running.ocpp_transaction_id
    return [Call("SetChargingProfile", {"evseId": evse_id, "chargingProfile": written})]


def clear_charging_profile(arguments: Arguments, station: Station, dialect: Dialect = V201) -> list[Call]:
    """Use case K10. The id alone counts where there is one; something must be named (K10.FR.02), so that all profiles
    are those of each purpose in turn, but for external constraints, which are not the CSMS's to clear (K10.FR.06)."""
    if arguments["profile_id"] is not None:
        return [Call("ClearChargingProfile", {"chargingProfileId": arguments["profile_id"]})]
    if arguments["purpose"] == EXTERNAL:
        raise CommandInvalid("clear_charging_profile: external constraints are lifted only by who has set them")
    criteria = write(arguments, {"evse_id": "evseId", "stack_level": "stackLevel"})
    criteria |= given_purpose(arguments["purpose"], dialect.version)
    if criteria:
        return [Call("ClearChargingProfile", {"chargingProfileCriteria": criteria})]
    every = [ocpp for purpose, ocpp in PURPOSES[dialect.version].items() if purpose != EXTERNAL]
    return [Call("ClearChargingProfile", {"chargingProfileCriteria": {"chargingProfilePurpose": one}}) for one in every]


def cleared_profiles(calls: list[Call], answers: list[Answered]) -> Ending:
    """Whether any profile was there to be cleared."""
    parts = [ending(answer.payload, status_result(answer.payload)) for answer in answers]
    by_outcome = {part.outcome: part for part in reversed(parts)}
    return next(by_outcome[one] for one in (Outcome.ERROR, Outcome.ACCEPTED, Outcome.REJECTED) if one in by_outcome)


def get_charging_profiles(arguments: Arguments, station: Station, dialect: Dialect = V201) -> list[Call]:
    """Use case K09. Either ids are named, or something else of the profiles (K09.FR.03): by default all sources."""
    criterion: dict[str, Any] = {"chargingProfileId": arguments["profile_ids"]}
    if not arguments["profile_ids"]:
        criterion = write(arguments, {"stack_level": "stackLevel"})
        criterion |= given_purpose(arguments["purpose"], dialect.version)
        sources = [_source(source, dialect) for source in arguments["sources"]]
        if sources or not criterion:
            criterion["chargingLimitSource"] = sources or [*SOURCES.values()]
    where = given(evseId=arguments["evse_id"])
    return [Call("GetChargingProfiles", {"requestId": station.next_id(), **where, "chargingProfile": criterion})]


def _source(source: str, dialect: Dialect) -> str:
    known = SOURCES.get(source.lower())
    if known is not None:
        return known
    if dialect is V201:
        raise CommandUnsupported(f"OCPP 2.0.1 knows the sources {', '.join(SOURCES)}; versions that know others: 2.1")
    return at_most(source, 20, "get_charging_profiles: a source")


# ---------------------------------------------------------------- limits


def _set_limit(profile_id: int, attempt: Attempt) -> Call:
    profile = {
        "id": profile_id,
        "chargingProfilePurpose": PURPOSES_201[attempt.purpose],
        **attempt.profile,
        "chargingSchedule": [{"id": 1, **attempt.schedule}],
    }
    if attempt.transaction is not None:
        profile["transactionId"] = attempt.transaction.ocpp_transaction_id
    return Call("SetChargingProfile", {"evseId": attempt.evse_id, "chargingProfile": profile})


def _clear_fitting(evse_id: int, purpose: str, stack_level: int) -> Call:
    criteria = {"evseId": evse_id, "chargingProfilePurpose": PURPOSES_201[purpose], "stackLevel": stack_level}
    return Call("ClearChargingProfile", {"chargingProfileCriteria": criteria})


def _abilities(payload: Mapping[str, Any]) -> Abilities:
    values: dict[tuple[Any, Any], Any] = {}
    for item in items([Answered(dict(payload))], "getVariableResult"):
        component, variable = mapping(item, "component", Notes()), mapping(item, "variable", Notes())
        name = str(component.get("name")), str(variable.get("name"))
        values[name] = item.get("attributeValue")
    return Abilities(units_of(values.get(_UNIT_VARIABLE)), level_of(values.get(_LEVEL_VARIABLE)))


LIMITS = LimitDialect(
    set_profile=_set_limit,
    clear_id=lambda profile_id: Call("ClearChargingProfile", {"chargingProfileId": profile_id}),
    clear_fitting=_clear_fitting,
    ask=Call(
        "GetVariables",
        {
            "getVariableData": [
                {"component": {"name": component}, "variable": {"name": variable}}
                for component, variable in (_UNIT_VARIABLE, _LEVEL_VARIABLE)
            ]
        },
    ),
    abilities=_abilities,
    can_carry=lambda transaction: len(transaction.ocpp_transaction_id) <= 36,
)
"""What OCPP 2.x says for limits (use case K01)."""

set_charging_limit = partial(limits.set_charging_limit, LIMITS)
clear_charging_limit = partial(limits.clear_charging_limit, LIMITS)
pause = partial(limits.pause, LIMITS)
resume = partial(limits.resume, LIMITS)
