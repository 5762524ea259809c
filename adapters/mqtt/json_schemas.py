"""JSON Schemas of what goes over MQTT and REST, made from the types: parts of openapi/asyncapi.yaml, and files.

`python -m adapters.mqtt.json_schemas` writes openapi/schemas/: one file for the data of each event, the arguments of
each command and the answer to each question.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from inspect import getdoc
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from adapters.mqtt.event_schemas import EVENTS, MEANINGS
from gateway.core.answers import ANSWERS
from gateway.core.commands import COMMANDS
from gateway.core.events import SCHEMA_BASE

TARGET = Path(__file__).parents[2] / "openapi" / "schemas"
DIALECT = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]


class _Schema(GenerateJsonSchema):
    """Without a title for each field, which says no more than its name."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def components(types: Iterable[type]) -> dict[str, Schema]:
    """The schemas of these types and of all that they hold, by name, as an API document's components."""
    inputs: list[Any] = [(item.__name__, "validation", TypeAdapter(item)) for item in types]
    _, made = TypeAdapter.json_schemas(
        inputs,
        ref_template="#/components/schemas/{model}",
        schema_generator=_Schema,
    )
    return {name: _plain(schema) for name, schema in sorted(made["$defs"].items())}


def meaning(event_type: str) -> str:
    """What an event tells, in words."""
    return MEANINGS.get(event_type) or getdoc(EVENTS[event_type]) or ""


def documents() -> dict[str, Schema]:
    """Path below openapi/schemas → a schema that stands on its own. An event's `$id` is its `dataschema`."""
    return dict(_documents())


def _documents() -> Iterator[tuple[str, Schema]]:
    for event_type, data in EVENTS.items():
        schema = _alone(data, event_type)
        schema["title"], schema["description"] = event_type, meaning(event_type)
        yield f"events/{event_type}.json", schema
    for name, arguments in COMMANDS.items():
        yield f"commands/{name}.json", _alone(arguments, f"commands/{name}")
    for question, answer in ANSWERS.items():
        yield f"answers/{question}.json", _alone(answer, f"answers/{question}")


def _alone(item: type, name: str) -> Schema:
    head = {"$schema": DIALECT, "$id": SCHEMA_BASE + name}
    return {**head, **_plain(TypeAdapter(item).json_schema(schema_generator=_Schema))}


def _plain(node: Any) -> Any:
    """The same in fewer words: `type: [string, null]` where a choice is only between types; no default of null."""
    if isinstance(node, list):
        return [_plain(item) for item in node]
    if not isinstance(node, dict):
        return node
    found = {name: _plain(item) for name, item in node.items() if (name, item) != ("default", None)}
    choices = found.get("anyOf", [{}])
    bare = [choice for choice in choices if choice.keys() == {"type"}]
    others = [choice for choice in choices if choice not in bare]
    if others and (bare != [{"type": "null"}] or len(others) > 1 or not _is_one_type(others[0])):
        return found
    del found["anyOf"]
    first = others[0] if others else {}
    types = [name for choice in [*others, *bare] for name in _types(choice)]
    narrow = {"integer"} if "number" in types else set()
    kept = [name for name in dict.fromkeys(types) if name not in narrow]
    return {**first, **found, "type": kept[0] if len(kept) == 1 else kept}


def _is_one_type(schema: Schema) -> bool:
    return "type" in schema and not {"enum", "const"} & schema.keys()


def _types(schema: Schema) -> list[str]:
    found = schema["type"]
    return found if isinstance(found, list) else [found]


def written(schema: Schema) -> str:
    """A schema as it is kept in the repository."""
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def write(target: Path) -> None:
    """Write all files, and remove those of what is no more."""
    made = documents()
    for old in target.rglob("*.json"):
        if old.relative_to(target).as_posix() not in made:
            old.unlink()
    for path, schema in made.items():
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        (target / path).write_text(written(schema), encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET)
