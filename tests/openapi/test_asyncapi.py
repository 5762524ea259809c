import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from adapters.mqtt.asyncapi import TARGET, document, text
from adapters.mqtt.event_schemas import EVENTS
from adapters.mqtt.topics import Topics
from gateway.core.answers import ANSWERS
from gateway.core.commands import COMMANDS

GATEWAY = Path(__file__).parents[2] / "gateway"
ROOMS = ("core", "ocpp", "chargers", "cluster")
EVENT_TYPE = re.compile(r"""["'](ocpp\.[a-z_]+\.[a-z_]+)["']""")


def test_asyncapi_yaml_is_what_the_code_says() -> None:
    assert TARGET.read_text(encoding="utf-8") == text(), "run: make openapi"


def test_the_file_reads_back_as_the_document() -> None:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    assert yaml.load(TARGET.read_text(encoding="utf-8"), loader) == document()


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
    terms = {"id", "timeout", "expires_at", "queue_for", "problem_at"} | ({"wait_for"} if name == "start" else set())
    assert schema["properties"].keys() == COMMANDS[name].model_fields.keys() | terms
    assert schema["additionalProperties"] is False


def test_every_example_is_valid_by_its_message_s_schema() -> None:
    whole = document()
    registry = jsonschema_rs.Registry([("document:", whole)])
    for name, message in whole["components"]["messages"].items():
        reference = {"$ref": f"document:#/components/messages/{name}/payload"}
        validator = jsonschema_rs.validator_for(reference, registry=registry)
        for example in message.get("examples", []):
            assert [str(error) for error in validator.iter_errors(example["payload"])] == [], name


def test_every_question_has_an_answer_and_where_to_send_it() -> None:
    whole = document()
    for question in ANSWERS:
        asked = whole["operations"][f"ask_{question}"]
        assert asked["messages"] == [{"$ref": f"#/channels/ask/messages/ask_{question}"}]
        assert asked["reply"]["channel"] == {"$ref": "#/channels/answer"}
        assert asked["reply"]["messages"] == [{"$ref": f"#/channels/answer/messages/answer_{question}"}]
    assert Topics("ocpp").parse_answer(whole["channels"]["answer"]["address"]) is not None


def _references(node: object) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [found for value in node.values() for found in _references(value)]
    if isinstance(node, list):
        return [found for value in node for found in _references(value)]
    return []
