"""One connection of the control lane: subscriptions, messages with their acknowledgement, results, questions."""

import asyncio
import math
import select
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, cast

import aiomqtt
import structlog
from paho.mqtt import client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from adapters.mqtt.asking import MqttAsker
from adapters.mqtt.commands import Received, Request, read_request
from adapters.mqtt.config import MqttConfig
from adapters.mqtt.control_dialer import CALL_SECONDS
from adapters.mqtt.execution import Execution
from adapters.mqtt.orders import Order, Reply
from adapters.mqtt.outbox import Outbox
from adapters.mqtt.problems import is_problem
from adapters.mqtt.refreshing import read_wish
from adapters.mqtt.setting import Manner, read_settings
from adapters.mqtt.sightings import Sighting, Sightings
from adapters.mqtt.sleeps import Sleeps
from adapters.mqtt.topics import GetTopic, SetTopic, Topics
from gateway.core.clock import Clock
from gateway.core.errors import AskFailed
from gateway.core.events import to_json
from gateway.core.identity import ChargerId
from gateway.core.ports import Ask
from gateway.core.projecting import ListenerBook

_log = structlog.get_logger(__name__)

LOOK_SECONDS = 1.0
"""How often the socket itself is asked whether it has failed."""
_FAILURE = 0x80
"""Reason codes from here on are failures."""


class Connection:
    """A connected client at work. Every coroutine raises MqttError when the connection is lost."""

    def __init__(
        self,
        client: aiomqtt.Client,
        *,
        mqtt5: bool,
        config: MqttConfig,
        topics: Topics,
        clock: Clock,
        execution: Execution,
        asker: MqttAsker,
        sightings: Sightings,
        listeners: ListenerBook,
        refresh: Callable[[ChargerId], None],
    ) -> None:
        self._client = client
        self._mqtt5 = mqtt5
        self._config = config
        self._topics = topics
        self._clock = clock
        self._execution = execution
        self._asker = asker
        self._sightings = sightings
        self._listeners = listeners
        self._refresh = refresh
        self._sleeps = Sleeps(clock)
        # aiomqtt keeps the reason codes of PUBACKs to itself; only the paho client beneath tells them.
        self._pass_on = cast("paho.CallbackOnPublish_v2", client._client.on_publish)
        client._client.on_publish = self._acknowledged
        self._unacknowledged: deque[aiomqtt.Message] = deque()
        self._problem: tuple[int, asyncio.Future[int]] | None = None
        """The packet id of the problem in flight, and what the broker says to it."""

    async def subscribe(self, filters: Iterable[str]) -> tuple[str, ...]:
        """Subscribe; returns the filters that the broker denied."""
        denied = []
        for topic_filter in filters:
            if self._mqtt5:
                # What is wrong since long ago need not be told again.
                stored = 2 if topic_filter in self._topics.problem_filters else 0
                options = SubscribeOptions(qos=1, retainAsPublished=True, retainHandling=stored)
                codes = await self._client.subscribe(topic_filter, options=options)
            else:
                codes = await self._client.subscribe(topic_filter, qos=1)
            if any((code if isinstance(code, int) else code.value) >= 0x80 for code in codes):
                denied.append(topic_filter)
        return tuple(denied)

    async def read(self) -> None:
        """Take messages until the connection is lost."""
        async for message in self._client.messages:
            if message.qos > 0:
                self._unacknowledged.append(message)
            try:
                self._take(message)
            except Exception:
                # Raised here, a bug in reading one message would end the adapter and every other command.
                _log.exception("message could not be read", topic=str(message.topic)[:200])
            self.acknowledge()

    async def look_after(self) -> None:
        """Have a connection that was reset end at once, with what came before the reset taken.

        uvloop lets go of a socket at its first error, after one call to read; what lies before the error, and so the
        error itself, would be found by nobody until the keepalive is over, and no command be taken until then.
        """
        client = self._client._client
        while client.is_connected():
            await asyncio.sleep(LOOK_SECONDS)
            self._sleeps.awake()
            connection = client.socket()
            if connection is not None and _has_failed(connection.fileno()):
                while client.loop_read() == paho.MQTT_ERR_SUCCESS and client.is_connected():
                    pass

    def acknowledge(self) -> None:
        """Acknowledge, in order, as far as there is room for the messages that this lets in."""
        while self._unacknowledged and self._execution.pending <= self._config.max_running_commands:
            message = self._unacknowledged.popleft()
            self._client._client.ack(message.mid, message.qos)

    def _take(self, message: aiomqtt.Message) -> None:
        for topic_filter in self._listeners.filters:
            if message.topic.matches(topic_filter):
                for listener in self._listeners.of(topic_filter):
                    listener(str(message.topic), message.payload)
                return
        answered = self._topics.parse_answer(str(message.topic))
        concerned = self._topics.parse_problem(str(message.topic))
        if answered is not None:
            self._asker.answered(answered, message.payload, retain=message.retain)
        elif concerned is not None:
            # What was refused is shown by somebody as if it had been done, until the truth is published again.
            if is_problem(message.payload):
                self._refresh(concerned)
        else:
            self._take_command(message)

    def _take_command(self, message: aiomqtt.Message) -> None:
        properties = message.properties
        received = Received(
            payload=message.payload,
            retain=message.retain,
            now=self._sleeps.came_at(),
            message_expiry=getattr(properties, "MessageExpiryInterval", None),
        )
        if received.clears:
            return
        if message.qos == 0 and self._execution.pending >= 2 * self._config.max_running_commands:
            _log.warning("command dropped: too many under way, and at QoS 0 the broker cannot be held back")
        else:
            response_topic = getattr(properties, "ResponseTopic", None)
            correlation = getattr(properties, "CorrelationData", None)
            told_by = (str(message.topic), message.payload, response_topic, correlation)
            sightings: list[Sighting] = []

            def unnamed() -> Sequence[str]:
                sightings.append(self._sightings.sighting(*told_by, now=received.now))
                return sightings[0].ids

            for request in self._requests(str(message.topic), received, unnamed):
                if sightings and sightings[0].may_lag:
                    request = replace(request, sighting=sightings[0])
                self._execution.submit(Order(request, response_topic, correlation))

    def _requests(self, topic: str, received: Received, unnamed: Callable[[], Sequence[str]]) -> Sequence[Request]:
        """What a message on a command's topic, or a home's, asks for."""
        timeout, interval = self._config.command_timeout, self._config.set_interval
        command = self._topics.parse_command(topic)
        if command is not None:
            return [read_request(command, received, usual_timeout=timeout, unnamed=unnamed)]
        wish = self._topics.parse_home(topic)
        if isinstance(wish, SetTopic):
            manner = Manner(self._config.start_token, timeout, interval)
            return read_settings(wish, received, manner, unnamed=unnamed)
        if isinstance(wish, GetTopic):
            self._refresh(wish.charger)
            return read_wish(wish, received, timeout=timeout, interval=interval, unnamed=unnamed)
        if received.payload:
            _log.warning("message on no command topic ignored", topic=topic)
        return []

    async def publish_from(self, outbox: Outbox) -> None:
        """Publish results one by one until the connection is lost; the one in flight then goes back."""
        while True:
            with await outbox.take() as reply:
                await self._publish(reply)
            _heed_cancellation()

    async def _publish(self, reply: Reply) -> None:
        result = reply.result
        try:
            await self._client.publish(
                self._destination(reply), to_json(result.as_dict()), qos=1, properties=self._properties(reply)
            )
        except ValueError as error:
            _log.warning("result not published", command_id=result.id, charger=str(result.charger), reason=str(error))

    async def publish_problem(self, topic: str, told: dict[str, Any]) -> bool:
        """Retain what is wrong with what a home asked for, or that nothing is; returns whether the broker took it. One
        at a time. Raises MqttError where the broker says nothing to it."""
        properties = self._json_properties()
        try:
            sent = self._client._client.publish(topic, to_json(told), qos=1, retain=True, properties=properties)
        except ValueError as error:
            _log.warning("problem not published", topic=topic, reason=str(error))
            return True
        if sent.rc != paho.MQTT_ERR_SUCCESS:
            raise aiomqtt.MqttCodeError(sent.rc, "Could not publish message")
        self._problem = sent.mid, asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(CALL_SECONDS):
                return await self._problem[1] < _FAILURE
        except TimeoutError:
            raise aiomqtt.MqttError("the broker does not acknowledge a problem") from None
        finally:
            self._problem = None

    def _destination(self, reply: Reply) -> str:
        result, wanted = reply.result, reply.response_topic
        if wanted is not None:
            if self._topics.may_reply_to(wanted):
                return wanted
            _log.warning(
                "Response Topic refused: it lies among the gateway's own topics, or is no topic",
                command_id=result.id,
                charger=str(result.charger),
                response_topic=wanted,
            )
        return self._topics.result(result.charger, result.name)

    def _properties(self, reply: Reply) -> Properties | None:
        properties = self._json_properties()
        if properties is not None and reply.correlation is not None:
            properties.CorrelationData = reply.correlation
        return properties

    def _json_properties(self) -> Properties | None:
        if not self._mqtt5:
            return None
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.PayloadFormatIndicator = 1
        properties.ContentType = "application/json"
        return properties

    # ------------------------------------------------------------ questions

    def send_ask(self, ask: Ask) -> int:
        """Publish a question, and do not wait; the asker is told the broker's word on it. Raises AskFailed."""
        properties = self._json_properties()
        if properties is not None:
            properties.ResponseTopic = self._topics.answer(ask.charger, ask.id)
            properties.CorrelationData = ask.id.encode()
            properties.MessageExpiryInterval = max(1, math.ceil(ask.deadline - self._clock.now()))
        topic = self._topics.ask(ask.charger, ask.kind)
        try:
            sent = self._client._client.publish(topic, to_json(ask.as_dict()), qos=1, properties=properties)
        except ValueError as error:
            raise AskFailed(f"the question cannot be published: {error}") from error
        if sent.rc != paho.MQTT_ERR_SUCCESS:
            raise AskFailed(f"the MQTT broker is away: {paho.error_string(sent.rc)}")
        return sent.mid

    def _acknowledged(
        self, client: paho.Client, userdata: Any, packet_id: int, code: ReasonCode, properties: Properties
    ) -> None:
        self._pass_on(client, userdata, packet_id, code, properties)
        self._asker.acknowledged(packet_id, code.value)
        if self._problem is not None and self._problem[0] == packet_id and not self._problem[1].done():
            self._problem[1].set_result(code.value)


def _heed_cancellation() -> None:
    """End a task that was cancelled while it published: `asyncio.wait_for`, which aiomqtt waits by, loses that until
    Python 3.12 where the broker's word comes at the same moment."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _has_failed(descriptor: int) -> bool:
    """Whether a socket was reset, or closed on both sides; what it received may be read still."""
    if descriptor < 0 or not hasattr(select, "poll"):
        return False
    poll = select.poll()
    poll.register(descriptor, 0)
    return bool(poll.poll(0))
