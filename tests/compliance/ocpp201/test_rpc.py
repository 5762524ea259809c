"""Part 4: frames, message ids and errors of OCPP-J, whatever the message."""

import asyncio
import json
from typing import Any

import pytest

from tests.compliance.laboratory import STRICT, Laboratory, boot
from tests.compliance.ocpp201.messages import VERSION, Transaction, notified, status
from tests.compliance.station import PATIENCE, CallError, Payload

FRAMES: dict[str, tuple[str, list[Any]]] = {
    # case → what the station sends, the beginning of the CALLERROR
    "an action that nobody knows": ('[2,"id","Nonsense",{}]', [4, "id", "NotImplemented"]),
    "an action of the other direction": ('[2,"id","Reset",{"type":"OnIdle"}]', [4, "id", "NotSupported"]),
    "an action of OCPP 1.6": ('[2,"id","StatusUpdate",{}]', [4, "id", "NotImplemented"]),
    "an unknown message type": ('[7,"id","Heartbeat",{}]', [4, "id", "MessageTypeNotSupported"]),
    "no JSON": ("{nonsense", [4, "-1", "RpcFrameworkError"]),
    "no array": ('{"type":2}', [4, "-1", "RpcFrameworkError"]),
    "an empty array": ("[]", [4, "-1", "RpcFrameworkError"]),
    "no message id": ("[2]", [4, "-1", "RpcFrameworkError"]),
    "a message id that is no text": ('[2,{},"Heartbeat",{}]', [4, "-1", "RpcFrameworkError"]),
    "no action": ('[2,"id"]', [4, "id", "FormatViolation"]),
    "an action that is no text": ('[2,"id",7,{}]', [4, "id", "FormatViolation"]),
    "a payload that breaks off": ('[2,"id","Heartbeat",{"a":', [4, "id", "FormatViolation"]),
}


@pytest.mark.parametrize("case", FRAMES, ids=[case.replace(" ", "-") for case in FRAMES])
async def test_what_is_no_call_gets_its_error(lab: Laboratory, case: str) -> None:
    """Part 4, sections 4.2.3 and 4.3; the connection goes on."""
    text, wanted = FRAMES[case]
    async with lab.booted(VERSION) as (station, _):
        answer = await station.frame(text)
        assert answer[:3] == wanted
        assert (len(answer), type(answer[3]), type(answer[4])) == (5, str, dict)
        assert len(answer[3]) <= 255
        assert set(await station.call("Heartbeat", {})) == {"currentTime"}


@pytest.mark.parametrize(
    "text",
    [
        '[3,"nobodys",{}]',
        '[4,"nobodys","InternalError","",{}]',
        '[2,"id","TransactionEvent",{"eventType":',
        '[2,"id","TransactionEv',
    ],
    ids=["an-answer-to-nothing", "an-error-to-nothing", "money-that-breaks-off", "what-may-be-money"],
)
async def test_what_goes_without_an_answer(lab: Laboratory, text: str) -> None:
    """Answers are never answered. That a broken TransactionEvent is not, is a law of the gateway: it stays unanswered,
    so that the station keeps it and sends it again."""
    async with lab.booted(VERSION) as (station, _):
        await station.socket.send(text)
        answer = await station.frame('[2,"marker","Nonsense",{}]')
        assert answer[:2] == [4, "marker"]


async def test_an_id_may_be_used_again(lab: Laboratory) -> None:
    """Part 4, section 4.1.4 forbids it; to each of two such CALLs its own answer is given all the same."""
    async with lab.booted(VERSION) as (station, _):
        assert "currentTime" in await station.call("Heartbeat", {}, message_id="same")
        assert await station.call("StatusNotification", status(), message_id="same") == {}
        assert "currentTime" in await station.call("Heartbeat", {}, message_id="same")


@pytest.mark.parametrize("message_id", ["x", "0", "{}", 'a"b\\c', "ü" * 36, "x" * 36, "x" * 80])
async def test_an_id_is_echoed_as_it_is(lab: Laboratory, message_id: str) -> None:
    """Part 4, section 4.1.4: any text of up to 36 characters. A longer one is taken, too."""
    async with lab.booted(VERSION) as (station, _):
        assert "currentTime" in await station.call("Heartbeat", {}, message_id=message_id)


async def test_one_call_at_a_time(lab: Laboratory) -> None:
    """Part 4, section 4.1.1: no second CALL before the first is answered; the station's own are answered meanwhile."""
    answer = asyncio.Event()
    async with lab.booted(VERSION) as (station, operator):
        station.gate = answer
        commands = [asyncio.create_task(operator.command(name)) for name in ("clear_cache", "get_local_list_version")]
        station.replies["GetLocalListVersion"] = {"versionNumber": 1}
        async with asyncio.timeout(PATIENCE):
            await station.begun.wait()
        assert "currentTime" in await station.call("Heartbeat", {})
        assert station.count == 1
        answer.set()
        results = await asyncio.gather(*commands)
        assert [result["outcome"] for result in results] == ["accepted", "accepted"]


@pytest.mark.parametrize(
    "code",
    [
        "FormatViolation",
        "GenericError",
        "InternalError",
        "MessageTypeNotSupported",
        "NotImplemented",
        "NotSupported",
        "OccurrenceConstraintViolation",
        "PropertyConstraintViolation",
        "ProtocolError",
        "RpcFrameworkError",
        "SecurityError",
        "TypeConstraintViolation",
        "WhateverElse",
    ],
)
async def test_a_stations_error_is_told(lab: Laboratory, code: str) -> None:
    """Part 4, section 4.3: the operator learns code and description."""
    async with lab.booted(VERSION) as (station, operator):
        station.replies["ClearCache"] = CallError(code, "told by the lab")
        result = await operator.command("clear_cache")
        assert result["outcome"] == "error"
        assert code in result["reason"]
        assert "told by the lab" in result["reason"]


def without(payload: Payload, name: str) -> Payload:
    return {key: value for key, value in payload.items() if key != name}


BROKEN: dict[str, tuple[str, Payload, str]] = {
    "a field is missing": ("StatusNotification", without(status(), "connectorStatus"), "OccurrenceConstraintViolation"),
    "a field is of another type": ("StatusNotification", status() | {"evseId": "one"}, "TypeConstraintViolation"),
    "a word that is not on the list": ("StatusNotification", status("Sleeping"), "PropertyConstraintViolation"),
    "a text that is too long": (
        "NotifyEvent",
        notified("C" * 51, "AvailabilityState", "Available"),
        "PropertyConstraintViolation",
    ),
    "a field that there is not": ("StatusNotification", status() | {"surprise": 1}, "FormatViolation"),
    "an empty list": ("NotifyEvent", notified("C", "V", "1") | {"eventData": []}, "OccurrenceConstraintViolation"),
}


@pytest.mark.parametrize("case", BROKEN, ids=[case.replace(" ", "-") for case in BROKEN])
async def test_what_breaks_a_schema_is_refused_where_that_is_asked_for(lab: Laboratory, case: str) -> None:
    """Part 4, section 4.3, for a station that is set to be strict with."""
    action, payload, code = BROKEN[case]
    async with lab.booted(VERSION, vendor=STRICT) as (station, _):
        assert await station.refusal(action, payload) == code


@pytest.mark.parametrize("case", BROKEN, ids=[case.replace(" ", "-") for case in BROKEN])
async def test_what_breaks_a_schema_is_taken_else_and_told(lab: Laboratory, case: str) -> None:
    """A law of the gateway: unknown is forwarded, never dropped; the violations are counted for the charger."""
    action, payload, _ = BROKEN[case]
    async with lab.booted(VERSION) as (station, operator):
        assert await station.call(action, payload) == {}
        await operator.charger(lambda state: bool(state["violations"]))


async def test_null_stands_for_what_is_not_there(lab: Laboratory) -> None:
    """Part 4, section 4.2.1.2 forbids null for fields that are left out; many stations write it."""
    async with lab.booted(VERSION) as (station, operator):
        payload = Transaction().started("CablePluggedIn") | {"idToken": None, "meterValue": None}
        assert await station.call("TransactionEvent", payload) == {}
        assert (await operator.transaction())["status"] == "active"


async def test_a_frame_may_be_written_with_spaces_and_lines(lab: Laboratory) -> None:
    async with lab.station(lab.name(), VERSION) as station:
        text = json.dumps([2, "spaced", "BootNotification", boot()], indent=2)
        answer = await station.frame(text)
        assert (answer[:2], answer[2]["status"]) == ([3, "spaced"], "Accepted")
