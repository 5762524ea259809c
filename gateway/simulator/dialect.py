"""What a version is to a virtual charger: how it words its messages, and how it obeys the CSMS's calls."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from gateway.simulator.connector import Connector, Reading, StopReason, Transaction
from gateway.simulator.messages import Errand, Message
from gateway.simulator.station import Station


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a call of the CSMS, and what happens because of it once it is sent: an errand, and a deed."""

    payload: dict[str, Any]
    then: Errand | None = None
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

    def state_changed(self, transaction: Transaction, reading: Reading, *, offline: bool) -> Message | None:
        """The transaction's message about a changed charging state, if its state has changed and has a message."""
        ...

    def resumed(self, transaction: Transaction, reading: Reading) -> Message | None:
        """What is said of a transaction that goes on after a restart (2.1), if anything."""
        ...

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
    """A version: names, wording, and a table of the calls that it obeys; any other is NotImplemented.

    `rejected_code` answers calls while the boot is rejected; None: no answer at all.
    """

    version: str
    subprotocol: str
    wording: Wording
    obeys: Mapping[str, Obey]
    malformed_code: str
    rejected_code: str | None
