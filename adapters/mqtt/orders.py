"""A request on its way through this node, and its result on the way back to whoever gave it."""

import asyncio
from base64 import b64decode, b64encode
from dataclasses import dataclass, field

from adapters.mqtt.commands import Request
from adapters.mqtt.problems import from_text, to_text
from adapters.mqtt.topics import SetTopic
from gateway.core.commands import CommandResult


@dataclass(frozen=True, slots=True)
class Reply:
    """A result and where the requester wants it; `response_topic` None is the result topic. `sets` is the attribute
    that a home set by the command, and `at` (Unix seconds) when it ended."""

    result: CommandResult
    response_topic: str | None = None
    correlation: bytes | None = None
    sets: SetTopic | None = None
    at: float = 0.0

    @classmethod
    def of(cls, result: CommandResult, reply: dict[str, str], at: float) -> "Reply":
        """To a command that bore this `reply`."""
        correlation = reply.get("correlation")
        return cls(
            result,
            reply.get("topic"),
            None if correlation is None else b64decode(correlation),
            from_text(result.charger, reply.get("sets")),
            at,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """A request and where its result shall go."""

    request: Request
    response_topic: str | None = None
    correlation: bytes | None = None

    @property
    def reply(self) -> dict[str, str]:
        """Where its result shall go, as text, for whichever node ends it."""
        told = {} if self.response_topic is None else {"topic": self.response_topic}
        if self.correlation is not None:
            told["correlation"] = b64encode(self.correlation).decode()
        if self.request.sets is not None:
            told["sets"] = to_text(self.request.sets)
        return told

    def replied(self, result: CommandResult, at: float) -> Reply:
        """Its result, on the way to whoever gave it."""
        return Reply(result, self.response_topic, self.correlation, self.request.sets, at)


@dataclass(slots=True, eq=False)
class Held:
    """An order, and whether it is on this node to answer it; until `opens_at` (monotonic) it waits for its pace."""

    order: Order
    opens_at: float | None = None
    is_ours: "asyncio.Task[bool]" = field(init=False)
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once the next one may begin."""

    @property
    def request(self) -> Request:
        return self.order.request
