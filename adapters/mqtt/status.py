"""What the gateway says of itself as a whole, retained: `status` (with a will) and `info`. Shard 0 speaks for all."""

import orjson
import structlog

from adapters.mqtt.careful import CarefulPublisher
from adapters.mqtt.dialer import Connection
from adapters.mqtt.login import Message
from adapters.mqtt.topics import Topics
from gateway.core.adapter import GatewayContext
from gateway.core.errors import DeliveryInterrupted, LogUnavailable

log = structlog.get_logger(__name__)

CONTRACT = "v1"
WILL_DELAY = 20
"""Seconds that a successor has before the broker says offline: a lease's term, a few rounds of its sharing out, and the
time to connect."""
_HEALTH = "mqtt status"
_REPEAT_SECONDS = 15.0


class Status:
    """Speaks on one shard's connection. A refused publish is logged and shown as health; events go on."""

    def __init__(self, context: GatewayContext, topics: Topics, careful: CarefulPublisher) -> None:
        self._context, self._topics, self._careful = context, topics, careful
        self.will: Message = (topics.status, b"offline")
        self._next_at = 0.0

    async def announce(self, connection: Connection) -> None:
        """Say online, and which versions and nodes there are. Raises DeliveryInterrupted."""
        self._next_at = self._context.clock.monotonic() + _REPEAT_SECONDS
        messages: list[Message] = [(self._topics.status, b"online")]
        nodes = await self._nodes()
        if nodes is not None:
            info = {"version": self._context.version, "contract": CONTRACT, "nodes": nodes}
            messages.append((self._topics.info, orjson.dumps(info)))
        await self._publish(connection, messages)

    async def repeat(self, connection: Connection) -> None:
        """Announce again where the last time is a while ago: nodes come and go, and a broker may publish the will of
        a connection that was taken over. Raises DeliveryInterrupted."""
        if self._context.clock.monotonic() >= self._next_at:
            await self.announce(connection)

    async def farewell(self, connection: Connection) -> bool:
        """Say offline if this is the last node; tells whether the broker shall keep the will.

        Where another node lives, or nobody knows, it shall: a successor cancels it, and if none comes (a fleet that
        stops at once) it is right.
        """
        nodes = await self._nodes()
        if nodes is None or any(node != self._context.node for node in nodes):
            return True
        try:
            await self._publish(connection, [self.will])
        except DeliveryInterrupted as error:
            log.debug("the gateway's end could not be published", problem=str(error))
        return False

    async def _nodes(self) -> list[str] | None:
        try:
            return sorted(node.node for node in await self._context.state.nodes())
        except LogUnavailable:
            return None

    async def _publish(self, connection: Connection, messages: list[Message]) -> None:
        refused = []
        for message in messages:
            (code,) = await self._careful.publish(connection, [message])
            if code >= 0x80:
                refused.append(message[0])
        if not refused:
            self._context.health.clear(_HEALTH)
        elif self._context.health.set(_HEALTH, "degraded", f"refused: {', '.join(refused)}"):
            log.warning("the broker refuses the gateway's status topics", topics=refused)
