"""What chargers have to say, and what is true of their transactions: computed here, never read from a gateway."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

Version = Literal["1.6", "2.0.1"]


@dataclass(eq=False)
class Message:
    """Something that a charger says, however often it has to send it.

    `once`: the gateway must know its repeats, so that it makes one event; others may make one for each sending.
    `numbered`: the payload gets OCPP 1.6's transaction number when it is sent. `ids` are the message ids of all its
    sendings, `connections` how many copies went over which connection.
    """

    charger: str
    action: str
    payload: dict[str, Any]
    transaction: "Transaction | None" = None
    once: bool = True
    numbered: bool = False
    starts: bool = False
    """The answer has a transaction number (OCPP 1.6)."""
    ids: list[str] = field(default_factory=list)
    copies: int = 0
    place: int = 0
    """When it was first sent, among those of its charger."""
    answered: bool = False

    def text(self) -> dict[str, Any]:
        """The payload as it goes out."""
        if not self.numbered or self.transaction is None:
            return self.payload
        return {**self.payload, "transactionId": self.transaction.number}

    def __str__(self) -> str:
        kind = self.payload.get("eventType", "")
        about = "" if self.transaction is None else f" of {self.transaction.name}"
        told = f"{self.action} {kind}".strip()
        return f"{told}{about} {self.text()} (ids {', '.join(self.ids)})"


@dataclass(eq=False)
class Transaction:
    """What is true of a transaction, and how the gateway has to tell it.

    `energy` is None where nobody can know it. `suspect` are the flags that it must end with, no more and no fewer.
    `corrects`: how many corrections must follow its end; None: as many as there are.
    """

    charger: str
    name: str
    version: Version
    mess: str
    energy: Decimal | None = None
    suspect: set[str] = field(default_factory=set)
    corrects: int | None = 0
    has_start: bool = True
    ocpp_id: str | None = None
    """OCPP 2.x: the charger's own name for it."""
    number: int | None = None
    """OCPP 1.6: what the first answer to its start said."""
    numbers: set[int] = field(default_factory=set)
    """All numbers that answers to its start ever said."""
    messages: list[Message] = field(default_factory=list)


@dataclass
class Complaint:
    """What a charger saw that must never be."""

    charger: str
    told: str
    message: Message | None = None


def energies(transactions: Iterable[Transaction]) -> Decimal:
    """The energy of all of them, in Wh."""
    return sum((one.energy for one in transactions if one.energy is not None), Decimal(0))
