"""The business systems: one polls over REST, one subscribes by MQTT. Each writes down what it got, in order."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import orjson

from tests.support.gateway_process import ADMIN_KEY, GatewayProcess

Event = dict[str, Any]
PAGE = 500
AWAY = (408, 429, 500, 502, 503, 504)
"""Answers after which a client tries another node."""
UNREACHABLE_SECONDS = 90.0


class Rest:
    """A REST client that goes to another node where one cannot be used."""

    def __init__(self, nodes: Sequence[GatewayProcess]) -> None:
        self.switched = 0
        self._urls = [node.rest_url for node in nodes]
        self._at = 0
        timeout = aiohttp.ClientTimeout(total=12, sock_connect=2)
        self._session = aiohttp.ClientSession(headers={"Authorization": f"Bearer {ADMIN_KEY}"}, timeout=timeout)

    async def close(self) -> None:
        await self._session.close()

    async def once(
        self, method: str, path: str, *, node: int | None = None, **options: Any
    ) -> tuple[int, dict[str, Any]] | None:
        """One attempt: status and body; None where there was no answer."""
        url = self._urls[self._at if node is None else node]
        try:
            async with self._session.request(method, url + path, **options) as answer:
                body = await answer.read()
        except (aiohttp.ClientError, OSError, TimeoutError):
            return None
        try:
            return answer.status, orjson.loads(body)
        except ValueError:
            return answer.status, {}

    async def get(self, path: str, **parameters: Any) -> tuple[int, dict[str, Any]]:
        """Asks until a node has an answer. Raises ConnectionError where none has one for a long time."""
        until = time.monotonic() + UNREACHABLE_SECONDS
        while time.monotonic() < until:
            found = await self.once("GET", path, params=parameters)
            if found is not None and found[0] not in AWAY:
                return found
            self._at = (self._at + 1) % len(self._urls)
            self.switched += 1
            await asyncio.sleep(0.2)
        raise ConnectionError(f"no node answers GET {path} for {UNREACHABLE_SECONDS:g} s")


class EventPoller:
    """Reads the log by long poll, from the earliest on."""

    def __init__(self, rest: Rest) -> None:
        self.events: list[Event] = []
        self.problems: list[str] = []
        self.at_end = False
        """The last answer had nothing more."""
        self._rest, self._after = rest, "earliest"

    async def run(self) -> None:
        while True:
            status, body = await self._rest.get("/v1/events", after=self._after, limit=PAGE, wait=2)
            if status != 200:
                self.problems.append(f"GET /v1/events?after={self._after} said {status}: {body}")
                await asyncio.sleep(1.0)
                continue
            self.events += body["items"]
            self._after = body["next"]
            self.at_end = not body["items"]


class TransactionPoller:
    """Keeps every transaction's record as it last was, by what changed since the run began."""

    def __init__(self, rest: Rest) -> None:
        self.records: dict[str, dict[str, Any]] = {}
        self.problems: list[str] = []
        self.at_end = False
        self._rest, self._cursor = rest, ""
        # Redis's clock counts: a minute more does no harm.
        self._since = (datetime.now(UTC) - timedelta(minutes=1)).isoformat(timespec="milliseconds")

    async def run(self) -> None:
        while True:
            after = {"after": self._cursor} if self._cursor else {}
            status, body = await self._rest.get("/v1/transactions", updated_since=self._since, limit=PAGE, **after)
            if status != 200:
                self.problems.append(f"GET /v1/transactions?after={self._cursor} said {status}: {body}")
                await asyncio.sleep(1.0)
                continue
            for record in body["items"]:
                self.records[record["id"]] = record
            self._cursor = body["cursor"]
            self.at_end = body["next"] is None
            if self.at_end:
                await asyncio.sleep(0.5)


async def all_records(rest: Rest) -> list[dict[str, Any]]:
    """Every transaction as the plain listing has it, each as often as it is listed."""
    found: list[dict[str, Any]] = []
    after: dict[str, str] = {}
    while True:
        status, body = await rest.get("/v1/transactions", limit=PAGE, **after)
        if status != 200:
            raise RuntimeError(f"GET /v1/transactions said {status}: {body}")
        found += body["items"]
        if body["next"] is None:
            return found
        after = {"after": body["next"]}


SAMPLED = 100


async def some_samples(rest: Rest, records: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The samples of the first transactions, by id."""
    found = {}
    for record in records[:SAMPLED]:
        status, body = await rest.get(f"/v1/transactions/{record['id']}")
        found[record["id"]] = body["samples"] if status == 200 else []
    return found


async def end(*tasks: "asyncio.Task[None]") -> None:
    """Cancel tasks; what had failed before is raised."""
    for task in tasks:
        task.cancel()
    for task in tasks:
        with suppress(asyncio.CancelledError):
            await task
