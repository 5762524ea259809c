"""The opt-in stream of raw messages, `ocpp.message`: a connection whose every message becomes an event, too.

A message is answered as without it; the events follow, a few of them in one commit.
"""

from typing import Any

import structlog

from gateway.chargers.connection import Connection
from gateway.chargers.websocket import WebSocket
from gateway.core.events import Event, Origin
from gateway.core.identity import ChargerId
from gateway.core.patterns import matches
from gateway.ocpp.transcript import Direction, Transcript

_log = structlog.get_logger(__name__)

MAX_UNSTORED = 1000
"""Messages that wait to be stored, beyond which they are left out: a charger may send garbage while Redis is away."""

Message = tuple[Event, Origin, float]
"""A message as its event, and when it came or went (Unix seconds)."""


class TappedSocket(WebSocket):
    """A WebSocket that shows what it sends to the connection which it belongs to."""

    __slots__ = ("recorded",)

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.recorded: RecordedConnection | None = None

    def send(self, text: str | bytes) -> None:
        if self.recorded is not None and self.is_open:
            self.recorded.was_sent(text if isinstance(text, str) else text.decode())
        super().send(text)


class RecordedConnection(Connection):
    """A connection whose messages are told both ways."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._transcript = Transcript(self._profile)
        self._unstored: list[Message] = []
        self._left_out = 0
        self._is_due = False
        if isinstance(self._socket, TappedSocket):
            self._socket.recorded = self

    def text_received(self, text: str) -> None:
        self._write_down("received", text)
        super().text_received(text)
        self._store_soon()

    def was_sent(self, text: str) -> None:
        """The socket sends this."""
        self._write_down("sent", text)
        self._store_soon()

    def _write_down(self, direction: Direction, text: str) -> None:
        now = self._around.clock.now()
        try:
            messages = self._transcript.written(direction, text)
        except Exception:
            # Our own bug: the message itself is dealt with all the same.
            _log.exception("message not written down", charger=str(self.charger), direction=direction)
            return
        for event, origin in messages:
            if len(self._unstored) < MAX_UNSTORED:
                self._unstored.append((event, origin, now))
            else:
                self._left_out += 1

    def _store_soon(self) -> None:
        """After what is in hand and in the inbox, unless that is due already."""
        if self._unstored and not self._is_due:
            self._is_due = True
            self._enqueue_work(self._store_messages)

    async def _store_messages(self) -> None:
        messages, self._unstored, self._is_due = self._unstored, [], False
        if self._left_out:
            _log.warning("raw messages left out", charger=str(self.charger), count=self._left_out)
            self._left_out = 0
        await self._recorder.tell(messages)


def is_recorded(patterns: tuple[str, ...], charger: ChargerId) -> bool:
    """Whether a charger's raw messages are wanted."""
    return bool(patterns) and matches(patterns, charger)
