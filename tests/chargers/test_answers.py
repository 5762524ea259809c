"""Charger and gateway in conversation: what is answered, when, and what the log has of it."""

import asyncio
import json

import pytest

from gateway.core.errors import OwnershipLost
from gateway.core.identity import ChargerId
from tests.chargers.harness import BOOT, METER, START, Charger, Node, running, until
from tests.support.memory import MemoryStore

CP1 = ChargerId("CP1")


async def test_a_charger_boots_and_leaves_again() -> None:
    async with running() as node:
        async with node.charger(boot=False) as charger:
            answer = await charger.call("BootNotification", BOOT)
            assert (answer["status"], answer["interval"]) == ("Accepted", 300)
            assert "currentTime" in await charger.call("Heartbeat", {})
            assert node.server.connection_count() == 1
        await until(lambda: node.server.connection_count() == 0)
        assert node.types() == ["charger.connected", "charger.booted", "charger.disconnected"]
        assert CP1 not in node.store.owned


async def test_events_bear_one_sequence_without_holes() -> None:
    async with running() as node:
        async with node.charger() as charger:
            await charger.call("StartTransaction", START)
        await until(lambda: not node.store.owned)
        events = [event for _, event in node.store.events]
        assert [event["sequence"] for event in events] == [f"{place:012d}" for place in range(len(events))]
        assert len({event["epoch"] for event in events}) == 1


async def test_pipelined_calls_are_answered_in_order() -> None:
    async with running() as node, node.charger() as charger:
        for number in range(200):
            action = ("Heartbeat", "Authorize", "MeterValues", "DataTransfer")[number % 4]
            payload = ({}, {"idTag": "T"}, METER, {"vendorId": "v"})[number % 4]
            await charger.post(action, payload, f"p{number}")
        assert [(await charger.receive())[1] for _ in range(200)] == [f"p{number}" for number in range(200)]


async def test_several_frames_in_one_text_are_answered_each() -> None:
    async with running() as node, node.charger() as charger:
        await charger.send('[2,"a","Heartbeat",{}]\n[2,"b","Heartbeat",{}]')
        assert [(await charger.receive())[:2] for _ in range(2)] == [[3, "a"], [3, "b"]]


async def test_nothing_is_answered_before_it_is_committed() -> None:
    async with running() as node, node.charger() as charger:
        node.store.available.clear()
        await charger.post("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Available"})
        assert await charger.silent()
        node.store.available.set()
        assert (await charger.receive())[:2] == [3, "m2"]
        assert node.types()[-1] == "connector.status"


async def test_a_heartbeat_needs_no_log() -> None:
    async with running() as node, node.charger() as charger:
        node.store.available.clear()
        assert "currentTime" in await charger.call("Heartbeat", {})


async def test_only_a_charger_with_a_waiting_money_message_is_sent_away() -> None:
    async with running(money_grace=0.3) as node, node.charger("A") as a, node.charger("B") as b:
        node.store.available.clear()
        await b.post("Authorize", {"idTag": "TAG"}, "b1")
        await a.post("StartTransaction", START, "a1")
        assert await a.closed() == 1013
        assert await b.silent(0.8)
        node.store.available.set()
        assert (await b.receive())[:2] == [3, "b1"]


async def test_money_behind_another_message_counts_as_waiting() -> None:
    async with running(money_grace=0.3) as node, node.charger() as charger:
        node.store.available.clear()
        await charger.post("Authorize", {"idTag": "TAG"})
        await charger.post("MeterValues", METER)
        assert await charger.closed() == 1013


async def test_what_arrived_before_the_socket_closed_is_stored() -> None:
    async with running() as node:
        async with node.charger() as charger:
            node.store.available.clear()
            await charger.post("Authorize", {"idTag": "TAG"})
            await charger.post("StartTransaction", START)
        node.store.available.set()
        await until(lambda: not node.store.owned)
        assert node.types()[-3:] == ["authorization.decided", "transaction.started", "charger.disconnected"]


# ---------------------------------------------------------------- resends


async def test_a_start_sent_again_gets_the_same_transaction_and_makes_one_event() -> None:
    async with running() as node:
        async with node.charger() as charger:
            first = await charger.call("StartTransaction", START, "same")
            assert await charger.call("StartTransaction", START, "same") == first
            assert await charger.call("StartTransaction", START, "other") == first
        async with node.charger() as charger:
            assert await charger.call("StartTransaction", START, "later") == first
        assert node.types().count("transaction.started") == 1


async def test_a_resend_that_overtakes_its_first_copy_joins_it() -> None:
    async with running() as node, node.charger() as charger:
        node.store.available.clear()
        await charger.post("StartTransaction", START, "first")
        await charger.post("StartTransaction", START, "second")
        assert await charger.silent()
        node.store.available.set()
        one, two = await charger.receive(), await charger.receive()
        assert [one[1], two[1]] == ["first", "second"]
        assert one[2] == two[2]
        assert node.types().count("transaction.started") == 1


class SlowCommits(MemoryStore):
    """Stores at once, and tells of it late: the caller does not know yet what happened."""

    slow = False

    def __post_init__(self) -> None:
        super().__post_init__()
        self.hung = asyncio.Event()

    async def commit(self, commit):  # type: ignore[no-untyped-def]
        stored = await super().commit(commit)
        if self.slow and commit.key is not None:
            await self.hung.wait()
        return stored


async def test_a_resend_over_a_new_connection_gets_what_the_first_copy_stored() -> None:
    store = SlowCommits()
    async with running(store) as node, node.charger() as old:
        store.slow = True
        await old.post("StartTransaction", START, "first")
        await until(lambda: "transaction.started" in node.types())
        store.slow = False
        async with node.charger(boot=False) as new:
            answer = await new.call("StartTransaction", START, "second")
            assert answer["transactionId"] > 0
            assert node.types().count("transaction.started") == 1
            assert node.data("transaction.started")[0]["ocpp_transaction_id"] == str(answer["transactionId"])
        store.hung.set()


# ---------------------------------------------------------------- ownership


async def test_a_newer_connection_wins_and_the_older_is_closed() -> None:
    """Quirk 6: two sockets at once with one identity."""
    async with running() as node, node.charger() as old:
        async with node.charger() as new:
            assert await old.closed() == 1000
            assert "currentTime" in await new.call("Heartbeat", {})
            await until(lambda: node.server.connection_count() == 1)
            assert node.connection().epoch == 2
        await until(lambda: node.server.connection_count() == 0)
        assert node.types() == ["charger.connected", "charger.booted"] * 2 + ["charger.disconnected"]


async def test_a_connection_that_lost_its_charger_to_another_node_closes_at_its_next_message() -> None:
    async with running() as node, node.charger() as charger:
        await node.store.claim(CP1)
        await charger.post("Authorize", {"idTag": "TAG"})
        assert await charger.closed() == 1000
        assert node.types() == ["charger.connected", "charger.booted"]


async def test_word_of_a_newer_owner_closes_the_connection() -> None:
    async with running() as node, node.charger() as charger:
        node.server.superseded(CP1, 1)
        assert "currentTime" in await charger.call("Heartbeat", {})
        node.server.superseded(CP1, 2)
        assert await charger.closed() == 1000


async def test_a_charger_that_redis_forgot_is_claimed_anew_with_all_that_is_known() -> None:
    async with running() as node, node.charger() as charger:
        await charger.call("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Available"})
        started = await charger.call("StartTransaction", START)
        node.store.forget_everything()
        node.server.forgotten()
        await until(lambda: node.store.fields.get(CP1, {}).get("charger"))
        assert node.store.fields[CP1]["availability"] == b"online"
        assert json.loads(node.store.fields[CP1]["connector/1/1"])["status"] == "available"
        (record,) = node.store.records[CP1].values()
        assert json.loads(record)["ocpp_transaction_id"] == str(started["transactionId"])
        await charger.call("StopTransaction", {**METER, "transactionId": started["transactionId"], "meterStop": 200,
                                               "timestamp": "2026-11-21T09:00:00Z"})  # fmt: skip
        assert node.data("transaction.ended")[0]["energy_wh"] == 100


async def test_what_is_forgotten_twice_is_claimed_twice() -> None:
    class Forgetful(MemoryStore):
        times = 0

        async def commit(self, commit):  # type: ignore[no-untyped-def]
            if self.times and not commit.events:
                self.times -= 1
                self.owned.clear()
                raise OwnershipLost("CP1", forgotten=True)
            return await super().commit(commit)

    store = Forgetful()
    async with running(store) as node, node.charger() as charger:
        store.forget_everything()
        store.times = 3
        await charger.call("Authorize", {"idTag": "TAG"})
        assert node.types()[-1] == "authorization.decided"


def transaction_event(kind: str, number: int) -> dict[str, object]:
    return {
        "eventType": kind,
        "timestamp": "2026-11-21T08:00:00Z",
        "triggerReason": "Authorized",
        "seqNo": number,
        "evse": {"id": 1, "connectorId": 1},
        "transactionInfo": {"transactionId": "t"},
    }


async def ended_with_a_gap(node: Node, charger: Charger) -> bytes:
    """Have a transaction end while one of its messages is missing; what its later work is about."""
    await charger.call("TransactionEvent", transaction_event("Started", 0))
    await charger.call("TransactionEvent", transaction_event("Ended", 2))
    ((_, payload),) = [work for (_, kind, _), work in node.store.later.items() if kind == "end_pending"]
    assert "transaction.ended" not in node.types()
    return payload


async def test_the_end_of_a_gap_is_stored_before_its_work_counts_as_done() -> None:
    async with running() as node, node.charger(subprotocol="ocpp2.0.1") as charger:
        payload = await ended_with_a_gap(node, charger)
        node.store.available.clear()
        work = asyncio.create_task(node.server.later("end_pending", CP1, payload))
        assert await charger.silent()
        assert not work.done()
        node.store.available.set()
        await work
        assert node.types()[-1] == "transaction.ended"
        assert "gap" in node.data("transaction.ended")[0]["suspect"]


async def test_the_end_of_a_gap_is_stored_for_a_charger_that_is_gone() -> None:
    async with running() as node:
        async with node.charger(subprotocol="ocpp2.0.1") as charger:
            payload = await ended_with_a_gap(node, charger)
        await until(lambda: CP1 not in node.store.owned)
        await node.server.later("end_pending", CP1, payload)
        assert node.types()[-1] == "transaction.ended"
        assert CP1 not in node.store.owned


async def test_later_work_that_another_connection_must_do_is_refused() -> None:
    async with running() as node, node.charger(subprotocol="ocpp2.0.1") as charger:
        payload = await ended_with_a_gap(node, charger)
        await node.store.claim(CP1)
        for _ in range(2):
            with pytest.raises(OwnershipLost):
                await node.server.later("end_pending", CP1, payload)
        assert await charger.closed() == 1000


# ---------------------------------------------------------------- the end


async def test_a_drain_sends_every_charger_away_with_1012() -> None:
    store = MemoryStore()
    async with running(store) as node, node.charger("A") as a, node.charger("B") as b:
        node.stopping.set()
        assert [await a.closed(), await b.closed()] == [1012, 1012]
    assert [store.types(ChargerId(name))[-1] for name in "AB"] == ["ocpp.charger.disconnected"] * 2
    assert store.owned == set()


# ---------------------------------------------------------------- about transactions that the twin has forgotten


async def test_a_stop_of_long_ago_is_looked_up_before_it_is_taken_in_and_that_outlasts_an_outage() -> None:
    async with running() as node, node.charger() as charger:
        numbers = []
        for hour in range(40):
            time = f"2026-11-{1 + hour // 24:02d}T{hour % 24:02d}"
            started = await charger.call("StartTransaction", {**START, "timestamp": f"{time}:00:00Z"})
            numbers.append(started["transactionId"])
            stop = {"transactionId": numbers[-1], "meterStop": 2000, "timestamp": f"{time}:30:00Z"}
            await charger.call("StopTransaction", stop)
        assert node.store.recalls == 40, "of each start, as it may be one of long ago"
        again = {"transactionId": numbers[0], "meterStop": 2000, "timestamp": "2026-11-01T00:30:00Z"}
        assert await charger.call("StopTransaction", again) == {}
        assert (node.types().count("transaction.ended"), node.store.recalls) == (40, 41)
        node.store.available.clear()
        other = {"transactionId": numbers[1], "meterStop": 2500, "timestamp": "2026-11-01T01:40:00Z"}
        await charger.post("StopTransaction", other)
        assert await charger.silent(0.1)
        node.store.available.set()
        assert (await charger.receive())[0] == 3
        (corrected,) = node.data("transaction.corrected")
        assert (corrected["ocpp_transaction_id"], corrected["revision"]) == (str(numbers[1]), 2)
        assert corrected["suspect"] == ["duplicate_with_differences"]


async def test_a_name_of_ocpp_2_used_again_is_another_transaction() -> None:
    def said(kind: str, number: int, hour: int) -> dict[str, object]:
        return {
            "eventType": kind,
            "timestamp": f"2026-11-21T{hour:02d}:00:00Z",
            "triggerReason": "ChargingStateChanged",
            "seqNo": number,
            "transactionInfo": {"transactionId": "1"},
            "evse": {"id": 1, "connectorId": 1},
        }

    async with running() as node, node.charger(subprotocol="ocpp2.0.1") as charger:
        for hour in (1, 3):
            await charger.call("TransactionEvent", said("Started", 0, hour))
            await charger.call("TransactionEvent", said("Ended", 1, hour + 1))
        await charger.call("TransactionEvent", said("Ended", 1, 4))
        ended = node.data("transaction.ended")
        assert [one["ended_at"][11:13] for one in ended] == ["02", "04"]
        assert len({one["transaction_id"] for one in ended}) == 2
