"""This machine's own addresses: what to type into a wallbox."""

import ipaddress
import re
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from gateway.chargers.config import ChargersConfig

EVERY_V4, EVERY_V6 = "0.0.0.0", "::"  # noqa: S104
_OF_CONTAINERS = re.compile(r"(docker|br-|veth|virbr|cni|flannel|hassio|podman)")
_MDNS_RESPONDER = Path("/run/avahi-daemon/socket")
_IN_A_CONTAINER = (Path("/.dockerenv"), Path("/run/.containerenv"))


@dataclass(frozen=True, slots=True)
class Address:
    """One address of one network interface."""

    interface: str
    ip: str

    @property
    def in_url(self) -> str:
        return f"[{self.ip}]" if ":" in self.ip else self.ip


def addresses(host: str) -> list[Address]:
    """Where others reach a listener on `host`: that address itself, or those of every network that it stands for.

    Loopback, link-local addresses and the networks of containers are left out. None where the system tells nothing, as
    under a service manager that forbids it (RestrictAddressFamilies without AF_NETLINK).
    """
    if host not in (EVERY_V4, EVERY_V6):
        return [Address("", host)]
    family = socket.AF_INET if host == EVERY_V4 else socket.AF_INET6
    try:
        up = {name for name, stats in psutil.net_if_stats().items() if stats.isup}
        networks = psutil.net_if_addrs()
    except (OSError, psutil.Error):
        return []
    return [
        Address(name, entry.address)
        for name, entries in networks.items()
        for entry in entries
        if entry.family == family and name in up and not _OF_CONTAINERS.match(name) and _is_of_others(entry.address)
    ]


def _is_of_others(address: str) -> bool:
    ip = ipaddress.ip_address(address.partition("%")[0])
    return not (ip.is_loopback or ip.is_link_local)


def local_name() -> str | None:
    """The name under which this machine announces itself in its network (mDNS); None where nothing does that."""
    if sys.platform != "darwin" and not _MDNS_RESPONDER.exists():
        return None
    return f"{socket.gethostname().partition('.')[0].lower()}.local"


def in_a_container() -> bool:
    """Whether the addresses are a container's own, which chargers do not reach."""
    return any(mark.exists() for mark in _IN_A_CONTAINER)


def charger_urls(config: ChargersConfig, port: int) -> Iterator[tuple[str, str]]:
    """What to type into a wallbox, and by which network it works; for each address, and the mDNS name."""
    scheme = "wss" if config.tls_certificate else "ws"
    for address in addresses(config.host):
        yield f"{scheme}://{address.in_url}:{port}/<charger id>", address.interface
    name = local_name()
    if name is not None and config.host in (EVERY_V4, EVERY_V6) and not in_a_container():
        yield f"{scheme}://{name}:{port}/<charger id>", "mDNS, where the wallbox knows it"
