"""Charging sessions: however they begin, whoever ends them, and what is told of them late."""

import pytest

from tests.compliance.ocpp16.charge_point import ACCEPTED, BOOT, ChargePoint, at
from tests.compliance.ocpp16.lab import Lab


async def the_one(lab: Lab, charge_point: ChargePoint) -> dict[str, object]:
    """The only transaction of a charge point, as a billing system reads it."""
    (found,) = await lab.transactions(charge_point)
    return found


async def test_tc_003_a_session_that_begins_by_plugging_in(lab: Lab) -> None:
    token = await lab.token()
    async with lab.charge_point() as point:
        await point.status("Preparing")
        assert (await point.authorize(token))["status"] == "Accepted"
        number, info = await point.start(token)
        assert info["status"] == "Accepted"
        await point.status("Charging")
        await point.sample(number, 1500)
        record = await the_one(lab, point)
        assert (record["status"], record["evse_id"]) == ("active", 1)
        assert record["ocpp_transaction_id"] == str(number)
        assert (await lab.connector(point))["status"] == "charging"


async def test_tc_004_1_a_session_that_begins_by_identification(lab: Lab) -> None:
    token = await lab.token()
    async with lab.charge_point() as point:
        number = await point.charging(token)
        await point.stopped(number, token, reason="Local")
        record = await the_one(lab, point)
        assert (record["status"], record["stop_reason"], record["energy_wh"]) == ("ended", "local", 2000)


async def test_tc_004_2_identified_but_never_plugged_in(lab: Lab) -> None:
    token = await lab.token()
    async with lab.charge_point() as point:
        assert (await point.authorize(token))["status"] == "Accepted"
        await point.status("Preparing")
        await point.status("Available")
        assert await lab.transactions(point) == []
        assert (await lab.connector(point))["status"] == "available"


@pytest.mark.parametrize("shows_token", [True, False])
async def test_tc_005_1_the_car_is_unplugged_at_its_own_side(shows_token: bool, lab: Lab) -> None:
    token = await lab.token()
    async with lab.charge_point() as point:
        number = await point.charging(token)
        await point.status("SuspendedEV")
        await point.stopped(number, token if shows_token else None, reason="EVDisconnected")
        assert (await the_one(lab, point))["stop_reason"] == "ev_disconnected"


async def test_tc_007_a_cached_token_starts_without_authorize(lab: Lab) -> None:
    token = await lab.token()
    async with lab.charge_point() as point:
        await point.status("Preparing")
        number, info = await point.start(token)
        assert (number > 0, info["status"]) == (True, "Accepted")
        await point.status("Charging")


async def test_tc_068_a_token_of_the_same_parent_stops_the_session(lab: Lab) -> None:
    """The charge point compares the parents: both answers must name it."""
    group = lab.name("G")[:20]
    mine, hers = await lab.token(group=group), await lab.token(group=group)
    async with lab.charge_point() as point:
        number = await point.charging(mine)
        assert await point.authorize(hers) == {"status": "Accepted", "parentIdTag": group}
        assert await point.stop(number, hers, reason="Local") == {"status": "Accepted", "parentIdTag": group}
        record = await the_one(lab, point)
        assert record["token"]["id"] == mine  # type: ignore[index]


# ---------------------------------------------------------------- by remote control


async def test_tc_010_started_remotely_after_plugging_in(lab: Lab) -> None:
    token = await lab.token()
    async with lab.charge_point() as point:
        await point.status("Preparing")
        ordered = lab.order(point, "start", token=token, evse_id=1)
        assert await point.obey("RemoteStartTransaction", ACCEPTED) == {"idTag": token, "connectorId": 1}
        assert (await ordered)["outcome"] == "accepted"
        assert (await point.authorize(token))["status"] == "Accepted"
        number, info = await point.start(token)
        assert (number > 0, info["status"]) == (True, "Accepted")
        await point.status("Charging")


async def test_tc_011_1_started_remotely_before_plugging_in(lab: Lab) -> None:
    token = await lab.token()
    async with lab.charge_point() as point:
        ordered = lab.order(point, "start", token=token)
        assert await point.obey("RemoteStartTransaction", ACCEPTED) == {"idTag": token}
        assert (await ordered)["outcome"] == "accepted"
        await point.charging(token)


async def test_tc_011_2_started_remotely_and_never_plugged_in(lab: Lab) -> None:
    token = await lab.token()
    async with lab.charge_point() as point:
        ordered = lab.order(point, "start", token=token, evse_id=1)
        await point.obey("RemoteStartTransaction", ACCEPTED)
        assert (await ordered)["outcome"] == "accepted"
        assert (await point.authorize(token))["status"] == "Accepted"
        await point.status("Preparing")
        await point.status("Available")
        assert await lab.transactions(point) == []


async def test_tc_012_stopped_remotely(lab: Lab) -> None:
    token = await lab.token()
    async with lab.charge_point() as point:
        number = await point.charging(token)
        ordered = lab.order(point, "stop", evse_id=1)
        assert await point.obey("RemoteStopTransaction", ACCEPTED) == {"transactionId": number}
        assert (await ordered)["outcome"] == "accepted"
        await point.stopped(number, reason="Remote")
        assert (await the_one(lab, point))["stop_reason"] == "remote"


async def test_tc_028_a_remote_stop_that_is_rejected_leaves_the_session_alone(lab: Lab) -> None:
    token = await lab.token()
    async with lab.charge_point() as point:
        number = await point.charging(token)
        ordered = lab.order(point, "stop", transaction_id=str(number))
        await point.obey("RemoteStopTransaction", {"status": "Rejected"})
        assert (await ordered)["outcome"] == "rejected"
        assert (await the_one(lab, point))["status"] == "active"


async def test_tc_028_a_stop_of_an_unknown_transaction_can_be_asked_for_raw(lab: Lab) -> None:
    async with lab.charge_point() as point:
        assert (await lab.order(point, "stop", transaction_id="7"))["outcome"] == "invalid"
        ordered = lab.call(point, "RemoteStopTransaction", {"transactionId": 7})
        assert await point.obey("RemoteStopTransaction", {"status": "Rejected"}) == {"transactionId": 7}
        # The raw way tells the charge point's answer as it is.
        assert (await ordered)["result"] == {"status": "Rejected"}


async def test_tc_018_1_unlocked_while_charging(lab: Lab) -> None:
    token = await lab.token()
    async with lab.charge_point() as point:
        number = await point.charging(token)
        ordered = lab.order(point, "unlock", evse_id=1)
        assert await point.obey("UnlockConnector", {"status": "Unlocked"}) == {"connectorId": 1}
        assert (await ordered)["outcome"] == "accepted"
        await point.stopped(number, reason="UnlockCommand")
        assert (await the_one(lab, point))["stop_reason"] == "unlock_command"


@pytest.mark.parametrize(
    ("kind", "word", "reason"),
    [
        pytest.param("immediate", "Hard", "HardReset", id="TC_013 hard"),
        pytest.param("on_idle", "Soft", "SoftReset", id="TC_014 soft"),
    ],
)
async def test_a_reset_ends_the_session_and_the_charge_point_boots(kind: str, word: str, reason: str, lab: Lab) -> None:
    token, identity = await lab.token(), lab.name()
    async with lab.charge_point(identity) as point:
        number = await point.charging(token)
        ordered = lab.order(point, "reset", type=kind)
        assert await point.obey("Reset", ACCEPTED) == {"type": word}
        assert (await ordered)["outcome"] == "accepted"
        assert await point.stop(number, reason=reason) is None
    async with lab.charge_point(identity) as point:
        assert (await the_one(lab, point))["status"] == "ended"


# ---------------------------------------------------------------- faults, and what is told late


async def test_tc_024_the_connector_does_not_lock(lab: Lab) -> None:
    token = await lab.token()
    async with lab.charge_point() as point:
        assert (await point.authorize(token))["status"] == "Accepted"
        await point.status("Preparing")
        await point.status("Faulted", error="ConnectorLockFailure")
        state = await lab.connector(point)
        assert (state["status"], state["error"]["code"]) == ("faulted", "ConnectorLockFailure")


async def test_tc_032_1_after_a_power_failure_the_session_is_ended(lab: Lab) -> None:
    token, identity = await lab.token(), lab.name()
    async with lab.charge_point(identity) as point:
        number = await point.charging(token)
    async with lab.charge_point(identity, boot=False) as point:
        assert (await point.call("BootNotification", BOOT))["status"] == "Accepted"
        await point.status("Finishing", 1)
        await point.status("Available", 2)
        assert await point.stop(number, token, reason="PowerLoss") == {"status": "Accepted"}
        record = await the_one(lab, point)
        assert (record["status"], record["stop_reason"], record["suspect"]) == ("ended", "power_loss", [])


async def test_tc_037_1_started_offline_with_a_good_token(lab: Lab) -> None:
    token, identity = await lab.token(), lab.name()
    async with lab.charge_point(identity) as point:
        assert point.socket.subprotocol == "ocpp1.6"
    begun = at(-30)
    # Back online it need not boot again (section 4.2): its queue comes first.
    async with lab.charge_point(identity, boot=False) as point:
        number, info = await point.start(token, timestamp=begun)
        assert (number > 0, info["status"]) == (True, "Accepted")
        await point.status("Charging")
        assert str((await the_one(lab, point))["started_at"])[:19] == begun[:19]


async def test_tc_037_3_started_offline_with_a_token_that_turns_out_invalid(lab: Lab) -> None:
    async with lab.charge_point() as point:
        number, info = await point.start("NOBODYS", timestamp=at(-30))
        assert (number > 0, info["status"]) == (True, "Invalid")
        await point.status("Charging")
        assert await point.stop(number, reason="DeAuthorized") is None
        await point.status("Finishing")
        record = await the_one(lab, point)
        assert (record["status"], record["stop_reason"]) == ("ended", "de_authorized")
        assert (record["authorization_status"], record["energy_wh"]) == ("invalid", 2000)


async def test_tc_039_a_session_that_began_and_ended_offline(lab: Lab) -> None:
    """With the meter values that were queued between, and a transactionId that the charge point could not know yet."""
    token, identity = await lab.token(), lab.name()
    async with lab.charge_point(identity):
        pass
    async with lab.charge_point(identity, boot=False) as point:
        number, info = await point.start(token, timestamp=at(-60))
        assert info["status"] == "Accepted"
        await point.sample(number, 1700)
        await point.sample(number, 2400)
        data = [{"timestamp": at(-31), "sampledValue": [{"value": "2900", "context": "Transaction.End"}]}]
        stopped = await point.stop(number, token, reason="Local", timestamp=at(-30), transactionData=data)
        assert stopped == {"status": "Accepted"}
        record = await the_one(lab, point)
        assert (record["status"], record["energy_wh"]) == ("ended", 2000)


async def test_tc_039_what_was_queued_is_sent_again_and_counted_once(lab: Lab) -> None:
    token, begun = await lab.token(), at(-60)
    async with lab.charge_point() as point:
        first, _ = await point.start(token, timestamp=begun)
        again, info = await point.start(token, timestamp=begun)
        assert (again, info["status"]) == (first, "Accepted")
        for _ in range(2):
            assert await point.stop(first, token, reason="Local", timestamp=at(-30)) == {"status": "Accepted"}
        assert (await the_one(lab, point))["revision"] == 1
