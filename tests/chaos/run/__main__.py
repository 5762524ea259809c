"""`python -m tests.chaos.run`: a chaos run as long as you like.

Exits with 1 where the books do not add up, and where fewer transactions or faults came than were asked for.
"""

import argparse
import asyncio
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from tests.chaos.run.run import Outcome, Plan, Run, new_seed
from tests.chaos.run.summary import command, told
from tests.support.servers import Mosquitto


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.run", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long faults are injected (default 10)")
    parser.add_argument("--seed", default="", help="decides who charges what and what fails when; drawn if absent")
    parser.add_argument("--chargers", type=int, default=50, help="half of them OCPP 1.6, half 2.0.1 (default 50)")
    parser.add_argument("--faults", type=int, default=0, help="how many (default: 4.5 a minute)")
    parser.add_argument(
        "--transactions", type=int, default=0, help="how many there must be at least (default: by minutes and chargers)"
    )
    parser.add_argument("--pause", type=float, default=1.0, help="seconds between two messages, about (default 1)")
    parser.add_argument("--broker", choices=["mosquitto", "embedded"], help="default: mosquitto where it is installed")
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
        chargers=arguments.chargers,
        pause=arguments.pause,
        transactions=arguments.transactions,
        faults=arguments.faults or max(3, round(arguments.minutes * 4.5)),
        persistent=arguments.broker != "embedded" and (arguments.broker is not None or Mosquitto.binary() is not None),
    )
    folder = arguments.keep or Path(tempfile.mkdtemp(prefix="chaos-"))
    print(f"seed {plan.seed}; to repeat it: {command(plan)}\nlogs in {folder}", file=sys.stderr, flush=True)
    try:
        import uvloop
    except ImportError:
        outcome = asyncio.run(_run(plan, folder))
    else:
        outcome = uvloop.run(_run(plan, folder))
    print(told(outcome))
    if outcome.good and arguments.keep is None:
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if outcome.good else 1


if __name__ == "__main__":
    sys.exit(main())
