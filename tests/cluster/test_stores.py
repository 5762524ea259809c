"""State, commands, settings, API keys and later work."""

import asyncio
import time
from typing import Any

import orjson
import pytest
import redis

from gateway.core.commands import Command, CommandResult, Outcome
from gateway.core.errors import CommandRefused, CommandRunning, IdempotencyConflict, NotFound
from gateway.core.identity import ChargerId
from gateway.core.ports import Commit
from tests.cluster.support import CP1, FakeReader, eventually, message, reading, running
from tests.support.servers import Valkey

FLEET = [ChargerId(f"CP{number}") for number in range(25)] + [ChargerId("a:b/ü", tenant="x:y")]


async def pages(ask: Any, **arguments: Any) -> list[Any]:
    """All items of a listing, page by page."""
    items: list[Any] = []
    after = None
    while True:
        page = await ask(after=after, **arguments)
        assert len(page.items) <= arguments["limit"]
        items += page.items
        if page.next is None:
            return items
        after = page.next


async def test_chargers_are_listed_page_by_page_and_found(valkey: Valkey) -> None:
    async with running(valkey.url) as node:
        state = node.cluster.state
        for charger in FLEET:
            epoch = (await node.cluster.ownership.claim(charger)).epoch
            await node.cluster.log.commit(Commit(charger, epoch, [], fields={"charger": b"{}", "memory": b"{}"}))
        listed = await pages(state.chargers, limit=4)
        assert sorted(snapshot.charger for snapshot in listed) == sorted(FLEET)
        assert {tuple(snapshot.fields) for snapshot in listed} == {("charger",)}
        assert sorted([known async for known in state.known_chargers()]) == sorted(FLEET)
        found = await state.charger(FLEET[-1])
        assert found is not None
        assert found.charger == FLEET[-1]
        assert await state.charger(ChargerId("nobody")) is None
        with pytest.raises(NotFound):
            await state.chargers(after="rubbish")


async def test_a_removed_charger_is_forgotten_and_readers_are_told(valkey: Valkey) -> None:
    async with running(valkey.url, shards=1) as node:
        cluster = node.cluster
        reader = FakeReader()
        async with reading(node, reader):
            await eventually(lambda: reader.open_shards)
            epoch = (await cluster.ownership.claim(CP1)).epoch
            fields = {"charger": b"{}", "connector/2/1": b"{}", "connector/1/1": b"{}"}
            await cluster.log.commit(Commit(CP1, epoch, [], fields=fields))
            await cluster.settings.set_password(CP1, b"secret")
            with pytest.raises(CommandRefused):
                await cluster.state.remove_charger(CP1)
            await cluster.ownership.release(CP1, epoch)
            await cluster.state.remove_charger(CP1)
            (entry,) = await eventually(lambda: reader.entries)
            assert entry.type == "ocpp.charger.removed"
            assert orjson.loads(entry.body)["data"] == {"connectors": [[1, 1], [2, 1]]}
            await eventually(lambda: (latest := reader.latest(CP1)) and latest.removed)
        assert await cluster.state.charger(CP1) is None
        assert not (await cluster.settings.get(CP1)).has_password
        with pytest.raises(NotFound):
            await cluster.state.remove_charger(CP1)


def command(**changes: Any) -> Command:
    values = {"id": "c1", "charger": CP1, "name": "reset", "arguments": {"a": 1}, "deadline": time.time() + 5}
    return Command(**{**values, **changes})


async def test_a_command_is_begun_once_and_its_result_kept(valkey: Valkey) -> None:
    async with running(valkey.url) as node:
        commands = node.cluster.commands
        assert await commands.begin(command()) is None
        running_shape = await commands.get("c1")
        assert running_shape is not None
        assert (running_shape["id"], running_shape["outcome"]) == ("c1", None)
        with pytest.raises(CommandRunning):
            await commands.begin(command())
        with pytest.raises(IdempotencyConflict):
            await commands.begin(command(arguments={"a": 2}))
        result = CommandResult("c1", CP1, "reset", Outcome.REJECTED, "no", {"x": 2**70})
        assert await commands.finish(result, deadline=time.time() + 5) == result
        assert await commands.begin(command()) == result
        assert await commands.get("c1") == result.as_dict()
        assert await commands.get("nothing") is None


async def test_a_command_whose_node_died_ends_as_timeout(valkey: Valkey) -> None:
    async with running(valkey.url) as node:
        assert await node.cluster.commands.begin(command(deadline=time.time() - 100)) is None
        shape = await node.cluster.commands.get("c1")
        assert shape is not None
        assert (shape["outcome"], shape["safe_to_retry"]) == ("timeout", False)


async def test_a_start_whose_node_died_while_it_was_followed_ends_with_the_chargers_answer(valkey: Valkey) -> None:
    async with running(valkey.url) as node:
        commands, lost = node.cluster.commands, command(deadline=time.time() - 100)
        assert await commands.begin(lost) is None
        await commands.note_answer(CommandResult("c1", CP1, "reset", Outcome.ACCEPTED))
        ended = await commands.begin(lost)
        assert ended is not None
        assert (ended.outcome, ended.transaction) == (Outcome.ACCEPTED, {"id": None, "status": "unknown"})
        assert await commands.get("c1") == ended.as_dict()


async def test_the_first_result_that_is_stored_counts(valkey: Valkey) -> None:
    async with running(valkey.url) as node:
        commands = node.cluster.commands
        assert await commands.begin(command()) is None
        first, later = (CommandResult("c1", CP1, "reset", one) for one in (Outcome.TIMEOUT, Outcome.ACCEPTED))
        for result in (first, later):
            assert await commands.finish(result, deadline=time.time()) == first
        assert not await commands.note_running(command()), "it has ended, and is not carried out"


async def test_nobody_is_told_how_a_command_ended_before_that_is_stored(
    valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else whoever asks later, or asks another node, is told something else."""
    async with running(valkey.url) as node:
        commands = node.cluster.commands
        now = time.time()
        assert await commands.begin(command(deadline=now)) is None
        result = CommandResult("c1", CP1, "reset", Outcome.ACCEPTED)
        valkey.kill()
        finishing = asyncio.create_task(commands.finish(result, deadline=now))
        monkeypatch.setattr("gateway.cluster.commands._TRIED_ON", 0.1)
        long_ago = await commands.finish(result, deadline=now - 3600)
        assert (long_ago.outcome, finishing.done()) == (Outcome.TIMEOUT, False)
        valkey.start()
        assert await finishing == result
        assert await commands.get("c1") == result.as_dict()


async def test_what_was_stored_counts_however_late_its_node_hears_of_that(
    valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node that slept in the middle of storing a result finds its connection gone, and its time over."""
    monkeypatch.setattr("gateway.cluster.commands._TRIED_ON", 60.0)
    async with running(valkey.url) as node:
        commands, long_ago = node.cluster.commands, time.time() - 3600
        assert await commands.begin(command()) is None
        stored = CommandResult("c1", CP1, "reset", Outcome.ACCEPTED)
        assert await commands.finish(stored, deadline=time.time()) == stored
        valkey.kill()
        finishing = asyncio.create_task(commands.finish(stored, deadline=long_ago))
        await asyncio.sleep(0)
        valkey.start()
        assert await finishing == stored


@pytest.mark.parametrize("password", [b"0123456789abcdef", b"\x00\xff not utf-8 \x80", "grüße".encode(), b"x" * 500])
async def test_a_password_is_checked_and_never_stored(valkey: Valkey, password: bytes) -> None:
    async with running(valkey.url) as node:
        settings, ownership = node.cluster.settings, node.cluster.ownership
        assert not await ownership.check_password(CP1, password)
        await settings.set_password(CP1, password)
        await settings.set_subprotocol(CP1, "ocpp1.6")
        assert (await ownership.settings(CP1)).has_password
        assert (await ownership.settings(CP1)).subprotocol == "ocpp1.6"
        assert await ownership.check_password(CP1, password)
        assert not await ownership.check_password(CP1, password + b"x")
        assert not await ownership.check_password(ChargerId("CP2"), password)
        with redis.Redis.from_url(valkey.url) as client:
            assert password not in client.hget(f"ocpp:{{s{CP1.shard(4):02d}}}::CP1:settings", "password")
        await settings.set_password(CP1, None)
        assert not await ownership.check_password(CP1, password)


async def test_only_a_password_that_is_there_is_changed(valkey: Valkey) -> None:
    async with running(valkey.url) as node:
        settings, ownership = node.cluster.settings, node.cluster.ownership
        assert not await ownership.change_password(CP1, b"new-password-16b")
        assert not (await ownership.settings(CP1)).has_password
        await settings.set_password(CP1, b"old-password-16b")
        assert await ownership.change_password(CP1, b"new-password-16b")
        assert await ownership.check_password(CP1, b"new-password-16b")
        assert not await ownership.check_password(CP1, b"old-password-16b")


async def test_the_settings_tell_what_the_charger_said_at_its_last_boot(valkey: Valkey) -> None:
    async with running(valkey.url) as node:
        ownership = node.cluster.ownership
        claim = await ownership.claim(CP1)
        assert (await ownership.settings(CP1)).vendor is None
        for stored, told in (
            (b'{"vendor":"V","model":"M","firmware_version":"1"}', ("V", "M", "1")),
            (b'{"vendor":7,"model":null}', (None, None, None)),
            (b"[1]", (None, None, None)),
            (b"{", (None, None, None)),
        ):
            await node.cluster.log.commit(Commit(CP1, claim.epoch, (), fields={"charger": stored}))
            settings = await ownership.settings(CP1)
            assert (settings.vendor, settings.model, settings.firmware_version) == told


async def test_api_keys_are_made_verified_and_revoked(valkey: Valkey) -> None:
    async with running(valkey.url) as node:
        keys = node.cluster.api_keys
        key, secret = await keys.create("billing", "read")
        assert secret.startswith("ogw_")
        assert await keys.verify(secret) == key
        assert await keys.verify("ogw_wrong") is None
        own, given = await keys.create("mine", "admin", secret="chosen")
        assert given == "chosen"
        assert list(await keys.list()) == [key, own]
        await keys.revoke(key.id)
        assert await keys.verify(secret) is None
        with pytest.raises(NotFound):
            await keys.revoke(key.id)
        with redis.Redis.from_url(valkey.url) as client:
            assert b"chosen" not in b"".join(client.hgetall("ocpp:api_keys"))


async def test_the_first_api_key_is_made_once_by_nodes_that_start_together(valkey: Valkey) -> None:
    async with running(valkey.url, "a") as a, running(valkey.url, "b") as b:
        made = await asyncio.gather(
            *(node.cluster.api_keys.create_first("first key", "admin") for node in (a, b) for _ in range(5))
        )
        (first,) = [one for one in made if one is not None]
        assert await b.cluster.api_keys.verify(first[1]) == first[0]
        assert list(await a.cluster.api_keys.list()) == [first[0]]


async def test_later_work_is_done_when_it_is_due_and_once(valkey: Valkey) -> None:
    async with running(valkey.url, "a") as a, running(valkey.url, "b") as b:
        now = time.time()
        await a.cluster.later.schedule(CP1, "grace", now + 600, b"old", key="t1")
        await a.cluster.later.schedule(CP1, "grace", now + 0.1, b"new", key="t1")
        await a.cluster.later.schedule(CP1, "grace", now + 600, b"cancelled", key="t2")
        await a.cluster.later.cancel(CP1, "grace", key="t2")
        await a.cluster.later.schedule(CP1, "grace", now + 600, b"far", key="t3")
        await eventually(lambda: a.hooks.works.qsize() + b.hooks.works.qsize())
        done = (a if a.hooks.works.qsize() else b).hooks.works.get_nowait()
        assert done == ("grace", CP1, b"new")
        with redis.Redis.from_url(valkey.url) as client:
            key = f"ocpp:{{s{CP1.shard(4):02d}}}:later"
            await eventually(lambda: [m.split(b"\n")[2] for m in client.zrange(key, 0, -1)] == [b"t3"])
        assert a.hooks.works.empty()
        assert b.hooks.works.empty()


async def test_later_work_that_fails_comes_back(valkey: Valkey) -> None:
    async with running(valkey.url) as node:

        async def broken(kind: str, charger: ChargerId, payload: bytes) -> None:
            node.hooks.works.put_nowait((kind, charger, payload))
            raise ValueError("a bug")

        node.hooks.later = broken  # type: ignore[method-assign]
        await node.cluster.later.schedule(CP1, "grace", time.time(), b"")
        await asyncio.wait_for(node.hooks.works.get(), 60)
        with redis.Redis.from_url(valkey.url) as client:
            assert client.zcard(f"ocpp:{{s{CP1.shard(4):02d}}}:later") == 1


async def test_a_charger_of_which_nothing_is_stored_yet_is_not_said_to_be_removed(valkey: Valkey) -> None:
    """It was claimed a moment ago, or Redis lost its data and its node will store it again."""
    async with running(valkey.url, shards=1) as node:
        await node.cluster.ownership.claim(CP1)
        reader = FakeReader()
        async with reading(node, reader):
            epoch = (await node.cluster.ownership.claim(CP1)).epoch
            await node.cluster.log.commit(message(CP1, epoch, 1))
            await eventually(lambda: reader.ids == ["event-1"])
            other = ChargerId("other")
            epoch = (await node.cluster.ownership.claim(other)).epoch
            await node.cluster.log.commit(message(other, epoch, 2, fields={"charger": b"{}"}))
            await eventually(lambda: reader.latest(other) is not None)
            assert not [found for found in reader.snapshots if found.removed]
