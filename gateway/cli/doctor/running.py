"""The gateway that runs here already, asked over REST."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request

from gateway.cli.doctor.findings import Finding, Findings
from gateway.cli.rest_access import SECONDS, opener, rest_url
from gateway.config import Settings

_GATEWAY = Findings("gateway")


@dataclass(frozen=True, slots=True)
class RunningGateway:
    """A gateway that answers at the REST address of these settings; `checks` are those of its /readyz."""

    url: str
    checks: dict[str, dict[str, str]] = field(default_factory=dict)

    def is_connected(self, check: str) -> bool:
        """Whether it says that one of its parts is well."""
        return self.checks.get(check, {}).get("level") == "ok"

    def get(self, path: str, key: str | None) -> tuple[int, Any]:
        """Status and body of a REST answer. Raises OSError where there is none."""
        return _get(self.url + path, key)


def running_gateway(settings: Settings) -> RunningGateway | None:
    """The gateway that serves here; None where nothing answers at its REST address as a gateway does."""
    if "rest" not in settings.gateway.adapters:
        return None
    url = rest_url(settings.rest)
    try:
        status, body = _get(f"{url}/readyz", None)
    except OSError:
        return None
    checks = body.get("checks") if isinstance(body, dict) else None
    return RunningGateway(url, checks) if status in (200, 503) and isinstance(checks, dict) else None


def _get(url: str, key: str | None) -> tuple[int, Any]:
    request = Request(url, headers={} if key is None else {"Authorization": f"Bearer {key}"})
    try:
        with opener().open(request, timeout=SECONDS) as answer:
            return answer.status, _json(answer.read())
    except HTTPError as error:
        with error:
            return error.code, _json(error.read())


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def examine_gateway(running: RunningGateway | None, settings: Settings) -> Iterator[Finding]:
    """Whether a gateway runs, and what it says of itself."""
    if running is None:
        if "rest" not in settings.gateway.adapters:
            yield _GATEWAY.ok("whether one runs is not known, as the adapter rest is off")
        else:
            yield _GATEWAY.ok("none runs here now", "start it with: ocpp-gateway serve")
        return
    yield _GATEWAY.ok(f"one runs here and answers at {running.url}")
    for name, check in sorted(running.checks.items()):
        if check.get("level") != "ok":
            told = f"it says of itself: {name} is {check.get('level')}, {check.get('detail') or 'no detail'}"
            yield _GATEWAY.warning(told, f"see the other lines, its log, and {running.url}/readyz")
