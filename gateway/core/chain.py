"""The Responder that carries out the policies of section [answers].

Redis's time does not count against a chain. While it is away nobody can be answered, as the answer could not be
committed, so a step that reads from it waits as the commit would. To go on instead would make a good token `invalid`,
and that is what would be stored, and said again to the charger's resend, once Redis is back.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any, Protocol, TypeVar

from gateway.core.answer_cache import AnswerCache
from gateway.core.answers import ANSWERS, AuthorizeAnswer, BootAnswer
from gateway.core.asking import AskerBook, Asking, Kind, Query, Said
from gateway.core.clock import Clock
from gateway.core.errors import LogUnavailable
from gateway.core.identity import ChargerId
from gateway.core.policies import ASKERS, FALLBACKS, LOCAL, TOKENS, AnswersConfig, Chain, PolicyBook, Step
from gateway.core.ports import ChargerSettings, TokenStore
from gateway.core.reports import Boot, BootDecision, TokenDecision
from gateway.core.responder import AuthorizeQuestion, Decision, LocalResponder, Question, spread_interval
from gateway.core.token_list import TokenList

FALLBACK = "fallback"
"""Who decided where a status stands in the chain, or where the chain ran out."""

OPERATOR = "operator"
"""Who decided where an operator stored the answer."""

REDIS_RETRY = 0.25
"""Seconds between two attempts to read from Redis while it is away."""

NO_AUTHORIZATION = "NoAuthorization"
"""The type of token by which a station says that it wants none, as where a button starts the charging."""

LOCALLY: Chain = (Step(LOCAL),)
LISTED: Chain = (Step(TOKENS),)
LISTED_OR_ASKED: Chain = (Step(TOKENS), Step("webhook"))

_Read = TypeVar("_Read")


class StoredSettings(Protocol):
    """Where an operator's settings for a charger are read; a SettingsStore is one."""

    async def get(self, charger: ChargerId) -> ChargerSettings:
        """Raises LogUnavailable."""
        ...


class ChainResponder:
    """Answers every question by its chain. `config` has its deadline filled in (see `AnswersConfig.within`)."""

    def __init__(
        self,
        config: AnswersConfig,
        *,
        heartbeat_interval: int,
        spread: float = 0.0,
        tokens: TokenStore,
        settings: StoredSettings,
        askers: AskerBook,
        clock: Clock,
    ) -> None:
        self._config, self._book = config, PolicyBook(config)
        self._local = LocalResponder(heartbeat_interval=heartbeat_interval, spread=spread)
        self._spread = spread
        self._intervals = {
            "accepted": heartbeat_interval,
            "pending": config.boot_interval_pending,
            "rejected": config.boot_interval_rejected,
        }
        self._tokens = TokenList(tokens, clock)
        self._settings, self._askers, self._clock = settings, askers, clock
        self._asking = Asking(askers, clock)
        self._cache = AnswerCache(config.cache_max)

    # ------------------------------------------------------------ the questions

    async def authorize(self, question: AuthorizeQuestion) -> TokenDecision:
        """Use cases C01 to C09. An empty token is nobody's, whatever the policy.

        Where a station wants no token, none can be on a list: unless somebody says no, it may charge (C02.FR.02).
        """
        charger, token = question.charger, question.token
        needs_none = token.type == NO_AUTHORIZATION
        is_nobodys = not token.id.strip() and not needs_none
        chain = LOCALLY if is_nobodys else self._book.chain("authorize", charger)
        if chain is None:
            chain = await self._from_redis(self._usual_chain)
        if chain == LOCALLY:
            return await self._local.authorize(question)
        # What is asked with details (a contract certificate) may be answered otherwise next time.
        remembers = not question.details
        recalled = self._cache.get(charger, token, self._clock.now()) if remembers else None
        said = await self._walked(
            chain,
            Query("authorize", AuthorizeAnswer, charger, _asked_of(question)),
            read=lambda: self._tokens.standing(charger, token),
            recalled=recalled,
            unsaid="accepted" if needs_none else None,
        )
        if remembers and said is not recalled and said.by in ASKERS:
            self._cache.put(charger, token, said, self._clock.now())
        return await self._local.authorize(question) if said.answer is None else _token_decision(said.answer, said.by)

    async def boot(self, charger: ChargerId, boot: Boot) -> BootDecision:
        """Use cases B01 to B03. What an operator stored wins over the chain."""
        stored = await self._from_redis(lambda: self._settings.get(charger))
        if stored.registration is not None:
            return self._boot_decision(charger, BootAnswer(status=stored.registration), OPERATOR)
        chain = self._book.chain("boot", charger)
        if chain is None or chain == LOCALLY:
            return await self._local.boot(charger, boot)

        async def known() -> BootAnswer | None:
            is_known = stored.has_password or stored.subprotocol is not None
            return BootAnswer(status="accepted") if is_known else None

        said = await self._walked(chain, Query("boot", BootAnswer, charger, asdict(boot)), read=known)
        if said.answer is None:
            return await self._local.boot(charger, boot)
        return self._boot_decision(charger, said.answer, said.by)

    async def decide(self, question: Question) -> Decision:
        chain = self._book.chain(question.kind, question.charger)
        if chain is None or not self.is_decided(question.kind, question.charger):
            return Decision(None)
        model = ANSWERS[question.kind]
        return Decision(*await self._walked(chain, Query(question.kind, model, question.charger, question.data)))

    def is_decided(self, kind: str, charger: ChargerId) -> bool:
        return self._book.chain(kind, charger) not in (None, LOCALLY)

    async def told(self) -> list[str]:
        """What answers, in words for an operator. Raises LogUnavailable."""
        lines = [f"{question} ({who}): {_path(question, chain)}" for who, question, chain in self._book.configured()]
        if all(who != "all" or question != "authorize" for who, question, _ in self._book.configured()):
            usual = await self._usual_chain()
            lines.append(NO_LIST if usual == LOCALLY else f"authorize: {_path('authorize', usual)}")
        return lines

    # ------------------------------------------------------------ the chain

    async def _walked(
        self,
        chain: Chain,
        query: Query[Kind],
        *,
        read: Callable[[], Awaitable[Kind | None]] | None = None,
        recalled: Said[Kind] | None = None,
        unsaid: str | None = None,
    ) -> Said[Kind]:
        """Try a chain's steps in turn. `read` is its step that reads from Redis; `recalled` saves asking; `unsaid` is
        the status where the chain runs out, if not that of every question of this kind."""
        left = self._config.deadline or 0.0
        for step in chain:
            if step.name == LOCAL:
                return Said(None, LOCAL)
            if step.is_word:
                return Said(_plain(query.model, step.name), FALLBACK)
            if step.name not in ASKERS:
                answer = None if read is None else await self._from_redis(read)
            elif recalled is not None:
                return recalled
            elif left > 0:
                began = self._clock.monotonic()
                seconds = min(step.seconds or self._config.step_deadline, left)
                answer = await self._asking.ask(step.name, query, seconds=seconds)
                left -= self._clock.monotonic() - began
            else:
                continue
            if answer is not None:
                return Said(answer, step.name)
        word = unsaid or FALLBACKS.get(query.kind)
        return Said(None if word is None else _plain(query.model, word), FALLBACK)

    async def _usual_chain(self) -> Chain:
        """How tokens are checked where nothing is configured: a fresh install accepts any, and says so at start.

        Raises LogUnavailable.
        """
        if self._askers.get("webhook") is not None:
            return LISTED_OR_ASKED
        return LISTED if await self._tokens.exists() else LOCALLY

    async def _from_redis(self, read: Callable[[], Awaitable[_Read]]) -> _Read:
        while True:
            try:
                return await read()
            except LogUnavailable:
                await asyncio.sleep(REDIS_RETRY)

    def _boot_decision(self, charger: ChargerId, answer: BootAnswer, by: str) -> BootDecision:
        own = spread_interval(charger, self._intervals[answer.status], self._spread)
        return BootDecision(answer.status, answer.interval or own, by)


NO_LIST = "any id token may charge: there is no list of tokens and nobody is asked"


def _path(question: str, chain: Chain) -> str:
    last = chain[-1]
    ends = last.is_word or last.name == LOCAL
    return " → ".join([*map(str, chain), *([] if ends else [FALLBACKS.get(question, "the plain reply")])])


def _plain(model: type[Kind], status: str) -> Kind:
    return model.model_validate({"status": status})


def _asked_of(question: AuthorizeQuestion) -> dict[str, Any]:
    token = question.token
    return {
        **question.details,
        "evse_id": question.evse_id,
        "token": {"id": token.id, "type": token.type},
        "moment": question.moment,
    }


def _token_decision(answer: AuthorizeAnswer, by: str) -> TokenDecision:
    return TokenDecision(
        answer.status,
        answer.expires_at,
        answer.group,
        by,
        tuple(answer.evse_ids),
        answer.charging_priority,
        answer.personal_message,
        answer.certificate_status,
    )
