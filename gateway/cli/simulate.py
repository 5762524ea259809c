"""`simulate`: run virtual chargers and tell what they do."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gateway.simulator import SimulatorEvent, SimulatorOptions, SimulatorReport, simulate

_LONGEST = 120
_KIND_STYLES = {"error": "red", "timeout": "red", "refused": "red", "dropped": "red", "disconnected": "yellow"}


class _Output(Console):
    """Standard output; `on_gone` is called when its reader leaves, as `| head` does, and the rest goes nowhere.

    What rich does then, SystemExit out of whatever task prints, would end in tracebacks of all others.
    """

    def __init__(self, on_gone: Callable[[], None]) -> None:
        super().__init__(highlight=False, soft_wrap=True)
        self._on_gone = on_gone

    def on_broken_pipe(self) -> None:
        self.quiet = True
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
        self._on_gone()


async def run_simulation(options: SimulatorOptions, *, quiet: bool, as_json: bool) -> int:
    """Simulate until done or told to stop, then print the report; 1 where no charger ever connected."""
    stop = asyncio.Event()
    console = _Output(stop.set)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)

    def show(event: SimulatorEvent) -> None:
        if as_json:
            console.out(json.dumps(asdict(event)), highlight=False)
        else:
            console.print(_line(event))

    report = await simulate(options, on_event=None if quiet else show, stop=stop)
    if as_json:
        console.out(json.dumps(report.as_dict()), highlight=False)
    else:
        console.print(_summary(report))
        if report.sent:
            console.print(_table(report))
    return 0 if report.connections else 1


def _line(event: SimulatorEvent) -> Text:
    payload = json.dumps(event.payload, separators=(",", ":")) if event.payload else ""
    detail = " ".join(part for part in (event.action, event.detail, payload) if part)
    return Text.assemble(
        (event.charger, "bold"),
        "  ",
        (f"{event.kind:<12}", _KIND_STYLES.get(event.kind, "dim")),
        "  ",
        detail if len(detail) <= _LONGEST else detail[: _LONGEST - 1] + "…",
    )


def _summary(report: SimulatorReport) -> str:
    return (
        f"{_counted(report.chargers, 'charger')}, {_counted(report.connections, 'connection')}, "
        f"{report.refused} refused, {_counted(report.unsent, 'message')} left unsent"
    )


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _table(report: SimulatorReport) -> Table:
    table = Table()
    for heading in ("action", "sent", "acknowledged", "errors", "timeouts"):
        table.add_column(heading, justify="left" if heading == "action" else "right")
    for action in sorted(report.sent):
        table.add_row(
            action,
            *(str(count[action]) for count in (report.sent, report.acknowledged, report.errors, report.timeouts)),
        )
    return table
