import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from adapters.mqtt.asyncapi import TARGET, document, text
from adapters.mqtt.event_schemas import EVENTS
from adapters.mqtt.topics import Topics
from gateway.core.commands import COMMANDS

GATEWAY = Path(__file__).parents[2] / "gateway"
ROOMS = ("core", "ocpp", "chargers", "cluster")
EVENT_TYPE = re.compile(r"""["'](ocpp\.[a-z_]+\.[a-z_]+)["']""")


def test_asyncapi_yaml_is_what_the_code_says() -> None:
    assert TARGET.read_text(encoding="utf-8") == text(), "run: python -m adapters.mqtt.asyncapi"


def test_the_file_reads_back_as_the_document() -> None:
    assert yaml.safe_load(TARGET.read_text(encoding="utf-8")) == document()


def test_every_event_type_that_the_gateway_makes_is_described() -> None:
    made = {
        found
        for room in ROOMS
        for path in (GATEWAY / room).rglob("*.py")
        for found in EVENT_TYPE.findall(path.read_text(encoding="utf-8"))
    }
    assert made <= EVENTS.keys()
    assert made >= EVENTS.keys() - {f"ocpp.transaction.{kind}" for kind in ("updated", "corrected")}


def test_every_reference_leads_somewhere() -> None:
    whole = document()
    for reference in _references(whole):
        place: Any = whole
        for step in reference.removeprefix("#/").split("/"):
            assert step in place, reference
            place = place[step]


def test_every_command_stands_at_the_topic_that_the_gateway_reads() -> None:
    channels = document()["channels"]
    for name in COMMANDS:
        topic = Topics("ocpp").parse_command(channels[f"command_{name}"]["address"])
        assert topic is not None
        assert (topic.kind, topic.name) == ("command", name)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_command_s_payload_takes_its_arguments_and_the_terms_and_nothing_else(name: str) -> None:
    whole = document()
    reference = whole["components"]["messages"][f"command_{name}"]["payload"]["$ref"]
    schema = whole["components"]["schemas"][reference.rpartition("/")[2]]
    assert schema["properties"].keys() == COMMANDS[name].model_fields.keys() | {"id", "timeout", "expires_at"}
    assert schema["additionalProperties"] is False


def _references(node: object) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [found for value in node.values() for found in _references(value)]
    if isinstance(node, list):
        return [found for value in node for found in _references(value)]
    return []
