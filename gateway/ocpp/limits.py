"""Charging limits as conversations with the charger: set, lifted, paused and resumed, the same for all versions.

One charging profile id per place, so that a new limit replaces the old one. The whole charger is limited by the
profile of the charger's maximum, an EVSE by a default for its transactions, which holds for the running one and the
next ones. The stack level is 0 unless the charger's quirks name its highest: where other parties set profiles, too,
the highest wins, but makes disagree on whether the number that they tell may itself be used (some refuse it), so it
is tried only where 0 was refused. What a charger has once accepted is tried first the next time.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_DOWN, Decimal
from typing import Any

from gateway.core.commands import Outcome
from gateway.core.limits import NO_LIMIT
from gateway.core.reports import ActiveTransaction, Limit
from gateway.ocpp.abilities import Abilities, RateUnit
from gateway.ocpp.arguments import evse_to_pause, moment, running_on
from gateway.ocpp.endings import ending, refused, status_result
from gateway.ocpp.profile import Answered, Call, Dialogue, Ending, Refused, Station

Arguments = dict[str, Any]

CHARGER_PROFILE_ID = 1
EVSE_PROFILE_ID = 1000
"""The limit of EVSE n is charging profile EVSE_PROFILE_ID + n."""

SCHEDULE_BEGIN = "2020-01-01T00:00:00.000Z"
"""An absolute schedule must say when it begins; a limit holds at once, so any time in the past will do."""

MAX_ATTEMPTS = 4
"""SetChargingProfile calls that one command may make."""

USUAL_PHASES = 3
USUAL_VOLTAGE = 230.0


@dataclass(frozen=True, slots=True)
class Attempt:
    """A limit as one charging profile: `purpose` is charger_max, tx_default, or tx with its transaction."""

    evse_id: int
    purpose: str
    unit: RateUnit
    rate: float
    stack_level: int
    phases: int | None = None
    until: str | None = None
    transaction: ActiveTransaction | None = None

    @property
    def profile(self) -> dict[str, Any]:
        """The fields of the charging profile that are the same in every version, without id, purpose and schedule."""
        relative = {"chargingProfileKind": "Relative" if self.evse_id else "Absolute"}
        return {"stackLevel": self.stack_level, **relative} | ({} if self.until is None else {"validTo": self.until})

    @property
    def schedule(self) -> dict[str, Any]:
        """The charging schedule, the same in every version but for its id."""
        period: dict[str, Any] = {"startPeriod": 0, "limit": self.rate}
        if self.phases is not None:
            period["numberPhases"] = self.phases
        schedule: dict[str, Any] = {"chargingRateUnit": self.unit, "chargingSchedulePeriod": [period]}
        return schedule if self.evse_id else {**schedule, "startSchedule": SCHEDULE_BEGIN}


@dataclass(frozen=True, slots=True)
class LimitDialect:
    """How a version says what limits need: the calls, and how the charger tells what it can.

    `can_carry` tells whether a transaction can be named in a profile.
    """

    set_profile: Callable[[int, Attempt], Call]
    clear_id: Callable[[int], Call]
    clear_fitting: Callable[[int, str, int], Call]
    """EVSE, purpose and stack level."""
    ask: Call
    abilities: Callable[[Mapping[str, Any]], Abilities]
    can_carry: Callable[[ActiveTransaction], bool]


def charging_profile_id(evse_id: int) -> int:
    """The id of the charging profile that holds the limit of an EVSE, or of the whole charger (0)."""
    return EVSE_PROFILE_ID + evse_id if evse_id else CHARGER_PROFILE_ID


# ---------------------------------------------------------------- the commands


def set_charging_limit(dialect: LimitDialect, arguments: Arguments, station: Station) -> Dialogue:
    """Limit an EVSE or the whole charger. Where charging is paused, nothing is sent: it must not start by that."""
    limit = asked_limit(arguments)
    evse_id: int = arguments["evse_id"]
    first = _first_attempt(evse_id, limit, station)
    if station.limits.get(evse_id, NO_LIMIT).paused:
        result = _result(evse_id, paused=True) | {"until": limit.until}
        return _at_once(Ending(Outcome.ACCEPTED, "charging is paused; the limit holds once it is resumed", result))
    return _setting(dialect, first, limit, station, paused=False)


def clear_charging_limit(dialect: LimitDialect, arguments: Arguments, station: Station) -> Dialogue:
    """Lift the limit of an EVSE or of the whole charger. Where charging is paused, it stays paused."""
    evse_id: int = arguments["evse_id"]
    if station.limits.get(evse_id, NO_LIMIT).paused:
        result = _result(evse_id, paused=True)
        return _at_once(Ending(Outcome.ACCEPTED, "charging is paused; without a limit once it is resumed", result))
    return _clearing(dialect, evse_id, station)


def pause(dialect: LimitDialect, arguments: Arguments, station: Station) -> Dialogue:
    """Limit an EVSE to 0, whatever limit was set there."""
    evse_id = evse_to_pause(arguments, station, "pause")
    known = station.limits.get(evse_id, NO_LIMIT)
    nothing = Limit(power_w=0.0) if known.power_w is not None else Limit(current_a=0.0)
    return _setting(dialect, _first_attempt(evse_id, nothing, station), nothing, station, paused=True)


def resume(dialect: LimitDialect, arguments: Arguments, station: Station) -> Dialogue:
    """Set the limit again that was set before the pause, or lift it where there was none."""
    evse_id = evse_to_pause(arguments, station, "resume")
    known = station.limits.get(evse_id, NO_LIMIT)
    if known.current_a is None and known.power_w is None:
        return _clearing(dialect, evse_id, station)
    return _setting(dialect, _first_attempt(evse_id, known, station), known, station, paused=False)


def asked_limit(arguments: Arguments) -> Limit:
    """The limit that `set_charging_limit` asks for. Raises CommandInvalid."""
    until = arguments["until"]
    until = None if until is None else moment(until, "set_charging_limit: until")
    return Limit(arguments["current_a"], arguments["power_w"], phases=arguments["phases"], until=until)


# ---------------------------------------------------------------- setting


def _first_attempt(evse_id: int, limit: Limit, station: Station) -> Attempt:
    """The profile to try first: as asked, but for what the charger is known to need."""
    quirks, carrier = station.quirks, station.limits.get(evse_id, NO_LIMIT).carrier
    asked: RateUnit = "A" if limit.current_a is not None else "W"
    level = quirks.max_stack_level if quirks.max_stack_level is not None else carrier.stack_level if carrier else 0
    unit = quirks.rate_unit or (carrier.unit if carrier else None) or asked
    return Attempt(
        evse_id,
        _usual_purpose(evse_id),
        unit,
        _rate(limit, unit, station),
        level,
        limit.phases or quirks.phases,
        limit.until,
    )


def _rate(limit: Limit, unit: RateUnit, station: Station) -> float:
    """The limit in this unit, rounded down: A to one decimal, W to whole ones where they were A."""
    phases, voltage = _electricity(limit, station)
    watts_per_ampere = Decimal(phases) * Decimal(repr(voltage))
    if limit.current_a is not None:
        current = Decimal(repr(limit.current_a))
        rate, step = (current, "0.1") if unit == "A" else (current * watts_per_ampere, "1")
    else:
        power = Decimal(repr(limit.power_w))
        rate, step = (power, "0.1") if unit == "W" else (power / watts_per_ampere, "0.1")
    return float(rate.quantize(Decimal(step), ROUND_DOWN))


def _electricity(limit: Limit, station: Station) -> tuple[int, float]:
    """Phases and voltage (phase to neutral) by which A and W are converted."""
    quirks = station.quirks
    return limit.phases or quirks.phases or USUAL_PHASES, quirks.voltage_v or USUAL_VOLTAGE


def _setting(dialect: LimitDialect, first: Attempt, limit: Limit, station: Station, *, paused: bool) -> Dialogue:
    """Try until the charger accepts, as far as there is something left to try."""
    profile_id = charging_profile_id(first.evse_id)
    attempts = [_as_carried(first, dialect, station)]
    asked = False
    refusals: list[str] = []
    outcomes: set[Outcome] = set()
    while attempts:
        attempt = attempts.pop(0)
        answer = yield dialect.set_profile(profile_id, attempt)
        ended = _ended(answer)
        if ended.outcome is Outcome.ACCEPTED:
            return replace(ended, result=_set(attempt, limit, station, refusals, paused=paused))
        if ended.acted:
            return replace(ended, result=_unclear(first.evse_id, ended, refusals, station))
        refusals.append(f"{_told(attempt)}: {ended.reason}")
        outcomes.add(ended.outcome)
        if not asked:
            asked = True
            answer = yield dialect.ask
            able = dialect.abilities(answer.payload) if isinstance(answer, Answered) else Abilities()
            attempts = _further(attempt, limit, able, dialect, station)
    return Ending(
        Outcome.REJECTED if Outcome.REJECTED in outcomes else Outcome.ERROR,
        "; ".join(refusals) + _advice(first, station),
        _result(first.evse_id, paused=_is_paused(first.evse_id, station)) | {"refused": refusals},
    )


def _ended(answer: Answered | Refused) -> Ending:
    if isinstance(answer, Refused):
        return refused(answer)
    return ending(answer.payload, status_result(answer.payload))


def _further(first: Attempt, limit: Limit, able: Abilities, dialect: LimitDialect, station: Station) -> list[Attempt]:
    """What is left to try after a refusal: the unit that it can, the highest stack level, another purpose."""
    unit = first.unit if not able.units or first.unit in able.units else next(iter(able.units))
    top = able.max_stack_level
    level = first.stack_level if top is None else min(first.stack_level, top)
    in_unit = replace(first, unit=unit, rate=_rate(limit, unit, station), stack_level=level)
    further = [in_unit, in_unit if top is None else replace(in_unit, stack_level=top)]
    other = _other_purpose(in_unit, dialect, station)
    if other is not None:
        further.append(other)
    new = [attempt for place, attempt in enumerate(further) if attempt not in [first, *further[:place]]]
    return new[: MAX_ATTEMPTS - 1]


def _as_carried(first: Attempt, dialect: LimitDialect, station: Station) -> Attempt:
    """With the purpose that the charger accepted the last time, where that can be used again."""
    carrier = station.limits.get(first.evse_id, NO_LIMIT).carrier
    other = _other_purpose(first, dialect, station)
    return other if carrier and other and carrier.purpose == other.purpose else first


def _other_purpose(attempt: Attempt, dialect: LimitDialect, station: Station) -> Attempt | None:
    """The same limit for the running transaction alone, or instead of the charger's as a default for all of its EVSEs.

    That default would hold for each of them: several together could draw a multiple of the limit.
    """
    if attempt.purpose != _usual_purpose(attempt.evse_id):
        return replace(attempt, purpose=_usual_purpose(attempt.evse_id), transaction=None)
    if attempt.evse_id == 0:
        return replace(attempt, purpose="tx_default") if len(station.evse_ids) <= 1 else None
    transaction = running_on(attempt.evse_id, station)
    if transaction is None or not dialect.can_carry(transaction):
        return None
    return replace(attempt, purpose="tx", transaction=transaction)


def _usual_purpose(evse_id: int) -> str:
    return "tx_default" if evse_id else "charger_max"


def _result(evse_id: int, *, paused: bool) -> dict[str, Any]:
    """The result of every command here, with None for what is not known: nothing was set."""
    return {
        "status": None,
        "evse_id": evse_id,
        "purpose": None,
        "unit": None,
        "limit": None,
        "stack_level": None,
        "phases": None,
        "until": None,
        "paused": paused,
        "converted": None,
        "refused": [],
    }


def _set(attempt: Attempt, limit: Limit, station: Station, refusals: Sequence[str], *, paused: bool) -> dict[str, Any]:
    """What was set, and how it came about."""
    asked = "A" if limit.current_a is not None else "W"
    phases, voltage = _electricity(limit, station)
    return _result(attempt.evse_id, paused=paused) | {
        "status": "accepted",
        "purpose": attempt.purpose,
        "unit": attempt.unit,
        "limit": attempt.rate,
        "stack_level": attempt.stack_level,
        "phases": attempt.phases,
        "until": attempt.until,
        "converted": None if attempt.unit == asked else {"from": asked, "phases": phases, "voltage_v": voltage},
        "refused": list(refusals),
    }


def _unclear(evse_id: int, ended: Ending, refusals: Sequence[str], station: Station) -> dict[str, Any]:
    """Where an answer could not be understood: the charger may have done it."""
    refused_so_far = [*refusals, str(ended.reason)]
    return _result(evse_id, paused=_is_paused(evse_id, station)) | {"refused": refused_so_far}


def _is_paused(evse_id: int, station: Station) -> bool:
    return station.limits.get(evse_id, NO_LIMIT).paused


def _told(attempt: Attempt) -> str:
    return f"{attempt.purpose} of {attempt.rate:g} {attempt.unit} on stack level {attempt.stack_level}"


def _advice(first: Attempt, station: Station) -> str:
    if first.evse_id == 0 and len(station.evse_ids) > 1:
        return "; a limit of each EVSE (evse_id) may be possible"
    return ""


# ---------------------------------------------------------------- clearing


def _clearing(dialect: LimitDialect, evse_id: int, station: Station) -> Dialogue:
    """Remove our profile: by its id, else by what we may have set there. Where there is none, that will do."""
    known = station.limits.get(evse_id, NO_LIMIT)
    calls = [dialect.clear_id(charging_profile_id(evse_id)), *_fitting(dialect, evse_id, station)]
    told: list[str] = []
    unknown = False
    for call in calls:
        ended = _ended((yield call))
        if ended.outcome is Outcome.ACCEPTED:
            return replace(ended, result=_result(evse_id, paused=False) | {"status": "accepted"})
        if ended.acted:
            return replace(ended, result=_unclear(evse_id, ended, told, station))
        told.append(str(ended.reason))
        unknown = unknown or ended.reason == "Unknown" or (ended.reason or "").startswith("Unknown:")
        if unknown and not known.is_set:
            break
    if unknown:
        result = _result(evse_id, paused=False) | {"status": "unknown"}
        return Ending(Outcome.ACCEPTED, "Unknown: the charger had no such limit", result)
    result = _result(evse_id, paused=known.paused) | {"refused": told}
    return Ending(Outcome.ERROR, "; ".join(dict.fromkeys(told)), result)


def _fitting(dialect: LimitDialect, evse_id: int, station: Station) -> list[Call]:
    """The calls that clear by purpose and stack level whatever a limit there may have been set as."""
    carrier = station.limits.get(evse_id, NO_LIMIT).carrier
    quirk = station.quirks.max_stack_level
    level = carrier.stack_level if carrier else quirk if quirk is not None else 0
    if carrier:
        purposes = [carrier.purpose]
    elif evse_id:
        purposes = ["tx_default", *(["tx"] if running_on(evse_id, station) else [])]
    else:
        purposes = ["charger_max"]
    return [dialect.clear_fitting(evse_id, purpose, level) for purpose in purposes]


def _at_once(ended: Ending) -> Dialogue:
    """A dialogue without a call."""
    yield from ()
    return ended
