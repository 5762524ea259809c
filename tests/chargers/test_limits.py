"""Charging limits and pauses on a real connection, and what the charger's state shows of them."""

import asyncio
from collections.abc import Mapping
from typing import Any

import orjson
import pytest

from gateway.core.commands import CommandResult, Outcome, validated_arguments
from gateway.core.identity import ChargerId
from tests.chargers.harness import BOOT, BOOT_2X, START, Charger, Node, running, until

STATUS = {"connectorId": 1, "errorCode": "NoError", "status": "Charging"}
STATUS_2X = {"timestamp": "2026-11-21T08:00:00Z", "connectorStatus": "Occupied", "evseId": 1, "connectorId": 1}

Profile = Mapping[str, Any]


def rate(profile: Profile) -> tuple[str, float]:
    """Unit and limit of a SetChargingProfile."""
    held = profile.get("csChargingProfiles") or profile["chargingProfile"]
    schedule = held["chargingSchedule"]
    schedule = schedule[0] if isinstance(schedule, list) else schedule
    return schedule["chargingRateUnit"], schedule["chargingSchedulePeriod"][0]["limit"]


class Scene:
    """Commands to the one charger, which answers call by call."""

    def __init__(self, node: Node, charger: Charger) -> None:
        self.node, self.charger = node, charger
        self.called: list[tuple[str, dict[str, Any]]] = []

    async def give(self, name: str, *answers: dict[str, Any], **arguments: Any) -> CommandResult:
        self.called = []
        command = asyncio.create_task(self.node.execute(name, validated_arguments(name, arguments)))
        for answer in answers:
            message_id, action, payload = await self.charger.called()
            self.called.append((action, payload))
            await self.charger.answer(message_id, answer)
        return await command

    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = orjson.loads(self.node.store.fields[ChargerId("CP1")]["connector/1/1"])
        return found

    async def shows(self, **fields: Any) -> None:
        await until(lambda: fields.items() <= self.state().items(), f"the state shows {fields}")


ACCEPTED, REJECTED = {"status": "Accepted"}, {"status": "Rejected"}


async def test_a_limit_that_is_refused_in_a_is_set_in_w_and_kept_so() -> None:
    async with running() as node, node.charger() as charger:
        await charger.call("StatusNotification", STATUS)
        scene = Scene(node, charger)
        only_power = {
            "configurationKey": [
                {"key": "ChargingScheduleAllowedChargingRateUnit", "readonly": True, "value": "Power"},
                {"key": "ChargeProfileMaxStackLevel", "readonly": True, "value": "5"},
            ]
        }
        result = await scene.give("set_charging_limit", REJECTED, only_power, ACCEPTED, evse_id=1, current_a=10)
        assert result.outcome is Outcome.ACCEPTED
        assert [action for action, _ in scene.called] == [
            "SetChargingProfile",
            "GetConfiguration",
            "SetChargingProfile",
        ]
        assert (rate(scene.called[0][1]), rate(scene.called[2][1])) == (("A", 10.0), ("W", 6900.0))
        assert result.result is not None
        assert (result.result["unit"], result.result["converted"]["from"]) == ("W", "A")
        await scene.shows(limit_a=10, limit_w=None)
        # The next one is set in W at once.
        await scene.give("set_charging_limit", ACCEPTED, evse_id=1, current_a=8)
        assert rate(scene.called[0][1]) == ("W", 5520.0)
        await scene.shows(limit_a=8)


@pytest.mark.parametrize("subprotocol", ["ocpp1.6", "ocpp2.0.1", "ocpp2.1"])
async def test_pause_limit_while_paused_and_resume(subprotocol: str) -> None:
    async with running() as node, node.charger(subprotocol=subprotocol) as charger:
        await charger.call("StatusNotification", STATUS if subprotocol == "ocpp1.6" else STATUS_2X)
        scene = Scene(node, charger)
        await scene.give("set_charging_limit", ACCEPTED, evse_id=1, current_a=16)
        await scene.shows(limit_a=16)
        assert (await scene.give("pause", ACCEPTED)).outcome is Outcome.ACCEPTED
        assert rate(scene.called[0][1]) == ("A", 0.0)
        await scene.shows(limit_a=16, paused=True, paused_by="command")
        result = await scene.give("set_charging_limit", evse_id=1, current_a=10)
        assert (result.outcome, result.result and result.result["paused"]) == (Outcome.ACCEPTED, True)
        await scene.shows(limit_a=10, paused=True)
        assert (await scene.give("resume", ACCEPTED)).outcome is Outcome.ACCEPTED
        assert rate(scene.called[0][1]) == ("A", 10.0)
        await scene.shows(limit_a=10, paused=False)
        await scene.give("clear_charging_limit", ACCEPTED, evse_id=1)
        await scene.shows(limit_a=None)
        await scene.give("pause", ACCEPTED)
        await scene.shows(limit_a=None, paused=True)
        await scene.give("resume", ACCEPTED)
        assert [action for action, _ in scene.called] == ["ClearChargingProfile"]
        await scene.shows(limit_a=None, paused=False)


async def test_what_is_refused_changes_nothing() -> None:
    async with running() as node, node.charger() as charger:
        await charger.call("StatusNotification", STATUS)
        await charger.call("StartTransaction", START)
        scene = Scene(node, charger)
        await scene.give("set_charging_limit", ACCEPTED, evse_id=1, current_a=16)
        await scene.shows(limit_a=16)
        result = await scene.give("pause", REJECTED, {"unknownKey": []}, REJECTED)
        assert (result.outcome, result.safe_to_retry) == (Outcome.REJECTED, True)
        assert [action for action, _ in scene.called] == [
            "SetChargingProfile",
            "GetConfiguration",
            "SetChargingProfile",
        ]
        assert scene.called[2][1]["csChargingProfiles"]["chargingProfilePurpose"] == "TxProfile"
        await charger.call("Heartbeat", {})
        assert (scene.state()["limit_a"], scene.state()["paused"]) == (16, False)


async def told_again(charger: Charger, answer: Mapping[str, Any]) -> Profile:
    message_id, action, payload = await charger.called()
    assert action == "SetChargingProfile"
    await charger.answer(message_id, answer)
    return payload


@pytest.mark.parametrize("subprotocol", ["ocpp1.6", "ocpp2.0.1", "ocpp2.1"])
async def test_a_charger_that_restarted_is_told_its_limit_again_and_that_it_is_paused(subprotocol: str) -> None:
    async with running() as node, node.charger(subprotocol=subprotocol) as charger:
        await charger.call("StatusNotification", STATUS if subprotocol == "ocpp1.6" else STATUS_2X)
        scene = Scene(node, charger)
        await scene.give("set_charging_limit", ACCEPTED, evse_id=1, current_a=16)
        await scene.shows(limit_a=16)
        boot = BOOT if subprotocol == "ocpp1.6" else BOOT_2X
        await charger.call("BootNotification", boot)
        assert rate(await told_again(charger, ACCEPTED)) == ("A", 16.0)
        await scene.give("pause", ACCEPTED, evse_id=1)
        await scene.shows(paused=True)
        await charger.call("BootNotification", boot)
        assert rate(await told_again(charger, ACCEPTED)) == ("A", 0.0)
        await scene.shows(limit_a=16, paused=True)


async def test_what_a_charger_refuses_after_its_restart_is_not_shown_any_more() -> None:
    async with running() as node, node.charger() as charger:
        await charger.call("StatusNotification", STATUS)
        scene = Scene(node, charger)
        await scene.give("set_charging_limit", ACCEPTED, evse_id=1, current_a=16)
        await scene.shows(limit_a=16)
        await charger.call("BootNotification", BOOT)
        await told_again(charger, REJECTED)
        message_id, _, _ = await charger.called()
        await charger.answer(message_id, {"unknownKey": []})
        await scene.shows(limit_a=None, paused=False)


async def test_a_limit_that_held_for_one_transaction_alone_is_set_for_the_next_as_it_begins() -> None:
    async with running() as node, node.charger() as charger:
        await charger.call("StatusNotification", STATUS)
        number = (await charger.call("StartTransaction", START))["transactionId"]
        scene = Scene(node, charger)
        await scene.give("set_charging_limit", REJECTED, {"unknownKey": []}, ACCEPTED, evse_id=1, current_a=10)
        assert scene.called[2][1]["csChargingProfiles"]["chargingProfilePurpose"] == "TxProfile"
        await scene.shows(limit_a=10)
        stop = {"transactionId": number, "meterStop": 200, "timestamp": "2026-11-21T09:00:00Z"}
        await charger.call("StopTransaction", stop)
        again = await charger.call("StartTransaction", {**START, "timestamp": "2026-11-21T10:00:00Z"})
        profile = (await told_again(charger, ACCEPTED))["csChargingProfiles"]
        assert (profile["chargingProfilePurpose"], profile["transactionId"]) == ("TxProfile", again["transactionId"])
        await scene.shows(limit_a=10)


async def two_limits(node: Node, charger: Charger) -> Scene:
    """20 A for the whole charger and 16 A on its EVSE."""
    await charger.call("StatusNotification", STATUS)
    scene = Scene(node, charger)
    await scene.give("set_charging_limit", ACCEPTED, evse_id=0, current_a=20)
    await scene.give("set_charging_limit", ACCEPTED, evse_id=1, current_a=16)
    await scene.shows(limit_a=16)
    return scene


async def next_rate(charger: Charger) -> tuple[str, tuple[str, float]]:
    message_id, action, payload = await charger.called()
    assert action == "SetChargingProfile"
    return message_id, rate(payload)


async def test_a_limit_set_while_older_ones_are_told_again_is_the_last_that_the_charger_hears() -> None:
    async with running() as node, node.charger() as charger:
        scene = await two_limits(node, charger)
        await charger.call("BootNotification", BOOT)
        message_id, told = await next_rate(charger)
        assert told == ("A", 20.0)
        arguments = validated_arguments("set_charging_limit", {"evse_id": 1, "current_a": 6})
        newer = asyncio.create_task(node.execute("set_charging_limit", arguments))
        await charger.call("Heartbeat", {})
        await charger.answer(message_id, ACCEPTED)
        message_id, told = await next_rate(charger)
        assert told == ("A", 6.0)
        await charger.answer(message_id, ACCEPTED)
        assert (await newer).outcome is Outcome.ACCEPTED
        await scene.shows(limit_a=6)
        # With nothing owed, the connection goes on to what is asked next.
        await scene.give("set_charging_limit", ACCEPTED, evse_id=1, current_a=7)
        assert [rate(payload) for _, payload in scene.called] == [("A", 7.0)]
        await scene.shows(limit_a=7)


async def test_a_resume_while_the_pause_is_told_again_has_the_last_word_also_after_a_refused_unit() -> None:
    async with running() as node, node.charger() as charger:
        scene = await two_limits(node, charger)
        await scene.give("pause", ACCEPTED, evse_id=1)
        await scene.shows(paused=True)
        await charger.call("BootNotification", BOOT)
        message_id, _ = await next_rate(charger)
        await charger.answer(message_id, ACCEPTED)
        message_id, told = await next_rate(charger)
        assert told == ("A", 0.0)
        resumed = asyncio.create_task(node.execute("resume", validated_arguments("resume", {"evse_id": 1})))
        await charger.call("Heartbeat", {})
        await charger.answer(message_id, REJECTED)
        message_id, action, _ = await charger.called()
        assert action == "GetConfiguration"
        only_power = {"key": "ChargingScheduleAllowedChargingRateUnit", "readonly": True, "value": "Power"}
        await charger.answer(message_id, {"configurationKey": [only_power]})
        heard = []
        for _ in range(2):
            message_id, told = await next_rate(charger)
            heard.append(told)
            await charger.answer(message_id, ACCEPTED)
        assert heard == [("W", 0.0), ("W", 11040.0)]
        assert (await resumed).outcome is Outcome.ACCEPTED
        await scene.shows(paused=False, limit_a=16)


@pytest.mark.parametrize(
    ("name", "asked", "limit_a"), [("set_charging_limit", {"current_a": 6}, 6), ("clear_charging_limit", {}, 20)]
)
async def test_a_limit_that_is_only_noted_as_charging_is_paused_leaves_the_pause_to_be_told_after_a_restart(
    name: str, asked: dict[str, Any], limit_a: float
) -> None:
    async with running() as node, node.charger() as charger:
        scene = await two_limits(node, charger)
        await scene.give("pause", ACCEPTED, evse_id=1)
        await scene.shows(paused=True)
        await charger.call("BootNotification", BOOT)
        message_id, told = await next_rate(charger)
        assert told == ("A", 20.0)
        noted = asyncio.create_task(node.execute(name, validated_arguments(name, {"evse_id": 1, **asked})))
        await charger.call("Heartbeat", {})
        await charger.answer(message_id, ACCEPTED)
        assert (await noted).outcome is Outcome.ACCEPTED
        message_id, told = await next_rate(charger)
        assert told == ("A", 0.0)
        await charger.answer(message_id, ACCEPTED)
        await scene.shows(paused=True, limit_a=limit_a)


async def test_a_command_whose_time_is_up_while_an_older_limit_is_told_again_was_certainly_not_sent() -> None:
    async with running() as node, node.charger() as charger:
        scene = await two_limits(node, charger)
        await charger.call("BootNotification", BOOT)
        message_id, _ = await next_rate(charger)
        arguments = validated_arguments("set_charging_limit", {"evse_id": 1, "current_a": 6})
        late = await node.execute("set_charging_limit", arguments, seconds=0.1)
        assert late.outcome is Outcome.EXPIRED
        await charger.answer(message_id, ACCEPTED)
        message_id, told = await next_rate(charger)
        assert told == ("A", 16.0)
        await charger.answer(message_id, ACCEPTED)
        await scene.shows(limit_a=16)
