"""The event log over HTTP: long poll and server-sent events."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from adapters.rest import RestAdapter, RestConfig
from gateway.core.ports import FeedPage
from tests.adapters.rest.client import assert_problem, client_of
from tests.adapters.rest.fakes import FakeGateway


def with_events(*kinds: str) -> FakeGateway:
    gateway = FakeGateway()
    for kind in kinds:
        gateway.feed.add(kind)
    return gateway


async def test_events_are_read_page_by_page_and_next_is_always_there() -> None:
    gateway = with_events("ocpp.a", "ocpp.b", "ocpp.c")
    async with client_of(gateway, scope="read") as client:
        page = (await client.get("/v1/events", params={"limit": 2})).json()
        assert ([event["id"] for event in page["items"]], page["next"]) == (["e1", "e2"], "2")
        page = (await client.get("/v1/events", params={"after": page["next"]})).json()
        assert [event["id"] for event in page["items"]] == ["e3"]
        page = (await client.get("/v1/events", params={"after": page["next"]})).json()
        assert page == {"items": [], "next": "3"}
        assert (await client.get("/v1/events", params={"after": "latest"})).json()["items"] == []


async def test_one_event_is_read_by_its_charger_and_position() -> None:
    gateway = with_events("ocpp.a", "ocpp.b")
    async with client_of(gateway, scope="read") as client:
        found = await client.get("/v1/chargers/CP-1/events/2-0")
        assert found.headers["content-type"] == "application/cloudevents+json"
        assert found.json()["id"] == "e2"
        for path in ("CP-2/events/2-0", "CP-1/events/9-0"):
            assert_problem(await client.get(f"/v1/chargers/{path}"), 404, "unknown-event")


async def test_a_long_poll_comes_back_with_what_comes() -> None:
    gateway = with_events("ocpp.a")
    async with client_of(gateway, scope="read") as client:
        waiting = asyncio.create_task(client.get("/v1/events", params={"after": "1", "wait": 60}))
        await gateway.feed.was_read.wait()
        assert not waiting.done()
        gateway.feed.add("ocpp.b")
        async with asyncio.timeout(50):
            assert [event["id"] for event in (await waiting).json()["items"]] == ["e2"]


async def test_types_and_charger_filter() -> None:
    gateway = with_events("ocpp.transaction.started", "ocpp.meter.values")
    gateway.feed.add("ocpp.transaction.started", charger="a/b")
    async with client_of(gateway, scope="read") as client:
        query: dict[str, Any] = {"types": "ocpp.transaction.*, log.gap"}
        assert len((await client.get("/v1/events", params=query)).json()["items"]) == 2
        found = (await client.get("/v1/events", params={**query, "charger_id": "a/b"})).json()["items"]
        assert [event["id"] for event in found] == ["e3"]


async def test_a_cursor_that_came_too_late_is_told_where_to_go_on() -> None:
    gateway = with_events("ocpp.a", "ocpp.b", "ocpp.c")
    gateway.feed.lost = 2
    async with client_of(gateway, scope="read") as client:
        for path in ("/v1/events", "/v1/events/stream"):
            body = assert_problem(await client.get(path, params={"after": "1"}), 410, "cursor-expired")
            assert body["earliest"] == "2"
            assert_problem(await client.get(path, params={"after": "rubbish"}), 422, "invalid-request")


async def test_the_earliest_may_be_trimmed_while_it_is_asked_for() -> None:
    gateway = with_events("ocpp.a", "ocpp.b", "ocpp.c")
    feed = gateway.feed
    read = feed.read

    async def trims_first(after: str, **more: Any) -> FeedPage:
        feed.lost = min(feed.lost + 1, 2)
        return await read(after, **more)

    feed.read = trims_first  # type: ignore[method-assign,assignment]
    async with client_of(gateway, scope="read") as client:
        answer = await client.get("/v1/events", params={"after": "earliest"})
        assert answer.status_code == 200, answer.text
        assert [event["id"] for event in answer.json()["items"]] == ["e3"]
        assert_problem(await client.get("/v1/events", params={"after": "1"}), 410, "cursor-expired")


async def test_redis_away_is_a_problem() -> None:
    gateway = with_events("ocpp.a")
    gateway.redis.away = True
    async with client_of(gateway, scope="read") as client:
        assert_problem(await client.get("/v1/events"), 503, "state-unavailable")


async def read_stream(lines: Any, count: int) -> list[dict[str, str]]:
    """So many events of a stream, as their fields."""
    events: list[dict[str, str]] = []
    fields: dict[str, str] = {}
    async with asyncio.timeout(60):
        async for line in lines:
            if line:
                name, _, value = line.partition(": ")
                fields[name] = value
            elif "data" in fields:
                events.append(fields)
                fields = {}
                if len(events) == count:
                    break
            else:
                fields = {}
    return events


@asynccontextmanager
async def streaming(gateway: FakeGateway) -> AsyncIterator[tuple[httpx.AsyncClient, str]]:
    """A client of the served adapter, and where it streams."""
    adapter = RestAdapter(RestConfig(port=0), gateway.context)
    started = asyncio.Event()
    serving = asyncio.create_task(adapter.run(started.set))
    try:
        await started.wait()
        async with httpx.AsyncClient(headers=gateway.key("read"), timeout=60) as client:
            yield client, f"http://127.0.0.1:{adapter.port}/v1/events/stream"
    finally:
        serving.cancel()
        await asyncio.wait([serving])


async def test_a_stream_resumes_behind_the_last_event_that_was_received() -> None:
    gateway = with_events("ocpp.a", "ocpp.b")
    async with streaming(gateway) as (client, url):
        async with client.stream("GET", url, params={"after": "earliest"}) as response:
            assert response.headers["content-type"].startswith("text/event-stream")
            lines = response.aiter_lines()
            events = await read_stream(lines, 2)
            gateway.feed.add("ocpp.c")
            events += await read_stream(lines, 1)
        assert [json.loads(event["data"])["id"] for event in events] == ["e1", "e2", "e3"]
        assert [event["event"] for event in events] == ["ocpp.a", "ocpp.b", "ocpp.c"]
        gateway.feed.add("ocpp.d")
        headers = {"Last-Event-ID": events[-1]["id"]}
        async with client.stream("GET", url, headers=headers) as response:
            (event,) = await read_stream(response.aiter_lines(), 1)
        assert json.loads(event["data"])["id"] == "e4"


async def test_who_waits_for_rare_events_is_told_a_cursor_behind_all_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.rest.events.SIGN_OF_LIFE", 0.0)
    gateway = with_events(*["ocpp.a"] * 10)
    async with (
        streaming(gateway) as (client, url),
        client.stream("GET", url, params={"after": "earliest", "types": "transaction.*"}) as response,
        asyncio.timeout(60),
    ):
        async for line in response.aiter_lines():
            if line == "id: 10":
                break


async def test_who_is_cut_off_after_some_events_of_a_backlog_every_time_gets_on() -> None:
    gateway = with_events(*["ocpp.a"] * 300)
    heard: set[str] = set()
    async with streaming(gateway) as (client, url):
        where = {"Last-Event-ID": "0"}
        for _ in range(6):
            async with client.stream("GET", url, headers=where) as response:
                events = await read_stream(response.aiter_lines(), min(60, 300 - int(where["Last-Event-ID"])))
            heard |= {json.loads(event["data"])["id"] for event in events}
            where = {"Last-Event-ID": next(event["id"] for event in reversed(events) if "id" in event)}
            if where["Last-Event-ID"] == "300":
                break
    assert heard == {f"e{number}" for number in range(1, 301)}


@pytest.mark.parametrize("types", ["transaction.*", "ocpp.transaction.*", "transaction.started", "*", " , "])
async def test_types_may_be_named_without_the_leading_ocpp(types: str) -> None:
    gateway = FakeGateway()
    gateway.feed.add("ocpp.transaction.started")
    async with client_of(gateway, scope="read") as client:
        page = (await client.get("/v1/events", params={"types": types})).json()
    assert len(page["items"]) == 1


@pytest.mark.parametrize("path", ["/v1/events", "/v1/events/stream"])
@pytest.mark.parametrize(
    ("types", "close"),
    [
        ("transactions.started", "ocpp.transaction.started"),
        ("ocpp.transaction.begun", "ocpp.transaction.*"),
        ("*.started", "ocpp.transaction.*"),
        ("zzz", "ocpp.connector.*"),
    ],
)
async def test_a_type_that_no_event_has_is_refused_with_what_is_close(path: str, types: str, close: str) -> None:
    async with client_of(FakeGateway(), scope="read") as client:
        query = {"types": f"ocpp.charger.*,{types}"}
        body = assert_problem(await client.get(path, params=query), 422, "invalid-request")
    assert repr(types) in body["detail"]
    assert close in body["detail"]
