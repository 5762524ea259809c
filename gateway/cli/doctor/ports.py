"""The ports that the gateway listens on: free, or whose? And can they be reached from outside?"""

import errno
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from gateway.chargers.config import ChargersConfig
from gateway.cli.doctor.findings import Finding, Findings
from gateway.interfaces import EVERY_V4, EVERY_V6, addresses, charger_urls, in_a_container

_CHARGERS = Findings("chargers' port")
_FIREWALL = Findings("firewall")
_CONNECT_SECONDS = 2.0
_OURS = ("ocpp-gateway", "gateway")


@dataclass(frozen=True, slots=True)
class Holder:
    """Who listens on a port. `name` is None where the system does not tell this user."""

    name: str | None
    pid: int | None = None
    is_gateway: bool = False

    def __str__(self) -> str:
        return "another program (sudo shows which)" if self.name is None else f"{self.name} (process {self.pid})"


def holder(host: str, port: int) -> Holder | None:
    """Who listens there; None where the port is free. Raises OSError where it cannot be bound for another reason."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        try:
            probe.bind((host, port))
            return None
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
    return _listener(port)


def _listener(port: int) -> Holder:
    try:
        connections = psutil.net_connections("tcp")
    except (psutil.Error, OSError):
        return Holder(None)
    for connection in connections:
        if connection.status != psutil.CONN_LISTEN or not connection.laddr or connection.pid is None:
            continue
        if connection.laddr.port == port:
            try:
                process = psutil.Process(connection.pid)
                return Holder(process.name(), connection.pid, _is_gateway(process.cmdline()))
            except psutil.Error:
                break
    return Holder(None)


def _is_gateway(command: list[str]) -> bool:
    return "serve" in command and any(Path(word).name in _OURS for word in command)


def examine_port(
    area: str, host: str, port: int, *, is_running: bool, option: str, advice: str | None = None
) -> Iterator[Finding]:
    """Whether a port is there for the gateway. `option` names what sets it, `advice` what to do where it is taken."""
    findings = Findings(area)
    if port == 0:
        yield findings.ok("any free port is taken at start")
        return
    try:
        found = holder(host, port)
    except OSError as error:
        told = f"{host}:{port} cannot be listened on: {error.strerror}"
        yield findings.problem(told, f"set {option} host and port to an address of this machine and a port above 1023")
        return
    if found is None and is_running:
        yield findings.problem(
            f"a gateway runs here, and nothing listens on port {port}",
            "was it started with another port (--listen, another configuration)? Is it still starting? See its log",
        )
    elif found is None:
        yield findings.ok(f"port {port} is free")
    elif found.is_gateway or (found.name is None and is_running):
        yield findings.ok(f"the gateway listens on port {port}")
    else:
        told = f"port {port} is taken by {found}"
        yield findings.problem(told, advice or f"stop that program, or set {option} port to another one")


def examine_reach(config: ChargersConfig, *, is_running: bool) -> Iterator[Finding]:
    """What to type into a wallbox, and whether that address answers here."""
    if config.host.startswith("127.") or config.host in ("::1", "localhost"):
        yield _CHARGERS.warning(
            f"it listens on {config.host}: only this machine can connect", f'set [chargers] host = "{EVERY_V4}"'
        )
        return
    for url, network in charger_urls(config, config.port):
        yield _CHARGERS.ok(f"type into the wallbox: {url}" + (f"  ({network})" if network else ""))
    if in_a_container():
        yield _CHARGERS.ok(
            "this is a container: unless it has its host's network, chargers connect to its host",
            f"publish the port (-p {config.port}:{config.port}), and type the host's address into the wallbox",
        )
    elif not addresses(config.host):
        yield _CHARGERS.problem("this machine has no address in a network", "connect it to the wallboxes' network")
    for address in addresses(config.host) if is_running else ():
        try:
            _knock(address.ip, config)
        except OSError as error:
            yield _CHARGERS.problem(
                f"{address.ip}:{config.port} does not answer: {error.strerror or error}",
                f'set [chargers] host = "{EVERY_V6 if ":" in address.ip else EVERY_V4}", and look at the firewall',
            )


def _knock(ip: str, config: ChargersConfig) -> None:
    """Connect and hang up, in a way that the gateway does not take for a charger that fails. Raises OSError."""
    with socket.create_connection((ip, config.port), timeout=_CONNECT_SECONDS) as connection:
        if config.tls_certificate and config.tls_client_ca is None:
            with ssl._create_unverified_context().wrap_socket(connection):
                pass


def examine_firewall(port: int, root: Path = Path("/")) -> Iterator[Finding]:
    """What can be seen of a firewall without being root."""
    if _ufw_is_on(root):
        allow = f"sudo ufw allow {port}/tcp"
        rules = root / "etc/ufw/user.rules"
        try:
            if f"--dport {port} " in rules.read_text():
                yield _FIREWALL.ok(f"ufw is on, and has a rule for port {port}")
            else:
                yield _FIREWALL.warning(f"ufw is on, and has no rule for port {port}", allow)
        except OSError:
            yield _FIREWALL.ok("ufw is on; whether it lets chargers in is shown to root only", f"if not: {allow}")
    elif shutil.which("firewall-cmd") and _says("firewall-cmd", "--state") == "running":
        if _says("firewall-cmd", f"--query-port={port}/tcp") == "yes":
            yield _FIREWALL.ok(f"firewalld is on, and lets port {port} in")
        else:
            allow = f"sudo firewall-cmd --permanent --add-port={port}/tcp && sudo firewall-cmd --reload"
            yield _FIREWALL.warning(f"firewalld is on, and does not seem to let port {port} in", allow)
    else:
        yield _FIREWALL.ok(
            "neither ufw nor firewalld is on here",
            f"if nothing connects, try from another machine: curl http://<this machine>:{port}/ must say something; "
            "a router may keep WiFi guests or IoT networks apart",
        )


def _ufw_is_on(root: Path) -> bool:
    try:
        lines = (root / "etc/ufw/ufw.conf").read_text().splitlines()
    except OSError:
        return False
    return any(line.replace(" ", "").lower() == "enabled=yes" for line in lines)


def _says(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()
