"""Block P: what vendors say beside OCPP."""

from typing import Any

import pytest

from tests.compliance.laboratory import ASKING, Laboratory
from tests.compliance.ocpp201.messages import VERSION, Transaction, status
from tests.compliance.ocpp201.orders import Order, carry_out, cases
from tests.compliance.station import holds

SENT = {"vendorId": "com.example", "messageId": "Ping", "data": "hello"}
GIVEN = {"vendor_id": "com.example", "message_id": "Ping", "data": "hello"}
ORDERS = [
    Order(
        f"TC_P_01 to the station {reply}",
        "data_transfer",
        GIVEN,
        "DataTransfer",
        SENT,
        {"status": reply, "data": {"any": ["thing"]}},
        "accepted" if reply == "Accepted" else "rejected",
        {"data": {"any": ["thing"]}},
    )
    for reply in ("Accepted", "Rejected", "UnknownMessageId", "UnknownVendorId")
]


@cases(ORDERS)
async def test_data_is_sent(order: Order, lab: Laboratory) -> None:
    """Use case P01."""
    await carry_out(order, lab, VERSION)


async def test_tc_p_02_what_nobody_understands(lab: Laboratory) -> None:
    """P02.FR.06."""
    async with lab.booted(VERSION) as (station, _):
        assert await station.call("DataTransfer", SENT) == {"status": "UnknownVendorId"}


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ({"status": "accepted", "data": "pong"}, {"status": "Accepted", "data": "pong"}),
        ({"status": "rejected"}, {"status": "Rejected"}),
        ({"status": "unknown_message_id"}, {"status": "UnknownMessageId"}),
        ({"status": "unknown_vendor_id"}, {"status": "UnknownVendorId"}),
    ],
    ids=["accepted", "TC_P_02-rejected", "TC_P_02-unknown-message", "TC_P_02-unknown-vendor"],
)
async def test_what_a_business_system_answers(lab: Laboratory, answer: dict[str, Any], told: dict[str, Any]) -> None:
    """P02.FR.05 to FR.08."""
    name = lab.name(ASKING)
    async with (
        lab.business(name, {"data_transfer": answer}) as business,
        lab.booted(VERSION, identity=name) as (
            station,
            _,
        ),
    ):
        assert await station.call("DataTransfer", SENT) == told
        assert holds(business.asked, [{"question": "data_transfer", **GIVEN}]), business.asked


async def test_tc_p_03_custom_data_is_no_hindrance(lab: Laboratory) -> None:
    """Part 2, section 1.4.2: customData may stand in any object, and is passed on."""
    custom = {"customData": {"vendorId": "com.example", "field": 123}}
    name = lab.name()
    async with lab.business(name) as business, lab.booted(VERSION, identity=name, vendor="Strict") as (station, _):
        assert await station.call("StatusNotification", status() | custom) == {}
        started = Transaction().started("CablePluggedIn", info=custom, **custom)
        assert await station.call("TransactionEvent", started) == {}
        told = await business.event("transaction.started")
        assert told["raw"]["customData"]["field"] == 123
        assert not told.get("violations")
