"""The doctor's findings as lines for people, or as JSON."""

import json
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import asdict

from rich.console import Console
from rich.text import Text

from gateway.cli.doctor.findings import REFUSED, Finding

_STYLES = {"ok": "green", "warning": "yellow", "problem": "bold red"}
_INDENT = " " * 10


async def report(findings: AsyncIterator[Finding], *, as_json: bool) -> int:
    """Print what is found, as it is found; the exit code: 1 where there is a problem."""
    console = Console(highlight=False, soft_wrap=True)
    found: list[Finding] = []
    async for finding in findings:
        found.append(finding)
        if not as_json:
            console.print(_line(finding))
            if finding.advice is not None:
                console.print(Text(f"{_INDENT}→ {finding.advice}", "dim" if finding.level == "ok" else ""))
    count = Counter(finding.level for finding in found)
    if as_json:
        told = {"ok": count["problem"] == 0, "findings": [asdict(finding) for finding in found]}
        console.out(json.dumps(told), highlight=False)
    else:
        console.print()
        refused = sum(finding.area == REFUSED and finding.level == "warning" for finding in found)
        last = f"{_many(count['problem'], 'problem')}, {_many(count['warning'], 'warning')}"
        console.print(last + (f"; {_many(refused, 'charger')} refused: see {REFUSED}" if refused else ""))
    return 1 if count["problem"] else 0


def _line(finding: Finding) -> Text:
    return Text.assemble(
        (f"{finding.level:<8}", _STYLES[finding.level]), "  ", (finding.area, "bold"), f": {finding.text}"
    )


def _many(count: int, what: str) -> str:
    return f"{count or 'no'} {what}{'' if count == 1 else 's'}"
