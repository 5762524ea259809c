"""What deploy/Dockerfile says, so that its steps can be taken without Docker."""

import json
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path

DEPLOY = Path(__file__).parents[2] / "deploy"


@dataclass
class Stage:
    """One FROM and what follows it, in order: (instruction, rest of the line), variables of ARG replaced."""

    base: str
    name: str
    steps: list[tuple[str, str]] = field(default_factory=list)

    def all(self, instruction: str) -> list[str]:
        return [rest for name, rest in self.steps if name == instruction]

    def one(self, instruction: str) -> str:
        (found,) = self.all(instruction)
        return found

    def command(self, instruction: str) -> list[str]:
        """The words of CMD, ENTRYPOINT or HEALTHCHECK ... CMD, which are written as JSON."""
        words: list[str] = json.loads(re.sub(r"^.*?\[", "[", self.one(instruction)))
        return words

    def environment(self) -> dict[str, str]:
        return dict(word.split("=", 1) for rest in self.all("ENV") for word in shlex.split(rest))


def stages(text: str) -> list[Stage]:
    """The stages of a Dockerfile."""
    found: list[Stage] = []
    arguments: dict[str, str] = {}
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    for line in filter(str.strip, re.sub(r"\\\n", " ", lines).splitlines()):
        instruction, _, rest = line.strip().partition(" ")
        rest = re.sub(r"\$\{(\w+)\}", lambda variable: arguments.get(variable[1], variable[0]), rest)
        if instruction == "ARG":
            name, _, default = rest.partition("=")
            arguments[name] = default
        elif instruction == "FROM":
            base, _, name = rest.partition(" AS ")
            found.append(Stage(base, name))
        else:
            found[-1].steps.append((instruction, rest.strip()))
    return found
