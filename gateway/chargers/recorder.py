"""What happens to one charger, brought into the log: stamped, committed under its epoch, and then part of its twin."""

import asyncio
from collections.abc import Callable, Sequence

import structlog

from gateway.chargers.later_work import Work, change_of, due_again, owed, seconds_until
from gateway.chargers.surroundings import Surroundings
from gateway.core.draft import PART_PREFIX
from gateway.core.errors import LogUnavailable, OwnershipLost
from gateway.core.events import TOUCH, Event, Origin, stamp
from gateway.core.identity import ChargerId
from gateway.core.ports import Claim, Commit
from gateway.core.twin import Change, Twin

_log = structlog.get_logger(__name__)

CLAIM_RETRY = 1.0
"""Seconds between attempts to claim a charger anew after Redis lost its data."""

RECALL_RETRY = 0.5
"""Seconds between attempts to look a transaction up."""


class Recorder:
    """Keeps a charger's twin and commits its changes, one after the other.

    `has_socket` tells whether the connection still has one: without it, a charger is not taken from another.
    """

    __slots__ = (
        "_around",
        "_has_socket",
        "_scheduled",
        "_scheduled_in_turn",
        "_sequence",
        "ahead",
        "charger",
        "epoch",
        "twin",
    )

    def __init__(self, charger: ChargerId, claim: Claim, around: Surroundings, has_socket: Callable[[], bool]) -> None:
        self.charger = charger
        self.epoch = claim.epoch
        self.twin = Twin.restore(charger, claim.fields, claim.transactions)
        self.ahead = claim.redis_time - around.clock.now()
        """Seconds that Redis's clock is ahead of this node's."""
        self._around = around
        self._has_socket = has_socket
        self._sequence = 0
        self._scheduled: set[Work] = set()
        self._scheduled_in_turn = -1

    @property
    def owes_schedule(self) -> bool:
        """Whether later work came to be owed, or is not owed any more, so that `schedule` must be called."""
        turn = self.twin.turn
        if turn != self._scheduled_in_turn and set(owed(self.twin)) == self._scheduled:
            self._scheduled_in_turn = turn
        return turn != self._scheduled_in_turn

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
                samples=change.samples_of(event) if change.samples else None,
            )
            for place, event in enumerate(change.events)
        ]
        if change.shows and not events:
            events = [TOUCH]
        return Commit(
            self.charger,
            self.epoch,
            events,
            change.key,
            answer,
            change.fields,
            change.transactions,
            change.samples,
            change.names,
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
                if may_owe(change) and self.owes_schedule:
                    await self.schedule()
            return earlier

    async def tell(self, messages: Sequence[tuple[Event, Origin, float]]) -> None:
        """Append events that change nothing, each with the message that it tells and when that was (Unix seconds).

        Raises OwnershipLost where a newer connection owns the charger.
        """
        while True:
            events = [
                stamp(event, charger=self.charger, epoch=self.epoch, sequence=number, recorded=recorded, origin=origin)
                for number, (event, origin, recorded) in enumerate(messages, start=self._sequence)
            ]
            try:
                await self._around.log.commit(Commit(self.charger, self.epoch, events))
            except OwnershipLost as lost:
                if not lost.forgotten:
                    raise
                await self._claim_again()
            else:
                self._sequence += len(events)
                return

    async def recall(self, names: Sequence[str]) -> bytes:
        """The record that a `Change.recall` asks for, empty where there is none; waits over any outage of Redis."""
        while True:
            try:
                return await self._around.ownership.recall(self.charger, names) or b""
            except LogUnavailable:
                await asyncio.sleep(RECALL_RETRY)

    async def schedule(self) -> None:
        """Put off what must be done later though no message will ask for it."""
        wanted, turn = set(owed(self.twin)), self.twin.turn
        for work in wanted - self._scheduled:
            kind, key = work
            due = self._around.clock.now() + seconds_until(work, self._around.config)
            try:
                await self._around.later.schedule(self.charger, kind, due, key.encode(), key=key)
            except LogUnavailable as error:
                _log.warning("later work not scheduled; the next message tries again", charger=str(self.charger),
                             work=kind, about=key, error=str(error))  # fmt: skip
                return
        self._scheduled, self._scheduled_in_turn = wanted, turn

    async def do_later(self, work: Work) -> list[Event]:
        """Do later work that is due; the events that it made, which are stored.

        Raises OwnershipLost, and LogUnavailable where it must be looked at again.
        """
        config = self._around.config
        change = change_of(work, self.twin, self._around.clock.now(), config)
        await self.store(change)
        due = due_again(work, self.twin, config)
        if due is not None:
            await self._around.later.schedule(self.charger, work[0], due, work[1].encode(), key=work[1])
        return change.events

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
            commit = Commit(
                self.charger,
                self.epoch,
                (),
                fields=everything.fields,
                transactions=everything.transactions,
                names=everything.names,
            )
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
                claimed = ownership.claim if here else ownership.claim_absent
                claim = await claimed(self.charger, above=self.epoch)
            except LogUnavailable:
                await asyncio.sleep(CLAIM_RETRY)
                continue
            if claim is None:
                raise OwnershipLost(str(self.charger), forgotten=False)
            return claim


def may_owe(change: Change) -> bool:
    """Whether a change may have made later work: a transaction or a report in parts is in it."""
    return bool(change.transactions) or any(name.startswith(PART_PREFIX) for name in change.fields)


def is_empty(change: Change) -> bool:
    """Whether there is nothing to store (a Heartbeat)."""
    return not (change.events or change.fields or change.transactions)
