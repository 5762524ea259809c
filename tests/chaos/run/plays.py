"""What happens at a connector, transaction after transaction, drawn from the seed: steps that a charger acts out."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from tests.chaos.run.traits import Moments
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


def told(
    transaction: Transaction,
    action: str,
    payload: dict[str, Any],
    *,
    numbered: bool = False,
    starts: bool = False,
) -> Message:
    """A message about a transaction."""
    message = Message(transaction.charger, action, payload, transaction, numbered=numbered, starts=starts)
    transaction.messages.append(message)
    return message
