"""Charging profiles: set, read together, cleared; and one that comes with a remote start."""

from typing import Any

import pytest

from tests.compliance.ocpp16.charge_point import ACCEPTED, ChargePoint, Payload
from tests.compliance.ocpp16.lab import Lab

BEGIN, END = "2026-01-01T00:00:00.000Z", "2099-01-01T00:00:00.000Z"


def profile(purpose: str, kind: str = "absolute", **more: Any) -> dict[str, Any]:
    """A profile as an operator gives it."""
    schedule: dict[str, Any] = {"unit": "A", "periods": [{"start_s": 0, "limit": 16}, {"start_s": 3600, "limit": 10}]}
    if kind == "absolute":
        schedule |= {"starts_at": BEGIN, "duration_s": 86400}
        more = {"valid_from": BEGIN, "valid_to": END, **more}
    return {"id": 40, "stack_level": 1, "purpose": purpose, "kind": kind, "schedules": [schedule], **more}


def written(purpose: str, kind: str = "Absolute", **more: Any) -> Payload:
    """The same as the charge point gets it."""
    periods = [{"startPeriod": 0, "limit": 16.0}, {"startPeriod": 3600, "limit": 10.0}]
    schedule: Payload = {"chargingRateUnit": "A", "chargingSchedulePeriod": periods}
    if kind == "Absolute":
        schedule |= {"startSchedule": BEGIN, "duration": 86400}
        more |= {"validFrom": BEGIN, "validTo": END}
    return {
        "chargingProfileId": 40,
        "stackLevel": 1,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": kind,
        "chargingSchedule": schedule,
        **more,
    }


async def set_profile(
    lab: Lab, point: ChargePoint, given: dict[str, Any], evse_id: int = 1, status: str = "Accepted"
) -> tuple[Payload, str]:
    ordered = lab.order(point, "set_charging_profile", evse_id=evse_id, profile=given)
    asked = await point.obey("SetChargingProfile", {"status": status})
    return asked, (await ordered)["outcome"]


async def test_tc_056_tx_default_profile(lab: Lab) -> None:
    async with lab.charge_point() as point:
        asked, outcome = await set_profile(lab, point, profile("tx_default"))
        assert asked == {"connectorId": 1, "csChargingProfiles": written("TxDefaultProfile")}
        assert outcome == "accepted"


@pytest.mark.parametrize(("kind", "word"), [("absolute", "Absolute"), ("relative", "Relative")])
@pytest.mark.parametrize("named_by", ["the connector", "its number", "its id"])
async def test_tc_057_tx_profile(kind: str, word: str, named_by: str, lab: Lab) -> None:
    token = await lab.token()
    async with lab.charge_point() as point:
        number = await point.charging(token)
        (record,) = await lab.transactions(point)
        named = {"its number": str(number), "its id": record["id"]}.get(named_by)
        asked, outcome = await set_profile(lab, point, profile("tx", kind, transaction_id=named))
        assert asked == {"connectorId": 1, "csChargingProfiles": written("TxProfile", word, transactionId=number)}
        assert outcome == "accepted"


async def test_charge_point_max_profile(lab: Lab) -> None:
    async with lab.charge_point() as point:
        asked, _ = await set_profile(lab, point, profile("charger_max"), evse_id=0)
        assert asked == {"connectorId": 0, "csChargingProfiles": written("ChargePointMaxProfile")}


@pytest.mark.parametrize("status", ["Rejected", "NotSupported"])
async def test_a_profile_that_is_not_taken(status: str, lab: Lab) -> None:
    async with lab.charge_point() as point:
        assert (await set_profile(lab, point, profile("tx_default"), status=status))[1] == "rejected"


async def test_tc_059_remote_start_with_a_profile(lab: Lab) -> None:
    token = await lab.token()
    async with lab.charge_point() as point:
        ordered = lab.order(point, "start", token=token, evse_id=1, profile=profile("tx", "relative"))
        asked = await point.obey("RemoteStartTransaction", ACCEPTED)
        # There is no transaction yet that the profile could name.
        assert asked == {"idTag": token, "connectorId": 1, "chargingProfile": written("TxProfile", "Relative")}
        assert (await ordered)["outcome"] == "accepted"
        await point.charging(token)


@pytest.mark.parametrize(("unit", "more"), [(None, {}), ("A", {"chargingRateUnit": "A"})], ids=["any unit", "A"])
async def test_tc_066_composite_schedule(unit: str | None, more: Payload, lab: Lab) -> None:
    async with lab.charge_point() as point:
        ordered = lab.order(point, "get_composite_schedule", evse_id=1, duration_s=300, unit=unit)
        schedule = {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.0}]}
        answer = {"status": "Accepted", "connectorId": 1, "scheduleStart": BEGIN, "chargingSchedule": schedule}
        assert await point.obey("GetCompositeSchedule", answer) == {"connectorId": 1, "duration": 300, **more}
        told = await ordered
        assert told["outcome"] == "accepted"
        assert told["result"]["periods"][0]["limit"] == 16


async def test_tc_066_composite_schedule_rejected(lab: Lab) -> None:
    async with lab.charge_point() as point:
        ordered = lab.order(point, "get_composite_schedule", evse_id=1)
        await point.obey("GetCompositeSchedule", {"status": "Rejected"})
        assert (await ordered)["outcome"] == "rejected"


CLEARED: dict[str, tuple[dict[str, Any], Payload, str, str]] = {
    "by its id": ({"profile_id": 40}, {"id": 40}, "Accepted", "accepted"),
    "by criteria": (
        {"evse_id": 1, "purpose": "tx_default", "stack_level": 1},
        {"connectorId": 1, "chargingProfilePurpose": "TxDefaultProfile", "stackLevel": 1},
        "Accepted",
        "accepted",
    ),
    "all": ({}, {}, "Accepted", "accepted"),
    "unknown": ({"profile_id": 41}, {"id": 41}, "Unknown", "rejected"),
}


@pytest.mark.parametrize(("arguments", "asked", "status", "outcome"), CLEARED.values(), ids=CLEARED)
async def test_tc_067_profiles_are_cleared(
    arguments: dict[str, Any], asked: Payload, status: str, outcome: str, lab: Lab
) -> None:
    async with lab.charge_point() as point:
        ordered = lab.order(point, "clear_charging_profile", **arguments)
        assert await point.obey("ClearChargingProfile", {"status": status}) == asked
        assert (await ordered)["outcome"] == outcome


async def test_tc_057_a_limit_is_a_tx_profile_while_charging(lab: Lab) -> None:
    """The simple way for operators ends in profiles that are as valid."""
    token = await lab.token()
    async with lab.charge_point() as point:
        await point.charging(token)
        ordered = lab.order(point, "set_charging_limit", evse_id=1, current_a=10)
        while not ordered.done():
            message_id, action, payload = await point.any_call()
            if action == "SetChargingProfile":
                (period,) = payload["csChargingProfiles"]["chargingSchedule"]["chargingSchedulePeriod"]
                assert period["limit"] == 10
                await point.send([3, message_id, ACCEPTED])
                break
            await point.send([3, message_id, {}])
        assert (await ordered)["outcome"] == "accepted"
