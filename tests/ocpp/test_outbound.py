"""The outbound tables of every version: complete, valid in all that they call, and able to read every answer."""

from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.core.commands import COMMANDS, Outcome
from gateway.core.errors import CommandUnsupported
from gateway.core.reports import ActiveTransaction
from gateway.ocpp.profile import Answered, Call, Conversation, Ending, Refused, Station
from gateway.ocpp.profiles import PROFILES
from gateway.ocpp.triggers import TRIGGERS
from tests.ocpp.charger_answers import ANSWERS
from tests.ocpp.command_arguments import ARGUMENTS
from tests.ocpp.dialogue import Desk
from tests.ocpp.generated import payloads
from tests.ocpp.schema_folder import actions, assert_request, property_names, response_schema

STATION = Station([ActiveTransaction("tx-1", "42", 1, 1)], next_id=lambda: 4711, evse_ids=(1, 2))
DESKS = {profile.version: Desk(profile, STATION) for profile in PROFILES.values()}
ROWS = [(version, name) for version, desk in DESKS.items() for name in desk.profile.outbound]

relaxed = settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))


def test_every_neutral_command_has_a_row_and_arguments_to_test_it_with() -> None:
    assert {name for desk in DESKS.values() for name in desk.profile.outbound} == set(COMMANDS)
    assert set(ARGUMENTS) == set(COMMANDS)


@pytest.mark.parametrize("version", DESKS)
def test_every_action_of_the_schemas_is_called_by_some_command(version: str) -> None:
    profile = DESKS[version].profile
    called = {action for row in profile.outbound.values() for action in row.actions}
    assert called == profile.actions_out
    assert called == (actions(version) - profile.actions_in) | {"DataTransfer"}


@pytest.mark.parametrize(("version", "command"), ROWS)
def test_every_call_is_valid_and_one_of_the_row_s_actions(version: str, command: str) -> None:
    desk, called, told = DESKS[version], set(), []
    for arguments in ARGUMENTS[command]:
        try:
            calls, _ = desk.talk(command, arguments, lambda call: Answered(ANSWERS[version][call.action]))
        except CommandUnsupported as error:
            told.append(str(error))
            continue
        assert calls
        for call in calls:
            assert_request(desk.profile, call.action, call.payload)
        called |= {call.action for call in calls}
    # What the command cannot do here it must be able to do elsewhere.
    assert [text for text in told if "ersions " not in text] == []
    assert called
    assert called <= set(desk.profile.outbound[command].actions)


@pytest.mark.parametrize(("version", "command"), ROWS)
def test_a_willing_charger_makes_every_command_accepted(version: str, command: str) -> None:
    desk = DESKS[version]
    for arguments in ARGUMENTS[command]:
        try:
            _, ending = desk.talk(command, arguments, lambda call: Answered(ANSWERS[version][call.action]))
        except CommandUnsupported:
            continue
        assert ending.outcome is Outcome.ACCEPTED, ending


@cache
def _answers(version: str, action: str) -> st.SearchStrategy[dict[str, Any]]:
    return payloads(response_schema(version, action))


@pytest.mark.parametrize(("version", "command"), ROWS)
@given(data=st.data())
@relaxed
def test_every_valid_answer_gives_an_outcome(version: str, command: str, data: st.DataObject) -> None:
    _give(version, command, data, lambda call: data.draw(_answers(version, call.action)))


@pytest.mark.parametrize(("version", "command"), ROWS)
@given(data=st.data())
@relaxed
def test_no_answer_makes_an_ending_raise(version: str, command: str, data: st.DataObject) -> None:
    junk = data.draw(_junk(version))
    _give(version, command, data, lambda call: junk)


def _give(version: str, command: str, data: st.DataObject, payload: Any) -> None:
    arguments = data.draw(st.sampled_from(ARGUMENTS[command]))
    try:
        _, ending = DESKS[version].talk(command, arguments, lambda call: Answered(payload(call)))
    except CommandUnsupported:
        return
    assert isinstance(ending, Ending)
    assert ending.outcome in (Outcome.ACCEPTED, Outcome.REJECTED, Outcome.ERROR)


@cache
def _junk(version: str) -> st.SearchStrategy[dict[str, Any]]:
    leaves = st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=8),
        st.sampled_from(["Accepted", "Rejected", "Unknown", "EmptyResultSet", "NotFound"]),
    )
    names = st.sampled_from(_answer_names(version))
    values = st.recursive(
        leaves,
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=4)),
        max_leaves=12,
    )
    return st.dictionaries(names, values, max_size=8)


@cache
def _answer_names(version: str) -> list[str]:
    found: set[str] = set(property_names(version))
    for action in DESKS[version].profile.actions_out:
        found |= set(response_schema(version, action).get("properties", {}))
    return sorted(found)


@pytest.mark.parametrize(
    ("version", "command"),
    [(version, name) for version, name in ROWS if isinstance(DESKS[version].profile.outbound[name], Conversation)],
)
def test_a_refused_dialogue_ends(version: str, command: str) -> None:
    refusal = Refused("InternalError", "internal_error", "out of order")
    _, ending = DESKS[version].talk(command, ARGUMENTS[command][0], lambda call: refusal)
    assert ending.outcome in (Outcome.ERROR, Outcome.REJECTED)


@pytest.mark.parametrize("version", DESKS)
@pytest.mark.parametrize("message", TRIGGERS)
def test_a_message_is_triggered_or_the_versions_that_can_are_told(version: str, message: str) -> None:
    arguments = {"message": message, "custom": "Fan" if message == "CustomTrigger" else None}
    if version in TRIGGERS[message]:
        (call,) = DESKS[version].calls("trigger", **arguments)
        assert call.action in ("TriggerMessage", "ExtendedTriggerMessage")
    else:
        with pytest.raises(CommandUnsupported, match=", ".join(TRIGGERS[message])):
            DESKS[version].calls("trigger", **arguments)


# ---------------------------------------------------------------- what follows a yes


REPORTS = [
    # command, event's list, versions
    ("get_report", "variables", ("2.0.1", "2.1")),
    ("get_monitoring_report", "monitors", ("2.0.1", "2.1")),
    ("get_display_messages", "messages", ("2.0.1", "2.1")),
]
OTHERS = {"get_report": [{"component": "C", "variable": "V", "variable_instance": None}]}


@pytest.mark.parametrize(
    ("version", "command", "name"), [(version, command, name) for command, name, found in REPORTS for version in found]
)
def test_a_report_ends_with_its_last_part(version: str, command: str, name: str) -> None:
    items = OTHERS.get(command, [{"id": 1}])

    def after(**event: Any) -> Ending | None:
        return DESKS[version].followed(command, {}, [{"status": "Accepted"}], {name: items, **event})

    assert after(request_id=4711, complete=False) is None
    assert after(request_id=4712, complete=True) is None
    assert after(request_id=None, complete=True) is None
    ending = after(request_id=4711, complete=True)
    assert ending is not None
    assert ending.outcome is Outcome.ACCEPTED
    assert ending.result is not None
    assert (ending.result["request_id"], len(ending.result[name])) == (4711, 1)


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
@pytest.mark.parametrize(
    ("command", "status", "name"),
    [
        ("get_report", "EmptyResultSet", "variables"),
        ("get_monitoring_report", "EmptyResultSet", "monitors"),
        ("get_display_messages", "Unknown", "messages"),
    ],
)
def test_a_report_of_nothing_is_accepted_and_not_waited_for(version: str, command: str, status: str, name: str) -> None:
    ending = DESKS[version].ended(command, {}, {"status": status})
    assert (ending.outcome, ending.final) == (Outcome.ACCEPTED, True)
    assert ending.result is not None
    assert ending.result[name] == []


@pytest.mark.parametrize(
    ("version", "nothing"),
    [
        ("1.6", {"unknownKey": ["HeartbeatInterval"]}),
        ("2.0.1", {"status": "EmptyResultSet"}),
        ("2.1", {"status": "EmptyResultSet"}),
    ],
)
def test_a_report_on_unknown_variables_is_rejected_on_every_version(version: str, nothing: dict[str, Any]) -> None:
    variable = {"component": "OCPPCommCtrlr", "variable": "HeartbeatInterval"}
    ending = DESKS[version].ended("get_report", {"variables": [variable]}, nothing)
    assert ending.outcome is Outcome.REJECTED
    assert ending.result is not None
    assert ending.result.keys() == {"status", "request_id", "variables", "unknown"}
    assert (ending.result["status"], ending.result["variables"]) == ("empty_result_set", [])
    (unknown,) = ending.result["unknown"]
    assert (unknown["component"], unknown["key"]) == ("OCPPCommCtrlr", "HeartbeatInterval")
    assert unknown["status"] == "unknown_variable"


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
def test_what_a_report_leaves_out_is_unknown_unless_criteria_were_given(version: str) -> None:
    asked = [{"component": "evse", "evse_id": 1, "variable": "power"}, {"component": "EVSE"}, {"component": "Other"}]
    reference = {"component_instance": None, "connector_id": None, "variable_instance": None}
    found = {**reference, "component": "EVSE", "evse_id": 1, "variable": "Power"}
    event = {"request_id": 4711, "complete": True, "variables": [found]}
    for criteria, unknown in (([], ["Other"]), (["available"], [])):
        arguments = {"variables": asked, "criteria": criteria}
        ending = DESKS[version].followed("get_report", arguments, [{"status": "Accepted"}], event)
        assert ending is not None
        assert ending.outcome is Outcome.ACCEPTED
        assert ending.result is not None
        assert [one["component"] for one in ending.result["unknown"]] == unknown
        empty = DESKS[version].ended("get_report", arguments, {"status": "EmptyResultSet"})
        assert empty.outcome is (Outcome.ACCEPTED if criteria else Outcome.REJECTED)


@pytest.mark.parametrize("version", DESKS)
@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("uploading", None),
        ("idle", None),
        (None, None),
        ("uploaded", Outcome.ACCEPTED),
        ("upload_failure", Outcome.REJECTED),
        ("bad_message", Outcome.REJECTED),
        ("not_supported_operation", Outcome.REJECTED),
        ("permission_denied", Outcome.REJECTED),
        ("accepted_canceled", Outcome.REJECTED),
    ],
)
def test_a_log_ends_with_what_became_of_the_upload(version: str, status: str | None, outcome: Outcome | None) -> None:
    arguments = {"location": "https://x.example/", "type": "security"}
    answer = {"status": "Accepted", "filename": "log.gz"}
    for request_id in (4711, None):
        event = {"request_id": request_id, "status": status}
        ending = DESKS[version].followed("get_log", arguments, [answer], event)
        assert (None if ending is None else ending.outcome) is outcome
        if ending is not None:
            assert ending.result == {"status": status, "request_id": 4711, "type": "security", "filename": "log.gz"}
            assert ending.reason == (None if outcome is Outcome.ACCEPTED else status)
    other = {"request_id": 1, "status": status}
    assert DESKS[version].followed("get_log", arguments, [answer], other) is None


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
def test_what_is_kept_of_a_customer_comes_as_one_text(version: str) -> None:
    def after(arguments: dict[str, Any], **event: Any) -> Ending | None:
        return DESKS[version].followed("customer_information", arguments, [{"status": "Accepted"}], event)

    assert after({"token": "T"}, request_id=4711, complete=False, pieces=["a"]) is None
    assert after({"token": "T"}, request_id=4, complete=True, pieces=["a"]) is None
    ending = after({"token": "T"}, request_id=4711, complete=True, pieces=["a", "b"])
    assert ending is not None
    assert ending.result == {"status": "accepted", "request_id": 4711, "data": "ab"}
    forgotten = DESKS[version].ended(
        "customer_information", {"token": "T", "report": False, "clear": True}, {"status": "Accepted"}
    )
    assert (forgotten.outcome, forgotten.final) == (Outcome.ACCEPTED, True)


def test_long_lists_are_cut_into_calls() -> None:
    def sizes(version: str, command: str, name: str, **arguments: Any) -> list[int]:
        calls = DESKS[version].calls(command, **arguments)
        return [len(_list(call, name)) for call in calls if name in call.payload]

    variables = [{"component": "C", "variable": f"V{number}"} for number in range(120)]
    values = [{**variable, "value": "1"} for variable in variables]
    assert sizes("2.1", "get_variables", "getVariableData", variables=variables) == [4, 1, 50, 50, 16]
    assert sizes("2.0.1", "set_variables", "setVariableData", variables=values) == [50, 50, 20]
    keys = [{"variable": variable["variable"]} for variable in variables]
    assert sizes("1.6", "get_variables", "key", variables=keys) == [1, 50, 50, 20]
    assert len(DESKS["1.6"].calls("set_variables", variables=[{**key, "value": "1"} for key in keys])) == 120


def _list(call: Call, name: str) -> list[Any]:
    found: list[Any] = call.payload[name]
    return found
