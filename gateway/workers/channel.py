"""What a parent and a worker say to each other: over a socket pair, which is the worker's standard input.

Each message is a line `kind number length` and so many bytes. Its end tells each that the other is gone, however it
ended, so that a worker never outlives its parent.
"""

import asyncio
import socket
from typing import NamedTuple, Self

LONGEST = 64 * 1024**2
"""Bytes of one message at the most; a page of metrics has a few hundred thousand."""


class Message(NamedTuple):
    """`kind` says what it is about, `number` which question it asks or answers."""

    kind: str
    number: int = 0
    body: bytes = b""


class Channel:
    """One end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def over(cls, end: socket.socket) -> Self:
        """The channel over one end of a socket pair, which it closes in the end."""
        return cls(*await asyncio.open_connection(sock=end))

    def send(self, message: Message) -> None:
        """Send; does nothing where the other end is gone. What is sent is asked for, so that it does not pile up."""
        if not self._writer.is_closing():
            self._writer.write(f"{message.kind} {message.number} {len(message.body)}\n".encode() + message.body)

    async def receive(self) -> Message | None:
        """The next message; None when the other end is gone."""
        try:
            kind, number, length = (await self._reader.readline()).decode().split()
            if int(length) > LONGEST:
                return None
            return Message(kind, int(number), await self._reader.readexactly(int(length)))
        except (ValueError, OSError, asyncio.IncompleteReadError):
            return None

    def close(self) -> None:
        self._writer.close()
