"""The data lane: the log's events and the chargers' state, published for one shard at a time."""

import json
from collections import deque
from collections.abc import Callable, Sequence

import orjson
import structlog

from adapters.mqtt.careful import CarefulPublisher
from adapters.mqtt.config import MqttConfig
from adapters.mqtt.dialer import Connection, Dialer, Redialer
from adapters.mqtt.login import Message
from adapters.mqtt.projected import Projected
from adapters.mqtt.publisher import NO_SUBSCRIBER, TOO_LARGE, TOPIC_INVALID
from adapters.mqtt.retained import Retained
from adapters.mqtt.status import WILL_DELAY, Status
from adapters.mqtt.topics import Topics
from gateway.core.adapter import GatewayContext
from gateway.core.errors import DeliveryError, DeliveryImpossible, DeliveryInterrupted, DeliveryRefused
from gateway.core.events import CONTENT_TYPE, to_json
from gateway.core.identity import ChargerId
from gateway.core.ports import Delivery, LogEntry, Snapshot, Touch

log = structlog.get_logger(__name__)

_REMOVED = "ocpp.charger.removed"
_PROJECTED = "mqtt additions"
_REPEAT_PROJECTED = 600.0
"""Seconds between two publications of what adapters add: their receivers may have much to do with each."""
_PAYLOAD_FORMAT_INVALID = 0x99
_IMPOSSIBLE = {
    TOPIC_INVALID: "the broker takes no such topic",
    TOO_LARGE: "too large for the broker, even without the raw message",
    _PAYLOAD_FORMAT_INVALID: "the broker refuses the payload's format",
}
_LARGE = 64 * 1024
_WARN_SECONDS = 60.0
_SUSPECTS = 1000
"""Events that are remembered for having ended a connection when they were alone in flight."""
_CAREFUL_WINDOW = 16
"""How many events go out together after a drop, out of those that were in flight then; after two drops, one."""


Place = tuple[int, int]
"""An entry's position in the log, as what can be compared."""


class MqttReader:
    """The OutwardReader of MQTT."""

    name = "mqtt"

    def __init__(self, config: MqttConfig, context: GatewayContext, topics: Topics) -> None:
        self.refresh_interval: float | None = config.state_interval or None
        self._context, self._topics = context, topics
        self._resend_after_crash = config.resend_after_crash
        self._dialer = Dialer(config, context)
        self._attribute_topics = config.attribute_topics
        self._open: set[MqttDelivery] = set()

    def refresh(self, charger: ChargerId) -> None:
        """Publish a charger's retained state again soon, changed or not, where its shard is read here."""
        for delivery in self._open:
            delivery.refresh(charger)

    def open(self, shard: int, touch: Touch) -> Delivery:
        repeat_after = None if self.refresh_interval is None else self.refresh_interval / 2
        delivery = MqttDelivery(
            shard,
            self._dialer,
            self._context,
            self._topics,
            Retained(self._topics, repeat_after, attribute_topics=self._attribute_topics),
            Projected(self._context.projections, self._topics, touch),
            resend_after_crash=self._resend_after_crash,
            touch=touch,
            closed=lambda: self._open.discard(delivery),
        )
        self._open.add(delivery)
        return delivery


class MqttDelivery:
    """The Delivery of one shard: one connection at a time, QoS 1, acknowledged. Shard 0 speaks for the gateway."""

    def __init__(
        self,
        shard: int,
        dialer: Dialer,
        context: GatewayContext,
        topics: Topics,
        retained: Retained,
        projected: Projected,
        *,
        resend_after_crash: float,
        touch: Touch,
        closed: Callable[[], None],
    ) -> None:
        self._resend = resend_after_crash
        self._touch, self._closed = touch, closed
        self._shard, self._context, self._topics, self._retained = shard, context, topics, retained
        self._projected = projected
        projected.follow()
        self._clock, self._observer = context.clock, context.observer
        self._redialer = Redialer(dialer, shard)
        self._careful = CarefulPublisher(context.clock, self._redialer.refused)
        self._status = Status(context, topics, self._careful) if shard == 0 else None
        will = None if self._status is None else self._status.will
        self._login = dialer.login(shard, will=will, will_delay=WILL_DELAY)
        self._connection: Connection | None = None
        self._window: int | None = None
        self._doubted: tuple[Place, Place] | None = None
        self._suspects: deque[str] = deque(maxlen=_SUSPECTS)
        self._refused = False
        self._warn_at = 0.0

    async def connect(self, *, in_doubt: bool = False) -> float:
        await self._hang_up()
        crashed = in_doubt
        while True:
            self._connection = await self._redialer.dial(self._login)
            crashed = crashed or self._redialer.broker_may_have_crashed
            self._retained.forget()
            try:
                if self._status is not None:
                    await self._status.announce(self._connection)
            except DeliveryInterrupted as error:
                log.info("the broker connection did not last", shard=self._shard, problem=str(error))
                continue
            return self._resend if crashed else 0.0

    async def lost(self) -> None:
        if self._connection is not None:
            reason = await self._connection.lost()
            log.info("the broker connection is lost", shard=self._shard, reason=reason)

    def refresh(self, charger: ChargerId) -> None:
        """Publish a charger's retained state again soon, changed or not, where it is of this shard."""
        if self._touch(charger):
            self._retained.again(charger)

    async def close(self) -> None:
        self._projected.unfollow()
        self._closed()
        connection, self._connection = self._connection, None
        if connection is None:
            return
        with_will = self._status is not None and await self._status.farewell(connection)
        await connection.disconnect(with_will=with_will)

    async def _hang_up(self) -> None:
        """Let go of a connection that is of no use any more; a shard's own successor cancels its will."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.disconnect(with_will=True)

    def _connected(self) -> Connection:
        if self._connection is None:
            raise DeliveryInterrupted("not connected")
        return self._connection

    # ------------------------------------------------------------ events

    async def deliver(self, entries: Sequence[LogEntry]) -> None:
        removed = [index for index, entry in enumerate(entries) if entry.type == _REMOVED]
        try:
            await self._publish_events(entries)
        except DeliveryInterrupted as error:
            self._doubt(entries[error.confirmed :], alone=len(entries) == 1)
            if removed and removed[0] < error.confirmed:
                # Its topics are not cleared yet, so that it must come again.
                raise DeliveryInterrupted(str(error), confirmed=removed[0]) from error
            raise
        except DeliveryError as error:
            self._refused = isinstance(error, DeliveryRefused)
            await self._clear(entries, [index for index in removed if index < error.confirmed])
            raise
        if self._refused:
            self._refused = False
            self._careful.forgive()
        await self._clear(entries, removed)

    def _doubt(self, entries: Sequence[LogEntry], *, alone: bool) -> None:
        """The connection dropped while these were not confirmed: they go carefully, whatever is sent before them."""
        if not entries:
            return
        first, last = _place(entries[0]), _place(entries[-1])
        alone = alone or (self._window == 1 and self._is_doubted(first))
        if alone and len(entries[0].body) > _LARGE and entries[0].position not in self._suspects:
            # Some brokers hang up on what is too large for them, without having told what is.
            self._suspects.append(entries[0].position)
        self._window = _CAREFUL_WINDOW if self._window is None else 1
        if self._doubted is not None:
            first, last = min(first, self._doubted[0]), max(last, self._doubted[1])
        self._doubted = first, last

    def _is_doubted(self, place: Place) -> bool:
        return self._doubted is not None and self._doubted[0] <= place <= self._doubted[1]

    def _confirmed(self, entry: LogEntry) -> None:
        """All up to this one are with the broker."""
        if self._doubted is not None and _place(entry) >= self._doubted[1]:
            self._window = self._doubted = None

    def _reach(self, entries: Sequence[LogEntry], done: int) -> int:
        """Up to where entries go out together: as many as there are, of those in doubt as many as the window holds."""
        if self._doubted is None or self._window is None:
            return len(entries)
        if self._is_doubted(_place(entries[done])):
            return min(done + self._window, len(entries))
        places = range(done + 1, len(entries))
        return next((index for index in places if self._is_doubted(_place(entries[index]))), len(entries))

    async def _publish_events(self, entries: Sequence[LogEntry]) -> None:
        connection = self._connected()
        messages = [self._message(entry) for entry in entries]
        done = 0
        while done < len(messages):
            # After a refusal the first goes alone, so that those behind it do not overtake it again and again. After a
            # drop few go together: a broker that hangs up on what it refuses says so only of a publish behind which
            # nothing is under way.
            until = self._reach(entries, done)
            try:
                codes = await connection.publish(messages[done:until], content_type=CONTENT_TYPE)
            except DeliveryInterrupted as error:
                raise DeliveryInterrupted(str(error), confirmed=done + error.confirmed) from error
            done = until if not any(codes) else self._judge(entries, messages, codes, done)
            if done:
                self._confirmed(entries[done - 1])

    def _message(self, entry: LogEntry) -> Message:
        body = without_raw(entry) if entry.position in self._suspects else entry.body
        if entry.type == "ocpp.message":
            action = orjson.loads(entry.body).get("ocppaction") or "unknown"
            return self._topics.message(entry.charger, action), body
        return self._topics.event(entry.charger, entry.type), body

    def _judge(self, entries: Sequence[LogEntry], messages: list[Message], codes: bytes, first: int) -> int:
        """What the broker said to the messages from the first on; returns up to where they are delivered.

        Raises DeliveryRefused or DeliveryImpossible.
        """
        taken = next((place for place, code in enumerate(codes) if code >= 0x80), len(codes))
        index = first + taken
        if NO_SUBSCRIBER in codes[:taken]:
            self._unheard(entries[first:index], codes)
        if taken == len(codes):
            return index
        code, (topic, body) = codes[taken], messages[index]
        if code == TOO_LARGE and body is entries[index].body:
            messages[index] = (topic, without_raw(entries[index]))
            return index
        if code in _IMPOSSIBLE:
            raise DeliveryImpossible(f"{topic[:200]}: {_IMPOSSIBLE[code]}", confirmed=index)
        place = _place(entries[index])
        self._window, self._doubted = 1, (place, place)
        self._redialer.refused()
        raise DeliveryRefused(f"the broker refuses it with 0x{code:02x}", confirmed=index, topic=topic)

    def _unheard(self, entries: Sequence[LogEntry], codes: bytes) -> None:
        """Nobody subscribed to some of these: a success, but bad news where money is concerned."""
        unheard = [entry for entry, code in zip(entries, codes, strict=False) if code == NO_SUBSCRIBER]
        self._observer.undelivered("mqtt", self._shard, "no_subscriber", len(unheard))
        if self._clock.monotonic() < self._warn_at:
            return
        entry = next((entry for entry in unheard if entry.type.startswith("ocpp.transaction.")), None)
        if entry is not None:
            self._warn_at = self._clock.monotonic() + _WARN_SECONDS
            log.warning("nobody has subscribed to transaction events", charger=str(entry.charger), type=entry.type)

    async def _clear(self, entries: Sequence[LogEntry], removed: Sequence[int]) -> None:
        """Clear the retained topics of chargers that were removed. Raises DeliveryInterrupted."""
        for index in removed:
            connectors = orjson.loads(entries[index].body).get("data", {}).get("connectors", [])
            places = [(evse, connector) for evse, connector in connectors]
            charger = entries[index].charger
            # What is made of a state goes before it, so that nobody has to make something of an empty one.
            messages = [*self._projected.clearing(charger, places), *self._retained.clearing(charger, places)]
            try:
                codes = await self._careful.publish(self._connected(), messages)
            except DeliveryInterrupted as error:
                raise DeliveryInterrupted(str(error), confirmed=index) from error
            for message in messages:
                self._retained.published(message, self._clock.monotonic())
            refused = [topic for (topic, _), code in zip(messages, codes, strict=True) if code >= 0x80]
            if refused:
                log.warning("the topics of a removed charger cannot be cleared", topics=refused)

    # ------------------------------------------------------------ retained state

    async def project(self, snapshots: Sequence[Snapshot]) -> None:
        connection, now = self._connected(), self._clock.monotonic()
        if self._status is not None:
            await self._status.repeat(connection)
        messages: list[Message] = []
        owners: list[int] = []
        for owner, snapshot in enumerate(snapshots):
            due = self._retained.messages(snapshot, now)
            messages += due
            owners += [owner] * len(due)
        codes = await self._careful.publish(connection, messages)
        for message, code, owner in zip(messages, codes, owners, strict=True):
            if code < 0x80:
                self._retained.published(message, now)
            elif not message[1]:
                self._retained.refused(snapshots[owner].charger)
        await self._publish_projected(connection, snapshots, now)
        for (topic, _), code, owner in zip(messages, codes, owners, strict=True):
            if code in _IMPOSSIBLE:
                raise DeliveryImpossible(f"{topic[:200]}: {_IMPOSSIBLE[code]}", confirmed=owner)
            if code >= 0x80:
                raise DeliveryRefused(f"the broker refuses it with 0x{code:02x}", confirmed=owner, topic=topic)

    async def _publish_projected(self, connection: Connection, snapshots: Sequence[Snapshot], now: float) -> None:
        """What adapters add: a broker that refuses it takes the gateway's own topics all the same."""
        wanted = [message for one in snapshots for message in self._projected.messages(one)]
        due = [
            one
            for one in wanted
            if self._projected.is_stale(one[0]) or self._retained.is_due(one, now, at_least=_REPEAT_PROJECTED)
        ]
        if not due:
            return
        codes = await self._careful.publish(connection, due)
        refused = []
        for message, code in zip(due, codes, strict=True):
            if code < 0x80:
                self._retained.published(message, now)
            else:
                refused.append(message[0])
        if not refused:
            self._context.health.clear(_PROJECTED)
        elif self._context.health.set(_PROJECTED, "degraded", f"the broker refuses {refused[0]}"):
            log.warning("the broker refuses what adapters add to its retained topics", topics=refused[:10])


def _place(entry: LogEntry) -> Place:
    milliseconds, _, sequence = entry.position.partition("-")
    return int(milliseconds), int(sequence)


def without_raw(entry: LogEntry) -> bytes:
    """The event without raw OCPP payloads, and with the path of REST by which the whole can be read."""
    envelope = json.loads(entry.body)
    data = envelope.get("data")
    if isinstance(data, dict) and "raw" in data:
        del data["raw"]
        data.pop("request", None)
        data["rawref"] = f"/v1{entry.charger.source}/events/{entry.position}"
    return to_json(envelope)
