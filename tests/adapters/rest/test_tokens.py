"""The id-token list over HTTP."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, get_args

import pytest

from adapters.rest.token_csv import COLUMNS
from adapters.rest.token_models import EXAMPLE, LIST_STANDS
from gateway.core.answers import AuthorizationStatus
from gateway.core.identity import percent_encode
from gateway.core.ports import IdToken
from tests.adapters.rest.client import assert_problem, client_of
from tests.adapters.rest.fakes import FakeGateway
from tests.cluster.support import running
from tests.support.servers import Valkey

CSV = {"Content-Type": "text/csv"}
PLAIN: dict[str, Any] = {
    "status": "accepted",
    "type": None,
    "expires_at": None,
    "group": None,
    "chargers": [],
    "note": None,
}


@asynccontextmanager
async def on_valkey(valkey: Valkey) -> AsyncIterator[FakeGateway]:
    """A gateway whose token list is the real one."""
    async with running(valkey.url) as node:
        gateway = FakeGateway()
        gateway.context = replace(gateway.context, tokens=node.cluster.tokens)
        yield gateway


@pytest.mark.parametrize("token_id", ["04A2", "a/b", "ü#1 %+$", "x" * 255, "import", "日本"])
async def test_a_token_is_stored_under_any_id_found_in_any_case_and_removed(token_id: str) -> None:
    path = f"/v1/tokens/{percent_encode(token_id)}"
    other_case = f"/v1/tokens/{percent_encode(token_id.swapcase())}"
    body = {key: value for key, value in EXAMPLE.items() if key != "id"}
    async with client_of(FakeGateway()) as client:
        assert_problem(await client.get(path), 404, "not-found")
        for said, stored in (({}, PLAIN), (body, body)):
            response = await client.put(path, json=said)
            assert (response.status_code, response.json()) == (200, {"id": token_id, **stored})
            assert (await client.get(other_case)).json() == {"id": token_id, **stored}
            assert (await client.get("/v1/tokens")).json()["items"] == [{"id": token_id, **stored}]
        assert (await client.delete(other_case)).status_code == 204
        assert_problem(await client.delete(path), 404, "not-found")


@pytest.mark.parametrize(
    ("body", "location"),
    [
        ({"status": "Accepted"}, "body.status"),
        ({"expires_at": "tomorrow"}, "body.expires_at"),
        ({"expires_at": "2027-12-31T23:00:00"}, "body.expires_at"),
        ({"expires_at": "0001-01-01T00:00:00+14:00"}, "body.expires_at"),
        ({"group": ""}, "body.group"),
        ({"chargers": ["a b"]}, "body.chargers.0"),
        ({"chargers": "CP-1"}, "body.chargers"),
        ({"type": "a\u0000"}, "body.type"),
        ({"expires": None}, "body.expires"),
    ],
)
async def test_what_an_entry_cannot_say_is_told(body: dict[str, Any], location: str) -> None:
    gateway = FakeGateway()
    async with client_of(gateway) as client:
        problem = assert_problem(await client.put("/v1/tokens/04A2", json=body), 422, "invalid-request")
    assert [error["location"] for error in problem["errors"]] == [location]
    assert not gateway.tokens.tokens


@pytest.mark.parametrize("segment", ["%00", "%20", "x" * 256, "%FF"])
async def test_what_is_no_token_id_is_told(segment: str) -> None:
    async with client_of(FakeGateway()) as client:
        assert_problem(await client.put(f"/v1/tokens/{segment}", json={}), 422, "invalid-request")


@pytest.mark.parametrize("status", get_args(AuthorizationStatus))
async def test_every_status_can_be_given(status: str) -> None:
    async with client_of(FakeGateway()) as client:
        assert (await client.put("/v1/tokens/04A2", json={"status": status})).json()["status"] == status


async def test_a_file_is_imported_whole_or_not_at_all() -> None:
    gateway = FakeGateway()
    async with client_of(gateway) as client:
        wrong = await client.post("/v1/tokens/import", content=b"id,status\nA,\nB,ok\n", headers=CSV)
        problem = assert_problem(wrong, 422, "invalid-request")
        assert [error["location"] for error in problem["errors"]] == ["line 3, status"]
        assert not gateway.tokens.tokens
        await client.put("/v1/tokens/stays", json={})
        await client.put("/v1/tokens/a", json={"note": "replaced"})
        right = await client.post("/v1/tokens/import", content=b"id,status\nA,\nB,blocked\n", headers=CSV)
        assert (right.status_code, right.json()) == (200, {"imported": 2, "policy": LIST_STANDS})
        nothing = await client.post("/v1/tokens/import", content=b"id\n", headers=CSV)
        assert nothing.json() == {"imported": 0, "policy": None}
    assert list(gateway.tokens.tokens.values()) == [IdToken("stays"), IdToken("A"), IdToken("B", "blocked")]


@pytest.mark.parametrize(
    ("headers", "size", "status", "slug"),
    [
        ({"Content-Type": "application/json"}, 10, 415, "not-csv"),
        ({}, 10, 415, "not-csv"),
        ({"Content-Type": "text/csv; charset=utf-8"}, 5000, 413, "request-too-large"),
    ],
)
async def test_what_is_no_file_to_import_is_told(headers: dict[str, str], size: int, status: int, slug: str) -> None:
    async with client_of(FakeGateway(), max_request_bytes=1024, max_import_bytes=2048) as client:
        response = await client.post("/v1/tokens/import", content=b"x" * size, headers=headers)
        assert_problem(response, status, slug)


async def test_the_bound_of_other_requests_is_not_that_of_files() -> None:
    async with client_of(FakeGateway(), max_request_bytes=1024, max_import_bytes=4096) as client:
        file = b"id,note\nA," + b"x" * 900 + b"\nB," + b"x" * 900
        assert (await client.post("/v1/tokens/import", content=file, headers=CSV)).json()["imported"] == 2
        response = await client.put("/v1/tokens/A", json={"note": "x" * 2000})
        assert_problem(response, 413, "request-too-large")


async def test_while_redis_is_away_nothing_is_known_to_be_stored() -> None:
    gateway = FakeGateway(dev=True)
    gateway.redis.away = True
    async with client_of(gateway, scope=None) as client:
        for method, path, body in (
            ("GET", "/v1/tokens", None),
            ("GET", "/v1/tokens/A", None),
            ("DELETE", "/v1/tokens/A", None),
            ("POST", "/v1/tokens/import", b"id\nA\n"),
        ):
            response = await client.request(method, path, content=body, headers=CSV if body else {})
            assert_problem(response, 503, "state-unavailable")


async def test_ten_thousand_tokens_are_imported_listed_and_exported(valkey: Valkey) -> None:
    lines = [
        f"{number:08X},accepted,2027-12-31T23:00:00.000Z,DEPOT-{number % 9}-*,van {number}" for number in range(10_000)
    ]
    file = ("id,status,expires_at,chargers,note\n" + "\n".join(lines) + "\n").encode()
    async with on_valkey(valkey) as gateway, client_of(gateway) as client:
        began = time.process_time()
        imported = await client.post("/v1/tokens/import", content=file, headers=CSV)
        assert imported.json()["imported"] == 10_000
        assert time.process_time() - began < 10
        found: list[str] = []
        after: str | None = None
        while True:
            page = (
                await client.get("/v1/tokens", params={"limit": 1000, **({"after": after} if after else {})})
            ).json()
            found += [token["id"] for token in page["items"]]
            after = page["next"]
            if after is None:
                break
        assert found == [line.partition(",")[0] for line in lines]
        assert_problem(await client.get("/v1/tokens", params={"after": "x"}), 422, "invalid-request")
        exported = await client.get("/v1/tokens", headers={"Accept": "text/csv"})
        assert exported.headers["content-type"] == "text/csv; charset=utf-8"
        assert exported.text.splitlines()[:2] == [
            ",".join(COLUMNS),
            "00000000,accepted,,2027-12-31T23:00:00.000Z,,DEPOT-0-*,van 0",
        ]
        again = await client.post("/v1/tokens/import", content=exported.content, headers=CSV)
        assert again.json()["imported"] == 10_000
        assert (await client.delete("/v1/tokens/0000000a")).status_code == 204
        assert_problem(await client.get("/v1/tokens/0000000A"), 404, "not-found")
