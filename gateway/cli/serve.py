"""`serve`: run one gateway until it is told to stop."""

import asyncio
import signal
from typing import Any

import structlog

from gateway import log
from gateway.app import Gateway
from gateway.config import Loaded
from gateway.core.errors import GatewayError

_log = structlog.get_logger(__name__)


def run_gateway(loaded: Loaded, *, dev: bool) -> int:
    """Run a gateway to its end; the exit code. Raises GatewayError where it cannot start."""
    node = loaded.settings.gateway
    log.configure(node.log_format, node.log_level)
    file = loaded.origins.file
    _log.info("starting", node=node.node, configuration=str(file.path) if file else "defaults and environment")
    for advice in loaded.advice:
        _log.warning("look at the configuration", advice=advice)
    if dev:
        _warn_of_open_doors(loaded)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        try:
            return runner.run(_serve(Gateway(loaded.settings, dev=dev)))
        except BaseExceptionGroup as group:
            raise _first_of_ours(group) from group


async def _serve(gateway: Gateway) -> int:
    """Drain at the first signal; at the second, or while there is nothing to drain yet, end at once."""
    loop = asyncio.get_running_loop()
    work = asyncio.current_task()
    ready = asyncio.Event()
    asked = 0

    def stop() -> None:
        nonlocal asked
        asked += 1
        if work is not None and (asked > 1 or not ready.is_set()):
            work.cancel()
        gateway.stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    try:
        await gateway.run(ready.set)
    except asyncio.CancelledError:
        _log.info("ended before all was up" if asked == 1 else "ended at once")
        return 0 if asked == 1 else 130
    return 0


def _warn_of_open_doors(loaded: Loaded) -> None:
    settings = loaded.settings
    adapters = settings.gateway.adapters
    open_doors = []
    if "rest" in adapters:
        open_doors.append(f"REST on {settings.rest.host}:{settings.rest.port} asks for no API key")
    if not settings.chargers.require_password and settings.chargers.tls_client_ca is None:
        open_doors.append(f"any charger that reaches port {settings.chargers.port} may connect, without a password")
    if not settings.chargers.tls_certificate:
        open_doors.append("chargers connect without TLS")
    if "mqtt" in adapters and settings.mqtt.url is None:
        open_doors.append("every program on this machine may use the MQTT broker")
    if settings.answers.authorize is None and settings.webhooks.url is None:
        open_doors.append("any id token may charge, unless there is a list of tokens")
    for door in open_doors:
        _log.warning("DEV MODE, not for production", open=door)


def _loop_factory() -> Any:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def _first_of_ours(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error to be told in one line, if all that went wrong is of our own making; else the whole group."""
    ours, rest = group.split(GatewayError)
    if ours is None or rest is not None:
        return group
    first: BaseException = ours
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return first
