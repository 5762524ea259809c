"""The schemas in files are those of the code."""

import json

from adapters.mqtt import result_table
from adapters.mqtt.event_schemas import EVENTS
from adapters.mqtt.json_schemas import TARGET, documents, written
from gateway.core.answers import ANSWERS
from gateway.core.commands import COMMANDS
from gateway.core.events import SCHEMA_BASE, Event, stamp
from gateway.core.identity import ChargerId


def test_the_files_are_what_the_code_says() -> None:
    there = {path.relative_to(TARGET).as_posix(): path.read_text(encoding="utf-8") for path in TARGET.rglob("*.json")}
    made = {path: written(schema) for path, schema in documents().items()}
    assert there == made, "run: make openapi"


def test_the_table_of_results_is_what_the_examples_say() -> None:
    assert result_table.TARGET.read_text(encoding="utf-8") == result_table.text(), "run: make openapi"


def test_every_event_command_and_answer_has_its_file() -> None:
    assert documents().keys() == {
        *(f"events/{event_type}.json" for event_type in EVENTS),
        *(f"commands/{name}.json" for name in COMMANDS),
        *(f"answers/{question}.json" for question in ANSWERS),
    }


def test_an_event_names_the_schema_of_its_data() -> None:
    charger, schemas = ChargerId("CP-1"), documents()
    for event_type in EVENTS:
        body = stamp(Event(event_type, {}), charger=charger, epoch=1, sequence=1, recorded=0.0).body
        assert json.loads(body)["dataschema"] == schemas[f"events/{event_type}.json"]["$id"]


def test_an_id_is_given_once() -> None:
    ids = [schema["$id"] for schema in documents().values()]
    assert len(set(ids)) == len(ids)
    assert all(found.startswith(SCHEMA_BASE) for found in ids)
