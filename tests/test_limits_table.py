"""deploy/README.md promises limits, and names the tests that hold them and the options that set them."""

import re
from pathlib import Path

import pytest

from gateway.config import Settings

ROOT = Path(__file__).parents[1]
SECTION = (ROOT / "deploy" / "README.md").read_text().partition("## Limits:")[2].partition("\n## ")[0]
TESTS = "\n".join(path.read_text() for path in sorted((ROOT / "tests").rglob("test_*.py")))
UNITS = {"": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3, "s": 1}


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(test_\w+)`", SECTION))))
def test_a_test_that_holds_a_limit_is_there(name: str) -> None:
    assert re.search(rf"^(async )?def {name}\(", TESTS, re.MULTILINE)


def test_every_limit_names_its_test() -> None:
    rows = [line for line in SECTION.splitlines() if line.startswith("| ")][2:]
    assert len(rows) > 10
    assert [row for row in rows if "`test_" not in row] == []


def test_the_figures_are_the_defaults() -> None:
    found = re.findall(r"`(?:\[(\w+)\] )?(\w+)` \(([\d,]+) ?(\w*)\)", SECTION)
    assert len(found) >= 7
    section, settings = "", Settings()
    for named, option, figure, unit in found:
        section = named or section
        assert getattr(getattr(settings, section), option) == int(figure.replace(",", "")) * UNITS[unit], option
