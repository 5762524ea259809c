"""Configuration keys, in the naming of the device model."""

from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Any

from gateway.core.commands import Outcome
from gateway.core.errors import CommandInvalid, CommandUnsupported
from gateway.ocpp.arguments import at_most
from gateway.ocpp.batches import ITEMS_PER_CALL, batches
from gateway.ocpp.endings import ending, items, neutral, refused, worst
from gateway.ocpp.fields import as_list, boolean, text, to_integer
from gateway.ocpp.profile import Answered, Call, Dialogue, Ending, Notes, Refused, Station
from gateway.ocpp.standard_variables import (
    Standard,
    by_key,
    by_name,
    neutral_reference,
    unknown_to_16,
    without_key,
)

Arguments = dict[str, Any]

UNASKED = 10
"""Keys that are read before it is asked how many a charger takes at a time."""


def get_variables(arguments: Arguments, station: Station) -> Dialogue:
    """Section 5.8. No key named means all of them; rejected where keys were asked for and none is known."""
    asked = arguments["variables"]

    def ended(answers: list[Answered]) -> Ending:
        variables = [
            neutral_reference(key) | {"attribute": "Actual", "value": value, "readonly": readonly, "status": "accepted"}
            for key, value, readonly in _entries(answers)
        ]
        return _found(asked, answers, variables)

    return _reading(asked, _keys(asked, "get_variables"), ended)


def set_variables(arguments: Arguments, station: Station) -> Dialogue:
    """Section 5.3: one call for each key.

    Rejected where any key was; RebootRequired counts as accepted and is told.
    """
    asked = arguments["variables"]
    calls = {place: _change(variable) for place, variable in enumerate(asked) if unknown_to_16(variable) is None}

    def ended(answers: list[Answered]) -> Ending:
        answered = dict(zip(calls, answers, strict=False))
        names, endings, variables = [], [], []
        for place, variable in enumerate(asked):
            if place in answered:
                name, payload = calls[place].payload["key"], answered[place].payload
                reference, part = neutral_reference(name), ending(payload, {})
                status = payload.get("status")
            else:
                status = unknown_to_16(variable)
                name, reference = f"{variable['component']}.{variable['variable']}", without_key(variable)
                part = Ending(Outcome.REJECTED, status)
            names.append(name)
            endings.append(part)
            variables.append(reference | {"attribute": "Actual", "status": neutral(status)})
        return worst(endings, names, {"variables": variables})

    return _in_turn(list(calls.values()), ended)


def get_report(arguments: Arguments, station: Station) -> Dialogue:
    """Section 5.8: all keys, or those that are named; in the shape that OCPP 2.x gives a report.

    What a key cannot tell is None.
    """
    asked = arguments["variables"]
    if arguments["criteria"] or arguments["base"] == "summary":
        raise CommandUnsupported(
            "get_report: OCPP 1.6 knows neither criteria nor a summary; versions that do: 2.0.1, 2.1"
        )
    if arguments["base"] is not None and asked:
        raise CommandInvalid("get_report: give either a base, or variables")
    if any(variable["variable"] is None for variable in asked):
        raise CommandUnsupported(
            "get_report: OCPP 1.6 has no components, so name the variable; versions that have: 2.0.1, 2.1"
        )

    def ended(answers: list[Answered]) -> Ending:
        variables = [_reported(*entry) for entry in _entries(answers)]
        found = _found(asked, answers, variables)
        status = "accepted" if found.outcome is Outcome.ACCEPTED else "empty_result_set"
        return replace(found, result={"status": status, "request_id": None, **(found.result or {})})

    return _reading(asked, _keys(asked, "get_report"), ended)


def _reported(key: str | None, value: str | None, readonly: bool | None) -> dict[str, Any]:
    attribute = {
        "type": "Actual",
        "value": value,
        "mutability": "read_only" if readonly else "read_write",
        "persistent": None,
        "constant": None,
    }
    return neutral_reference(key) | {"attributes": [attribute], "characteristics": None}


def _in_turn(calls: list[Call], ended: Callable[[list[Answered]], Ending]) -> Dialogue:
    """The calls one after the other, if any; the first CALLERROR ends it."""
    answers: list[Answered] = []
    for call in calls:
        answer = yield call
        if isinstance(answer, Refused):
            return refused(answer, after=len(answers))
        answers.append(answer)
    return ended(answers)


def _change(variable: Arguments) -> Call:
    key, standard = _key(variable, "set_variables"), _standard(variable)
    value = variable["value"] if standard is None else standard.value_16(variable["value"])
    value = at_most(value, 500, f"set_variables: the value of {variable['variable']}")
    return Call("ChangeConfiguration", {"key": key, "value": value})


def _keys(asked: list[Arguments], command: str) -> list[str]:
    """The keys to read: none where all that was asked for is unknown here already."""
    return [_key(variable, command) for variable in asked if unknown_to_16(variable) is None]


def _reading(asked: list[Arguments], keys: list[str], ended: Callable[[list[Answered]], Ending]) -> Dialogue:
    """Read all keys where none is asked for, else these, no more at a time than the charger takes."""
    if not asked:
        return (yield from _in_turn([Call("GetConfiguration", {})], ended))
    most = (yield from charger_limit("GetConfigurationMaxKeys")) if len(keys) > UNASKED else None
    calls = [Call("GetConfiguration", {"key": list(batch)}) for batch in batches(keys, most or ITEMS_PER_CALL)]
    return (yield from _in_turn(calls, ended))


def charger_limit(key: str) -> Generator[Call, Answered | Refused, int | None]:
    """Ask for a key that tells a limit of the charger; None where it does not say."""
    answer = yield Call("GetConfiguration", {"key": [key]})
    entries = _entries([answer]) if isinstance(answer, Answered) else []
    limit = next((to_integer(value) for name, value, _ in entries if str(name).lower() == key.lower()), None)
    return limit if limit is not None and limit > 0 else None


def _entries(answers: list[Answered]) -> list[tuple[str | None, str | None, bool | None]]:
    """Key, value and whether it is read-only, of every key in the answers."""
    notes, found = Notes(), []
    for entry in items(answers, "configurationKey"):
        key, value = text(entry, "key", notes), text(entry, "value", notes)
        standard = None if key is None else by_key(key)
        found.append((key, value if standard is None else standard.value_2x(value), boolean(entry, "readonly", notes)))
    return found


def _found(asked: list[Arguments], answers: list[Answered], variables: list[dict[str, Any]]) -> Ending:
    """The variables that there are, and those that there are not."""
    reasons: list[str] = []
    unknown: list[dict[str, Any]] = []
    for variable in asked:
        status = unknown_to_16(variable)
        if status is not None:
            reasons.append(status)
            unknown.append(without_key(variable) | {"status": neutral(status)})
    for answer in answers:
        for key in as_list(answer.payload.get("unknownKey")):
            if isinstance(key, str):
                reasons.append("UnknownKey")
                unknown.append(neutral_reference(key) | {"status": "unknown_variable"})
    result = {"variables": variables, "unknown": unknown}
    if asked and not variables:
        return Ending(Outcome.REJECTED, ", ".join(dict.fromkeys(reasons)) or "UnknownKey", result)
    return Ending(Outcome.ACCEPTED, None, result)


def _standard(variable: Arguments) -> Standard | None:
    return by_name(variable["component"], variable["variable"], variable["variable_instance"])


def _key(variable: Arguments, command: str) -> str:
    """The key of a neutral reference; a vendor's own goes by the variable's name."""
    if variable.get("attribute") not in (None, "Actual"):
        raise CommandUnsupported(
            f"{command}: OCPP 1.6 keys have no {variable['attribute']} attribute; versions that have: 2.0.1, 2.1"
        )
    standard = _standard(variable)
    return standard.key if standard else at_most(variable["variable"], 50, f"{command}: the key")
