"""What the tests of policies share: business systems that answer as they are told, and a responder that asks them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from gateway.core.asking import AskerBook
from gateway.core.chain import ChainResponder
from gateway.core.errors import AskFailed, LogUnavailable
from gateway.core.identity import ChargerId
from gateway.core.policies import AnswersConfig
from gateway.core.ports import Ask, ChargerSettings, IdToken
from gateway.core.reports import Boot, Token
from gateway.core.responder import AuthorizeQuestion
from tests.support.tokens import MemoryTokens
from tests.support.virtual_time import VirtualClock

CP1 = ChargerId("CP1")
BOOT = Boot("Vendor", "Model", serial_number="S1")
FOR_EVER = 1e9


@dataclass
class FakeAsker:
    """Answers after `delay` seconds: with `answer`, what it makes of the ask, or by failing where it is an error."""

    name: str
    answer: Any = None
    delay: float = 0.0
    asks: list[Ask] = field(default_factory=list)
    asked_at: list[float] = field(default_factory=list)

    async def ask(self, ask: Ask) -> Any:
        self.asks.append(ask)
        self.asked_at.append(asyncio.get_running_loop().time())
        await asyncio.sleep(self.delay)
        answer = self.answer(ask) if isinstance(self.answer, Callable) else self.answer  # type: ignore[arg-type]
        if isinstance(answer, Exception):
            raise answer
        return answer


class FakeSettings:
    """What an operator stored for every charger; `away` plays an outage of Redis."""

    def __init__(self, **stored: Any) -> None:
        self.stored = ChargerSettings(**stored)
        self.away = False

    async def get(self, charger: ChargerId) -> ChargerSettings:
        if self.away:
            raise LogUnavailable("Redis is away")
        return self.stored


@dataclass
class House:
    """A responder and all that it asks."""

    responder: ChainResponder
    tokens: MemoryTokens
    settings: FakeSettings


def house(
    *askers: FakeAsker,
    tokens: tuple[IdToken, ...] = (),
    stored: dict[str, Any] | None = None,
    spread: float = 0.0,
    **answers: Any,
) -> House:
    """A responder with these options of [answers] and this token list."""
    book, listed, settings = AskerBook(), MemoryTokens(*tokens), FakeSettings(**(stored or {}))
    for asker in askers:
        book.register(asker)
    config = AnswersConfig(**{"deadline": 6.0, "step_deadline": 3.0, **answers})
    responder = ChainResponder(
        config,
        heartbeat_interval=900,
        spread=spread,
        tokens=listed,
        settings=settings,
        askers=book,
        clock=VirtualClock(),
    )
    return House(responder, listed, settings)


def asked(
    token: str = "TAG", *, charger: ChargerId = CP1, type_: str | None = None, **details: Any
) -> AuthorizeQuestion:
    return AuthorizeQuestion(charger, Token(token, type_), 1, "presented", details)


NOBODY = AskFailed("nobody listens")
