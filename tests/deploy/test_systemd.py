"""The systemd unit: as systemd's own checks see it, and the gateway within what it forbids."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gateway.config import Settings
from tests.deploy.dockerfile import DEPLOY
from tests.deploy.stack import tool
from tests.support.servers import free_port

UNIT = DEPLOY / "systemd" / "ocpp-gateway.service"
OF_A_USER = DEPLOY / "systemd" / "user" / "ocpp-gateway.service"
MOST_EXPOSED = 2.0
"""Of systemd's ten; what is left is mostly that the gateway uses the network."""

CONFINED = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
NO_NEW_PRIVILEGES, NO_MEMORY_WRITTEN_AND_EXECUTED = 38, 65
if libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) or libc.prctl(NO_MEMORY_WRITTEN_AND_EXECUTED, 1, 0, 0, 0):
    sys.exit(77)
os.execvp(sys.argv[1], sys.argv[1:])
"""
"""Starts a program under NoNewPrivileges and MemoryDenyWriteExecute."""


def options(unit: Path = UNIT) -> dict[str, str]:
    return dict(re.findall(r"^(\w+)=(.*)$", unit.read_text(), re.MULTILINE))


def test_systemd_takes_the_unit_and_finds_it_little_exposed(tmp_path: Path) -> None:
    analyze = tool("systemd-analyze", "systemd")
    unit = tmp_path / UNIT.name
    command = options()["ExecStart"].split()[0]
    unit.write_text(UNIT.read_text().replace(command, sys.executable))
    checked = subprocess.run([analyze, "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False)
    about_it = [line for line in checked.stderr.splitlines() if unit.name in line]
    assert about_it == []
    judged = subprocess.run(
        [analyze, "security", "--offline=true", f"--threshold={MOST_EXPOSED * 10:.0f}", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert judged.returncode == 0, judged.stdout + judged.stderr


def test_systemd_takes_the_unit_of_a_user(tmp_path: Path) -> None:
    analyze = tool("systemd-analyze", "systemd")
    unit = tmp_path / OF_A_USER.name
    unit.write_text(OF_A_USER.read_text().replace(options(OF_A_USER)["ExecStart"].split()[0], sys.executable))
    environment = {**os.environ, "HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)}
    command = [analyze, "verify", "--user", "--man=no", str(unit)]
    checked = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert [line for line in checked.stderr.splitlines() if unit.name in line] == []
    assert "Failed" not in checked.stderr


@pytest.mark.parametrize("unit", [UNIT, OF_A_USER], ids=["system", "user"])
def test_it_has_the_time_that_draining_takes(unit: Path) -> None:
    settings = Settings()
    longest = settings.gateway.shutdown_deadline + settings.rest.stop_timeout + 10
    assert int(options(unit)["TimeoutStopSec"]) >= longest


@pytest.mark.timeout(300)
def test_the_gateway_works_within_what_the_unit_forbids(tmp_path: Path) -> None:
    unit = options()
    assert (unit["NoNewPrivileges"], unit["MemoryDenyWriteExecute"], unit["CapabilityBoundingSet"]) == (
        "yes",
        "yes",
        "",
    )
    state, folder = tmp_path / "state", tmp_path / "etc"
    state.mkdir()
    folder.mkdir()
    ports = {section: free_port() for section in ("REST__PORT", "CHARGERS__PORT", "MQTT__EMBEDDED_PORT")}
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("OCPP_GATEWAY")},
        **dict(pair.split("=", 1) for pair in unit["Environment"].split()),
        **{f"OCPP_GATEWAY__{name}": str(port) for name, port in ports.items()},
        "STATE_DIRECTORY": str(state),
        "PYTHONPATH": str(DEPLOY.parent),
    }
    for name in ("REDIS_URL", "MQTT_URL"):
        environment.pop(name, None)
    arguments = unit["ExecStart"].split()[1:]
    drop = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
    command = [*drop, sys.executable, "-c", CONFINED, sys.executable, "-m", "gateway", *arguments]
    log = tmp_path / "log"
    with log.open("wb") as output:
        gateway = subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + 180
        while "chargers may connect" not in log.read_text() and time.monotonic() < deadline:
            if gateway.poll() == 77:
                pytest.skip("this kernel cannot forbid memory that is written and executed (Linux 6.3 or newer can)")
            assert gateway.poll() is None, log.read_text()
            time.sleep(0.1)
        assert "chargers may connect" in log.read_text(), log.read_text()
        gateway.send_signal(signal.SIGTERM)
        assert gateway.wait(60) == 0, log.read_text()
    finally:
        gateway.kill()
    assert "drained" in log.read_text()
    assert any(state.iterdir())
