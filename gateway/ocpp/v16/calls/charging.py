"""Smart charging."""

from functools import partial
from typing import Any

from gateway.core.errors import CommandInvalid
from gateway.core.reports import ActiveTransaction
from gateway.ocpp import limits
from gateway.ocpp.abilities import Abilities, level_of, units_of
from gateway.ocpp.arguments import one_transaction, running_on
from gateway.ocpp.charging_profiles import PURPOSES_16, given_purpose, write_profile
from gateway.ocpp.composite import composite_result
from gateway.ocpp.endings import ending, status_result
from gateway.ocpp.fields import as_list, mapping
from gateway.ocpp.limits import Attempt, LimitDialect
from gateway.ocpp.profile import Answered, Call, Ending, Notes, Station
from gateway.ocpp.v16.calls.transactions import transaction_number
from gateway.ocpp.writing import write

Arguments = dict[str, Any]

_UNIT_KEY = "ChargingScheduleAllowedChargingRateUnit"
_LEVEL_KEY = "ChargeProfileMaxStackLevel"


def get_composite_schedule(arguments: Arguments, station: Station) -> list[Call]:
    """Section 5.7."""
    payload = {"connectorId": arguments["evse_id"], "duration": arguments["duration_s"]}
    if arguments["unit"] is not None:
        payload["chargingRateUnit"] = arguments["unit"]
    return [Call("GetCompositeSchedule", payload)]


def got_composite_schedule(calls: list[Call], answers: list[Answered]) -> Ending:
    """Section 6.20: the schedule counts from scheduleStart."""
    payload, notes = answers[0].payload, Notes()
    schedule = mapping(payload, "chargingSchedule", notes)
    asked = calls[0].payload
    result = composite_result(
        schedule,
        evse_id=payload.get("connectorId", asked["connectorId"]),
        starts_at=payload.get("scheduleStart") or schedule.get("startSchedule"),
        asked_duration_s=asked["duration"],
    )
    return ending(payload, status_result(payload) | result)


def set_charging_profile(arguments: Arguments, station: Station) -> list[Call]:
    """Section 5.16. A TxProfile may name its transaction; where none is named, the connector tells."""
    profile, evse_id = arguments["profile"], arguments["evse_id"]
    written = write_profile(profile, "1.6", evse_id)
    (written["chargingSchedule"],) = written["chargingSchedule"]
    transaction: ActiveTransaction | None = None
    if profile["purpose"] == "tx":
        wanted = profile["transaction_id"]
        if wanted is None:
            transaction = running_on(evse_id, station)
        else:
            named = {"transaction_id": wanted, "evse_id": None}
            transaction = one_transaction(named, station, "set_charging_profile")
        evse_id = evse_id or (transaction.evse_id if transaction else 0)
        if not evse_id:
            raise CommandInvalid("set_charging_profile: name the evse_id, for a tx profile is of one connector")
    number = None if transaction is None else transaction_number(transaction)
    if number is not None:
        written["transactionId"] = number
    return [Call("SetChargingProfile", {"connectorId": evse_id, "csChargingProfiles": written})]


def clear_charging_profile(arguments: Arguments, station: Station) -> list[Call]:
    """Section 5.4. The id alone counts where there is one."""
    if arguments["profile_id"] is not None:
        return [Call("ClearChargingProfile", {"id": arguments["profile_id"]})]
    fitting = write(arguments, {"evse_id": "connectorId", "stack_level": "stackLevel"})
    return [Call("ClearChargingProfile", fitting | given_purpose(arguments["purpose"], "1.6"))]


def _set_limit(profile_id: int, attempt: Attempt) -> Call:
    profile = {
        "chargingProfileId": profile_id,
        "chargingProfilePurpose": PURPOSES_16[attempt.purpose],
        **attempt.profile,
        "chargingSchedule": attempt.schedule,
    }
    if attempt.transaction is not None:
        profile["transactionId"] = transaction_number(attempt.transaction)
    return Call("SetChargingProfile", {"connectorId": attempt.evse_id, "csChargingProfiles": profile})


def _clear_fitting(evse_id: int, purpose: str, stack_level: int) -> Call:
    fitting = {"connectorId": evse_id, "chargingProfilePurpose": PURPOSES_16[purpose], "stackLevel": stack_level}
    return Call("ClearChargingProfile", fitting)


def _abilities(payload: Any) -> Abilities:
    """Section 9.4: the configuration keys of the smart charging profile."""
    values = {
        entry.get("key"): entry.get("value")
        for entry in as_list(payload.get("configurationKey"))
        if isinstance(entry, dict) and isinstance(entry.get("key"), str)
    }
    return Abilities(units_of(values.get(_UNIT_KEY)), level_of(values.get(_LEVEL_KEY)))


LIMITS = LimitDialect(
    set_profile=_set_limit,
    clear_id=lambda profile_id: Call("ClearChargingProfile", {"id": profile_id}),
    clear_fitting=_clear_fitting,
    ask=Call("GetConfiguration", {"key": [_UNIT_KEY, _LEVEL_KEY]}),
    abilities=_abilities,
    can_carry=lambda transaction: transaction_number(transaction) is not None,
)
"""What OCPP 1.6 says for limits (sections 3.13 and 5.16)."""

set_charging_limit = partial(limits.set_charging_limit, LIMITS)
clear_charging_limit = partial(limits.clear_charging_limit, LIMITS)
pause = partial(limits.pause, LIMITS)
resume = partial(limits.resume, LIMITS)
