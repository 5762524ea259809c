"""What works and what does not, as one board that every part writes on and `/readyz` reads."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "degraded", "failed"]


@dataclass(slots=True, frozen=True)
class Check:
    """One line on the board. `degraded`: a shared outage, this node serves on; `failed`: this node cannot serve."""

    level: Level
    detail: str = ""


class HealthBoard:
    """Named checks; the worst one is the state of the node."""

    def __init__(self) -> None:
        self._checks: dict[str, Check] = {}

    def set(self, name: str, level: Level, detail: str = "") -> bool:
        """Write a line; tells whether it says something new, so that the caller logs once."""
        check = Check(level, detail)
        changed = self._checks.get(name) != check
        self._checks[name] = check
        return changed

    def clear(self, name: str) -> None:
        self._checks.pop(name, None)

    def checks(self) -> dict[str, Check]:
        return dict(self._checks)

    def level(self) -> Level:
        levels = {check.level for check in self._checks.values()}
        return "failed" if "failed" in levels else "degraded" if "degraded" in levels else "ok"
