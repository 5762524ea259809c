"""The tables of every version as a reader sees them: `python -m gateway.ocpp.tables` writes gateway/ocpp/README.md."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from gateway.core.commands import COMMANDS
from gateway.core.reports import BootDecision, TokenDecision, Verdict
from gateway.ocpp.profile import Follow, Inbound, Profile
from gateway.ocpp.profiles import PROFILES

TARGET = Path(__file__).parent / "README.md"

_DECIDED: dict[str | None, Callable[[], Verdict]] = {
    "authorize": lambda: Verdict("…", token=TokenDecision("accepted"), transaction_id=1),
    "boot": lambda: Verdict("…", boot=BootDecision("accepted", 300)),
}
"""What a fresh install decides by itself; nothing is decided on any other question."""

_INTRODUCTION = """\
# What OCPP means here

Written by `make openapi` from the tables in `v16/`, `v201/` and `v21/`; a test fails when it differs from them.

**From the charger.** Each action has one *event* that carries it (— where it makes none; `ocpp.message` carries it
raw; of `ocpp.transaction.*` and the two kinds of status the twin chooses the one that fits). Where it *asks*
something, a responder decides: the models of the answers are in `gateway/core/answers.py`. The *reply* is what a fresh
install says, … being the gateway's clock. *Money*: never answered with a CALLERROR. *SEND*: never answered.

**To the charger.** Each action has the neutral *commands* that call it. Any action can be called raw.

**To add an action**, add a row and, where the mapping is not plain, one small function:

- from the charger, in `vXX/inbound.py`: its event, the function that makes a report of its payload, the one that
  writes the reply, the question that it asks. The event's data is described in `adapters/mqtt/event_schemas/`, and
  `tests/ocpp/payloads.py` holds one realistic payload.
- to the charger, in `vXX/outbound.py`: the command's calls, how their answers are read, and the actions that it
  calls. A new command's arguments get a model in `gateway/core/arguments/` and a line in `gateway/core/commands.py`.

Then `make openapi`, and the tests tell what is missing.
"""


def text() -> str:
    """The document as it is kept in the repository."""
    return "\n".join(
        [_INTRODUCTION, *_commands(), *(line for profile in PROFILES.values() for line in _version(profile))]
    )


def _commands() -> Iterator[str]:
    profiles = list(PROFILES.values())
    yield "## Neutral commands\n\nThe actions that each command may call; — where the version cannot do it.\n"
    rows = [
        [f"`{command}`", *(_actions(profile, command) or "—" for profile in profiles)] for command in sorted(COMMANDS)
    ]
    yield from _table(["command", *(f"OCPP {profile.version}" for profile in profiles)], rows)


def _actions(profile: Profile, command: str) -> str:
    row = profile.outbound.get(command)
    return "" if row is None else ", ".join(row.actions) + _followed(row.follow)


def _followed(follow: Follow | None) -> str:
    return "" if follow is None else f", then `{follow.event}`"


def _version(profile: Profile) -> Iterator[str]:
    known = len(profile.actions_in | profile.actions_out)
    yield f"## OCPP {profile.version}: {known} actions\n\n### From the charger\n"
    rows = [_inbound(action, profile.inbound[action]) for action in sorted(profile.actions_in)]
    yield from _table(["action", "event", "asks", "reply", ""], rows)
    yield "### To the charger\n"
    callers = {
        action: [f"`{command}`" for command, row in sorted(profile.outbound.items()) if action in row.actions]
        for action in sorted(profile.actions_out)
    }
    yield from _table(["action", "commands"], [[action, ", ".join(names) or "—"] for action, names in callers.items()])


def _inbound(action: str, row: Inbound) -> list[str]:
    decided = _DECIDED.get(row.asks, lambda: Verdict("…"))
    reply = json.dumps(row.reply(decided()), ensure_ascii=False) if row.answered else ""
    marks = [name for name, marked in (("money", row.money), ("SEND", not row.answered)) if marked]
    return [
        action,
        f"`{row.event}`" if row.event else "—",
        ", ".join(filter(None, (row.asks, row.asks_after))),
        f"`{reply}`" if reply else "—",
        ", ".join(marks),
    ]


def _table(head: list[str], rows: Iterable[list[str]]) -> Iterator[str]:
    yield _line(head)
    yield _line(["---"] * len(head))
    for row in rows:
        yield _line([cell.replace("|", "\\|") for cell in row])
    yield ""


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET
    target.write_text(text(), encoding="utf-8")
