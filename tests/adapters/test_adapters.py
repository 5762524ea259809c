import ast
import inspect

import pytest

import adapters
from adapters import ADAPTERS, load_adapter
from gateway.core.errors import ConfigurationError


@pytest.mark.parametrize("name", sorted(ADAPTERS))
def test_every_line_of_the_table_leads_to_the_adapter_of_its_name(name: str) -> None:
    assert load_adapter(name).name == name


def test_an_unknown_name_fails_and_tells_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match=r"'kafka'; known are homeassistant, mqtt, rest, webhooks"):
        load_adapter("kafka")


def test_a_line_that_leads_to_another_adapter_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ADAPTERS, "copy", ADAPTERS["rest"])
    with pytest.raises(ConfigurationError, match="calls itself 'rest'"):
        load_adapter("copy")


def test_no_name_stands_twice_in_the_table() -> None:
    tables = [node for node in ast.walk(ast.parse(inspect.getsource(adapters))) if isinstance(node, ast.Dict)]
    names = [ast.literal_eval(key) for table in tables for key in table.keys if key is not None]
    assert sorted(names) == sorted(ADAPTERS)
