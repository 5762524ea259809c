"""What a charger does beside its answers: errands, made of messages and of the waits between them."""

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Message:
    """An action and its payload, in OCPP's own casing; `answered` is false for a SEND frame (OCPP 2.1)."""

    action: str
    payload: dict[str, Any]
    answered: bool = True


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait so many seconds of the charger's own time, which may run faster than ours."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Until:
    """Wait until this moment, in Unix seconds."""

    moment: float


@dataclass(frozen=True, slots=True)
class ChangedStatuses:
    """Tell the status of every connector where it differs from what was told last."""


Step = Message | Pause | Until | ChangedStatuses

Errand = Generator[Step, dict[str, Any] | None, None]
"""One step after the other; a message's step gives the answer back, None where there was no proper one."""


def say(messages: Iterable[Message]) -> Errand:
    """The errand of sending these messages."""
    for message in messages:  # noqa: UP028 - a list takes no answers back
        yield message


def say_changes() -> Errand:
    """The errand of telling changed statuses."""
    yield ChangedStatuses()


def in_parts(items: Sequence[Any], size: int) -> Iterator[tuple[int, bool, Sequence[Any]]]:
    """The parts of a report: (number from 0, whether more follow, the items); at least one part."""
    count = max(1, -(-len(items) // size))
    for number in range(count):
        yield number, number + 1 < count, items[number * size : (number + 1) * size]
