"""One shard of the log, read for one outward reader: from the cursor on, in order, at least once.

Three tasks: one reads ahead, one drives the Delivery, one renews the lease and stores the cursor with it. The cursor
moves only after the receiver has confirmed, and only while the lease is ours.
"""

import asyncio
from collections.abc import Sequence

import structlog

from gateway.cluster.config import ClusterConfig
from gateway.cluster.entries import EntryReader
from gateway.cluster.keys import Keys
from gateway.cluster.link import Argument, Backoff, Lane, Link, Wire, pack
from gateway.cluster.projection import Coalescer
from gateway.cluster.reader_health import ReaderHealth
from gateway.cluster.scripts import script
from gateway.cluster.snapshots import PAGE, Snapshots
from gateway.core.clock import Clock
from gateway.core.errors import DeliveryError, DeliveryImpossible, DeliveryRefused, LogUnavailable
from gateway.core.ports import Delivery, LogEntry, Observer, OutwardReader, Snapshot

log = structlog.get_logger(__name__)

BATCH = 500
_BLOCK_SECONDS = 5.0
_CURSOR_GAP = 0.02
"""Seconds between two writes of the cursor, at the least: a crash repeats what was delivered in this time."""
_OVERDUE = 1.0
"""Seconds that retained state may be late while events are waiting."""
_HOLD_FIRST, _HOLD_MOST = 1.0, 30.0
_CLOSE_SECONDS = 3.0
_CONNECT_ALARM = 2.0
"""Seconds without a connection after which the health board says so."""
_START = "0-0"


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
        self._reader, self._shard, self._token = reader, shard, token
        self._link, self._lane, self._config = link, lane, config
        self._clock, self._health, self._observer = clock, health, observer
        self._all_keys, self._keys = keys, keys.shard(shard)
        self._lease, self._cursor_key = self._keys.lease(reader.name), self._keys.cursor(reader.name)
        self._snapshots = Snapshots(lane, keys)
        self._term = config.lease_term
        self._giving_up = False
        self._moved = asyncio.Event()
        self._stirred = asyncio.Event()
        self._position = ""
        self._ahead: asyncio.Queue[list[LogEntry]] = asyncio.Queue(1)
        self._batch: list[LogEntry] = []
        self._touched = Coalescer(config.projection_interval)
        self._refresh_at: float | None = None
        self._hold = Backoff(_HOLD_FIRST, _HOLD_MOST)
        self._held_until = 0.0
        self._refusals: set[str] = set()
        self._drops_in_a_row = 0
        self._drops_alone = 0

    def give_up(self) -> None:
        """Hand the shard over to another node, once what is under way is done."""
        self._giving_up = True
        self._moved.set()

    async def run(self) -> None:
        cursor = await self._cursor()
        if cursor is None:
            return
        delivery = self._reader.open(self._shard)
        try:
            async with asyncio.TaskGroup() as tasks:
                name = f"{self._reader.name} shard {self._shard}"
                work = [
                    tasks.create_task(self._read_ahead(cursor), name=f"read ahead {name}"),
                    tasks.create_task(self._drive(delivery, tasks), name=f"deliver {name}"),
                ]
                await self._keep_lease()
                for task in work:
                    task.cancel()
        finally:
            await self._close(delivery)

    # ------------------------------------------------------------ lease and cursor

    async def _cursor(self) -> str | None:
        """Where the cursor stands; None where Redis cannot be asked in time."""
        try:
            stored = await self._lane.call("GET", self._cursor_key)
        except LogUnavailable:
            return None
        return stored.decode() if stored else _START

    async def _keep_lease(self) -> None:
        """Renew the lease and store the cursor; returns when the lease is lost."""
        good_until = self._clock.monotonic() + self._term
        while not self._giving_up and self._clock.monotonic() < good_until:
            try:
                async with asyncio.timeout(self._term / 3):
                    await self._moved.wait()
                await asyncio.sleep(_CURSOR_GAP)
            except TimeoutError:
                pass
            asked = self._clock.monotonic()
            try:
                if not await self._renew():
                    return
                good_until = asked + self._term
            except LogUnavailable:
                await asyncio.sleep(self._term / 20)
        log.debug("a lease ends", reader=self._reader.name, shard=self._shard, given_up=self._giving_up)

    async def _renew(self) -> bool:
        """Renew the lease and store the cursor with it. Raises LogUnavailable; False where the lease is lost."""
        self._moved.clear()
        arguments: list[Argument] = [self._token, int(self._term * 1000), self._position]
        return bool(await self._lane.script(script("lease"), [self._lease, self._cursor_key], arguments))

    def _confirmed(self, count: int) -> None:
        """The first entries of the batch are with the receiver."""
        if not count:
            return
        self._position = self._batch[count - 1].position
        names = self._all_keys.charger
        self._touched.touch({names(entry.charger).name for entry in self._batch[:count]}, self._clock.monotonic())
        del self._batch[:count]
        self._observer.delivered(self._reader.name, self._shard, count)
        self._drops_in_a_row = 0
        self._drops_alone = 0
        self._moved.set()

    async def _close(self, delivery: Delivery) -> None:
        """Store the cursor a last time, close, and free the lease for the next."""
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._renew()
        except (LogUnavailable, TimeoutError) as error:
            log.debug("the cursor was not stored at the end", reader=self._reader.name, problem=str(error))
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await delivery.close()
        except (DeliveryError, TimeoutError) as error:
            log.debug("a delivery did not close cleanly", reader=self._reader.name, problem=str(error))
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._lane.script(script("unlease"), [self._lease], [self._token])
        except (LogUnavailable, TimeoutError) as error:
            log.debug("a lease was not given up", reader=self._reader.name, problem=str(error))

    # ------------------------------------------------------------ reading

    async def _read_ahead(self, position: str) -> None:
        """Keep the next batch ready."""
        wire, backoff, reader = Wire(self._link), Backoff(), EntryReader()
        block = int(_BLOCK_SECONDS * 1000)
        try:
            while True:
                read = ("XREAD", "COUNT", BATCH, "BLOCK", block, "STREAMS", self._keys.log, position)
                try:
                    (reply,) = await wire.exchange([pack(read)], seconds=2 * _BLOCK_SECONDS)
                except LogUnavailable:
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
                await self._ahead.put(entries)
                self._stirred.set()
        finally:
            await wire.close()

    # ------------------------------------------------------------ delivering

    async def _drive(self, delivery: Delivery, tasks: asyncio.TaskGroup) -> None:
        while True:
            await self._connect(delivery)
            lost = tasks.create_task(delivery.lost(), name=f"watch {self._reader.name} shard {self._shard}")
            lost.add_done_callback(lambda _: self._stirred.set())
            try:
                await self._project_everything(delivery)
                while not lost.done():
                    await self._step(delivery)
            except DeliveryError as error:
                self._observer.undelivered(self._reader.name, self._shard, "interrupted")
                log.info("a delivery was interrupted", reader=self._reader.name, shard=self._shard, problem=str(error))
            finally:
                lost.cancel()
            # A dropped connection may mean that another node took over: it must not be fought for.
            await self._make_sure()

    async def _connect(self, delivery: Delivery) -> None:
        loop = asyncio.get_running_loop()
        alarm = loop.call_later(_CONNECT_ALARM, self._health.problem, self._shard, "not connected")
        try:
            await delivery.connect()
        finally:
            alarm.cancel()
        self._health.clear(self._shard)

    async def _make_sure(self) -> None:
        """Go on only with a lease that is certainly ours."""
        backoff = Backoff()
        while True:
            try:
                if await self._renew():
                    return
                self.give_up()
                await asyncio.Event().wait()
            except LogUnavailable:
                await backoff.wait()

    async def _step(self, delivery: Delivery) -> None:
        """Deliver the next batch if there is one, and bring retained state in line where that is due."""
        self._stirred.clear()
        if not self._batch and not self._ahead.empty():
            self._batch = self._ahead.get_nowait()
        now = self._clock.monotonic()
        ready = self._batch and now >= self._held_until
        if ready:
            await self._deliver(delivery)
        due = self._touched.due_at()
        if due is not None and due <= self._clock.monotonic() - (0.0 if self._ahead.empty() else _OVERDUE):
            await self._project_due(delivery)
        elif self._refresh_at is not None and self._refresh_at <= now:
            await self._project_everything(delivery)
        elif not ready:
            await self._rest(now)

    async def _rest(self, now: float) -> None:
        """Wait until there is something to do: a batch, a lost connection, or the time for something."""
        times = [at for at in (self._touched.due_at(), self._refresh_at) if at is not None]
        if self._batch:
            times.append(self._held_until)
        try:
            async with asyncio.timeout(max(0.0, min(times) - now) if times else None):
                await self._stirred.wait()
        except TimeoutError:
            pass

    async def _deliver(self, delivery: Delivery) -> None:
        alone = self._drops_in_a_row >= 2
        tried: Sequence[LogEntry] = self._batch[:1] if alone else self._batch
        try:
            await delivery.deliver(tried)
        except DeliveryImpossible as error:
            self._confirmed(error.confirmed)
            await self._park(str(error))
        except DeliveryRefused as error:
            self._confirmed(error.confirmed)
            self._refused("events", str(error), error.topic)
            self._held_until = self._clock.monotonic() + self._hold.next()
        except DeliveryError as error:
            self._confirmed(error.confirmed)
            if error.confirmed:
                self._drops_in_a_row = 1
            else:
                self._drops_in_a_row += 1
                self._drops_alone += alone
            if self._drops_alone >= 2:
                await self._park(f"in flight when the connection dropped, twice in a row: {error}")
            raise
        else:
            drops = self._drops_in_a_row
            self._confirmed(len(tried))
            if alone and self._batch:
                # The culprit may be any of those that were in flight: go on one by one to the batch's end.
                self._drops_in_a_row = drops
            self._held_until = 0.0
            self._accepted("events")

    def _refused(self, what: str, problem: str, topic: str) -> None:
        self._refusals.add(what)
        self._observer.undelivered(self._reader.name, self._shard, "refused")
        self._health.problem(self._shard, f"refused: {topic or problem}")

    def _accepted(self, what: str) -> None:
        """What was refused is taken now."""
        if what in self._refusals:
            self._refusals.discard(what)
            self._hold.reset()
            if not self._refusals:
                self._health.clear(self._shard)

    async def _park(self, reason: str) -> None:
        """Put the first entry of the batch aside and go on behind it."""
        entry = self._batch[0]
        arguments: list[Argument] = [
            self._token,
            self._config.dead_letters_max,
            self._reader.name,
            reason,
            self._clock.now(),
        ]
        arguments += [entry.position, entry.charger.key, entry.id, entry.type, entry.body]
        backoff = Backoff()
        while True:
            try:
                parked = await self._lane.script(
                    script("park"), [self._lease, self._keys.dead, self._cursor_key], arguments
                )
                break
            except LogUnavailable:
                await backoff.wait()
        if not parked:
            self.give_up()
            await asyncio.Event().wait()
        self._observer.undelivered(self._reader.name, self._shard, "parked")
        log.error(
            "an event can never be delivered and was parked",
            reader=self._reader.name,
            charger=str(entry.charger),
            event_id=entry.id,
            type=entry.type,
            reason=reason,
        )
        self._position = entry.position
        del self._batch[0]
        self._drops_alone = 0

    # ------------------------------------------------------------ retained state

    async def _project_everything(self, delivery: Delivery) -> None:
        interval = self._reader.refresh_interval
        self._refresh_at = None if interval is None else self._clock.monotonic() + interval
        after: str | None = None
        backoff = Backoff()
        while True:
            try:
                names = await self._snapshots.names(self._shard, after)
                snapshots = await self._snapshots.read(self._shard, names)
            except LogUnavailable:
                await backoff.wait()
                continue
            if not snapshots:
                return
            await self._project(delivery, snapshots)
            after = names[-1]

    async def _project_due(self, delivery: Delivery) -> None:
        names = self._touched.take(self._clock.monotonic(), PAGE)
        try:
            snapshots = await self._snapshots.read(self._shard, names)
        except LogUnavailable:
            self._touched.put_back(names, self._clock.monotonic() + 1.0)
            return
        await self._project(delivery, snapshots)

    async def _project(self, delivery: Delivery, snapshots: list[Snapshot]) -> None:
        """Hand snapshots over. A refused one is tried again later while events go on; an impossible one is left out."""
        while snapshots:
            try:
                await delivery.project(snapshots)
                self._accepted("retained state")
                return
            except DeliveryImpossible as error:
                culprit = snapshots[error.confirmed]
                log.error("retained state cannot be published", charger=str(culprit.charger), problem=str(error))
                snapshots = snapshots[error.confirmed + 1 :]
            except DeliveryRefused as error:
                self._refused("retained state", str(error), error.topic)
                names = [snapshot.charger.key for snapshot in snapshots[error.confirmed :]]
                self._touched.put_back(names, self._clock.monotonic() + self._hold.next())
                return
