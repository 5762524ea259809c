"""`python -m tests.chaos.nodes`: nodes come and go; exits with 1 for any breach, and where too little was done."""

import argparse
import sys
from pathlib import Path

from tests.chaos.nodes.run import Outcome, Plan, Run
from tests.chaos.nodes.schedule import KINDS
from tests.chaos.nodes.summary import command, told
from tests.chaos.program import Tell, carried_out, options, stopped_by_signals
from tests.chaos.run.run import new_seed


def _arguments() -> argparse.Namespace:
    parser = options("nodes", __doc__, seed="what fails when and who says what")
    parser.add_argument("--minutes", type=float, default=10.0, help="how long faults come (default 10)")
    parser.add_argument("--nodes", type=int, default=3, help="gateway processes (default 3)")
    parser.add_argument("--chargers", type=int, default=3000, help="of OCPP 1.6, 2.0.1 and 2.1 (default 3000)")
    parser.add_argument("--faults", type=int, default=0, help="how many (default: 3 a minute)")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS, help="of which kinds (default: all)")
    parser.add_argument("--pause", type=float, default=20.0, help="seconds between two messages of one (default 20)")
    parser.add_argument("--rate", type=float, default=10.0, help="commands a second (default 10)")
    parser.add_argument("--nameless", action="store_true", help="commands over MQTT without an id, too")
    return parser.parse_args()


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

    async def go(folder: Path, tell: Tell) -> Outcome:
        run = Run(plan, folder, tell)
        stopped_by_signals(run.stop)
        return await run.go()

    announced = f"seed {plan.seed}; to repeat it: {command(plan)}"
    return carried_out("nodes", go, told, announced=announced, keep=arguments.keep)


if __name__ == "__main__":
    sys.exit(main())
