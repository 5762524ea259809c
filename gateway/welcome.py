"""What whoever starts the gateway is told: where to point the wallbox, and what to look at when nobody comes."""

import asyncio
from collections.abc import Callable

import structlog

from gateway.chargers.config import ChargersConfig
from gateway.core.errors import LogUnavailable
from gateway.core.ports import StateStore
from gateway.core.refusals import ADVICE, Refusals
from gateway.interfaces import charger_urls, in_a_container

_log = structlog.get_logger(__name__)

PATIENCE = 300.0
"""Seconds after which somebody who has just installed the gateway wonders why no charger is there."""


def tell_where(config: ChargersConfig, port: int) -> None:
    """Log what to type into a wallbox, for each network that this machine is in."""
    scheme = "wss" if config.tls_certificate else "ws"
    urls = list(charger_urls(config, port))
    for url, network in urls or [(f"{scheme}://<this machine>:{port}/<charger id>", "")]:
        _log.info("chargers may connect", url=url, **({"network": network} if network else {}))
    if in_a_container():
        _log.info("this is a container: unless it has its host's network, chargers connect to its host",
                  url=f"{scheme}://<address of the host>:<published port>/<charger id>")  # fmt: skip
    _log.info("a charger does not connect? `ocpp-gateway doctor` tells why")


async def tell_if_nobody_comes(
    state: StateStore, connection_count: Callable[[], int], refusals: Refusals, *, patience: float | None = None
) -> None:
    """Say once, after a while, that no charger has ever been here, and what was refused meanwhile."""
    await asyncio.sleep(PATIENCE if patience is None else patience)
    try:
        known = (await state.chargers(limit=1)).items
    except LogUnavailable:
        return
    if known or connection_count():
        return
    latest = next(iter(refusals.latest()), None)
    if latest is None:
        _log.warning(
            "no charger has connected yet",
            hint="none has even tried: is the address in the wallbox right, and is it in the same network? A firewall "
            "may keep it out",
            see="ocpp-gateway doctor",
        )
    else:
        _log.warning("no charger has connected yet", refused=latest.charger_id or latest.address,
                     reason=latest.reason, hint=ADVICE[latest.cause], see="ocpp-gateway doctor")  # fmt: skip
