"""The id-token list and the stored boot decision, on a real server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.cluster import tokens as tokens_module
from gateway.cluster.keys import TOKENS_STORED
from gateway.core.errors import LogUnavailable, NotFound
from gateway.core.ports import IdToken, TokenStore
from tests.cluster.support import CP1, running
from tests.support.servers import Valkey
from tests.support.tokens import MemoryTokens

FULL = IdToken(
    "04:A2:ö", "blocked", "ISO14443", "2030-01-01T00:00:00.000Z", "fleet", ("depot-*", "CP?"), note="Ann's card"
)


@pytest.fixture(params=["memory", "redis"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[TokenStore]:
    """The list as tests without Redis have it, and the real one."""
    if request.param == "memory":
        yield MemoryTokens()
        return
    async with running(request.getfixturevalue("valkey").url) as node:
        yield node.cluster.tokens


async def everything(store: TokenStore, limit: int = 100) -> list[IdToken]:
    found: list[IdToken] = []
    after = None
    while True:
        page = await store.list(after=after, limit=limit)
        assert len(page.items) <= limit
        found += page.items
        if page.next is None:
            return found
        after = page.next


async def test_an_entry_comes_back_as_it_was_put_whatever_the_case_of_its_id(store: TokenStore) -> None:
    assert await store.standing() == "none"
    await store.put([FULL, IdToken("plain")])
    assert await store.standing() == "listed"
    assert [await store.find(id_) for id_ in ("04:a2:ö", "04:A2:Ö", "PLAIN", "other")] == [
        FULL,
        FULL,
        IdToken("plain"),
        None,
    ]


async def test_an_entry_of_the_same_id_is_replaced_and_a_removed_one_is_gone(store: TokenStore) -> None:
    await store.put([IdToken("abc", note="first")])
    await store.put([IdToken("ABC", note="second")])
    assert await everything(store) == [IdToken("ABC", note="second")]
    assert await store.remove("aBc")
    assert not await store.remove("aBc")
    assert await store.standing() == "emptied"
    assert await everything(store) == []


@pytest.mark.parametrize("limit", [1, 7, 24, 25, 26])
async def test_the_list_is_in_the_order_of_ids_page_by_page(store: TokenStore, limit: int) -> None:
    ids = [f"{'tT'[number % 2]}{number:03d}" for number in range(25)]
    await store.put([IdToken(id_) for id_ in reversed(ids)])
    assert [token.id for token in await everything(store, limit)] == ids
    with pytest.raises(NotFound):
        await store.list(after="rubbish")


async def test_nothing_put_is_nothing_stored(store: TokenStore) -> None:
    await store.put([])
    assert await store.standing() == "none"


async def test_a_list_of_many_thousands_is_stored_whole(valkey: Valkey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens_module, "CHUNK", 7)
    async with running(valkey.url) as node:
        ids = [f"{number:05d}" for number in range(50)]
        await node.cluster.tokens.put([IdToken(id_) for id_ in ids])
        assert [token.id for token in await everything(node.cluster.tokens, 9)] == ids


async def test_a_first_list_of_which_only_the_beginning_was_stored_is_no_list(
    valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens_module, "CHUNK", 7)
    async with running(valkey.url) as node:
        store, run, runs = node.cluster.tokens, node.cluster.tokens._lane.script, 0

        async def breaks_off(*arguments: Any) -> Any:
            nonlocal runs
            runs += arguments[0].name == "put_tokens"
            if runs == 3:
                raise LogUnavailable("Redis is away")
            return await run(*arguments)

        monkeypatch.setattr(store._lane, "script", breaks_off)
        tokens = [IdToken(f"{number:05d}") for number in range(50)]
        with pytest.raises(LogUnavailable):
            await store.put(tokens)
        assert await store.find("00013") is not None
        assert await store.standing() == "none"
        await store.put(tokens)
        assert await store.standing() == "listed"


async def test_a_list_of_before_it_was_marked_is_a_list_and_stays_one_when_it_is_emptied(valkey: Valkey) -> None:
    async with running(valkey.url) as node:
        await node.cluster.tokens.put([IdToken("a")])
        await node.cluster.tokens._lane.call("DEL", TOKENS_STORED)
        assert await node.cluster.tokens.standing() == "listed"
        await node.cluster.tokens.remove("a")
        assert await node.cluster.tokens.standing() == "emptied"


@settings(max_examples=30, deadline=None, suppress_health_check=[*HealthCheck])
@given(st.lists(st.text(min_size=1, max_size=40), unique_by=str.casefold))
def test_any_text_may_be_an_id(valkey: Valkey, ids: list[str]) -> None:
    async def put_and_find() -> None:
        async with fresh(valkey) as store:
            await store.put([IdToken(id_) for id_ in ids])
            assert [await store.find(id_) for id_ in ids] == [IdToken(id_) for id_ in ids]
            assert {token.id for token in await everything(store, 3)} == set(ids)

    asyncio.run(put_and_find())


@asynccontextmanager
async def fresh(valkey: Valkey) -> AsyncIterator[TokenStore]:
    async with running(valkey.url) as node:
        for token in await everything(node.cluster.tokens):
            await node.cluster.tokens.remove(token.id)
        yield node.cluster.tokens


async def test_without_redis_the_list_cannot_be_asked(valkey: Valkey) -> None:
    async with running(valkey.url) as node:
        valkey.kill()
        for ask in (node.cluster.tokens.find("a"), node.cluster.tokens.standing(), node.cluster.tokens.list()):
            with pytest.raises(LogUnavailable):
                await ask
        valkey.start()


async def test_the_answer_to_a_chargers_boots_is_stored_and_taken_back(valkey: Valkey) -> None:
    async with running(valkey.url) as node:
        store = node.cluster.settings
        assert (await store.get(CP1)).registration is None
        for registration in ("pending", "rejected", "accepted", None):
            await store.set_registration(CP1, registration)
            assert (await store.get(CP1)).registration == registration
            assert (await node.cluster.ownership.settings(CP1)).registration == registration
