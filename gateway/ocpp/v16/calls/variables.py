"""Configuration keys, in the naming of the device model."""

from typing import Any

from gateway.core.commands import Outcome
from gateway.core.errors import CommandInvalid, CommandUnsupported
from gateway.ocpp.arguments import at_most
from gateway.ocpp.batches import batches
from gateway.ocpp.endings import ending, items, neutral, worst
from gateway.ocpp.fields import as_list, boolean, text
from gateway.ocpp.profile import Answered, Call, Ending, Notes, Station
from gateway.ocpp.standard_variables import Standard, by_key, by_name, neutral_reference

Arguments = dict[str, Any]


def get_variables(arguments: Arguments, station: Station) -> list[Call]:
    """Section 5.8. No key named means all of them."""
    return _get_configuration([_key(variable, "get_variables") for variable in arguments["variables"]])


def got_variables(calls: list[Call], answers: list[Answered]) -> Ending:
    """The variables; rejected where keys were asked for and none is known."""
    variables = [
        neutral_reference(key) | {"attribute": "Actual", "value": value, "readonly": readonly, "status": "accepted"}
        for key, value, readonly in _entries(answers)
    ]
    return _ended(calls, answers, variables, {})


def set_variables(arguments: Arguments, station: Station) -> list[Call]:
    """Section 5.3: one call for each key."""
    calls = []
    for variable in arguments["variables"]:
        key = _key(variable, "set_variables")
        standard = _standard(variable)
        value = variable["value"] if standard is None else standard.value_16(variable["value"])
        value = at_most(value, 500, f"set_variables: the value of {variable['variable']}")
        calls.append(Call("ChangeConfiguration", {"key": key, "value": value}))
    return calls


def did_set_variables(calls: list[Call], answers: list[Answered]) -> Ending:
    """Rejected where any key was; RebootRequired counts as accepted and is told."""
    keys = [call.payload["key"] for call in calls]
    variables = [
        neutral_reference(key) | {"attribute": "Actual", "status": neutral(answer.payload.get("status"))}
        for key, answer in zip(keys, answers, strict=False)
    ]
    return worst([ending(answer.payload, {}) for answer in answers], keys, {"variables": variables})


def get_report(arguments: Arguments, station: Station) -> list[Call]:
    """Section 5.8: all keys, or those that are named."""
    if arguments["criteria"] or arguments["base"] == "summary":
        raise CommandUnsupported(
            "get_report: OCPP 1.6 knows neither criteria nor a summary; versions that do: 2.0.1, 2.1"
        )
    if arguments["base"] is not None and arguments["variables"]:
        raise CommandInvalid("get_report: give either a base, or variables")
    for variable in arguments["variables"]:
        if variable["variable"] is None:
            raise CommandUnsupported(
                "get_report: OCPP 1.6 has no components, so name the variable; versions that have: 2.0.1, 2.1"
            )
    return _get_configuration([_key(variable, "get_report") for variable in arguments["variables"]])


def reported(calls: list[Call], answers: list[Answered]) -> Ending:
    """The report in the shape that OCPP 2.x gives it; what a key cannot tell is None."""
    variables = [
        neutral_reference(key)
        | {
            "attributes": [
                {
                    "type": "Actual",
                    "value": value,
                    "mutability": "read_only" if readonly else "read_write",
                    "persistent": None,
                    "constant": None,
                }
            ],
            "characteristics": None,
        }
        for key, value, readonly in _entries(answers)
    ]
    return _ended(calls, answers, variables, {"status": "accepted", "request_id": None})


def _get_configuration(keys: list[str]) -> list[Call]:
    return [Call("GetConfiguration", {"key": list(batch)}) for batch in batches(keys)] or [Call("GetConfiguration", {})]


def _entries(answers: list[Answered]) -> list[tuple[str | None, str | None, bool | None]]:
    """Key, value and whether it is read-only, of every key in the answers."""
    notes, found = Notes(), []
    for entry in items(answers, "configurationKey"):
        key, value = text(entry, "key", notes), text(entry, "value", notes)
        standard = None if key is None else by_key(key)
        found.append((key, value if standard is None else standard.value_2x(value), boolean(entry, "readonly", notes)))
    return found


def _ended(
    calls: list[Call], answers: list[Answered], variables: list[dict[str, Any]], result: dict[str, Any]
) -> Ending:
    unknown = [
        neutral_reference(key) | {"status": "unknown_variable"}
        for answer in answers
        for key in as_list(answer.payload.get("unknownKey"))
        if isinstance(key, str)
    ]
    nothing = calls[0].payload.get("key") and not variables
    return Ending(
        Outcome.REJECTED if nothing else Outcome.ACCEPTED,
        "UnknownKey" if nothing else None,
        {**result, "variables": variables, "unknown": unknown},
    )


def _standard(variable: Arguments) -> Standard | None:
    return by_name(variable["component"], variable["variable"], variable["variable_instance"])


def _key(variable: Arguments, command: str) -> str:
    """The key of a neutral reference. What the table does not know goes by the variable's name."""
    if variable.get("attribute") not in (None, "Actual"):
        raise CommandUnsupported(
            f"{command}: OCPP 1.6 keys have no {variable['attribute']} attribute; versions that have: 2.0.1, 2.1"
        )
    standard = _standard(variable)
    return standard.key if standard else at_most(variable["variable"], 50, f"{command}: the key")
