"""The JSON schemas of the `ocpp` package, by version, action and direction."""

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jsonschema_rs

from gateway.ocpp.profile import Profile

_FOLDERS = {"1.6": "v16", "2.0.1": "v201", "2.1": "v21"}


def _folder(version: str) -> Path:
    spec = find_spec("ocpp")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / _FOLDERS[version] / "schemas"


@cache
def actions(version: str) -> frozenset[str]:
    """Every action that has a request schema."""
    names = (path.stem for path in _folder(version).glob("*.json") if not path.stem.endswith("Response"))
    return frozenset(name.removesuffix("Request") for name in names)


@cache
def _schema(version: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((_folder(version) / f"{name}.json").read_text("utf-8-sig"))
    return found


def request_schema(version: str, action: str) -> dict[str, Any]:
    plain = version == "1.6" or not (_folder(version) / f"{action}Request.json").exists()
    return _schema(version, action if plain else f"{action}Request")


def response_schema(version: str, action: str) -> dict[str, Any]:
    return _schema(version, f"{action}Response")


def assert_request(profile: Profile, action: str, payload: dict[str, Any]) -> None:
    schema = request_schema(profile.version, action)
    jsonschema_rs.validator_for(schema, validate_formats=True).validate(payload)


def assert_response(profile: Profile, action: str, payload: dict[str, Any]) -> None:
    schema = response_schema(profile.version, action)
    jsonschema_rs.validator_for(schema, validate_formats=True).validate(payload)


def property_names(version: str) -> list[str]:
    """Every property name that a request of the version knows."""
    names: set[str] = set()

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if isinstance(node.get("properties"), dict):
                names.update(node["properties"])
            for item in node.values():
                walk(item)
        elif isinstance(node, list):
            for item in node:
                walk(item)

    for action in actions(version):
        walk(request_schema(version, action))
    return sorted(names)
