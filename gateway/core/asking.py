"""Questions to business systems: who can be asked, and what came back, checked."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import uuid4

import orjson
import structlog
from pydantic import ValidationError

from gateway.core.answers import Answer
from gateway.core.clock import Clock
from gateway.core.errors import AskFailed
from gateway.core.identity import ChargerId
from gateway.core.nesting import MAX_DEPTH, deeper_than
from gateway.core.ports import Ask, Asker

_log = structlog.get_logger(__name__)

Kind = TypeVar("Kind", bound=Answer)


@dataclass(frozen=True, slots=True)
class Query(Generic[Kind]):
    """A question to whoever can be asked, and the model that its answer must fit. `data` is neutral."""

    kind: str
    model: type[Kind]
    charger: ChargerId
    data: Mapping[str, Any]


class Said(NamedTuple, Generic[Kind]):
    """An answer, None for the gateway's default one, and who gave it."""

    answer: Kind | None
    by: str


class AskerBook:
    """The Askers of this node; implements `Askers`."""

    def __init__(self) -> None:
        self._by_name: dict[str, Asker] = {}

    def register(self, asker: Asker) -> None:
        """Raises ValueError for a second one of the same name."""
        if asker.name in self._by_name:
            raise ValueError(f"there are two ways to ask of the name {asker.name!r}")
        self._by_name[asker.name] = asker

    def get(self, name: str) -> Asker | None:
        return self._by_name.get(name)


class Asking:
    """Asks one way at a time, and takes only an answer that fits the question.

    Whether a way answers is logged when that changes, not for every message.
    """

    def __init__(self, book: AskerBook, clock: Clock) -> None:
        self._book, self._clock = book, clock
        self._failing: set[tuple[str, str]] = set()

    async def ask(self, name: str, query: Query[Kind], *, seconds: float) -> Kind | None:
        """The answer of one way to ask, within so many seconds; None where there is none that can be used."""
        asker = self._book.get(name)
        if asker is None:
            self._failed(name, query, f"[answers] names {name}, and nothing is set up to ask that way")
            return None
        ask = Ask(uuid4().hex, query.kind, query.charger, query.data, self._clock.now() + seconds)
        try:
            async with asyncio.timeout(seconds):
                raw = await asker.ask(ask)
        except (AskFailed, TimeoutError) as error:
            self._failed(name, query, str(error) or f"no answer within {seconds:g} s")
            return None
        except Exception:
            # A bug in one way to ask must not keep chargers from being answered.
            _log.exception("asking failed", asker=name, question=query.kind, charger=str(query.charger))
            return None
        self._worked(name, query.kind)
        return _checked(raw, query, ask.id, name)

    def _failed(self, name: str, query: Query[Any], reason: str) -> None:
        if (name, query.kind) not in self._failing:
            self._failing.add((name, query.kind))
            _log.info("question not answered; the next step of its policy decides", asker=name, question=query.kind,
                      charger=str(query.charger), reason=reason)  # fmt: skip

    def _worked(self, name: str, kind: str) -> None:
        if (name, kind) in self._failing:
            self._failing.discard((name, kind))
            _log.info("questions are answered again", asker=name, question=kind)


def _checked(raw: Any, query: Query[Kind], ask_id: str, name: str) -> Kind | None:
    """The answer, if it is one to this question; else the log says which fields are wrong, not what they hold."""
    try:
        answer = query.model.model_validate(raw)
        problem = _unwritable(raw, answer)
        if problem is None:
            return answer
        problems = [problem]
    except ValidationError as error:
        problems = [
            f"{'.'.join(str(part) for part in problem['loc']) or 'the answer'}: {problem['msg']}"
            for problem in error.errors(include_url=False, include_context=False, include_input=False)
        ]
    _log.warning("answer cannot be used; the next step of the policy decides", asker=name, question=query.kind,
                 charger=str(query.charger), ask_id=ask_id, problems=problems)  # fmt: skip
    return None


def _unwritable(raw: Any, answer: Answer) -> str | None:
    """Why an answer can be neither logged nor sent to a charger."""
    if deeper_than(raw, MAX_DEPTH):
        return f"the answer: nested deeper than {MAX_DEPTH} levels"
    try:
        orjson.dumps(answer.model_dump())
    except (TypeError, ValueError) as error:
        return f"the answer: {error}"
    return None
