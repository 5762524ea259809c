"""The payloads of OCPP 1.6 as our chargers write them."""

from typing import Any

Payload = dict[str, Any]
REGISTER = "Energy.Active.Import.Register"


def boot(identity: str) -> tuple[str, Payload]:
    return "BootNotification", {
        "chargePointVendor": "Chaos",
        "chargePointModel": "Old",
        "chargePointSerialNumber": identity[:25],
    }


def status(connector: int, word: str) -> tuple[str, Payload]:
    return "StatusNotification", {"connectorId": connector, "status": word, "errorCode": "NoError"}


def start(connector: int, tag: str, time: str, wh: int) -> Payload:
    return {"connectorId": connector, "idTag": tag, "timestamp": time, "meterStart": wh}


def sample(wh: int, *, kwh: bool, context: str = "Sample.Periodic") -> Payload:
    """A reading of the register, in Wh or written in kWh."""
    value, unit = (f"{wh // 1000}.{wh % 1000:03d}", "kWh") if kwh else (str(wh), "Wh")
    return {"value": value, "measurand": REGISTER, "unit": unit, "context": context}


def meter(connector: int, time: str, samples: list[Payload]) -> Payload:
    return {"connectorId": connector, "meterValue": [{"timestamp": time, "sampledValue": samples}]}


def stop(time: str, wh: int, reason: str) -> Payload:
    return {"timestamp": time, "meterStop": wh, "reason": reason}


def answer(action: str, payload: Payload) -> Payload:
    """An accepting answer to a call."""
    match action:
        case "GetConfiguration":
            keys = [{"key": key, "readonly": False, "value": "7"} for key in payload.get("key", [])]
            return {"configurationKey": keys, "unknownKey": []}
        case "UnlockConnector":
            return {"status": "Unlocked"}
    return {"status": "Accepted"}
