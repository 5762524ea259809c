"""Questions over MQTT, on both brokers: who is asked, whose answer counts, and what is told of those that do not."""

import asyncio
import gc
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
import structlog
from structlog.typing import EventDict

from adapters.mqtt import MqttAdapter
from adapters.mqtt.asking import MqttAsker
from gateway.core.clock import SystemClock
from gateway.core.errors import AskFailed
from gateway.core.identity import ChargerId
from gateway.core.ports import Ask
from tests.adapters.mqtt.commanding import Answer, Commander, Gateway, commander, config_of, control_lane
from tests.adapters.mqtt.guarding import guarded_against
from tests.support.leaping import LeapingClock
from tests.support.servers import Mosquitto, Server

CHARGER = ChargerId("CP/1")
ANSWER = "ocpp/chargers/CP%2F1/answer/"
QUESTIONS = "ocpp/chargers/+/ask/+"
YES = {"status": "accepted"}


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[EventDict]]:
    with structlog.testing.capture_logs() as entries:
        yield entries


def question(ask_id: str, *, seconds: float = 60, charger: ChargerId = CHARGER) -> Ask:
    data = {"evse_id": 1, "token": {"id": "04A2", "type": None}, "moment": "start"}
    return Ask(ask_id, "authorize", charger, data, SystemClock().now() + seconds)


@asynccontextmanager
async def asking(broker: Server, **settings: Any) -> AsyncIterator[MqttAsker]:
    """The asker of a node that is connected."""
    asker = MqttAsker(SystemClock())
    gateway = Gateway()
    async with control_lane(gateway, config_of(broker, **settings), asker):
        yield asker


def begin(asker: MqttAsker, ask: Ask) -> "asyncio.Task[Any]":
    return asyncio.create_task(asker.ask(ask), name=f"ask {ask.id}")


async def ended(task: "asyncio.Task[Any]") -> Any:
    async with asyncio.timeout(60):
        return await task


async def settled(asker: MqttAsker, desk: Commander) -> None:
    """Come back once the asker has seen whatever was answered before."""
    task = begin(asker, question("last"))
    await desk.answer()
    await desk.send(f"{ANSWER}last", YES)
    assert await ended(task) == YES


async def _no_log(_: object) -> None: ...


def told(entries: list[EventDict], event: str) -> list[dict[str, Any]]:
    return [
        {key: entry[key] for key in ("log_level", "question", "charger", "ask_id") if key in entry}
        for entry in entries
        if entry["event"].startswith(event)
    ]


OVER = {"log_level": "info", "question": "authorize", "charger": "CP/1"}


async def test_a_question_goes_to_its_topic_and_the_answer_on_its_response_topic_comes_back(broker: Server) -> None:
    async with asking(broker) as asker, commander(broker, QUESTIONS) as desk:
        ask = question("a/1")
        task = begin(asker, ask)
        asked = await desk.answer()
        assert asked == Answer(
            "ocpp/chargers/CP%2F1/ask/authorize",
            json.loads(json.dumps(ask.as_dict())),
            correlation=b"a/1",
            content_type="application/json",
            response_topic=f"{ANSWER}a%2F1",
            expiry=asked.expiry,
        )
        assert asked.expiry is not None
        assert 30 < asked.expiry <= 60
        assert (asked.body["question"], asked.body["charger_id"], asked.body["moment"]) == (
            "authorize",
            "CP/1",
            "start",
        )
        assert asked.response_topic is not None
        await desk.send(asked.response_topic, {**YES, "more": 1}, CorrelationData=asked.correlation)
        assert await ended(task) == {**YES, "more": 1}


async def test_mqtt_3_1_1_asks_and_answers_by_the_topic_alone(mosquitto: Mosquitto) -> None:
    async with (
        asking(mosquitto, protocol="3.1.1") as asker,
        aiomqtt.Client("127.0.0.1", mosquitto.port, protocol=aiomqtt.ProtocolVersion.V311) as old,
    ):
        await old.subscribe(QUESTIONS, qos=1)
        task = begin(asker, question("a-1"))
        async with asyncio.timeout(60):
            message = await anext(old.messages)
        await old.publish(f"{ANSWER}{json.loads(message.payload)['id']}", b'{"status": "blocked"}')
        assert await ended(task) == {"status": "blocked"}


async def test_of_two_answers_the_first_counts_and_the_second_is_logged(
    broker: Server, logged: list[EventDict]
) -> None:
    async with asking(broker) as asker, commander(broker, QUESTIONS) as desk:
        task = begin(asker, question("a-1"))
        await desk.answer()
        await desk.send(f"{ANSWER}a-1", YES)
        await desk.send(f"{ANSWER}a-1", {"status": "blocked"})
        assert await ended(task) == YES
        await settled(asker, desk)
    assert told(logged, "answer ignored") == [{**OVER, "ask_id": "a-1"}]


async def test_an_answer_that_comes_too_late_is_logged_and_never_applied(
    broker: Server, logged: list[EventDict]
) -> None:
    clock = LeapingClock()
    async with asking(broker) as asker, commander(broker, QUESTIONS) as desk:
        task = begin(asker, question("a-1"))
        await desk.answer()
        clock.leap(60)
        with pytest.raises(AskFailed, match=r"nobody answered over MQTT within \d+\.\d s"):
            await ended(task)
        await desk.send(f"{ANSWER}a-1", YES)
        await settled(asker, desk)
    assert told(logged, "answer ignored") == [{**OVER, "ask_id": "a-1"}]


@pytest.mark.parametrize(
    ("payload", "problem"),
    [(b"", "empty"), (b"yes", "not JSON"), (b'"accepted"', "no JSON object"), (b"\xff{", "not JSON")],
)
async def test_what_is_no_json_object_ends_the_question_at_once(
    mosquitto: Mosquitto, logged: list[EventDict], payload: bytes, problem: str
) -> None:
    async with asking(mosquitto) as asker, commander(mosquitto, QUESTIONS) as desk:
        task = begin(asker, question("a-1"))
        await desk.answer()
        await desk.send(f"{ANSWER}a-1", payload)
        with pytest.raises(AskFailed, match=problem):
            await ended(task)
    assert told(logged, "answer cannot be used") == [{"log_level": "warning", "charger": "CP/1", "ask_id": "a-1"}]


async def test_a_retained_answer_is_no_answer(mosquitto: Mosquitto, logged: list[EventDict]) -> None:
    async with asking(mosquitto) as asker, commander(mosquitto, QUESTIONS) as desk:
        task = begin(asker, question("a-1"))
        await desk.answer()
        await desk.send(f"{ANSWER}a-1", {"status": "blocked"}, retain=True)
        await desk.send(f"{ANSWER}a-1", YES)
        assert await ended(task) == YES
    assert told(logged, "retained answer ignored") == [{"log_level": "warning", "charger": "CP/1", "ask_id": "a-1"}]


async def test_an_answer_counts_only_on_the_topic_of_the_charger_that_is_meant(broker: Server) -> None:
    """Who may answer for one charger by the broker's ACL cannot answer for another."""
    async with asking(broker) as asker, commander(broker, QUESTIONS) as desk:
        task = begin(asker, question("a-1"))
        await desk.answer()
        await desk.send("ocpp/chargers/other/answer/a-1", YES)
        await desk.send(f"{ANSWER}a-1", {"status": "invalid"})
        assert await ended(task) == {"status": "invalid"}


async def test_only_the_node_that_asked_takes_the_answer(broker: Server, logged: list[EventDict]) -> None:
    async with asking(broker) as one, asking(broker) as other, commander(broker, QUESTIONS) as desk:
        first, second = begin(one, question("from one")), begin(other, question("from other"))
        for _ in range(2):
            asked = (await desk.answer()).body
            await desk.send(f"{ANSWER}{asked['id']}", {"status": asked["id"]})
        assert await ended(first) == {"status": "from one"}
        assert await ended(second) == {"status": "from other"}
    assert not told(logged, "answer ignored")


async def test_where_nobody_subscribes_the_question_fails_at_once(mosquitto: Mosquitto) -> None:
    async with asking(mosquitto) as asker:
        with pytest.raises(AskFailed, match="nobody subscribes"):
            await ended(begin(asker, question("a-1")))


async def test_where_the_broker_does_not_tell_that_nobody_subscribes_the_deadline_counts(
    embedded_broker: Server,
) -> None:
    clock = LeapingClock()
    async with asking(embedded_broker) as asker, commander(embedded_broker, "ocpp/reply/me") as somebody:
        task = begin(asker, question("a-1"))
        await somebody.send("ocpp/reply/me", {})
        await somebody.answer()
        assert not task.done()
        clock.leap(60)
        with pytest.raises(AskFailed, match="nobody answered"):
            await ended(task)


async def test_while_the_broker_is_away_nothing_is_asked(broker: Server) -> None:
    asker, gateway = MqttAsker(SystemClock()), Gateway()
    with pytest.raises(AskFailed, match="no connection to the MQTT broker yet"):
        await ended(begin(asker, question("a-0")))
    async with control_lane(gateway, config_of(broker), asker):
        await gateway.watched.until(lambda check: check.level == "ok")
        broker.stop()
        await gateway.watched.until(lambda check: check.level == "degraded")
        with pytest.raises(AskFailed, match="the MQTT broker is away"):
            await ended(begin(asker, question("a-1")))


async def test_a_question_that_the_broker_had_taken_can_be_answered_after_its_restart(broker: Server) -> None:
    asker, gateway = MqttAsker(SystemClock()), Gateway()
    async with control_lane(gateway, config_of(broker), asker):
        await gateway.watched.until(lambda check: check.level == "ok")
        async with commander(broker, QUESTIONS) as desk:
            task = begin(asker, question("a-1", seconds=600))
            await desk.answer()
            await settled(asker, desk)
        broker.stop()
        await gateway.watched.until(lambda check: check.level == "degraded")
        broker.start()
        await gateway.watched.until(lambda check: check.level == "ok")
        async with commander(broker, QUESTIONS) as desk:
            await desk.send(f"{ANSWER}a-1", YES)
            assert await ended(task) == YES


async def test_a_question_that_the_broker_never_took_fails_when_it_goes_away(mosquitto: Mosquitto) -> None:
    asker, gateway = MqttAsker(SystemClock()), Gateway()
    async with control_lane(gateway, config_of(mosquitto), asker):
        await gateway.watched.until(lambda check: check.level == "ok")
        sent = asyncio.Event()
        asker.acknowledged = lambda packet_id, code: sent.set()  # type: ignore[method-assign]
        task = begin(asker, question("a-1"))
        await sent.wait()
        mosquitto.kill()
        with pytest.raises(AskFailed, match="the MQTT broker is away"):
            await ended(task)


async def test_no_more_questions_wait_than_there_is_room_for(broker: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.mqtt.asking.PENDING_LIMIT", 1)
    async with asking(broker) as asker, commander(broker, QUESTIONS) as desk:
        first = begin(asker, question("a-1"))
        await desk.answer()
        with pytest.raises(AskFailed, match="1 questions wait"):
            await ended(begin(asker, question("a-2")))
        await desk.send(f"{ANSWER}a-1", YES)
        assert await ended(first) == YES


async def test_the_adapter_registers_its_asker(mosquitto: Mosquitto) -> None:
    gateway = Gateway()
    started = asyncio.Event()
    adapter = asyncio.create_task(
        MqttAdapter(config_of(mosquitto), replace(gateway.context, read_log=_no_log)).run(started.set), name="adapter"
    )
    async with asyncio.timeout(60), commander(mosquitto, QUESTIONS) as desk:
        await started.wait()
        asker = gateway.askers.registered["mqtt"]
        task = asyncio.create_task(asker.ask(question("a-1")), name="ask")
        await desk.answer()
        await desk.send(f"{ANSWER}a-1", YES)
        assert await ended(task) == YES
    adapter.cancel()
    await asyncio.wait({adapter})


async def test_a_question_whose_time_is_up_is_not_asked(mosquitto: Mosquitto) -> None:
    async with asking(mosquitto) as asker:
        with pytest.raises(AskFailed, match="no time was left"):
            await asker.ask(question("a-1", seconds=0))


async def test_a_question_that_an_acl_refuses_fails_at_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    if Mosquitto.binary() is None:
        pytest.skip("mosquitto is not installed (apt-get install mosquitto)")
    rules = tmp_path / "acl"
    rules.write_text("topic read ocpp/#\n")
    guarded = Mosquitto(tmp_path / "guarded", f"acl_file {rules}")
    guarded.start()
    try:
        async with asking(guarded) as asker:
            with pytest.raises(AskFailed, match="refused the question"):
                await ended(begin(asker, question("a-1")))
    finally:
        guarded.stop()
    # This mosquitto also hangs up then, which nobody waits to hear.
    gc.collect()
    assert "never retrieved" not in caplog.text


async def test_while_the_broker_denies_answers_nothing_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.mqtt.control.RESUBSCRIBE_SECONDS", 0.05)
    asker, gateway = MqttAsker(SystemClock()), Gateway()
    with guarded_against("ocpp/chargers/+/answer/+", tmp_path) as guarded:
        async with control_lane(gateway, config_of(guarded.broker), asker, connects=False):
            check = await gateway.watched.until(lambda check: check.level == "degraded")
            assert "answer/+" in check.detail
            with pytest.raises(AskFailed, match=r"denies the subscription to ocpp/chargers/\+/answer/\+"):
                await ended(begin(asker, question("a-1")))
            await guarded.allow()
            await gateway.watched.until(lambda check: check.level == "ok")
            async with commander(guarded.broker, QUESTIONS) as desk:
                await settled(asker, desk)
