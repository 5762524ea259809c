"""A virtual charger obeys every call of its version, and whatever it says is valid by the schemas."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.ocpp import profiles
from gateway.simulator.connector import RemoteStart
from gateway.simulator.dialect import Dialect
from gateway.simulator.fleet import DIALECTS
from gateway.simulator.messages import Errand, Message
from gateway.simulator.options import SimulatorOptions
from gateway.simulator.station import Station
from tests.ocpp.schema_folder import assert_request, assert_response, request_schema
from tests.simulator.generated import payloads

MANY_STEPS = 60
"""An errand may go on for as long as a charger lives (a periodic stream)."""

PROFILES = {profile.version: profile for profile in profiles.PROFILES.values()}
CALLS = [(version, action) for version, profile in PROFILES.items() for action in sorted(profile.actions_out)]


def charging(version: str) -> Station:
    """A station with two connectors; on the first a transaction runs."""
    station = Station("CP/1", SimulatorOptions(version=version, connectors=2))  # type: ignore[arg-type]
    station.accepted = True
    transaction = station.begin(station.connectors[0], "TAG", RemoteStart("TAG", 7))
    transaction.wire_id = 1 if version == "1.6" else "TX"
    return station


def messages(errand: Errand) -> list[Message]:
    """What an errand sends, each message being accepted."""
    sent = []
    try:
        step = errand.send(None)
        for _ in range(MANY_STEPS):
            answer: dict[str, Any] | None = None
            if isinstance(step, Message):
                sent.append(step)
                answer = {"status": "Accepted", "scheduleUpdate": {"limit": 8}}
            step = errand.send(answer)
    except StopIteration:
        pass
    return sent


def obeyed(dialect: Dialect, station: Station, action: str, payload: dict[str, Any]) -> list[Message]:
    """Obey a call; its answer and what follows are checked."""
    profile = PROFILES[dialect.version]
    answer = dialect.obeys[action](station, payload)
    assert_response(profile, action, answer.payload)
    sent = [] if answer.then is None else messages(answer.then)
    for message in sent:
        assert_request(profile, message.action, message.payload)
        assert message.action in profile.actions_in
        assert message.answered is (message.action not in profile.sends)
    if answer.after is not None:
        answer.after()
    return sent


@pytest.mark.parametrize("version", DIALECTS)
def test_every_call_of_a_version_is_obeyed(version: str) -> None:
    assert DIALECTS[version].obeys.keys() == PROFILES[version].actions_out


@pytest.mark.parametrize(("version", "action"), CALLS)
def test_any_valid_call_gets_a_valid_answer_and_valid_messages_follow(version: str, action: str) -> None:
    @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
    @given(first=payloads(version, action), second=payloads(version, action))
    def check(first: dict[str, Any], second: dict[str, Any]) -> None:
        station = charging(version)
        obeyed(DIALECTS[version], station, action, first)
        obeyed(DIALECTS[version], station, action, second)

    check()


@pytest.mark.parametrize("version", DIALECTS)
def test_calls_of_all_kinds_one_after_the_other_are_obeyed(version: str) -> None:
    def call(action: str) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
        return st.tuples(st.just(action), payloads(version, action))

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(calls=st.lists(st.sampled_from(sorted(DIALECTS[version].obeys)).flatmap(call), min_size=10, max_size=20))
    def check(calls: list[tuple[str, dict[str, Any]]]) -> None:
        station = charging(version)
        for action, payload in calls:
            obeyed(DIALECTS[version], station, action, payload)

    check()


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
def test_a_full_report_comes_in_parts_that_are_counted(version: str) -> None:
    request = {"requestId": 5, "reportBase": "FullInventory"}
    parts = [message.payload for message in obeyed(DIALECTS[version], charging(version), "GetBaseReport", request)]

    assert len(parts) > 2
    assert [part["seqNo"] for part in parts] == list(range(len(parts)))
    assert [part["tbc"] for part in parts] == [True] * (len(parts) - 1) + [False]
    names = [(str(item["component"]), str(item["variable"])) for part in parts for item in part["reportData"]]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("version", DIALECTS)
def test_every_message_that_a_trigger_can_name_is_sent(version: str) -> None:
    unsaid = []
    for action in ("TriggerMessage", "ExtendedTriggerMessage"):
        if action in DIALECTS[version].obeys:
            for requested in _requested(version, action):
                station = charging(version)
                sent = obeyed(DIALECTS[version], station, action, {"requestedMessage": requested})
                if not sent and not station.outbox:
                    unsaid.append(requested)
    assert unsaid == (["CustomTrigger"] if version == "2.1" else [])


def _requested(version: str, action: str) -> list[str]:
    schema = request_schema(version, action)
    found = schema["properties"]["requestedMessage"]
    enum = found["enum"] if "enum" in found else schema["definitions"][found["$ref"].rpartition("/")[2]]["enum"]
    return list(enum)
