"""Payloads made from OCPP's schemas, with ids and names that a virtual charger may know."""

from typing import Any

from hypothesis import strategies as st

from tests.ocpp.schema_folder import request_schema

Strategy = st.SearchStrategy[Any]

_TIMES = ("2020-01-01T00:00:00Z", "2026-02-03T04:05:06.789+01:00", "2050-01-01T00:00:00Z")
_LIKELY: dict[tuple[str, str], Strategy] = {
    # (type, property) → its values
    ("string", "transactionId"): st.sampled_from(["TX", "other"]),
    ("string", "idTag"): st.sampled_from(["TAG", "tag", "OTHER"]),
    ("string", "tariffId"): st.sampled_from(["day", "night"]),
    ("string", "controlId"): st.sampled_from(["a", "b"]),
    ("string", "customerIdentifier"): st.just("TAG"),
    ("string", "ocppCsmsUrl"): st.sampled_from(["wss://csms.example/ocpp", "http://csms.example"]),
    ("string", "checksum"): st.sampled_from(["0" * 32, "1" * 32]),
    ("string", "name"): st.sampled_from(
        ["OCPPCommCtrlr", "HeartbeatInterval", "EVSE", "Power", "AvailabilityState", "Nothing"]
    ),
    ("string", "key"): st.sampled_from(["HeartbeatInterval", "AuthorizationKey", "NumberOfConnectors", "Nothing"]),
    ("integer", "startPeriod"): st.integers(0, 7200),
    ("integer", "duration"): st.integers(0, 90_000),
}


def payloads(version: str, action: str) -> Strategy:
    """Valid payloads of a request."""
    schema = request_schema(version, action)
    return _of(schema, schema.get("definitions", {}))


def _of(schema: dict[str, Any], definitions: dict[str, Any]) -> Strategy:
    if "$ref" in schema:
        return _of(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema.get("type"):
        case "object":
            return _object(schema, definitions)
        case "array":
            least = schema.get("minItems", 0)
            return st.lists(_of(schema["items"], definitions), min_size=least, max_size=max(least, 2))
        case "integer":
            return st.integers(int(schema.get("minimum", 0)), int(min(schema.get("maximum", 3), 3)))
        case "number":
            tenths = st.integers(int(schema.get("minimum", -10)) * 10, int(schema.get("maximum", 400)) * 10)
            return tenths.map(lambda value: value / 10)
        case "boolean":
            return st.booleans()
        case "string":
            return _text(schema)
        case _:
            return st.none() | st.integers() | st.text(max_size=5)


def _object(schema: dict[str, Any], definitions: dict[str, Any]) -> Strategy:
    required = schema.get("required", [])
    fields = {
        name: _likely(name, part, definitions)
        for name, part in schema.get("properties", {}).items()
        if name != "customData"
    }
    return st.fixed_dictionaries(
        {name: strategy for name, strategy in fields.items() if name in required},
        optional={name: strategy for name, strategy in fields.items() if name not in required},
    )


def _likely(name: str, schema: dict[str, Any], definitions: dict[str, Any]) -> Strategy:
    known = _LIKELY.get((schema.get("type", ""), name))
    return _of(schema, definitions) if known is None or "enum" in schema else known


def _text(schema: dict[str, Any]) -> Strategy:
    match schema.get("format"):
        case "date-time":
            return st.sampled_from(_TIMES)
        case "uri":
            return st.just("https://files.example/x")
        case _:
            return st.text(max_size=min(schema.get("maxLength", 10), 10))
