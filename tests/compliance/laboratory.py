"""What a case needs: a station of its own, connected and booted, its operator, and a business system."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx

from tests.compliance.business import Business, Operator, business
from tests.compliance.station import Station

TOKENS = """id,status,type,expires_at,group
VALID,accepted,,,FAMILY
VALID-2,accepted,,,FAMILY
STRANGER,accepted,,,
INVALID,invalid,,,
UNKNOWN,unknown,,,
BLOCKED,blocked,,,
EXPIRED,accepted,,2020-01-01T00:00:00Z,
NO-CREDIT,no_credit,,,
FUTURE,accepted,,2099-01-01T00:00:00Z,
MASTERPASS,accepted,,,MASTERPASSGROUP
"""
"""The token list of the gateway, as CSV."""

ASKING = "ASKS-"
"""Stations whose names begin so have everything decided by a business system on MQTT."""

PRICED = "LAB-PRICED"
"""The one station whose costs a business system on MQTT tells."""

_ASKED = (
    "data_transfer sign_certificate ev_certificate certificate_status certificate_chain_status charging_needs "
    "charging_schedule dynamic_schedule event_stream vat_number settlement"
)

CHARGERS: dict[str, Any] = {
    "heartbeat_interval": 300,
    "heartbeat_spread": 0,
    # A busy machine may let the business system wait for longer than chargers would.
    "money_grace": 40,
}

POLICIES: dict[str, dict[str, Any]] = {
    "answers": {"authorize": ["tokens"]},
    "[answers.groups]": {
        "chargers": [f"{ASKING}*"],
        "authorize": ["tokens", "mqtt:25"],
        **{question: ["mqtt:25"] for question in _ASKED.split()},
    },
    f"answers.chargers.{PRICED}": {"transaction_cost": ["mqtt:25"]},
}

STRICT = "Strict"
"""The vendor whose stations get a CALLERROR for whatever breaks OCPP's schema."""

STRICT_MAKE = f"""[[profile]]
name = "strict"
match = {{ vendor = "{STRICT}" }}
strict = true
"""


@dataclass(frozen=True, slots=True)
class Laboratory:
    """Where cases get what they need. Every station has a name that no other case uses."""

    url: str
    client: httpx.AsyncClient
    broker_port: int

    def name(self, prefix: str = "LAB-") -> str:
        return prefix + uuid4().hex[:12].upper()

    def operator(self, identity: str) -> Operator:
        return Operator(self.client, identity)

    def station(self, identity: str, version: str, *, password: str | None = None) -> Station:
        """A station that connects when it is entered, and says nothing yet."""
        return Station(self.url, identity, version=version, password=password)

    def business(
        self, identity: str, answers: Mapping[str, Any] | None = None
    ) -> AbstractAsyncContextManager[Business]:
        """A business system that gives these answers (question → answer) where this charger's messages ask."""
        return business(self.broker_port, identity, answers or {})

    @asynccontextmanager
    async def booted(
        self, version: str, *, identity: str | None = None, vendor: str = "Lab", password: str | None = None
    ) -> AsyncIterator[tuple[Station, Operator]]:
        """A station of OCPP 2.x that was accepted, and its operator."""
        identity = identity or self.name()
        async with self.station(identity, version, password=password) as station:
            answer = await station.call("BootNotification", boot(vendor))
            assert answer["status"] == "Accepted", answer
            yield station, self.operator(identity)


def boot(vendor: str = "Lab", reason: str = "PowerUp") -> dict[str, Any]:
    """A BootNotification of OCPP 2.x."""
    return {"reason": reason, "chargingStation": {"vendorName": vendor, "model": "Bench"}}
