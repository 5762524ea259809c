"""The README of the tables against the code and the schemas of the `ocpp` package."""

import pytest

from gateway.core.commands import COMMANDS
from gateway.ocpp.profile import Profile
from gateway.ocpp.profiles import PROFILES
from gateway.ocpp.tables import TARGET, text
from tests.ocpp.schema_folder import actions


def test_the_readme_is_what_the_tables_say() -> None:
    assert TARGET.read_text(encoding="utf-8") == text(), "run: make openapi"


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.version)
def test_every_action_of_the_schemas_stands_in_the_readme(profile: Profile) -> None:
    received, called = _first_cells(f"## OCPP {profile.version}: ").split("### To the charger")
    assert set(received.split()) | set(called.split()) == actions(profile.version)
    assert set(received.split()) & set(called.split()) == {"DataTransfer"}


def test_every_command_stands_in_the_readme() -> None:
    assert set(_first_cells("## Neutral commands").split()) == {f"`{name}`" for name in COMMANDS}


def _first_cells(heading: str) -> str:
    """The first cells of a section's rows, its sub-headings between them."""
    (section,) = (part for part in text().split("\n## ") if f"## {part}".startswith(heading))
    lines = section.splitlines()[1:]
    rows = [line.split(" | ")[0].removeprefix("| ") for line in lines if line.startswith(("| ", "### To"))]
    return "\n".join(row for row in rows if row not in ("action", "command", "---"))
