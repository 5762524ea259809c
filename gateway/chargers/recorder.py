"""What happens to one charger, brought into the log: stamped, committed under its epoch, and then part of its twin."""

import asyncio
from collections.abc import Callable

import structlog

from gateway.chargers.surroundings import Surroundings
from gateway.core.errors import LogUnavailable, OwnershipLost
from gateway.core.events import Origin, stamp
from gateway.core.identity import ChargerId
from gateway.core.ports import Claim, Commit
from gateway.core.twin import Change, Twin

_log = structlog.get_logger(__name__)

END_PENDING = "end_pending"
"""Kind of the later work that ends a transaction whose last messages never came."""

CLAIM_RETRY = 1.0
"""Seconds between attempts to claim a charger anew after Redis lost its data."""


class Recorder:
    """Keeps a charger's twin and commits its changes, one after the other.

    `has_socket` tells whether the connection still has one: without it, a charger is not taken from another.
    """

    def __init__(self, charger: ChargerId, claim: Claim, around: Surroundings, has_socket: Callable[[], bool]) -> None:
        self.charger = charger
        self.epoch = claim.epoch
        self.twin = Twin.restore(charger, claim.fields, claim.transactions)
        self.ahead = claim.redis_time - around.clock.now()
        """Seconds that Redis's clock is ahead of this node's."""
        self._around = around
        self._has_socket = has_socket
        self._sequence = 0
        self._scheduled: set[str] = set()

    @property
    def owes_schedule(self) -> bool:
        """Whether a transaction's end began to wait for missing messages, so that `schedule_ends` must be called."""
        return self.twin.pending_ends().keys() != self._scheduled

    def commit_of(self, change: Change, *, origin: Origin | None, answer: bytes, recorded: float) -> Commit:
        """The change as a commit; its first event carries the message that it came from."""
        events = [
            stamp(
                event,
                charger=self.charger,
                epoch=self.epoch,
                sequence=self._sequence + place,
                recorded=recorded,
                origin=origin if place == 0 else None,
            )
            for place, event in enumerate(change.events)
        ]
        return Commit(
            self.charger, self.epoch, events, change.key, answer, change.fields, change.transactions, change.samples
        )

    def adopt(self, change: Change) -> None:
        """The change was stored: it is part of the picture now."""
        self._sequence += len(change.events)
        self.twin.adopt(change)

    async def store(
        self, change: Change, *, origin: Origin | None = None, answer: bytes = b"", recorded: float | None = None
    ) -> bytes | None:
        """Commit a change and adopt it; the stored answer where the log has seen its key before.

        `recorded` is when it came about (Unix seconds), now where nothing is said. Raises OwnershipLost where a newer
        connection owns the charger.
        """
        if is_empty(change):
            return None
        if recorded is None:
            recorded = self._around.clock.now()
        while True:
            commit = self.commit_of(change, origin=origin, answer=answer, recorded=recorded)
            try:
                earlier = await self._around.log.commit(commit)
            except OwnershipLost as lost:
                if not lost.forgotten:
                    raise
                await self._claim_again()
                continue
            if earlier is None:
                self.adopt(change)
                if change.transactions and self.owes_schedule:
                    await self.schedule_ends()
            return earlier

    async def schedule_ends(self) -> None:
        """Have transactions ended after the grace time whose end waits for missing messages."""
        pending = self.twin.pending_ends()
        for transaction_id in pending.keys() - self._scheduled:
            due = self._around.clock.now() + self._around.config.missing_messages_grace
            try:
                await self._around.later.schedule(
                    self.charger, END_PENDING, due, transaction_id.encode(), key=transaction_id
                )
            except LogUnavailable as error:
                _log.warning("end not scheduled; the next message tries again", charger=str(self.charger),
                             transaction=transaction_id, error=str(error))  # fmt: skip
                return
        self._scheduled = set(pending)

    # ------------------------------------------------------------ after Redis came back empty

    async def _claim_again(self) -> None:
        """Claim under a new epoch and store all that is known.

        Raises OwnershipLost where another connection has the charger by now.
        """
        while True:
            claim = await self._claimed_again()
            self.epoch, self._sequence = claim.epoch, 0
            self.ahead = claim.redis_time - self._around.clock.now()
            everything = self.twin.everything()
            commit = Commit(self.charger, self.epoch, (), None, b"", everything.fields, everything.transactions)
            try:
                await self._around.log.commit(commit)
                break
            except OwnershipLost as lost:
                if not lost.forgotten:
                    raise
        _log.warning("charger claimed anew", charger=str(self.charger), epoch=self.epoch)

    async def _claimed_again(self) -> Claim:
        ownership = self._around.ownership
        while True:
            newer = self._around.router.local(self.charger)
            if newer is not None and newer.epoch != self.epoch:
                raise OwnershipLost(str(self.charger), forgotten=False)
            try:
                here = self._has_socket()
                claim = await (ownership.claim(self.charger) if here else ownership.claim_absent(self.charger))
            except LogUnavailable:
                await asyncio.sleep(CLAIM_RETRY)
                continue
            if claim is None:
                raise OwnershipLost(str(self.charger), forgotten=False)
            return claim


def is_empty(change: Change) -> bool:
    """Whether there is nothing to store (a Heartbeat)."""
    return not (change.events or change.fields or change.transactions)
