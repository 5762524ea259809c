import re
from typing import Any

import httpx
import pytest

from adapters.rest.app import create_app
from adapters.rest.security import CACHE_SIZE
from gateway.core.ports import Scope
from tests.adapters.rest.client import assert_problem, client_of
from tests.adapters.rest.fakes import FakeGateway

OPEN = {"/healthz", "/readyz"}
ADMIN = {
    ("delete", "/v1/chargers/{charger_id}"),
    ("put", "/v1/chargers/{charger_id}/credentials"),
    ("delete", "/v1/chargers/{charger_id}/credentials"),
    ("put", "/v1/chargers/{charger_id}/subprotocol"),
    ("put", "/v1/chargers/{charger_id}/registration"),
    ("delete", "/v1/chargers/{charger_id}/registration"),
    ("get", "/v1/tokens"),
    ("post", "/v1/tokens/import"),
    ("get", "/v1/tokens/{token_id}"),
    ("put", "/v1/tokens/{token_id}"),
    ("delete", "/v1/tokens/{token_id}"),
    ("delete", "/v1/dead-letters/{letter_id}"),
    ("get", "/v1/api-keys"),
    ("post", "/v1/api-keys"),
    ("delete", "/v1/api-keys/{key_id}"),
}


def _scope_of(method: str, path: str) -> Scope | None:
    if path in OPEN:
        return None
    if path == "/metrics":
        return "metrics"
    if (method, path) in ADMIN:
        return "admin"
    return "read" if method == "get" else "command"


SCHEMA: dict[str, Any] = create_app().openapi()
ROUTES = [(method, path) for path, methods in SCHEMA["paths"].items() for method in methods]
RANKS: list[Scope | None] = [None, "metrics", "read", "command", "admin"]


async def _ask(client: httpx.AsyncClient, method: str, path: str) -> httpx.Response:
    path = re.sub(r"\{(evse|connector)_id\}", "1", path)
    path = re.sub(r"\{\w+\}", "x", path)
    # A stream that began would not end.
    params = {"after": "no cursor"} if path.endswith("/stream") else None
    return await client.request(method.upper(), path, params=params)


@pytest.mark.parametrize("held", RANKS)
async def test_every_route_asks_for_its_scope_and_takes_no_lower_one(held: Scope | None) -> None:
    async with client_of(FakeGateway(), scope=held) as client:
        for method, path in ROUTES:
            needed = _scope_of(method, path)
            response = await _ask(client, method, path)
            if RANKS.index(held) >= RANKS.index(needed):
                assert response.status_code not in {401, 403}, (method, path, response.text)
            elif held is None:
                assert_problem(response, 401, "api-key-required")
                assert response.headers["www-authenticate"].startswith("Bearer ")
                assert "Basic " in response.headers["www-authenticate"]
            else:
                assert f"scope {needed}" in assert_problem(response, 403, "scope-too-low")["detail"]


def test_openapi_tells_the_scope_of_every_route() -> None:
    for method, path in ROUTES:
        needed = _scope_of(method, path)
        expected = None if needed is None else [{"bearer": [needed]}, {"basic": [needed]}]
        assert SCHEMA["paths"][path][method].get("security") == expected, (method, path)


async def test_the_key_may_come_as_basic_user_name() -> None:
    gateway = FakeGateway()
    gateway.key("read")
    async with client_of(gateway, scope=None) as client:
        assert (await client.get("/v1/chargers", auth=("read-secret", ""))).status_code == 200
        assert_problem(await client.get("/v1/chargers", auth=("", "read-secret")), 401, "api-key-required")


@pytest.mark.parametrize("header", ["Bearer wrong", "Basic !!!", "Digest x", "Bearer", "Bearer \xff", ""])
async def test_a_wrong_key_is_401(header: str) -> None:
    async with client_of(FakeGateway(), scope=None) as client:
        response = await client.get("/v1/chargers", headers={b"Authorization": header.encode("latin-1")})
    assert_problem(response, 401, "api-key-required")


async def test_a_key_is_verified_once_in_a_while_not_per_request() -> None:
    gateway = FakeGateway()
    async with client_of(gateway, scope="admin") as client:
        await client.get("/v1/nodes")
        asked = gateway.redis.asked
        for _ in range(5):
            await client.get("/v1/nodes")
    assert gateway.redis.asked == asked + 5, "only the nodes themselves were asked for"


async def test_the_cache_of_verdicts_stays_small() -> None:
    gateway = FakeGateway()
    async with client_of(gateway, scope=None) as client:
        for number in range(CACHE_SIZE + 1):
            await client.get("/metrics", headers={"Authorization": f"Bearer {number}"})
        asked = gateway.redis.asked
        await client.get("/metrics", headers={"Authorization": f"Bearer {CACHE_SIZE}"})
        assert gateway.redis.asked == asked
        await client.get("/metrics", headers={"Authorization": "Bearer 0"})
        assert gateway.redis.asked == asked + 1


async def test_a_revoked_key_is_refused_at_once() -> None:
    gateway = FakeGateway()
    other = gateway.key("read")
    async with client_of(gateway, scope="admin") as client:
        assert (await client.get("/v1/nodes", headers=other)).status_code == 200
        assert (await client.delete("/v1/api-keys/key-read")).status_code == 204
        assert (await client.get("/v1/nodes", headers=other)).status_code == 401
        assert_problem(await client.delete("/v1/api-keys/key-read"), 404, "not-found")


async def test_a_new_key_shows_its_secret_once_and_works() -> None:
    gateway = FakeGateway()
    async with client_of(gateway, scope="admin") as client:
        made = await client.post("/v1/api-keys", json={"name": "billing", "scope": "read"})
        assert made.status_code == 201
        secret = made.json()["secret"]
        listed = await client.get("/v1/api-keys")
        assert secret not in listed.text
        assert made.json()["id"] in {key["id"] for key in listed.json()["items"]}
        assert (await client.get("/v1/nodes", headers={"Authorization": f"Bearer {secret}"})).status_code == 200
        assert_problem(await client.post("/v1/api-keys", json={"name": "x", "scope": "all"}), 422, "invalid-request")


async def test_the_configured_metrics_key_reads_the_metrics_and_nothing_else() -> None:
    gateway = FakeGateway()
    async with client_of(gateway, scope=None, metrics_key="configured-secret-2") as client:
        client.headers["Authorization"] = "Bearer configured-secret-2"
        assert (await client.get("/metrics")).status_code == 200
        assert_problem(await client.get("/v1/chargers"), 403, "scope-too-low")


async def test_the_configured_admin_key_works_without_redis() -> None:
    gateway = FakeGateway()
    async with client_of(gateway, scope=None, admin_key="configured-secret-1") as client:
        headers = {"Authorization": "Bearer configured-secret-1"}
        assert (await client.get("/v1/api-keys", headers=headers)).status_code == 200
        gateway.redis.away = True
        assert (await client.get("/metrics", headers=headers)).status_code == 200


async def test_dev_asks_for_no_key() -> None:
    async with client_of(FakeGateway(dev=True), scope=None) as client:
        assert (await client.get("/v1/api-keys")).status_code == 200
        assert (await client.get("/metrics")).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://gateway"},
    ],
)
async def test_another_web_site_cannot_use_a_browsers_access(headers: dict[str, str]) -> None:
    gateway = FakeGateway(dev=True)
    charger = gateway.connect("CP-1")
    async with client_of(gateway, scope=None) as client:
        response = await client.post("/v1/chargers/CP-1/commands/stop", headers=headers)
        assert_problem(response, 403, "cross-origin")
        assert not charger.executed
        own = {"Origin": "http://gateway", "Sec-Fetch-Site": "same-origin"}
        assert (await client.post("/v1/chargers/CP-1/commands/stop", headers=own)).status_code == 200
