"""Coming to a broker connection: which MQTT version, how often to try, and what the health board and log say of it."""

import asyncio
import hashlib
import random
from collections.abc import Sequence
from typing import Protocol

import structlog

from adapters.mqtt.address import Address
from adapters.mqtt.config import MqttConfig
from adapters.mqtt.fallback import OldPublisher
from adapters.mqtt.login import ConnectRefused, Login, Message
from adapters.mqtt.publisher import Publisher
from gateway.core.adapter import GatewayContext
from gateway.core.errors import DeliveryInterrupted

log = structlog.get_logger(__name__)

_BACKOFF_FIRST, _BACKOFF_MOST = 0.2, 10.0
_STABLE_SECONDS = 10.0
"""A connection that lived shorter than this does not make the next attempts any quicker."""
_SAME_END = 1.0
"""Within so many seconds connections end that one crash ends."""
_HEALTH = "mqtt broker"
_HANG_UPS = 3
"""A broker that hung up on so many MQTT 5 logins in a row is taken for one that does not know it."""
_NEEDS_TRUST = (
    "a broker without MQTT 5 acknowledges what its ACL refused, so that events are lost unnoticed. Use one with "
    "MQTT 5, or accept that with mqtt.trust_puback = true"
)


class Connection(Protocol):
    """What both MQTT versions offer; see Publisher."""

    @property
    def said_goodbye(self) -> bool: ...

    @property
    def ended_owing(self) -> bool: ...

    async def publish(
        self,
        messages: Sequence[Message],
        *,
        retain: bool = False,
        content_type: str | None = None,
        halt: bool = True,
    ) -> bytes: ...

    async def lost(self) -> str: ...

    async def disconnect(self, *, with_will: bool) -> None: ...


class Backoff:
    """Growing waits with jitter, so that many clients do not come back in step."""

    def __init__(self) -> None:
        self._next = _BACKOFF_FIRST

    def reset(self) -> None:
        self._next = _BACKOFF_FIRST

    async def wait(self) -> None:
        wait, self._next = self._next, min(self._next * 2, _BACKOFF_MOST)
        await asyncio.sleep(wait * random.uniform(0.5, 1.0))


class BrokerHealth:
    """One line on the health board, and one in the log per change, for the connections of all shards."""

    def __init__(self, context: GatewayContext) -> None:
        self._context = context
        self._problems: dict[int, str] = {}

    def problem(self, shard: int, problem: str) -> None:
        self._problems[shard] = problem
        self._context.observer.up("mqtt", False)
        if self._context.health.set(_HEALTH, "degraded", problem):
            log.warning("the MQTT broker cannot be used", problem=problem)

    def clear(self, shard: int) -> None:
        if self._problems.pop(shard, None) is not None and not self._problems:
            log.info("the MQTT broker can be used again")
        if not self._problems:
            self._context.observer.up("mqtt", True)
            self._context.health.set(_HEALTH, "ok")


class Dialer:
    """Makes the data lane's connections; shared by all shards."""

    def __init__(self, config: MqttConfig, context: GatewayContext) -> None:
        self._config = config
        self.health = BrokerHealth(context)
        self._address: Address | None = None
        self._told_of_fallback = False
        self._hang_ups = 0
        self._fell_silent_at = float("-inf")
        self._prefix_hash = hashlib.blake2b(config.prefix.encode(), digest_size=4).hexdigest()

    def login(self, shard: int, *, will: Message | None = None, will_delay: int = 0) -> Login:
        """A shard's login: one client id for all nodes, so that a new holder of the lease cuts off the old one."""
        client_id = f"ocpp-gateway-{self._prefix_hash}-shard-{shard:02d}"
        return Login(client_id, self._config.keepalive, will, will_delay)

    def fell_silent(self) -> None:
        """A connection ended without a word and without a cause of its own."""
        self._fell_silent_at = asyncio.get_running_loop().time()

    def fell_silent_since(self, moment: float) -> bool:
        """Whether that happened to any shard since (the event loop's time): then it is the broker that went."""
        return self._fell_silent_at >= moment

    async def dial(self, login: Login) -> Connection:
        """Connect, once. Raises ConnectRefused, and ConfigurationError for a certificate that does not load."""
        if self._address is None:
            self._address = Address.of(self._config)
        address = self._address
        if self._config.protocol == "3.1.1":
            return await self._fall_back(address, login, "mqtt.protocol is 3.1.1")
        try:
            connection = await Publisher.open(address, login)
        except ConnectRefused as error:
            self._hang_ups = self._hang_ups + 1 if error.old_protocol == "perhaps" else 0
            old = error.old_protocol == "yes" or self._hang_ups >= _HANG_UPS
            if not old or self._config.protocol == "5":
                raise ConnectRefused(f"{address}: {error}") from error
            return await self._fall_back(address, login, str(error))
        self._hang_ups = 0
        return connection

    async def _fall_back(self, address: Address, login: Login, why: str) -> Connection:
        if not self._config.trust_puback:
            raise ConnectRefused(f"{address}: {why}: {_NEEDS_TRUST}")
        try:
            connection = await OldPublisher.open(address, login)
        except ConnectRefused as error:
            raise ConnectRefused(f"{address}: {error}") from error
        if not self._told_of_fallback:
            self._told_of_fallback = True
            log.warning(
                "MQTT 3.1.1 is used: a publish that the broker's ACL refuses is lost unnoticed",
                broker=str(address),
                why=why,
            )
        return connection


class Redialer:
    """One shard's connection over all its lives."""

    def __init__(self, dialer: Dialer, shard: int) -> None:
        self._dialer, self._shard = dialer, shard
        self._backoff = Backoff()
        self._lived_from: float | None = None
        self._refused = False
        self._connection: Connection | None = None
        self.broker_may_have_crashed = False
        """The broker went without a word before the connection that `dial` made, and owed this shard, or another that
        lost it then, nothing; or it was away when it was sought. One that hangs up on what it gets, too large or
        refused, has not crashed."""

    def refused(self) -> None:
        """The broker works, and refused something: should it hang up for that, come back quickly."""
        self._backoff.reset()
        self._refused = True

    async def dial(self, login: Login) -> Connection:
        """Connect; tries until it works. Raises ConfigurationError."""
        now = asyncio.get_running_loop().time()
        before = self._connection
        silent = not (self._refused or before is None or before.said_goodbye)
        self.broker_may_have_crashed = silent and before is not None and not before.ended_owing
        if self.broker_may_have_crashed:
            self._dialer.fell_silent()
        if self._lived_from is not None:
            if now - self._lived_from >= _STABLE_SECONDS:
                self._backoff.reset()
            await self._backoff.wait()
        while True:
            try:
                connection = await self._dialer.dial(login)
            except DeliveryInterrupted as error:
                self._dialer.health.problem(self._shard, str(error))
                self.broker_may_have_crashed = True
                await self._backoff.wait()
                continue
            if silent and self._dialer.fell_silent_since(now - _SAME_END):
                self.broker_may_have_crashed = True
            self._dialer.health.clear(self._shard)
            self._lived_from = asyncio.get_running_loop().time()
            self._connection, self._refused = connection, False
            return connection
