"""`python -m tests.chaos.home`: a day of a simulated home; exits with 1 where something was not as asked."""

import argparse
import asyncio
import shutil
import sys
import tempfile
from pathlib import Path

from tests.chaos.home.run import Day, Outcome, Plan, new_seed
from tests.chaos.home.summary import told
from tests.support.servers import Mosquitto, Valkey


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.home", description=__doc__)
    parser.add_argument("--hours", type=float, default=24.0, help="of the home's time (default 24)")
    parser.add_argument("--speed", type=float, default=300.0, help="how many times as fast it passes (default 300)")
    parser.add_argument("--hour", type=float, default=6.0, help="of the day at which it begins (default 6)")
    parser.add_argument("--seed", default="", help="decides prices, sky, cars and mishaps; drawn if absent")
    parser.add_argument("--keep", type=Path, help="folder for the logs; they are kept there whatever the outcome")
    return parser.parse_args()


async def _run(plan: Plan, folder: Path) -> Outcome:
    valkey, broker = Valkey(folder / "valkey"), Mosquitto(folder / "mosquitto")
    valkey.start()
    try:
        broker.start()
        try:
            return await Day(plan, folder / "gateway", valkey, broker).go(
                lambda line: print(line, file=sys.stderr, flush=True)
            )
        finally:
            broker.stop()
    finally:
        valkey.stop()


def main() -> int:
    arguments = _arguments()
    if Mosquitto.binary() is None:
        print("mosquitto is not installed (apt-get install mosquitto)", file=sys.stderr)
        return 1
    plan = Plan(arguments.seed or new_seed(), hours=arguments.hours, speed=arguments.speed, hour=arguments.hour)
    folder = arguments.keep or Path(tempfile.mkdtemp(prefix="home-"))
    print(f"seed {plan.seed}; logs in {folder}", file=sys.stderr, flush=True)
    outcome = asyncio.run(_run(plan, folder))
    print(told(outcome))
    if outcome.good and arguments.keep is None:
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if outcome.good else 1


if __name__ == "__main__":
    sys.exit(main())
