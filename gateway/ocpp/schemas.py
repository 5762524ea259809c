"""Schema checks: compiled validators over the JSON schemas that the `ocpp` package ships.

A deviation is a `Violation`, never an exception. A valid payload costs a microsecond or two; only a broken one pays
for the explanation.
"""

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Self

import jsonschema_rs

from gateway.core.events import Violation
from gateway.ocpp.fields import shown
from gateway.ocpp.profile import ErrorCodes

MAX_VIOLATIONS = 20
"""How many deviations of one payload are told."""

_CODES = {
    "additionalProperties": "additional_property",
    "enum": "enum",
    "format": "format",
    "maxItems": "max_items",
    "maxLength": "max_length",
    "maximum": "maximum",
    "minItems": "min_items",
    "minLength": "min_length",
    "minimum": "minimum",
    "multipleOf": "multiple_of",
    "required": "required",
    "type": "type",
}
"""The schema keyword that a payload broke → the violation's code."""

_MASK = "the value"
_SHOWN = frozenset({"enum", "format", "maximum", "minimum", "multipleOf"})
"""Keywords whose message shows the value. No other does: it may be a token, and messages end up in logs."""


class _Schemas:
    """Schemas by action, each compiled when it is first needed, which takes a millisecond or two.

    A home has chargers of one version, which send a dozen of its hundred messages; all of three versions take 12 MB.
    """

    def __init__(self, texts: Mapping[str, bytes]) -> None:
        self._texts = dict(texts)
        self._compiled: dict[str, jsonschema_rs.Validator] = {}

    def __contains__(self, action: str) -> bool:
        return action in self._compiled or action in self._texts

    def get(self, action: str) -> jsonschema_rs.Validator | None:
        """The validator of an action, None where it has no schema."""
        found = self._compiled.get(action)
        if found is None and action in self._texts:
            schema = json.loads(self._texts.pop(action).decode("utf-8-sig"))
            found = jsonschema_rs.validator_for(schema, validate_formats=True, mask=_MASK)
            self._compiled[action] = found
        return found


class SchemaSet:
    """All schemas of one version."""

    def __init__(self, calls: Mapping[str, bytes], results: Mapping[str, bytes]) -> None:
        """The schemas by action, as JSON."""
        self._calls, self._results = _Schemas(calls), _Schemas(results)

    @classmethod
    def load(cls, package: str) -> Self:
        """Read the schemas in the `schemas` folder of a package such as `ocpp.v201`.

        1.6 names its files `Action.json`, 2.x `ActionRequest.json`; answers are `ActionResponse.json` everywhere.
        """
        # Not files(package): that would import the package, which takes a quarter of a second for each version.
        top, *below = package.split(".")
        calls: dict[str, bytes] = {}
        results: dict[str, bytes] = {}
        for file in files(top).joinpath(*below, "schemas").iterdir():
            if not file.name.endswith(".json"):
                continue
            name = file.name.removesuffix(".json")
            if name.endswith("Response"):
                results[name.removesuffix("Response")] = file.read_bytes()
            else:
                calls[name.removesuffix("Request")] = file.read_bytes()
        return cls(calls, results)

    def knows(self, action: str) -> bool:
        return action in self._calls

    def check_call(self, action: str, payload: Any) -> list[Violation]:
        """Where a CALL's (or SEND's) payload breaks its schema; nothing for an action without one."""
        return _check(self._calls.get(action), payload)

    def check_result(self, action: str, payload: Any) -> list[Violation]:
        """Where a CALLRESULT's payload breaks its schema."""
        return _check(self._results.get(action), payload)


def _check(validator: jsonschema_rs.Validator | None, payload: Any) -> list[Violation]:
    if validator is None:
        return []
    try:
        if validator.is_valid(payload):
            return []
        return [
            _violation(error) for error, _ in zip(validator.iter_errors(payload), range(MAX_VIOLATIONS), strict=False)
        ]
    except (ValueError, TypeError, RecursionError) as error:
        # Integers beyond 64 bits, lone surrogates: what the validator cannot take is a deviation, too.
        return [{"code": "unreadable", "path": "", "message": str(error)[:200]}]


def _violation(error: jsonschema_rs.ValidationError) -> Violation:
    keyword = str(error.kind.name)
    path = "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in error.instance_path)
    message = error.message
    if keyword in _SHOWN:
        message = message.replace(_MASK, shown(error.instance), 1)
    return {"code": _CODES.get(keyword, keyword), "path": path, "message": message[:200]}


def error_code(violation: Violation, codes: ErrorCodes) -> str:
    """The CALLERROR code that names a violation, in the version's spelling (OCPP-J, table of error codes)."""
    match violation["code"]:
        case "type" | "unreadable":
            return codes.type_constraint_violation
        case "required" | "min_items" | "max_items":
            return codes.occurrence_constraint_violation
        case "additional_property" | "payload_not_an_object":
            return codes.formation_violation
        case _:
            return codes.property_constraint_violation


CANONICAL_ERRORS = {
    "formationviolation": "formation_violation",
    "formatviolation": "formation_violation",
    "occurenceconstraintviolation": "occurrence_constraint_violation",
    "occurrenceconstraintviolation": "occurrence_constraint_violation",
    "propertyconstraintviolation": "property_constraint_violation",
    "typeconstraintviolation": "type_constraint_violation",
    "notimplemented": "not_implemented",
    "notsupported": "not_supported",
    "internalerror": "internal_error",
    "protocolerror": "protocol_error",
    "securityerror": "security_error",
    "genericerror": "generic_error",
    "messagetypenotsupported": "message_type_not_supported",
    "rpcframeworkerror": "rpc_framework_error",
}
"""Every spelling of an error code that any version writes, compared without case → one name for all."""


def canonical_error(code: str) -> str:
    """The one name of an error code as received; `generic_error` for what no version knows."""
    return CANONICAL_ERRORS.get(code.replace("_", "").replace(" ", "").lower(), "generic_error")
