"""What waits to be done for one charger: its messages, and other work on its twin, in order and one at a time.

Where a charger says more than there is room for, its socket is not read until half of the room is free again.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

from gateway.chargers.config import ChargersConfig
from gateway.chargers.interpretation import Received
from gateway.chargers.websocket import WebSocket


@dataclass(slots=True)
class Internal:
    """Work on the twin that no message of the charger causes. `done` is set once what follows from it is stored."""

    do: Callable[[], Awaitable[object]]
    done: asyncio.Future[None] | None = None


Item = Received | Internal


class Inbox:
    """One connection's. Its task calls `work_off` again and again; everybody else only puts in.

    `in_hand` is what is worked on, None for nothing. Who finds the inbox idle may take an item in hand without the
    task, and must set it to None when that is done.
    """

    __slots__ = ("_config", "_is_ended", "_items", "_loop", "_socket", "_wake", "in_hand", "size")

    def __init__(self, socket: WebSocket, config: ChargersConfig) -> None:
        self._socket, self._config = socket, config
        self._loop = asyncio.get_running_loop()
        self._items: deque[Item] = deque()
        self._wake: asyncio.Future[None] | None = None
        self._is_ended = False
        self.in_hand: Item | None = None
        self.size = 0
        """The characters of the messages that wait."""

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Item]:
        """The items that wait, without the one in hand."""
        return iter(self._items)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is under way and the task waits, so that an item in hand now is before no other."""
        return self._wake is not None and not self._wake.done() and self.in_hand is None and not self._items

    @property
    def is_busy(self) -> bool:
        """Whether anything waits or is in hand."""
        return self.in_hand is not None or bool(self._items)

    @property
    def needs_task(self) -> bool:
        """Whether the task must be woken as soon as nothing is in hand."""
        return self._is_ended or bool(self._items)

    # ------------------------------------------------------------ putting in

    def put(self, item: Item) -> None:
        """Have an item worked off after all that waits."""
        self._items.append(item)
        self.size += _size(item)
        if self._is_full():
            self._socket.pause()
        if self.in_hand is None:
            self.wake()

    def put_back(self, item: Item) -> None:
        """Have what was in hand worked off by the task, before all that waits."""
        self.in_hand = None
        self._items.appendleft(item)
        self.size += _size(item)
        self.wake()

    def end(self) -> None:
        """The socket is closed: no message will come any more."""
        self._is_ended = True
        self.wake()

    def fail(self, error: Callable[[], Exception]) -> None:
        """Nothing is worked off any more: give an error to each who waits for work to be done."""
        for item in (self.in_hand, *self._items):
            if isinstance(item, Internal) and item.done is not None and not item.done.done():
                item.done.set_exception(error())

    # ------------------------------------------------------------ working off

    def wake(self) -> None:
        """Have `work_off` return, if it waits."""
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    async def work_off(self, handle: Callable[[Received], Awaitable[None]]) -> None:
        """Work off what waits, messages by `handle`; where there is nothing, wait until there is, or until woken."""
        if self.in_hand is not None or not self._items:
            self._wake = self._loop.create_future()
            await self._wake
            self._wake = None
        while self._items and self.in_hand is None:
            self.in_hand = item = self._items.popleft()
            self.size -= _size(item)
            if not self._is_full(2):
                self._socket.resume()
            if isinstance(item, Internal):
                await item.do()
                if item.done is not None and not item.done.done():
                    item.done.set_result(None)
            else:
                await handle(item)
            self.in_hand = None

    def _is_full(self, part: int = 1) -> bool:
        """Whether the inbox, or this part of it (2: the half), is full."""
        config = self._config
        return (
            len(self._items) >= max(1, config.max_inbound_queue // part)
            or self.size >= config.max_inbound_bytes // part
        )


def _size(item: Item) -> int:
    """What an item counts in the inbox: the characters of its payload."""
    return len(item.call.raw) if isinstance(item, Received) else 0
