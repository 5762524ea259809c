"""The control lane: commands in, results out, questions out, answers in, over one connection of aiomqtt per node.

Every node subscribes to all commands and only the charger's own node acts (see `gateway.core.router`), as only the
node that asked takes an answer, so there is no session to keep: clean start, session expiry 0. A message is
acknowledged when there is room for it, which with the Receive Maximum makes the broker hold what is more than this
node can carry out at once.
"""

import asyncio
import random
from collections.abc import Callable
from secrets import token_hex

import aiomqtt
import structlog

from adapters.mqtt.address import Address
from adapters.mqtt.asking import MqttAsker
from adapters.mqtt.commands import ORIGIN
from adapters.mqtt.config import MqttConfig
from adapters.mqtt.connection import Connection
from adapters.mqtt.control_dialer import ControlDialer
from adapters.mqtt.execution import Execution
from adapters.mqtt.orders import Reply
from adapters.mqtt.outbox import Outbox
from adapters.mqtt.problems import Problems
from adapters.mqtt.sightings import Sightings
from adapters.mqtt.topics import Topics
from gateway.core.adapter import GatewayContext
from gateway.core.identity import ChargerId

_log = structlog.get_logger(__name__)

CHECK = "mqtt control"
LISTENING = "mqtt listening"
BACKOFF_FIRST = 0.2
BACKOFF_LAST = 10.0
OUTBOX_LIMIT = 1000
RESUBSCRIBE_SECONDS = 30.0
"""How often a subscription that the broker denied is asked for again."""
PUBLISHERS = 8
"""Results in flight at once; aiomqtt warns at every call above ten."""


class ControlLane:
    """Takes commands from their topics and publishes their results; connects anew for ever.

    `asker` asks over it; `refresh` has a charger's retained state published again, where this node does that.
    """

    def __init__(
        self,
        config: MqttConfig,
        context: GatewayContext,
        topics: Topics,
        asker: MqttAsker,
        refresh: Callable[[ChargerId], None],
    ) -> None:
        self._config = config
        self._context = context
        self._topics = topics
        self._asker = asker
        self._refresh = refresh
        self._client_id = f"ocpp-gateway-control-{context.node}-{token_hex(3)}"
        self._sightings = Sightings()
        self._outbox = Outbox(OUTBOX_LIMIT)
        self._problems = Problems(topics, context.state, context.health)
        self._connection: Connection | None = None

    async def run(self, started: Callable[[], None]) -> None:
        """Serve until cancelled; `started` is called once the first attempt to connect has succeeded or failed.

        Raises ConfigurationError for a certificate or key that does not load.
        """
        address = Address.of(self._config)
        now = self._context.clock.now
        self._context.router.through(ORIGIN, lambda result, reply: self._answer(Reply.of(result, reply, now())))
        async with asyncio.TaskGroup() as tasks:
            execution = Execution(
                router=self._context.router,
                clock=self._context.clock,
                tasks=tasks,
                waiting_limit=max(1, min(100, self._config.max_running_commands // 10)),
                interval=self._config.set_interval,
                answer=self._answer,
                ended=self._acknowledge,
            )
            self._context.router.hands_over(execution.hand_over)
            self._context.router.drains(execution.release)
            await self._stay_connected(address, execution, _once(started))

    def _answer(self, reply: Reply) -> None:
        self._outbox.put(reply)
        self._problems.put(reply.result, reply.problem_at, reply.at)

    def _acknowledge(self) -> None:
        if self._connection is not None:
            self._connection.acknowledge()

    async def _stay_connected(self, address: Address, execution: Execution, started: Callable[[], None]) -> None:
        delay = BACKOFF_FIRST
        dialer = ControlDialer(address, self._config, self._client_id)
        clock = self._context.clock
        while True:
            since = clock.monotonic()
            try:
                await self._connected(address, dialer, execution, started)
            except aiomqtt.MqttError as error:
                self._asker.disconnected(f"the MQTT broker is away: {error.__cause__ or error}")
                self._report("degraded", f"{address}: {error.__cause__ or error}")
                started()
            if clock.monotonic() - since > BACKOFF_LAST:
                delay = BACKOFF_FIRST
            await asyncio.sleep(random.uniform(delay / 2, delay))
            delay = min(BACKOFF_LAST, delay * 2)

    async def _connected(
        self, address: Address, dialer: ControlDialer, execution: Execution, started: Callable[[], None]
    ) -> None:
        """One connection, from its start to its loss. Raises MqttError."""
        async with dialer.connected() as (client, mqtt5):
            connection = Connection(
                client,
                mqtt5=mqtt5,
                config=self._config,
                topics=self._topics,
                clock=self._context.clock,
                execution=execution,
                asker=self._asker,
                sightings=self._sightings,
                listeners=self._context.listeners,
                refresh=self._refresh,
            )
            self._connection = connection
            try:
                denied = await connection.subscribe((*self._topics.filters, *self._context.listeners.filters))
                self._sightings.heard_since = self._context.clock.now()
                self._report_subscribed(address, connection, denied)
                started()
                async with _MqttTasks() as tasks:
                    tasks.create_task(connection.read(), name="mqtt control: read")
                    tasks.create_task(connection.look_after(), name="mqtt control: look after the socket")
                    for number in range(PUBLISHERS):
                        tasks.create_task(connection.publish_from(self._outbox), name=f"mqtt control: publish {number}")
                    problems = self._problems.publish(connection.publish_problem)
                    tasks.create_task(problems, name="mqtt control: publish problems")
                    while denied:
                        await asyncio.sleep(RESUBSCRIBE_SECONDS)
                        denied = await connection.subscribe(denied)
                        self._report_subscribed(address, connection, denied)
            finally:
                self._connection = None

    def _report_subscribed(self, address: Address, connection: Connection, denied: tuple[str, ...]) -> None:
        if self._topics.answer_filter in denied:
            self._asker.disconnected(f"the MQTT broker denies the subscription to {self._topics.answer_filter}")
        else:
            self._asker.connected(connection)
        unheard = [one for one in denied if one in self._context.listeners.filters]
        if not unheard:
            self._context.health.clear(LISTENING)
        elif self._context.health.set(LISTENING, "degraded", f"{address} denies the subscription to {unheard}"):
            _log.warning("the broker denies what an adapter listens to", topics=unheard)
        if len(denied) > len(unheard):
            self._report("degraded", f"{address} denies the subscription to {', '.join(denied)}")
        else:
            self._report("ok", f"{address}")

    def _report(self, level: str, detail: str) -> None:
        """Tell the health board, and the log where this is new."""
        if level == "ok":
            if self._context.health.set(CHECK, "ok"):
                _log.info("mqtt commands are taken", broker=detail)
        elif self._context.health.set(CHECK, "degraded", detail):
            _log.warning("mqtt commands are not taken", reason=detail)


class _MqttTasks(asyncio.TaskGroup):
    """A TaskGroup that ends with the MqttError of a task as itself, not in a group."""

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        try:
            await super().__aexit__(kind, error, trace)  # type: ignore[arg-type]
        except BaseExceptionGroup as group:
            lost, other = group.split(aiomqtt.MqttError)
            if other is not None or lost is None:
                raise
            first: BaseException = lost
            while isinstance(first, BaseExceptionGroup):
                first = first.exceptions[0]
            raise first from first.__cause__


def _once(call: Callable[[], None]) -> Callable[[], None]:
    waiting = [call]

    def first_only() -> None:
        if waiting:
            waiting.pop()()

    return first_only
