"""The gateway with other times than users have, where a busy machine, or a test's patience, asks for that:
`python -m tests.chaos.retimed module.CONSTANT=seconds ... serve --config FILE`."""

import sys
from collections.abc import Mapping
from importlib import import_module

from gateway.cli import main
from tests.support.gateway_process import GatewayProcess


def retimed(seconds: Mapping[str, float]) -> type[GatewayProcess]:
    """A node for which these constants, named in full, have other values."""

    class Retimed(GatewayProcess):
        program = ("tests.chaos.retimed", *(f"{name}={value}" for name, value in seconds.items()), "serve")

    return Retimed


def _retime(constants: list[str]) -> None:
    for told in constants:
        name, _, value = told.partition("=")
        module, _, constant = name.rpartition(".")
        place = import_module(module)
        assert isinstance(getattr(place, constant), float), f"{name} is no time"
        setattr(place, constant, float(value))


if __name__ == "__main__":
    begin = sys.argv.index("serve")
    _retime(sys.argv[1:begin])
    sys.argv[1:begin] = []
    main()
