"""The id-token list in memory: what `gateway.cluster.tokens` keeps in Redis, for tests without one."""

from collections.abc import Sequence

from gateway.core.errors import LogUnavailable, NotFound
from gateway.core.ports import IdToken, ListStanding, Page


class MemoryTokens:
    """A TokenStore. Set `away` to play an outage; `asked` counts the questions of chargers."""

    def __init__(self, *tokens: IdToken) -> None:
        self.entries = {token.id.casefold(): token for token in tokens}
        self.away = False
        self.asked: list[str] = []
        self.stored = False

    def _ask(self, question: str) -> None:
        self.asked.append(question)
        if self.away:
            raise LogUnavailable("Redis is away")

    async def find(self, token_id: str) -> IdToken | None:
        self._ask("find")
        return self.entries.get(token_id.casefold())

    async def standing(self) -> ListStanding:
        self._ask("standing")
        if self.entries:
            self.stored = True
            return "listed"
        return "emptied" if self.stored else "none"

    async def put(self, tokens: Sequence[IdToken]) -> None:
        self._ask("put")
        self.stored = self.stored or bool(tokens)
        self.entries |= {token.id.casefold(): token for token in tokens}

    async def remove(self, token_id: str) -> bool:
        self._ask("remove")
        return self.entries.pop(token_id.casefold(), None) is not None

    async def list(self, *, after: str | None = None, limit: int = 100) -> Page:
        self._ask("list")
        if after is not None and not after.startswith("after:"):
            raise NotFound(f"no such cursor: {after}")
        begin = "" if after is None else after.removeprefix("after:")
        found = sorted(key for key in self.entries if after is None or key > begin)
        page = found[:limit]
        more = f"after:{page[-1]}" if len(found) > limit else None
        return Page([self.entries[key] for key in page], more)
