"""`python -m tests.chaos.run`: a chaos run as long as you like.

Exits with 1 where the books do not add up, and where fewer transactions or faults came than were asked for.
"""

import argparse
import sys
from pathlib import Path

from tests.chaos.program import Tell, carried_out, options, stopped_by_signals
from tests.chaos.run.run import Outcome, Plan, Run, new_seed
from tests.chaos.run.summary import command, told
from tests.support.servers import Mosquitto


def _arguments() -> argparse.Namespace:
    parser = options("run", __doc__, seed="who charges what and what fails when")
    parser.add_argument("--minutes", type=float, default=10.0, help="how long faults are injected (default 10)")
    parser.add_argument("--chargers", type=int, default=50, help="half of them OCPP 1.6, half 2.0.1 (default 50)")
    parser.add_argument("--faults", type=int, default=0, help="how many (default: 4.5 a minute)")
    parser.add_argument(
        "--transactions", type=int, default=0, help="how many there must be at least (default: by minutes and chargers)"
    )
    parser.add_argument("--pause", type=float, default=1.0, help="seconds between two messages, about (default 1)")
    parser.add_argument("--broker", choices=["mosquitto", "embedded"], help="default: mosquitto where it is installed")
    return parser.parse_args()


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

    async def go(folder: Path, tell: Tell) -> Outcome:
        run = Run(plan, folder, tell)
        stopped_by_signals(run.stop)
        return await run.go()

    announced = f"seed {plan.seed}; to repeat it: {command(plan)}"
    return carried_out("chaos", go, told, announced=announced, keep=arguments.keep)


if __name__ == "__main__":
    sys.exit(main())
