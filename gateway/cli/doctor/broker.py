"""The MQTT broker: can it be reached, does it let us in, and may we publish and subscribe? Tried with a real message.

The same connection looks at what is retained: whether a gateway is online under the prefix, and what Home Assistant's
discovery holds.
"""

import asyncio
import json
import secrets
import socket
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import aiomqtt

from adapters.mqtt.address import Address
from adapters.mqtt.config import MqttConfig
from adapters.mqtt.control_dialer import ControlDialer
from adapters.mqtt.login import Login
from adapters.mqtt.publisher import Publisher
from adapters.mqtt.topics import Topics
from gateway.cli.doctor.findings import Finding, Findings
from gateway.core.errors import ConfigurationError, DeliveryError, EmbeddedServerError
from gateway.embedded.broker import EmbeddedBroker

_BROKER = Findings("mqtt")
_HOME_ASSISTANT = Findings("home assistant")

PROBE_SECONDS = 5.0
"""How long a message may take from us to the broker and back."""
ECHO_SECONDS = 2.0
"""How long after that one those may take that were published where the gateway listens."""
_REFUSED = 0x80
_ORIGIN = "OCPP gateway"
_ACL = "let the gateway's user read and write {prefix}/# (deploy/brokers.md)"
_REACH = (
    "is it started, are host and port right, and does its firewall let this machine in? [mqtt] url (MQTT_URL) is "
    "mqtt://user:password@host:1883; without one the gateway brings a broker of its own"
)
_LOGIN = "mend user and password: [mqtt] username and password; Home Assistant's Mosquitto add-on takes its users"


@dataclass(slots=True)
class Seen:
    """What came over the connection: the probe, and what is retained."""

    probe: bool = False
    status: str | None = None
    home_assistant: str | None = None
    """Its last word at its status topic, where it retains that."""
    configurations: dict[str, str] = field(default_factory=dict)
    """Topics of discovery configurations → who made them, where they say."""


def elsewhere() -> Finding:
    """The gateway that runs is with a broker that this configuration does not lead to."""
    return _BROKER.warning(
        "the gateway that runs here is connected to its broker all the same: it has another configuration than doctor",
        "give doctor the same: MQTT_URL=... ocpp-gateway doctor, or -c and the gateway's file",
    )


@dataclass(slots=True)
class Probe:
    """One look at a broker."""

    config: MqttConfig
    discovery: str
    announces: bool = False
    """Whether the gateway announces chargers to Home Assistant."""
    seen: Seen = field(default_factory=Seen)
    topic: str = ""
    watched: dict[str, bool] = field(default_factory=dict)
    """Filters that were subscribed to → whether the broker granted them."""
    may_announce: bool = True
    may_tell_problems: bool = True
    echoes: dict[str, bool] = field(default_factory=dict)
    """Topics at which the gateway would listen, and we may publish → whether that came back."""

    def __post_init__(self) -> None:
        self.topic = f"{self.config.prefix}/doctor/{secrets.token_hex(6)}"

    @property
    def filters(self) -> tuple[str, ...]:
        topics, discovery = Topics(self.config.prefix), self.discovery
        found = (f"{discovery}/status", f"{discovery}/+/+/config", f"{discovery}/+/+/+/config")
        return (self.topic, topics.status, *topics.filters, *found)

    async def run(self) -> AsyncIterator[Finding]:
        """What is found, as it is found."""
        try:
            address = Address.of(self.config)
        except ConfigurationError as error:
            yield _BROKER.problem(str(error), "mend [mqtt] ca_file, certificate and key")
            return
        try:
            async with ControlDialer(address, self.config, _client_id()).connected() as (client, is_mqtt5):
                yield _BROKER.ok(f"{address} lets us in, with MQTT {'5' if is_mqtt5 else '3.1.1'}")
                if not is_mqtt5 and not self.config.trust_puback:
                    yield _BROKER.problem(
                        "it does not know MQTT 5: what its ACL refuses would be lost unnoticed",
                        "use Mosquitto 2, EMQX 5 or HiveMQ, or accept that with [mqtt] trust_puback = true",
                    )
                await self._subscribe(client)
                refused = await self._publish(address, client, is_mqtt5=is_mqtt5)
                if refused is None:
                    if is_mqtt5:
                        await self._try_topics_of_chargers(address)
                    await self._listen(client)
                for finding in self._rights(refused):
                    yield finding
        except aiomqtt.MqttError as error:
            yield _unreachable(address, error)

    async def _subscribe(self, client: aiomqtt.Client) -> None:
        for topic_filter in self.filters:
            # At QoS 0, as nothing is acknowledged here: hundreds of retained messages may come.
            codes = await client.subscribe(topic_filter, qos=0)
            self.watched[topic_filter] = all((c if isinstance(c, int) else c.value) < _REFUSED for c in codes)

    async def _publish(self, address: Address, client: aiomqtt.Client, *, is_mqtt5: bool) -> str | None:
        """Publish the probe, as the gateway publishes; why it was refused, None where it was not."""
        if not is_mqtt5:
            await client.publish(self.topic, b"probe", qos=1)
            return None
        try:
            publisher = await Publisher.open(address, Login(_client_id(), self.config.keepalive))
            try:
                (code,) = await publisher.publish([(self.topic, b"probe")])
                # Some brokers hang up on what follows a refusal.
                if self.announces and code < _REFUSED:
                    # To Home Assistant a sensor goes that never was, which it does not log; a device's going it would.
                    nobody = (f"{self.discovery}/sensor/ocpp_gateway_doctor/config", b"")
                    self.may_announce = (await publisher.publish([nobody], retain=True))[0] < _REFUSED
            finally:
                await publisher.disconnect(with_will=False)
        except DeliveryError as error:
            return str(error)
        return None if code < _REFUSED else f"reason code 0x{code:02x}"

    async def _try_topics_of_chargers(self, address: Address) -> None:
        """Publish where the gateway tells of problems, and where it listens: a broker may let it subscribe, and give
        it nothing. Each clears what no charger has, as its id is empty; no gateway takes that for a command."""
        topics = Topics(self.config.prefix)
        told = await self._granted(address, topics.problem_filters)
        self.may_tell_problems = len(told) == len(topics.problem_filters)
        heard = (*topics.command_filters, *topics.home_filters, topics.answer_filter)
        # Commands are for others to publish: where we may not, nothing is known.
        self.echoes = dict.fromkeys(await self._granted(address, heard), False)

    async def _granted(self, address: Address, filters: Iterable[str]) -> list[str]:
        """The topics, one for each filter, at which the broker lets us clear what is retained."""
        chargers = f"{self.config.prefix}/chargers/"
        named = [one.replace(f"{chargers}+/", f"{chargers}/").replace("+", "1") for one in filters]
        try:
            # A connection of their own: some brokers hang up on who published what he may not.
            publisher = await Publisher.open(address, Login(_client_id(), self.config.keepalive))
            try:
                codes = await publisher.publish([(topic, b"") for topic in named], retain=True, halt=False)
            finally:
                await publisher.disconnect(with_will=False)
        except DeliveryError:
            return []
        return [topic for topic, code in zip(named, codes, strict=True) if code < _REFUSED]

    async def _listen(self, client: aiomqtt.Client) -> None:
        """Until all has come back that may: what is retained comes before it."""
        await self._listen_until(client, lambda: self.seen.probe, PROBE_SECONDS)
        await self._listen_until(client, lambda: all(self.echoes.values()), ECHO_SECONDS)

    async def _listen_until(self, client: aiomqtt.Client, met: Callable[[], bool], seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not met():
                    message = await anext(client.messages)
                    self._take(str(message.topic), message.payload)

    def _take(self, topic: str, payload: object) -> None:
        text = payload.decode(errors="replace") if isinstance(payload, bytes | bytearray) else str(payload)
        if topic == self.topic:
            self.seen.probe = True
        elif topic in self.echoes:
            self.echoes[topic] = True
        elif topic == Topics(self.config.prefix).status:
            self.seen.status = text
        elif topic == f"{self.discovery}/status":
            self.seen.home_assistant = text
        elif topic.endswith("/config") and text:
            self.seen.configurations[topic] = _origin(text)

    def _rights(self, refused: str | None) -> Iterator[Finding]:
        prefix = self.config.prefix
        advice = _ACL.format(prefix=prefix)
        denied = [name for name, granted in self.watched.items() if not granted and name.startswith(f"{prefix}/")]
        if refused is not None:
            yield _BROKER.problem(f"publishing below {prefix}/ is refused: {refused}", advice)
        if denied:
            yield _BROKER.problem(f"subscribing is refused: {', '.join(denied)}", advice)
        if refused is None and not denied and not self.seen.probe:
            told = f"a message published below {prefix}/ did not come back within {PROBE_SECONDS:g} s"
            yield _BROKER.problem(told, advice)
        if self.seen.probe:
            unheard = [topic for topic, came_back in self.echoes.items() if not came_back]
            hears = "; commands can be heard" if self.echoes and not unheard else ""
            yield _BROKER.ok(f"a message below {prefix}/ was published and came back{hears}")
            if unheard and not denied:
                told = f"what is sent to the gateway does not reach it, as at {unheard[0].replace('//', '/{id}/')}"
                yield _BROKER.problem(told, advice)
            if not self.may_tell_problems:
                told = f"publishing at {prefix}/chargers/{{id}}/problem is refused, by which refusals are told"
                yield _BROKER.problem(told, advice)

    def after(self, *, is_running: bool) -> Iterator[Finding]:
        """What the retained messages tell, once `run` is over."""
        if not self.seen.probe:
            return
        if self.seen.status == "online" and not is_running:
            yield _BROKER.warning(
                f"a gateway is online under {self.config.prefix}/, and none runs here",
                "if it is not one of yours on another machine with the same Redis, give each its own [mqtt] prefix",
            )
        elif is_running and self.seen.status != "online":
            yield _BROKER.warning(
                f"the running gateway is not to be seen at {self.config.prefix}/status",
                "does it use this same configuration, broker and prefix? See its log",
            )
        yield from self._discovery(is_running=is_running)

    def _discovery(self, *, is_running: bool) -> Iterator[Finding]:
        found, prefix = self.seen.configurations, self.discovery
        ours = [topic for topic, origin in found.items() if origin == _ORIGIN]
        may_read = self.watched.get(f"{prefix}/status", False)
        if not may_read or not self.may_announce:
            if self.announces:
                yield _HOME_ASSISTANT.problem(
                    f"the broker does not let us {'write' if may_read else 'read'} below {prefix}/",
                    f"let the gateway's user read {prefix}/status and write {prefix}/#, or, without Home Assistant, "
                    "set [homeassistant] enabled = false",
                )
            return
        told = f"{len(found)} discovery configurations below {prefix}/, {len(ours)} of them of this gateway"
        if self.seen.home_assistant is not None:
            told += f"; Home Assistant says {self.seen.home_assistant}"
        if self.announces and is_running and not ours:
            yield _HOME_ASSISTANT.warning(
                told,
                "they appear with the first charger; Home Assistant must use this same broker, its MQTT integration "
                f"the discovery prefix {prefix}",
            )
        else:
            yield _HOME_ASSISTANT.ok(told)


def _origin(text: str) -> str:
    """Who made a discovery configuration, in its own words; empty where it does not say."""
    try:
        config = json.loads(text)
    except ValueError:
        return ""
    origin = config.get("origin", config.get("o")) if isinstance(config, dict) else None
    return str(origin.get("name", "")) if isinstance(origin, dict) else ""


def _client_id() -> str:
    return f"ocpp-gateway-doctor-{secrets.token_hex(4)}"


def _unreachable(address: Address, error: aiomqtt.MqttError) -> Finding:
    told = f"{address} cannot be used: {error}"
    refused = isinstance(error, aiomqtt.MqttCodeError) or "authori" in str(error).lower()
    return _BROKER.problem(told, _LOGIN if refused else _REACH)


@asynccontextmanager
async def embedded_broker() -> AsyncIterator[MqttConfig]:
    """The embedded broker, started on a free port in a folder of its own. Raises EmbeddedServerError."""
    with tempfile.TemporaryDirectory(prefix="ocpp-gateway-doctor-") as folder:
        server, port = await _started(Path(folder))
        try:
            yield MqttConfig(embedded_port=port)
        finally:
            await server.stop()


async def _started(folder: Path, tries: int = 3) -> tuple[EmbeddedBroker, int]:
    """A broker that runs, and its port; another program may take a free port first, so that several are tried."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    server = EmbeddedBroker(folder, port)
    try:
        await server.start()
    except EmbeddedServerError:
        if tries > 1:
            return await _started(folder, tries - 1)
        raise
    return server, port


async def try_embedded() -> AsyncIterator[Finding]:
    """Whether the embedded broker works on this machine."""
    try:
        async with embedded_broker() as config:
            probe = Probe(config, "homeassistant")
            found = [finding async for finding in probe.run()]
    except EmbeddedServerError as error:
        yield _BROKER.problem(
            f"the embedded broker does not start on this machine: {error}",
            "install a broker (apt install mosquitto), and set MQTT_URL=mqtt://127.0.0.1:1883",
        )
        return
    for finding in found:
        if finding.level != "ok":
            yield finding
    if probe.seen.probe:
        yield _BROKER.ok(
            "none is configured: the gateway starts the embedded one, which works on this machine",
            "it serves this machine only; for Home Assistant or others, name their broker: MQTT_URL=mqtt://...",
        )
