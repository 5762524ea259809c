"""Variables of the device model: read, set, reported."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from gateway.core.commands import Outcome
from gateway.core.errors import CommandInvalid, CommandUnsupported
from gateway.ocpp.arguments import at_most
from gateway.ocpp.batches import batches
from gateway.ocpp.endings import ending, items, neutral, refused, report_promised, worst
from gateway.ocpp.profile import Answered, Call, Dialogue, Ending, Notes, Refused, Station
from gateway.ocpp.standard_variables import with_key
from gateway.ocpp.v201.calls.shapes import V201, Arguments, Dialect, component_variable
from gateway.ocpp.v201.portions import VARIABLES_READ, station_limit
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


def get_report(arguments: Arguments, station: Station) -> Dialogue:
    """Use cases B07 (a base) and B08 (criteria, or components and variables); a long list of these is asked for in as
    many reports as the station needs (B08.FR.17), each with a request id of its own."""
    base, criteria, variables = arguments["base"], arguments["criteria"], arguments["variables"]
    request_id = {"requestId": station.next_id()}
    if not criteria and not variables:
        return _reports([Call("GetBaseReport", request_id | {"reportBase": BASES[base or "full"]})])
    if base is not None:
        raise CommandInvalid("get_report: give either a base, or criteria and variables")
    payload: dict[str, Any] = dict(request_id)
    if criteria:
        payload["componentCriteria"] = [CRITERIA[criterion] for criterion in dict.fromkeys(criteria)]
    if variables:
        payload["componentVariable"] = [component_variable(variable, "get_report") for variable in variables]
    return _portions_of_report(payload, station)


def _portions_of_report(payload: dict[str, Any], station: Station) -> Dialogue:
    named = payload.get("componentVariable", [])
    if len(named) <= VARIABLES_READ.unasked:
        return (yield from _reports([Call("GetReport", payload)]))
    limit = yield from station_limit(VARIABLES_READ.component, "GetReport")
    calls = [
        Call(
            "GetReport",
            payload | {"componentVariable": list(batch)} | ({"requestId": station.next_id()} if place else {}),
        )
        for place, batch in enumerate(batches(named, limit or len(named)))
    ]
    return (yield from _reports(calls))


def _reports(calls: list[Call]) -> Dialogue:
    answers: list[Answered] = []
    for call in calls:
        answer = yield call
        if isinstance(answer, Refused):
            return refused(answer, after=len(answers))
        answers.append(answer)
    return _reports_begun(calls, answers)


def _reports_begun(calls: list[Call], answers: list[Answered]) -> Ending:
    """The reports come later, or are empty: then rejected where variables were named, as not one of them is known."""
    promised = report_promised("variables", "EmptyResultSet")
    parts = [(call, promised([call], [answer])) for call, answer in zip(calls, answers, strict=True)]
    ids = tuple(
        call.payload["requestId"] for call, part in parts if part.outcome is Outcome.ACCEPTED and not part.final
    )
    unknown = [missing for call, part in parts if part.final for missing in _not_reported(call, [])]
    refusals = [part for _, part in parts if part.outcome is not Outcome.ACCEPTED]
    whole = refusals[0] if refusals else parts[0][1]
    if ids and not refusals:
        result = {**(whole.result or {}), "status": "accepted", "variables": None, "unknown": unknown or None}
        return replace(whole, reason=None, result=result, awaiting=ids, final=False)
    outcome = Outcome.REJECTED if unknown else whole.outcome
    result = {**(whole.result or {}), "variables": [], "unknown": unknown}
    return replace(whole, outcome=outcome, result=result, acted=whole.acted or bool(ids), final=True)


def reported(yes: Ending, calls: Sequence[Call], data: Mapping[str, Any]) -> Ending | None:
    """A whole report, each variable with its key of OCPP 1.6 beside it; the last of them is the end."""
    request_id = data.get("request_id")
    if request_id not in yes.awaiting or not data.get("complete"):
        return None
    call = next(call for call in calls if call.payload.get("requestId") == request_id)
    found = [with_key(variable) for variable in data.get("variables") or ()]
    before = yes.result or {}
    result = {
        **before,
        "variables": [*(before.get("variables") or ()), *found],
        "unknown": [*(before.get("unknown") or ()), *_not_reported(call, found)],
    }
    return replace(yes, result=result, awaiting=tuple(other for other in yes.awaiting if other != request_id))


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
