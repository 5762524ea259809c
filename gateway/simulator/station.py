"""The charger as hardware: connectors with meters and cables, the transactions on them, and what may be drawn."""

import asyncio
import random
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import uuid4

from gateway.core.clock import rfc3339
from gateway.simulator.limits import Limits, Profile
from gateway.simulator.options import SimulatorOptions
from gateway.simulator.variables import Variables

StopReason = Literal["local", "remote", "deauthorized", "ev_disconnected", "hard_reset", "soft_reset", "unlock"]
ConnectorStatus = Literal["available", "preparing", "charging", "suspended_ev", "suspended_evse", "finishing"]
Availability = Literal["accepted", "scheduled", "rejected"]
ResetKind = Literal["hard", "soft", "on_idle"]
OUTBOX_LIMIT = 10_000
"""Stored messages beyond which samples are dropped; starts and stops never are."""
BATTERY_WH = 60_000.0
MAINS_V = 230.0


@dataclass(frozen=True, slots=True)
class Reading:
    """What the meter shows: lifetime register, power, and per phase currents and voltages."""

    time: float
    energy_wh: int
    power_w: float
    currents_a: tuple[float, ...]
    voltages_v: tuple[float, ...]
    soc_percent: int


@dataclass(slots=True)
class Transaction:
    """A charging transaction as the charger sees it.

    `wire_id` is its id in OCPP: the charger's own in 2.x, in 1.6 the CSMS's, and None until the start is answered.
    """

    connector: "Connector"
    token: str
    wire_id: str | int | None
    meter_start: int
    remote_start_id: int | None = None
    remote: bool = False
    seq_no: int = -1
    state: str = ""
    stream_open: bool | None = None
    """OCPP 2.1: whether the CSMS wanted its stream; None: not asked yet."""

    def next_seq_no(self) -> int:
        """0, 1, 2 ... for each message of this transaction."""
        self.seq_no += 1
        return self.seq_no


@dataclass(frozen=True, slots=True)
class RemoteStart:
    """A remote start that was accepted and waits for its connector."""

    token: str
    remote_start_id: int | None = None


@dataclass(slots=True)
class Connector:
    """An outlet: EVSE `evse_id`, connector 1. `power_w` is what the car would take if it were let."""

    evse_id: int
    power_w: float
    register_wh: float
    soc: float
    random: random.Random
    limits: Limits
    operative: bool = True
    plugged: bool = False
    finishing: bool = False
    transaction: Transaction | None = None
    reported: str | None = None
    remote_start: RemoteStart | None = None
    stop_reason: StopReason | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a remote start or a stop wants the driver's attention."""

    @property
    def free(self) -> bool:
        return self.operative and self.transaction is None and self.remote_start is None

    def drawn_w(self, now: float) -> float:
        """Power that flows at this moment, in W: the car's wish under the charging profiles' limit."""
        if self.transaction is None or self.soc >= 100:
            return 0.0
        limit = self.limits.power_w(self.evse_id, now)
        return self.power_w if limit is None else min(self.power_w, limit)

    def status(self, now: float) -> str:
        """Connector status in neutral spelling."""
        if self.transaction is not None:
            if self.drawn_w(now) > 0:
                return "charging"
            return "suspended_ev" if self.soc >= 100 else "suspended_evse"
        if not self.operative:
            return "unavailable"
        if self.finishing:
            return "finishing"
        return "preparing" if self.plugged else "available"

    def charge_for(self, seconds: float, now: float) -> None:
        """Let current flow for so long: the register and the battery rise."""
        energy = self.drawn_w(now) * seconds / 3600
        self.register_wh += energy
        self.soc = min(100.0, self.soc + 100 * energy / BATTERY_WH)

    def read(self, now: float) -> Reading:
        """The meter at this moment."""
        power = self.drawn_w(now)
        voltages = tuple(round(MAINS_V + self.random.uniform(-2, 2), 1) for _ in range(3))
        currents = tuple(round(power / 3 / voltage, 2) for voltage in voltages)
        return Reading(now, int(self.register_wh), round(power, 1), currents, voltages, int(self.soc))

    def stop(self, reason: StopReason) -> None:
        """Ask the running transaction to end; the first reason counts."""
        self.stop_reason = self.stop_reason or reason
        self.changed.set()


@dataclass(slots=True)
class Stored:
    """A transaction message that must reach the CSMS; `tries` are the message ids it was sent under."""

    action: str
    payload: dict[str, Any]
    transaction: Transaction
    tries: list[str] = field(default_factory=list)
    errors: int = 0


class Station:
    """One charger's state, which outlives connections and resets. Knows no network."""

    def __init__(self, identity: str, options: SimulatorOptions) -> None:
        self.identity = identity
        self.version = options.version
        self.random = random.Random(f"{options.seed}/{identity}")
        self.limits = Limits()
        self.variables = Variables(connectors=options.connectors, sample_interval=options.interval)
        self.connectors = [
            Connector(
                evse_id=number,
                power_w=options.power_w,
                register_wh=float(self.random.randrange(10_000, 5_000_000)),
                soc=self.random.uniform(20, 50),
                random=self.random,
                limits=self.limits,
            )
            for number in range(1, options.connectors + 1)
        ]
        self.outbox: deque[Stored] = deque()
        self.outbox_changed = asyncio.Event()
        self.reset_wanted: ResetKind | None = None
        self.reset_changed = asyncio.Event()

    @staticmethod
    def now() -> float:
        return time.time()

    def timestamp(self) -> str:
        return rfc3339(self.now())

    # ------------------------------------------------------------ what the CSMS may ask for

    def connector(self, evse_id: int | None) -> Connector | None:
        """The connector of this EVSE; None: there is no such."""
        return next((connector for connector in self.connectors if connector.evse_id == evse_id), None)

    def by_wire_id(self, wire_id: str | int) -> Connector | None:
        """The connector where this transaction runs."""
        for connector in self.connectors:
            if connector.transaction is not None and connector.transaction.wire_id == wire_id:
                return connector
        return None

    def start(self, token: str, evse_id: int | None, remote_start_id: int | None = None) -> Connector | None:
        """Accept a remote start on this EVSE, or on any free one; None: rejected."""
        candidates = self.connectors if evse_id is None else [self.connector(evse_id)]
        for connector in candidates:
            if connector is not None and connector.free and self.reset_wanted is None:
                connector.remote_start = RemoteStart(token, remote_start_id)
                connector.changed.set()
                return connector
        return None

    def unlock(self, connector: Connector) -> None:
        """Let go of the cable; a running transaction ends for it."""
        if connector.transaction is not None:
            connector.stop("unlock")
        else:
            connector.plugged = False

    def set_operative(self, evse_id: int, operative: bool) -> Availability:
        """Take an EVSE, or with 0 all of them, into or out of service; scheduled while a transaction runs."""
        affected = self.connectors if evse_id == 0 else [self.connector(evse_id)]
        result: Availability = "accepted"
        for connector in affected:
            if connector is None:
                return "rejected"
            connector.operative = operative
            if connector.transaction is not None and not operative:
                result = "scheduled"
        return result

    def reset(self, kind: ResetKind) -> None:
        """Ask for a restart: hard and soft end the transactions first, on_idle waits until none runs."""
        self.reset_wanted = kind
        for connector in self.connectors:
            if kind != "on_idle" and connector.transaction is not None:
                connector.stop("hard_reset" if kind == "hard" else "soft_reset")
        self.reset_changed.set()

    @property
    def busy(self) -> bool:
        return any(connector.transaction is not None for connector in self.connectors)

    def install(self, evse_id: int, profile: Profile) -> None:
        """Add a charging profile, and let those who charge feel it."""
        self.limits.install(evse_id, profile)

    # ------------------------------------------------------------ transactions

    def begin(self, connector: Connector, token: str, remote: RemoteStart | None) -> Transaction:
        """Open a transaction; its id is made here in 2.x and comes from the CSMS in 1.6."""
        transaction = Transaction(
            connector=connector,
            token=token,
            wire_id=None if self.version == "1.6" else str(uuid4()),
            meter_start=int(connector.register_wh),
            remote_start_id=remote.remote_start_id if remote is not None else None,
            remote=remote is not None,
        )
        connector.transaction, connector.plugged, connector.stop_reason = transaction, True, None
        return transaction

    def end(self, connector: Connector) -> None:
        """Close the connector's transaction; the cable is still in."""
        connector.transaction, connector.stop_reason, connector.finishing = None, None, True
        self.limits.end_transaction(connector.evse_id)
        self.reset_changed.set()

    def store(self, action: str, payload: dict[str, Any], transaction: Transaction, *, sample: bool = False) -> bool:
        """Queue a transaction message; it is sent in order, now or after the next connect.

        Returns False where it was a sample and the queue is full, so that it was dropped.
        """
        if sample and len(self.outbox) >= OUTBOX_LIMIT:
            return False
        self.outbox.append(Stored(action, payload, transaction))
        self.outbox_changed.set()
        return True
