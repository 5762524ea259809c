"""Gateways with one law broken, each through a port: `python -m tests.chaos.mutants NAME --config FILE`.

They show that the books of `tests.chaos.run` are worth something: see `test_mutants`.
"""

import asyncio
import dataclasses
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson

from gateway import log
from gateway.app import Gateway
from gateway.cluster.cluster import Cluster
from gateway.config import load
from gateway.core.errors import DeliveryError
from gateway.core.identity import ChargerId
from gateway.core.ports import (
    Claim,
    Commit,
    Delivery,
    EventLog,
    LogEntry,
    OutwardReader,
    Ownership,
    Receipt,
    Snapshot,
    Touch,
)
from gateway.core.transaction import EPOCH_2025

HASTE = 0.8
"""Seconds by which the hasty ones are too early."""

# ---------------------------------------------------------------- answers before the commit


class HastyLog:
    """An EventLog that gives the receipt at once and commits a little later."""

    def __init__(self, inner: EventLog) -> None:
        self._inner = inner
        self._after: asyncio.Queue[Commit] = asyncio.Queue()
        self._worker: asyncio.Task[None] | None = None

    def submit(self, commit: Commit, receipt: Receipt) -> None:
        self._put_off(commit)
        receipt.set_result(None)

    async def commit(self, commit: Commit) -> bytes | None:
        self._put_off(commit)
        return None

    def _put_off(self, commit: Commit) -> None:
        self._after.put_nowait(commit)
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())

    async def _work(self) -> None:
        while True:
            first = await self._after.get()
            await asyncio.sleep(HASTE)
            batch = [first]
            while not self._after.empty():
                batch.append(self._after.get_nowait())
            await asyncio.gather(*map(self._inner.commit, batch), return_exceptions=True)


# ---------------------------------------------------------------- moves the cursor before the receiver confirmed


class HastyDelivery:
    """A Delivery that says "delivered" at once; what the connection then takes with it is gone."""

    def __init__(self, inner: Delivery) -> None:
        self._inner = inner
        self._after: asyncio.Queue[tuple[int, list[LogEntry]]] = asyncio.Queue()
        self._connections = 0
        self._busy = asyncio.Lock()
        self._worker: asyncio.Task[None] | None = None

    async def connect(self, *, in_doubt: bool = False) -> float:
        async with self._busy:
            self._connections += 1
            forgotten = await self._inner.connect(in_doubt=in_doubt)
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())
        return forgotten

    async def lost(self) -> None:
        await self._inner.lost()

    async def deliver(self, entries: Sequence[LogEntry]) -> None:
        self._after.put_nowait((self._connections, list(entries)))

    async def _work(self) -> None:
        while True:
            batches = [await self._after.get()]
            await asyncio.sleep(HASTE)
            while not self._after.empty():
                batches.append(self._after.get_nowait())
            with suppress(DeliveryError):
                async with self._busy:
                    for connection, entries in batches:
                        if connection == self._connections:
                            await self._inner.deliver(entries)

    async def project(self, snapshots: Sequence[Snapshot]) -> None:
        async with self._busy:
            await self._inner.project(snapshots)

    async def close(self) -> None:
        if self._worker is not None:
            self._worker.cancel()
        await self._inner.close()


class HastyReader:
    """An OutwardReader whose deliveries are hasty."""

    def __init__(self, inner: OutwardReader) -> None:
        self.name, self.refresh_interval = inner.name, inner.refresh_interval
        self._inner = inner

    def open(self, shard: int, touch: Touch) -> Delivery:
        return HastyDelivery(self._inner.open(shard, touch))


# ---------------------------------------------------------------- forgets deduplication


class ForgetfulLog:
    """An EventLog that knows no repeats."""

    def __init__(self, inner: EventLog) -> None:
        self._inner = inner

    def submit(self, commit: Commit, receipt: Receipt) -> None:
        self._inner.submit(dataclasses.replace(commit, key=None), receipt)

    async def commit(self, commit: Commit) -> bytes | None:
        return await self._inner.commit(dataclasses.replace(commit, key=None))


# ---------------------------------------------------------------- reuses ids


class ForgetfulOwnership:
    """An Ownership in which a charger's last transaction number is forgotten, and time stands still."""

    def __init__(self, inner: Ownership) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def claim(self, charger: ChargerId, *, above: int = 0) -> Claim:
        claim = await self._inner.claim(charger, above=above)
        memory = orjson.loads(claim.fields.get("memory", b"{}"))
        fields = {**claim.fields, "memory": orjson.dumps({**memory, "wire_id": 0})}
        return dataclasses.replace(claim, fields=fields, redis_time=EPOCH_2025 - 1e6)


# ---------------------------------------------------------------- the house with a wrong part


class _HastyLogCluster(Cluster):
    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.log = HastyLog(self.log)  # type: ignore[assignment]


class _HastyReaderCluster(Cluster):
    async def read_log(self, reader: OutwardReader) -> None:
        await super().read_log(HastyReader(reader))


class _ForgetfulLogCluster(Cluster):
    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.log = ForgetfulLog(self.log)  # type: ignore[assignment]


class _ForgetfulOwnershipCluster(Cluster):
    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.ownership = ForgetfulOwnership(self.ownership)  # type: ignore[assignment]


MUTANTS: dict[str, Callable[..., Cluster]] = {
    "none": Cluster,
    "answers_before_the_commit": _HastyLogCluster,
    "moves_the_cursor_before_the_puback": _HastyReaderCluster,
    "forgets_deduplication": _ForgetfulLogCluster,
    "reuses_ids": _ForgetfulOwnershipCluster,
}


async def _serve(gateway: Gateway) -> None:
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, gateway.stop)
    await gateway.run()


def main() -> None:
    name, _, config = sys.argv[1:]
    settings = load(Path(config)).settings
    log.configure(settings.gateway.log_format, settings.gateway.log_level)
    asyncio.run(_serve(Gateway(settings, make_cluster=MUTANTS[name])))


if __name__ == "__main__":
    main()
