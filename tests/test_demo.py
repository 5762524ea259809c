"""`make demo`, as a newcomer runs it."""

import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.test_cli import environment


def descendants(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


@pytest.mark.timeout(300)
def test_shows_two_chargers_a_state_and_a_command_and_leaves_nothing_behind(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "gateway.demo", "--seconds", "120"]
    seen: list[str] = []
    started: list[psutil.Process] = []
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment(TMPDIR=str(tmp_path)), stdout=subprocess.PIPE, text=True
    ) as demo:
        assert demo.stdout is not None
        for line in demo.stdout:
            seen.append(line)
            if "What the charger makes of it" in line:
                break
        for line in demo.stdout:
            seen.append(line)
            if "transaction/ended" in line and "DEMO-1" in line:
                break
        started = descendants(demo)
        demo.send_signal(signal.SIGINT)
        seen.append(demo.stdout.read())
    text = "".join(seen)
    assert demo.returncode == 0, text
    for charger in ("DEMO-1", "DEMO-2"):
        for event in ("charger/connected", "charger/booted", "connector/status", "transaction/started"):
            assert f"ocpp/chargers/{charger}/event/{event} " in text, text
    assert "outcome: accepted" in text
    assert '"availability": "online"' in text
    assert text.rstrip().endswith("nothing of it is left running.")
    assert len(started) >= 4
    _, alive = psutil.wait_procs(started, timeout=60)
    assert not alive
    assert not list(tmp_path.glob("ocpp-gateway-demo-*"))


def test_ends_by_itself_and_cleanly_while_it_still_starts(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gateway.demo", "--seconds", "0.3"],
        cwd=tmp_path,
        env=environment(TMPDIR=str(tmp_path)),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not list(tmp_path.glob("ocpp-gateway-demo-*"))
