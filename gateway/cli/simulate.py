"""`simulate`: run virtual chargers and tell what they do."""

import asyncio
import json
import signal
from dataclasses import asdict

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gateway.simulator import SimulatorEvent, SimulatorOptions, SimulatorReport, simulate

_LONGEST = 120
_KIND_STYLES = {"error": "red", "timeout": "red", "refused": "red", "dropped": "red", "disconnected": "yellow"}


async def run_simulation(options: SimulatorOptions, *, quiet: bool, as_json: bool) -> int:
    """Simulate until done or told to stop, then print the report; 1 where no charger ever connected."""
    console = Console(highlight=False, soft_wrap=True)
    stop = asyncio.Event()
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


def _table(report: SimulatorReport) -> Table:
    table = Table(
        title=f"{report.chargers} chargers, {report.connections} connections, {report.refused} refused, "
        f"{report.unsent} messages left unsent"
    )
    for heading in ("action", "sent", "acknowledged", "errors", "timeouts"):
        table.add_column(heading, justify="left" if heading == "action" else "right")
    for action in sorted(report.sent):
        table.add_row(
            action,
            *(str(count[action]) for count in (report.sent, report.acknowledged, report.errors, report.timeouts)),
        )
    return table
