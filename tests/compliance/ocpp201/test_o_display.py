"""Block O: messages on the station's display."""

from typing import Any

import pytest

from tests.compliance.laboratory import Laboratory
from tests.compliance.ocpp201.messages import VERSION, Transaction
from tests.compliance.ocpp201.orders import Order, carry_out, cases, order_of
from tests.compliance.station import Payload

BEGIN, END = "2099-01-01T00:00:00.000Z", "2099-01-02T00:00:00.000Z"
TEXT = {"message_id": 7, "text": "Welcome", "language": "en", "priority": "always_front"}
SENT = {"id": 7, "priority": "AlwaysFront", "message": {"format": "UTF8", "language": "en", "content": "Welcome"}}


def _set(case: str, more: dict[str, Any], sent: Payload, reply: str = "Accepted") -> Order:
    outcome = "accepted" if reply == "Accepted" else "rejected"
    return Order(
        case,
        "display_message",
        TEXT | more,
        "SetDisplayMessage",
        {"message": SENT | sent},
        {"status": reply},
        outcome,
        {"message_id": 7},
    )


def listed(payload: Payload) -> list[tuple[str, Payload]]:
    """NotifyDisplayMessages in two parts."""
    return [
        (
            "NotifyDisplayMessages",
            {"requestId": payload["requestId"], "tbc": tbc, "messageInfo": [SENT | {"id": number}]},
        )
        for number, tbc in ((7, True), (8, False))
    ]


def _get(case: str, arguments: dict[str, Any], sent: Payload, **more: Any) -> Order:
    settings: dict[str, Any] = {"follow": listed, "result": {"messages": [{"id": 7}, {"id": 8}]}, **more}
    return Order(case, "get_display_messages", arguments, "GetDisplayMessages", sent, **settings)


NONE: dict[str, Any] = {"reply": {"status": "Unknown"}, "follow": None, "result": {"messages": []}}
ALL: Payload = {"id": None, "priority": None, "state": None}
ORDERS = [
    _set("TC_O_01 set", {}, {}),
    _set("TC_O_12 replaced", {"text": "Goodbye"}, {"message": {"content": "Goodbye"}}),
    _set("TC_O_13 from a time on", {"starts_at": BEGIN}, {"startDateTime": BEGIN}),
    _set("TC_O_14 until a time", {"ends_at": END}, {"endDateTime": END}),
    _set("TC_O_17 priority not supported", {}, {}, "NotSupportedPriority"),
    _set("TC_O_18 state not supported", {"state": "charging"}, {"state": "Charging"}, "NotSupportedState"),
    _set(
        "TC_O_19 format not supported", {"format": "html"}, {"message": {"format": "HTML"}}, "NotSupportedMessageFormat"
    ),
    *(
        _set(f"TC_O_25 state {state}", {"state": state}, {"state": state.capitalize()})
        for state in ("charging", "faulted", "idle", "unavailable")
    ),
    _set("TC_O_26 rejected", {}, {}, "Rejected"),
    _get("TC_O_02 all", {}, ALL),
    _get("TC_O_03 there is none", {}, ALL, **NONE),
    _get("TC_O_07 by id", {"ids": [7]}, ALL | {"id": [7]}),
    _get("TC_O_08 by priority", {"priority": "normal_cycle"}, ALL | {"priority": "NormalCycle"}),
    _get("TC_O_09 by state", {"state": "idle"}, ALL | {"state": "Idle"}),
    _get("TC_O_11 unknown", {"ids": [9], "priority": "in_front"}, {"id": [9], "priority": "InFront"}, **NONE),
    Order("TC_O_04 cleared", "clear_display_message", {"message_id": 7}, "ClearDisplayMessage", {"id": 7}),
    Order(
        "TC_O_05 cleared though unknown",
        "clear_display_message",
        {"message_id": 7},
        "ClearDisplayMessage",
        {"id": 7},
        {"status": "Unknown"},
        "rejected",
    ),
]


@cases(ORDERS)
async def test_display(order: Order, lab: Laboratory) -> None:
    """Use cases O01 to O06."""
    await carry_out(order, lab, VERSION)


@pytest.mark.parametrize(
    ("case", "more", "sent"),
    [
        ("TC_O_06", {}, {}),
        ("TC_O_27", {"starts_at": BEGIN}, {"startDateTime": BEGIN}),
        ("TC_O_28", {"ends_at": END}, {"endDateTime": END}),
    ],
    ids=["TC_O_06-in-a-transaction", "TC_O_27-from-a-time-on", "TC_O_28-until-a-time"],
)
async def test_a_message_in_a_transaction(lab: Laboratory, case: str, more: dict[str, Any], sent: Payload) -> None:
    """O02.FR.01: it bears the transaction's id."""
    async with lab.booted(VERSION) as (station, operator):
        transaction = Transaction()
        await station.call("TransactionEvent", transaction.started("Authorized", id_token="VALID"))
        order = _set(case, more | {"transaction_id": transaction.id}, sent | {"transactionId": transaction.id})
        await order_of(order, station, operator)


async def test_tc_o_10_a_message_in_an_unknown_transaction(lab: Laboratory) -> None:
    """O02.FR.02: what the station says of it is told."""
    order = _set("TC_O_10", {"transaction_id": "gone"}, {"transactionId": "gone"}, "UnknownTransaction")
    await carry_out(order, lab, VERSION)
