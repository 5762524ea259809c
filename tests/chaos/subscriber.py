"""A business system with a persistent MQTT session: writes down everything that the broker hands it, in order."""

import json
import threading
from dataclasses import dataclass
from functools import cached_property
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

SESSION_SECONDS = 3600
CONNECT_SECONDS = 60.0


@dataclass(frozen=True)
class Heard:
    """One message; `retained` is set where it came from the broker's memory."""

    topic: str
    payload: bytes
    retained: bool
    correlation: bytes | None

    @cached_property
    def json(self) -> Any:
        return json.loads(self.payload)

    @property
    def text(self) -> str:
        return self.payload.decode()


class Subscriber:
    """Listens in a thread of its own, reconnects by itself, and keeps its session over its own and the broker's
    absence. A message is acknowledged only after it was written down."""

    def __init__(self, port: int, topic_filter: str = "ocpp/#", *, client_id: str | None = None) -> None:
        self.heard: list[Heard] = []
        self._port, self._filter = port, topic_filter
        self._subscribed = threading.Event()
        self._client = paho.Client(
            paho.CallbackAPIVersion.VERSION2,
            client_id=client_id or f"subscriber-{uuid4().hex[:8]}",
            protocol=paho.MQTTv5,
        )
        self._client.reconnect_delay_set(min_delay=1, max_delay=1)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._on_message

    def __enter__(self) -> Self:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = SESSION_SECONDS
        properties.ReceiveMaximum = 1000
        self._client.connect("127.0.0.1", self._port, clean_start=False, properties=properties)
        self._client.loop_start()
        assert self._subscribed.wait(CONNECT_SECONDS), "the subscriber could not subscribe"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def publish(
        self,
        topic: str,
        payload: dict[str, Any],
        *,
        response_topic: str | None = None,
        correlation: bytes = b"",
        wait: bool = True,
        qos: int = 1,
    ) -> None:
        """Publish, e.g. a command; without `wait` it may be kept here until the broker is back."""
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        if response_topic is not None:
            properties.ResponseTopic = response_topic
            properties.CorrelationData = correlation
        published = self._client.publish(topic, json.dumps(payload), qos=qos, properties=properties)
        if wait:
            published.wait_for_publish(60)

    def clear(self, topic: str) -> None:
        """Clear a retained message; to the gateway, on a command topic, that is something to take and pass over."""
        self._client.publish(topic, b"", qos=1, retain=True).wait_for_publish(60)

    # ------------------------------------------------------------ what was heard

    def events(self, charger: str | None = None) -> list[dict[str, Any]]:
        """The events in the order in which they came, of one charger or of all; what came twice is there twice."""
        middle = "/event/" if charger is None else f"ocpp/chargers/{charger}/event/"
        return [heard.json for heard in list(self.heard) if middle in heard.topic]

    def types(self, charger: str) -> list[str]:
        """The types of a charger's events, those that came twice once."""
        return [event["type"].removeprefix("ocpp.") for event in once(self.events(charger))]

    def on(self, topic: str) -> list[Heard]:
        return [heard for heard in list(self.heard) if heard.topic == topic]

    def last(self, topic: str) -> Heard | None:
        """What the topic, if it is a retained one, holds now."""
        found = self.on(topic)
        return found[-1] if found else None

    def availability(self, charger: str) -> str | None:
        heard = self.last(f"ocpp/chargers/{charger}/availability")
        return None if heard is None else heard.text

    def connector(self, charger: str, evse: int = 1) -> dict[str, Any]:
        heard = self.last(f"ocpp/chargers/{charger}/evse/{evse}/connector/1/state")
        found: dict[str, Any] = {} if heard is None else heard.json
        return found

    # ------------------------------------------------------------ called by the client's thread

    def _on_connect(self, client: paho.Client, *_: Any) -> None:
        client.subscribe(self._filter, qos=1)

    def _on_message(self, _client: paho.Client, _userdata: object, message: paho.MQTTMessage) -> None:
        correlation = getattr(message.properties, "CorrelationData", None)
        self.heard.append(Heard(message.topic, bytes(message.payload), message.retain, correlation))


def once(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first of each event, as a consumer keeps it: by source and id alone."""
    first: dict[tuple[str, str], dict[str, Any]] = {}
    for event in events:
        first.setdefault((event["source"], event["id"]), event)
    return list(first.values())
