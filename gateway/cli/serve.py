"""`serve`: run one gateway until it is told to stop."""

import asyncio
import os
import signal
import threading
from typing import Any

import structlog

from gateway import log
from gateway.app import Gateway
from gateway.config import Loaded
from gateway.core.errors import GatewayError
from gateway.embedding import needs_embedded_servers
from gateway.workers.membership import Membership

_log = structlog.get_logger(__name__)

EMBEDDED_SECONDS = 10.0
"""What embedded servers get beyond the deadline to end by themselves: they save what chargers were told is stored."""

AT_ONCE_SECONDS = 2.0
"""How long the end may take that a second signal asks for."""

ENDED_AT_ONCE = 130


def run_gateway(loaded: Loaded, *, dev: bool, worker: int | None = None) -> int:
    """Run a gateway to its end; the exit code. `worker` is its number among several, that have a parent.

    Raises GatewayError where it cannot start.
    """
    node = loaded.settings.gateway
    log.configure(node.log_format, node.log_level)
    membership = None if worker is None else Membership(worker)
    if worker is not None:
        structlog.contextvars.bind_contextvars(worker=worker)
    file = loaded.origins.file
    _log.info("starting", node=node.node, configuration=str(file.path) if file else "defaults and environment")
    for advice in loaded.advice:
        _log.warning("look at the configuration", advice=advice)
    if dev:
        _warn_of_open_doors(loaded)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        try:
            gateway = Gateway(loaded.settings, dev=dev, membership=membership)
            return runner.run(_serve(gateway, _deadline(loaded), membership))
        except BaseExceptionGroup as group:
            raise _first_of_ours(group) from group


async def _serve(gateway: Gateway, deadline: float, membership: Membership | None) -> int:
    """Drain at the first signal, for `deadline` seconds at the most; at the second, or while there is nothing to drain
    yet, end at once. A worker whose parent is gone drains, too."""
    loop = asyncio.get_running_loop()
    work = asyncio.current_task()
    ready = asyncio.Event()
    asked = 0

    def stop() -> None:
        nonlocal asked
        asked += 1
        if asked == 1:
            _end_after(deadline, 1)
        else:
            _end_after(AT_ONCE_SECONDS, ENDED_AT_ONCE)
        if work is not None and (asked > 1 or not ready.is_set()):
            work.cancel()
        gateway.stop()

    def opened() -> None:
        ready.set()
        if membership is not None:
            membership.ready()

    async def follow_parent(membership: Membership) -> None:
        await membership.run()
        _log.error("the parent of the workers is gone: this one ends, too")
        if not asked:
            stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    async with asyncio.TaskGroup() as beside:
        following = None
        if membership is not None:
            following = beside.create_task(follow_parent(membership), name="parent of the workers")
        try:
            await gateway.run(opened)
        except asyncio.CancelledError:
            _log.info("ended before all was up" if asked == 1 else "ended at once")
            return 0 if asked == 1 else ENDED_AT_ONCE
        finally:
            if following is not None:
                following.cancel()
    return 0


def _deadline(loaded: Loaded) -> float:
    """Seconds from the first signal to the end of the process."""
    settings = loaded.settings
    return settings.gateway.shutdown_deadline + (EMBEDDED_SECONDS if needs_embedded_servers(settings) else 0.0)


def _end_after(seconds: float, code: int) -> None:
    """End this process then, whatever hangs in it: from a thread of its own, which needs nothing of the event loop.

    Nothing is lost by that which another process could not lose by a power cut.
    """

    def end() -> None:
        _log.error("not all has ended in time: the process ends now", seconds=seconds)
        os._exit(code)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()


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
