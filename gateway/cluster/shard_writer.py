"""Some shards' part of the log, written: group commit. One batch is under way while the next gathers.

What was sent and not answered is sent again, in order, until Redis has answered: the script knows an item that it
stored before (see commit.lua). So an outage delays commits, and loses or doubles none.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import structlog
from redis.exceptions import MovedError, NoScriptError, RedisError

from gateway.cluster.address import Address
from gateway.cluster.backoff import Backoff
from gateway.cluster.config import ClusterConfig
from gateway.cluster.keys import ChargerKeys, Keys
from gateway.cluster.link import Link
from gateway.cluster.scripts import Script, script
from gateway.cluster.wire import REDIRECTED, REPLY_SECONDS, Argument, Wire, explained, lacks_right, pack
from gateway.core.clock import Clock
from gateway.core.errors import LogUnavailable, OwnershipLost
from gateway.core.health import HealthBoard
from gateway.core.ports import Commit, Observer, Receipt

log = structlog.get_logger(__name__)

_Waiting = tuple[Commit, Receipt, int, ChargerKeys]

_BATCH = 400
"""Commits per script call: enough to share its cost, few enough that Redis is not held up for long."""
_BATCH_BYTES = 4 * 1024**2
_FULL_WAIT = 0.1
_MOVING_WAIT = 0.2
_REFUSALS = 3
FULL = "the log is full"


class ShardWriter:
    """Commits to some shards over one connection. `run` must be running for commits to end."""

    def __init__(
        self,
        link: Link,
        keys: Keys,
        config: ClusterConfig,
        *,
        clock: Clock,
        health: HealthBoard,
        observer: Observer,
        on_full: Callable[[], None],
        server: Address | None,
        leave: "Callable[[ShardWriter], bool]",
    ) -> None:
        """`leave` is called between flushes after `look`: it may take shards away (`hand_over`), and says whether this
        writer has nothing to do any more."""
        self._link, self._keys, self._config = link, keys, config
        self._server, self._leave = server, leave
        self._clock, self._health, self._observer = clock, health, observer
        self._on_full = on_full
        self._script: Script = script("commit")
        self._queues: dict[int, list[_Waiting]] = {}
        self._held_until: dict[int, float] = {}
        self._in_trouble = False
        self._alone: dict[int, int] = {}
        self._refusals = 0
        self._must_look = False
        self._wake = asyncio.Event()

    @property
    def waiting(self) -> int:
        """Commits that are not answered yet."""
        return sum(map(len, self._queues.values()))

    def submit(self, commit: Commit, receipt: Receipt, serial: int, keys: ChargerKeys) -> None:
        """Store a commit and give the receipt then; `serial` grows with every commit of this node."""
        waiting = (commit, receipt, serial, keys)
        queue = self._queues.get(keys.shard)
        if queue is None:
            self._queues[keys.shard] = [waiting]
        else:
            queue.append(waiting)
        self._wake.set()

    # ------------------------------------------------------------ where shards move

    def look(self) -> None:
        """Some shard may lie elsewhere by now."""
        self._must_look = True
        self._wake.set()

    def hand_over(self, shard: int) -> list[_Waiting]:
        """Let go of a shard: what waits for it, in order. Only from within `leave`, when nothing is under way."""
        self._held_until.pop(shard, None)
        self._alone.pop(shard, None)
        return self._queues.pop(shard, [])

    def adopt(self, shard: int, waiting: list[_Waiting]) -> None:
        """Take over what waits for a shard."""
        self._queues[shard] = waiting + self._queues.get(shard, [])
        self._wake.set()

    # ------------------------------------------------------------ carrying

    async def run(self) -> None:
        """Carry commits to Redis until cancelled; those still waiting are cancelled with it.

        Returns where `leave` says that there is nothing left to do.
        """
        wire, backoff = Wire(self._link, server=self._server), Backoff()
        try:
            while True:
                if self._must_look:
                    self._must_look = False
                    if self._leave(self):
                        return
                batches = self._gather()
                if not batches:
                    await self._idle()
                    continue
                try:
                    await self._flush(wire, batches)
                    backoff.reset()
                except LogUnavailable:
                    await backoff.wait()
        finally:
            for queue in self._queues.values():
                for _, receipt, _, _ in queue:
                    receipt.cancel()
            await wire.close()

    async def _idle(self) -> None:
        """Wait until there is something to send; a shard that is held back is tried again after a while."""
        self._wake.clear()
        if self._must_look:
            return
        held = [self._held_until[shard] for shard, queue in self._queues.items() if queue and shard in self._held_until]
        if not held:
            await self._wake.wait()
            return
        try:
            async with asyncio.timeout(max(0.0, min(held) - self._clock.monotonic())):
                await self._wake.wait()
        except TimeoutError:
            pass

    def _gather(self) -> dict[int, list[_Waiting]]:
        """The next batch of each shard that may be sent now. It stays queued until it is answered."""
        batches = {}
        for shard, queue in self._queues.items():
            if not queue or (shard in self._held_until and self._held_until[shard] > self._clock.monotonic()):
                continue
            # A caller that gave up wants nothing stored any more.
            queue = self._queues[shard] = [waiting for waiting in queue if not waiting[1].done()]
            if queue:
                batches[shard] = queue[: 1 if shard in self._alone else _fitting(queue)]
        return batches

    async def _flush(self, wire: Wire, batches: dict[int, list[_Waiting]]) -> None:
        began = self._clock.monotonic()
        try:
            calls = [pack(self._call(shard, batch)) for shard, batch in batches.items()]
        except TypeError:
            self._reject_unpackable(batches)
            return
        replies, waited = await self._carry(wire, calls, batches)
        if any(isinstance(reply, NoScriptError) for reply in replies):
            await wire.exchange([pack(("SCRIPT", "LOAD", self._script.source))])
            replies, waited = await self._carry(wire, calls, batches)
        told = dict(zip(batches, replies, strict=True))
        redirected = {shard: reply for shard, reply in told.items() if isinstance(reply, REDIRECTED)}
        for shard, reply in redirected.items():
            self._redirected(shard, reply)
        if waited is not None and len(redirected) < len(batches):
            await self._check_replicas(wire, *waited)
        done = sum(
            self._settle(shard, batch, told[shard]) for shard, batch in batches.items() if shard not in redirected
        )
        self._observer.committed(done, self._clock.monotonic() - began)
        self._tell_health(replies)

    async def _carry(
        self, wire: Wire, calls: list[bytes], batches: dict[int, list[_Waiting]]
    ) -> tuple[list[Any], list[Any] | None]:
        """The replies to the calls, and where replicas must have the commits, those to what waits for them.

        WAIT covers what its own connection wrote, and of commits that the script knows nothing is written: so something
        is, behind them. All goes in one exchange: on another connection it may be another primary that is asked.
        """
        wanted, patience = self._config.wait_for_replicas, self._config.replica_timeout
        if not wanted:
            return await wire.exchange(calls), None
        # One whose slot is being moved may refuse it.
        shard = next((one for one in batches if one not in self._held_until), next(iter(batches)))
        mark, wait = ("SET", self._keys.shard(shard).waited, 1), ("WAIT", wanted, int(patience * 1000))
        *replies, marked, reached = await wire.exchange(
            [*calls, pack(mark), pack(wait)], seconds=patience + REPLY_SECONDS
        )
        return replies, [marked, reached]

    def _tell_health(self, replies: list[Any]) -> None:
        """Raises LogUnavailable where a batch was refused."""
        failed = next((one for one in replies if isinstance(one, RedisError) and not isinstance(one, REDIRECTED)), None)
        if failed is not None:
            problem = explained(failed)
            if self._health.set("log", "degraded", f"commits are refused: {problem}"):
                log.error("commits are refused", problem=problem)
            self._in_trouble = True
            raise LogUnavailable(problem) from failed
        if self._in_trouble and not self._held_until:
            self._in_trouble = False
            self._health.set("log", "ok")
            log.info("commits are taken again")

    async def _check_replicas(self, wire: Wire, marked: Any, reached: Any) -> None:
        """Raises LogUnavailable where too few replicas have the commits: they may follow another primary by now.

        What was written stays written: the commits are sent again, and the script knows them.
        """
        refused = next((one for one in (marked, reached) if isinstance(one, RedisError)), None)
        if refused is None and reached >= self._config.wait_for_replicas:
            return
        await wire.renew()
        if isinstance(refused, REDIRECTED):
            raise LogUnavailable("a slot was moved while replicas were waited for")
        problem = explained(refused) if refused else f"{reached} of {self._config.wait_for_replicas} replicas have them"
        if self._health.set("log", "degraded", f"commits are not replicated: {problem}"):
            log.error("commits are not replicated", problem=problem)
        self._in_trouble = True
        raise LogUnavailable(problem)

    def _reject_unpackable(self, batches: dict[int, list[_Waiting]]) -> None:
        """Give a commit that holds what is neither text nor number back to its caller, so that the others go on."""
        for shard, batch in batches.items():
            for waiting in batch:
                try:
                    pack(self._call(shard, [waiting]))
                except TypeError as error:
                    waiting[1].set_exception(error)

    def _call(self, shard: int, batch: list[_Waiting]) -> list[Argument]:
        """The script call of a batch, flat (commit.lua tells the order); this is the hot path."""
        shard_keys, config = self._keys.shard(shard), self._config
        record = self._keys.record
        keys: list[Argument] = [shard_keys.log, shard_keys.size, shard_keys.transactions]
        arguments: list[Argument] = [
            len(batch),
            config.log_hard_max_bytes // self._keys.shards,
            int(config.idempotency_retention * 1000),
            int(config.transaction_retention * 1000),
        ]
        for commit, _, serial, own in batch:
            keyed, fields, records, samples = commit.key is not None, commit.fields, commit.transactions, commit.samples
            keys += (own.owner, own.state)
            arguments += (own.name, commit.epoch, serial, keyed + 2 if commit.names else int(keyed))
            arguments += (len(fields), len(records), len(samples), len(commit.events))
            if keyed:
                keys.append(f"{own.answers}{commit.key}")
                arguments.append(commit.answer)
            for pair in fields.items():
                arguments += pair
            if records:
                keys.append(own.transactions)
                for pair in records.items():
                    keys.append(record(own, pair[0]))
                    arguments += pair
            for transaction, taken in samples.items():
                keys.append(shard_keys.samples(transaction))
                arguments.append(taken)
            for event in commit.events:
                arguments += (event.id, event.type, event.body)
            if commit.names:
                keys += [f"{own.names}{name}" for name in commit.names]
                arguments += (len(commit.names), *commit.names.values())
        return ["EVALSHA", self._script.sha, len(keys), *keys, *arguments]

    def _settle(self, shard: int, batch: list[_Waiting], reply: Any) -> int:
        """Tell each caller of a batch how it went; returns how many were answered."""
        if isinstance(reply, RedisError):
            self._refused(shard, batch, reply)
            return 0
        if reply == b"FULL":
            self._full(shard)
            return 0
        self._held_until.pop(shard, None)
        for (commit, receipt, _, _), result in zip(batch, reply, strict=True):
            if receipt.done():
                continue
            if result == 0:
                receipt.set_result(None)
            elif result == 1 or result == 2:
                receipt.set_exception(OwnershipLost(str(commit.charger), forgotten=result == 2))
            else:
                receipt.set_result(result)
        # What came meanwhile stands behind the batch.
        del self._queues[shard][: len(batch)]
        self._count_alone(shard)
        return len(batch)

    def _redirected(self, shard: int, error: RedisError) -> None:
        """Another primary holds the shard, or its slot is on the way to one: nothing was stored."""
        if isinstance(error, MovedError):
            self._link.moved(error)
            return
        self._link.stale()
        self._held_until[shard] = self._clock.monotonic() + _MOVING_WAIT
        self._in_trouble = True
        problem = f"the slot of shard {shard} is being moved or has no primary: {error}"
        if self._health.set("log", "degraded", problem):
            log.warning("commits wait for redis", problem=problem)

    def _refused(self, shard: int, batch: list[_Waiting], error: RedisError) -> None:
        """The script failed on a batch: its items go alone, so that only the one at fault is given back."""
        if lacks_right(error):
            return
        if shard not in self._alone:
            self._alone[shard], self._refusals = len(batch), 0
            return
        self._refusals += 1
        if self._refusals >= _REFUSALS:
            commit, receipt, _, _ = self._queues[shard].pop(0)
            log.error("a commit cannot be made", charger=str(commit.charger), problem=str(error))
            receipt.set_exception(RuntimeError(f"the commit script fails: {error}"))
            self._refusals = 0
            self._count_alone(shard)

    def _count_alone(self, shard: int) -> None:
        left = self._alone.get(shard, 0)
        if left > 1:
            self._alone[shard] = left - 1
        else:
            self._alone.pop(shard, None)

    def _full(self, shard: int) -> None:
        self._held_until[shard] = self._clock.monotonic() + _FULL_WAIT
        self._in_trouble = True
        if self._health.set("log", "degraded", FULL):
            log.error("the log is full: nothing more is taken from chargers", shard=shard)
        self._on_full()


def _fitting(queue: list[_Waiting]) -> int:
    """How many commits at the front of a queue go into one call."""
    size = 0
    for place, (commit, _, _, _) in enumerate(queue[:_BATCH], start=1):
        for event in commit.events:
            size += len(event.body)
        if size > _BATCH_BYTES:
            return place
    return min(len(queue), _BATCH)
