"""The examples are what the gateway really says, and what it says is as described: recorded anew over real sockets."""

from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from pydantic import TypeAdapter

from adapters.mqtt.asyncapi import document
from adapters.mqtt.asyncapi_parts import EXAMPLES
from adapters.mqtt.event_schemas import EVENTS
from adapters.mqtt.json_schemas import documents
from gateway.core.arguments.examples import ARGUMENTS
from gateway.core.charger_state import ChargerState
from gateway.core.commands import COMMANDS
from gateway.core.connector_state import ConnectorState
from gateway.ocpp.profiles import PROFILES
from tests.openapi.commanding import record_result
from tests.openapi.recording import VERSIONS, record_but_results, record_rare, record_upkeep, record_version, written

HINT = "run: make examples"

COMMANDS_OF_VERSIONS = [
    (name, profile.subprotocol)
    for name in sorted(ARGUMENTS)
    for profile in PROFILES.values()
    if name in profile.outbound
]


async def test_the_examples_are_real_output(tmp_path: Path) -> None:
    recorded = await record_but_results(tmp_path / "valkey")
    stored = {path: text for path, text in _stored().items() if not path.startswith("results/")}
    assert stored == {path: written(found) for path, found in recorded.items()}, HINT


@pytest.mark.parametrize("version", VERSIONS)
async def test_every_event_of_every_action_is_as_its_schema_says(version: str) -> None:
    schemas = _documents()
    events, states = await record_version(version)
    for event in events:
        _assert_described(event, schemas[f"events/{event['type']}.json"])
    TypeAdapter(ChargerState).validate_python(states["charger"], strict=True)
    TypeAdapter(ConnectorState).validate_python(states["connector"], strict=True)
    assert states["charger"].keys() == ChargerState.__annotations__.keys()
    assert states["connector"].keys() == ConnectorState.__annotations__.keys()


async def test_a_rare_event_is_as_its_schema_says(tmp_path: Path) -> None:
    schemas = _documents()
    for event in [*await record_rare(), *await record_upkeep(tmp_path / "valkey")]:
        _assert_described(event, schemas[f"events/{event['type']}.json"])


@pytest.mark.parametrize(("name", "subprotocol"), COMMANDS_OF_VERSIONS)
async def test_a_command_s_example_is_carried_out_and_its_result_real(name: str, subprotocol: str) -> None:
    profile = PROFILES[subprotocol]
    result = await record_result(profile, name)
    assert result["outcome"] == "accepted"
    first = next(version for version in VERSIONS if name in _profile(version).outbound)
    if profile.version == first:
        assert _stored().get(f"results/{name}.json") == written(result), HINT
    assert [str(error) for error in _result_validator().iter_errors(result)] == []


def test_every_event_and_command_has_an_example() -> None:
    assert {f"events/{kind}.json" for kind in EVENTS} <= _stored().keys()
    assert {f"results/{name}.json" for name in COMMANDS} <= _stored().keys()
    assert COMMANDS.keys() == ARGUMENTS.keys()


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_command_s_example_is_valid_by_its_schema(name: str) -> None:
    jsonschema_rs.validate(_documents()[f"commands/{name}.json"], ARGUMENTS[name])


def _assert_described(event: dict[str, Any], schema: dict[str, Any]) -> None:
    """Valid, and without a field that the schema does not name."""
    found = [f"{error.instance_path}: {error.message}" for error in _errors(schema, event["data"])]
    assert found == [], event["type"]
    assert event["data"].keys() <= schema["properties"].keys(), event["type"]
    for violation in event["data"].get("violations", []):
        pytest.fail(f"{event['type']}: {violation}")


def _errors(schema: dict[str, Any], data: Any) -> list[jsonschema_rs.ValidationError]:
    return list(jsonschema_rs.validator_for(schema).iter_errors(data))


@cache
def _result_validator() -> Any:
    schema = {"$ref": "#/components/schemas/Result", "components": document()["components"]}
    return jsonschema_rs.validator_for(schema)


_documents = cache(documents)


def _profile(version: str) -> Any:
    return next(profile for profile in PROFILES.values() if profile.version == version)


def _stored() -> dict[str, str]:
    found = sorted(EXAMPLES.rglob("*.json"))

    return {path.relative_to(EXAMPLES).as_posix(): path.read_text(encoding="utf-8") for path in found}
