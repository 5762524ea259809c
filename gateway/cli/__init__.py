"""The command `ocpp-gateway`: serve, simulate, tail, send, check-config, doctor, healthcheck, version."""

from gateway.cli.commands import main

__all__ = ["main"]
