"""Transactions as a client wants them: the public record, a row of CSV, an OCPI object."""

import csv
import io
import re
from collections.abc import Sequence
from typing import Any

from gateway.core.transaction import public

COLUMNS = (
    "id",
    "charger_id",
    "evse_id",
    "connector_id",
    "status",
    "token",
    "started_at",
    "ended_at",
    "duration_s",
    "meter_start_wh",
    "meter_stop_wh",
    "energy_wh",
    "energy_method",
    "peak_power_w",
    "soc_start_percent",
    "soc_end_percent",
    "stop_reason",
    "suspect",
    "revision",
    "ocpp_transaction_id",
    "command_id",
    "updated_at",
)
"""Columns of the CSV; new ones are only added at the end."""


_FORMULA = re.compile(r"(?![+-]?\d+(\.\d+)?\Z)[=+\-@\t\r\n]", re.ASCII)
"""What a spreadsheet may carry out, as OWASP lists it under CSV injection; a number is none."""


def as_csv(records: Sequence[dict[str, Any]]) -> str:
    """RFC 4180, with a header line; a suspicion's reasons are separated by blanks."""
    lines = io.StringIO()
    writer = csv.writer(lines)
    writer.writerow(COLUMNS)
    for record in records:
        row = public(record)
        row["token"] = None if row["token"] is None else row["token"]["id"]
        row["suspect"] = " ".join(row["suspect"])
        writer.writerow([_cell(row[name]) for name in COLUMNS])
    return lines.getvalue()


def _cell(value: Any) -> Any:
    """A text of a charger's that looks like a formula gets a quote before it, which makes it a text."""
    if isinstance(value, str) and _FORMULA.match(value):
        return f"'{value}"
    return "" if value is None else value
