"""Two whole nodes as the Redis user of deploy/redis/users.acl: nothing that they do is refused."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.charger import HandCharger
from tests.chaos.conftest import QUICK, MakeNode, start
from tests.chaos.subscriber import Subscriber
from tests.chaos.waiting import until
from tests.support.acl import admin, login, refusals, users
from tests.support.servers import EmbeddedBroker, Valkey

READS = (
    *("chargers", "chargers/GUARDED", "transactions", "transactions?updated_since=2020-01-01T00:00:00Z", "tokens"),
    *("nodes", "dead-letters", "api-keys", "events?after=earliest"),
)


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Valkey]:
    server = Valkey(tmp_path / "guarded", "--aclfile", str(users(tmp_path)))
    server.start()
    yield server
    server.stop()


async def test_nothing_that_nodes_do_is_refused(
    make_node: MakeNode, guarded: Valkey, embedded_broker: EmbeddedBroker, home_subscriber: Subscriber
) -> None:
    small = {"redis": {**QUICK["redis"], "log_max_age": 0.5, "log_hard_max_bytes": 10_000_000}}
    first, second = (
        make_node(login(guarded), embedded_broker.url, name=name, settings=small) for name in ("node-1", "node-2")
    )
    await start(first, second)
    async with first.client() as at_first, second.client() as at_second:
        put = await at_first.put("/v1/tokens/CHAOS", json={"status": "accepted"})
        assert put.is_success, put.text
        async with HandCharger(first.charger_url, "GUARDED") as charger:
            await charger.boot()
            number = await charger.start()
            await charger.sample(number, 1100)
            # Across nodes: the charger is at the first, the command comes to the second.
            answer = await at_second.post("/v1/chargers/GUARDED/commands/unlock", json={"evse_id": 1})
            assert answer.json()["outcome"] == "accepted", answer.text
            await charger.stop(number, 1200)
            for path in READS:
                answer = await at_second.get(f"/v1/{path}")
                assert answer.status_code == 200, f"{path}: {answer.text}"
        async with HandCharger(second.charger_url, "GUARDED") as charger:
            await charger.boot()
            await until(lambda: "transaction.ended" in home_subscriber.types("GUARDED"), "its end is published")
            secret = {"password": "0123456789abcdef"}
            put = await at_second.put("/v1/chargers/GUARDED/credentials", json=secret)
            assert put.is_success, put.text
            made = await at_first.post("/v1/api-keys", json={"name": "test", "scope": "read"})
            assert made.is_success, made.text
            assert (await at_first.delete(f"/v1/api-keys/{made.json()['id']}")).is_success
        async with HandCharger(first.charger_url, "LEFT") as left:
            await left.boot()
            await until(lambda: home_subscriber.availability("LEFT") == "online", "it is there")
            await asyncio.to_thread(first.kill)
            await until(lambda: home_subscriber.availability("LEFT") == "offline", "the other node has noticed")
        with admin(guarded) as client:
            sizes = client.keys("ocpp:{s*}:log_size")
            await until(lambda: any(int(client.hget(key, "base") or 0) > 0 for key in sizes), "the log is trimmed")
        removed = await at_second.delete("/v1/chargers/LEFT")
        assert removed.is_success, removed.text
        assert (await at_second.delete("/v1/tokens/CHAOS")).is_success
        await until(lambda: second.log.count("a node is dead") > 0, "the dead one is struck off")

        async def healthy() -> bool:
            ready = (await at_second.get("/readyz")).json()
            return (ready["status"], ready["checks"]["redis"]["level"]) == ("ok", "ok")

        await until(healthy, "/readyz of the survivor says ok")
    assert refusals(guarded) == []
    assert "lacks a right" not in first.log + second.log
