"""Block H: reservations, how they end, and who may use them."""

import pytest

from tests.compliance.laboratory import Laboratory
from tests.compliance.ocpp201.messages import VERSION, Transaction, available, status
from tests.compliance.ocpp201.orders import Order, carry_out, cases, order_of

UNTIL = "2099-01-01T00:00:00.000Z"
FOR_VALID = {"token": "VALID", "token_type": "Central", "until": UNTIL, "reservation_id": 7}
SENT = {"id": 7, "expiryDateTime": UNTIL, "idToken": {"idToken": "VALID", "type": "Central"}}
ON_EVSE = FOR_VALID | {"evse_id": 1}


def _reserve(case: str, arguments: dict[str, object], sent: dict[str, object], reply: str = "Accepted") -> Order:
    outcome = "accepted" if reply == "Accepted" else "rejected"
    return Order(case, "reserve", arguments, "ReserveNow", sent, {"status": reply}, outcome, {"reservation_id": 7})


ORDERS = [
    _reserve("TC_H_01 a certain EVSE", ON_EVSE, SENT | {"evseId": 1}),
    _reserve("TC_H_08 any EVSE", FOR_VALID, SENT | {"evseId": None, "connectorType": None}),
    _reserve("TC_H_15 a type of connector", FOR_VALID | {"connector_type": "cCCS2"}, SENT | {"connectorType": "cCCS2"}),
    _reserve("TC_H_19 for a group", ON_EVSE | {"group": "FAMILY"}, SENT | {"groupIdToken": {"idToken": "FAMILY"}}),
    _reserve("TC_H_03 occupied", ON_EVSE, SENT, "Occupied"),
    _reserve("TC_H_04 faulted", ON_EVSE, SENT, "Faulted"),
    _reserve("TC_H_05 unavailable", ON_EVSE, SENT, "Unavailable"),
    _reserve("TC_H_22 rejected", ON_EVSE, SENT, "Rejected"),
    Order("TC_H_17 cancelled", "cancel_reservation", {"reservation_id": 7}, "CancelReservation", {"reservationId": 7}),
    Order(
        "TC_H_18 cancelled though unknown",
        "cancel_reservation",
        {"reservation_id": 7},
        "CancelReservation",
        {"reservationId": 7},
        {"status": "Rejected"},
        "rejected",
    ),
]


@cases(ORDERS)
async def test_reservations(order: Order, lab: Laboratory) -> None:
    """Use cases H01 to H03."""
    await carry_out(order, lab, VERSION)


@pytest.mark.parametrize(
    ("case", "ending"),
    [("TC_H_07", "Expired"), ("TC_H_20", "Removed")],
    ids=["TC_H_07-expired", "TC_H_20-removed-when-faulted"],
)
async def test_a_reservation_ends_by_itself(lab: Laboratory, case: str, ending: str) -> None:
    """H01.FR.20, H04.FR.01, FR.03."""
    name = lab.name()
    async with lab.business(name) as business, lab.booted(VERSION, identity=name) as (station, operator):
        await order_of(ORDERS[0], station, operator)
        await station.call("StatusNotification", status("Reserved"))
        await station.call("NotifyEvent", available("Reserved"))
        await operator.connector(lambda state: state["status"] == "reserved")
        over = {"reservationId": 7, "reservationUpdateStatus": ending}
        assert await station.call("ReservationStatusUpdate", over) == {}
        told = await business.event("reservation.updated")
        assert (told["reservation_id"], told["status"]) == (7, ending.lower())
        await station.call("StatusNotification", status("Faulted" if ending == "Removed" else "Available"))


async def test_tc_h_14_every_evse_is_reserved(lab: Laboratory) -> None:
    """H01.FR.18: where there are as many reservations as EVSEs, each is shown reserved."""
    async with lab.booted(VERSION) as (station, operator):
        for number in (1, 2):
            order = _reserve("TC_H_14", FOR_VALID, SENT)
            await order_of(order, station, operator)
            await station.call("StatusNotification", status("Reserved", evse_id=number))
        for number in (1, 2):
            await operator.connector(lambda state: state["status"] == "reserved", evse_id=number)


@pytest.mark.parametrize("token", ["VALID", "VALID-2"], ids=["TC_H_01-its-own-token", "TC_H_19-one-of-its-group"])
async def test_a_reservation_is_used(lab: Laboratory, token: str) -> None:
    """H03.FR.01, FR.09: the transaction names the reservation."""
    async with lab.booted(VERSION) as (station, operator):
        await order_of(ORDERS[3], station, operator)
        shown = await station.call("Authorize", {"idToken": {"idToken": token, "type": "Central"}})
        assert shown["idTokenInfo"]["groupIdToken"]["idToken"] == "FAMILY"
        started = Transaction().started("Authorized", id_token=token, reservationId=7)
        answer = await station.call("TransactionEvent", started)
        assert answer["idTokenInfo"]["status"] == "Accepted"
        assert (await operator.transaction())["reservation_id"] == 7
