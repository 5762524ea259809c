"""What the running gateway refused lately, and the API key by which it is asked."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import datetime
from typing import Any

from gateway.cli.doctor.database import Database
from gateway.cli.doctor.findings import REFUSED, Finding, Findings
from gateway.cli.doctor.running import RunningGateway
from gateway.config import Settings
from gateway.core.errors import LogUnavailable, NotFound

_KEY = Findings("api key")
_HANDSHAKES = Findings(REFUSED)
_SHOWN = 20
_ASKED_OF_EACH_WORKER = 4


async def examine_keys(settings: Settings, database: Database | None) -> AsyncIterator[Finding]:
    """Whether anybody can use REST."""
    if "rest" not in settings.gateway.adapters:
        return
    if settings.rest.admin_key is not None:
        yield _KEY.ok("[rest] admin_key is set")
        return
    if database is None:
        return
    try:
        stored = await database.keys.list()
    except LogUnavailable:
        return
    if stored:
        told = f"{len(stored)} stored, the first made {_day(stored[0].created_at)}"
        yield _KEY.ok(told, "if it is lost: set [rest] admin_key (openssl rand -hex 24)")
    else:
        yield _KEY.ok("none yet: the gateway makes one at its first start, and shows it that once")


async def examine_handshakes(
    running: RunningGateway, settings: Settings, database: Database | None, key: str | None
) -> AsyncIterator[Finding]:
    """Who was refused lately by the running gateway, and what to do about each."""
    async with contextlib.AsyncExitStack() as stack:
        key = key or await _some_key(settings, database, stack)
        found: dict[tuple[Any, ...], Mapping[str, Any]] = {}
        # Of several workers the one tells that takes the connection, and each time that may be another.
        for _ in range(1 if settings.gateway.workers == 1 else _ASKED_OF_EACH_WORKER * settings.gateway.workers):
            try:
                status, body = await asyncio.to_thread(running.get, "/v1/handshakes", key)
            except OSError as error:
                yield _HANDSHAKES.warning(f"the gateway does not tell: {error}", "look into its log: charger refused")
                return
            if status != 200 or not isinstance(body, dict):
                yield _HANDSHAKES.warning(
                    f"the gateway does not tell whom it refused (HTTP {status})",
                    "give an API key: --api-key, or the variable OCPP_GATEWAY_API_KEY",
                )
                return
            items = body.get("items") or []
            found |= {(item["address"], item["first_at"], item["reason"], item["charger_id"]): item for item in items}
        for finding in told(sorted(found.values(), key=lambda item: str(item["last_at"]), reverse=True)):
            yield finding


async def _some_key(settings: Settings, database: Database | None, stack: contextlib.AsyncExitStack) -> str | None:
    """The configured key, else one that is made for the doctor, and revoked when the stack ends."""
    if settings.rest.admin_key is not None:
        return settings.rest.admin_key.get_secret_value()
    if database is None:
        return None
    try:
        if not await database.keys.list():
            # The gateway is about to make its first key, which it makes and shows only where there is none.
            return None
        made, secret = await database.keys.create("doctor, for a moment", "read")
    except LogUnavailable:
        return None

    async def revoke() -> None:
        with contextlib.suppress(LogUnavailable, NotFound):
            await database.keys.revoke(made.id)

    stack.push_async_callback(revoke)
    return secret


def told(items: list[Mapping[str, Any]]) -> Iterator[Finding]:
    """Each refusal in words, the latest first."""
    if not items:
        yield _HANDSHAKES.ok("none was refused since the gateway started, or all have connected since")
    for item in items[:_SHOWN]:
        who = f"charger {_printable(item['charger_id'])}" if item.get("charger_id") else "somebody"
        times = "once" if item["count"] == 1 else f"{item['count']} times"
        moment = datetime.fromisoformat(item["last_at"]).astimezone().strftime("%Y-%m-%d %H:%M:%S")
        yield _HANDSHAKES.warning(
            f"{who} from {item['address']}, {times}, last at {moment}: {_printable(item['reason'])}",
            _printable(item["advice"]),
        )
    if len(items) > _SHOWN:
        yield _HANDSHAKES.ok(f"and {len(items) - _SHOWN} more: GET /v1/handshakes")


def _printable(text: object) -> str:
    """What a stranger said, with nothing in it that steers a terminal."""
    return "".join(char if char.isprintable() else "?" for char in str(text))


def _day(moment: float) -> str:
    return datetime.fromtimestamp(moment).astimezone().strftime("%Y-%m-%d")
