"""What the crowd costs: memory of the nodes, and what Redis has to do for them."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import psutil
import redis.asyncio as redis_client


@dataclass(frozen=True)
class Traffic:
    """What Redis did in a second, on average. `trips` are the script calls, `commands` all commands, those in scripts
    included; `most` are the commonest."""

    trips: float
    commands: float
    kib_in: float
    most: tuple[tuple[str, float], ...]

    def __str__(self) -> str:
        most = ", ".join(f"{name} {rate:.1f}" for name, rate in self.most)
        script = f"{self.trips:.1f} of them script calls"
        return f"{self.commands:.0f} commands/s, {script}, {self.kib_in:.1f} KiB/s in ({most})"


async def traffic(url: str, seconds: float) -> Traffic:
    """What Redis does in so many seconds."""
    async with redis_client.Redis.from_url(url) as client:
        before, bytes_before = await _read(client)
        await asyncio.sleep(seconds)
        after, bytes_after = await _read(client)
    calls = after - before
    # Our own two looks.
    calls.subtract({"info": calls.get("info", 0)})
    rates = [(name, count / seconds) for name, count in calls.most_common(8) if count > 0]
    return Traffic(
        trips=(calls["evalsha"] + calls["eval"]) / seconds,
        commands=sum(calls.values()) / seconds,
        kib_in=(bytes_after - bytes_before) / seconds / 1024,
        most=tuple(rates),
    )


async def _read(client: redis_client.Redis) -> tuple[Counter[str], int]:
    stats = await client.info("commandstats")
    calls = Counter({name.removeprefix("cmdstat_"): int(one["calls"]) for name, one in stats.items()})
    return calls, int((await client.info("stats"))["total_net_input_bytes"])


def memory(pids: Sequence[int]) -> int:
    """The resident memory of processes, in bytes."""
    return sum(psutil.Process(pid).memory_info().rss for pid in pids)
