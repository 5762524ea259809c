"""What the doctor finds: one line each, and what to do."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warning", "problem"]

REFUSED = "handshakes"
"""The area of what was refused to chargers."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the diagnosis. `advice` says what to do; nothing need be done where it is None."""

    area: str
    level: Level
    text: str
    advice: str | None = None


@dataclass(frozen=True, slots=True)
class Findings:
    """Makes the lines of one area."""

    area: str

    def ok(self, text: str, advice: str | None = None) -> Finding:
        return Finding(self.area, "ok", text, advice)

    def warning(self, text: str, advice: str) -> Finding:
        return Finding(self.area, "warning", text, advice)

    def problem(self, text: str, advice: str) -> Finding:
        return Finding(self.area, "problem", text, advice)
