"""A TCP switch before the nodes, as a load balancer is: new connections go to the present target."""

import asyncio
from types import TracebackType
from typing import Self


class Switch:
    """Forwards bytes. `target` is the port that new connections go to; refused ones are dropped."""

    def __init__(self, target: int) -> None:
        self.target = target
        self._server: asyncio.Server | None = None
        self._pumps: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"ws://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/ocpp"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._pumps.add(task)
        try:
            out_reader, out_writer = await asyncio.open_connection("127.0.0.1", self.target)
            try:
                ways = {asyncio.create_task(_pump(reader, out_writer)), asyncio.create_task(_pump(out_reader, writer))}
                try:
                    await asyncio.wait(ways)
                finally:
                    for way in ways:
                        way.cancel()
            finally:
                out_writer.close()
        except OSError:
            pass
        finally:
            writer.close()
            self._pumps.discard(task)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()
