"""Payloads made at random that a JSON schema allows. Lists are kept short, and texts can be told from each other."""

from functools import cache
from typing import Any

from hypothesis import strategies as st

_TIMES = st.sampled_from(
    ["2026-11-21T08:00:00Z", "2026-11-21T08:00:00.123Z", "2026-11-21T10:00:00+02:00", "1970-01-01T00:00:00.000Z"]
)
_SHORT = st.sampled_from(["", "1", "7.25", "a", "0042"])
_BY_NAME: dict[str, st.SearchStrategy[Any]] = {
    # what the schema does not say
    "multiplier": st.integers(-3, 3),
    "exponent": st.integers(-3, 3),
    "expires_at": _TIMES,
    "next_update": _TIMES,
}
_LONG = 20_000


def payloads(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values that the schema allows, without customData."""
    return _Maker(schema).of(schema)


class _Maker:
    """Knows the definitions of one schema."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self._definitions = schema.get("definitions") or schema.get("$defs") or {}
        self._named = cache(lambda name: self.of(self._definitions[name]))

    def of(self, schema: dict[str, Any]) -> st.SearchStrategy[Any]:
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            return st.deferred(lambda: self._named(name))
        if "enum" in schema:
            return st.sampled_from(schema["enum"])
        if "const" in schema:
            return st.just(schema["const"])
        if "anyOf" in schema:
            return st.one_of([self.of(item) for item in schema["anyOf"]])
        match schema.get("type"):
            case "object":
                return self._object(schema)
            case "array":
                return self._array(schema)
            case "string":
                return _TIMES if schema.get("format") == "date-time" else _text(schema)
            case "integer":
                return _integer(schema)
            case "number":
                return st.one_of(_integer(schema), _decimal(schema))
            case "boolean":
                return st.booleans()
            case "null":
                return st.none()
        return st.sampled_from([None, True, 7, "text", [1, "a"], {"a": {"b": None}}])

    def _object(self, schema: dict[str, Any]) -> st.SearchStrategy[Any]:
        fields = {
            name: _BY_NAME[name] if name in _BY_NAME else self.of(item)
            for name, item in schema.get("properties", {}).items()
            if name != "customData"
        }
        needed = {name: fields.pop(name) for name in schema.get("required", [])}
        return st.fixed_dictionaries(needed, optional=fields)

    def _array(self, schema: dict[str, Any]) -> st.SearchStrategy[Any]:
        least = schema.get("minItems", 0)
        most = min(least + 2, schema.get("maxItems", _LONG))
        return st.lists(self.of(schema["items"]), min_size=least, max_size=most)


def _text(schema: dict[str, Any]) -> st.SearchStrategy[str]:
    longest = schema.get("maxLength", _LONG)
    numbered = st.integers(10_000, 99_999).map(lambda number: f"t{number}"[:longest])
    short = _SHORT.filter(lambda text: schema.get("minLength", 0) <= len(text) <= longest)
    return st.one_of(numbered, numbered, numbered, short, st.just("x" * longest))


def _integer(schema: dict[str, Any]) -> st.SearchStrategy[int]:
    least = schema.get("minimum", -1000 if "maximum" in schema else 0)
    return st.integers(int(least), int(schema.get("maximum", 10**6)))


def _decimal(schema: dict[str, Any]) -> st.SearchStrategy[float]:
    least, most = schema.get("minimum", -1000), schema.get("maximum", 100_000)
    return st.integers(int(least) * 10, int(most) * 10).map(lambda tenths: tenths / 10)
