"""TCP gates between the parts, so that what lies between them can be cut, delayed, and closed on one side."""

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self


class Gate:
    """Forwards bytes from a port of its own to `target` on this machine."""

    def __init__(self, target: int) -> None:
        self.port = 0
        self.delay = 0.0
        """Seconds that everything takes longer."""
        self.is_shut = False
        """New connections are broken off at once."""
        self._target = target
        self._server: asyncio.Server | None = None
        self._pairs: set[_Pair] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for pair in list(self._pairs):
            pair.task.cancel()
        await asyncio.gather(*(pair.task for pair in self._pairs), return_exceptions=True)

    def cut(self, share: float, draw: random.Random) -> int:
        """Break off a share of the connections without a word; returns how many."""
        return self._each(share, draw, _Pair.abort)

    def half_close(self, share: float, draw: random.Random) -> int:
        """Say on a share of the connections that nothing more will come, to the inner side only."""
        return self._each(share, draw, _Pair.half_close)

    def mute(self, share: float, draw: random.Random) -> int:
        """Let nothing pass any more on a share of the connections, and say nothing about it, until `cut_muted`."""
        return self._each(share, draw, _Pair.mute)

    def cut_all(self) -> None:
        """Break every connection off."""
        for pair in list(self._pairs):
            pair.abort()

    def mute_all(self) -> None:
        """Let nothing pass any more on any connection, until `cut_muted`."""
        for pair in self._pairs:
            pair.mute()

    def cut_muted(self) -> None:
        """End the connections that let nothing pass."""
        for pair in list(self._pairs):
            if pair.muted:
                pair.abort()

    def _each(self, share: float, draw: random.Random, do: "Callable[[_Pair], None]") -> int:
        chosen = [pair for pair in self._pairs if draw.random() < share]
        for pair in chosen:
            do(pair)
        return len(chosen)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if self.is_shut:
            writer.transport.abort()
            return
        try:
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        pair = _Pair(self, task, writer, inner_writer)
        self._pairs.add(pair)
        try:
            ways = [
                asyncio.ensure_future(pair.pump(reader, inner_writer)),
                asyncio.ensure_future(pair.pump(inner_reader, writer)),
            ]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
        finally:
            self._pairs.discard(pair)
            for one in (writer, inner_writer):
                with suppress(OSError):
                    one.close()


class _Pair:
    """One connection through a gate."""

    def __init__(
        self, gate: Gate, task: "asyncio.Task[None]", outer: asyncio.StreamWriter, inner: asyncio.StreamWriter
    ) -> None:
        self.task, self.muted = task, False
        self._gate, self._outer, self._inner = gate, outer, inner

    def abort(self) -> None:
        for writer in (self._outer, self._inner):
            writer.transport.abort()

    def half_close(self) -> None:
        with suppress(OSError, RuntimeError):
            self._inner.write_eof()

    def mute(self) -> None:
        self.muted = True

    async def pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, RuntimeError):
            while data := await reader.read(65536):
                if self._gate.delay:
                    await asyncio.sleep(self._gate.delay)
                if self.muted:
                    continue
                writer.write(data)
                await writer.drain()
