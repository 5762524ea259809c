"""What light chargers say: one transaction after the other, in OCPP 1.6 or 2.x."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Payload = dict[str, Any]
NUMBERED = "transactionId"
REGISTER = "Energy.Active.Import.Register"


@dataclass
class Saying:
    """Something to say. `once`: however often it is sent, it makes one event; `numbered`: its payload gets the number
    that the answer to the transaction's start gave; `ends`: the charger is at rest after it."""

    action: str
    payload: Payload
    once: bool = True
    numbered: bool = False
    ends: bool = False


@dataclass
class Speech:
    """What one charger goes on to say; `number` is that of its present transaction (OCPP 1.6)."""

    version: str
    draw: random.Random
    number: int = 0
    register: int = field(default=100_000)
    count: int = 0

    def boot(self) -> Saying:
        if self.version == "1.6":
            return Saying("BootNotification", {"chargePointVendor": "Chaos", "chargePointModel": "Light"}, once=False)
        station = {"vendorName": "Chaos", "model": "Light"}
        return Saying("BootNotification", {"reason": "PowerUp", "chargingStation": station}, once=False)

    def transactions(self) -> Iterator[Saying]:
        """One after the other, without an end."""
        whole = self._whole16 if self.version == "1.6" else self._whole2x
        while True:
            yield Saying("Heartbeat", {}, once=False)
            yield from whole()

    def _whole16(self) -> Iterator[Saying]:
        yield self._status("Preparing")
        start = {"connectorId": 1, "idTag": "CHAOS", "meterStart": self.register, "timestamp": now()}
        yield Saying("StartTransaction", start)
        for _ in range(self.draw.randint(1, 4)):
            sample = {"value": str(self._read()), "measurand": REGISTER, "unit": "Wh"}
            values = [{"timestamp": now(), "sampledValue": [sample]}]
            yield Saying("MeterValues", {"connectorId": 1, "meterValue": values}, numbered=True)
        stop = {"meterStop": self._read(), "timestamp": now(), "reason": "Local"}
        yield Saying("StopTransaction", stop, numbered=True)
        yield self._status("Available", ends=True)

    def _whole2x(self) -> Iterator[Saying]:
        self.count += 1
        name = f"T-{self.count}-{self.draw.randrange(10**9):09d}"
        updates = self.draw.randint(1, 4)
        yield self._status("Occupied")
        for seq_no in range(updates + 2):
            kind = "Started" if seq_no == 0 else "Ended" if seq_no > updates else "Updated"
            yield Saying("TransactionEvent", self._event(kind, seq_no, name))
        yield self._status("Available", ends=True)

    def _event(self, kind: str, seq_no: int, name: str) -> Payload:
        moment = now()
        return {
            "eventType": kind,
            "timestamp": moment,
            "triggerReason": "CablePluggedIn" if kind == "Started" else "MeterValuePeriodic",
            "seqNo": seq_no,
            "transactionInfo": {"transactionId": name},
            "evse": {"id": 1, "connectorId": 1},
            "meterValue": [{"timestamp": moment, "sampledValue": [{"value": self._read(), "measurand": REGISTER}]}],
        }

    def _status(self, word: str, *, ends: bool = False) -> Saying:
        if self.version == "1.6":
            payload: Payload = {"connectorId": 1, "status": word, "errorCode": "NoError", "timestamp": now()}
        else:
            payload = {"timestamp": now(), "connectorStatus": word, "evseId": 1, "connectorId": 1}
        return Saying("StatusNotification", payload, once=False, ends=ends)

    def _read(self) -> int:
        self.register += self.draw.randint(1, 50)
        return self.register


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
