"""The import table of the design, held against every module of the house."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = sorted(
    path.relative_to(ROOT) for package in ("gateway", "adapters") for path in (ROOT / package).rglob("*.py")
)

TABLE: dict[str, set[str]] = {
    "gateway.core": set(),
    "gateway.ocpp": {"gateway.core"},
    "gateway.chargers": {"gateway.core", "gateway.ocpp"},
    "gateway.cluster": {"gateway.core"},
    "gateway.simulator": {"gateway.core", "gateway.ocpp"},
    "gateway.embedded": {"gateway.core"},
    "adapters": {"gateway.core"},
}
"""A room → the rooms that it may import, beside itself. What is not named sees all: app, config, cli, log, metrics."""


def name_of(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def known_module(name: str) -> str | None:
    """The module of ours that an imported name lies in, None for the rest of the world."""
    if name.partition(".")[0] not in ("gateway", "adapters"):
        return None
    while name and not (
        (ROOT / name.replace(".", "/")).with_suffix(".py").is_file()
        or (ROOT / name.replace(".", "/") / "__init__.py").is_file()
    ):
        name = name.rpartition(".")[0]
    return name or None


def imports(path: Path, *, at_run_time: bool = False) -> Iterator[str]:
    """The modules of ours that a module imports; `at_run_time`: at its top, not only for type checking."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    for node in _top_level(tree) if at_run_time else ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = name_of(path).split(".") if path.name == "__init__.py" else name_of(path).split(".")[:-1]
                kept = package[: len(package) - node.level + 1]
                base = ".".join([*kept, *([node.module] if node.module else [])])
            names = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            found = known_module(name)
            if found is not None and found != name_of(path):
                yield found


def _top_level(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child
        yield from _top_level(child)


def room_of(module: str) -> str | None:
    return next((room for room in TABLE if module == room or module.startswith(room + ".")), None)


def adapter_of(module: str) -> str | None:
    parts = module.split(".")
    return parts[1] if parts[0] == "adapters" and len(parts) > 1 else None


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_a_room_imports_what_the_table_grants(path: Path) -> None:
    module = name_of(path)
    room = room_of(module)
    if room is None:
        return
    for imported in imports(path):
        if imported == "gateway":
            continue  # nothing but __version__
        allowed = {room, *TABLE[room]}
        assert room_of(imported) in allowed, f"{module} imports {imported}; {room} may import {sorted(allowed)}"


@pytest.mark.parametrize("path", [path for path in MODULES if adapter_of(name_of(path))], ids=str)
def test_an_adapter_knows_no_other_adapter(path: Path) -> None:
    own = adapter_of(name_of(path))
    for imported in imports(path):
        assert adapter_of(imported) in (own, None), f"{name_of(path)} imports {imported}"


def test_no_import_goes_in_a_circle() -> None:
    graph = {name_of(path): sorted(set(imports(path, at_run_time=True))) for path in MODULES}
    done: set[str] = set()

    def visit(module: str, trail: list[str]) -> None:
        assert module not in trail, f"circle: {' → '.join([*trail[trail.index(module) :], module])}"
        if module in done:
            return
        for imported in graph.get(module, []):
            visit(imported, [*trail, module])
        done.add(module)

    for module in graph:
        visit(module, [])


@pytest.mark.parametrize("path", [path for path in MODULES if path.parts[:2] == ("gateway", "ocpp")], ids=str)
def test_protocol_code_never_awaits_and_has_no_clock(path: Path) -> None:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        assert not isinstance(node, ast.AsyncFunctionDef | ast.Await), f"{path}:{node.lineno} awaits"
        if isinstance(node, ast.Import):
            names = {alias.name.partition(".")[0] for alias in node.names}
            assert names.isdisjoint({"asyncio", "time", "socket"}), f"{path}:{node.lineno} imports {names}"


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_there_is_no_drawer_for_odds_and_ends(path: Path) -> None:
    assert path.stem not in {"utils", "util", "helpers", "misc", "common"}
