"""A real HTTP server that answers questions as it is told."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

YES = {"status": "accepted"}


@dataclass
class Asked:
    """A request as it arrived."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.body)
        return value


@dataclass
class Endpoint:
    """Answers with whatever `answers` makes; `asked` is what came, `gone` is set when a client left unanswered."""

    port: int
    answers: Callable[[Asked], Response] = lambda _: JSONResponse(YES)
    asked: list[Asked] = field(default_factory=list)
    waiting: asyncio.Event | None = None
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    clients: set[Any] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/ask"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        self.clients.add(scope["client"])
        asked = Asked(request.url.path, dict(request.headers), await request.body())
        self.asked.append(asked)
        self.arrived.set()
        if self.waiting is not None:
            leaving = asyncio.create_task(self._left(receive), name="client leaves")
            await asyncio.wait(
                {leaving, asyncio.create_task(self.waiting.wait(), name="told to answer")},
                return_when=asyncio.FIRST_COMPLETED,
            )
            leaving.cancel()
        await self.answers(asked)(scope, receive, send)

    async def _left(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.gone.set()


@asynccontextmanager
async def endpoint(**tls: Any) -> AsyncIterator[Endpoint]:
    """The server, listening; `tls` are uvicorn's options."""
    listener = socket.create_server(("127.0.0.1", 0))
    app = Endpoint(listener.getsockname()[1])
    config = uvicorn.Config(app, loop="none", lifespan="off", log_config=None, timeout_keep_alive=3600, **tls)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server._serve([listener]), name="endpoint")
    try:
        yield app
    finally:
        if app.waiting is not None:
            app.waiting.set()
        server.should_exit = True
        await asyncio.wait({serving}, timeout=60)
        listener.close()
