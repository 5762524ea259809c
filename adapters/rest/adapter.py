"""The REST adapter: uvicorn in the gateway's own event loop."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Generator

import structlog
import uvicorn
from starlette.types import ASGIApp

from adapters.rest.app import create_app
from adapters.rest.config import RestConfig
from adapters.rest.edge import Edge
from adapters.rest.first_key import ensure_first_key
from adapters.rest.security import Gate
from adapters.rest.services import Services
from adapters.rest.submissions import Submissions
from gateway.core.adapter import GatewayContext
from gateway.core.errors import ConfigurationError

log = structlog.get_logger(__name__)


class RestAdapter:
    """Serves the REST API until it is cancelled."""

    name = "rest"

    def __init__(self, config: RestConfig, context: GatewayContext) -> None:
        self._config = config
        self._context = context
        self._port = config.port

    @property
    def port(self) -> int:
        """The TCP port that it listens on; known once it has started."""
        return self._port

    async def run(self, started: Callable[[], None]) -> None:
        """Serve. Raises ConfigurationError where host, port, certificate or key cannot work."""
        tls = self._tls()
        sockets = await self._listen()
        async with self.serving() as (app, submissions), asyncio.TaskGroup() as tasks:
            server = _Server(self._uvicorn(app, tls), on_started=lambda: self._started(tls is not None, started))
            serving = tasks.create_task(server.serve(sockets), name="rest server")
            first_key = tasks.create_task(self._first_key(tls is not None), name="rest first key")
            try:
                await asyncio.wait({serving})
            finally:
                first_key.cancel()
                submissions.release_waiting()
                server.should_exit = True
                await asyncio.wait({serving}, timeout=self._config.stop_timeout + 1)

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[tuple[ASGIApp, Submissions]]:
        """The app, usable within the block; commands that still run at its end are cancelled."""
        async with asyncio.TaskGroup() as tasks:
            context, config = self._context, self._config
            gate = Gate(
                keys=context.api_keys,
                clock=context.clock,
                admin_key=config.admin_key,
                metrics_key=config.metrics_key,
                dev=context.dev,
            )
            submissions = Submissions(router=context.router, tasks=tasks, limit=config.max_running_commands)
            app = create_app()
            app.state.services = Services(context, gate, submissions, config)
            try:
                edge = Edge(app, max_request_bytes=config.max_request_bytes, max_import_bytes=config.max_import_bytes)
                yield edge, submissions
            finally:
                submissions.cancel()

    async def _first_key(self, tls: bool) -> None:
        """Only once all has started: a key that is shown by a start that fails is seldom kept."""
        if self._config.admin_key is None and not self._context.dev:
            await self._context.opened.wait()
            await ensure_first_key(self._context.api_keys, url=self._url(tls))

    def _url(self, tls: bool) -> str:
        host = "127.0.0.1" if self._config.host in ("0.0.0.0", "::") else self._config.host  # noqa: S104
        return f"{'https' if tls else 'http'}://{host}:{self._port}"

    def _started(self, tls: bool, started: Callable[[], None]) -> None:
        log.info("rest listens", host=self._config.host, port=self._port, tls=tls, keys_required=not self._context.dev)
        started()

    def _uvicorn(self, app: ASGIApp, tls: ssl.SSLContext | None) -> uvicorn.Config:
        config = uvicorn.Config(
            app,
            loop="none",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=max(1, round(self._config.stop_timeout)),
        )
        config.load()
        config.ssl = tls
        return config

    def _tls(self) -> ssl.SSLContext | None:
        certificate, key = self._config.tls_certificate, self._config.tls_key
        if certificate is None:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            # Without a password callback OpenSSL would ask for an encrypted key's password on the terminal.
            context.load_cert_chain(certificate, key, password=lambda: "")
        except (OSError, ValueError) as error:
            raise ConfigurationError(
                f"tls_certificate {certificate} with tls_key {key} cannot be used ({error}): "
                "set them to PEM files of a certificate chain and its unencrypted private key",
                source="rest",
            ) from error
        return context

    async def _listen(self) -> list[socket.socket]:
        host, port = self._config.host, self._config.port
        sockets: list[socket.socket] = []
        try:
            found = await asyncio.get_running_loop().getaddrinfo(
                host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )
            for family, kind, protocol, _, address in dict.fromkeys(found):
                sockets.append(listener := socket.socket(family, kind, protocol))
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if self._config.reuse_port:
                    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                if family == socket.AF_INET6:
                    listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                # With port 0 every address takes the port that the first one was given.
                listener.bind((address[0], self._port, *address[2:]))
                listener.listen()
                listener.setblocking(False)
                self._port = int(listener.getsockname()[1])
        except OSError as error:
            for opened in sockets:
                opened.close()
            raise ConfigurationError(
                f"cannot listen on {host} port {port} ({error.strerror or error}): "
                "set rest.host and rest.port to a free address, or stop what uses it",
                source="rest",
            ) from error
        return sockets


class _Server(uvicorn.Server):
    """uvicorn without signal handlers: the gateway has its own."""

    def __init__(self, config: uvicorn.Config, *, on_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_started = on_started

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_started()
