"""The official validators have nothing against the documents in openapi/."""

import json
import subprocess
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from adapters.mqtt.asyncapi import TARGET as ASYNCAPI
from adapters.mqtt.json_schemas import TARGET as SCHEMAS
from adapters.mqtt.json_schemas import documents
from adapters.rest.openapi import TARGET as OPENAPI
from tests.support.node import NODE_FOLDER, need_node

NO_FAULT = {"asyncapi-latest-version"}
"""What is no fault: 3.0 is spoken by more tools than 3.1."""


def test_openapi_json_is_valid_openapi_3_1() -> None:
    document = json.loads(OPENAPI.read_text(encoding="utf-8"))
    assert document["openapi"].startswith("3.1.")
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_asyncapi_yaml_is_valid_by_the_official_parser() -> None:
    need_node()
    assert [found for found in _asyncapi_diagnostics(ASYNCAPI) if found["code"] not in NO_FAULT] == []


def test_the_official_parser_finds_what_is_wrong(tmp_path: Path) -> None:
    need_node()
    broken = tmp_path / "asyncapi.yaml"
    text = ASYNCAPI.read_text(encoding="utf-8")
    broken.write_text(text.replace("#/channels/reply'", "#/channels/nowhere'", 1), encoding="utf-8")
    assert any("nowhere" in found["message"] for found in _asyncapi_diagnostics(broken))


def _asyncapi_diagnostics(path: Path) -> list[dict[str, Any]]:
    command = ["node", str(NODE_FOLDER / "asyncapi.mjs"), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert not done.stderr, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("path", sorted(documents()))
def test_a_schema_in_a_file_is_a_valid_schema(path: str) -> None:
    schema = json.loads((SCHEMAS / path).read_text(encoding="utf-8"))
    jsonschema_rs.meta.validate(schema)
    jsonschema_rs.validator_for(schema)
