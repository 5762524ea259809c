"""What a version is to a virtual charger: how it words its messages, and how it obeys the CSMS's calls."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from gateway.simulator.station import Connector, Reading, Station, StopReason, Transaction


@dataclass(frozen=True, slots=True)
class Message:
    """An action and its payload, in OCPP's own casing."""

    action: str
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a call of the CSMS, and what happens because of it once it is sent: messages, and a deed."""

    payload: dict[str, Any]
    then: tuple[Message, ...] = ()
    after: Callable[[], None] | None = None


Obey = Callable[[Station, dict[str, Any]], Answer]
"""Obeys a call; raises KeyError, TypeError or ValueError where its payload is malformed."""


class Wording(Protocol):
    """Words a charger's own messages."""

    def boot(self, station: Station) -> Message: ...

    def status(self, connector: Connector, now: float) -> Message: ...

    def authorize(self, token: str) -> Message: ...

    def started(self, transaction: Transaction, reading: Reading, *, offline: bool) -> Message: ...

    def sampled(self, transaction: Transaction, reading: Reading, *, offline: bool) -> Message: ...

    def ended(self, transaction: Transaction, reading: Reading, reason: StopReason, *, offline: bool) -> Message: ...

    def complete(self, payload: dict[str, Any], transaction: Transaction) -> None:
        """Fill in what is known only now that a stored message is sent (1.6: the transaction's id)."""
        ...

    def learn(self, transaction: Transaction, action: str, answer: dict[str, Any]) -> None:
        """Take from an answer what the CSMS gave the transaction (1.6: its id)."""
        ...

    def token_status(self, answer: dict[str, Any]) -> str | None:
        """The AuthorizationStatus in an answer, None where there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Dialect:
    """A version: names, wording, and a table of the calls that it obeys.

    `known` are all actions that a CSMS may call: one of them that is not obeyed is NotSupported, any other
    NotImplemented. `rejected_code` answers calls while the boot is rejected; None: no answer at all.
    """

    version: str
    subprotocol: str
    wording: Wording
    obeys: Mapping[str, Obey]
    known: frozenset[str]
    malformed_code: str
    rejected_code: str | None
