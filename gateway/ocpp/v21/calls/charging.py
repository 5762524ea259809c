"""Smart charging: what OCPP 2.1 does otherwise than 2.0.1, and what it added."""

from functools import partial

from gateway.core.errors import CommandInvalid
from gateway.ocpp.arguments import one_transaction
from gateway.ocpp.charging_profiles import RATES_21
from gateway.ocpp.profile import Call, Station
from gateway.ocpp.v21.calls.shapes import V21
from gateway.ocpp.v201.calls import charging
from gateway.ocpp.v201.calls.shapes import Arguments
from gateway.ocpp.writing import write

set_charging_profile = partial(charging.set_charging_profile, dialect=V21)
clear_charging_profile = partial(charging.clear_charging_profile, dialect=V21)
get_charging_profiles = partial(charging.get_charging_profiles, dialect=V21)


def update_dynamic_schedule(arguments: Arguments, station: Station) -> list[Call]:
    """Use case K28."""
    update = write(arguments, RATES_21, "update_dynamic_schedule")
    if not update:
        raise CommandInvalid("update_dynamic_schedule: give at least one value")
    return [Call("UpdateDynamicSchedule", {"chargingProfileId": arguments["profile_id"], "scheduleUpdate": update})]


def use_priority_charging(arguments: Arguments, station: Station) -> list[Call]:
    """Use case K22."""
    transaction = one_transaction(arguments, station, "use_priority_charging")
    asked = {"transactionId": transaction.ocpp_transaction_id, "activate": arguments["active"]}
    return [Call("UsePriorityCharging", asked)]
