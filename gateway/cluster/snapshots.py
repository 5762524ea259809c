"""Chargers' snapshots as readers and listings see them: without the twin's own memory."""

from collections.abc import AsyncIterator, Sequence

from gateway.cluster.keys import Keys
from gateway.cluster.lane import Lane
from gateway.cluster.ownership import as_fields
from gateway.cluster.scripts import script
from gateway.core.identity import ChargerId
from gateway.core.ports import Snapshot

PAGE = 200


class Snapshots:
    """Reads snapshots of one shard at a time. Every method raises LogUnavailable."""

    def __init__(self, lane: Lane, keys: Keys) -> None:
        self._lane, self._keys = lane, keys
        self._script = script("snapshots")

    async def read(self, shard: int, names: Sequence[str]) -> list[Snapshot]:
        """The snapshots of chargers of a shard; one without any field is one that was removed."""
        if not names:
            return []
        keys = self._keys.shard(shard)
        found = await self._lane.script(self._script, [keys.state(name) for name in names])
        return [
            Snapshot(ChargerId.from_key(name), as_fields(flat), removed=not flat)
            for name, flat in zip(names, found, strict=True)
        ]

    async def names(self, shard: int, after: str | None = None, limit: int = PAGE) -> list[str]:
        """Known chargers of a shard, in the order of their names, after one."""
        begin = "-" if after is None else f"({after}"
        found = await self._lane.call("ZRANGEBYLEX", self._keys.shard(shard).chargers, begin, "+", "LIMIT", 0, limit)
        return [name.decode() for name in found]

    async def pages(self, shard: int) -> AsyncIterator[list[Snapshot]]:
        """The snapshots of all known chargers of a shard, page by page."""
        after: str | None = None
        while names := await self.names(shard, after):
            yield await self.read(shard, names)
            after = names[-1]
