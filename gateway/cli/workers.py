"""`serve --workers N`: the parent of N nodes that share their ports."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack

import structlog

from gateway import log
from gateway.config import ENV_PREFIX, Loaded, Settings
from gateway.core.errors import ConfigurationError
from gateway.embedding import with_embedded_servers
from gateway.workers.supervisor import Supervisor, WorkerCommand

_log = structlog.get_logger(__name__)

LONGEST_NODE = 64


def run_workers(loaded: Loaded, *, options: Sequence[str]) -> int:
    """Run workers to their end; the exit code. `options` are those of `serve`, which the workers get, too.

    Raises GatewayError where they cannot start.
    """
    settings = loaded.settings
    log.configure(settings.gateway.log_format, settings.gateway.log_level)
    check_ports(settings)
    check_node(settings)
    _log.info("starting workers", node=settings.gateway.node, workers=settings.gateway.workers)
    return asyncio.run(_supervise(settings, options))


def check_ports(settings: Settings) -> None:
    """Raises ConfigurationError where the workers could not share their ports, or would share them with others."""
    if not hasattr(socket, "SO_REUSEPORT"):
        raise ConfigurationError("[gateway] workers: this system has no SO_REUSEPORT, so that there can be only one")
    listeners = [("chargers", settings.chargers.host, settings.chargers.port)]
    if "rest" in settings.gateway.adapters:
        listeners.append(("rest", settings.rest.host, settings.rest.port))
    for section, host, port in listeners:
        if port == 0:
            raise ConfigurationError(f"[{section}] port: several workers share one port, so that it cannot be 0")
        try:
            # Among those who ask for it, a port is shared without an error: the gateway that runs already must not be.
            for family, kind, _, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
                with socket.socket(family, kind) as probe:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    probe.bind(address)
        except OSError as error:
            raise ConfigurationError(
                f"cannot listen on {host} port {port} ({error.strerror or error}): set [{section}] host and port to a "
                "free address, or stop what uses it"
            ) from error


def check_node(settings: Settings) -> None:
    """Raises ConfigurationError where the workers' names would be too long."""
    longest = worker_node(settings.gateway.node, settings.gateway.workers)
    if len(longest) > LONGEST_NODE:
        raise ConfigurationError(
            f"[gateway] node: the workers are called like {longest}, which is longer than {LONGEST_NODE} characters"
        )


def worker_node(node: str, number: int) -> str:
    """The name of a worker as a node."""
    return f"{node}.{number}"


async def _supervise(settings: Settings, options: Sequence[str]) -> int:
    """Start what no URL names, then the workers. A signal that comes before they run ends all."""
    work = asyncio.current_task()
    supervisor: Supervisor | None = None
    asked = 0

    def stop() -> None:
        nonlocal asked
        asked += 1
        if supervisor is not None:
            supervisor.stop()
        elif work is not None:
            work.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    try:
        async with AsyncExitStack() as embedded:
            full = await with_embedded_servers(settings, embedded)
            commands = [_worker(settings, full, number, options) for number in range(1, settings.gateway.workers + 1)]
            supervisor = Supervisor(commands, deadline=settings.gateway.shutdown_deadline)
            return await supervisor.run()
    except asyncio.CancelledError:
        if not asked:
            raise
        _log.info("ended before all was up")
        return 0


def _worker(given: Settings, full: Settings, number: int, options: Sequence[str]) -> WorkerCommand:
    """A worker is `serve` with the same options and environment, and a few settings of its own."""
    own = {
        "GATEWAY__NODE": worker_node(given.gateway.node, number),
        "CHARGERS__REUSE_PORT": "true",
        "REST__REUSE_PORT": "true",
    }
    if full.redis.url is not None and given.redis.url is None:
        own["REDIS__URL"] = full.redis.url
    if full.mqtt.url is not None and given.mqtt.url is None:
        own["MQTT__URL"] = full.mqtt.url
    return WorkerCommand(
        [sys.executable, "-P", "-m", "gateway", "serve", *options, "--worker", str(number)],
        {**os.environ, **{f"{ENV_PREFIX}{name}": value for name, value in own.items()}},
    )
