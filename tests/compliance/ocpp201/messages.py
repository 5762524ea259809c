"""What a station of OCPP 2.x says, with what every message needs filled in."""

from typing import Any
from uuid import uuid4

from tests.compliance.station import Payload, at

VERSION = "2.0.1"


def token(written: str, kind: str = "Central") -> dict[str, str]:
    return {"idToken": written, "type": kind}


def status(connector_status: str = "Available", *, evse_id: int = 1, connector_id: int = 1) -> Payload:
    """A StatusNotification."""
    return {
        "timestamp": at(),
        "connectorStatus": connector_status,
        "evseId": evse_id,
        "connectorId": connector_id,
    }


def notified(component: str, variable: str, value: str, *, evse_id: int | None = 1, **fields: Any) -> Payload:
    """A NotifyEvent with one event of a connector, or of the station where `evse_id` is None."""
    where = {} if evse_id is None else {"evse": {"id": evse_id, "connectorId": 1}}
    event = {
        "eventId": 1,
        "timestamp": at(),
        "trigger": "Delta",
        "actualValue": value,
        "eventNotificationType": "HardWiredNotification",
        "component": {"name": component, **where},
        "variable": {"name": variable},
        **fields,
    }
    return {"generatedAt": at(), "seqNo": 0, "tbc": False, "eventData": [event]}


def available(state: str = "Available") -> Payload:
    """The NotifyEvent that tells a connector's AvailabilityState."""
    return notified("Connector", "AvailabilityState", state)


def sample(
    value: float, *, context: str = "Sample.Periodic", measurand: str = "Energy.Active.Import.Register", **more: Any
) -> Payload:
    """A MeterValueType with one sample."""
    return {"timestamp": at(), "sampledValue": [{"value": value, "context": context, "measurand": measurand, **more}]}


class Transaction:
    """A transaction as its station counts it: each event gets the next seqNo."""

    def __init__(self, *, evse_id: int = 1, first_seq_no: int = 0) -> None:
        self.id = uuid4().hex
        self.evse_id = evse_id
        self.seq_no = first_seq_no

    def started(self, trigger: str, **more: Any) -> Payload:
        return self.event("Started", trigger, **more)

    def updated(self, trigger: str, **more: Any) -> Payload:
        return self.event("Updated", trigger, **more)

    def ended(self, trigger: str, reason: str = "Local", **more: Any) -> Payload:
        return self.event("Ended", trigger, info={"stoppedReason": reason}, **more)

    def event(
        self,
        kind: str,
        trigger: str,
        *,
        state: str | None = None,
        id_token: str | None = None,
        energy_wh: float | None = None,
        info: dict[str, Any] | None = None,
        knows_evse: bool = True,
        **fields: Any,
    ) -> Payload:
        """A TransactionEvent; `fields` are put in as they stand."""
        context = {"Started": "Transaction.Begin", "Ended": "Transaction.End"}.get(kind, "Sample.Periodic")
        payload = {
            "eventType": kind,
            "timestamp": at(),
            "triggerReason": trigger,
            "seqNo": self.seq_no,
            "transactionInfo": {
                "transactionId": self.id,
                **({} if state is None else {"chargingState": state}),
                **(info or {}),
            },
            **({"evse": {"id": self.evse_id, "connectorId": 1}} if knows_evse else {}),
            **({} if id_token is None else {"idToken": token(id_token)}),
            **({} if energy_wh is None else {"meterValue": [sample(energy_wh, context=context)]}),
            **fields,
        }
        self.seq_no += 1
        return payload
