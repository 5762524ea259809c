import pytest

from gateway.core.health import Level
from tests.adapters.rest.client import client_of
from tests.adapters.rest.fakes import FakeGateway


@pytest.mark.parametrize(("level", "status"), [("ok", 200), ("degraded", 200), ("failed", 503)])
async def test_readiness_fails_for_this_node_only(level: Level, status: int) -> None:
    gateway = FakeGateway()
    gateway.health.set("redis", level, "as it is")
    async with client_of(gateway, scope=None) as client:
        response = await client.get("/readyz")
    assert response.status_code == status
    assert response.json() == {"status": level, "checks": {"redis": {"level": level, "detail": "as it is"}}}


async def test_health_needs_neither_key_nor_redis() -> None:
    gateway = FakeGateway()
    gateway.redis.away = True
    async with client_of(gateway, scope=None) as client:
        assert (await client.get("/healthz")).json() == {"status": "ok"}
        assert (await client.get("/readyz")).status_code == 200
    assert gateway.redis.asked == 0


async def test_metrics_are_prometheus_text() -> None:
    async with client_of(FakeGateway(), scope="read") as client:
        response = await client.get("/metrics")
    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert response.text.startswith("# HELP ocpp_connections")


async def test_the_docs_need_no_other_server() -> None:
    async with client_of(FakeGateway(), scope=None) as client:
        page = await client.get("/docs")
        assert page.status_code == 200
        assert "http://" not in page.text
        assert "https://" not in page.text
        script = await client.get("/static-offline-docs/swagger-ui-bundle.js")
        assert script.status_code == 200
        assert (await client.get("/openapi.json")).json()["openapi"].startswith("3.1")
