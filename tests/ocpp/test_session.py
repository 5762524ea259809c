"""The session's rules: what a charger's text means, and when a text of ours may go out."""

import json
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from gateway.core.reports import Untranslated
from gateway.ocpp.profile import ErrorCodes, Inbound, Profile
from gateway.ocpp.profiles import PROFILES
from gateway.ocpp.schemas import SchemaSet
from gateway.ocpp.session import (
    Anomaly,
    CallAnswered,
    CallExpired,
    CallFailed,
    CallLost,
    CallReceived,
    CallSuperseded,
    CallTimedOut,
    SendReceived,
    Session,
    SessionEvent,
    Transmit,
)

V16, V201, V21 = PROFILES["ocpp1.6"], PROFILES["ocpp2.0.1"], PROFILES["ocpp2.1"]
SCHEMAS = {profile.version: SchemaSet.load(profile.schema_package) for profile in PROFILES.values()}
NOW = 1000.0


def ids() -> Callable[[], str]:
    numbers = count(1)
    return lambda: f"g{next(numbers)}"


def session(profile: Profile = V16, **options: Any) -> Session:
    return Session(profile, SCHEMAS[profile.version], new_id=ids(), **options)


def called(
    to: Session, handle: Any, *, now: float = NOW, wait: float = 60.0, within: float = 30.0, priority: int = 0
) -> list[SessionEvent]:
    return to.call(
        "ClearCache", {}, handle=handle, deadline=now + wait, answer_within=within, now=now, priority=priority
    )


def received(to: Session, text: str) -> CallReceived:
    (event,) = to.receive(text, NOW)
    assert isinstance(event, CallReceived), event
    return event


def kinds(events: list[SessionEvent]) -> list[str]:
    return [event.kind if isinstance(event, Anomaly) else type(event).__name__ for event in events]


def sent(events: list[SessionEvent]) -> list[Any]:
    return [json.loads(event.text) for event in events if isinstance(event, Transmit)]


# ---------------------------------------------------------------- CALLs of the charger


def test_a_call_is_handed_on_with_its_row_and_its_original_text() -> None:
    call = received(session(), '[2,"1","Heartbeat",{ }]')
    assert (call.message_id, call.action, call.raw, call.violations) == ("1", "Heartbeat", "{ }", [])
    assert call.inbound is V16.inbound["Heartbeat"]


def test_an_action_in_the_wrong_case_is_understood() -> None:
    """Row 17 of the quirks."""
    call = received(session(), '[2,"1","HEARTBEAT",{}]')
    assert call.action == "Heartbeat"
    assert call.inbound is V16.inbound["Heartbeat"]
    assert [told["code"] for told in call.violations] == ["action_case"]


def test_deviations_of_frame_and_payload_stand_side_by_side() -> None:
    call = received(session(), '\ufeff[2,"1","Authorize",{"idTag":7}]')
    assert [told["code"] for told in call.violations] == ["surrounding_noise", "type"]


def test_an_unknown_action_is_handed_on_without_a_row_to_be_refused() -> None:
    own = session()
    call = received(own, '[2,"1","Fly",{"high":true}]')
    assert (call.inbound, call.payload) == (None, {"high": True})
    refused = json.loads(own.refuse("1", own.refusal_for("Fly"), "Fly is not handled"))
    assert refused == [4, "1", "NotImplemented", "Fly is not handled", {}]


@pytest.mark.parametrize("action", ["RemoteStartTransaction", "remotestarttransaction"])
def test_an_action_of_the_other_direction_is_not_supported(action: str) -> None:
    own = session()
    assert received(own, f'[2,"1","{action}",{{}}]').inbound is None
    assert own.refusal_for(action) == "NotSupported"


def test_the_same_id_twice_is_two_calls() -> None:
    """Row 16 of the quirks: ids reused at once."""
    own = session()
    events = own.receive('[2,"1","Heartbeat",{}][2,"1","Heartbeat",{}]', NOW)
    assert kinds(events) == ["CallReceived", "CallReceived"]
    assert own.answer("1", b"{}") == own.answer("1", {}) == '[3,"1",{}]'


def test_a_numeric_id_is_answered_as_a_number() -> None:
    own = session()
    assert received(own, '[2,17,"Heartbeat",{}]').message_id == "17"
    assert own.answer("17", b"{}") == "[3,17,{}]"
    received(own, '[2,18,"Fly",{}]')
    assert own.refuse("18", "NotImplemented").startswith("[4,18,")
    received(own, '[2,"17","Heartbeat",{}]')
    assert own.answer("17", b"{}") == '[3,"17",{}]'


# ---------------------------------------------------------------- strict checking


def test_strict_refuses_a_broken_schema_in_the_versions_words() -> None:
    for profile, text, code in (
        (V16, '[2,"1","Authorize",{}]', "OccurenceConstraintViolation"),
        (V201, '[2,"1","Authorize",{}]', "OccurrenceConstraintViolation"),
        (V16, '[2,"1","Authorize",{"idTag":"A","x":1}]', "FormationViolation"),
        (V201, '[2,"1","Heartbeat",{"x":1}]', "FormatViolation"),
        (V16, '[2,"1","Authorize",{"idTag":7}]', "TypeConstraintViolation"),
        (V16, '[2,"1","Heartbeat",[]]', "FormationViolation"),
    ):
        events = session(profile, strict=True).receive(text, NOW)
        assert kinds(events) == ["Transmit", "schema_violation"]
        assert sent(events)[0][:3] == [4, "1", code]
        anomaly = events[1]
        assert isinstance(anomaly, Anomaly)
        assert anomaly.raw in text


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("profile", [V16, V201, V21], ids=lambda profile: profile.version)
def test_money_is_never_refused(profile: Profile, strict: bool) -> None:
    for action, row in profile.inbound.items():
        if row.money:
            call = received(session(profile, strict=strict), f'[2,"1","{action}",{{"odd":"x"}}]')
            assert call.violations, action


def test_strict_takes_what_only_the_frame_did_wrong() -> None:
    assert received(session(strict=True), '\ufeff[2,1,"heartbeat",null]').violations


def test_strict_21_rejects_a_broken_result() -> None:
    own = session(V21, strict=True)
    called(own, "h")
    events = own.receive('[3,"g1",{"status":7}]', NOW)
    assert kinds(events) == ["CallAnswered", "Transmit"]
    assert sent(events)[0][:3] == [5, "g1", "TypeConstraintViolation"]
    assert json.loads(own.reject_result("x", "FormatViolation", "why")) == [5, "x", "FormatViolation", "why", {}]


def test_versions_without_callresulterror_send_none() -> None:
    own = session(V201, strict=True)
    called(own, "h")
    assert kinds(own.receive('[3,"g1",{"status":7}]', NOW)) == ["CallAnswered"]


# ---------------------------------------------------------------- SEND and CALLRESULTERROR (2.1)


def test_a_send_is_handed_on_and_never_answered() -> None:
    (event,) = session(V21).receive('[6,"1","NotifyPeriodicEventStream",{}]', NOW)
    assert isinstance(event, SendReceived)
    assert event.inbound is V21.inbound["NotifyPeriodicEventStream"]
    assert kinds(session(V21, strict=True).receive('[6,"1","NotifyPeriodicEventStream",{}]', NOW)) == [
        "schema_violation"
    ]


def test_a_send_that_the_version_does_not_know_still_gets_through() -> None:
    for profile in (V16, V201, V21):
        (event,) = session(profile).receive('[6,"1","Heartbeat",{}]', NOW)
        assert isinstance(event, SendReceived)
        assert [told["code"] for told in event.violations] == ["send_not_known"]


def test_a_send_sent_as_a_call_gets_its_answer() -> None:
    own = session(V21)
    call = received(own, '[2,"1","NotifyPeriodicEventStream",{}]')
    assert not isinstance(call, SendReceived)
    assert "call_not_known" in [told["code"] for told in call.violations]
    assert own.answer("1", b"") == '[3,"1",{}]'


def test_an_error_of_our_result_is_told() -> None:
    events = session(V21).receive('[5,"1","FormatViolation","why",{}]', NOW)
    assert kinds(events) == ["result_error"]


# ---------------------------------------------------------------- malformed frames


@pytest.mark.parametrize(
    ("text", "in_16", "in_2x"),
    [
        # text → CALLERROR's id and code; None: silence
        ("hello", None, ("-1", "RpcFrameworkError")),
        ('[2,null,"Heartbeat",{}]', None, ("-1", "RpcFrameworkError")),
        ('[2,"1","Heartbeat",{', ("1", "FormationViolation"), ("1", "FormatViolation")),
        ('[2,"1"]', ("1", "FormationViolation"), ("1", "FormatViolation")),
        ('[9,"1","Heartbeat",{}]', None, ("1", "MessageTypeNotSupported")),
        ('[3,"1",{', None, None),
        ('[4,"1","Gene', None, None),
        ('[6,"1","NotifyPeriodicEventStream",{', None, None),
        ('[2,"1","MeterValues",{"meterValue":[{', None, None),
        ('[2,"1","metervalues",{"meterValue":[{', None, None),
    ],
)
def test_a_malformed_frame_gets_what_its_version_prescribes(
    text: str, in_16: tuple[str, str] | None, in_2x: tuple[str, str] | None
) -> None:
    for profile, expected in ((V16, in_16), (V201, in_2x), (V21, in_2x)):
        events = session(profile).receive(text, NOW)
        assert [tuple(error[1:3]) for error in sent(events)] == ([] if expected is None else [expected])
        anomaly = events[-1]
        assert isinstance(anomaly, Anomaly)
        assert (anomaly.kind, anomaly.raw) == ("malformed", text)


@pytest.mark.parametrize("blank", ["", " "])
@pytest.mark.parametrize("profile", [V16, V201, V21], ids=lambda profile: profile.version)
def test_money_is_not_refused_wherever_it_was_cut_off(profile: Profile, blank: str) -> None:
    """A CALLERROR for the unreadable id "-1" names no message, so it is none to this one."""
    for action, row in profile.inbound.items():
        whole = f'[2,"msg",{blank}"{action}",{blank}{{"connectorId":1}}]'
        for length in range(len(whole)) if row.money else ():
            for error in sent(session(profile).receive(whole[:length], NOW)):
                assert error[1] == "-1", whole[:length]
    for text in ('[2,"msg" "%s",{}]', '[2,"msg","%s"{}]', '[2,"msg",{"%s":1}', '[2,"msg",["%s"],{}]'):
        money = next(action for action, row in profile.inbound.items() if row.money)
        assert sent(session(profile).receive(text % money, NOW)) == []


def test_what_is_told_to_logs_holds_no_payload() -> None:
    own = session(V201, strict=True)
    called(own, "h")
    for text in (
        '[2,"1","Authorize",{"idToken":"SECRET"',
        '[2,"1","Authorize",{"idToken":"SECRET"}]',
        '[3,"x",{"idToken":"SECRET"}]',
        "SECRET",
    ):
        for event in own.receive(text, NOW):
            if isinstance(event, Anomaly):
                assert "SECRET" not in event.detail
                assert "SECRET" in event.raw


# ---------------------------------------------------------------- our CALLs


def test_one_call_is_outstanding_and_the_next_waits_for_its_answer() -> None:
    own = session()
    assert sent(called(own, "a")) == [[2, "g1", "ClearCache", {}]]
    assert called(own, "b") == []
    answered, transmit = own.receive('[3,"g1",{"status":"Accepted"}]', NOW)
    assert answered == CallAnswered("a", {"status": "Accepted"}, '{"status":"Accepted"}', [])
    assert sent([transmit]) == [[2, "g2", "ClearCache", {}]]


def test_an_answer_that_breaks_its_schema_is_an_answer() -> None:
    own = session()
    called(own, "a")
    (answered,) = own.receive('[3,"g1",{"status":"Perhaps"}]', NOW)
    assert isinstance(answered, CallAnswered)
    assert [told["code"] for told in answered.violations] == ["enum"]


def test_a_callerror_ends_the_call_and_sends_the_next() -> None:
    own = session()
    called(own, "a")
    called(own, "b")
    failed, transmit = own.receive('[4,"g1","OccurrenceConstraintViolation","why",{"x":1}]', NOW)
    assert failed == CallFailed(
        "a", "OccurrenceConstraintViolation", "occurrence_constraint_violation", "why", {"x": 1}
    )
    assert isinstance(transmit, Transmit)


def test_an_unreadable_answer_ends_its_call() -> None:
    """Row 15 of the quirks (Grizzl-E): cut off in the middle."""
    own = session()
    called(own, "a")
    events = own.receive('[3,"g1",{"configurationKey":[]', NOW)
    assert kinds(events) == ["CallFailed", "malformed"]
    assert own.next_deadline() is None


def test_higher_priority_goes_first_else_in_order() -> None:
    own = session()
    called(own, "first")
    for handle, priority in (("b", 0), ("c", 0), ("urgent", 5)):
        called(own, handle, priority=priority)
    order = []
    for number in range(1, 5):
        answered = own.receive(f'[3,"g{number}",{{}}]', NOW)[0]
        assert isinstance(answered, CallAnswered)
        order.append(answered.handle)
    assert order == ["first", "urgent", "b", "c"]


def test_an_unanswered_call_times_out_and_makes_way() -> None:
    own = session()
    called(own, "a", within=30)
    called(own, "b", wait=100)
    assert own.next_deadline() == NOW + 30
    assert own.poll(NOW + 29.9) == []
    assert kinds(own.poll(NOW + 30)) == ["CallTimedOut", "Transmit"]


def test_a_late_answer_is_not_taken_for_the_next_calls() -> None:
    """Row 16 of the quirks."""
    own = session()
    called(own, "a", within=1)
    called(own, "b")
    own.poll(NOW + 1)
    assert kinds(own.receive('[3,"g1",{}]', NOW + 2)) == ["late_answer"]
    assert kinds(own.receive('[3,"g1",{}]', NOW + 2)) == ["unknown_answer"]
    assert kinds(own.receive('[3,"g2",{}]', NOW + 2)) == ["CallAnswered"]


def test_answers_to_calls_we_never_made_are_told() -> None:
    own = session()
    assert kinds(own.receive('[3,"x",{}]', NOW)) == ["unknown_answer"]
    assert kinds(own.receive('[4,"x","GenericError","",{}]', NOW)) == ["unknown_error"]
    called(own, "a")
    assert kinds(own.receive('[3,"x",{}][4,"-1","RpcFrameworkError","",{}]', NOW)) == [
        "unknown_answer",
        "unknown_error",
    ]
    assert own.next_deadline() is not None


def test_an_answer_with_an_empty_id_is_the_outstanding_calls() -> None:
    """Row 16 of the quirks (ocpp-go#267), but not where it could be a late one's."""
    own = session()
    called(own, "a")
    (answered,) = own.receive('[3,"",{"status":"Accepted"}]', NOW)
    assert isinstance(answered, CallAnswered)
    assert [told["code"] for told in answered.violations] == ["message_id_empty"]
    called(own, "b", within=1)
    own.poll(NOW + 1)
    called(own, "c", now=NOW + 1)
    assert kinds(own.receive('[3,"",{}]', NOW + 2)) == ["unknown_answer"]


def test_a_call_sent_shortly_before_its_deadline_ends_with_that() -> None:
    own = session()
    called(own, "a", wait=10, within=30)
    assert own.next_deadline() == NOW + 10
    assert kinds(own.poll(NOW + 10)) == ["CallTimedOut"]


def test_a_call_not_sent_by_its_deadline_expires() -> None:
    own = session()
    called(own, "a", within=30)
    called(own, "b", wait=10)
    assert own.next_deadline() == NOW + 10
    assert own.poll(NOW + 10) == [CallExpired("b")]
    assert called(own, "c", wait=0) == []
    assert kinds(own.receive('[3,"g1",{}]', NOW + 11)) == ["CallAnswered", "CallExpired"]
    assert called(own, "d", now=NOW, wait=0) == [CallExpired("d")]


def test_a_waiting_call_can_be_withdrawn_and_a_sent_one_not() -> None:
    own = session()
    called(own, "a")
    called(own, "b")
    assert own.cancel("b")
    assert not own.cancel("b")
    assert not own.cancel("a")
    assert kinds(own.receive('[3,"g1",{}]', NOW)) == ["CallAnswered"]


def test_the_queue_is_bounded() -> None:
    own = session(max_outbound=2)
    for handle in ("sent", "b", "c"):
        called(own, handle)
    assert called(own, "d") == [CallLost("d", sent=False)]


def test_a_newer_call_takes_the_place_of_one_that_was_not_sent() -> None:
    own = session(max_outbound=3)
    for handle in ("sent", "old", "other", "last"):
        called(own, handle)
    for older, expected in (("old", [CallSuperseded("old")]), ("sent", [CallLost("new", sent=False)])):
        told = own.call("ClearCache", {}, handle="new", deadline=NOW + 60, answer_within=30, now=NOW, instead_of=older)
        assert told == expected, "one that was sent is not taken back, and there is no room"
    order = []
    for number in range(1, 5):
        answered, *_ = own.receive(f'[3,"g{number}",{{"status":"Accepted"}}]', NOW)
        assert isinstance(answered, CallAnswered)
        order.append(answered.handle)
    assert order == ["sent", "new", "other", "last"]


def test_a_lost_connection_ends_every_call_and_the_session() -> None:
    own = session()
    called(own, "a")
    called(own, "b")
    assert own.drain() == [CallLost("a", sent=True), CallLost("b", sent=False)]
    assert own.drain() == own.receive('[2,"1","Heartbeat",{}]', NOW) == own.poll(NOW + 1e9) == []
    assert own.next_deadline() is None
    assert called(own, "c") == [CallLost("c", sent=False)]


def test_ids_of_two_sessions_differ() -> None:
    texts = {
        event.text
        for own in (Session(V16, SCHEMAS["1.6"]), Session(V16, SCHEMAS["1.6"]))
        for event in called(own, "a")
        if isinstance(event, Transmit)
    }
    assert len(texts) == 2
    assert all(len(json.loads(text)[1]) <= 36 for text in texts)


def test_a_session_knows_a_version_by_its_profile_alone() -> None:
    row = Inbound(None, lambda payload, notes: Untranslated(), lambda verdict: {})
    profile = Profile(
        version="9",
        subprotocol="ocpp9",
        schema_package="",
        error_codes=ErrorCodes("Formation", "Occurrence", not_implemented="Never"),
        inbound={"Sing": row},
        outbound={},
        actions_in=frozenset({"Sing"}),
        actions_out=frozenset({"Dance"}),
    )
    own = Session(profile, SchemaSet({}, {}), strict=True)
    assert received(own, '[2,"1","sing",{"any":"thing"}]').inbound is row
    assert [own.refusal_for(action) for action in ("Dance", "Fly")] == ["NotSupported", "Never"]
    assert sent(own.receive('[2,"1","Sing",{', NOW))[0][2] == "Formation"


def test_time_outs_are_told_by_their_handle() -> None:
    own, handle = session(), object()
    called(own, handle, within=0)
    (timed_out,) = own.poll(NOW)
    assert isinstance(timed_out, CallTimedOut)
    assert timed_out.handle is handle
