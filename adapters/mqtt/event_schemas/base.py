"""What the data of events share."""

from typing import Any, NotRequired

from typing_extensions import TypedDict


class Violation(TypedDict):
    """One deviation of a message from its specification."""

    code: str
    path: str
    message: str


class FromMessage(TypedDict):
    """What the data of every event carries that comes from an OCPP message."""

    violations: NotRequired[list[Violation]]
    raw: NotRequired[Any]
    """The OCPP payload as received; text where it is not JSON, left out where the broker takes no packet so large."""
    rawref: NotRequired[str]
    """Where `raw` was left out: the path of REST by which the whole event is read."""


class Asked(FromMessage):
    """What the data of an event carries whose message asked something: the answer, as far as it is no secret, and
    `decided_by`."""

    decision: NotRequired[dict[str, Any]]


class PartOfReport(FromMessage):
    """What the data of an event carries that may be one of several parts of a report.

    The part that made the report whole has `complete`, and the items of all parts; a report that stayed incomplete is
    told once more, with what came of it, and so is one whose charger counts its parts from 1, with `complete`.
    """

    request_id: int | None
    sequence_number: NotRequired[int | None]
    to_be_continued: bool
    complete: bool
