"""The charger as hardware: its connectors, the transactions on them, what may be drawn, and what it has stored."""

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import uuid4

from gateway.core.clock import rfc3339
from gateway.simulator.car import Car
from gateway.simulator.connector import Connector, RemoteStart, Reservation, Transaction
from gateway.simulator.device_model import MAX_POWER_W, Variable
from gateway.simulator.limits import Limits, Moment, Profile
from gateway.simulator.memory import Memory
from gateway.simulator.options import SimulatorOptions
from gateway.simulator.variables import Variables

Availability = Literal["accepted", "scheduled", "rejected"]
ResetKind = Literal["hard", "soft", "on_idle", "resume"]
OUTBOX_LIMIT = 10_000
"""Stored messages beyond which samples are dropped; starts and stops never are."""
AVAILABILITY = {"available": "Available", "unavailable": "Unavailable", "reserved": "Reserved"}


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
        self._begin, self._born, self._speed = options.begin, time.monotonic(), options.speed
        self.random = random.Random(f"{options.seed}/{identity}")
        self.limits = Limits()
        self.memory = Memory()
        self.variables = Variables(
            connectors=options.connectors, sample_interval=options.interval, live=self._live_variables()
        )
        self.connectors = [
            Connector(
                evse_id=number,
                register_wh=float(self.random.randrange(10_000, 5_000_000)),
                car=Car(options.power_w, self.random.uniform(20, 50)),
                random=self.random,
                limits=self.limits,
                speed=options.speed,
            )
            for number in range(1, options.connectors + 1)
        ]
        self.outbox: deque[Stored] = deque()
        self.outbox_changed = asyncio.Event()
        self.accepted = False
        """Whether the CSMS has accepted the boot."""
        self.boot_reason = "PowerUp"
        self.reset_wanted: ResetKind | None = None
        self.reset_changed = asyncio.Event()

    def now(self) -> float:
        """The charger's clock, in Unix seconds."""
        if self._begin is None:
            return time.time()
        return self._begin + (time.monotonic() - self._born) * self._speed

    def seconds_until(self, moment: float) -> float:
        """Our seconds until a time of the charger's clock; 0 where it is over."""
        return max(0.0, moment - self.now()) / (1.0 if self._begin is None else self._speed)

    def timestamp(self) -> str:
        return rfc3339(self.now())

    # ------------------------------------------------------------ what the CSMS may ask for

    def connector(self, evse_id: int | None) -> Connector | None:
        """The connector of this EVSE; None: there is no such."""
        return next((connector for connector in self.connectors if connector.evse_id == evse_id), None)

    def of(self, evse_id: int | None) -> list[Connector]:
        """The connector of this EVSE, or all of them where none or 0 is named."""
        return [connector for connector in self.connectors if not evse_id or connector.evse_id == evse_id]

    def by_wire_id(self, wire_id: str | int) -> Connector | None:
        """The connector where this transaction runs."""
        for connector in self.connectors:
            if connector.transaction is not None and connector.transaction.wire_id == wire_id:
                return connector
        return None

    def start(self, remote: RemoteStart, evse_id: int | None, group: str | None = None) -> Connector | None:
        """Accept a remote start on this EVSE, or on any free one; None: rejected."""
        if self.reset_wanted is not None or not self.accepted:
            return None
        candidates = self.connectors if evse_id is None else [self.connector(evse_id)]
        free = [c for c in candidates if c is not None and c.free_for(remote.token, group)]
        # One that is kept for this very token goes before the others.
        for connector in sorted(free, key=lambda c: c.reservation is None):
            connector.remote_start = remote
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
        self.boot_reason = "ScheduledReset" if kind == "on_idle" and self.busy else "RemoteReset"
        for connector in self.connectors:
            if kind in ("hard", "soft") and connector.transaction is not None:
                connector.stop("hard_reset" if kind == "hard" else "soft_reset")
        self.reset_changed.set()

    @property
    def busy(self) -> bool:
        return any(connector.transaction is not None for connector in self.connectors)

    # ------------------------------------------------------------ reservations

    def reserve(self, reservation: Reservation, evse_id: int | None) -> str:
        """Keep a connector for a token; returns the ReservationStatus. Without an EVSE the first free one is kept."""
        if reservation.expires <= self.now() or (evse_id and self.connector(evse_id) is None):
            return "Rejected"
        for connector in self.of(evse_id):
            own = connector.reservation is None or connector.reservation.id == reservation.id
            if own and connector.free and not connector.plugged:
                self.release(reservation.id)
                connector.reservation = reservation
                return "Accepted"
        return "Unavailable" if not any(connector.operative for connector in self.of(evse_id)) else "Occupied"

    def release(self, reservation_id: int, only: Reservation | None = None) -> bool:
        """End a reservation, if there is one (and if it is still this one)."""
        for connector in self.connectors:
            kept = connector.reservation
            if kept is not None and kept.id == reservation_id and only in (None, kept):
                connector.reservation = None
                return True
        return False

    # ------------------------------------------------------------ limits

    def install(self, evse_id: int, profile: Profile) -> None:
        """Add a charging profile, and let those who charge feel it."""
        self.limits.install(evse_id, profile)
        self.limits_changed()

    def limits_changed(self) -> None:
        """Let those who charge look at what they may draw."""
        for connector in self.connectors:
            if connector.transaction is not None:
                connector.changed.set()

    def schedule(self, evse_id: int, duration: float) -> list[tuple[int, float]]:
        """What may be drawn from now on, as (second, limit in W); EVSE 0 is the whole charger."""
        now = self.now()
        connectors = self.of(evse_id)
        times: set[float] = {now}
        for connector in connectors:
            since = None if connector.transaction is None else connector.transaction.began
            times |= self.limits.turns(connector.evse_id, Moment(now, since), now + duration)
        schedule: list[tuple[int, float]] = []
        for moment in sorted(times):
            limits = [connector.allowed_w(moment) for connector in connectors]
            total = sum(MAX_POWER_W if limit is None else min(limit, MAX_POWER_W) for limit in limits)
            whole = self.limits.station_w(Moment(moment))
            value = total if whole is None else min(total, whole)
            if not schedule or schedule[-1][1] != value:
                schedule.append((round(moment - now), value))
        return schedule

    # ------------------------------------------------------------ transactions

    def begin(self, connector: Connector, token: str, remote: RemoteStart | None) -> Transaction:
        """Open a transaction; its id is made here in 2.x and comes from the CSMS in 1.6."""
        transaction = Transaction(
            connector=connector,
            token=token,
            wire_id=None if self.version == "1.6" else str(uuid4()),
            meter_start=int(connector.register_wh),
            began=self.now(),
            remote_start_id=remote.remote_start_id if remote is not None else None,
            remote=remote is not None,
            reservation_id=connector.reservation.id if connector.reservation is not None else None,
        )
        if remote is not None:
            transaction.token_type = remote.token_type
        connector.transaction, connector.plugged, connector.stop_reason = transaction, True, None
        connector.reservation = None
        return transaction

    def end(self, connector: Connector) -> None:
        """Close the connector's transaction; the cable is still in."""
        connector.transaction, connector.stop_reason, connector.finishing = None, None, True
        connector.flow = None
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

    # ------------------------------------------------------------ variables that change by themselves

    def _live_variables(self) -> Mapping[tuple[str, str], Callable[[Variable], str]]:
        memory = self.memory
        return {
            ("ChargingStation", "AvailabilityState"): self._availability,
            ("EVSE", "AvailabilityState"): self._availability,
            ("Connector", "AvailabilityState"): self._availability,
            ("EVSE", "Power"): lambda variable: f"{sum(c.drawn_w(self.now()) for c in self.of(variable.evse)):.1f}",
            ("ClockCtrlr", "DateTime"): lambda _: self.timestamp(),
            ("DisplayMessageCtrlr", "DisplayMessages"): lambda _: str(len(memory.displays)),
            ("LocalAuthListCtrlr", "Entries"): lambda _: str(len(memory.local_list.entries)),
            ("SecurityCtrlr", "CertificateEntries"): lambda _: str(len(memory.certificates.kept)),
        }

    def _availability(self, variable: Variable) -> str:
        if variable.evse is None:
            return "Available" if any(connector.operative for connector in self.connectors) else "Unavailable"
        return next((AVAILABILITY.get(c.status(self.now()), "Occupied") for c in self.of(variable.evse)), "Unavailable")
