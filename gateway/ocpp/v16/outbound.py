"""Neutral commands as OCPP 1.6 calls: the table is OUTBOUND, at the end."""

import json
from collections.abc import Mapping
from typing import Any

from gateway.core.commands import Outcome
from gateway.core.errors import CommandInvalid, CommandUnsupported
from gateway.ocpp.arguments import at_most, charging_limit, charging_profile_id, one_connector, transaction_to_stop
from gateway.ocpp.endings import by_status, ending, neutral, status_result, worst
from gateway.ocpp.fields import as_list
from gateway.ocpp.profile import Answered, Call, Conversation, Ending, Outbound, Station
from gateway.ocpp.triggers import checked_trigger

Arguments = dict[str, Any]

EXTENDED_TRIGGERS = frozenset({"LogStatusNotification", "SignChargePointCertificate"})
"""Messages that only ExtendedTriggerMessage of the security extension can ask for."""


def start(arguments: Arguments, station: Station) -> list[Call]:
    """Section 5.11."""
    if arguments["remote_start_id"] is not None:
        raise CommandUnsupported("OCPP 1.6 has no remoteStartId; versions that have: 2.0.1, 2.1")
    payload: dict[str, Any] = {"idTag": at_most(arguments["token"], 20, "start: the token")}
    if arguments["evse_id"] is not None:
        if arguments["evse_id"] == 0:
            raise CommandInvalid("start: evse_id counts from 1")
        payload["connectorId"] = arguments["evse_id"]
    return [Call("RemoteStartTransaction", payload)]


def stop(arguments: Arguments, station: Station) -> list[Call]:
    """Section 5.12."""
    transaction = transaction_to_stop(arguments, station)
    try:
        transaction_id = int(transaction.ocpp_transaction_id)
    except ValueError:
        raise CommandInvalid(f"stop: {transaction.ocpp_transaction_id!r} is no OCPP 1.6 transaction id") from None
    return [Call("RemoteStopTransaction", {"transactionId": transaction_id})]


def unlock(arguments: Arguments, station: Station) -> list[Call]:
    """Section 5.18."""
    evse_id, connector_id = one_connector(arguments, "unlock")
    _only_connector(connector_id)
    return [Call("UnlockConnector", {"connectorId": evse_id})]


def reset(arguments: Arguments, station: Station) -> list[Call]:
    """Section 5.14."""
    if arguments["evse_id"]:
        raise CommandUnsupported("OCPP 1.6 resets the whole charger; versions that reset an EVSE: 2.0.1, 2.1")
    return [Call("Reset", {"type": {"immediate": "Hard", "on_idle": "Soft"}[arguments["type"]]})]


def set_availability(arguments: Arguments, station: Station) -> list[Call]:
    """Section 5.2."""
    _only_connector(arguments["connector_id"])
    kind = "Operative" if arguments["available"] else "Inoperative"
    return [Call("ChangeAvailability", {"connectorId": arguments["evse_id"], "type": kind})]


def trigger(arguments: Arguments, station: Station) -> list[Call]:
    """Section 5.17, and ExtendedTriggerMessage of the security extension. The connector is named only where > 0."""
    message = checked_trigger(arguments["message"], "1.6")
    _only_connector(arguments["connector_id"])
    payload: dict[str, Any] = {"requestedMessage": message}
    if arguments["evse_id"]:
        payload["connectorId"] = arguments["evse_id"]
    return [Call("ExtendedTriggerMessage" if message in EXTENDED_TRIGGERS else "TriggerMessage", payload)]


def get_variables(arguments: Arguments, station: Station) -> list[Call]:
    """Section 5.8. No key named means all of them."""
    keys = [_key(variable, "get_variables") for variable in arguments["variables"]]
    return [Call("GetConfiguration", {"key": keys} if keys else {})]


def got_variables(calls: list[Call], answers: list[Answered]) -> Ending:
    """The configuration keys; rejected where keys were asked for and none is known."""
    payload = answers[0].payload
    variables = [
        {
            "component": None,
            "variable": entry.get("key"),
            "attribute": "Actual",
            "value": entry.get("value"),
            "readonly": entry.get("readonly"),
            "status": "accepted",
        }
        for entry in as_list(payload.get("configurationKey"))
        if isinstance(entry, dict)
    ]
    unknown = [{"component": None, "variable": key} for key in as_list(payload.get("unknownKey"))]
    nothing = calls[0].payload.get("key") and not variables
    return Ending(
        Outcome.REJECTED if nothing else Outcome.ACCEPTED,
        "UnknownKey" if nothing else None,
        {"variables": variables, "unknown": unknown},
    )


def set_variables(arguments: Arguments, station: Station) -> list[Call]:
    """Section 5.3: one call for each key."""
    return [
        Call(
            "ChangeConfiguration",
            {
                "key": _key(variable, "set_variables"),
                "value": at_most(variable["value"], 500, f"set_variables: the value of {variable['variable']}"),
            },
        )
        for variable in arguments["variables"]
    ]


def did_set_variables(calls: list[Call], answers: list[Answered]) -> Ending:
    """Rejected where any key was; RebootRequired counts as accepted and is told."""
    keys = [call.payload["key"] for call in calls]
    variables = [
        {"component": None, "variable": key, "attribute": "Actual", "status": neutral(answer.payload.get("status"))}
        for key, answer in zip(keys, answers, strict=False)
    ]
    return worst([ending(answer.payload, {}) for answer in answers], keys, {"variables": variables})


def set_charging_limit(arguments: Arguments, station: Station) -> list[Call]:
    """Section 5.16: ChargePointMaxProfile for the charger, TxDefaultProfile for an EVSE."""
    evse_id = arguments["evse_id"]
    profile, schedule = charging_limit(arguments)
    return [
        Call(
            "SetChargingProfile",
            {
                "connectorId": evse_id,
                "csChargingProfiles": {
                    "chargingProfileId": charging_profile_id(evse_id),
                    "chargingProfilePurpose": "TxDefaultProfile" if evse_id else "ChargePointMaxProfile",
                    **profile,
                    "chargingSchedule": schedule,
                },
            },
        )
    ]


def data_transfer(arguments: Arguments, station: Station) -> list[Call]:
    """Section 5.6. Data are text in 1.6; anything else is sent as its JSON."""
    data = arguments["data"]
    payload: dict[str, Any] = {"vendorId": arguments["vendor_id"]}
    if arguments["message_id"] is not None:
        payload["messageId"] = at_most(arguments["message_id"], 50, "data_transfer: message_id")
    if data is not None:
        payload["data"] = data if isinstance(data, str) else json.dumps(data, separators=(",", ":"), ensure_ascii=False)
    return [Call("DataTransfer", payload)]


def data_transferred(calls: list[Call], answers: list[Answered]) -> Ending:
    payload = answers[0].payload
    return ending(payload, {**status_result(payload), "data": payload.get("data")})


def _key(variable: dict[str, Any], command: str) -> str:
    if variable["attribute"] not in (None, "Actual"):
        raise CommandUnsupported(
            f"{command}: OCPP 1.6 keys have no {variable['attribute']} attribute; versions that have: 2.0.1, 2.1"
        )
    return at_most(variable["variable"], 50, f"{command}: the key")


def _only_connector(connector_id: int | None) -> None:
    if connector_id is not None and connector_id > 1:
        raise CommandUnsupported(
            "an OCPP 1.6 connector is an EVSE with the one connector 1: name it by evse_id; "
            "versions with several connectors per EVSE: 2.0.1, 2.1"
        )


OUTBOUND: Mapping[str, Outbound | Conversation] = {
    # command → (its calls, how their answers are read, the actions called)
    "start": Outbound(start, by_status, ("RemoteStartTransaction",)),
    "stop": Outbound(stop, by_status, ("RemoteStopTransaction",)),
    "unlock": Outbound(unlock, by_status, ("UnlockConnector",)),
    "reset": Outbound(reset, by_status, ("Reset",)),
    "set_availability": Outbound(set_availability, by_status, ("ChangeAvailability",)),
    "trigger": Outbound(trigger, by_status, ("TriggerMessage", "ExtendedTriggerMessage")),
    "get_variables": Outbound(get_variables, got_variables, ("GetConfiguration",)),
    "set_variables": Outbound(set_variables, did_set_variables, ("ChangeConfiguration",)),
    "set_charging_limit": Outbound(set_charging_limit, by_status, ("SetChargingProfile",)),
    "data_transfer": Outbound(data_transfer, data_transferred, ("DataTransfer",)),
}

ACTIONS_OUT = frozenset(
    {
        "CancelReservation",
        "ChangeAvailability",
        "ChangeConfiguration",
        "ClearCache",
        "ClearChargingProfile",
        "DataTransfer",
        "GetCompositeSchedule",
        "GetConfiguration",
        "GetDiagnostics",
        "GetLocalListVersion",
        "RemoteStartTransaction",
        "RemoteStopTransaction",
        "ReserveNow",
        "Reset",
        "SendLocalList",
        "SetChargingProfile",
        "TriggerMessage",
        "UnlockConnector",
        "UpdateFirmware",
        # Security extension
        "CertificateSigned",
        "DeleteCertificate",
        "ExtendedTriggerMessage",
        "GetInstalledCertificateIds",
        "GetLog",
        "InstallCertificate",
        "SignedUpdateFirmware",
    }
)
"""Every action that OCPP 1.6 lets the central system call."""
