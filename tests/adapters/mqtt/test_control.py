"""Commands over MQTT, on both brokers: who answers, where to, and what never reaches a charger."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.core.commands import Command, Outcome
from gateway.core.identity import ChargerId
from tests.adapters.mqtt.commanding import Gateway, commander, config_of, control_lane, old_broker
from tests.adapters.mqtt.guarding import Guarded, guarded_against
from tests.cluster.support import eventually
from tests.support.servers import Mosquitto, Server, free_port


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Guarded]:
    """A mosquitto that lets nobody subscribe to raw calls, until it is told to."""
    with guarded_against("ocpp/chargers/+/call/+", tmp_path) as guarded:
        yield guarded


async def test_a_result_goes_to_the_response_topic_with_the_correlation_data(broker: Server) -> None:
    gateway = Gateway()
    charger = gateway.connect("CP/1")
    async with control_lane(gateway, config_of(broker)), commander(broker) as me:
        await me.send(
            "ocpp/chargers/CP%2F1/command/reset",
            {"type": "immediate", "id": "r-1"},
            ResponseTopic="replies/me",
            CorrelationData=b"\x00\xff",
        )
        answer = await me.answer()
    assert (answer.topic, answer.correlation, answer.content_type) == ("replies/me", b"\x00\xff", "application/json")
    assert answer.body == {
        "id": "r-1",
        "charger_id": "CP/1",
        "name": "reset",
        "outcome": "accepted",
        "reason": None,
        "safe_to_retry": False,
        "result": None,
        "transaction": None,
    }
    assert [(command.name, command.arguments, command.origin) for command in charger.executed] == [
        ("reset", {"type": "immediate", "evse_id": None}, "mqtt")
    ]


async def test_without_a_response_topic_the_result_goes_to_the_result_topic(broker: Server) -> None:
    gateway = Gateway()
    charger = gateway.connect("CP-1")
    charger.outcome, charger.result = Outcome.REJECTED, {"status": "Rejected"}
    async with control_lane(gateway, config_of(broker)), commander(broker) as me:
        await me.send("ocpp/chargers/CP-1/command/unlock", {})
        unlocked = await me.answer()
        await me.send("ocpp/chargers/CP-1/call/ClearCache", {})
        called = await me.answer()
    assert unlocked.topic == "ocpp/chargers/CP-1/result/unlock"
    assert (unlocked.body["outcome"], unlocked.body["result"]) == ("rejected", {"status": "Rejected"})
    assert (called.topic, called.body["name"]) == ("ocpp/chargers/CP-1/result/ClearCache", "call/ClearCache")
    assert not called.retain


async def test_a_retained_command_is_refused_even_live(mosquitto: Mosquitto) -> None:
    """Not so on rumqttd, which gives no subscriber the retain flag as it was published."""
    gateway = Gateway()
    charger = gateway.connect("CP-1")
    async with control_lane(gateway, config_of(mosquitto)), commander(mosquitto) as me:
        await me.send("ocpp/chargers/CP-1/command/reset", {"id": "r-1"}, retain=True)
        refused = await me.answer()
        await me.send("ocpp/chargers/CP-1/command/reset", b"", retain=True)
        await me.send("ocpp/chargers/CP-1/command/unlock", {"id": "u-1"})
        after = await me.answer()
    assert (refused.body["id"], refused.body["outcome"]) == ("r-1", "invalid")
    assert refused.body["reason"] == "retained commands are refused: publish it without the retain flag"
    assert after.body["id"] == "u-1"
    assert [command.name for command in charger.executed] == ["unlock"]


async def test_the_clearing_of_a_retained_command_is_no_command(broker: Server) -> None:
    gateway = Gateway()
    charger = gateway.connect("CP-1")
    async with control_lane(gateway, config_of(broker)), commander(broker, "replies/me") as me:
        await me.send("ocpp/chargers/CP-1/command/reset", b"", retain=True)
        await me.send("ocpp/chargers/CP-1/command/unlock", {"id": "u-1"}, ResponseTopic="replies/me")
        assert (await me.answer()).body["id"] == "u-1"
    assert [command.name for command in charger.executed] == ["unlock"]


async def test_a_command_retained_while_the_gateway_was_away_is_refused_when_it_comes(broker: Server) -> None:
    gateway = Gateway()
    charger = gateway.connect("CP-1")
    async with commander(broker) as me:
        await me.send("ocpp/chargers/CP-1/command/reset", {"id": "r-1"}, retain=True)
        async with control_lane(gateway, config_of(broker)):
            refused = await me.answer()
    assert (refused.body["id"], refused.body["outcome"], charger.executed) == ("r-1", "invalid", [])


@pytest.mark.parametrize(
    ("topic", "payload", "told"),
    [
        ("command/reset", b"", "send {}"),
        ("command/reset", b"{", "not JSON"),
        ("command/reset", b"[]", "JSON object"),
        ("command/reset", b"\xff\x00", "not JSON"),
        ("command/fly", b"{}", "unknown command 'fly'; known are"),
        ("command/reset", b'{"type": "now"}', "type:"),
        ("command/reset", b'{"timeout": -1, "id": "x"}', "timeout:"),
        ("call/Reset", b'{"payload": {}, "type": "Hard"}', "type:"),
    ],
)
async def test_what_is_no_command_is_told_and_not_sent(
    mosquitto: Mosquitto, topic: str, payload: bytes, told: str
) -> None:
    gateway = Gateway()
    charger = gateway.connect("CP-1")
    async with control_lane(gateway, config_of(mosquitto)), commander(mosquitto) as me:
        await me.send(f"ocpp/chargers/CP-1/{topic}", payload, ResponseTopic="replies/me")
        answer = await me.answer()
    assert (answer.body["outcome"], charger.executed) == ("invalid", [])
    assert told in answer.body["reason"]


async def test_a_forged_response_topic_is_refused_and_the_result_goes_to_the_result_topic(broker: Server) -> None:
    gateway = Gateway()
    gateway.connect("CP-1")
    async with control_lane(gateway, config_of(broker)), commander(broker, "ocpp/#") as me:
        await me.send(
            "ocpp/chargers/CP-1/command/reset", {}, ResponseTopic="ocpp/chargers/CP-1/event/transaction/ended"
        )
        assert (await me.answer()).topic == "ocpp/chargers/CP-1/command/reset"
        assert (await me.answer()).topic == "ocpp/chargers/CP-1/result/reset"
        await me.send("ocpp/chargers/CP-1/command/reset", {}, ResponseTopic="ocpp/reply/me")
        assert (await me.answer()).topic == "ocpp/chargers/CP-1/command/reset"
        assert (await me.answer()).topic == "ocpp/reply/me"


async def test_an_expired_command_is_not_sent(broker: Server) -> None:
    gateway = Gateway()
    charger = gateway.connect("CP-1")
    async with control_lane(gateway, config_of(broker)), commander(broker) as me:
        await me.send("ocpp/chargers/CP-1/command/reset", {"expires_at": "2020-01-01T00:00:00Z", "id": "old"})
        answer = await me.answer()
    assert (answer.body["id"], answer.body["outcome"], charger.executed) == ("old", "expired", [])


async def test_what_was_carried_out_in_time_is_not_told_as_expired_by_who_hears_of_it_late(broker: Server) -> None:
    """A node that slept reads what another has seen to."""
    gateway = Gateway()
    charger = gateway.connect("CP-1")
    async with control_lane(gateway, config_of(broker)), commander(broker) as me:
        await me.send("ocpp/chargers/CP-1/command/reset", {"id": "r"})
        assert (await me.answer()).body["outcome"] == "accepted"
        await me.send("ocpp/chargers/CP-1/command/reset", {"id": "r", "expires_at": "2020-01-01T00:00:00Z"})
        assert (await me.answer()).body["outcome"] == "accepted"
    assert len(charger.executed) == 1


async def test_a_command_takes_no_longer_than_its_message_expiry(broker: Server) -> None:
    gateway = Gateway()
    charger = gateway.connect("CP-1")
    async with control_lane(gateway, config_of(broker, command_timeout=500)), commander(broker) as me:
        before = gateway.context.clock.now()
        await me.send("ocpp/chargers/CP-1/command/reset", {}, MessageExpiryInterval=20)
        await me.answer()
    assert before + 15 < charger.executed[0].deadline < gateway.context.clock.now() + 20


async def test_commands_of_one_charger_keep_their_order_and_a_slow_one_delays_no_other(broker: Server) -> None:
    gateway = Gateway()
    slow, quick = gateway.connect("slow"), gateway.connect("quick")
    slow.answering.clear()
    async with control_lane(gateway, config_of(broker)), commander(broker) as me:
        for number in range(20):
            await me.send("ocpp/chargers/slow/command/unlock", {"id": f"slow-{number}"})
        for number in range(20):
            await me.send("ocpp/chargers/quick/command/unlock", {"id": f"quick-{number}"})
        assert [(await me.answer()).body["id"] for _ in range(20)] == [f"quick-{number}" for number in range(20)]
        slow.answering.set()
        assert [(await me.answer()).body["id"] for _ in range(20)] == [f"slow-{number}" for number in range(20)]
    assert [command.id for command in slow.executed] == [f"slow-{number}" for number in range(20)]
    assert len(quick.executed) == 20


LOG = {"type": "diagnostics", "location": "https://logs.example/"}


async def test_what_follows_from_a_yes_holds_up_no_later_command(broker: Server) -> None:
    gateway = Gateway()
    charger = gateway.connect("CP-1")
    charger.following["get_log"] = uploaded = asyncio.Event()
    async with control_lane(gateway, config_of(broker)), commander(broker) as me:
        await me.send("ocpp/chargers/CP-1/command/get_log", {"id": "log", **LOG})
        await me.send("ocpp/chargers/CP-1/command/stop", {"id": "stop"})
        assert (await me.answer()).body["id"] == "stop"
        uploaded.set()
        assert (await me.answer()).body["id"] == "log"
    assert [command.id for command in charger.executed] == ["log", "stop"]


async def test_what_is_waited_for_counts_towards_the_room_of_a_charger(mosquitto: Mosquitto) -> None:
    gateway = Gateway()
    charger = gateway.connect("CP-1")
    charger.following["get_log"] = uploaded = asyncio.Event()
    async with control_lane(gateway, config_of(mosquitto, max_running_commands=20)), commander(mosquitto) as me:
        for number in range(4):
            await me.send("ocpp/chargers/CP-1/command/get_log", {"id": f"log-{number}", **LOG})
        refused = (await me.answer()).body
        uploaded.set()
        done = {(await me.answer()).body["outcome"] for _ in range(3)}
        await me.send("ocpp/chargers/CP-1/command/get_log", {"id": "again", **LOG})
        again = (await me.answer()).body
    assert (refused["id"], refused["outcome"], done) == ("log-3", "cancelled", {"accepted"})
    assert (again["id"], again["outcome"]) == ("again", "accepted")


async def test_a_command_whose_time_is_up_while_it_waits_is_told_so_at_once(broker: Server) -> None:
    gateway = Gateway()
    charger = gateway.connect("CP-1")
    charger.answering.clear()
    async with control_lane(gateway, config_of(broker)), commander(broker) as me:
        await me.send("ocpp/chargers/CP-1/command/unlock", {"id": "slow"})
        await me.send("ocpp/chargers/CP-1/command/stop", {"id": "late", "timeout": 0.2})
        late = (await me.answer()).body
        charger.answering.set()
        slow = (await me.answer()).body
    assert (late["id"], late["outcome"], slow["id"]) == ("late", "expired", "slow")
    assert [command.id for command in charger.executed] == ["slow"]


async def test_the_broker_holds_back_what_this_node_has_no_room_for_and_nothing_is_lost(mosquitto: Mosquitto) -> None:
    gateway = Gateway()
    chargers = [gateway.connect(f"CP-{number}") for number in range(300)]
    for charger in chargers:
        charger.answering.clear()
    config = config_of(mosquitto, max_running_commands=2)
    async with control_lane(gateway, config), commander(mosquitto) as me:
        for number in range(300):
            await me.send(f"ocpp/chargers/CP-{number}/command/unlock", {"id": f"u-{number}"})
        begun = [charger for charger in chargers if charger.executed]
        assert len(begun) <= 2 + 100
        for charger in chargers:
            charger.answering.set()
        assert {(await me.answer()).body["id"] for _ in chargers} == {f"u-{number}" for number in range(300)}


async def test_one_charger_has_so_much_room_and_no_more(mosquitto: Mosquitto) -> None:
    gateway = Gateway()
    charger = gateway.connect("CP-1")
    charger.answering.clear()
    async with control_lane(gateway, config_of(mosquitto, max_running_commands=20)), commander(mosquitto) as me:
        for number in range(4):
            await me.send("ocpp/chargers/CP-1/command/unlock", {"id": f"u-{number}"})
        refused = await me.answer()
        charger.answering.set()
        done = [(await me.answer()).body for _ in range(3)]
    assert (refused.body["id"], refused.body["outcome"]) == ("u-3", "cancelled")
    assert [(result["id"], result["outcome"]) for result in done] == [(f"u-{n}", "accepted") for n in range(3)]


async def test_a_repeated_id_gets_the_first_result_and_another_body_is_a_conflict(mosquitto: Mosquitto) -> None:
    gateway = Gateway()
    charger = gateway.connect("CP-1")
    async with control_lane(gateway, config_of(mosquitto)), commander(mosquitto) as me:
        for body in ({"id": "same"}, {"id": "same"}, {"id": "same", "type": "immediate"}):
            await me.send("ocpp/chargers/CP-1/command/reset", body)
        answers = [(await me.answer()).body for _ in range(3)]
    assert [answer["outcome"] for answer in answers] == ["accepted", "accepted", "invalid"]
    assert "same" in answers[2]["reason"]
    assert len(charger.executed) == 1


async def test_a_newer_command_takes_the_place_of_one_of_its_kind_that_waits(broker: Server) -> None:
    gateway = Gateway()
    charger = gateway.connect("CP-1")
    charger.answering.clear()
    async with control_lane(gateway, config_of(broker)), commander(broker) as me:
        for number, (name, body) in enumerate(
            (
                ("set_charging_limit", {"current_a": 6}),
                ("set_charging_limit", {"current_a": 8}),
                ("unlock", {}),
                ("set_charging_limit", {"current_a": 10, "evse_id": 1}),
                ("unlock", {}),
                ("set_charging_limit", {"current_a": 16}),
            )
        ):
            await me.send(f"ocpp/chargers/CP-1/command/{name}", {"id": f"c-{number}", **body})
        superseded = (await me.answer()).body
        charger.answering.set()
        done = [(await me.answer()).body for _ in range(5)]
    assert (superseded["id"], superseded["outcome"], superseded["safe_to_retry"]) == ("c-1", "superseded", True)
    assert [command.id for command in charger.executed] == ["c-0", "c-5", "c-2", "c-3", "c-4"]
    assert {result["outcome"] for result in done} == {"accepted"}


async def test_a_command_that_waited_for_its_charger_is_answered_where_it_asked(broker: Server) -> None:
    gateway = Gateway()
    gateway.state.add("CP-1")
    async with control_lane(gateway, config_of(broker)), commander(broker) as me:
        properties = {"ResponseTopic": "replies/me", "CorrelationData": b"\x00\xff"}
        await me.send("ocpp/chargers/CP-1/command/unlock", {"id": "here", "queue_for": 60}, **properties)
        await me.send("ocpp/chargers/CP-1/command/unlock", {"id": "nowhere", "queue_for": 60})
        for _ in range(2):
            await gateway.router.cancel(await gateway.queue.arrived())
        answers = [await me.answer() for _ in range(2)]
    assert {(one.topic, one.body["id"], one.body["outcome"], one.correlation) for one in answers} == {
        ("replies/me", "here", "cancelled", b"\x00\xff"),
        ("ocpp/chargers/CP-1/result/unlock", "nowhere", "cancelled", None),
    }


async def test_a_start_is_followed_to_its_transaction_and_holds_up_nobody(broker: Server) -> None:
    gateway = Gateway()
    gateway.connect("CP-1")
    async with control_lane(gateway, config_of(broker)), commander(broker) as me:
        start = {"id": "s-1", "token": "A", "wait_for": "transaction"}
        await me.send("ocpp/chargers/CP-1/command/start", start)
        await me.send("ocpp/chargers/CP-1/command/unlock", {"id": "u-1"})
        assert (await me.answer()).body["id"] == "u-1"
        gateway.state.causes["s-1"] = "tx-1"
        followed = (await me.answer()).body
    assert (followed["id"], followed["outcome"]) == ("s-1", "accepted")
    assert followed["transaction"] == {"id": "tx-1", "status": "started"}


async def test_a_command_that_its_charger_s_node_did_not_hear_is_begun_by_another(
    mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.mqtt.witness.LOOK_EVERY", 0.1)
    gateway = Gateway()
    charger = gateway.connect("CP-1")

    async def other_node(_: ChargerId) -> str:
        return "node-2"

    monkeypatch.setattr(gateway.state, "owner", other_node)
    async with control_lane(gateway, config_of(mosquitto)), commander(mosquitto) as me:
        begun = Command("begun", charger.charger, "unlock", {"evse_id": 1, "connector_id": 1}, 0.0)
        await gateway.commands.hear("begun", "node-1", kept_seconds=60)
        assert await gateway.commands.begin(begun) is None
        for body in ({"id": "begun"}, {"id": "left"}):
            await me.send("ocpp/chargers/CP-1/command/unlock", body)
        assert await gateway.queue.arrived() == "left"
    assert set(gateway.commands.begun) == {"begun", "left"}


async def test_for_a_charger_that_nobody_holds_one_node_answers(
    broker: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lane of a node that is not the chosen one says nothing, to commands and to mistakes alike."""
    # It has no Redis in common with the other here: to it, what it watches would soon seem to be seen to by nobody.
    monkeypatch.setattr("adapters.mqtt.witness.LOOK_EVERY", 3600)
    chosen, other = Gateway(), Gateway()
    other.router._node = "node-2"
    async with (
        control_lane(chosen, config_of(broker)),
        control_lane(other, config_of(broker)),
        commander(broker) as me,
    ):
        await me.send("ocpp/chargers/nobody/command/reset", {"id": "a"})
        await me.send("ocpp/chargers/nobody/command/reset", b"{")
        await me.send("ocpp/chargers/nobody/command/reset", {"id": "b"})
        answers = [(await me.answer()).body for _ in range(3)]
    assert [answer["outcome"] for answer in answers] == ["offline", "invalid", "offline"]
    assert me.answers.empty()


async def test_while_redis_is_away_nothing_is_sent_and_nothing_is_forgotten(
    mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A socket that is open here proves nothing: the charger may be another node's by now."""
    monkeypatch.setattr("adapters.mqtt.witness.LOOK_EVERY", 0.1)
    gateway = Gateway()
    charger = gateway.connect("CP-1")
    gateway.redis.away = True
    async with control_lane(gateway, config_of(mosquitto)), commander(mosquitto) as me:
        await me.send("ocpp/chargers/CP-1/command/reset", {"id": "late"})
        await me.send("ocpp/chargers/CP-1/command/reset", b"{")
        await eventually(lambda: gateway.redis.asked >= 4)
        assert charger.executed == []
        gateway.redis.away = False
        answers = {(await me.answer()).body["outcome"] for _ in range(2)}
    assert answers == {"accepted", "invalid"}
    assert [command.id for command in charger.executed] == ["late"]


async def test_a_bug_in_one_command_ends_neither_the_lane_nor_the_next_command(mosquitto: Mosquitto) -> None:
    gateway = Gateway()
    charger = gateway.connect("CP-1")
    charger.failure = RuntimeError("a bug")
    async with control_lane(gateway, config_of(mosquitto)), commander(mosquitto) as me:
        await me.send("ocpp/chargers/CP-1/command/reset", {})
        assert (await me.answer()).body["outcome"] == "timeout"
        charger.failure = None
        await me.send("ocpp/chargers/CP-1/command/reset", {})
        assert (await me.answer()).body["outcome"] == "accepted"


async def test_a_bug_in_reading_one_message_ends_neither_the_lane_nor_the_next_command(
    mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.mqtt.connection.read_settings", lambda *_, **__: 1 // 0)
    gateway = Gateway()
    charger = gateway.connect("CP-1")
    async with control_lane(gateway, config_of(mosquitto)), commander(mosquitto) as me:
        await me.send("ocpp/chargers/CP-1/set/limit_a", "6")
        await me.send("ocpp/chargers/CP-1/command/unlock", {"id": "u-1"})
        assert (await me.answer()).body["id"] == "u-1"
    assert [command.name for command in charger.executed] == ["unlock"]


async def test_after_a_restart_of_the_broker_commands_work_again_and_results_on_their_way_arrive(
    broker: Server,
) -> None:
    gateway = Gateway()
    charger = gateway.connect("CP-1")
    gateway.connect("CP-2")
    charger.answering.clear()
    async with control_lane(gateway, config_of(broker)):
        await gateway.watched.until(lambda check: check.level == "ok")
        async with commander(broker) as me:
            await me.send("ocpp/chargers/CP-1/command/reset", {"id": "under way"}, ResponseTopic="replies/me")
            await me.send("ocpp/chargers/CP-2/command/reset", {"id": "later"})
            assert (await me.answer()).body["id"] == "later"
            assert [command.id for command in charger.executed] == ["under way"]
        broker.stop()
        away = await gateway.watched.until(lambda check: check.level == "degraded")
        assert str(broker.port) in away.detail
        broker.start()
        async with commander(broker) as me:
            await gateway.watched.until(lambda check: check.level == "ok")
            charger.answering.set()
            assert (await me.answer()).body["id"] == "under way"
            await me.send("ocpp/chargers/CP-1/command/unlock", {"id": "new"})
            assert (await me.answer()).body["id"] == "new"


@pytest.mark.parametrize(
    ("topic", "payload", "commands"),
    [
        ("command/unlock", "{}", ["unlock"]),
        ("evse/1/connector/1/set", '{"enabled": true, "limit_a": 6}', ["set_availability", "set_charging_limit"]),
    ],
)
async def test_what_is_said_again_after_a_restart_of_the_node_is_carried_out_again(
    broker: Server, topic: str, payload: str, commands: list[str]
) -> None:
    """Neither message bears an id, and the node that comes has not counted what the one before it heard."""
    gateway = Gateway()
    charger = gateway.connect("CP-1")
    told = []
    async with commander(broker) as me:
        for times in (2, 2):
            async with control_lane(gateway, config_of(broker, set_interval=0)):
                for _ in range(times):
                    await me.send(f"ocpp/chargers/CP-1/{topic}", payload)
                    told += [(await me.answer()).body for _ in commands]
    assert [command.name for command in charger.executed] == 4 * commands
    assert [body["outcome"] for body in told] == len(told) * ["accepted"]
    assert len({body["id"] for body in told}) == len(told)


async def test_the_gateway_starts_while_the_broker_is_away(mosquitto: Mosquitto) -> None:
    mosquitto.stop()
    gateway = Gateway()
    gateway.connect("CP-1")
    async with control_lane(gateway, config_of(mosquitto), connects=False) as lane:
        assert not lane.done()
        assert gateway.watched.checks()["mqtt control"].level == "degraded"
        mosquitto.start()
        await gateway.watched.until(lambda check: check.level == "ok")
        async with commander(mosquitto) as me:
            await me.send("ocpp/chargers/CP-1/command/reset", {})
            assert (await me.answer()).body["outcome"] == "accepted"


async def test_mqtt_3_1_1_serves_too(mosquitto: Mosquitto) -> None:
    gateway = Gateway()
    charger = gateway.connect("CP-1")
    async with control_lane(gateway, config_of(mosquitto, protocol="3.1.1")), commander(mosquitto) as me:
        await me.send("ocpp/chargers/CP-1/command/reset", b"")
        assert (await me.answer()).body["outcome"] == "invalid"
        await me.send("ocpp/chargers/CP-1/command/reset", {})
        assert (await me.answer()).body["outcome"] == "accepted"
    assert len(charger.executed) == 1


@pytest.mark.parametrize("refusal", [b"\x20\x02\x00\x01", b""], ids=["refused", "hung up"])
async def test_a_broker_that_does_not_know_mqtt_5_is_spoken_to_in_3_1_1(
    mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch, refusal: bytes
) -> None:
    if not refusal:
        # So long it waits, three times over, for one that hung up.
        monkeypatch.setattr("adapters.mqtt.control_dialer.CALL_SECONDS", 1.0)
    gateway = Gateway()
    gateway.connect("CP-1")
    async with old_broker(mosquitto, refusal) as port:
        config = config_of(mosquitto).model_copy(update={"url": f"mqtt://127.0.0.1:{port}"})
        async with control_lane(gateway, config), commander(mosquitto) as me:
            await gateway.watched.until(lambda check: check.level == "ok")
            await me.send("ocpp/chargers/CP-1/command/reset", {})
            assert (await me.answer()).body["outcome"] == "accepted"


async def test_mqtt_5_alone_is_not_given_up(mosquitto: Mosquitto) -> None:
    async with old_broker(mosquitto, b"\x20\x02\x00\x01") as port:
        gateway = Gateway()
        config = config_of(mosquitto, protocol="5").model_copy(update={"url": f"mqtt://127.0.0.1:{port}"})
        async with control_lane(gateway, config, connects=False):
            check = await gateway.watched.until(lambda check: check.level == "degraded")
    assert "protocol version" in check.detail


async def test_commands_come_over_websockets_too(tmp_path: Path, mosquitto: Mosquitto) -> None:
    port = free_port()
    broker = Mosquitto(tmp_path / "websockets", f"listener {port} 127.0.0.1", "protocol websockets")
    broker.start()
    gateway = Gateway()
    gateway.connect("CP-1")
    config = config_of(broker).model_copy(update={"url": f"ws://127.0.0.1:{port}/mqtt"})
    try:
        async with control_lane(gateway, config), commander(broker) as me:
            await gateway.watched.until(lambda check: check.level == "ok")
            for number in range(50):
                await me.send("ocpp/chargers/CP-1/command/reset", {"id": str(number)})
            assert [(await me.answer()).body["id"] for _ in range(50)] == [str(number) for number in range(50)]
    finally:
        broker.stop()


@pytest.mark.parametrize("settings", [{"username": "gateway", "password": "wrong"}, {}])
async def test_a_broker_that_lets_us_in_no_more_is_told(
    tmp_path: Path, settings: dict[str, str], mosquitto: Mosquitto
) -> None:
    guarded = Mosquitto(tmp_path / "guarded", "allow_anonymous false")
    guarded.start()
    try:
        gateway = Gateway()
        async with control_lane(gateway, config_of(guarded, **settings), connects=False):
            check = await gateway.watched.until(lambda check: check.level == "degraded")
        assert "authorized" in check.detail.lower()
    finally:
        guarded.stop()


async def test_a_denied_subscription_is_named_and_made_once_it_is_allowed(
    guarded: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.mqtt.control.RESUBSCRIBE_SECONDS", 0.05)
    gateway = Gateway()
    gateway.connect("CP-1")
    async with control_lane(gateway, config_of(guarded.broker), connects=False):
        check = await gateway.watched.until(lambda check: check.level == "degraded")
        assert "ocpp/chargers/+/call/+" in check.detail
        assert "command/+" not in check.detail
        async with commander(guarded.broker) as me:
            await me.send("ocpp/chargers/CP-1/command/reset", {"id": "r-1"})
            assert (await me.answer()).body["id"] == "r-1"
        await guarded.allow()
        await gateway.watched.until(lambda check: check.level == "ok")
        async with commander(guarded.broker) as me:
            await me.send("ocpp/chargers/CP-1/call/ClearCache", {"payload": {}, "id": "c-1"})
            assert (await me.answer()).body["id"] == "c-1"
