"""Booting: accepted, pending, rejected; and what may be said before."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.compliance.ocpp16.charge_point import ACCEPTED, BOOT, at
from tests.compliance.ocpp16.lab import Lab

BARE = {"chargePointVendor": "V", "chargePointModel": "M"}
FULL = {
    **BOOT,
    "chargeBoxSerialNumber": "B",
    "iccid": "1",
    "imsi": "2",
    "meterType": "M",
    "meterSerialNumber": "3",
}


async def test_tc_001_cold_boot(lab: Lab) -> None:
    async with lab.charge_point(boot=False) as point:
        booted = await point.boot()
        assert booted["interval"] == 300
        for told in (booted, await point.call("Heartbeat", {})):
            offset = datetime.fromisoformat(told["currentTime"]) - datetime.now(UTC)
            assert abs(offset.total_seconds()) < 20
            assert told["currentTime"].endswith("Z")
        known = await lab.get(f"chargers/{point.identity}")
        assert (known["availability"], known["vendor"]) == ("online", BOOT["chargePointVendor"])
        assert [one["status"] for one in known["connectors"] if one["evse_id"]] == ["available", "available"]


@pytest.mark.parametrize("boot", [BARE, FULL], ids=["least", "all"])
async def test_tc_001_boots_with_the_least_and_with_all_fields(boot: dict[str, Any], lab: Lab) -> None:
    async with lab.charge_point(boot=False) as point:
        assert (await point.call("BootNotification", boot))["status"] == "Accepted"


async def test_tc_002_pending_then_accepted(lab: Lab) -> None:
    """Section 4.2: a pending charge point may be configured, and says only what it is asked for."""
    identity = lab.name()
    await lab.put(f"chargers/{identity}/registration", {"status": "pending"})
    async with lab.charge_point(identity, boot=False) as point:
        booted = await point.call("BootNotification", BOOT)
        assert booted["status"] == "Pending"
        assert booted["interval"] > 0
        assert await point.refused("Authorize", {"idTag": "FIRST"}) == "SecurityError"
        ordered = lab.order(point, "set_variables", variables=[{"variable": "HeartbeatInterval", "value": "60"}])
        await point.obey("ChangeConfiguration", ACCEPTED)
        assert (await ordered)["outcome"] == "accepted"
        # "The Central System SHALL NOT send RemoteStartTransaction" while it is pending.
        assert (await lab.order(point, "start", token="FIRST"))["outcome"] == "invalid"
        ordered = lab.order(point, "trigger", message="StatusNotification", evse_id=1)
        await point.obey("TriggerMessage", ACCEPTED)
        assert (await ordered)["outcome"] == "accepted"
        await point.status("Available")
        await lab.put(f"chargers/{identity}/registration", {"status": "accepted"})
        ordered = lab.order(point, "trigger", message="BootNotification")
        await point.obey("TriggerMessage", ACCEPTED)
        assert (await ordered)["outcome"] == "accepted"
        assert (await point.call("BootNotification", BOOT))["status"] == "Accepted"
        assert (await point.authorize("FIRST"))["status"] == "Accepted"


async def test_tc_002_rejected_then_accepted(lab: Lab) -> None:
    """Section 4.2: a rejected one is not called, and boots again after the interval."""
    identity = lab.name()
    await lab.put(f"chargers/{identity}/registration", {"status": "rejected"})
    async with lab.charge_point(identity, boot=False) as point:
        booted = await point.call("BootNotification", BOOT)
        assert booted["status"] == "Rejected"
        assert booted["interval"] > 0
        assert await point.refused("StatusNotification", {}) == "SecurityError"
        assert (await lab.order(point, "unlock"))["outcome"] == "invalid"
        assert await lab.client.put(f"/v1/chargers/{identity}/registration", json={"status": "accepted"})
        assert (await point.boot())["status"] == "Accepted"


@pytest.mark.parametrize("status", ["pending", "rejected"])
async def test_law_1_a_transaction_is_taken_even_from_whoever_was_not_accepted(status: str, lab: Lab) -> None:
    """The gateway's first law goes before section 4.2: money is never answered with CALLERROR. The token is no good."""
    identity, token = lab.name(), await lab.token()
    await lab.put(f"chargers/{identity}/registration", {"status": status})
    async with lab.charge_point(identity, boot=False) as point:
        await point.call("BootNotification", BOOT)
        number, info = await point.start(token, timestamp=at(-5))
        assert (number > 0, info["status"]) == (True, "Invalid")


async def test_a_charge_point_that_was_accepted_need_not_boot_when_it_reconnects(lab: Lab) -> None:
    identity = lab.name()
    async with lab.charge_point(identity):
        pass
    async with lab.charge_point(identity, boot=False) as point:
        await point.status("Available")
        await point.call("Heartbeat", {})
