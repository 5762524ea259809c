"""The npm packages of tests/node and tests/node-red, for the tests that need Node."""

import fcntl
import shutil
import subprocess
from pathlib import Path

import pytest

NODE_FOLDER = Path(__file__).parents[1] / "node"
NODE_RED_FOLDER = Path(__file__).parents[1] / "node-red"


def need_node(folder: Path = NODE_FOLDER) -> None:
    """Install the npm packages of a folder once; skip the test with the reason where they cannot be had."""
    for tool in ("node", "npm"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed (apt-get install nodejs npm)")
    installed = folder / "node_modules" / ".package-lock.json"
    lock = folder / "package-lock.json"
    # Test processes that run side by side install one after the other, and only the first has work to do.
    with (folder / "package.json").open() as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime:
            return
        try:
            subprocess.run(
                ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
                cwd=folder,
                check=True,
                capture_output=True,
                timeout=100,
            )
        except subprocess.CalledProcessError as error:
            words = error.stderr.decode(errors="replace").strip().splitlines()
            pytest.skip(f"npm could not install tests/{folder.name}: {words[-1] if words else error}")
        except subprocess.TimeoutExpired:
            pytest.skip(f"npm could not install tests/{folder.name} within 100 s")
