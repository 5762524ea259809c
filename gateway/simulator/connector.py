"""An outlet of a virtual charger: its meter, its cable, and the transaction on it."""

import asyncio
import random
import time
from dataclasses import dataclass, field
from typing import Any, Literal

from gateway.simulator.car import Car
from gateway.simulator.limits import PHASES, Limits, Moment

StopReason = Literal["local", "remote", "deauthorized", "ev_disconnected", "hard_reset", "soft_reset", "unlock"]
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
    began: float
    token_type: str = "ISO14443"  # noqa: S105 - a kind of token
    remote_start_id: int | None = None
    remote: bool = False
    reservation_id: int | None = None
    priority: bool = False
    """OCPP 2.1: priority charging is on."""
    tariff: dict[str, Any] | None = None
    """OCPP 2.1: the tariff that the CSMS gave this transaction."""
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
    token_type: str = "ISO14443"  # noqa: S105 - a kind of token


@dataclass(frozen=True, slots=True)
class Reservation:
    """A connector kept for a token, or for any token of its group, until it expires (Unix seconds)."""

    id: int
    token: str
    group: str | None
    expires: float

    def admits(self, token: str, group: str | None) -> bool:
        """Token ids compare without regard to case."""
        return token.lower() == self.token.lower() or (
            group is not None and self.group is not None and group.lower() == self.group.lower()
        )


@dataclass(slots=True)
class Connector:
    """An outlet: EVSE `evse_id`, connector 1, and the car that is there while `plugged`, or comes next.

    `speed` is how many seconds pass for it in one of ours.
    """

    evse_id: int
    car: Car
    register_wh: float
    random: random.Random
    limits: Limits
    speed: float = 1.0
    operative: bool = True
    plugged: bool = False
    finishing: bool = False
    transaction: Transaction | None = None
    reservation: Reservation | None = None
    reported: str | None = None
    reporting: asyncio.Lock = field(default_factory=asyncio.Lock)
    """One report of the status at a time: the next one sees what the last one told."""
    remote_start: RemoteStart | None = None
    stop_reason: StopReason | None = None
    flow: tuple[float, float] | None = None
    """Since when (monotonic seconds) this power in W has been flowing that is not counted yet."""
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a remote start, a stop or a new limit wants the driver's attention."""

    @property
    def free(self) -> bool:
        """Whether a transaction may begin, by whomever it is not reserved for."""
        return self.operative and self.transaction is None and self.remote_start is None

    def free_for(self, token: str, group: str | None = None) -> bool:
        """Whether a transaction of this token may begin."""
        return self.free and (self.reservation is None or self.reservation.admits(token, group))

    def allowed_w(self, now: float) -> float | None:
        """What the charging profiles allow at this moment; None: they say nothing."""
        transaction = self.transaction
        moment = Moment(now) if transaction is None else Moment(now, transaction.began, transaction.priority)
        return self.limits.power_w(self.evse_id, moment)

    def drawn_w(self, now: float) -> float:
        """Power that flows at this moment, in W: the car's wish under the charging profiles' limit."""
        return 0.0 if self.transaction is None else self.car.takes_w(self.allowed_w(now))

    def status(self, now: float) -> str:
        """Connector status in neutral spelling."""
        if self.transaction is not None:
            if self.drawn_w(now) > 0:
                return "charging"
            return "suspended_evse" if self.car.is_hungry else "suspended_ev"
        if not self.operative:
            return "unavailable"
        if self.finishing:
            return "finishing"
        if self.plugged:
            return "preparing"
        return "available" if self.reservation is None else "reserved"

    def let_flow(self, power_w: float) -> None:
        """Let this much flow from now on."""
        self.count()
        self.flow = time.monotonic(), power_w

    def count(self) -> None:
        """Count what has flowed until now."""
        if self.flow is not None:
            since, power_w = self.flow
            now = time.monotonic()
            self.charge_for((now - since) * self.speed, power_w)
            self.flow = now, power_w

    def charge_for(self, seconds: float, power_w: float) -> None:
        """Let this much flow for so long: the register and the battery rise."""
        energy = power_w * seconds / 3600
        self.register_wh += energy
        self.car.charge(energy)

    def read(self, now: float) -> Reading:
        """The meter at this moment."""
        self.count()
        power = self.drawn_w(now)
        voltages = tuple(round(MAINS_V + self.random.uniform(-2, 2), 1) for _ in range(PHASES))
        phases = self.car.phases
        currents = tuple(round(power / phases / v, 2) if n < phases else 0.0 for n, v in enumerate(voltages))
        return Reading(now, int(self.register_wh), round(power, 1), currents, voltages, int(self.car.soc))

    def stop(self, reason: StopReason) -> None:
        """Ask the running transaction to end; the first reason counts."""
        self.stop_reason = self.stop_reason or reason
        self.changed.set()
