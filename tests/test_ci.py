"""The check that .ci/run makes of skipped tests."""

from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def skips(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """The script as a module, on a machine that has mosquitto and nothing else."""
    loader = SourceFileLoader("skips", str(ROOT / ".ci" / "skips"))
    spec = spec_from_loader("skips", loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    tool = tmp_path / "mosquitto"
    tool.touch(0o755)
    monkeypatch.setattr(module, "SEARCH", str(tmp_path))
    return module


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        ("mosquitto is not installed (apt-get install mosquitto)", 1),
        ("npm ocpp-rpc needs node", 0),
        ("root may read every file", 0),
        ("Home Assistant needs Python 3.12 to 3.14, and there is none", 0),
        ("pip could not install Home Assistant: ERROR: no network", 0),
    ],
)
def test_a_skip_for_a_tool_that_is_there_fails(
    skips: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], reason: str, status: int
) -> None:
    report = tmp_path / "report.xml"
    report.write_text(
        f'<testsuites><testsuite><testcase><skipped message="{reason}"/></testcase></testsuite></testsuites>'
    )
    assert skips.main(str(report)) == status
    assert f"1 x {reason}" in capsys.readouterr().out


def test_no_skips_are_fine(skips: ModuleType, tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text("<testsuites><testsuite><testcase/></testsuite></testsuites>")
    assert skips.main(str(report)) == 0
