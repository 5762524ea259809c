"""`python -m tests.chaos.nodes`: nodes come and go; exits with 1 for any breach, and where too little was done."""

import argparse
import asyncio
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import uvloop

from tests.chaos.nodes.run import Outcome, Plan, Run
from tests.chaos.nodes.schedule import KINDS
from tests.chaos.nodes.summary import command, told
from tests.chaos.run.run import new_seed


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.nodes", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long faults come (default 10)")
    parser.add_argument("--seed", default="", help="decides what fails when and who says what; drawn if absent")
    parser.add_argument("--nodes", type=int, default=3, help="gateway processes (default 3)")
    parser.add_argument("--chargers", type=int, default=3000, help="of OCPP 1.6, 2.0.1 and 2.1 (default 3000)")
    parser.add_argument("--faults", type=int, default=0, help="how many (default: 3 a minute)")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS, help="of which kinds (default: all)")
    parser.add_argument("--pause", type=float, default=20.0, help="seconds between two messages of one (default 20)")
    parser.add_argument("--rate", type=float, default=10.0, help="commands a second (default 10)")
    parser.add_argument("--nameless", action="store_true", help="commands over MQTT without an id, too")
    parser.add_argument("--keep", type=Path, help="folder for the logs; they are kept there whatever the outcome")
    return parser.parse_args()


async def _run(plan: Plan, folder: Path) -> Outcome:
    run = Run(plan, folder, lambda line: print(line, file=sys.stderr, flush=True))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, run.stop)
    return await run.go()


def main() -> int:
    arguments = _arguments()
    plan = Plan(
        arguments.seed or new_seed(),
        seconds=arguments.minutes * 60,
        nodes=arguments.nodes,
        chargers=arguments.chargers,
        faults=arguments.faults or max(3, round(arguments.minutes * 3)),
        kinds=arguments.kinds,
        pause=arguments.pause,
        rate=arguments.rate,
        nameless=arguments.nameless,
    )
    folder = arguments.keep or Path(tempfile.mkdtemp(prefix="nodes-"))
    print(f"seed {plan.seed}; to repeat it: {command(plan)}\nlogs in {folder}", file=sys.stderr, flush=True)
    outcome = uvloop.run(_run(plan, folder))
    print(told(outcome))
    if outcome.good and arguments.keep is None:
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if outcome.good else 1


if __name__ == "__main__":
    sys.exit(main())
