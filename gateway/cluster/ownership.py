"""Who holds a charger: one node, under an epoch that every commit is checked against."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import orjson
import structlog

from gateway.cluster.keys import Keys
from gateway.cluster.lane import Lane
from gateway.cluster.passwords import Settings
from gateway.cluster.scripts import script
from gateway.core.identity import ChargerId
from gateway.core.ports import ChargerSettings, Claim

log = structlog.get_logger(__name__)

TellPrevious = Callable[[str, ChargerId, int], Awaitable[None]]
"""Tell a node that a newer connection owns a charger, under this epoch."""


class Owners:
    """The Ownership of this node."""

    def __init__(self, lane: Lane, keys: Keys, settings: Settings, *, node: str, tell_previous: TellPrevious) -> None:
        self._lane, self._keys, self._settings = lane, keys, settings
        self._node, self._tell_previous = node, tell_previous
        self._claim, self._release = script("claim"), script("release")

    async def settings(self, charger: ChargerId) -> ChargerSettings:
        return await self._settings.get(charger)

    async def check_password(self, charger: ChargerId, password: bytes) -> bool:
        return await self._settings.check_password(charger, password)

    async def change_password(self, charger: ChargerId, password: bytes) -> bool:
        if not (await self._settings.get(charger)).has_password:
            return False
        await self._settings.set_password(charger, password)
        return True

    async def claim(self, charger: ChargerId, *, above: int = 0) -> Claim:
        claim = await self._claimed(charger, "", above)
        if claim is None:
            raise RuntimeError("an unconditional claim cannot be refused")
        if claim.previous_node is not None:
            await self._tell_previous(claim.previous_node, charger, claim.epoch)
        return claim

    async def claim_absent(self, charger: ChargerId, *, above: int = 0) -> Claim | None:
        return await self._claimed(charger, "absent", above)

    async def _claimed(self, charger: ChargerId, condition: str, above: int) -> Claim | None:
        keys, shard = self._keys.charger(charger), self._keys.shard(self._keys.charger(charger).shard)
        reply = await self._lane.script(
            self._claim,
            [keys.owner, keys.state, shard.owners, shard.chargers],
            [keys.name, self._node, condition, above],
        )
        if reply is None:
            return None
        epoch, previous, time, flat = reply
        fields = as_fields(flat)
        transactions = await self._active_transactions(charger, fields)
        return Claim(int(epoch), fields, transactions, float(time), previous.decode() or None)

    async def recall(self, charger: ChargerId, names: Sequence[str]) -> bytes | None:
        keys, record = self._keys.charger(charger), self._keys.record
        ids = await self._lane.call("MGET", *(f"{keys.names}{name}" for name in names))
        known = [name if id_ is None else id_.decode() for name, id_ in zip(names, ids, strict=True)]
        records = await self._lane.call("MGET", *(record(keys, one) for one in known))
        return next((stored for stored in records if stored is not None), None)

    async def release(self, charger: ChargerId, epoch: int) -> None:
        keys = self._keys.charger(charger)
        owners = self._keys.shard(keys.shard).owners
        await self._lane.script(self._release, [keys.owner, owners], [keys.name, epoch])

    async def _active_transactions(self, charger: ChargerId, fields: dict[str, bytes]) -> dict[str, bytes]:
        """The records of the transactions that the twin remembers as running."""
        ids = active_ids(charger, fields)
        if not ids:
            return {}
        keys = self._keys.charger(charger)
        records = await self._lane.call("MGET", *(self._keys.record(keys, known) for known in ids))
        return {known: record for known, record in zip(ids, records, strict=True) if record is not None}


def active_ids(charger: ChargerId, fields: dict[str, bytes]) -> list[str]:
    """The ids under `active` of the snapshot's `memory`."""
    memory = fields.get("memory")
    if not memory:
        return []
    try:
        active = orjson.loads(memory).get("active", [])
    except (ValueError, AttributeError):
        log.error("a charger's memory cannot be read", charger=str(charger))
        return []
    return [str(known) for known in active]


def as_fields(flat: list[Any]) -> dict[str, bytes]:
    """A hash as Redis sends it: field, value, field, value ..."""
    return {flat[at].decode(): flat[at + 1] for at in range(0, len(flat), 2)}
