"""Chargers in a process of their own: `python -m tests.chaos.nodes.herd CONFIG`, told what to do by lines on stdin.

`finish`: end what was begun, and stay; `leave`: write everything down and end. Says on stdout, twice a second, how
many chargers there are of which kind.
"""

import asyncio
import json
import random
import sys
from pathlib import Path
from typing import Any

import uvloop

from tests.chaos.nodes.charger import Charger, Habits
from tests.chaos.nodes.facts import save

STATUS_SECONDS = 0.5


async def _orders(chargers: list[Charger]) -> None:
    """Do what stdin says until it says `leave`, or ends."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while True:
        line = (await reader.readline()).decode().strip()
        if line == "finish":
            for charger in chargers:
                charger.finish()
        elif line in ("leave", ""):
            return


async def _tell(chargers: list[Charger]) -> None:
    while True:
        told = {
            "open": sum(charger.is_open for charger in chargers),
            "waiting": sum(charger.is_waiting for charger in chargers),
            "at_rest": sum(charger.is_at_rest for charger in chargers),
        }
        print(json.dumps(told), flush=True)
        await asyncio.sleep(STATUS_SECONDS)


async def run(config: dict[str, Any]) -> None:
    habits = Habits(**{**config["habits"], "away": tuple(config["habits"]["away"])})
    chargers = [
        Charger(identity, version, habits, config["ports"], config["seed"]) for identity, version in config["chargers"]
    ]
    draw = random.Random(f"{config['seed']}/beginnings")
    async with asyncio.TaskGroup() as tasks:
        for charger in chargers:
            tasks.create_task(charger.run(after=draw.uniform(0, config["spread"])), name="charger")
        telling = tasks.create_task(_tell(chargers), name="status")
        await _orders(chargers)
        for charger in chargers:
            charger.leave()
        telling.cancel()
    save([charger.facts for charger in chargers], Path(config["report"]))


if __name__ == "__main__":
    uvloop.run(run(json.loads(Path(sys.argv[1]).read_text())))
