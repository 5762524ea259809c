"""The parts that openapi/asyncapi.yaml is put together from: topics with their messages, and what is done there."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).parents[2] / "openapi" / "examples"

Object = dict[str, Any]

PARAMETERS: Mapping[str, str] = {
    "charger_id": "Identity of the charger, percent-encoded: / + # % $, controls and non-ASCII as upper-case hex",
    "evse_id": "EVSE, counted from 1; on OCPP 1.6 the connector's number",
    "connector_id": "Connector of the EVSE, counted from 1",
    "attribute": "Name of the state's key that is set",
    "action": "OCPP action, as OCPP spells it",
    "command": "Name of the command, or action of the raw call",
    "question": "Name of the question",
    "ask_id": "The question's `id`, percent-encoded as the charger's",
}


def ref(kind: str, name: str) -> Object:
    return {"$ref": f"#/components/{kind}/{name}"}


def first_line(told: str) -> str:
    return told.split("\n\n")[0].replace("\n", " ")


def example(path: str) -> Any:
    """A recorded example, None where there is none yet."""
    file = EXAMPLES / path
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None


def message(
    name: str, told: str, payload: Object, *, content_type: str = "application/json", examples: Sequence[Any] = ()
) -> Object:
    """A message; examples that are None are left out."""
    shown = [{"payload": one} for one in examples if one is not None]
    found: Object = {"name": name, "summary": first_line(told), "contentType": content_type, "payload": payload}
    return found | ({"examples": shown} if shown else {})


@dataclass(slots=True)
class Channel:
    """A topic and the messages that pass there; `address` None: the topic is in the message."""

    name: str
    address: str | None
    told: str
    messages: Mapping[str, Object]

    def written(self) -> Object:
        found: Object = {
            "address": self.address,
            "description": self.told,
            "messages": {name: ref("messages", name) for name in self.messages},
        }
        used = [key for key in PARAMETERS if self.address is not None and f"{{{key}}}" in self.address]
        if used:
            found["parameters"] = {key: ref("parameters", key) for key in used}
        return found


@dataclass(slots=True)
class Operation:
    """What the gateway does at a channel: `send` or `receive`; `reply` names the channel and message of the answer,
    `reply_to_header` whether the answer goes to the message's own Response Topic."""

    name: str
    action: str
    channel: str
    told: str
    retain: bool = False
    messages: Sequence[str] = ()
    reply: tuple[str, str] | None = None
    reply_to_header: bool = False

    def written(self) -> Object:
        found: Object = {
            "action": self.action,
            "channel": {"$ref": f"#/channels/{self.channel}"},
            "summary": first_line(self.told),
            "bindings": {"mqtt": {"bindingVersion": "0.2.0", "qos": 1, "retain": self.retain}},
        }
        if self.messages:
            found["messages"] = [_of_channel(self.channel, name) for name in self.messages]
        if self.reply is not None:
            channel, name = self.reply
            found["reply"] = {
                **({"address": {"location": "$message.header#/responseTopic"}} if self.reply_to_header else {}),
                "channel": {"$ref": f"#/channels/{channel}"},
                "messages": [_of_channel(channel, name)],
            }
        return found


def _of_channel(channel: str, name: str) -> Object:
    return {"$ref": f"#/channels/{channel}/messages/{name}"}
