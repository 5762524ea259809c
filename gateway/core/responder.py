"""Questions of chargers, what is decided of them, and the gateway's own answers.

`gateway.core.chain` decides by the policies of the settings; where these say nothing, any token and any charger is
accepted, as here.
"""

from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Literal, Protocol

from gateway.core.answers import Answer
from gateway.core.identity import ChargerId
from gateway.core.reports import Boot, BootDecision, Token, TokenDecision


@dataclass(slots=True, frozen=True)
class AuthorizeQuestion:
    """May this token charge? `moment`: merely presented, or a transaction starts with it.

    `details` are further facts for whoever decides; where there are any, the answer is not taken from memory.
    """

    charger: ChargerId
    token: Token
    evse_id: int | None
    moment: Literal["presented", "start"]
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True, frozen=True)
class Question:
    """Any other decision that is wanted: `kind` is a name of `gateway.core.answers.ANSWERS`, `data` what the charger
    said, neutral, as it stands in the event."""

    kind: str
    charger: ChargerId
    data: dict[str, Any]


@dataclass(slots=True, frozen=True)
class Decision:
    """What was decided, and the policy that said so. `answer` None: the version's default reply."""

    answer: Answer | None
    decided_by: str = "local"


class Responder(Protocol):
    """Decides what a charger is told. Always answers, within its own deadline."""

    async def authorize(self, question: AuthorizeQuestion) -> TokenDecision: ...

    async def boot(self, charger: ChargerId, boot: Boot) -> BootDecision: ...

    async def decide(self, question: Question) -> Decision: ...

    def is_decided(self, kind: str, charger: ChargerId) -> bool:
        """Whether anybody but the gateway itself is set up to decide such a question."""
        ...


class LocalResponder:
    """The gateway's own default answers: every token accepted (an empty one invalid), every boot accepted."""

    def __init__(self, *, heartbeat_interval: int, spread: float = 0.0) -> None:
        self._heartbeat_interval, self._spread = heartbeat_interval, spread

    async def authorize(self, question: AuthorizeQuestion) -> TokenDecision:
        if not question.token.id.strip() and question.token.type != "NoAuthorization":
            return TokenDecision("invalid")
        return TokenDecision("accepted")

    async def boot(self, charger: ChargerId, boot: Boot) -> BootDecision:
        return BootDecision("accepted", spread_interval(charger, self._heartbeat_interval, self._spread))

    async def decide(self, question: Question) -> Decision:
        return Decision(None)

    def is_decided(self, kind: str, charger: ChargerId) -> bool:
        return False


def spread_interval(charger: ChargerId, seconds: int, spread: float) -> int:
    """An interval for one charger, shorter than `seconds` by up to the fraction `spread`; always the same for it.

    A fleet that booted in the same minute would otherwise beat in step for ever. It is never longer: who waits for a
    sign of life may count on `seconds`.
    """
    share = int.from_bytes(blake2b(charger.key.encode("utf-8", "surrogatepass"), digest_size=8).digest()) / (1 << 64)
    return max(1, seconds - int(share * (seconds * spread + 1)))
