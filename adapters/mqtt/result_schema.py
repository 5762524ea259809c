"""The shapes of what is neither event data nor state, for openapi/asyncapi.yaml."""

from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from gateway.core.commands import Outcome


class Envelope(TypedDict):
    """A CloudEvent. `time` is the charger's clock, `recordedtime` the gateway's; `sequence` is without holes for each
    charger and epoch."""

    specversion: str
    id: str
    source: str
    type: str
    time: str
    datacontenttype: str
    dataschema: str
    recordedtime: str
    epoch: str
    sequence: str
    subject: NotRequired[str]
    ocppversion: NotRequired[str]
    ocppaction: NotRequired[str]
    ocppmessageid: NotRequired[str]
    data: dict[str, Any]


class Info(TypedDict):
    """The gateway's version, the version of this contract, and the nodes that are alive."""

    version: str
    contract: str
    nodes: list[str]


class CausedTransaction(TypedDict):
    """What a start with `wait_for` has led to: `started`, `never_started` until the command's deadline, or `unknown`
    where the gateway could not look it up."""

    id: str | None
    status: Literal["started", "never_started", "unknown"]


class Result(TypedDict):
    """How a command ended, the same over REST."""

    id: str
    charger_id: str
    name: str
    outcome: Outcome
    reason: str | None
    safe_to_retry: bool
    result: dict[str, Any] | None
    transaction: CausedTransaction | None


class PlaceProblem(TypedDict):
    """The last thing that was asked of a connector, or of the charger as a whole, by `set`: `problem` is null where
    that was accepted, else one sentence. What a newer setting took the place of while it waited is not told."""

    problem: str | None
    attribute: str | None
    command: str
    outcome: Outcome
    reason: str | None
    command_id: str
    at: str
