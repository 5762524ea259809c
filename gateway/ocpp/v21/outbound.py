"""Neutral commands as OCPP 2.1 calls: the table is OUTBOUND, at the end."""

from collections.abc import Mapping
from typing import Any

from gateway.ocpp.arguments import at_most
from gateway.ocpp.endings import by_status
from gateway.ocpp.profile import Call, Conversation, Outbound, Station
from gateway.ocpp.triggers import checked_trigger
from gateway.ocpp.v201 import outbound as v201

Arguments = dict[str, Any]


def start(arguments: Arguments, station: Station) -> list[Call]:
    """Use case F02. The token's type is free text of at most 20 characters."""
    at_most(arguments["token"], 255, "start: the token")
    at_most(arguments["token_type"], 20, "start: token_type")
    return v201.request_start(arguments, station)


def trigger(arguments: Arguments, station: Station) -> list[Call]:
    """Use case F06."""
    return v201.trigger_message(checked_trigger(arguments["message"], "2.1"), arguments)


def set_variables(arguments: Arguments, station: Station) -> list[Call]:
    """Use case B05: one call for all; a value has at most 2500 characters."""
    return v201.set_variable_data(arguments, max_length=2500)


OUTBOUND: Mapping[str, Outbound | Conversation] = {
    # command → (its calls, how their answers are read, the actions called)
    "start": Outbound(start, v201.started, ("RequestStartTransaction",)),
    "stop": Outbound(v201.stop, by_status, ("RequestStopTransaction",)),
    "unlock": Outbound(v201.unlock, by_status, ("UnlockConnector",)),
    "reset": Outbound(v201.reset, by_status, ("Reset",)),
    "set_availability": Outbound(v201.set_availability, by_status, ("ChangeAvailability",)),
    "trigger": Outbound(trigger, by_status, ("TriggerMessage",)),
    "get_variables": Outbound(v201.get_variables, v201.got_variables, ("GetVariables",)),
    "set_variables": Outbound(set_variables, v201.did_set_variables, ("SetVariables",)),
    "set_charging_limit": Outbound(v201.set_charging_limit, by_status, ("SetChargingProfile",)),
    "data_transfer": Outbound(v201.data_transfer, v201.data_transferred, ("DataTransfer",)),
}

ACTIONS_OUT = v201.ACTIONS_OUT | {
    # All of 2.0.1, and added in 2.1:
    "AFRRSignal",
    "AdjustPeriodicEventStream",
    "ChangeTransactionTariff",
    "ClearDERControl",
    "ClearTariffs",
    "GetDERControl",
    "GetPeriodicEventStream",
    "GetTariffs",
    "NotifyAllowedEnergyTransfer",
    "NotifyWebPaymentStarted",
    "RequestBatterySwap",
    "SetDERControl",
    "SetDefaultTariff",
    "UpdateDynamicSchedule",
    "UsePriorityCharging",
}
"""Every action that OCPP 2.1 lets the CSMS call."""
