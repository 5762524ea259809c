"""Reservations from their making to their use, end or cancellation."""

from typing import Any

from tests.compliance.ocpp16.charge_point import ACCEPTED, ChargePoint, Payload
from tests.compliance.ocpp16.lab import Lab

UNTIL = "2099-01-01T00:00:00.000Z"


async def reserved(lab: Lab, point: ChargePoint, token: str, **more: Any) -> Payload:
    """A connector is reserved for a token; what the charge point was asked."""
    ordered = lab.order(point, "reserve", token=token, until=UNTIL, **more)
    asked = await point.obey("ReserveNow", ACCEPTED)
    told = await ordered
    assert (told["outcome"], told["result"]["reservation_id"]) == ("accepted", asked["reservationId"])
    await point.status("Reserved", asked["connectorId"])
    return asked


async def test_tc_046_the_reserved_connector_is_used(lab: Lab) -> None:
    token = await lab.token()
    async with lab.charge_point() as point:
        asked = await reserved(lab, point, token, evse_id=1)
        assert (asked["connectorId"], asked["idTag"], asked["expiryDate"]) == (1, token, UNTIL)
        assert (await lab.connector(point))["status"] == "reserved"
        await point.charging(token, reservationId=asked["reservationId"])
        (record,) = await lab.transactions(point)
        assert record["reservation_id"] == asked["reservationId"]


async def test_tc_047_the_reservation_expires(lab: Lab) -> None:
    token = await lab.token()
    async with lab.charge_point() as point:
        await reserved(lab, point, token, evse_id=1)
        await point.status("Available")
        assert (await lab.connector(point))["status"] == "available"


async def test_tc_048_3_the_connector_was_taken_out_of_service(lab: Lab) -> None:
    async with lab.charge_point() as point:
        ordered = lab.order(point, "set_availability", available=False, evse_id=1)
        assert await point.obey("ChangeAvailability", ACCEPTED) == {"connectorId": 1, "type": "Inoperative"}
        assert (await ordered)["outcome"] == "accepted"
        await point.status("Unavailable")
        ordered = lab.order(point, "reserve", token="FIRST", until=UNTIL, evse_id=1)
        await point.obey("ReserveNow", {"status": "Unavailable"})
        assert (await ordered)["reason"] == "Unavailable"


async def test_tc_049_the_charge_point_is_reserved(lab: Lab) -> None:
    token = await lab.token()
    async with lab.charge_point() as point:
        asked = await reserved(lab, point, token)
        assert asked["connectorId"] == 0
        await point.charging(token, connector=2, reservationId=asked["reservationId"])


async def test_tc_051_the_reservation_is_cancelled(lab: Lab) -> None:
    token = await lab.token()
    async with lab.charge_point() as point:
        asked = await reserved(lab, point, token, evse_id=1)
        ordered = lab.order(point, "cancel_reservation", reservation_id=asked["reservationId"])
        assert await point.obey("CancelReservation", ACCEPTED) == {"reservationId": asked["reservationId"]}
        assert (await ordered)["outcome"] == "accepted"
        await point.status("Available")


async def test_tc_053_another_token_of_the_parent_uses_the_reservation(lab: Lab) -> None:
    group = lab.name("G")[:20]
    mine, hers = await lab.token(group=group), await lab.token(group=group)
    async with lab.charge_point() as point:
        asked = await reserved(lab, point, mine, evse_id=1, group=group)
        assert (asked["idTag"], asked["parentIdTag"]) == (mine, group)
        assert asked["connectorId"] != 0
        assert (await point.authorize(hers))["parentIdTag"] == group
        await point.charging(hers, reservationId=asked["reservationId"])


async def test_each_reservation_has_a_number_of_its_own(lab: Lab) -> None:
    async with lab.charge_point() as point:
        numbers = [(await reserved(lab, point, "FIRST", evse_id=evse_id))["reservationId"] for evse_id in (1, 2)]
        assert len(set(numbers)) == 2
