"""The home's MQTT client: sets attributes, hears how that ended, and keeps what a dashboard shows."""

import asyncio
import itertools
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tests.chaos.home.wishes import Wish

REPLIES = "ocpp/reply/home"
SESSION_SECONDS = 3600
PATIENCE = 60.0


@dataclass
class EnergySensor:
    """A sensor of state class total_increasing, as Home Assistant's statistics sum it up: a fall of more than a tenth
    means that the meter began anew."""

    sum: float = 0.0
    last: float | None = None
    resets: int = 0

    def shows(self, value: float | None) -> None:
        if value is None:
            return
        if self.last is not None:
            if value < 0.9 * self.last:
                self.resets += 1
                self.sum += value
            else:
                self.sum += value - self.last
        self.last = value


@dataclass
class Place:
    """What is known of a wallbox's connector."""

    charger: str
    state: dict[str, Any] = field(default_factory=dict)
    problem: dict[str, Any] = field(default_factory=dict)
    energy: EnergySensor = field(default_factory=EnergySensor)
    last_transactions: dict[str, float | None] = field(default_factory=dict)
    """By id, the energy that `last_transaction` told last."""
    available: bool = False

    @property
    def topic(self) -> str:
        return f"ocpp/chargers/{self.charger}/evse/1/connector/1"


class Hub:
    """One client with a persistent session, in a thread of its own; what it hears is worked off in the event loop."""

    def __init__(self, port: int, chargers: list[str], now: Callable[[], float]) -> None:
        self.places = {charger: Place(charger) for charger in chargers}
        self.wishes: list[Wish] = []
        self.online = False
        self.flaws: list[str] = []
        self.calm = asyncio.Lock()
        """Held by who restarts the broker or the gateway, and by who wants neither to happen."""
        self._by_id: dict[str, Wish] = {}
        self._pending: dict[str, Wish] = {}
        self._now, self._port = now, port
        self._numbers = itertools.count(1)
        self._excused = 0
        self._changed = asyncio.Event()
        self._subscribed = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._client = paho.Client(
            paho.CallbackAPIVersion.VERSION2, client_id=f"home-{uuid4().hex[:8]}", protocol=paho.MQTTv5
        )
        self._client.reconnect_delay_set(min_delay=1, max_delay=1)
        self._client.on_connect = lambda client, *_: client.subscribe("ocpp/#", qos=1)
        self._client.on_subscribe = lambda *_: self._loop.call_soon_threadsafe(self._subscribed.set)
        self._client.on_message = self._on_message

    async def __aenter__(self) -> Self:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = SESSION_SECONDS
        properties.ReceiveMaximum = 1000
        self._client.connect("127.0.0.1", self._port, clean_start=False, properties=properties)
        self._client.loop_start()
        async with asyncio.timeout(PATIENCE):
            await self._subscribed.wait()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.disconnect()
        await asyncio.to_thread(self._client.loop_stop)

    # ------------------------------------------------------------ what the home does

    def set(self, charger: str, attribute: str, value: str | float) -> Wish:
        """Set an attribute of a connector by its plain value."""
        text = value if isinstance(value, str) else f"{value:g}"
        wish = Wish(f"wish-{next(self._numbers)}", charger, attribute, text, self._now(), self._excused > 0)
        self.wishes.append(wish)
        self._by_id[wish.id] = self._pending[wish.id] = wish
        self._publish(f"{self.places[charger].topic}/set/{attribute}", text, wish.id)
        return wish

    def command(self, charger: str, name: str, arguments: dict[str, Any]) -> None:
        """Give a neutral command whose result nobody waits for."""
        self._publish(f"ocpp/chargers/{charger}/command/{name}", json.dumps(arguments), f"command-{uuid4().hex}")

    def _publish(self, topic: str, payload: str, correlation: str) -> None:
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.ResponseTopic = REPLIES
        properties.CorrelationData = correlation.encode()
        self._client.publish(topic, payload, qos=1, properties=properties)

    # ------------------------------------------------------------ waiting

    async def until(self, holds: Callable[[], bool], what: str, seconds: float = PATIENCE) -> bool:
        """Wait until something holds that messages may change; a flaw where it does not in time."""
        deadline = time.monotonic() + seconds
        while not holds():
            self._changed.clear()
            try:
                async with asyncio.timeout(min(0.25, deadline - time.monotonic())):
                    await self._changed.wait()
            except TimeoutError:
                if time.monotonic() >= deadline:
                    self.flaws.append(f"after {seconds:g} s: {what}")
                    return False
        return True

    def open_wishes(self) -> list[Wish]:
        """Those that must still be told."""
        return [wish for wish in self._pending.values() if not wish.excused]

    async def settled(self) -> bool:
        """Wait until all that was set has ended."""
        return await self.until(lambda: not self.open_wishes(), "not every set was told an outcome")

    def excuse(self) -> None:
        """From now on what is set may get lost."""
        self._excused += 1

    async def heard_again(self, charger: str, value: Callable[[], float | str]) -> None:
        """Set a limit until that is told: from then on nothing may get lost any more."""
        probes: list[Wish] = []
        answered = False
        deadline = time.monotonic() + PATIENCE
        while not answered and time.monotonic() < deadline:
            probes.append(self.set(charger, "limit_a", value()))
            try:
                async with asyncio.timeout(0.5):
                    while not (answered := any(probe.outcomes for probe in probes)):
                        self._changed.clear()
                        await self._changed.wait()
            except TimeoutError:
                continue
        if not answered:
            self.flaws.append("the gateway did not hear the home again")
        self._excused -= 1

    # ------------------------------------------------------------ what the home hears

    def _on_message(self, _client: paho.Client, _userdata: object, message: paho.MQTTMessage) -> None:
        correlation = getattr(message.properties, "CorrelationData", None)
        self._loop.call_soon_threadsafe(self._hear, message.topic, bytes(message.payload), correlation)

    def _hear(self, topic: str, payload: bytes, correlation: bytes | None) -> None:
        self._changed.set()
        if topic == "ocpp/status":
            self.online = payload == b"online"
        elif topic == REPLIES:
            self._told(json.loads(payload), "" if correlation is None else correlation.decode())
        else:
            for place in self.places.values():
                if topic == f"{place.topic}/state":
                    self._shown(place, json.loads(payload))
                elif topic == f"{place.topic}/problem":
                    place.problem = json.loads(payload) if payload else {}
                elif topic == f"ocpp/chargers/{place.charger}/availability":
                    place.available = payload == b"online"

    def _told(self, result: dict[str, Any], correlation: str) -> None:
        wish = self._by_id.get(correlation)
        if wish is None:
            return
        wish.outcomes.append(result["outcome"])
        wish.reasons.append(result["reason"])
        wish.told = wish.told or time.monotonic()
        self._pending.pop(correlation, None)

    def _shown(self, place: Place, state: dict[str, Any]) -> None:
        place.state = state
        place.energy.shows(state["energy_register_wh"])
        last = state["last_transaction"]
        if last is not None:
            place.last_transactions[last["id"]] = last["energy_wh"]
