"""`python -m tests.bench.crowd`: what idle chargers cost, and how long all of them take to come back at once.

Exits with 1 where a boot was not answered, where they did not settle in the time that the admission rate says, or
where Redis has more to do for idle chargers than the nodes themselves and a note that they are there explain.
"""

import argparse
import asyncio
import resource
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import uvloop

from gateway.chargers.config import ChargersConfig
from tests.bench.crowd.crowd import Crowd
from tests.bench.crowd.figures import Traffic, memory, traffic
from tests.support.gateway_process import GatewayProcess
from tests.support.servers import EmbeddedBroker, Mosquitto, Valkey

FIRST = 0.02
"""The share of the crowd that comes before memory is looked at: what is made once is not counted."""
SPARE_FILES = 500
GATHER_PER_SECOND = 40
SETTLE_SLACK = 45.0
"""Seconds beyond what the rate says: the last wait that a refused charger draws, and a handshake that was too late."""
UNLIMITED_PER_SECOND = 150.0
"""Chargers that a node admits in a second, at the least, where no rate is set (two cores, all on one machine)."""
NODE_TRIPS = 40.0
"""Script calls in a second that a node may make whatever it holds: beats, leases, and its gathered notes."""
NOTE_COMMANDS = 8.0
"""Commands within the scripts that one note of a charger costs: its owner is checked, its fields are stored."""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.crowd", description=__doc__)
    parser.add_argument("--chargers", type=int, default=20_000)
    parser.add_argument("--nodes", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=70.0, help="how long Redis is watched (default 70)")
    parser.add_argument("--admission-rate", type=float, help="chargers a second and node (default: the gateway's)")
    return parser.parse_args()


def raise_file_limit() -> int:
    """Allow this process and its children as many open files as the machine grants; returns how many."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for wanted in (65_536, hard):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(wanted, hard)))
            return wanted
        except (ValueError, OSError):
            continue
    return hard


@asynccontextmanager
async def _nodes(folder: Path, count: int, rate: float | None) -> AsyncIterator[tuple[Valkey, list[GatewayProcess]]]:
    valkey = Valkey(folder / "valkey").start()
    broker = (EmbeddedBroker if Mosquitto.binary() is None else Mosquitto)(folder / "broker").start()
    chargers = {} if rate is None else {"admission_rate": rate}
    nodes = [
        GatewayProcess(
            folder / f"node-{number}",
            redis_url=valkey.url,
            mqtt_url=broker.url,
            node=f"node-{number}",
            # As in a fleet: what a home has repeated every 30 s is not repeated for thousands.
            settings={"gateway": {"log_level": "warning"}, "chargers": chargers, "mqtt": {"state_interval": 0}},
        )
        for number in range(count)
    ]
    try:
        for node in nodes:
            await asyncio.to_thread(node.start)
        yield valkey, nodes
    finally:
        for node in nodes:
            node.kill()
        broker.kill()
        valkey.kill()


def admission_rate(given: float | None) -> float:
    """Chargers that a node admits in a second; 0 where there is no limit."""
    if given is not None:
        return given
    option = ChargersConfig.model_fields.get("admission_rate")
    return 0.0 if option is None else float(option.default)


async def run(options: argparse.Namespace, folder: Path) -> list[str]:
    """Measure, print, and return what must not be."""
    wrong: list[str] = []
    async with _nodes(folder, options.nodes, options.admission_rate) as (valkey, nodes):
        pids, ports = [node.pid for node in nodes], [node.charger_port for node in nodes]
        empty = await traffic(valkey.url, options.seconds / 2)
        _say(f"Redis, no charger:   {empty}")
        first = max(50, int(options.chargers * FIRST))
        async with Crowd(folder, first, ports) as vanguard:
            await _gathered(vanguard)
            await _quiet(valkey)
            before = memory(pids)
            async with Crowd(folder, options.chargers - first, ports, first=first) as crowd:
                await _gathered(crowd)
                await _quiet(valkey)
                each = (memory(pids) - before) / crowd.count / 1024
                _say(f"memory: {each:.1f} KiB for each idle charger ({memory(pids) / 2**20:.0f} MiB in all)")
                idle = await traffic(valkey.url, options.seconds)
                _say(f"Redis, {options.chargers} idle:  {idle}")
                wrong += _idle_costs(options, empty, idle)
                wrong += await _storm(options, [vanguard, crowd])
    return wrong


def _idle_costs(options: argparse.Namespace, empty: Traffic, idle: Traffic) -> list[str]:
    """Only the note that a charger is still there, gathered for many, may come with idle chargers."""
    notes = options.chargers / float(ChargersConfig.model_fields["last_seen_interval"].default)
    per_note = (idle.commands - empty.commands) / notes
    _say(
        f"that is {(idle.commands - empty.commands) / options.chargers:.3f} commands/s for each, {per_note:.1f} a note"
    )
    wrong = []
    if idle.trips > empty.trips + options.nodes * NODE_TRIPS:
        wrong.append(f"idle chargers cost {idle.trips - empty.trips:.0f} script calls a second")
    if per_note > NOTE_COMMANDS:
        wrong.append(f"idle chargers cost {per_note:.1f} commands for each note that they are there")
    return wrong


async def _storm(options: argparse.Namespace, crowds: Sequence[Crowd]) -> list[str]:
    """All lose their connections at once, and come back."""
    rate = admission_rate(options.admission_rate)
    allowed = options.chargers / options.nodes / (rate or UNLIMITED_PER_SECOND) + SETTLE_SLACK
    refused = sum(crowd.tally.refused for crowd in crowds)
    failed = sum(crowd.tally.failed for crowd in crowds)
    began = min(await asyncio.gather(*(crowd.cut() for crowd in crowds)))
    settled = all(await asyncio.gather(*(crowd.settled(allowed + 60) for crowd in crowds)))
    took = (max(crowd.tally.settled_at for crowd in crowds) if settled else time.time()) - began
    tallies = [crowd.tally for crowd in crowds]
    failed = sum(one.failed for one in tallies) - failed
    told = "no limit" if not rate else f"{rate:g} a second and node"
    _say(
        f"storm: {sum(one.settled for one in tallies)} of {options.chargers} chargers were back after {took:.1f} s "
        f"({told}; allowed {allowed:.0f} s), "
        f"{sum(one.refused for one in tallies) - refused} handshakes refused, "
        f"{failed} not answered, slowest boot {max(one.slowest for one in tallies):.1f} s"
    )
    unanswered, lost = sum(one.unanswered for one in tallies), sum(one.lost for one in tallies)
    wrong = [f"{unanswered} boots were not answered"] if unanswered else []
    if lost:
        wrong.append(f"{lost} connections were lost that nobody had cut")
    if not settled:
        standing = sum(one.settled for one in tallies)
        wrong.append(f"only {standing} of {options.chargers} chargers came back in {time.time() - began:.0f} s")
    elif took > allowed:
        wrong.append(f"they took {took:.0f} s to come back, {allowed:.0f} s are allowed")
    return wrong


async def _gathered(crowd: Crowd) -> None:
    if not await crowd.settled(60 + crowd.count / GATHER_PER_SECOND):
        raise SystemExit(f"only {crowd.tally.settled} of {crowd.count} chargers came: {crowd.tally}")


async def _quiet(valkey: Valkey) -> None:
    """Wait until what came with the chargers was read and published."""
    for _ in range(60):
        if (await traffic(valkey.url, 2.0)).trips < NODE_TRIPS:
            return


def _say(line: str) -> None:
    print(line, flush=True)


def main() -> int:
    options = _arguments()
    files = raise_file_limit()
    if files < options.chargers / options.nodes + SPARE_FILES:
        print(f"a process may open {files} files only: take more --nodes, or fewer --chargers")
        return 1
    with tempfile.TemporaryDirectory(prefix="crowd-") as folder:
        wrong = uvloop.run(run(options, Path(folder)))
    for line in wrong:
        _say(f"WRONG  {line}")
    _say("a crowd costs what it may, and settles" if not wrong else f"{len(wrong)} things are wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
