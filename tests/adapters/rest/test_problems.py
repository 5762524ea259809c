from collections.abc import AsyncIterator

import httpx
import pytest

from gateway.core.errors import ConfigurationError
from tests.adapters.rest.client import assert_problem, client_of
from tests.adapters.rest.fakes import FakeGateway

READS = [
    "/v1/chargers",
    "/v1/chargers/CP-1",
    "/v1/chargers/CP-1/settings",
    "/v1/transactions",
    "/v1/transactions/t",
    "/v1/commands/c",
    "/v1/nodes",
    "/v1/dead-letters",
]


@pytest.mark.parametrize("path", READS)
async def test_without_redis_a_request_is_503_and_says_when_to_come_back(path: str) -> None:
    gateway = FakeGateway()
    gateway.redis.away = True
    async with client_of(gateway, scope="read") as client:
        response = await client.get(path)
    assert_problem(response, 503, "state-unavailable")
    assert int(response.headers["retry-after"]) > 0


async def test_without_redis_no_command_is_made() -> None:
    gateway = FakeGateway()
    charger = gateway.connect("CP-1")
    async with client_of(gateway, scope="command", admin_key="configured-secret-1") as client:
        gateway.redis.away = True
        headers = {"Authorization": "Bearer configured-secret-1"}
        response = await client.post("/v1/chargers/CP-1/commands/stop?wait=0", headers=headers)
    assert_problem(response, 503, "state-unavailable")
    assert not charger.executed


async def test_a_wrong_method_is_405_and_names_the_right_ones() -> None:
    async with client_of(FakeGateway()) as client:
        response = await client.patch("/v1/chargers")
    assert_problem(response, 405, "method-not-allowed")
    assert response.headers["allow"] == "GET"


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "after=" + "x" * 1025])
async def test_a_wrong_query_is_422(query: str) -> None:
    async with client_of(FakeGateway()) as client:
        body = assert_problem(await client.get(f"/v1/chargers?{query}"), 422, "invalid-request")
    assert body["errors"][0]["location"].startswith("query.")


@pytest.mark.parametrize("error", [ZeroDivisionError("inner detail"), ConfigurationError("inner detail")])
async def test_a_bug_is_500_and_tells_nothing_of_itself(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    gateway = FakeGateway()

    async def broken() -> None:
        raise error

    monkeypatch.setattr(gateway.state, "nodes", broken)
    async with client_of(gateway) as client:
        response = await client.get("/v1/nodes")
    assert_problem(response, 500, "internal-error")
    assert str(error) not in response.text


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded"])
async def test_a_body_that_is_not_called_json_is_415(content_type: str | None) -> None:
    gateway = FakeGateway()
    gateway.connect("CP-1")
    headers = {} if content_type is None else {"Content-Type": content_type}
    async with client_of(gateway) as client:
        response = await client.post("/v1/chargers/CP-1/commands/stop", content=b"{}", headers=headers)
        assert_problem(response, 415, "not-json")
        headers = {"Content-Type": "Application/JSON; charset=utf-8"}
        response = await client.post("/v1/chargers/CP-1/commands/stop", content=b"{}", headers=headers)
        assert response.status_code == 200


@pytest.mark.parametrize("chunked", [True, False])
async def test_a_body_beyond_the_limit_is_413(chunked: bool) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b" " * 1000

    gateway = FakeGateway()
    gateway.connect("CP-1")
    content = chunks() if chunked else b" " * 3000
    async with client_of(gateway, max_request_bytes=2048) as client:
        response: httpx.Response = await client.post(
            "/v1/chargers/CP-1/calls/Reset", content=content, headers={"Content-Type": "application/json"}
        )
    assert_problem(response, 413, "request-too-large")


@pytest.mark.parametrize(
    ("method", "path", "unknown", "told"),
    [
        ("GET", "/v1/chargers?page=2", ["page"], "known are after, limit"),
        ("GET", "/v1/transactions?charger=CP-1&format=ocpi&tokn=A", ["charger", "tokn"], "charger_id, command_id"),
        ("GET", "/v1/events/stream?wait=3", ["wait"], "after, charger_id, types"),
        ("GET", "/v1/chargers/CP-1?limit=3", ["limit"], "takes none"),
        ("POST", "/v1/chargers/CP-1/commands/stop?wait=0&evse_id=1", ["evse_id"], "timeout, wait"),
        ("POST", "/v1/chargers/CP-1/calls/Reset?id=7", ["id"], "timeout, wait"),
    ],
)
async def test_an_unknown_query_parameter_is_refused(method: str, path: str, unknown: list[str], told: str) -> None:
    gateway = FakeGateway()
    charger = gateway.connect("CP-1")
    async with client_of(gateway) as client:
        body = assert_problem(await client.request(method, path), 422, "invalid-request")
    assert [error["location"] for error in body["errors"]] == [f"query.{name}" for name in unknown]
    assert told in body["detail"]
    assert not charger.executed


async def test_what_is_no_resource_takes_any_query() -> None:
    async with client_of(FakeGateway(), scope=None) as client:
        for path in ("/docs", "/openapi.json", "/healthz"):
            assert (await client.get(f"{path}?probe=1")).status_code == 200
        assert_problem(await client.get("/nowhere?x=1"), 404, "not-found")


async def test_a_wrong_body_is_told_in_plain_words() -> None:
    gateway = FakeGateway()
    gateway.connect("CP-1")
    async with client_of(gateway) as client:
        body = {"token": "A", "evse": 1, "profile": 3}
        problem = assert_problem(
            await client.post("/v1/chargers/CP-1/commands/start", json=body), 422, "invalid-request"
        )
        many = await client.post("/v1/chargers/CP-1/commands/set_variables", json={"variables": [{"key": "A"}]})
        text = await client.post("/v1/chargers/CP-1/commands/stop", json="now")
    told = {error["location"]: error["message"] for error in problem["errors"]}
    assert told["body.evse"].startswith("unknown; known are token, ")
    assert "must be an object" in told["body.profile"]
    told = {error["location"]: error["message"] for error in many.json()["errors"]}
    assert told["body.variables.0.key"].startswith("unknown; known are variable, component, ")
    assert (told["body.variables.0.value"], text.json()["detail"]) == ("is required", "body: must be an object")
