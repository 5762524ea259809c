"""Id tokens as chargers write them."""

from collections.abc import Mapping
from typing import Any

from gateway.ocpp.fields import At, pointer, text
from gateway.ocpp.profile import Notes


def read_token_id(payload: Mapping[str, Any], name: str, notes: Notes, at: At = ()) -> str | None:
    """A token's id in its exact spelling, without surrounding blanks (noted as `token_padded`); None if missing."""
    written = text(payload, name, notes, at)
    if written is None:
        return None
    stripped = written.strip(" \t\r\n\0")
    if stripped != written:
        # The token itself is no matter for logs, so the note does not show it.
        notes.violation("token_padded", pointer((*at, name)), "blanks around the token were taken off")
    return stripped
