"""Section [answers]: who answers which question of which charger, as a chain of steps for each."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Self, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator

from gateway.core.answers import ANSWERS
from gateway.core.identity import ChargerId
from gateway.core.patterns import matches

LOCAL, TOKENS, KNOWN = "local", "tokens", "known"
ASKERS = ("mqtt", "webhook")
ONLY_FOR: Mapping[str, str] = {TOKENS: "authorize", KNOWN: "boot"}
"""Steps that answer one question alone."""

FALLBACKS: Mapping[str, str] = {"authorize": "invalid", "boot": "pending"}
"""What is answered where a chain runs out. A boot stays pending, as nobody said no: the charger asks again within the
minute, and can be called meanwhile. Any other question gets its version's default reply."""

DEADLINE_SHARE = 0.75
"""Share of [chargers] money_grace that a chain may take unless told otherwise."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a chain. `seconds` bounds an asker's; `is_word` marks a status that is the answer."""

    name: str
    seconds: float | None = None
    is_word: bool = False

    @property
    def asks(self) -> bool:
        """Whether it asks a business system."""
        return self.name in ASKERS

    def __str__(self) -> str:
        return self.name if self.seconds is None else f"{self.name}:{self.seconds:g}"


Chain = tuple[Step, ...]


def parsed(question: str, steps: tuple[str, ...]) -> Chain:
    """The steps of a chain. Raises ValueError saying which step is wrong, and what would be right."""
    if not steps:
        raise ValueError("a chain needs a step")
    chain = tuple(_step(question, text) for text in steps)
    for step in chain[:-1]:
        if step.is_word or step.name == LOCAL:
            raise ValueError(f"nothing can come after {step.name!r}, as it always answers")
    return chain


def _step(question: str, text: str) -> Step:
    name, colon, seconds = text.partition(":")
    if name in ASKERS:
        return Step(name, _seconds(text, seconds) if colon else None)
    if colon and name in (*words(question), LOCAL, *ONLY_FOR):
        raise ValueError(f"{text!r}: seconds go with {' and '.join(ASKERS)} only")
    if name in words(question):
        return Step(name, is_word=True)
    if name == LOCAL or ONLY_FOR.get(name) == question:
        return Step(name)
    if name in ONLY_FOR:
        raise ValueError(f"{name!r} is a step of {ONLY_FOR[name]} only")
    steps = [own for own, only in ONLY_FOR.items() if only == question] + [*ASKERS, LOCAL]
    close = difflib.get_close_matches(name, [*steps, *words(question)], n=1)
    meant = f" (did you mean {close[0]!r}?)" if close else ""
    told = f"unknown step {name!r}{meant}; steps of {question} are {', '.join(steps)}"
    last = ", ".join(words(question))
    raise ValueError(f"{told}, and as the last one {last}" if last else told)


def _seconds(step: str, text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise ValueError(f"{step!r}: what follows the colon is a number of seconds greater than 0")
    return seconds


def words(question: str) -> tuple[str, ...]:
    """The statuses that can be the answer to a question by themselves."""
    status = ANSWERS[question].model_fields.get("status")
    return () if status is None else get_args(status.annotation)


def _split_at_commas(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


Steps = Annotated[tuple[str, ...] | None, BeforeValidator(_split_at_commas)]


class Policies(BaseModel):
    """A chain for each question; none: the next wider policy holds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    authorize: Steps = Field(
        None,
        description="May this token charge? Unset, any may until a list of tokens or a "
        "webhook is there; then tokens, webhook",
    )
    boot: Steps = Field(None, description="May this charger work here? An operator's stored answer wins over it")
    data_transfer: Steps = Field(None, description="What is answered to a vendor's own message")
    sign_certificate: Steps = Field(
        None,
        description="Will the charger's certificate be signed? Unset, it will where an operator had the charger ask",
    )
    ev_certificate: Steps = Field(None, description="The contract certificate of an EV (ISO 15118)")
    certificate_status: Steps = Field(None, description="Is a certificate revoked (OCSP)")
    certificate_chain_status: Steps = Field(None, description="Which certificates of a chain are revoked (OCPP 2.1)")
    charging_needs: Steps = Field(None, description="Can the charging needs of an EV be met")
    charging_schedule: Steps = Field(None, description="Is the charging schedule of an EV agreed to")
    dynamic_schedule: Steps = Field(None, description="The values of a dynamic schedule as they are now (OCPP 2.1)")
    event_stream: Steps = Field(None, description="May a periodic event stream be opened (OCPP 2.1)")
    vat_number: Steps = Field(None, description="Is a VAT number valid, and whose is it (OCPP 2.1)")
    settlement: Steps = Field(None, description="The receipt of an ad hoc payment (OCPP 2.1)")
    transaction_cost: Steps = Field(
        None,
        description="What a transaction costs so far, and in the end, for the charger's display (OCPP 2.x); asked with "
        "every message of it",
    )

    @field_validator(*ANSWERS)
    @classmethod
    def _chain_is_sound(cls, steps: tuple[str, ...] | None, info: ValidationInfo) -> tuple[str, ...] | None:
        if steps is not None and info.field_name is not None:
            parsed(info.field_name, steps)
        return steps

    def chain(self, question: str) -> Chain | None:
        """The chain for a question, None where this policy says nothing of it."""
        steps = getattr(self, question)
        return None if steps is None else parsed(question, steps)


class GroupPolicies(Policies):
    """Policies for the chargers whose ids fit one of the patterns."""

    chargers: Annotated[tuple[str, ...], BeforeValidator(_split_at_commas)] = Field(
        min_length=1, description="Patterns of charger ids: * stands for any characters, ? for one"
    )


class AnswersConfig(Policies):
    """Who answers a charger's questions: for each a chain of steps, tried in turn until one answers. Steps are tokens
    (the list of id tokens; authorize only), known (accepts chargers with stored settings; boot only), mqtt and webhook
    (ask; mqtt:3 for at most 3 seconds), local (the gateway's own answer), or a final status such as accepted. Where a
    chain runs out, a token is invalid (but accepted where its type is NoAuthorization, by which a station says that it
    wants none), a boot pending, and any other question gets the plain reply of OCPP."""

    groups: tuple[GroupPolicies, ...] = Field(
        (),
        description="Chains for groups, as [[answers.groups]] with chargers = [patterns]; the first fitting one "
        "that names the question wins",
    )
    chargers: dict[str, Policies] = Field(
        default_factory=dict, description="Chains for single chargers, as [answers.chargers.ID]; they win over groups"
    )
    deadline: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = Field(
        None,
        description="Seconds that a whole chain may take, less than [chargers] money_grace; by default three "
        "quarters of that",
    )
    step_deadline: Annotated[float, Field(gt=0, allow_inf_nan=False)] = Field(
        3.0, description="Seconds that a step may take which names none"
    )
    cache_max: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        3600,
        description="Seconds that a yes to a token with an expires_at may be answered from memory, at most until "
        "that; 0 always asks",
    )
    boot_interval_pending: int = Field(60, ge=1, description="Seconds after which a pending charger boots again")
    boot_interval_rejected: int = Field(300, ge=1, description="Seconds after which a rejected charger boots again")

    def within(self, money_grace: float) -> Self:
        """The same with its deadline filled in. Raises ValueError where that is beyond the grace time."""
        if self.deadline is None:
            return self.model_copy(update={"deadline": money_grace * DEADLINE_SHARE})
        if self.deadline >= money_grace:
            raise ValueError(
                f"deadline {self.deadline:g} must be less than [chargers] money_grace {money_grace:g}, or a charger "
                "is cut off while its transaction's message waits for an answer"
            )
        return self


class PolicyBook:
    """Finds the chain that holds for a charger: its own, else its group's, else the one for all."""

    def __init__(self, config: AnswersConfig) -> None:
        self._all = _chains(config)
        self._groups = [(group.chargers, _chains(group)) for group in config.groups]
        self._chargers = {identity: _chains(policies) for identity, policies in config.chargers.items()}
        self._found: dict[tuple[str, ChargerId], Chain | None] = {}

    def chain(self, question: str, charger: ChargerId) -> Chain | None:
        """None where nothing is configured."""
        if not self._groups and not self._chargers:
            return self._all.get(question)
        key = question, charger
        if key not in self._found:
            if len(self._found) >= _REMEMBERED:
                self._found.clear()
            self._found[key] = self._find(question, charger)
        return self._found[key]

    def configured(self) -> list[tuple[str, str, Chain]]:
        """Every chain there is: for whom, question, chain."""
        named = [("all", self._all)]
        named += [(", ".join(patterns), chains) for patterns, chains in self._groups]
        named += list(self._chargers.items())
        return [(who, question, chain) for who, chains in named for question, chain in chains.items()]

    def _find(self, question: str, charger: ChargerId) -> Chain | None:
        groups = (chains for patterns, chains in self._groups if matches(patterns, charger))
        for chains in (self._chargers.get(charger.identity, {}), *groups, self._all):
            if question in chains:
                return chains[question]
        return None


_REMEMBERED = 50_000


def _chains(policies: Policies) -> dict[str, Chain]:
    found = {question: policies.chain(question) for question in ANSWERS}
    return {question: chain for question, chain in found.items() if chain is not None}
