"""The channels of openapi/asyncapi.yaml that a home uses: attributes to set, states to get, and what was wrong."""

from collections.abc import Iterator

from adapters.mqtt.asyncapi_parts import Channel, Object, Operation, message, ref
from adapters.mqtt.setting import ATTRIBUTES, LIMITS, OF_CHARGER
from adapters.mqtt.topics import Topics
from gateway.core.identity import ChargerId

Part = Channel | Operation

_CHARGER = ChargerId("{charger_id}")
_SWITCH: Object = {"type": ["boolean", "string", "integer"], "examples": ["ON", "OFF", True, False, 1, 0]}
_LIMIT: Object = {"type": ["number", "string", "null"], "examples": [16, "6.5", "none", None]}
_TOLD = {
    "enabled": "Whether it is in service.",
    "limit_a": "The charging limit in A per phase; none lifts it.",
    "limit_w": "The charging limit in W; none lifts it.",
    "paused": "Whether charging is paused; the transaction lives on.",
    "charging": "On: resume what is paused, else start where nothing runs, once an EV is plugged in. Off: stop.",
}


def home(topics: Topics) -> Iterator[Part]:
    """What a home sets, and what came of it."""
    for prefix, of, branch, attributes in (
        ("charger", "a charger", topics.charger(_CHARGER), OF_CHARGER),
        ("connector", "a connector", topics.connector(_CHARGER, "{evse_id}", "{connector_id}"), ATTRIBUTES),
    ):
        yield from _settings(prefix, of, branch, attributes)
        name = f"{prefix}_get"
        told = f"Publish the state of {of} again, and ask it for its status and meter values. Any payload."
        said = message(name, told, {}, content_type="text/plain")
        yield Channel(name, f"{branch}/get", told, {name: said})
        yield Operation(name, "receive", name, told, reply=("reply", "result"), reply_to_header=True)
        name, told = f"{prefix}_problem", f"What was asked of {of} by `set` last, and what was wrong with it."
        said = message(name, told, ref("schemas", "PlaceProblem"))
        yield Channel(name, f"{branch}/problem", told, {name: said})
        yield Operation(name, "send", name, told, retain=True)


def _settings(prefix: str, of: str, branch: str, attributes: tuple[str, ...]) -> Iterator[Part]:
    schemas: Object = {
        name: {**(_LIMIT if name in LIMITS else _SWITCH), "description": _TOLD[name]} for name in attributes
    }
    name, told = f"{prefix}_set", f"Set attributes of {of}: each becomes a command, with a result of its own."
    payload: Object = {"type": "object", "properties": schemas, "additionalProperties": False, "minProperties": 1}
    said = message(name, told, payload, examples=[{"limit_a": 10, "enabled": True}])
    yield Channel(name, f"{branch}/set", told, {name: said})
    yield Operation(name, "receive", name, told, reply=("reply", "result"), reply_to_header=True)
    one, told = f"{prefix}_set_attribute", f"Set one attribute of {of}, as plain text or JSON."
    values = [
        message(f"{one}_{attribute}", _TOLD[attribute], schema, content_type="text/plain")
        for attribute, schema in schemas.items()
    ]
    yield Channel(one, f"{branch}/set/{{attribute}}", told, {value["name"]: value for value in values})
    yield Operation(one, "receive", one, told, reply=("reply", "result"), reply_to_header=True)
