"""Which transactions somebody asks for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from gateway.core.identity import ChargerId


@dataclass(slots=True, frozen=True)
class TransactionQuery:
    """Filters of a listing; None does not filter. Times are RFC 3339 in UTC with milliseconds.

    `token` is compared without case with every token of the transaction; `started_from` and `started_until` with the
    charger's clock, or the gateway's where the charger had none. `suspect` asks for those with, or without, suspicion,
    `command_id` for the one that a remote start has caused.
    """

    charger: ChargerId | None = None
    token: str | None = None
    status: Literal["active", "ended"] | None = None
    suspect: bool | None = None
    started_from: str | None = None
    started_until: str | None = None
    command_id: str | None = None

    def matches(self, record: Mapping[str, Any]) -> bool:
        """Whether a stored record is asked for (its charger apart)."""
        if self.status is not None and record.get("status") != self.status:
            return False
        if self.suspect is not None and bool(record.get("suspect")) is not self.suspect:
            return False
        if self.command_id is not None and record.get("command_id") != self.command_id:
            return False
        if self.token is not None and not _has_token(record, self.token.lower()):
            return False
        started = record.get("started_at") or record.get("recorded_started_at") or ""
        if self.started_from is not None and started < self.started_from:
            return False
        return self.started_until is None or started < self.started_until


def _has_token(record: Mapping[str, Any], token: str) -> bool:
    tokens = [record.get("token"), *(record.get("tokens") or ())]
    return any(one is not None and str(one.get("id", "")).lower() == token for one in tokens)
