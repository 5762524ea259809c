"""`python -m tests.chaos.unhurried` is `ocpp-gateway` that waits long for a node to hand a charger over: what is tested
is the order of commands, and not how long a busy machine may hold that node up."""

from gateway.cli import main
from gateway.core import waiting
from tests.support.gateway_process import GatewayProcess


class Unhurried(GatewayProcess):
    """A node of this kind."""

    program = ("tests.chaos.unhurried", "serve")


if __name__ == "__main__":
    waiting.HANDOVER_SECONDS = 60.0
    main()
