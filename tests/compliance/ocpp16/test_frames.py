"""OCPP-J 1.6 on the wire: what is answered to frames and payloads that are wrong, by design and by law.

The gateway forgives (law 6): what breaks the schema is taken, flagged and answered as if it were right. Where a charge
point is held to the schema (`strict`), the error codes are those of OCPP-J 1.6, table 7, in its own spelling. A
transaction's message is never answered with CALLERROR, strict or not (law 1).
"""

import json
from typing import Any

import pytest

from tests.compliance.ocpp16.charge_point import BOOT, CALL, CALLRESULT, at
from tests.compliance.ocpp16.lab import STRICT, Lab

START = {"connectorId": 1, "idTag": "FIRST", "meterStart": 0, "timestamp": "2026-11-01T08:00:00Z"}


# ---------------------------------------------------------------- actions


@pytest.mark.parametrize(
    ("action", "code"),
    [
        pytest.param("Nonsense", "NotImplemented", id="an action that OCPP 1.6 does not know"),
        pytest.param("NotifyReport", "NotImplemented", id="an action of OCPP 2.0.1"),
        pytest.param("ChangeConfiguration", "NotSupported", id="an action of the other direction"),
        pytest.param("SignedUpdateFirmware", "NotSupported", id="one of the other direction's security extension"),
    ],
)
async def test_an_action_that_is_not_served(action: str, code: str, lab: Lab) -> None:
    async with lab.charge_point() as point:
        assert await point.refused(action, {}) == code
        await point.call("Heartbeat", {})


@pytest.mark.parametrize("status", [{"vendorId": "com.example"}, {"vendorId": "com.example", "messageId": "M"},
                                    {"vendorId": "com.example", "messageId": "M", "data": "D"}])  # fmt: skip
async def test_tc_064_data_transfer_of_an_unknown_vendor(status: dict[str, str], lab: Lab) -> None:
    async with lab.charge_point() as point:
        assert await point.call("DataTransfer", status) == {"status": "UnknownVendorId"}


# ---------------------------------------------------------------- payloads

BROKEN: dict[str, tuple[str, Any, str]] = {
    # what is wrong → (action, payload, the code where the schema is enforced)
    "a field is missing": ("BootNotification", {"chargePointVendor": "V"}, "OccurenceConstraintViolation"),
    "a field has another type": ("Authorize", {"idTag": 7}, "TypeConstraintViolation"),
    "a number is text": (
        "StatusNotification",
        {"connectorId": "1", "status": "Available", "errorCode": "NoError"},
        "TypeConstraintViolation",
    ),
    "a word is not in the list": (
        "StatusNotification",
        {"connectorId": 1, "status": "Sleeping", "errorCode": "NoError"},
        "PropertyConstraintViolation",
    ),
    "a text is too long": ("Authorize", {"idTag": "X" * 21}, "PropertyConstraintViolation"),
    "a field is not known": ("Heartbeat", {"mood": "good"}, "FormationViolation"),
    "the payload is a list": ("Heartbeat", [], "FormationViolation"),
    "a time is none": (
        "StatusNotification",
        {"connectorId": 1, "status": "Available", "errorCode": "NoError", "timestamp": "yesterday"},
        "PropertyConstraintViolation",
    ),
}


async def answer_to(lab: Lab, identity: str, action: str, payload: Any) -> list[Any]:
    async with lab.charge_point(identity, boot=False) as point:
        # What a make's profile says counts from its boot on.
        await point.call("BootNotification", BOOT)
        await point.call("Heartbeat", {})
        await point.send([CALL, "broken", action, payload])
        answer = await point.answer()
        await point.call("Heartbeat", {})
    return answer


@pytest.mark.parametrize(("action", "payload", "code"), BROKEN.values(), ids=BROKEN)
async def test_in_strict_mode_a_broken_payload_gets_its_code(action: str, payload: Any, code: str, lab: Lab) -> None:
    answer = await answer_to(lab, lab.name(STRICT), action, payload)
    assert answer[:3] == [4, "broken", code]


@pytest.mark.parametrize(("action", "payload", "code"), BROKEN.values(), ids=BROKEN)
async def test_law_6_otherwise_a_broken_payload_is_taken(action: str, payload: Any, code: str, lab: Lab) -> None:
    identity = lab.name()
    answer = await answer_to(lab, identity, action, payload)
    assert answer[:2] == [CALLRESULT, "broken"]
    assert (await lab.get(f"chargers/{identity}"))["violations"]


MONEY: dict[str, tuple[str, dict[str, Any]]] = {
    "StartTransaction": ("StartTransaction", {**START, "idTag": 7, "extra": True}),
    "StopTransaction": ("StopTransaction", {"transactionId": "none", "meterStop": "many"}),
    "MeterValues": ("MeterValues", {"connectorId": 1, "meterValue": [{"sampledValue": {}}]}),
}


@pytest.mark.parametrize("prefix", [STRICT, "LAB-"])
@pytest.mark.parametrize(("action", "payload"), MONEY.values(), ids=MONEY)
async def test_law_1_a_broken_message_of_a_transaction_is_taken(
    action: str, payload: dict[str, Any], prefix: str, lab: Lab
) -> None:
    assert (await answer_to(lab, lab.name(prefix), action, payload))[0] == CALLRESULT


# ---------------------------------------------------------------- frames

UNREADABLE: dict[str, str] = {
    "no JSON": "hello",
    "an object": '{"a": 1}',
    "an empty array": "[]",
    "an unknown message type": '[7, "id", "Heartbeat", {}]',
    "a message type of OCPP 2.1": '[6, "id", "Heartbeat", {}]',
    "an answer to nothing": '[3, "nobody", {"status": "Accepted"}]',
    "an error to nothing": '[4, "nobody", "InternalError", "", {}]',
    "no message id": "[2]",
    "a money message cut short": '[2, "id", "StopTransaction", {"transactionId": 1',
}


@pytest.mark.parametrize("text", UNREADABLE.values(), ids=UNREADABLE)
async def test_what_cannot_be_answered_is_ignored_and_the_connection_lives(text: str, lab: Lab) -> None:
    """OCPP-J 1.6, section 4.1.3: a message of an unknown type is ignored."""
    async with lab.charge_point() as point:
        await point.send(text)
        assert await point.is_told_nothing()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('[2, "broken", "Heartbeat", {"a": ]', id="the payload is no JSON"),
        pytest.param('[2, "broken", 7, {}]', id="the action is no text"),
        pytest.param('[2, "broken"]', id="there is no action"),
    ],
)
async def test_a_call_whose_id_can_be_read_gets_formation_violation(text: str, lab: Lab) -> None:
    async with lab.charge_point() as point:
        await point.send(text)
        assert point.error_code(await point.answer(), "broken") == "FormationViolation"


async def test_a_message_id_used_again_is_answered_again(lab: Lab) -> None:
    """The id says nothing of what is in it: two requests are two, and a repeat of the same is answered the same."""
    async with lab.charge_point() as point:
        for action, payload in (("Heartbeat", {}), ("Authorize", {"idTag": "FIRST"}), ("Heartbeat", {})):
            await point.send([CALL, "same", action, payload])
            kind, message_id, answer = await point.answer()
            assert (kind, message_id) == (CALLRESULT, "same")
            assert ("idTagInfo" in answer) == (action == "Authorize")
        first, second = START, {**START, "connectorId": 2, "timestamp": at()}
        numbers = []
        for start in (first, first, second):
            await point.send([CALL, "same", "StartTransaction", start])
            numbers.append((await point.answer())[2]["transactionId"])
        assert numbers[0] == numbers[1] != numbers[2]


async def test_requests_that_were_not_waited_for_are_answered_in_order(lab: Lab) -> None:
    async with lab.charge_point() as point:
        for number in range(20):
            await point.send([CALL, str(number), "Heartbeat" if number % 2 else "Authorize", {"idTag": "FIRST"}])
        assert [(await point.answer())[1] for _ in range(20)] == [str(number) for number in range(20)]


async def test_the_charge_point_may_ask_while_it_is_asked(lab: Lab) -> None:
    """OCPP-J 1.6, section 4.1.1: each side has one outstanding request; a request may cross an answer."""
    async with lab.charge_point() as point:
        ordered = lab.order(point, "clear_cache")
        message_id, _ = await point.asked("ClearCache")
        assert (await point.authorize("FIRST"))["status"] == "Accepted"
        await point.send([CALLRESULT, message_id, {"status": "Accepted"}])
        assert (await ordered)["outcome"] == "accepted"


async def test_an_answer_that_breaks_the_schema_ends_the_command(lab: Lab) -> None:
    async with lab.charge_point() as point:
        ordered = lab.order(point, "clear_cache")
        message_id, _ = await point.asked("ClearCache")
        await point.send([CALLRESULT, message_id, {"status": 7}])
        assert (await ordered)["outcome"] == "error"


async def test_a_large_message_is_taken(lab: Lab) -> None:
    sampled = [{"value": str(number), "context": "Sample.Periodic"} for number in range(2000)]
    async with lab.charge_point() as point:
        values = {"connectorId": 1, "meterValue": [{"timestamp": at(), "sampledValue": sampled}]}
        assert len(json.dumps(values)) > 65536
        assert await point.call("MeterValues", values) == {}
