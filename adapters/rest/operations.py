"""/healthz, /readyz and /metrics: for those who run the gateway."""

from typing import Any

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from adapters.rest import models
from adapters.rest.problems import documented
from adapters.rest.responses import answer
from adapters.rest.security import needs
from adapters.rest.services import Here


def router() -> APIRouter:
    """The routes of this file."""
    routes = APIRouter(tags=["operations"])
    routes.add_api_route("/healthz", healthz, response_model=models.Liveness)
    not_ready: dict[int | str, dict[str, Any]] = {
        503: {"model": models.Readiness, "description": "This node cannot serve"}
    }
    routes.add_api_route("/readyz", readyz, response_model=models.Readiness, responses=not_ready)
    page: dict[int | str, dict[str, Any]] = {
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Prometheus's text format"}
    }
    routes.add_api_route(
        "/metrics",
        metrics,
        dependencies=[needs("metrics")],
        response_class=Response,
        responses={**page, **documented(401, 403)},
    )
    return routes


async def healthz() -> Response:
    """The process runs and answers."""
    return answer({"status": "ok"})


async def readyz(services: Here) -> Response:
    """Whether this node can serve; an outage that all nodes share is `degraded`, and still 200."""
    board = services.gateway.health
    level = board.level()
    checks = {name: {"level": check.level, "detail": check.detail} for name, check in board.checks().items()}
    return answer({"status": level, "checks": checks}, 503 if level == "failed" else 200)


async def metrics(services: Here) -> Response:
    """Counters and durations for Prometheus."""
    return Response(await services.gateway.metrics(), headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})
