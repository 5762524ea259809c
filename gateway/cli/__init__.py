"""The command `ocpp-gateway`: serve, simulate, tail, send, check-config, version."""

from gateway.cli.commands import main

__all__ = ["main"]
