"""The MQTT contract as AsyncAPI 3.0, made from topics, event schemas and command models.

`python -m adapters.mqtt.asyncapi` writes openapi/asyncapi.yaml.
"""

import sys
from collections.abc import Iterator
from inspect import getdoc
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, TypeAdapter, create_model
from pydantic.json_schema import GenerateJsonSchema

from adapters.mqtt.commands import Terms
from adapters.mqtt.event_schemas import EVENTS, MEANINGS, RawMessage
from adapters.mqtt.result_schema import Envelope, Info, Result
from adapters.mqtt.topics import Topics
from gateway.core.charger_state import ChargerState
from gateway.core.commands import COMMANDS
from gateway.core.connector_state import ConnectorState
from gateway.core.events import CONTENT_TYPE
from gateway.core.identity import ChargerId

TARGET = Path(__file__).parents[2] / "openapi" / "asyncapi.yaml"
VERSION = "1.0.0"

_Object = dict[str, Any]

_CHARGER = ChargerId("{charger_id}")
_PARAMETERS = {
    "charger_id": "Identity of the charger, percent-encoded: / + # % $, controls and non-ASCII as upper-case hex",
    "evse_id": "EVSE, counted from 1; on OCPP 1.6 the connector's number",
    "connector_id": "Connector of the EVSE, counted from 1",
    "action": "OCPP action, as OCPP spells it",
    "command": "Name of the command, or action of the raw call",
}
_INTRODUCTION = """\
What the gateway publishes and what it takes. Prefix `ocpp` unless configured. Everything is QoS 1.

Events are CloudEvents 1.0 in structured JSON, in order for each charger, at least once: deduplicate by `source` and
`id` alone. Within v1 fields and enum values are only added; ignore what you do not know.

A command is answered on its Response Topic with its Correlation Data (MQTT 5), else on the result topic. A Response
Topic below the prefix is refused unless it is below `{prefix}/reply/`. Retained and empty messages are no commands.
Message Expiry is honoured.
"""


def document() -> _Object:
    """The whole document."""
    topics = Topics("ocpp")
    schemas = _schemas()
    parts = [*_state(topics), *_events(topics), *_commands(topics)]
    messages = {name: message for part in parts for name, message in part.messages.items()}
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "OCPP gateway", "version": VERSION, "description": _INTRODUCTION.format(prefix="ocpp")},
        "defaultContentType": "application/json",
        "servers": {
            "broker": {
                "host": "127.0.0.1:1883",
                "protocol": "mqtt",
                "protocolVersion": "5",
                "description": "Any broker",
            }
        },
        "channels": {part.name: part.channel for part in parts},
        "operations": {part.name: part.operation for part in parts if part.operation},
        "components": {
            "messages": messages,
            "schemas": schemas,
            "parameters": {name: {"description": told} for name, told in _PARAMETERS.items()},
        },
    }


class _Part:
    """One topic: its channel, its message, and what is done there."""

    def __init__(
        self,
        name: str,
        topic: str | None,
        told: str,
        payload: _Object,
        *,
        action: str | None = "send",
        retain: bool = False,
        content_type: str = "application/json",
        reply: bool = False,
    ) -> None:
        self.name = name
        summary = told.split("\n\n")[0].replace("\n", " ")
        self.messages = {
            name: {
                "name": name,
                "summary": summary,
                "contentType": content_type,
                "payload": payload,
            }
        }
        self.channel: _Object = {"address": topic, "description": told, "messages": {name: _ref("messages", name)}}
        used = [key for key in _PARAMETERS if topic is not None and f"{{{key}}}" in topic]
        if used:
            self.channel["parameters"] = {key: _ref("parameters", key) for key in used}
        self.operation: _Object = {}
        if action is not None:
            self.operation = {
                "action": action,
                "channel": {"$ref": f"#/channels/{name}"},
                "summary": summary,
                "bindings": {"mqtt": {"bindingVersion": "0.2.0", "qos": 1, "retain": retain}},
            }
        if reply:
            self.operation["reply"] = {
                "address": {"location": "$message.header#/responseTopic"},
                "channel": {"$ref": "#/channels/reply"},
            }


def _ref(kind: str, name: str) -> _Object:
    return {"$ref": f"#/components/{kind}/{name}"}


def _state(topics: Topics) -> Iterator[_Part]:
    text: _Object = {"type": "string", "enum": ["online", "offline"]}
    yield _Part("status", topics.status, "The gateway as a whole.", text, retain=True, content_type="text/plain")
    yield _Part("info", topics.info, "Versions and nodes.", _ref("schemas", "Info"), retain=True)
    yield _Part(
        "availability",
        topics.availability(_CHARGER),
        "Whether a charger is connected; valid while the gateway's status is online.",
        text,
        retain=True,
        content_type="text/plain",
    )
    yield _Part(
        "state", topics.state(_CHARGER), "The charger as it stands.", _ref("schemas", "ChargerState"), retain=True
    )
    yield _Part(
        "connector_state",
        topics.connector_state(_CHARGER, "{evse_id}", "{connector_id}"),
        "A connector as it stands; every key is there, null if unknown.",
        _ref("schemas", "ConnectorState"),
        retain=True,
    )


def _events(topics: Topics) -> Iterator[_Part]:
    for event_type, data in EVENTS.items():
        told = MEANINGS.get(event_type) or _doc(data)
        payload = _event(event_type, data)
        name = "event_" + event_type.removeprefix("ocpp.").replace(".", "_")
        yield _Part(name, topics.event(_CHARGER, event_type), told, payload, content_type=CONTENT_TYPE)
    topic = f"{topics.charger(_CHARGER)}/message/{{action}}"
    yield _Part("message", topic, _doc(RawMessage), _event("ocpp.message", RawMessage), content_type=CONTENT_TYPE)


def _event(event_type: str, data: type) -> _Object:
    own = {"type": {"const": event_type}, "data": _ref("schemas", data.__name__)}
    return {"allOf": [_ref("schemas", "Envelope"), {"type": "object", "required": ["data"], "properties": own}]}


def _commands(topics: Topics) -> Iterator[_Part]:
    branch = topics.charger(_CHARGER)
    for name, model in COMMANDS.items():
        payload = _ref("schemas", _command_model(model).__name__)
        told = f"{_doc(model)} Send {{}} where no argument is wanted."
        yield _Part(f"command_{name}", f"{branch}/command/{name}", told, payload, action="receive", reply=True)
    told = (
        "Any OCPP call.\n\nThe payload is OCPP's own; or, to say more, an object with OCPP's under `payload` and `id`, "
        "`timeout` and `expires_at` beside it."
    )
    payload = {"anyOf": [_ref("schemas", "CallEnvelope"), {"type": "object"}]}
    yield _Part("call", f"{branch}/call/{{action}}", told, payload, action="receive", reply=True)
    told = "How a command ended that gave no Response Topic."
    result = _ref("schemas", "Result")
    yield _Part("result", topics.result(_CHARGER, "{command}"), told, result)
    told = "How a command ended: on the Response Topic that it gave, with its Correlation Data."
    yield _Part("reply", None, told, result, action=None)


def _command_model(model: type[BaseModel]) -> type[BaseModel]:
    """A command's arguments and terms in one."""
    return create_model(f"{model.__name__}Command", __base__=(model, Terms), __doc__=_doc(model))


class _Schema(GenerateJsonSchema):
    """Without a title for each field, which says no more than its name."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def _schemas() -> dict[str, _Object]:
    fields: _Object = {"payload": (dict[str, Any], ...)}
    call: type[BaseModel] = create_model("CallEnvelope", __base__=Terms, __doc__="An OCPP call with terms.", **fields)
    told: list[Any] = [Envelope, Info, Result, ChargerState, ConnectorState, call, RawMessage]
    told += [_command_model(model) for model in COMMANDS.values()]
    told += list(dict.fromkeys(EVENTS.values()))
    inputs = [(item.__name__, "validation", TypeAdapter(item)) for item in told]
    _, made = TypeAdapter.json_schemas(
        inputs,  # type: ignore[arg-type]
        ref_template="#/components/schemas/{model}",
        schema_generator=_Schema,
    )
    return dict(sorted(made["$defs"].items()))


def _doc(item: type) -> str:
    return getdoc(item) or ""


class _Dumper(yaml.SafeDumper):
    """Writes what occurs twice twice, and lines of text as lines."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)


def text() -> str:
    """The document as it is kept in the repository."""
    written: str = yaml.dump(document(), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    return written


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET
    target.write_text(text(), encoding="utf-8")
