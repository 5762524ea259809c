"""Retained publishes that must not stand in the way of events, whatever the broker does about them.

Some brokers answer a publish that their ACL refuses and then hang up (mosquitto 2.0.11 does), which loses the answer
where more was under way. So what was in flight when a connection dropped is tried one by one on the next, and what is
then found to end connections is left alone for a while.
"""

import asyncio
from collections.abc import Callable, Sequence

import structlog

from adapters.mqtt.dialer import Connection
from adapters.mqtt.login import Message
from gateway.core.clock import Clock
from gateway.core.errors import DeliveryInterrupted

log = structlog.get_logger(__name__)

_IN_FLIGHT = 200
_HANG_UP_SECONDS = 0.2
"""How soon after a refusal a broker hangs up that does so."""
_KIND_HOLD, _TOPIC_HOLD = 60.0, 600.0
_FATAL = 0x80
"""Unspecified error: what is said of a message that ended two connections without an answer."""


class CarefulPublisher:
    """Publishes retained messages over all connections of a shard; `on_refusal` is called for every refused batch."""

    def __init__(self, clock: Clock, on_refusal: Callable[[], None]) -> None:
        self._clock, self._on_refusal = clock, on_refusal
        self._suspects: dict[str, int] = {}
        self._held: dict[str, tuple[int, float]] = {}

    async def publish(self, connection: Connection, messages: Sequence[Message]) -> bytes:
        """A reason code per message; one that is left alone has the code that it was refused with.

        Raises DeliveryInterrupted.
        """
        codes = bytearray(len(messages))
        together, alone = [], []
        for index, (topic, _) in enumerate(messages):
            held = self._hold(topic)
            if held is not None:
                codes[index] = held
            elif topic in self._suspects:
                alone.append(index)
            else:
                together.append(index)
        groups = [together[start : start + _IN_FLIGHT] for start in range(0, len(together), _IN_FLIGHT)]
        for group in [*groups, *([index] for index in alone)]:
            answers = await self._publish(connection, [messages[index] for index in group])
            for index, code in zip(group, answers, strict=True):
                codes[index] = code
        return bytes(codes)

    def forgive(self) -> None:
        """Try again at once what was left alone: the broker's ACL seems to be another now."""
        self._held.clear()

    async def _publish(self, connection: Connection, messages: Sequence[Message]) -> bytes:
        try:
            codes = await connection.publish(messages, retain=True, halt=False)
        except DeliveryInterrupted as error:
            for topic, _ in messages[error.confirmed :]:
                self._suspects[topic] = self._suspects.get(topic, 0) + (len(messages) == 1)
            if len(messages) == 1 and self._suspects[messages[0][0]] >= 2:
                self._leave_alone(messages[0][0], _FATAL)
            raise
        for topic, _ in messages:
            self._suspects.pop(topic, None)
        refused = [(topic, code) for (topic, _), code in zip(messages, codes, strict=True) if code >= 0x80]
        if refused:
            self._on_refusal()
        if refused and await self._hangs_up(connection):
            for topic, code in refused:
                self._leave_alone(topic, code)
                self._held[_kind(topic)] = (code, self._clock.monotonic() + _KIND_HOLD)
        return codes

    def _leave_alone(self, topic: str, code: int) -> None:
        self._suspects.pop(topic, None)
        self._held[topic] = (code, self._clock.monotonic() + _TOPIC_HOLD)
        log.warning("the broker hangs up on a topic; it is left alone for a while", topic=topic, code=f"0x{code:02x}")

    def _hold(self, topic: str) -> int | None:
        """The code that a topic, or its kind, was refused with, while it is left alone."""
        if not self._held:
            return None
        for name in (topic, _kind(topic)):
            held = self._held.get(name)
            if held is None:
                continue
            if self._clock.monotonic() < held[1]:
                return held[0]
            del self._held[name]
        return None

    @staticmethod
    async def _hangs_up(connection: Connection) -> bool:
        try:
            async with asyncio.timeout(_HANG_UP_SECONDS):
                await connection.lost()
        except TimeoutError:
            return False
        return True


def _kind(topic: str) -> str:
    """What an ACL would treat alike: the last word of a topic, connectors' state apart from chargers'."""
    return "connector" if "/connector/" in topic else topic.rsplit("/", 1)[-1]
