"""What `pipx install` and `uv tool install` do: the wheel is built, installed into a fresh environment, and run."""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from tests.deploy.dockerfile import DEPLOY
from tests.support.servers import free_port

ROOT = DEPLOY.parent
COPIED = ("pyproject.toml", "README.md", "LICENSE", "gateway", "adapters")


def built(folder: Path) -> Path:
    """The wheel, built from a copy, as pip builds it."""
    source = folder / "source"
    source.mkdir()
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, source)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]
    done = subprocess.run(
        [*pip, "wheel", "--no-deps", "--wheel-dir", str(folder), str(source)],
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    if done.returncode and re.search(r"No matching distribution found for setuptools", done.stderr):
        pytest.skip("PyPI cannot be reached, so that no wheel can be built")
    assert done.returncode == 0, done.stderr
    (wheel,) = folder.glob("*.whl")
    return wheel


def installed(wheel: Path, folder: Path) -> Path:
    """The command of the wheel in a fresh environment, which is lent the tests' own packages: nothing is fetched."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True, timeout=60)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(folder / "bin" / "python")]
    options = ["--no-deps", "--no-index", "--no-compile", "--quiet"]
    subprocess.run([*pip, "install", *options, str(wheel)], check=True, timeout=100, cwd=folder)
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin" / "ocpp-gateway"


@pytest.mark.timeout(400)
def test_the_wheel_carries_all_that_is_no_code_and_its_command_works(tmp_path: Path) -> None:
    wheel = built(tmp_path)
    carried = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith(("gateway/", "adapters/"))}
    there = {
        str(path.relative_to(ROOT))
        for package in ("gateway", "adapters")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert any(name.endswith(".lua") for name in carried)
    # Those are for readers of the code.
    assert [name for name in sorted(there - carried) if not name.endswith("/README.md")] == []
    assert "adapters/homeassistant/languages/de.toml" in carried

    command = installed(wheel, tmp_path / "environment")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    own = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHONPATH", "OCPP_GATEWAY"))}
    ports = {f"OCPP_GATEWAY__{name}__PORT": str(free_port()) for name in ("CHARGERS", "REST")}
    ports["OCPP_GATEWAY__MQTT__EMBEDDED_PORT"] = str(free_port())
    ports["OCPP_GATEWAY__CHARGERS__HOST"] = "127.0.0.1"
    environment = {**own, **ports, "XDG_STATE_HOME": str(elsewhere)}
    environment.pop("REDIS_URL", None)
    environment.pop("MQTT_URL", None)
    where = "import gateway, adapters; print(gateway.__file__, adapters.__file__)"
    python = [str(command.with_name("python")), "-c", where]
    of_the_wheel = subprocess.run(python, env=environment, cwd=elsewhere, capture_output=True, text=True, check=True)
    assert of_the_wheel.stdout.count(str(tmp_path / "environment")) == 2
    # It reads the built-in quirks and starts both embedded servers.
    done = subprocess.run(
        [str(command), "doctor", "--json"],
        env=environment,
        cwd=elsewhere,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    tried = [
        finding["text"] for finding in json.loads(done.stdout)["findings"] if "works on this machine" in finding["text"]
    ]
    assert len(tried) == 2, done.stdout
