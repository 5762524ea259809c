"""The id-token list: a hash of entries, and an index that keeps their ids in order, both in one slot.

Ids are compared without case, so that an entry is stored under its id in lower case; the entry keeps its spelling.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any

from gateway.cluster.cursors import seal, unseal
from gateway.cluster.keys import TOKEN_INDEX, TOKENS, TOKENS_COMING, TOKENS_STORED
from gateway.cluster.lane import Lane
from gateway.cluster.scripts import script
from gateway.core.ports import IdToken, ListStanding, Page

CHUNK = 1000
"""Entries that are stored as one step: Redis does nothing else meanwhile, and so many take it a few milliseconds."""

_KEYS = (TOKENS, TOKEN_INDEX, TOKENS_STORED, TOKENS_COMING)
_FIELDS = frozenset(field.name for field in fields(IdToken))


class StoredTokens:
    """The TokenStore. Every method raises LogUnavailable where Redis cannot be asked."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane

    async def find(self, token_id: str) -> IdToken | None:
        stored = await self._lane.call("HGET", TOKENS, _folded(token_id))
        return None if stored is None else _entry(stored)

    async def standing(self) -> ListStanding:
        entries, stored, coming = await self._lane.calls(
            [("EXISTS", key) for key in (TOKENS, TOKENS_STORED, TOKENS_COMING)]
        )
        if not stored and (coming or not entries):
            return "none"
        return "listed" if entries else "emptied"

    async def put(self, tokens: Sequence[IdToken]) -> None:
        """Add or replace entries, a thousand at a time; see TokenStore."""
        for begin in range(0, len(tokens), CHUNK):
            arguments: list[str | int] = [int(begin + CHUNK < len(tokens))]
            for token in tokens[begin : begin + CHUNK]:
                arguments += (_folded(token.id), json.dumps(asdict(token)))
            await self._lane.script(script("put_tokens"), _KEYS, arguments)

    async def remove(self, token_id: str) -> bool:
        return bool(await self._lane.script(script("remove_token"), _KEYS, [_folded(token_id)]))

    async def list(self, *, after: str | None = None, limit: int = 100) -> Page:
        """Entries in the order of their ids. Raises NotFound for a cursor that is none of ours."""
        begin = "-" if after is None else f"({unseal(after, str)[0]}"
        ids = await self._lane.call("ZRANGEBYLEX", TOKEN_INDEX, begin, "+", "LIMIT", 0, limit + 1)
        page, more = ids[:limit], len(ids) > limit
        entries = await self._lane.call("HMGET", TOKENS, *page) if page else []
        items = [_entry(stored) for stored in entries if stored is not None]
        return Page(items, seal(page[-1].decode("utf-8", "surrogatepass")) if more else None)


def _folded(token_id: str) -> str:
    return token_id.casefold()


def _entry(stored: bytes) -> IdToken:
    """What a newer gateway may have stored beside is not ours to read."""
    values: dict[str, Any] = {name: value for name, value in json.loads(stored).items() if name in _FIELDS}
    return IdToken(**{**values, "chargers": tuple(values.get("chargers", ()))})
