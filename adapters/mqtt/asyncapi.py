"""The MQTT contract as AsyncAPI 3.0, made from topics, event schemas, command and answer models.

`python -m adapters.mqtt.asyncapi` writes openapi/asyncapi.yaml.
"""

import sys
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, create_model

from adapters.mqtt import asyncapi_channels, asyncapi_home
from adapters.mqtt.ask_schemas import MODELS, Ask, ask_name, ask_schema
from adapters.mqtt.asyncapi_parts import PARAMETERS, Channel, Object, Operation
from adapters.mqtt.commands import Terms
from adapters.mqtt.event_schemas import EVENTS, RawMessage
from adapters.mqtt.json_schemas import components
from adapters.mqtt.result_schema import Envelope, Info, PlaceProblem, Result
from adapters.mqtt.topics import Topics
from gateway.core.answers import ANSWERS
from gateway.core.charger_state import ChargerState
from gateway.core.commands import COMMANDS
from gateway.core.connector_state import ConnectorState

TARGET = Path(__file__).parents[2] / "openapi" / "asyncapi.yaml"
VERSION = "1.0.0"

_INTRODUCTION = """\
What the gateway publishes and what it takes. Prefix `ocpp` unless configured. Everything is QoS 1.

Events are CloudEvents 1.0 in structured JSON, in order for each charger, at least once: deduplicate by `source` and
`id` alone. Within v1 fields and enum values are only added; ignore what you do not know.

A command is answered on its Response Topic with its Correlation Data (MQTT 5), else on the result topic. A Response
Topic below the prefix is refused unless it is below `{prefix}/reply/`. Retained and empty messages are no commands.
Message Expiry is honoured.

A home sets attributes of a connector (`enabled`, `limit_a`, `limit_w`, `paused`, `charging`) or of a charger (the first
three) by their names; each becomes a command with its result. What goes wrong stands on the `problem` topic.

A question is answered on `answer/{{ask_id}}`, its Response Topic, before its deadline. The schemas of events' data, of
commands' arguments and of answers also stand in files of their own, in `schemas/`.
"""


def document() -> Object:
    """The whole document."""
    topics = Topics("ocpp")
    parts = [
        *asyncapi_channels.state(topics),
        *asyncapi_channels.events(topics),
        *asyncapi_channels.commands(topics),
        *asyncapi_home.home(topics),
        *asyncapi_channels.questions(topics),
    ]
    channels = [part for part in parts if isinstance(part, Channel)]
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
        "channels": {channel.name: channel.written() for channel in channels},
        "operations": {part.name: part.written() for part in parts if isinstance(part, Operation)},
        "components": {
            "messages": {name: said for channel in channels for name, said in channel.messages.items()},
            "schemas": _schemas(),
            "parameters": {name: {"description": told} for name, told in PARAMETERS.items()},
        },
    }


def _schemas() -> dict[str, Object]:
    fields: Object = {"payload": (dict[str, Any], ...)}
    call: type[BaseModel] = create_model("CallEnvelope", __base__=Terms, __doc__="An OCPP call with terms.", **fields)
    told: list[Any] = [Envelope, Info, Result, PlaceProblem, ChargerState, ConnectorState, call, RawMessage, Ask]
    told += MODELS.values()
    told += [asyncapi_channels.command_model(model) for model in COMMANDS.values()]
    told += list(dict.fromkeys([*EVENTS.values(), *ANSWERS.values()]))
    made = components(told)
    asks = {ask_name(question): ask_schema(question, made) for question in ANSWERS}
    parts = {model.__name__ for model in (Ask, *MODELS.values())}
    used = {name: schema for name, schema in made.items() if name not in parts}
    return dict(sorted({**used, **asks}.items()))


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
