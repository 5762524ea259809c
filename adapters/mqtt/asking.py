"""Asks whoever subscribes to `.../ask/{question}`, and takes what comes to `.../answer/{id}`.

Every node hears every answer; the one that asked takes it, once. What is over (answered, or past its deadline) is
remembered for a while, so that an answer that comes too late, or a second one, is told apart from another node's.
"""

import asyncio
from collections import OrderedDict
from typing import Any, Protocol

import orjson
import structlog

from adapters.mqtt.publisher import NO_SUBSCRIBER
from adapters.mqtt.topics import AnswerTopic
from gateway.core.clock import Clock
from gateway.core.errors import AskFailed
from gateway.core.ports import Ask

_log = structlog.get_logger(__name__)

PENDING_LIMIT = 5000
"""Questions that may wait for their answers at once on a node."""
REMEMBERED = 2 * PENDING_LIMIT
"""Questions that are known, those among them that are over."""


class Line(Protocol):
    """A connection that questions go out on."""

    def send_ask(self, ask: Ask) -> int:
        """Publish a question; returns its packet id, by which the broker acknowledges it. Raises AskFailed."""
        ...


class MqttAsker:
    """Implements Asker. The control lane tells it when there is a connection, and what came in there."""

    name = "mqtt"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._line: Line | None = None
        self._why_not = "there was no connection to the MQTT broker yet"
        self._pending: dict[AnswerTopic, asyncio.Future[Any]] = {}
        self._unacknowledged: dict[int, AnswerTopic] = {}
        self._asked: OrderedDict[AnswerTopic, str] = OrderedDict()

    async def ask(self, ask: Ask) -> Any:
        """See Asker. Fails at once where the broker is away, or tells that nobody subscribes to the question."""
        seconds = ask.deadline - self._clock.now()
        if seconds <= 0:
            raise AskFailed("no time was left to ask over MQTT")
        if self._line is None:
            raise AskFailed(self._why_not)
        if len(self._pending) >= PENDING_LIMIT:
            raise AskFailed(f"{PENDING_LIMIT} questions wait for an answer over MQTT already")
        key = AnswerTopic(ask.charger, ask.id)
        if key in self._pending:
            raise AskFailed(f"question {ask.id} is being asked over MQTT already")
        answer = self._pending[key] = asyncio.get_running_loop().create_future()
        self._remember(key, ask.kind)
        try:
            self._unacknowledged[self._line.send_ask(ask)] = key
            async with asyncio.timeout(seconds):
                return await answer
        except TimeoutError:
            raise AskFailed(f"nobody answered over MQTT within {seconds:.1f} s") from None
        finally:
            del self._pending[key]
            if answer.done() and not answer.cancelled():
                answer.exception()  # else asyncio complains of one that came together with the deadline

    def connected(self, line: Line) -> None:
        """Questions can go out, and answers come in."""
        self._line = line

    def disconnected(self, why: str) -> None:
        """Nothing can be asked. What the broker had taken may still be answered once it is back; the rest fails."""
        self._line, self._why_not = None, why
        unsent, self._unacknowledged = self._unacknowledged, {}
        for key in unsent.values():
            self._fail(key, why)

    def acknowledged(self, packet_id: int, code: int) -> None:
        """The broker's word on a packet: a question to nobody, or one that an ACL refuses, need not be waited for."""
        key = self._unacknowledged.pop(packet_id, None)
        if key is None:
            return
        if code == NO_SUBSCRIBER:
            self._fail(key, "nobody subscribes to the question over MQTT")
        elif code >= 0x80:
            self._fail(key, f"the MQTT broker refused the question (0x{code:02x})")

    def answered(self, key: AnswerTopic, payload: bytes, *, retain: bool) -> None:
        """Take an answer, if it is one to a question that waits here."""
        answer = self._pending.get(key)
        if answer is None or answer.done():
            self._nobody_waits(key)
        elif retain:
            _log.warning("retained answer ignored: publish it without the retain flag", **_names(key))
        else:
            try:
                answer.set_result(_object(payload))
            except ValueError as error:
                _log.warning("answer cannot be used", problem=str(error), **_names(key))
                answer.set_exception(AskFailed(f"what was answered over MQTT is {error}"))

    def _nobody_waits(self, key: AnswerTopic) -> None:
        question = self._asked.get(key)
        if question is None:
            _log.debug("answer to a question that this node did not ask", **_names(key))
        else:
            _log.info("answer ignored: the question is over", question=question, **_names(key))

    def _fail(self, key: AnswerTopic, why: str) -> None:
        answer = self._pending.get(key)
        if answer is not None and not answer.done():
            answer.set_exception(AskFailed(why))

    def _remember(self, key: AnswerTopic, question: str) -> None:
        self._asked[key] = question
        self._asked.move_to_end(key)
        while len(self._asked) > REMEMBERED:
            self._asked.popitem(last=False)


def _object(payload: bytes) -> dict[str, Any]:
    """Raises ValueError, saying what it is instead."""
    if not payload:
        raise ValueError("empty")
    try:
        value = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error}") from error
    if not isinstance(value, dict):
        raise ValueError("no JSON object")
    return value


def _names(key: AnswerTopic) -> dict[str, str]:
    return {"charger": str(key.charger), "ask_id": key.ask_id}
