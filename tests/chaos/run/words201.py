"""The payloads of OCPP 2.0.1 as our chargers write them."""

from decimal import Decimal
from typing import Any

Payload = dict[str, Any]
REGISTER = "Energy.Active.Import.Register"


def boot(identity: str) -> tuple[str, Payload]:
    station = {"vendorName": "Chaos", "model": "New", "serialNumber": identity[:25]}
    return "BootNotification", {"reason": "PowerUp", "chargingStation": station}


def status(evse: int, word: str, time: str) -> tuple[str, Payload]:
    return "StatusNotification", {"timestamp": time, "connectorStatus": word, "evseId": evse, "connectorId": 1}


def sample(wh: Decimal, *, kwh: bool, context: str = "Sample.Periodic") -> Payload:
    """A reading of the register, in Wh or written in kWh."""
    value, unit = (wh / 1000, "kWh") if kwh else (wh, "Wh")
    # float() of a short decimal is written with the same digits.
    return {
        "value": float(value),
        "measurand": REGISTER,
        "context": context,
        "unitOfMeasure": {"unit": unit, "multiplier": 0},
    }


def event(
    kind: str, *, time: str, seq_no: int, transaction: str, evse: int, samples: list[Payload], offline: bool
) -> Payload:
    """A TransactionEvent; Started and Ended have their usual reasons."""
    trigger = {"Started": "Authorized", "Updated": "MeterValuePeriodic", "Ended": "StopAuthorized"}[kind]
    info: Payload = {"transactionId": transaction}
    if kind == "Ended":
        info["stoppedReason"] = "Local"
    else:
        info["chargingState"] = "Charging"
    said: Payload = {
        "eventType": kind,
        "timestamp": time,
        "triggerReason": trigger,
        "seqNo": seq_no,
        "transactionInfo": info,
        "evse": {"id": evse, "connectorId": 1},
        "meterValue": [{"timestamp": time, "sampledValue": samples}],
    }
    if offline:
        said["offline"] = True
    return said


def meter(evse: int, time: str, samples: list[Payload]) -> Payload:
    return {"evseId": evse, "meterValue": [{"timestamp": time, "sampledValue": samples}]}


def answer(action: str, payload: Payload) -> Payload:
    """An accepting answer to a call."""
    match action:
        case "GetVariables":
            asked = payload.get("getVariableData", [])
            values = [
                {
                    "attributeStatus": "Accepted",
                    "attributeValue": "7",
                    "component": one["component"],
                    "variable": one["variable"],
                }
                for one in asked
            ]
            return {"getVariableResult": values}
        case "UnlockConnector":
            return {"status": "Unlocked"}
    return {"status": "Accepted"}
