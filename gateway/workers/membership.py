"""A worker's side: it tells its parent that it is ready, shows its metrics, and ends when its parent is gone."""

import asyncio
import os
import socket
from collections.abc import Callable
from itertools import count

import structlog

from gateway.workers.channel import Channel, Message
from gateway.workers.pages import merged

_log = structlog.get_logger(__name__)

COLLECT_SECONDS = 3.0
"""How long the parent may take to collect the pages of all workers; it gives each of them less."""


class Membership:
    """One worker's place among the others. `number` counts from 1."""

    def __init__(self, number: int) -> None:
        self.number = number
        self._own_page: Callable[[], bytes] = bytes
        self._channel: Channel | None = None
        self._asked: dict[int, asyncio.Future[bytes]] = {}
        self._numbers = count(1)

    def show(self, own_page: Callable[[], bytes]) -> None:
        """From now on this is what the worker shows of its own metrics."""
        self._own_page = own_page

    def ready(self) -> None:
        """Tell the parent that chargers may connect."""
        if self._channel is not None:
            self._channel.send(Message("ready"))

    async def run(self) -> None:
        """Answer the parent until it is gone. Standard input is its end of the channel."""
        self._channel = channel = await Channel.over(socket.socket(fileno=os.dup(0)))
        try:
            while (message := await channel.receive()) is not None:
                if message.kind == "page":
                    channel.send(message._replace(body=self._own_page()))
                elif message.kind == "pages":
                    waiting = self._asked.get(message.number)
                    if waiting is not None and not waiting.done():
                        waiting.set_result(message.body)
        finally:
            channel.close()

    async def page(self) -> bytes:
        """The metrics of all workers, whichever of them was asked; only its own where the parent does not answer."""
        if self._channel is not None:
            number = next(self._numbers)
            waiting: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
            self._asked[number] = waiting
            self._channel.send(Message("collect", number))
            try:
                async with asyncio.timeout(COLLECT_SECONDS):
                    return await waiting
            except TimeoutError:
                _log.warning("the parent process does not collect the metrics of all workers")
            finally:
                del self._asked[number]
        return merged({self.number: self._own_page()})
