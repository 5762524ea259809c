"""Arguments of neutral commands, checked against what is known of the charger: rules that the versions share."""

from decimal import ROUND_DOWN, Decimal
from typing import Any

from gateway.core.errors import CommandInvalid
from gateway.core.reports import ActiveTransaction
from gateway.ocpp.profile import Notes, Station
from gateway.ocpp.timestamps import read_timestamp

CHARGER_PROFILE_ID = 1
EVSE_PROFILE_ID = 1000
"""The limit of EVSE n is charging profile EVSE_PROFILE_ID + n, so that a new limit replaces the old one."""

SCHEDULE_BEGIN = "2020-01-01T00:00:00.000Z"
"""An absolute schedule must say when it begins; a limit holds at once, so any time in the past will do."""


def transaction_to_stop(arguments: dict[str, Any], station: Station) -> ActiveTransaction:
    """The one transaction that `stop` means: by its id or the charger's, by its EVSE, or the only one.

    Raises CommandInvalid, saying which run, where there is none or more than one.
    """
    wanted, evse_id = arguments["transaction_id"], arguments["evse_id"]
    found = [
        running
        for running in station.transactions
        if (wanted is None or wanted in (running.id, running.ocpp_transaction_id))
        and (evse_id is None or evse_id == running.evse_id)
    ]
    # A public id is unique; another charger-given id may happen to spell the same.
    found = [running for running in found if running.id == wanted] or found
    if len(found) == 1:
        return found[0]
    running_now = "; ".join(
        f"{running.id} (the charger's {running.ocpp_transaction_id}) on EVSE {running.evse_id}"
        for running in station.transactions
    )
    if not running_now:
        raise CommandInvalid("stop: no transaction runs")
    which = "no such transaction runs" if not found else "more than one transaction fits, so name one"
    raise CommandInvalid(f"stop: {which}; running: {running_now}")


def one_connector(arguments: dict[str, Any], command: str) -> tuple[int, int]:
    """EVSE and connector of a command that needs one connector. Raises CommandInvalid for 0."""
    evse_id, connector_id = arguments["evse_id"], arguments["connector_id"]
    if not evse_id or not connector_id:
        raise CommandInvalid(f"{command}: evse_id and connector_id count from 1")
    return evse_id, connector_id


def at_most(text: str, length: int, what: str) -> str:
    """The text. Raises CommandInvalid where it is longer than OCPP allows."""
    if len(text) > length:
        raise CommandInvalid(f"{what} has {len(text)} characters, OCPP allows {length}")
    return text


def moment(value: str, what: str) -> str:
    """A time as OCPP has it: UTC with milliseconds. Raises CommandInvalid where it is none, or has no zone."""
    found = read_timestamp(value, Notes(), ())
    if found is None:
        raise CommandInvalid(f"{what} must be an RFC 3339 timestamp with a zone, not {value!r}")
    return found


def charging_limit(arguments: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A limit as (fields of the charging profile, fields of its charging schedule), the same in every version.

    Raises CommandInvalid. The limit is rounded down to one decimal, which is all that OCPP carries.
    """
    current, power, until = arguments["current_a"], arguments["power_w"], arguments["until"]
    if (current is None) == (power is None):
        raise CommandInvalid("set_charging_limit: give either current_a or power_w")
    period: dict[str, Any] = {"startPeriod": 0, "limit": _one_decimal(current if power is None else power)}
    if arguments["phases"] is not None:
        period["numberPhases"] = arguments["phases"]
    schedule: dict[str, Any] = {
        "chargingRateUnit": "A" if power is None else "W",
        "chargingSchedulePeriod": [period],
    }
    profile: dict[str, Any] = {"stackLevel": 0}
    if arguments["evse_id"] == 0:
        profile["chargingProfileKind"] = "Absolute"
        schedule["startSchedule"] = SCHEDULE_BEGIN
    else:
        profile["chargingProfileKind"] = "Relative"
    if until is not None:
        profile["validTo"] = _moment(until)
    return profile, schedule


def charging_profile_id(evse_id: int) -> int:
    """The id of the charging profile that holds the limit of an EVSE, or of the whole charger (0)."""
    return EVSE_PROFILE_ID + evse_id if evse_id else CHARGER_PROFILE_ID


def _one_decimal(limit: float) -> float:
    if limit > 1e9:
        raise CommandInvalid("set_charging_limit: the limit is out of all reason")
    return float(Decimal(repr(limit)).quantize(Decimal("0.1"), ROUND_DOWN))


def _moment(until: str) -> str:
    moment = read_timestamp(until, Notes(), ())
    if moment is None:
        raise CommandInvalid(f"set_charging_limit: until must be an RFC 3339 timestamp with a zone, not {until!r}")
    return moment
