"""What the latest messages of a transaction said, in short: by that a repeat is told from one with differences.

A print is as wide as every other, so that those of messages numbered without holes are one text to which the next is
added: they are copied and stored with each message.
"""

from zlib import crc32

from typing_extensions import TypedDict

from gateway.core.events import to_json
from gateway.core.reports import Transaction

MAX_PRINTS = 64
"""So many of a transaction's latest messages are known by what they said."""

_WIDTH = 8
_UNKNOWN = " " * _WIDTH


class Prints(TypedDict):
    """The prints of messages `first`, `first` + 1 ... (seqNo) one after the other, blank where none is known."""

    first: int
    said: str


def no_prints() -> Prints:
    return {"first": 0, "said": ""}


def print_of(report: Transaction) -> str:
    """What a message says, in short. Whether it was kept offline does not count: a repeat may tell that anew."""
    values = [sample["value"] for sample in report.samples]
    token = "" if report.token is None else report.token.id
    said = (report.kind, report.time, token, report.stop_reason, report.trigger, report.charging_state, values)
    return f"{crc32(to_json(said)):0{_WIDTH}x}"


def with_print(prints: Prints, seq_no: int, one: str) -> Prints:
    """The same with the print of one more message; one that came long before the others is left out."""
    first, said = prints["first"], prints["said"]
    known = len(said) // _WIDTH
    place = seq_no - first
    if not known or place >= known + MAX_PRINTS:
        return {"first": seq_no, "said": one}
    if place < 0:
        early = one + _UNKNOWN * (-place - 1)
        return prints if known - place > MAX_PRINTS else {"first": seq_no, "said": early + said}
    if place < known:
        return {"first": first, "said": said[: place * _WIDTH] + one + said[(place + 1) * _WIDTH :]}
    said += _UNKNOWN * (place - known) + one
    beyond = max(0, place + 1 - MAX_PRINTS)
    return {"first": first + beyond, "said": said[beyond * _WIDTH :]}


def known_print(prints: Prints, seq_no: int) -> str | None:
    """The print of a message; None where it is not known (any more)."""
    place = seq_no - prints["first"]
    found = prints["said"][place * _WIDTH : (place + 1) * _WIDTH] if place >= 0 else ""
    return None if found in ("", _UNKNOWN) else found
