"""Neutral commands as OCPP 2.0.1 calls: the table is OUTBOUND, at the end.

What differs in OCPP 2.1 takes the version as an argument; the rest is the same there.
"""

from collections.abc import Mapping
from typing import Any

from gateway.core.commands import Outcome
from gateway.core.errors import CommandInvalid
from gateway.ocpp.arguments import at_most, charging_limit, charging_profile_id, one_connector, transaction_to_stop
from gateway.ocpp.endings import by_status, ending, neutral, status_result, worst
from gateway.ocpp.fields import as_list
from gateway.ocpp.profile import Answered, Call, Conversation, Ending, Notes, Outbound, Station
from gateway.ocpp.triggers import checked_trigger
from gateway.ocpp.v201.variables import read_variable

Arguments = dict[str, Any]

ID_TOKEN_TYPES = ("Central", "eMAID", "ISO14443", "ISO15693", "KeyCode", "Local", "MacAddress", "NoAuthorization")
"""IdTokenEnumType of OCPP 2.0.1; in 2.1 the type is free text."""


def start(arguments: Arguments, station: Station) -> list[Call]:
    """Use case F02."""
    if arguments["token_type"] not in ID_TOKEN_TYPES:
        raise CommandInvalid(f"start: token_type must be one of {', '.join(ID_TOKEN_TYPES)}")
    at_most(arguments["token"], 36, "start: the token")
    return request_start(arguments, station)


def request_start(arguments: Arguments, station: Station) -> list[Call]:
    """RequestStartTransaction, the token unchecked."""
    remote_start_id, evse_id = arguments["remote_start_id"], arguments["evse_id"]
    payload: dict[str, Any] = {
        "idToken": {"idToken": arguments["token"], "type": arguments["token_type"]},
        "remoteStartId": station.next_id() if remote_start_id is None else remote_start_id,
    }
    if evse_id is not None:
        if evse_id == 0:
            raise CommandInvalid("start: evse_id counts from 1")
        payload["evseId"] = evse_id
    return [Call("RequestStartTransaction", payload)]


def started(calls: list[Call], answers: list[Answered]) -> Ending:
    """The answer bears a transaction id where one was already running (F02.FR.05)."""
    payload = answers[0].payload
    return ending(
        payload,
        {
            **status_result(payload),
            "remote_start_id": calls[0].payload["remoteStartId"],
            "ocpp_transaction_id": payload.get("transactionId"),
        },
    )


def stop(arguments: Arguments, station: Station) -> list[Call]:
    """Use case F03."""
    transaction = transaction_to_stop(arguments, station)
    return [Call("RequestStopTransaction", {"transactionId": transaction.ocpp_transaction_id})]


def unlock(arguments: Arguments, station: Station) -> list[Call]:
    """Use case F05."""
    evse_id, connector_id = one_connector(arguments, "unlock")
    return [Call("UnlockConnector", {"evseId": evse_id, "connectorId": connector_id})]


def reset(arguments: Arguments, station: Station) -> list[Call]:
    """Use cases B11 and B12."""
    payload: dict[str, Any] = {"type": {"immediate": "Immediate", "on_idle": "OnIdle"}[arguments["type"]]}
    if arguments["evse_id"]:
        payload["evseId"] = arguments["evse_id"]
    return [Call("Reset", payload)]


def set_availability(arguments: Arguments, station: Station) -> list[Call]:
    """Use cases G03 (EVSE or connector) and G04 (charging station)."""
    payload: dict[str, Any] = {"operationalStatus": "Operative" if arguments["available"] else "Inoperative"}
    return [Call("ChangeAvailability", payload | _evse(arguments))]


def trigger(arguments: Arguments, station: Station) -> list[Call]:
    """Use case F06."""
    return trigger_message(checked_trigger(arguments["message"], "2.0.1"), arguments)


def trigger_message(message: str, arguments: Arguments) -> list[Call]:
    """TriggerMessage; a StatusNotification is of a connector (F06.FR.13), so connector 1 if none is named."""
    payload: dict[str, Any] = {"requestedMessage": message} | _evse(arguments)
    if message == "StatusNotification" and "evse" in payload:
        payload["evse"].setdefault("connectorId", 1)
    return [Call("TriggerMessage", payload)]


def get_variables(arguments: Arguments, station: Station) -> list[Call]:
    """Use case B06."""
    if not arguments["variables"]:
        raise CommandInvalid("get_variables: name the variables; only OCPP 1.6 can give all of them at once")
    wanted = [_variable(variable, "get_variables") for variable in arguments["variables"]]
    return [Call("GetVariables", {"getVariableData": wanted})]


def got_variables(calls: list[Call], answers: list[Answered]) -> Ending:
    """The variables; rejected where not one could be read."""
    variables: list[dict[str, Any]] = []
    unknown: list[dict[str, Any]] = []
    reasons: list[str] = []
    for found in as_list(answers[0].payload.get("getVariableResult")):
        if not isinstance(found, dict):
            continue
        status = found.get("attributeStatus")
        if status in ("UnknownComponent", "UnknownVariable"):
            unknown.append(read_variable(found, Notes()) | {"status": neutral(status)})
        else:
            variables.append(_result(found) | {"value": found.get("attributeValue")})
        if status != "Accepted":
            reasons.append(str(status))
    refused = len(reasons) == len(variables) + len(unknown)
    return Ending(
        Outcome.REJECTED if refused else Outcome.ACCEPTED,
        ", ".join(dict.fromkeys(reasons)) or ("the answer names no variable" if refused else None),
        {"variables": variables, "unknown": unknown},
    )


def set_variables(arguments: Arguments, station: Station) -> list[Call]:
    """Use case B05: one call for all; a value has at most 1000 characters."""
    return set_variable_data(arguments, max_length=1000)


def set_variable_data(arguments: Arguments, *, max_length: int) -> list[Call]:
    """SetVariables."""
    wanted = [
        _variable(variable, "set_variables")
        | {
            "attributeValue": at_most(
                variable["value"], max_length, f"set_variables: the value of {variable['variable']}"
            )
        }
        for variable in arguments["variables"]
    ]
    return [Call("SetVariables", {"setVariableData": wanted})]


def did_set_variables(calls: list[Call], answers: list[Answered]) -> Ending:
    """Rejected where any variable was; RebootRequired counts as accepted and is told."""
    results = [item for item in as_list(answers[0].payload.get("setVariableResult")) if isinstance(item, dict)]
    variables = [_result(item) for item in results]
    if not results:
        return Ending(Outcome.REJECTED, "the answer names no variable", {"variables": []})
    names = [f"{variable['component']}.{variable['variable']}" for variable in variables]
    return worst([ending(item, {}, "attributeStatus") for item in results], names, {"variables": variables})


def set_charging_limit(arguments: Arguments, station: Station) -> list[Call]:
    """Use case K01: ChargingStationMaxProfile for the charger, TxDefaultProfile for an EVSE."""
    evse_id = arguments["evse_id"]
    profile, schedule = charging_limit(arguments)
    return [
        Call(
            "SetChargingProfile",
            {
                "evseId": evse_id,
                "chargingProfile": {
                    "id": charging_profile_id(evse_id),
                    "chargingProfilePurpose": "TxDefaultProfile" if evse_id else "ChargingStationMaxProfile",
                    **profile,
                    "chargingSchedule": [{"id": 1, **schedule}],
                },
            },
        )
    ]


def data_transfer(arguments: Arguments, station: Station) -> list[Call]:
    """Use case P02."""
    payload: dict[str, Any] = {"vendorId": arguments["vendor_id"]}
    if arguments["message_id"] is not None:
        payload["messageId"] = at_most(arguments["message_id"], 50, "data_transfer: message_id")
    if arguments["data"] is not None:
        payload["data"] = arguments["data"]
    return [Call("DataTransfer", payload)]


def data_transferred(calls: list[Call], answers: list[Answered]) -> Ending:
    payload = answers[0].payload
    return ending(payload, {**status_result(payload), "data": payload.get("data")})


def _evse(arguments: dict[str, Any]) -> dict[str, Any]:
    """EVSEType; nothing for the whole charging station."""
    if not arguments["evse_id"]:
        return {}
    evse = {"id": arguments["evse_id"]}
    if arguments["connector_id"]:
        evse["connectorId"] = arguments["connector_id"]
    return {"evse": evse}


def _variable(variable: dict[str, Any], command: str) -> dict[str, Any]:
    """The `component`, `variable` and `attributeType` of GetVariableDataType and SetVariableDataType."""
    if not variable["component"]:
        raise CommandInvalid(
            f"{command}: OCPP 2.x keeps variables in components, so name the component of "
            f"{variable['variable']!r} (HeartbeatInterval, for one, is in OCPPCommCtrlr)"
        )
    return {
        "component": _named(variable["component"], variable["component_instance"], command) | _evse(variable),
        "variable": _named(variable["variable"], variable["variable_instance"], command),
    } | ({"attributeType": variable["attribute"]} if variable["attribute"] else {})


def _named(name: str, instance: str | None, command: str) -> dict[str, Any]:
    named = {"name": at_most(name, 50, f"{command}: {name!r}")}
    return named | {"instance": at_most(instance, 50, f"{command}: {instance!r}")} if instance else named


def _result(found: dict[str, Any]) -> dict[str, Any]:
    return read_variable(found, Notes()) | {
        "attribute": found.get("attributeType") or "Actual",
        "status": neutral(found.get("attributeStatus")),
    }


OUTBOUND: Mapping[str, Outbound | Conversation] = {
    # command → (its calls, how their answers are read, the actions called)
    "start": Outbound(start, started, ("RequestStartTransaction",)),
    "stop": Outbound(stop, by_status, ("RequestStopTransaction",)),
    "unlock": Outbound(unlock, by_status, ("UnlockConnector",)),
    "reset": Outbound(reset, by_status, ("Reset",)),
    "set_availability": Outbound(set_availability, by_status, ("ChangeAvailability",)),
    "trigger": Outbound(trigger, by_status, ("TriggerMessage",)),
    "get_variables": Outbound(get_variables, got_variables, ("GetVariables",)),
    "set_variables": Outbound(set_variables, did_set_variables, ("SetVariables",)),
    "set_charging_limit": Outbound(set_charging_limit, by_status, ("SetChargingProfile",)),
    "data_transfer": Outbound(data_transfer, data_transferred, ("DataTransfer",)),
}

ACTIONS_OUT = frozenset(
    {
        "CancelReservation",
        "CertificateSigned",
        "ChangeAvailability",
        "ClearCache",
        "ClearChargingProfile",
        "ClearDisplayMessage",
        "ClearVariableMonitoring",
        "CostUpdated",
        "CustomerInformation",
        "DataTransfer",
        "DeleteCertificate",
        "GetBaseReport",
        "GetChargingProfiles",
        "GetCompositeSchedule",
        "GetDisplayMessages",
        "GetInstalledCertificateIds",
        "GetLocalListVersion",
        "GetLog",
        "GetMonitoringReport",
        "GetReport",
        "GetTransactionStatus",
        "GetVariables",
        "InstallCertificate",
        "PublishFirmware",
        "RequestStartTransaction",
        "RequestStopTransaction",
        "ReserveNow",
        "Reset",
        "SendLocalList",
        "SetChargingProfile",
        "SetDisplayMessage",
        "SetMonitoringBase",
        "SetMonitoringLevel",
        "SetNetworkProfile",
        "SetVariableMonitoring",
        "SetVariables",
        "TriggerMessage",
        "UnlockConnector",
        "UnpublishFirmware",
        "UpdateFirmware",
    }
)
"""Every action that OCPP 2.0.1 lets the CSMS call."""
