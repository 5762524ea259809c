"""An operator's quirk profiles, read from files."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli.commands import app
from gateway.core.errors import ConfigurationError
from gateway.ocpp.profile import STANDARD
from gateway.ocpp.quirks.catalog import Make
from gateway.quirk_files import quirk_catalog

MINE = '[[profile]]\nname = "mine"\nmatch = { vendor = "Growatt" }\ntime_zone = "Europe/Vienna"\n'


def test_without_a_file_the_built_in_profiles_count() -> None:
    assert quirk_catalog(None).quirks(Make("x", "Anker")).name == "anker"
    assert quirk_catalog(None).quirks(Make("x", "Nobody")) is STANDARD


def test_a_file_lies_over_the_built_in_profiles(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(MINE)
    quirks = quirk_catalog(file).quirks(Make("x", "Growatt", "THOR_11AS"))
    assert (quirks.name, str(quirks.time_zone)) == ("growatt-thor + mine", "Europe/Vienna")


def test_the_files_of_a_folder_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name, phases in (("b.toml", 3), ("a.toml", 1)):
        (tmp_path / name).write_text(f'[[profile]]\nname = "{name}"\nmatch = {{ vendor = "V" }}\nphases = {phases}\n')
    (tmp_path / "notes.txt").write_text("not TOML")
    quirks = quirk_catalog(tmp_path).quirks(Make("x", "V"))
    assert (quirks.name, quirks.phases) == ("a.toml + b.toml", 3)


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        (MINE.replace("Vienna", "Viena"), 4, "profile.0.time_zone: no time zone is called 'Europe/Viena'"),
        (MINE.replace("time_zone", "time_zon"), 4, "'time_zon' in [profile.0]; did you mean 'time_zone'?"),
        (MINE + MINE.replace("vendor", "vendro"), 7, "'vendro' in [profile.1.match]; did you mean 'vendor'?"),
        (MINE + '[[profile.units]]\nmeasurand = "E"\nwritten = "Wh"\nis = "x"\n', 5, "no unit that is known"),
        (MINE + "[[profile\n", 5, "not TOML"),
        ('[[profil]]\nname = "x"\n', 1, "unknown section [profil]; did you mean [profile]?"),
        ("\n\n[[profile]]\nname = 'x'\n", 3, "profile.0.match: Field required"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_file_and_line(text: str, line: int, told: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        quirk_catalog(file)
    assert (caught.value.source, caught.value.line) == (str(file), line)
    assert told in str(caught.value)


def test_an_empty_folder_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"no \*\.toml file"):
        quirk_catalog(tmp_path)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ('quirks = "nowhere.toml"', "chargers.quirks: there is no such file"),
        ('tls_certificate = "nowhere.pem"\ntls_key = "nowhere.key"', "tls_certificate: there is no such file"),
        ('tls_minimum = "0.9"', "chargers.tls_minimum"),
    ],
)
def test_a_file_that_is_not_there_is_told_by_check_config(options: str, told: str, tmp_path: Path) -> None:
    config = tmp_path / "gateway.toml"
    config.write_text(f"[chargers]\n{options}\n")
    result = CliRunner().invoke(app, ["check-config", "--config", str(config)])
    assert result.exit_code != 0
    assert told in str(result.exception)
    assert "line 2" in str(result.exception)


def test_a_mistake_in_a_quirk_file_is_told_by_check_config(tmp_path: Path) -> None:
    quirks, config = tmp_path / "mine.toml", tmp_path / "gateway.toml"
    quirks.write_text(MINE.replace("Vienna", "Viena"))
    config.write_text(f'[chargers]\nquirks = "{quirks}"\n')
    result = CliRunner().invoke(app, ["check-config", "--config", str(config)])
    assert "mine.toml, line 4" in str(result.exception)
