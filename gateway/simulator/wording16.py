"""OCPP 1.6: a charger's own messages."""

from typing import Any

from gateway.core.clock import rfc3339
from gateway.simulator.connector import Connector, Reading, StopReason, Transaction
from gateway.simulator.messages import Message
from gateway.simulator.station import Station

UNKNOWN_TRANSACTION = -1
STATUSES = {
    "available": "Available",
    "preparing": "Preparing",
    "charging": "Charging",
    "suspended_ev": "SuspendedEV",
    "suspended_evse": "SuspendedEVSE",
    "finishing": "Finishing",
    "reserved": "Reserved",
    "unavailable": "Unavailable",
}
REASONS: dict[StopReason, str] = {
    "local": "Local",
    "remote": "Remote",
    "deauthorized": "DeAuthorized",
    "ev_disconnected": "EVDisconnected",
    "hard_reset": "HardReset",
    "soft_reset": "SoftReset",
    "unlock": "UnlockCommand",
}


class Wording16:
    """StartTransaction, MeterValues, StopTransaction."""

    def boot(self, station: Station) -> Message:
        return Message(
            "BootNotification",
            {
                "chargePointVendor": "Simulator",
                "chargePointModel": "Virtual",
                "chargePointSerialNumber": station.identity[:25],
                "firmwareVersion": "1.0.0",
            },
        )

    def status(self, connector: Connector, now: float) -> Message:
        return Message(
            "StatusNotification",
            {
                "connectorId": connector.evse_id,
                "errorCode": "NoError",
                "status": STATUSES[connector.status(now)],
                "timestamp": rfc3339(now),
            },
        )

    def authorize(self, token: str) -> Message:
        return Message("Authorize", {"idTag": token[:20]})

    def started(self, transaction: Transaction, reading: Reading, *, offline: bool) -> Message:
        payload: dict[str, Any] = {
            "connectorId": transaction.connector.evse_id,
            "idTag": transaction.token[:20],
            "meterStart": transaction.meter_start,
            "timestamp": rfc3339(reading.time),
        }
        if transaction.reservation_id is not None:
            payload["reservationId"] = transaction.reservation_id
        return Message("StartTransaction", payload)

    def sampled(self, transaction: Transaction, reading: Reading, *, offline: bool) -> Message:
        payload = meter_values(transaction.connector.evse_id, reading, "Sample.Periodic")
        payload["transactionId"] = transaction.wire_id
        return Message("MeterValues", payload)

    def state_changed(self, transaction: Transaction, reading: Reading, *, offline: bool) -> Message | None:
        """The connector's status tells it."""
        return None

    def resumed(self, transaction: Transaction, reading: Reading) -> Message | None:
        """No transaction outlives a restart."""
        return None

    def ended(self, transaction: Transaction, reading: Reading, reason: StopReason, *, offline: bool) -> Message:
        return Message(
            "StopTransaction",
            {
                "transactionId": transaction.wire_id,
                "idTag": transaction.token[:20],
                "meterStop": reading.energy_wh,
                "timestamp": rfc3339(reading.time),
                "reason": REASONS[reason],
            },
        )

    def complete(self, payload: dict[str, Any], transaction: Transaction) -> None:
        if "transactionId" in payload and payload["transactionId"] is None:
            payload["transactionId"] = UNKNOWN_TRANSACTION if transaction.wire_id is None else transaction.wire_id

    def learn(self, transaction: Transaction, action: str, answer: dict[str, Any]) -> None:
        if action == "StartTransaction":
            transaction.wire_id = answer.get("transactionId")

    def token_status(self, answer: dict[str, Any]) -> str | None:
        info = answer.get("idTagInfo")
        return str(info.get("status")) if isinstance(info, dict) else None


def meter_values(connector_id: int, reading: Reading, context: str) -> dict[str, Any]:
    """The payload of MeterValues, outside a transaction as it stands."""

    def sample(value: float, measurand: str, unit: str, **more: str) -> dict[str, str]:
        return {"value": f"{value:g}", "context": context, "measurand": measurand, "unit": unit, **more}

    samples = [
        {**sample(0, "Energy.Active.Import.Register", "Wh", location="Outlet"), "value": str(reading.energy_wh)},
        sample(reading.power_w, "Power.Active.Import", "W"),
        *(sample(a, "Current.Import", "A", phase=f"L{n}") for n, a in enumerate(reading.currents_a, 1)),
        *(sample(v, "Voltage", "V", phase=f"L{n}-N") for n, v in enumerate(reading.voltages_v, 1)),
        sample(reading.soc_percent, "SoC", "Percent", location="EV"),
    ]
    return {
        "connectorId": connector_id,
        "meterValue": [{"timestamp": rfc3339(reading.time), "sampledValue": samples}],
    }
