"""Raw messages as events: every one, both ways, an answer with its request, and no password in any."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.events import stamp
from gateway.core.identity import ChargerId
from gateway.ocpp.profiles import PROFILES
from gateway.ocpp.transcript import MAX_OPEN, Direction, Transcript

SECRET = "s3cret-of-CP-1"


def transcript(subprotocol: str = "ocpp2.0.1") -> Transcript:
    return Transcript(PROFILES[subprotocol])


def told(written: Transcript, direction: Direction, frame: Any) -> list[dict[str, Any]]:
    """The events of a text, as readers get them."""
    text = frame if isinstance(frame, str) else json.dumps(frame)
    return [
        json.loads(stamp(event, charger=ChargerId("CP1"), epoch=1, sequence=1, recorded=1.0, origin=origin).body)
        for event, origin in written.written(direction, text)
    ]


def one(written: Transcript, direction: Direction, frame: Any) -> tuple[str, str, dict[str, Any]]:
    """Action, message id and data of a text's one message."""
    (event,) = told(written, direction, frame)
    assert event["type"] == "ocpp.message"
    return event["ocppaction"], event["ocppmessageid"], event["data"]


def test_an_answer_bears_the_action_of_its_request_and_the_request_itself() -> None:
    written = transcript()
    boot, said = {"reason": "PowerUp"}, {"status": "Accepted"}
    assert one(written, "received", [2, "a", "BootNotification", boot]) == (
        *("BootNotification", "a"),
        {"direction": "received", "kind": "call", "raw": boot},
    )
    assert one(written, "sent", [2, "a", "Reset", {"type": "OnIdle"}])[0] == "Reset"
    assert one(written, "sent", [3, "a", said]) == (
        *("BootNotification", "a"),
        {"direction": "sent", "kind": "result", "request": boot, "raw": said},
    )
    assert one(written, "received", [3, "a", said])[::2] == (
        "Reset",
        {"direction": "received", "kind": "result", "request": {"type": "OnIdle"}, "raw": said},
    )


def test_an_error_tells_its_code_and_its_details() -> None:
    written = transcript("ocpp1.6")
    one(written, "sent", [2, "7", "Reset", {"type": "Soft"}])
    assert one(written, "received", [4, "7", "InternalError", "no", {"x": 1}]) == (
        *("Reset", "7"),
        {
            "direction": "received",
            "kind": "error",
            "error": {"code": "InternalError", "description": "no"},
            "request": {"type": "Soft"},
            "raw": {"x": 1},
        },
    )


def test_what_answers_nothing_known_and_what_cannot_be_read_is_told_all_the_same() -> None:
    written = transcript("ocpp2.1")
    assert one(written, "received", [3, "x", {}])[::2] == (
        "unknown",
        {"direction": "received", "kind": "result", "raw": {}},
    )
    assert one(written, "received", "garbage")[2] == {"direction": "received", "kind": "unreadable", "raw": "garbage"}
    assert one(written, "received", [6, "s", "NotifyPeriodicEventStream", {"id": 1}])[2]["kind"] == "send"
    assert one(written, "sent", [5, "x", "FormatViolation", "", {}])[2]["kind"] == "result_error"
    assert [event["data"]["raw"] for event in told(written, "received", '[3,"a",{"n":1}][3,"b",{"n":2}]')] == [
        {"n": 1},
        {"n": 2},
    ]


def test_a_call_that_has_no_neutral_event_is_not_told_twice() -> None:
    written = transcript()
    assert told(written, "received", [2, "a", "VendorThing", {"x": 1}]) == []
    assert one(written, "sent", [4, "a", "NotImplemented", "", {}])[::2] == (
        "VendorThing",
        {
            "direction": "sent",
            "kind": "error",
            "error": {"code": "NotImplemented", "description": ""},
            "request": {"x": 1},
            "raw": {},
        },
    )
    assert one(written, "received", [2, "b", "bootnotification", {}])[0] == "bootnotification"


def test_the_payload_is_told_as_it_was_written() -> None:
    raw = '{"value": 12345678901234567890123, "text":"ü"}'
    ((_, origin),) = transcript().written("received", f'[2,"a","DataTransfer",{raw}]')
    assert (origin.raw, origin.is_json) == (raw, True)


VARIABLE = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}
OTHER = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}}
REPORTED = {**VARIABLE, "variableAttribute": [{"type": "Actual", "value": SECRET}]}
NETWORK = {"ocppCsmsUrl": "wss://x.example", "basicAuthPassword": SECRET, "vpn": {"key": SECRET, "password": SECRET}}
SECRETS: list[tuple[str, dict[str, Any], Any]] = [
    # action, payload, what is told of it
    (
        "SetVariables",
        {"setVariableData": [{**VARIABLE, "attributeValue": SECRET}, {**OTHER, "attributeValue": "60"}]},
        {"setVariableData": [{**VARIABLE, "attributeValue": "***"}, {**OTHER, "attributeValue": "60"}]},
    ),
    (
        "ChangeConfiguration",
        {"key": "authorizationKEY", "value": SECRET},
        {"key": "authorizationKEY", "value": "***"},
    ),
    (
        "SetNetworkProfile",
        {"configurationSlot": 1, "connectionData": {**NETWORK, "apn": {"apnPassword": SECRET, "simPin": 1234}}},
        {
            "configurationSlot": 1,
            "connectionData": {
                "ocppCsmsUrl": "wss://x.example",
                "basicAuthPassword": "***",
                "vpn": {"key": "***", "password": "***"},
                "apn": {"apnPassword": "***", "simPin": "***"},
            },
        },
    ),
    (
        "GetDiagnostics",
        {"location": f"ftp://user:{SECRET}@files.example/a@b"},
        {"location": "ftp://***@files.example/a@b"},
    ),
    ("NotifyReport", {"reportData": [REPORTED]}, None),
    ("NotifyEvent", {"eventData": [{**VARIABLE, "actualValue": SECRET}]}, None),
]


@pytest.mark.parametrize(("action", "payload", "shown"), SECRETS, ids=[action for action, _, _ in SECRETS])
def test_no_password_is_told_in_a_request_nor_beside_its_answer(
    action: str, payload: dict[str, Any], shown: Any
) -> None:
    for direction, answering in (("sent", "received"), ("received", "sent")):
        written = transcript("ocpp1.6" if action in ("ChangeConfiguration", "GetDiagnostics") else "ocpp2.0.1")
        asked = told(written, direction, [2, "a", action, payload])  # type: ignore[arg-type]
        (answer,) = told(written, answering, [3, "a", {"status": "Accepted"}])  # type: ignore[arg-type]
        assert SECRET not in json.dumps([asked, answer])
        if shown is not None:
            assert answer["data"]["request"] == shown
            assert [event["data"]["raw"] for event in asked] in ([], [shown])


@pytest.mark.parametrize(
    ("frame", "subprotocol"),
    [
        ([3, "a", {"configurationKey": [{"key": "AuthorizationKey", "readonly": False, "value": SECRET}]}], "ocpp1.6"),
        ([3, "a", {"getVariableResult": [{**VARIABLE, "attributeValue": SECRET}]}], "ocpp2.1"),
        (f'[3,"a",{{"key":"AuthorizationKey","value":"{SECRET}"', "ocpp1.6"),
        ([4, "a", "InternalError", f"wss://CP1:{SECRET}@x.example", {"password": SECRET}], "ocpp2.1"),
        ([2, "a", "SetVariables", {"setVariableData": {**VARIABLE, "attributeValue": [SECRET]}}], "ocpp2.1"),
    ],
)
def test_no_password_is_told_in_an_answer_or_in_what_is_no_message(frame: Any, subprotocol: str) -> None:
    for direction in ("sent", "received"):
        assert SECRET not in json.dumps(told(transcript(subprotocol), direction, frame))  # type: ignore[arg-type]


def test_requests_that_are_never_answered_are_not_kept_for_ever() -> None:
    written = transcript()
    for number in range(MAX_OPEN + 1):
        one(written, "sent", [2, str(number), "ClearCache", {}])
    assert [one(written, "received", [3, number, {}])[0] for number in ("0", "1")] == ["unknown", "ClearCache"]


@given(st.text() | st.binary().map(lambda raw: raw.decode(errors="replace")) | st.just("[" * 2000))
def test_whatever_is_sent_can_be_told(text: str) -> None:
    written = transcript()
    for direction in ("received", "sent"):
        told(written, direction, text)  # type: ignore[arg-type]


def test_depth_and_lone_surrogates_do_no_harm() -> None:
    deep = orjson.loads("[" * 150 + "]" * 150)
    for payload in ('{"a": ' + json.dumps(deep) + "}", '{"a": "\\ud800"}', '{"a": NaN, "b": 1e999}'):
        told(transcript(), "received", f'[2, "a", "DataTransfer", {payload}]')
