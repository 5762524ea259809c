"""`ocpp-gateway serve` under cProfile; the statistics go to the file that the first argument names."""

import cProfile
import sys

from gateway.cli import main


def run() -> None:
    target = sys.argv.pop(1)
    profile = cProfile.Profile()
    try:
        profile.runcall(main)
    finally:
        profile.dump_stats(target)


if __name__ == "__main__":
    run()
