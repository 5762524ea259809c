"""Virtual chargers against a CSMS that we did not write: boots, charges, obeys."""

import asyncio

import pytest

from gateway.simulator import SimulatorReport, simulate
from tests.simulator.csms import FakeCsms
from tests.simulator.runs import energy, is_sample, options, power, running, transaction_messages


async def test_a_charge_is_told_from_boot_to_unplugging(csms: FakeCsms) -> None:
    report = await simulate(options(csms, rounds=1, record=True))

    assert csms.received[0].action == "BootNotification"
    assert transaction_messages(csms) == ["Started", "Updated", "Updated", "Updated", "Ended"]
    assert csms.of("Authorize")
    register = [value for received in csms.received for value in energy(received.payload)]
    assert register == sorted(register)
    assert register[-1] > register[0]
    assert report.sent == report.acknowledged
    assert report.unsent == 0
    assert [(r.action, r.message_id, r.payload) for r in csms.received] == [
        (a.action, a.message_id, a.payload) for a in report.records
    ]


async def test_connector_states_follow_the_car(csms: FakeCsms) -> None:
    await simulate(options(csms, rounds=1))

    seen = [r.payload.get("status", r.payload.get("connectorStatus")) for r in csms.of("StatusNotification")]
    if csms.version == "1.6":
        assert [status for status in seen if status != "Available"] == ["Preparing", "Charging", "Finishing"]
    else:
        assert "Occupied" in seen
    assert seen[-1] == "Available"


async def test_a_second_connector_charges_at_the_same_time(csms: FakeCsms) -> None:
    report = await simulate(options(csms, rounds=1, connectors=2, ids=(), count=2))

    assert report.chargers == 2
    assert sorted(transaction_messages(csms)) == ["Ended"] * 4 + ["Started"] * 4 + ["Updated"] * 12


async def test_a_refused_token_starts_nothing(csms: FakeCsms) -> None:
    csms.manners.tokens["STOLEN"] = "Blocked"
    await simulate(options(csms, rounds=1, token="STOLEN"))

    assert csms.of("Authorize")
    assert transaction_messages(csms) == []


async def test_a_remote_start_and_stop_are_obeyed(csms: FakeCsms) -> None:
    async with running(csms, scenario="idle"):
        await csms.until_received("StatusNotification")
        if csms.version == "1.6":
            answer = await csms.call("CP1", "RemoteStartTransaction", id_tag="APP", connector_id=1)
        else:
            token = {"id_token": "APP", "type": "Central"}
            answer = await csms.call("CP1", "RequestStartTransaction", id_token=token, remote_start_id=7, evse_id=1)
        assert answer.status == "Accepted"
        await csms.until(lambda: transaction_messages(csms)[:2] == ["Started", "Updated"])
        first = next(r for r in csms.received if r.action in ("StartTransaction", "TransactionEvent"))
        if csms.version == "1.6":
            number = next(r for r in csms.of("MeterValues")).payload["transactionId"]
            answer = await csms.call("CP1", "RemoteStopTransaction", transaction_id=number)
        else:
            assert first.payload["transactionInfo"]["remoteStartId"] == 7
            assert first.payload["triggerReason"] == "RemoteStart"
            number = first.payload["transactionInfo"]["transactionId"]
            answer = await csms.call("CP1", "RequestStopTransaction", transaction_id=number)
        assert answer.status == "Accepted"
        await csms.until(lambda: transaction_messages(csms)[-1:] == ["Ended"])
        last = csms.of("StopTransaction" if csms.version == "1.6" else "TransactionEvent")[-1].payload
        assert last.get("reason", last.get("transactionInfo", {}).get("stoppedReason", "Remote")) == "Remote"


async def test_a_stop_of_an_unknown_transaction_is_rejected(csms: FakeCsms) -> None:
    async with running(csms, scenario="idle"):
        await csms.until_received("StatusNotification")
        if csms.version == "1.6":
            answer = await csms.call("CP1", "RemoteStopTransaction", transaction_id=4711)
        else:
            answer = await csms.call("CP1", "RequestStopTransaction", transaction_id="4711")
        assert answer.status == "Rejected"


async def test_a_charging_profile_lowers_the_power_drawn(csms: FakeCsms) -> None:
    schedule = {"charging_rate_unit": "A", "charging_schedule_period": [{"start_period": 0, "limit": 6.0}]}
    async with running(csms, samples=1000):
        await csms.until(lambda: any(is_sample(r) for r in csms.received))
        assert power(next(r for r in csms.received if is_sample(r)).payload) == 11_000
        common = {"stack_level": 0, "charging_profile_purpose": "TxDefaultProfile", "charging_profile_kind": "Relative"}
        if csms.version == "1.6":
            profile = {"charging_profile_id": 1, **common, "charging_schedule": schedule}
            answer = await csms.call("CP1", "SetChargingProfile", connector_id=0, cs_charging_profiles=profile)
        else:
            profile = {"id": 1, **common, "charging_schedule": [{"id": 1, **schedule}]}
            answer = await csms.call("CP1", "SetChargingProfile", evse_id=0, charging_profile=profile)
        assert answer.status == "Accepted"
        limited = 6 * 230 * 3
        await csms.until(lambda: any(is_sample(r) and power(r.payload) == limited for r in csms.received))
        cleared = "ClearChargingProfile"
        profile_id = {"id": 1} if csms.version == "1.6" else {"charging_profile_id": 1}
        assert (await csms.call("CP1", cleared, **profile_id)).status == "Accepted"
        last = len(csms.received)
        await csms.until(lambda: any(is_sample(r) and power(r.payload) == 11_000 for r in csms.received[last:]))


@pytest.mark.parametrize("kind", ["Hard", "Soft"])
async def test_a_reset_ends_the_transaction_and_boots_again(csms: FakeCsms, kind: str) -> None:
    async with running(csms, samples=10 if kind == "Soft" else 1000, idle_time=1000.0):
        await csms.until(lambda: any(is_sample(r) for r in csms.received))
        if csms.version != "1.6":
            kind = {"Hard": "Immediate", "Soft": "OnIdle"}[kind]
        answer = await csms.call("CP1", "Reset", type=kind)
        assert answer.status == ("Scheduled" if kind == "OnIdle" else "Accepted")
        await csms.until_received("BootNotification", times=2)
        await csms.until(lambda: "Ended" in transaction_messages(csms))
    assert csms.connections >= 2


async def test_availability_follows_the_csms(csms: FakeCsms) -> None:
    async with running(csms, scenario="idle"):
        await csms.until_received("StatusNotification")
        if csms.version == "1.6":
            answer = await csms.call("CP1", "ChangeAvailability", connector_id=0, type="Inoperative")
        else:
            answer = await csms.call("CP1", "ChangeAvailability", operational_status="Inoperative")
        assert answer.status == "Accepted"
        told = (await csms.until_received("StatusNotification", times=2)).payload
        assert told.get("status", told.get("connectorStatus")) == "Unavailable"
        if csms.version == "1.6":
            assert (await csms.call("CP1", "RemoteStartTransaction", id_tag="APP")).status == "Rejected"


@pytest.mark.parametrize("message", ["BootNotification", "Heartbeat", "StatusNotification", "MeterValues"])
async def test_triggered_messages_are_sent_after_the_answer(csms: FakeCsms, message: str) -> None:
    async with running(csms, scenario="idle"):
        await csms.until_received("StatusNotification")
        before = len(csms.of(message))
        answer = await csms.call("CP1", "TriggerMessage", requested_message=message)
        assert answer.status == "Accepted"
        await csms.until_received(message, times=before + 1)


async def test_settings_are_read_and_written(csms: FakeCsms) -> None:
    async with running(csms, scenario="idle"):
        await csms.until_received("StatusNotification")
        if csms.version == "1.6":
            changed = await csms.call("CP1", "ChangeConfiguration", key="ConnectionTimeOut", value="17")
            fixed = await csms.call("CP1", "ChangeConfiguration", key="NumberOfConnectors", value="17")
            unknown = await csms.call("CP1", "ChangeConfiguration", key="Nonsense", value="17")
            assert (changed.status, fixed.status, unknown.status) == ("Accepted", "Rejected", "NotSupported")
            read = await csms.call("CP1", "GetConfiguration", key=["ConnectionTimeOut", "Nonsense"])
            assert read.configuration_key == [{"key": "ConnectionTimeOut", "readonly": False, "value": "17"}]
            assert read.unknown_key == ["Nonsense"]
            assert len((await csms.call("CP1", "GetConfiguration")).configuration_key) > 5
            return
        wanted = [("TxCtrlr", "EVConnectionTimeOut"), ("ChargingStation", "Model"), ("TxCtrlr", "No"), ("No", "No")]
        data = [{"component": {"name": c}, "variable": {"name": v}} for c, v in wanted]
        answer = await csms.call(
            "CP1", "SetVariables", set_variable_data=[{**d, "attribute_value": "17"} for d in data]
        )
        statuses = [result["attribute_status"] for result in answer.set_variable_result]
        assert statuses == ["Accepted", "Rejected", "UnknownVariable", "UnknownComponent"]
        answer = await csms.call("CP1", "GetVariables", get_variable_data=data)
        values = [result.get("attribute_value") for result in answer.get_variable_result]
        assert values == ["17", "Virtual", None, None]


async def test_vendor_data_is_accepted_and_the_cable_unlocks(csms: FakeCsms) -> None:
    async with running(csms, scenario="idle"):
        await csms.until_received("StatusNotification")
        answer = await csms.call("CP1", "DataTransfer", vendor_id="com.example", data="x")
        assert (answer.status, answer.data) == ("Accepted", "x")
        where = {"connector_id": 1} if csms.version == "1.6" else {"connector_id": 1, "evse_id": 1}
        assert (await csms.call("CP1", "UnlockConnector", **where)).status == "Unlocked"


@pytest.mark.parametrize("csms", ["2.1"], indirect=True)
async def test_a_periodic_stream_travels_as_send_frames(csms: FakeCsms) -> None:
    report = await simulate(options(csms, rounds=1, stream=True))

    assert len(csms.of("OpenPeriodicEventStream")) == 1
    sent = csms.of("NotifyPeriodicEventStream")
    assert len(sent) == 3
    assert {element.payload["data"][0]["v"] for element in sent} == {"11000"}
    assert report.sent["NotifyPeriodicEventStream"] == 3
    assert report.acknowledged["NotifyPeriodicEventStream"] == 0


async def test_a_thousand_idle_chargers_fit_in_one_process() -> None:
    async with FakeCsms("1.6") as csms:
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            run = tasks.create_task(
                simulate(options(csms, scenario="idle", ids=(), count=1000, speed=1.0, call_timeout=60.0), stop=stop)
            )
            await csms.until(lambda: len(csms.of("StatusNotification")) >= 1000, seconds=90)
            stop.set()
        report: SimulatorReport = run.result()
    assert report.acknowledged["BootNotification"] >= 1000
