"""OCPP 2.0.1 and 2.1: a charger's own messages."""

from typing import Any

from gateway.core.clock import rfc3339
from gateway.simulator.connector import Connector, Reading, StopReason, Transaction
from gateway.simulator.messages import Message
from gateway.simulator.station import AVAILABILITY, Station

CHARGING_STATES = {"charging": "Charging", "suspended_ev": "SuspendedEV", "suspended_evse": "SuspendedEVSE"}
REASONS: dict[StopReason, tuple[str, str]] = {
    "local": ("StopAuthorized", "Local"),
    "remote": ("RemoteStop", "Remote"),
    "deauthorized": ("Deauthorized", "DeAuthorized"),
    "ev_disconnected": ("EVDeparted", "EVDisconnected"),
    "hard_reset": ("ResetCommand", "ImmediateReset"),
    "soft_reset": ("ResetCommand", "ImmediateReset"),
    "unlock": ("UnlockCommand", "Other"),
}
"""Why a transaction ended, as triggerReason and stoppedReason."""


class Wording2x:
    """TransactionEvent throughout."""

    def boot(self, station: Station) -> Message:
        model = {
            "model": "Virtual",
            "vendorName": "Simulator",
            "serialNumber": station.identity[:25],
            "firmwareVersion": "1.0.0",
        }
        return Message("BootNotification", {"reason": station.boot_reason, "chargingStation": model})

    def status(self, connector: Connector, now: float) -> Message:
        return Message(
            "StatusNotification",
            {
                "timestamp": rfc3339(now),
                "connectorStatus": AVAILABILITY.get(connector.status(now), "Occupied"),
                "evseId": connector.evse_id,
                "connectorId": 1,
            },
        )

    def authorize(self, token: str) -> Message:
        return Message("Authorize", {"idToken": _token(token)})

    def started(self, transaction: Transaction, reading: Reading, *, offline: bool) -> Message:
        trigger = "RemoteStart" if transaction.remote else "Authorized"
        message = _event(transaction, reading, "Started", trigger, "Transaction.Begin", offline=offline)
        message.payload["idToken"] = _token(transaction.token, transaction.token_type)
        message.payload["evse"] = {"id": transaction.connector.evse_id, "connectorId": 1}
        if transaction.reservation_id is not None:
            message.payload["reservationId"] = transaction.reservation_id
        if transaction.remote_start_id is not None:
            message.payload["transactionInfo"]["remoteStartId"] = transaction.remote_start_id
        return message

    def sampled(self, transaction: Transaction, reading: Reading, *, offline: bool) -> Message:
        state = transaction.connector.status(reading.time)
        trigger = "MeterValuePeriodic" if state == transaction.state else "ChargingStateChanged"
        return _event(transaction, reading, "Updated", trigger, "Sample.Periodic", offline=offline)

    def state_changed(self, transaction: Transaction, reading: Reading, *, offline: bool) -> Message | None:
        if transaction.connector.status(reading.time) == transaction.state:
            return None
        return self.sampled(transaction, reading, offline=offline)

    def resumed(self, transaction: Transaction, reading: Reading) -> Message | None:
        return _event(transaction, reading, "Updated", "TxResumed", "Other", offline=False)

    def ended(self, transaction: Transaction, reading: Reading, reason: StopReason, *, offline: bool) -> Message:
        trigger, stopped = REASONS[reason]
        message = _event(transaction, reading, "Ended", trigger, "Transaction.End", offline=offline)
        message.payload["transactionInfo"] |= {"chargingState": "EVConnected", "stoppedReason": stopped}
        return message

    def complete(self, payload: dict[str, Any], transaction: Transaction) -> None:
        """Nothing to fill in: the charger made the id itself."""

    def learn(self, transaction: Transaction, action: str, answer: dict[str, Any]) -> None:
        """Nothing to learn: the charger made the id itself."""

    def token_status(self, answer: dict[str, Any]) -> str | None:
        info = answer.get("idTokenInfo")
        return str(info.get("status")) if isinstance(info, dict) else None


def _token(token: str, kind: str = "ISO14443") -> dict[str, str]:
    return {"idToken": token, "type": kind}


def _event(
    transaction: Transaction, reading: Reading, kind: str, trigger: str, context: str, *, offline: bool
) -> Message:
    transaction.state = transaction.connector.status(reading.time)
    payload: dict[str, Any] = {
        "eventType": kind,
        "timestamp": rfc3339(reading.time),
        "triggerReason": trigger,
        "seqNo": transaction.next_seq_no(),
        "transactionInfo": {
            "transactionId": str(transaction.wire_id),
            "chargingState": CHARGING_STATES.get(transaction.state, "EVConnected"),
        },
        "meterValue": [meter_value(reading, context)],
    }
    if offline:
        payload["offline"] = True
    return Message("TransactionEvent", payload)


def meter_value(reading: Reading, context: str) -> dict[str, Any]:
    """One MeterValueType."""

    def sample(value: float, measurand: str, unit: str, **more: str) -> dict[str, Any]:
        return {"value": value, "context": context, "measurand": measurand, "unitOfMeasure": {"unit": unit}, **more}

    return {
        "timestamp": rfc3339(reading.time),
        "sampledValue": [
            sample(reading.energy_wh, "Energy.Active.Import.Register", "Wh", location="Outlet"),
            sample(reading.power_w, "Power.Active.Import", "W"),
            *(sample(a, "Current.Import", "A", phase=f"L{n}") for n, a in enumerate(reading.currents_a, 1)),
            *(sample(v, "Voltage", "V", phase=f"L{n}-N") for n, v in enumerate(reading.voltages_v, 1)),
            sample(reading.soc_percent, "SoC", "Percent", location="EV"),
        ],
    }


def stream_opening(stream_id: int, interval: float) -> Message:
    """OCPP 2.1: announce a periodic event stream."""
    params = {"interval": max(1, round(interval)), "values": 1}
    return Message(
        "OpenPeriodicEventStream",
        {"constantStreamData": {"id": stream_id, "variableMonitoringId": stream_id, "params": params}},
    )


def stream_element(stream_id: int, value: str, now: float) -> Message:
    """OCPP 2.1: one value of a periodic event stream; travels as a SEND frame."""
    payload = {"id": stream_id, "pending": 0, "basetime": rfc3339(now), "data": [{"t": 0, "v": value}]}
    return Message("NotifyPeriodicEventStream", payload, answered=False)
