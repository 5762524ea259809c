"""A request on its way through this node, and its result on the way back to whoever gave it."""

import asyncio
from base64 import b64decode, b64encode
from dataclasses import dataclass, field, replace

from adapters.mqtt.commands import Request
from adapters.mqtt.problems import from_text, to_text
from adapters.mqtt.topics import SetTopic
from gateway.core.commands import CommandResult


@dataclass(frozen=True, slots=True)
class Reply:
    """A result and where the requester wants it; `response_topic` None is the result topic. `problem_at` is
    where a problem is retained, with the attribute that a home set, and `at` (Unix seconds) when it ended."""

    result: CommandResult
    response_topic: str | None = None
    correlation: bytes | None = None
    problem_at: SetTopic | None = None
    at: float = 0.0

    @classmethod
    def of(cls, result: CommandResult, reply: dict[str, str], at: float) -> "Reply":
        """To a command that bore this `reply`."""
        correlation = reply.get("correlation")
        return cls(
            result,
            reply.get("topic"),
            None if correlation is None else b64decode(correlation),
            from_text(result.charger, reply.get("problem_at")),
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
        if self._problem_at is not None:
            told["problem_at"] = to_text(self._problem_at)
        return told

    @property
    def _problem_at(self) -> SetTopic | None:
        return self.request.sets or self.request.problem_at

    def replied(self, result: CommandResult, at: float) -> Reply:
        """Its result, on the way to whoever gave it."""
        return Reply(result, self.response_topic, self.correlation, self._problem_at, at)


@dataclass(slots=True, eq=False)
class Held:
    """An order, and whether it is on this node to answer it; until `opens_at` (monotonic) it waits for its pace."""

    order: Order
    opens_at: float | None = None
    is_ours: "asyncio.Task[bool]" = field(init=False)
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once the next one may begin."""
    is_repeat: bool = False
    """It was carried out before: what came of it is told again, but is no problem of now."""

    @property
    def request(self) -> Request:
        return self.order.request

    def replied(self, result: CommandResult, at: float) -> Reply:
        """Its result, on the way to whoever gave it."""
        reply = self.order.replied(result, at)
        return replace(reply, problem_at=None) if self.is_repeat else reply
