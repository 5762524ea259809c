"""What is said at start, and when no charger comes."""

import asyncio
import contextlib
import os
import re
import signal
import socket
import sys
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from structlog.testing import capture_logs

from gateway import interfaces
from gateway.chargers.config import ChargersConfig
from gateway.core.errors import LogUnavailable
from gateway.core.ports import Page
from gateway.core.refusals import Refusals
from gateway.interfaces import addresses, charger_urls
from gateway.welcome import tell_if_nobody_comes, tell_where
from tests.support.servers import free_port
from tests.test_cli import environment


@pytest.fixture(autouse=True)
def a_house(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine in two networks, with a container's, one that is down, and no mDNS unless a test says so."""

    def of(family: int, address: str) -> SimpleNamespace:
        return SimpleNamespace(family=family, address=address)

    networks = {
        "lo": [of(socket.AF_INET, "127.0.0.1"), of(socket.AF_INET6, "::1")],
        "eth0": [
            of(socket.AF_INET, "192.168.1.5"),
            of(socket.AF_INET6, "fe80::1%eth0"),
            of(socket.AF_INET6, "fd00::5"),
        ],
        "wlan0": [of(socket.AF_INET, "192.168.2.5")],
        "docker0": [of(socket.AF_INET, "172.17.0.1")],
        "tun0": [of(socket.AF_INET, "10.8.0.2")],
    }
    monkeypatch.setattr(psutil, "net_if_addrs", lambda: networks)
    up = {name: SimpleNamespace(isup=name != "tun0") for name in networks}
    monkeypatch.setattr(psutil, "net_if_stats", lambda: up)
    responder = tmp_path / "avahi"
    monkeypatch.setattr(interfaces, "_MDNS_RESPONDER", responder)
    monkeypatch.setattr(interfaces, "_IN_A_CONTAINER", (tmp_path / ".dockerenv",))
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(socket, "gethostname", lambda: "Garage.fritz.box")
    return responder


def told() -> list[tuple[str, str]]:
    with capture_logs() as entries:
        tell_where(ChargersConfig(), 9000)
    assert entries[-1]["event"] == "a charger does not connect? `ocpp-gateway doctor` tells why"
    return [(entry["url"], entry.get("network", "")) for entry in entries[:-1]]


def test_the_address_to_type_in_is_told_for_each_network() -> None:
    assert told() == [("ws://192.168.1.5:9000/<charger id>", "eth0"), ("ws://192.168.2.5:9000/<charger id>", "wlan0")]


def test_the_name_of_the_machine_is_told_where_it_announces_it(a_house: Path) -> None:
    a_house.touch()
    assert told()[-1][0] == "ws://garage.local:9000/<charger id>"


def test_in_a_container_the_hosts_address_is_asked_for_too(a_house: Path) -> None:
    a_house.with_name(".dockerenv").touch()
    assert told()[1:] == [
        ("ws://192.168.2.5:9000/<charger id>", "wlan0"),
        ("ws://<address of the host>:<published port>/<charger id>", ""),
    ]


def test_with_tls_it_is_wss_and_a_listener_on_one_address_is_told_as_that(certificate: tuple[Path, Path]) -> None:
    chain, key = certificate
    config = ChargersConfig(host="192.168.2.5", tls_certificate=(chain,), tls_key=(key,))
    assert list(charger_urls(config, 443)) == [("wss://192.168.2.5:443/<charger id>", "")]
    assert [address.in_url for address in addresses("::")] == ["[fd00::5]"]


def test_where_the_system_tells_no_address_the_gateway_starts_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden() -> None:
        raise OSError(97, "Address family not supported by protocol")

    monkeypatch.setattr(psutil, "net_if_addrs", forbidden)
    assert told() == [("ws://<this machine>:9000/<charger id>", "")]


class State:
    """The chargers that are known."""

    def __init__(self, *known: str, away: bool = False) -> None:
        self._known, self._away = known, away

    async def chargers(self, *, after: str | None = None, limit: int = 100) -> Page:
        if self._away:
            raise LogUnavailable("away")
        return Page(list(self._known))


async def said(state: State, refusals: Refusals | None = None, *, connected: int = 0) -> list[dict[str, object]]:
    with capture_logs() as entries:
        store: object = state
        await tell_if_nobody_comes(store, lambda: connected, refusals or Refusals(), patience=0)  # type: ignore[arg-type]
    return [dict(entry) for entry in entries]


async def test_when_nobody_has_ever_come_the_reason_is_looked_for_in_the_network() -> None:
    (entry,) = await said(State())
    assert entry["event"] == "no charger has connected yet"
    assert "none has even tried" in str(entry["hint"])


async def test_when_somebody_was_refused_that_is_the_hint() -> None:
    refusals = Refusals()
    refusals.note("no_subprotocol", "offers no subprotocol", remote="192.168.1.9:1", now=1, charger_id="WALLBOX")
    (entry,) = await said(State(), refusals)
    assert (entry["refused"], entry["reason"]) == ("WALLBOX", "offers no subprotocol")
    assert "default_subprotocol" in str(entry["hint"])


async def test_once_a_charger_was_there_or_redis_is_away_nothing_is_said() -> None:
    assert await said(State("CP1")) == await said(State(), connected=1) == await said(State(away=True)) == []


_HASTY = "import gateway.welcome; gateway.welcome.PATIENCE = 0.1; from gateway.cli import main; main()"


async def test_a_gateway_says_so_by_itself(tmp_path: Path) -> None:
    ports = {name: str(free_port()) for name in ("CHARGERS__PORT", "REST__PORT", "MQTT__EMBEDDED_PORT")}
    gateway = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _HASTY, "serve", "--data-dir", str(tmp_path / "data")),
        cwd=tmp_path,
        env=environment(**{f"OCPP_GATEWAY__{name}": port for name, port in ports.items()}),
        stderr=asyncio.subprocess.PIPE,
    )
    lines: list[str] = []
    assert gateway.stderr is not None
    try:
        async with asyncio.timeout(90):
            async for line in gateway.stderr:
                lines.append(line.decode())
                if "no charger has connected yet" in lines[-1]:
                    break
        gateway.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(gateway.wait(), 60) == 0
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(gateway.pid, signal.SIGKILL)
    (url, *_) = re.findall(r"chargers may connect.*?(wss?://[^\"]+)", "".join(lines))
    assert url.endswith(f":{ports['CHARGERS__PORT']}/<charger id>")
