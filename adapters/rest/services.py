"""What every request handler works with, handed to it by FastAPI."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from adapters.rest.config import RestConfig
from adapters.rest.security import Gate
from adapters.rest.submissions import Submissions
from gateway.core.adapter import GatewayContext


@dataclass(frozen=True, slots=True)
class Services:
    """The gateway, the gate before it, and the commands under way."""

    gateway: GatewayContext
    gate: Gate
    submissions: Submissions
    config: RestConfig


async def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


Here = Annotated[Services, Depends(_services)]
"""The Services of the adapter that serves this request."""
