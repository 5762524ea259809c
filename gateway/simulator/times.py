"""Timestamps of OCPP payloads."""

from datetime import UTC, datetime


def unix_seconds(timestamp: str) -> float:
    """A timestamp in Unix seconds; without a zone it is UTC. Raises ValueError."""
    parsed = datetime.fromisoformat(timestamp)
    return (parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=UTC)).timestamp()
