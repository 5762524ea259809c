"""One shard of the log, read for one outward reader: from the cursor on, in order, at least once.

Three tasks: one reads ahead, one drives the Delivery, one renews the lease and stores the cursor with it. The cursor
moves only after the receiver has confirmed, and only while the lease is ours.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import structlog

from gateway.cluster.backoff import Backoff
from gateway.cluster.config import ClusterConfig
from gateway.cluster.entries import EntryReader
from gateway.cluster.keys import Keys
from gateway.cluster.lane import Lane
from gateway.cluster.link import Link
from gateway.cluster.projection import REMOVED, Projector
from gateway.cluster.reader_health import ReaderHealth, ShardHealth
from gateway.cluster.repeats import Repeats
from gateway.cluster.scripts import script
from gateway.cluster.shard_lease import ShardLease
from gateway.cluster.snapshots import Snapshots
from gateway.cluster.wire import Argument, Wire, pack
from gateway.core.clock import Clock
from gateway.core.errors import DeliveryError, DeliveryImpossible, DeliveryRefused, LogUnavailable
from gateway.core.identity import ChargerId
from gateway.core.ports import Delivery, LogEntry, Observer, OutwardReader

log = structlog.get_logger(__name__)

BATCH = 500
_FIRST_BATCH = 50
_BATCH_BYTES = 4 * 1024**2
"""What a batch holds at the most, about: how many entries that are is reckoned from the batch before."""
_BLOCK_SECONDS = 5.0
# In a stream of small batches each waits a little for more: a batch costs something, however few it holds. The first
# entry after a pause goes out at once.
_SMALL_BATCH, _STREAM_GAP, _GATHER_SECONDS = 100, 0.06, 0.025
_HOLD_FIRST, _HOLD_MOST = 1.0, 30.0
_CLOSE_SECONDS = 3.0
_CONNECT_ALARM = 2.0
"""Seconds without a connection after which the health board says so."""
_DROPS_UNTIL_ALONE = 2
_DROPS_UNTIL_PARKED = 2
_WHAT = "events"
_SET_BACK_MS = 60_000


def _order(position: str) -> tuple[int, int]:
    milliseconds, _, sequence = position.partition("-")
    return int(milliseconds), int(sequence or 0)


class ShardReader:
    """Drives one Delivery; `run` returns when the lease is lost or was given up."""

    def __init__(
        self,
        reader: OutwardReader,
        shard: int,
        *,
        token: str,
        link: Link,
        lane: Lane,
        keys: Keys,
        config: ClusterConfig,
        clock: Clock,
        health: ReaderHealth,
        observer: Observer,
    ) -> None:
        self._reader, self._shard = reader, shard
        self._link, self._lane, self._config = link, lane, config
        self._clock, self._observer = clock, observer
        self._all_keys, self._keys = keys, keys.shard(shard)
        self._health = ShardHealth(reader.name, shard, health, observer)
        self._lease = ShardLease(
            lane,
            lease=self._keys.lease(reader.name),
            cursor=self._keys.cursor(reader.name),
            in_hand=self._keys.in_hand(reader.name),
            token=token,
            term=config.lease_term,
            clock=clock,
        )
        self._projector = Projector(
            shard,
            snapshots=Snapshots(lane, keys),
            interval=config.projection_interval,
            refresh_interval=reader.refresh_interval,
            health=self._health,
            clock=clock,
        )
        self._repeats = Repeats(reader.name, shard, lane=lane, keys=self._keys)
        self._stirred = asyncio.Event()
        self._ahead: asyncio.Queue[list[LogEntry]] = asyncio.Queue(1)
        self._batch: list[LogEntry] = []
        self._hold = Backoff(_HOLD_FIRST, _HOLD_MOST)
        self._held_until = 0.0
        self._drops_in_a_row = 0
        self._drops_alone = 0
        self._last_confirmed = ""
        self._in_doubt = False
        """Whoever read the shard before may have left the receiver without what it had confirmed."""
        self._settled = False
        """The receiver is there, and has what was confirmed as far as can be known."""

    def give_up(self) -> None:
        """Hand the shard over to another node."""
        self._lease.give_up()

    async def run(self) -> None:
        try:
            cursor = await self._lease.stored_cursor()
            self._in_doubt = await self._lease.take_in_hand()
        except LogUnavailable:
            return
        delivery = self._reader.open(self._shard, self._touch)
        try:
            async with asyncio.TaskGroup() as tasks:
                name = f"{self._reader.name} shard {self._shard}"
                work = [
                    tasks.create_task(self._read_ahead(cursor), name=f"read ahead {name}"),
                    tasks.create_task(self._drive(delivery, tasks), name=f"deliver {name}"),
                ]
                await self._lease.keep()
                for task in work:
                    task.cancel()
        finally:
            await self._close(delivery)

    def _touch(self, charger: ChargerId) -> bool:
        keys = self._all_keys.charger(charger)
        if keys.shard != self._shard:
            return False
        self._projector.touch([keys.name])
        self._stirred.set()
        return True

    async def _close(self, delivery: Delivery) -> None:
        """Store the cursor a last time, close, and only then free the lease for the next."""
        redis_answers = await self._ended("cursor", self._lease.renew)
        await self._ended("delivery", delivery.close)
        if redis_answers:
            await self._ended("lease", partial(self._lease.release, clean=self._settled))

    async def _ended(self, what: str, end: Callable[[], Awaitable[object]]) -> bool:
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await end()
        except (DeliveryError, LogUnavailable, TimeoutError) as error:
            log.debug("a shard was not left cleanly", reader=self._reader.name, what=what, problem=str(error))
            return False
        return True

    # ------------------------------------------------------------ reading

    async def _read_ahead(self, position: str) -> None:
        """Keep the next batch ready."""
        wire, backoff, reader = Wire(self._link, key=self._keys.log), Backoff(), EntryReader()
        block, arrived, count = int(_BLOCK_SECONDS * 1000), float("-inf"), _FIRST_BATCH
        certain = True
        try:
            while True:
                read = pack(("XREAD", "COUNT", count, "BLOCK", block, "STREAMS", self._keys.log, position))
                try:
                    if not certain:
                        position, certain = await self._still_there(position), True
                        continue
                    (reply,) = await wire.exchange([read], seconds=2 * _BLOCK_SECONDS)
                except LogUnavailable:
                    certain = False
                    await backoff.wait()
                    continue
                if not isinstance(reply, list):
                    if reply is not None:
                        log.error("the log cannot be read", shard=self._shard, problem=str(reply))
                        await backoff.wait()
                    continue
                backoff.reset()
                entries = reader.entries(reply[0][1])
                position = entries[-1].position
                count = _fitting(entries)
                await self._ahead.put(entries)
                self._stirred.set()
                arrived, before = self._clock.monotonic(), arrived
                if len(entries) < _SMALL_BATCH and arrived - before < _STREAM_GAP:
                    await asyncio.sleep(_GATHER_SECONDS)
        finally:
            await wire.close()

    async def _still_there(self, position: str) -> str:
        """Where to go on after Redis was away: here, or earlier where a failover has set the log back behind us.

        The new primary may have lost the end of the log that we read, and its clock may be behind: what it has taken
        since then may stand before our place. The clocks differ by less than the margin. Raises LogUnavailable.
        """
        latest = await self._lane.call("XREVRANGE", self._keys.log, "+", "-", "COUNT", 1)
        if not latest or _order(latest[0][0].decode()) >= _order(position):
            return position
        back = f"{max(0, _order(latest[0][0].decode())[0] - _SET_BACK_MS)}-0"
        log.warning("the log was set back by a failover: its end is read again", shard=self._shard, position=back)
        return back

    # ------------------------------------------------------------ driving

    async def _drive(self, delivery: Delivery, tasks: asyncio.TaskGroup) -> None:
        while True:
            forgotten = await self._connect(delivery)
            lost = tasks.create_task(delivery.lost(), name=f"watch {self._reader.name} shard {self._shard}")
            lost.add_done_callback(lambda _: self._stirred.set())
            try:
                if forgotten or self._repeats.under_way:
                    await self._repeat(delivery, forgotten)
                self._in_doubt, self._settled = False, True
                await self._projector.connected(delivery)
                while not lost.done():
                    await self._step(delivery)
            except DeliveryError as error:
                self._settled = False
                self._health.interrupted(str(error))
            finally:
                # Cancelled, it was not lost: this reader is asked to end.
                self._settled = self._settled and (not lost.done() or lost.cancelled())
                lost.cancel()
            # A dropped connection may mean that another node took over: it must not be fought for.
            await self._make_sure()

    async def _connect(self, delivery: Delivery) -> float:
        alarm = asyncio.get_running_loop().call_later(_CONNECT_ALARM, self._health.not_connected)
        try:
            forgotten = await delivery.connect(in_doubt=self._in_doubt)
        finally:
            alarm.cancel()
        self._health.connected()
        return forgotten

    async def _repeat(self, delivery: Delivery, seconds: float) -> None:
        """Deliver again what the receiver may have forgotten; the cursor stays. Raises DeliveryInterrupted."""
        if seconds:
            await self._repeats.begin(await self._confirmed_up_to(), seconds)
        await self._repeats.go_on(delivery)

    async def _confirmed_up_to(self) -> str:
        backoff = Backoff()
        while not self._last_confirmed:
            try:
                self._last_confirmed = await self._lease.stored_cursor()
            except LogUnavailable:
                await backoff.wait()
        return self._last_confirmed

    async def _make_sure(self) -> None:
        """Go on only with a lease that is certainly ours."""
        backoff = Backoff()
        while True:
            try:
                if await self._lease.renew():
                    return
                await self._wait_for_the_end()
            except LogUnavailable:
                await backoff.wait()

    async def _wait_for_the_end(self) -> None:
        """The lease is lost: `run` cancels what is under way."""
        self.give_up()
        await asyncio.Event().wait()

    async def _step(self, delivery: Delivery) -> None:
        """Deliver the next batch if there is one, and bring retained state in line where that is due."""
        self._stirred.clear()
        if not self._batch and not self._ahead.empty():
            self._batch = self._ahead.get_nowait()
        ready = bool(self._batch) and self._clock.monotonic() >= self._held_until
        if ready:
            await self._deliver(delivery)
        if not await self._projector.work(delivery, busy=not self._ahead.empty()) and not ready:
            await self._rest()

    async def _rest(self) -> None:
        """Wait until there is something to do: a batch, a lost connection, or the time for something."""
        due = self._projector.due_at()
        if self._batch:
            due = self._held_until if due is None else min(due, self._held_until)
        try:
            async with asyncio.timeout(None if due is None else max(0.0, due - self._clock.monotonic())):
                await self._stirred.wait()
        except TimeoutError:
            pass

    # ------------------------------------------------------------ delivering

    async def _deliver(self, delivery: Delivery) -> None:
        silent = next((at for at, entry in enumerate(self._batch) if not entry.is_event), len(self._batch))
        if not silent:
            self._move_behind(1)
            return
        alone = self._drops_in_a_row >= _DROPS_UNTIL_ALONE
        tried = self._batch[:1] if alone else self._batch[:silent]
        try:
            await delivery.deliver(tried)
        except DeliveryImpossible as error:
            self._confirmed(error.confirmed)
            await self._park(str(error))
        except DeliveryRefused as error:
            self._confirmed(error.confirmed)
            self._health.refused(_WHAT, str(error), error.topic)
            self._held_until = self._clock.monotonic() + self._hold.next()
        except DeliveryError as error:
            self._confirmed(error.confirmed)
            await self._dropped(error, alone=alone)
            raise
        else:
            drops = self._drops_in_a_row
            self._confirmed(len(tried))
            if alone and self._batch:
                # The culprit may be any of those that were in flight: go on one by one to the batch's end.
                self._drops_in_a_row = drops
            self._held_until = 0.0
            self._hold.reset()
            self._health.accepted(_WHAT)

    def _confirmed(self, count: int) -> None:
        """The first entries of the batch are with the receiver."""
        if not count:
            return
        self._move_behind(count)
        self._observer.delivered(self._reader.name, self._shard, count)
        self._drops_in_a_row = self._drops_alone = 0

    def _move_behind(self, count: int) -> None:
        """The first entries of the batch are done with."""
        done, names = self._batch[:count], self._all_keys.charger
        removed = {names(entry.charger).name for entry in done if entry.type == REMOVED}
        self._projector.touch({names(entry.charger).name for entry in done}, removed=removed)
        self._last_confirmed = self._batch[count - 1].position
        self._lease.move(self._last_confirmed)
        del self._batch[:count]

    async def _dropped(self, error: DeliveryError, *, alone: bool) -> None:
        """The connection dropped: after two drops entries are tried alone, after two drops alone one is parked."""
        self._drops_in_a_row += 1
        if alone and not error.confirmed:
            self._drops_alone += 1
        if self._drops_alone >= _DROPS_UNTIL_PARKED:
            await self._park(f"in flight when the connection dropped, twice in a row: {error}")

    async def _park(self, reason: str) -> None:
        """Put the first entry of the batch aside and go on behind it."""
        entry, name = self._batch[0], self._reader.name
        keys = [self._lease.key, self._keys.dead, self._lease.cursor_key]
        arguments: list[Argument] = [self._lease.token, self._config.dead_letters_max, name, reason, self._clock.now()]
        arguments += [entry.position, entry.charger.key, entry.id, entry.type, entry.body]
        backoff = Backoff()
        while True:
            try:
                parked = await self._lane.script(script("park"), keys, arguments)
                break
            except LogUnavailable:
                await backoff.wait()
        if not parked:
            await self._wait_for_the_end()
        self._observer.undelivered(name, self._shard, "parked")
        told = {"reader": name, "charger": str(entry.charger), "event_id": entry.id, "type": entry.type}
        log.error("an event can never be delivered and was parked", reason=reason, **told)
        self._repeats.leave_out(entry.position)
        self._lease.move(entry.position)
        del self._batch[0]
        self._drops_alone = 0


def _fitting(entries: list[LogEntry]) -> int:
    """How many entries of this size make a batch."""
    size = sum(len(entry.body) for entry in entries) / len(entries)
    return max(1, min(BATCH, int(_BATCH_BYTES / max(size, 1))))
