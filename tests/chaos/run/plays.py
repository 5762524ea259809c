"""What happens at a connector, transaction after transaction, drawn from the seed: steps that a charger acts out."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, Protocol

from tests.chaos.run.truth import Message, Transaction


@dataclass(frozen=True)
class Say:
    """Say it: at once where there is a connection, else in its turn."""

    message: Message


@dataclass(frozen=True)
class Again:
    """Say once more what was acknowledged; `new_id`: as a message of its own."""

    message: Message
    new_id: bool


@dataclass(frozen=True)
class Pause:
    """Seconds pass."""

    seconds: float


@dataclass(frozen=True)
class Offline:
    """The connection is gone from here to `Online`."""


@dataclass(frozen=True)
class Online:
    """There may be a connection again."""


Step = Say | Again | Pause | Offline | Online

Clock = Literal["right", "seconds", "1970", "stuck"]
"""How a charger's clock goes: `seconds` is right, and has whole seconds only."""


@dataclass(frozen=True)
class Traits:
    """How a charger is made. `register`: what its samples count; `unnamed`: they do not say whose they are."""

    clock: Clock = "right"
    register: Literal["lifetime", "kwh", "session"] = "lifetime"
    evses: int = 1
    unnamed: bool = False
    same_ids: bool = False
    """It sends again under the old message id."""
    echoes: float = 0.0
    """How often it sends twice at once."""
    leaps: bool = False
    """It opens a second connection beside the first."""


class Moments:
    """A charger's clock."""

    def __init__(self, kind: Clock) -> None:
        self._kind = kind
        self._shift = datetime.now(UTC).timestamp() if kind == "1970" else 0.0

    def now(self) -> str:
        if self._kind == "stuck":
            return "1970-01-01T00:00:00Z"
        moment = datetime.fromtimestamp(datetime.now(UTC).timestamp() - self._shift, UTC)
        if self._kind == "seconds":
            return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    @property
    def is_past(self) -> bool:
        return self._kind in ("1970", "stuck")

    @property
    def step(self) -> float:
        """Seconds after which it certainly shows another time."""
        return 1.05 if self._kind == "seconds" else 0.01


class Charging(Protocol):
    """One connector's plays of one OCPP version."""

    @property
    def clock(self) -> Moments: ...

    def messes(self) -> list[str]:
        """What may go wrong with this charger."""
        ...

    def play(self, mess: str) -> Iterator[Step]:
        """One transaction, or two where one cannot be told alone."""
        ...


MESS_SHARE = 0.5


def scenes(charging: Charging, draw: random.Random, *, pause: float, ending: Callable[[], bool]) -> Iterator[Step]:
    """Transactions without end; after `ending` none begins."""
    messes = charging.messes()
    yield Pause(draw.uniform(0, 2 * pause))
    while not ending():
        mess = draw.choice(messes) if draw.random() < MESS_SHARE else "none"
        # Two transactions are told apart by when they began, where not even their meters differ.
        yield Pause(charging.clock.step)
        yield from charging.play(mess)
        yield Pause(draw.uniform(0.5, 1.5) * pause)


def new_id(draw: random.Random) -> bool:
    """Whether a repeat is a message of its own."""
    return draw.random() < 0.6


def told(transaction: Transaction, action: str, payload: dict[str, object], **more: bool) -> Message:
    """A message about a transaction."""
    message = Message(transaction.charger, action, payload, transaction, **more)
    transaction.messages.append(message)
    return message
