"""`python -m tests.chaos.home`: a day of a simulated home; exits with 1 where something was not as asked."""

import argparse
import sys
from pathlib import Path

from tests.chaos.home.run import Day, Outcome, Plan, new_seed
from tests.chaos.home.summary import told
from tests.chaos.program import Tell, carried_out, options
from tests.support.servers import Mosquitto, Valkey


def _arguments() -> argparse.Namespace:
    parser = options("home", __doc__, seed="prices, sky, cars and mishaps")
    parser.add_argument("--hours", type=float, default=24.0, help="of the home's time (default 24)")
    parser.add_argument("--speed", type=float, default=300.0, help="how many times as fast it passes (default 300)")
    parser.add_argument("--hour", type=float, default=6.0, help="of the day at which it begins (default 6)")
    return parser.parse_args()


def main() -> int:
    arguments = _arguments()
    if Mosquitto.binary() is None:
        print("mosquitto is not installed (apt-get install mosquitto)", file=sys.stderr)
        return 1
    plan = Plan(arguments.seed or new_seed(), hours=arguments.hours, speed=arguments.speed, hour=arguments.hour)

    async def go(folder: Path, tell: Tell) -> Outcome:
        valkey, broker = Valkey(folder / "valkey"), Mosquitto(folder / "mosquitto")
        valkey.start()
        try:
            broker.start()
            try:
                return await Day(plan, folder / "gateway", valkey, broker).go(tell)
            finally:
                broker.stop()
        finally:
            valkey.stop()

    return carried_out("home", go, told, announced=f"seed {plan.seed}", keep=arguments.keep)


if __name__ == "__main__":
    sys.exit(main())
