"""What `result` holds of each command, as a table made from the recorded examples.

`python -m adapters.mqtt.result_table` writes openapi/results.md.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from adapters.mqtt.asyncapi_parts import example
from gateway.core.commands import COMMANDS

TARGET = Path(__file__).parents[2] / "openapi" / "results.md"

_INTRODUCTION = """\
# What commands tell

Made by `make openapi` from the results in [examples/results](examples/results), which are recorded from a running
gateway.

`result` of an accepted command, the same on every OCPP version; a raw call's is OCPP's own payload. `[…]` is a list of
objects with these fields. A charger that gives its reason in OCPP's `statusInfo` has that as `status_info`. It is null
where the charger did not answer, and `{"code": …, "details": …}` where it answered with a CALLERROR.

The limit commands (`set_charging_limit`, `clear_charging_limit`, `pause`, `resume`) have all of their fields whatever
became of them, null where nothing is known: `status` is what the charger answered (null: nothing was sent, or all was
refused), `purpose`, `unit`, `limit`, `stack_level` and `phases` say what it took, `converted` by what A and W were
converted, `paused` whether charging is paused now, and `refused` lists each attempt that it did not take.
"""


def text() -> str:
    """The page as it is kept in the repository."""
    return "\n".join([_INTRODUCTION, "| command | `result` |", "| --- | --- |", *_rows()]) + "\n"


def _rows() -> Iterator[str]:
    for name in sorted(COMMANDS):
        recorded = example(f"results/{name}.json")
        if recorded is not None:
            yield f"| [`{name}`](examples/results/{name}.json) | {_told(recorded['result'])} |"


def _told(result: Any) -> str:
    if not result:
        return "`{}`" if result is not None else "null"
    return ", ".join(f"`{field}`{_inside(value)}" for field, value in result.items())


def _inside(value: Any) -> str:
    """The fields of the objects in a list."""
    if not isinstance(value, list):
        return ""
    fields = dict.fromkeys(field for item in value if isinstance(item, dict) for field in item)
    return f" [{', '.join(fields)}]" if fields else " […]"


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET
    target.write_text(text(), encoding="utf-8")
