"""How business systems are asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from gateway.core.clock import rfc3339
from gateway.core.identity import ChargerId


@dataclass(slots=True, frozen=True)
class Ask:
    """A question as a business system gets it: `id` names it for ever, `kind` is a name of `gateway.core.answers`.

    `data` is neutral; `deadline` (Unix seconds) is when nobody waits for the answer any more.
    """

    id: str
    kind: str
    charger: ChargerId
    data: Mapping[str, Any]
    deadline: float

    def as_dict(self) -> dict[str, Any]:
        """The public shape, the same over MQTT and to a webhook."""
        return {
            **self.data,
            "id": self.id,
            "question": self.kind,
            "charger_id": self.charger.identity,
            "deadline_at": rfc3339(self.deadline),
        }


class Asker(Protocol):
    """A way to ask business systems: `mqtt`, `webhook`. `name` is that of the policy."""

    name: str

    async def ask(self, ask: Ask) -> Any:
        """The answer as received, unchecked (parsed JSON); comes back at the deadline at the latest.

        Raises AskFailed where nobody answered: nobody can be reached or listens, or the time is up.
        """
        ...


class Askers(Protocol):
    """Where adapters put in their Askers when they start."""

    def register(self, asker: Asker) -> None:
        """Raises ValueError for a second one of the same name."""
        ...
