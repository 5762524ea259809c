"""Variables of the device model: read, set, reported."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from gateway.core.commands import Outcome
from gateway.core.errors import CommandInvalid, CommandUnsupported
from gateway.ocpp.arguments import at_most
from gateway.ocpp.batches import batches
from gateway.ocpp.endings import ending, items, neutral, report_promised, report_whole, worst
from gateway.ocpp.profile import Answered, Call, Ending, Notes, Station
from gateway.ocpp.standard_variables import with_key
from gateway.ocpp.v201.calls.shapes import V201, Arguments, Dialect, component_variable
from gateway.ocpp.v201.variables import read_variable

BASES = {"full": "FullInventory", "configuration": "ConfigurationInventory", "summary": "SummaryInventory"}

CRITERIA = {"active": "Active", "available": "Available", "enabled": "Enabled", "problem": "Problem"}


def get_variables(arguments: Arguments, station: Station) -> list[Call]:
    """Use case B06."""
    if not arguments["variables"]:
        raise CommandUnsupported(
            "get_variables: OCPP 2.x reads variables that are named; get_report gives all of them. "
            "Versions that read all at once: 1.6"
        )
    wanted = [_attribute(variable, "get_variables") for variable in arguments["variables"]]
    return [Call("GetVariables", {"getVariableData": list(batch)}) for batch in batches(wanted)]


def got_variables(calls: list[Call], answers: list[Answered]) -> Ending:
    """The variables; rejected where not one could be read."""
    variables: list[dict[str, Any]] = []
    unknown: list[dict[str, Any]] = []
    reasons: list[str] = []
    for found in items(answers, "getVariableResult"):
        status = found.get("attributeStatus")
        if status in ("UnknownComponent", "UnknownVariable"):
            unknown.append(_reference(found) | {"status": neutral(status)})
        else:
            # Whether it may be set only a report tells; 1.6 tells it at once.
            variables.append(_result(found) | {"value": found.get("attributeValue"), "readonly": None})
        if status != "Accepted":
            reasons.append(str(status))
    refused = len(reasons) == len(variables) + len(unknown)
    return Ending(
        Outcome.REJECTED if refused else Outcome.ACCEPTED,
        ", ".join(dict.fromkeys(reasons)) or ("the answer names no variable" if refused else None),
        {"variables": variables, "unknown": unknown},
    )


def set_variables(arguments: Arguments, station: Station, dialect: Dialect = V201) -> list[Call]:
    """Use case B05."""
    wanted = [
        _attribute(variable, "set_variables")
        | {
            "attributeValue": at_most(
                variable["value"], dialect.value_length, f"set_variables: the value of {variable['variable']}"
            )
        }
        for variable in arguments["variables"]
    ]
    return [Call("SetVariables", {"setVariableData": list(batch)}) for batch in batches(wanted)]


def did_set_variables(calls: list[Call], answers: list[Answered]) -> Ending:
    """Rejected where any variable was; RebootRequired counts as accepted and is told."""
    results = items(answers, "setVariableResult")
    variables = [_result(item) for item in results]
    if not results:
        return Ending(Outcome.REJECTED, "the answer names no variable", {"variables": []})
    names = [f"{variable['component']}.{variable['variable']}" for variable in variables]
    return worst([ending(item, {}, "attributeStatus") for item in results], names, {"variables": variables})


def get_report(arguments: Arguments, station: Station) -> list[Call]:
    """Use cases B07 (a base) and B08 (criteria, or components and variables)."""
    base, criteria, variables = arguments["base"], arguments["criteria"], arguments["variables"]
    request_id = {"requestId": station.next_id()}
    if not criteria and not variables:
        return [Call("GetBaseReport", request_id | {"reportBase": BASES[base or "full"]})]
    if base is not None:
        raise CommandInvalid("get_report: give either a base, or criteria and variables")
    payload: dict[str, Any] = dict(request_id)
    if criteria:
        payload["componentCriteria"] = [CRITERIA[criterion] for criterion in dict.fromkeys(criteria)]
    if variables:
        payload["componentVariable"] = [component_variable(variable, "get_report") for variable in variables]
    return [Call("GetReport", payload)]


def report_begun(calls: list[Call], answers: list[Answered]) -> Ending:
    """The report comes later, or is empty: then rejected where variables were named, as not one of them is known."""
    begun = report_promised("variables", "EmptyResultSet")(calls, answers)
    result = {**(begun.result or {}), "variables": None, "unknown": None}
    if begun.outcome is Outcome.ACCEPTED and not begun.final:
        return replace(begun, result=result)
    unknown = _not_reported(calls[-1], []) if begun.final else []
    result |= {"variables": [], "unknown": unknown}
    return replace(begun, outcome=Outcome.REJECTED if unknown else begun.outcome, result=result)


def reported(yes: Ending, calls: Sequence[Call], data: Mapping[str, Any]) -> Ending | None:
    """The whole report, each variable with its key of OCPP 1.6 beside it."""
    whole = report_whole("variables")(yes, calls, data)
    if whole is None or whole.result is None:
        return None
    variables = [with_key(variable) for variable in whole.result["variables"] or ()]
    unknown = _not_reported(calls[-1], variables)
    return replace(whole, result={**whole.result, "variables": variables, "unknown": unknown})


def _not_reported(call: Call, variables: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What was named and is not in the report; beside criteria that says nothing, as these may not have fitted."""
    if call.payload.get("componentCriteria"):
        return []
    asked = [_reference(item) for item in call.payload.get("componentVariable", ())]
    return [
        wanted | {"status": "unknown_component" if wanted["variable"] is None else "unknown_variable"}
        for wanted in asked
        if not any(_is_of(found, wanted) for found in variables)
    ]


def _is_of(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether a variable is, or is one of, what was named: names go without case, and what was not named fits all."""
    return all(
        value is None or str(found.get(name)).lower() == str(value).lower()
        for name, value in wanted.items()
        if name != "key"
    )


def _attribute(variable: Arguments, command: str) -> dict[str, Any]:
    """The fields of GetVariableDataType, which are also in SetVariableDataType."""
    found = component_variable(variable, command)
    return found | ({"attributeType": variable["attribute"]} if variable["attribute"] else {})


def _reference(found: dict[str, Any]) -> dict[str, Any]:
    return with_key(read_variable(found, Notes()))


def _result(found: dict[str, Any]) -> dict[str, Any]:
    return _reference(found) | {
        "attribute": found.get("attributeType") or "Actual",
        "status": neutral(found.get("attributeStatus")),
    }
