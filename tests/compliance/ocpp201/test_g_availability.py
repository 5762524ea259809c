"""Block G: what is available, told by the station and ordered by the operator."""

import pytest

from tests.compliance.laboratory import Laboratory
from tests.compliance.ocpp201.messages import VERSION, Transaction, available, notified, status
from tests.compliance.ocpp201.orders import Order, cases, order_of
from tests.compliance.station import Payload

STATES = {
    "Available": "available",
    "Occupied": "occupied",
    "Reserved": "reserved",
    "Unavailable": "unavailable",
    "Faulted": "faulted",
}


@pytest.mark.parametrize("how", ["StatusNotification", "NotifyEvent"])
@pytest.mark.parametrize("told", STATES)
async def test_g_01_a_connector_tells_its_state(lab: Laboratory, how: str, told: str) -> None:
    """G01.FR.01, FR.03: by StatusNotification, or by NotifyEvent of its AvailabilityState."""
    payload = status(told) if how == "StatusNotification" else available(told)
    async with lab.booted(VERSION) as (station, operator):
        assert await station.call(how, payload) == {}
        state = await operator.connector(lambda state: state["status"] == STATES[told])
        assert state["enabled"] is not (told == "Unavailable")


def _change(case: str, place: dict[str, int], operative: bool, reply: str = "Accepted") -> Order:
    evse: Payload | None = {"id": place["evse_id"]} if place else None
    if evse is not None and "connector_id" in place:
        evse["connectorId"] = place["connector_id"]
    return Order(
        case,
        "set_availability",
        {"available": operative} | place,
        "ChangeAvailability",
        {"operationalStatus": "Operative" if operative else "Inoperative", "evse": evse},
        {"status": reply},
        "rejected" if reply == "Rejected" else "accepted",
        {"status": reply.lower()},
    )


EVSE, CONNECTOR = {"evse_id": 1}, {"evse_id": 1, "connector_id": 1}
CHANGES = [
    _change("TC_G_03 EVSE inoperative", EVSE, False),
    _change("TC_G_04 EVSE operative", EVSE, True),
    _change("TC_G_05 station inoperative", {}, False),
    _change("TC_G_06 station operative", {}, True),
    _change("TC_G_07 connector inoperative", CONNECTOR, False),
    _change("TC_G_08 connector operative", CONNECTOR, True),
    _change("TC_G_11 EVSE with a transaction", EVSE, False, "Scheduled"),
    _change("TC_G_14 station with a transaction", {}, False, "Scheduled"),
    _change("TC_G_17 connector with a transaction", CONNECTOR, False, "Scheduled"),
    _change("TC_G_XX rejected", EVSE, False, "Rejected"),
]


@cases(CHANGES)
async def test_change_availability(order: Order, lab: Laboratory) -> None:
    """Use cases G03 and G04; what then changes is told by the station (G03.FR.05, FR.06)."""
    async with lab.booted(VERSION) as (station, operator):
        await station.call("StatusNotification", status())
        transaction = Transaction()
        if "transaction" in order.case:
            await station.call("TransactionEvent", transaction.started("Authorized", id_token="VALID"))
        await order_of(order, station, operator)
        if "transaction" in order.case:
            await station.call("TransactionEvent", transaction.ended("StopAuthorized", id_token="VALID"))
        told = "Unavailable" if order.outcome == "accepted" and not order.arguments["available"] else "Available"
        assert await station.call("StatusNotification", status(told)) == {}
        await operator.connector(lambda state: state["status"] == told.lower())


async def test_tc_g_20_a_lock_fails(lab: Laboratory) -> None:
    """G05.FR.01, FR.02: the problem is told, the transaction goes on."""
    name = lab.name()
    async with lab.business(name) as business, lab.booted(VERSION, identity=name) as (station, operator):
        await station.call("StatusNotification", status("Occupied"))
        problem = notified("ConnectorPlugRetentionLock", "Problem", "true")
        assert await station.call("NotifyEvent", problem) == {}
        assert await business.event("variables.event")
        assert (await operator.connector())["status"] in ("occupied", "faulted")
